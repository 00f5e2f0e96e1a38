// The way to the engine: requests with the token, and the stream of events with reconnects.
// The token is kept in this variable alone, so it is gone when the page is.

let token = "";
export const hasToken = () => token !== "";
export const setToken = (text) => { token = text.trim(); };

export class Refused extends Error {
  constructor(status, detail) { super(detail); this.status = status; }
}

function headers(more) { return token ? { ...more, Authorization: `Bearer ${token}` } : more; }

async function answered(response) {
  if (response.ok) return response;
  let detail = response.statusText;
  try { detail = (await response.json()).detail || detail; } catch { /* no problem document */ }
  throw new Refused(response.status, detail);
}

export async function get(path, patience = 15000) {
  const asked = fetch(`api/v1/${path}`, { headers: headers({}), cache: "no-store", signal: AbortSignal.timeout(patience) });
  return (await answered(await asked)).json();
}

export async function post(path, body) {
  const asked = fetch(`api/v1/${path}`, {
    method: "POST", headers: headers({ "Content-Type": "application/json" }), body: JSON.stringify(body),
    signal: AbortSignal.timeout(15000),
  });
  const response = await asked.catch(() => {
    throw new Error("No answer, so it may not have been done. On the engine's machine `pointsman kill` works without the page, and without an engine.");
  });
  return (await answered(response)).json();
}

const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

/** A browser has six connections to a host, for all its tabs together, so a page that is not looked at
 * gives the one of its stream back. */
const isSeen = () => !document.hidden && !isLeft;
let isLeft = false;
let stop = new AbortController();
addEventListener("pagehide", () => { isLeft = true; stop.abort(); });
addEventListener("pageshow", () => { isLeft = false; });
document.addEventListener("visibilitychange", () => { if (document.hidden) stop.abort(); });

/** Follow the stream for ever; `take` gets each event, `heard` is called for every sign of life,
 * `again` after each new connection, since something may have been missed before it. */
export async function follow(take, heard, again, isAsked) {
  let last = "";
  let wait = 500;
  for (;;) {
    if (!isSeen()) { await pause(250); continue; }
    stop = new AbortController();
    try {
      await again();
      const response = await answered(await fetch(`api/v1/stream${last ? `?last_event_id=${last}` : ""}`,
        { headers: headers({ Accept: "text/event-stream" }), cache: "no-store", signal: stop.signal }));
      wait = 500;
      heard();
      await read(response.body, (id, data) => { last = id; take(JSON.parse(data)); }, heard);
    } catch (fault) {
      if (fault instanceof Refused && fault.status === 401) { await isAsked(fault); wait = 100; }
      if (fault instanceof Refused && fault.status === 422) last = "";
    }
    await pause(wait);
    wait = Math.min(wait * 2, 5000);
  }
}

async function read(body, take, heard) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const silence = new Promise((_, fail) => setTimeout(() => fail(new Error("silent")), 25000));
    const { value, done } = await Promise.race([reader.read(), silence]).catch((fault) => {
      reader.cancel();
      throw fault;
    });
    if (done) return;
    heard();
    const parts = (rest + value).split("\n\n");
    rest = parts.pop();
    for (const part of parts) {
      let id = "", data = "";
      for (const line of part.split("\n")) {
        if (line.startsWith("id: ")) id = line.slice(4);
        else if (line.startsWith("data: ")) data += line.slice(6);
      }
      if (data) take(id, data);
    }
  }
}
