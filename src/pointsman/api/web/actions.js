// What a person may do: kill, rearm, pause, resume, flatten, reconcile, a test signal; and the token.
// What cannot be undone is typed.

import { at, h } from "./dom.js";
import { hasToken, post, setToken } from "./link.js";
import { model } from "./model.js";

/** Ask for something in a dialog. `typed` must be typed before `act` may happen; `fields` are further
 * inputs, given to `act` by name. */
function ask({ title, text, tone = "", typed = null, fields = [], button, act }) {
  const box = at("ask");
  if (box.open) box.close();
  const problem = h("p", { class: "problem", role: "alert" });
  const inputs = fields.map((f) => [f.name, f.make()]);
  const word = typed && h("input", { id: "ask-word", autocomplete: "off", autocapitalize: "characters", spellcheck: "false", oninput: () => check() });
  const wanted = () => (typeof typed === "function" ? typed(values()) : typed);
  const values = () => Object.fromEntries(inputs.map(([name, node]) => [name, read(node)]));
  const go = h("button", { type: "submit", class: tone || "go" }, button);
  const hint = typed && h("span", {});
  function check() {
    if (!typed) return;
    hint.textContent = `Type ${wanted()} to confirm`;
    go.disabled = word.value.trim().toUpperCase() !== wanted().toUpperCase();
  }
  const form = h("form", { onsubmit: async (event) => {
    event.preventDefault();
    go.disabled = true;
    problem.textContent = "";
    try {
      await act(values());
      box.close();
    } catch (fault) {
      problem.textContent = fault.status === 403 ? `${fault.message}. Give it with “Token…” at the foot of the page.` : fault.message;
      go.disabled = false;
    }
  }, onchange: () => check() },
  h("h2", {}, title), text && h("p", {}, text),
  fields.map((f, i) => h("label", { class: f.kind || "" }, h("span", {}, f.label), inputs[i][1])),
  typed && h("label", {}, hint, word), problem,
  h("div", { class: "acts" }, h("button", { type: "button", class: "quiet", onclick: () => box.close() }, "Cancel"), go));
  box.className = tone;
  box.replaceChildren(form);
  check();
  box.showModal();
  (word || inputs[0]?.[1] || go).focus();
}

function read(node) {
  if (node.type === "checkbox") return node.checked;
  return node.value.trim();
}

const reason = (text = "") => ({ name: "reason", label: "Reason, for the record", make: () => h("input", { maxlength: 500, value: text, autocomplete: "off", required: true }) });

export function toast(text) {
  const node = h("div", { class: "toast", role: "status" }, text);
  document.body.append(node);
  setTimeout(() => node.remove(), 5000);
}

async function done(path, body, text) {
  const answer = await post(path, body);
  toast(answer.durable === false ? `${text}, but it could not be written to disk` : text);
}

export function askKill() {
  ask({
    title: "Kill switch", tone: "danger", button: "KILL",
    text: "No new entries from now on, for every account, until it is rearmed. Stops stay at the venue.",
    fields: [
      { name: "flatten", label: "Also close everything that is held, at market", kind: "check", make: () => h("input", { type: "checkbox" }) },
      { name: "reason", label: "Reason (may be empty)", make: () => h("input", { maxlength: 500, autocomplete: "off" }) },
    ],
    typed: (v) => (v.flatten ? "FLATTEN" : "KILL"),
    act: ({ flatten, reason: why }) => done("kill", { flatten, reason: why || "from the page" }, flatten ? "Killed; everything is being closed" : "Killed: no new entries"),
  });
}

export function askSwitch() {
  const state = model.status.trading_state;
  if (state === "ACTIVE") askPause(null);
  else if (state === "HALTED") {
    ask({ title: "Rearm", button: "Rearm", typed: "REARM", fields: [reason()],
      text: `Killed by ${model.status.kill.by}${model.status.kill.note ? `: ${model.status.kill.note}` : ""}. Entries become possible again.`,
      act: ({ reason: why }) => done("rearm", { reason: why }, "Rearmed") });
  } else askResume(null);
}

export function askPause(va) {
  ask({ title: va ? `Pause ${va}` : "Pause all accounts", button: "Pause", fields: [reason("from the page")],
    text: "No new entries. Exits and stops go on.",
    act: ({ reason: why }) => done("pause", { reason: why, ...(va ? { va } : {}) }, `${va || "All accounts"} paused`) });
}

export function askResume(va) {
  ask({ title: va ? `Resume ${va}` : "Resume all accounts", button: "Resume", typed: va || "RESUME", fields: [reason()],
    text: va ? "Ends its pause, its freeze or its stop by a loss limit, after a comparison with the venue." : "Entries become possible again.",
    act: ({ reason: why }) => done("resume", { reason: why, ...(va ? { va } : {}) }, `${va || "All accounts"} resumed`) });
}

export function askFlatten(va) {
  ask({ title: `Flatten ${va}`, tone: "danger", button: "Close it all", typed: va, fields: [reason()],
    text: `Closes everything that ${va} holds, at market.`,
    act: ({ reason: why }) => done("flatten", { reason: why, va }, `${va} is being flattened`) });
}

export async function reconcileNow() {
  try { await done("reconcile", {}, "Compared with the venue"); } catch (fault) { toast(fault.message); }
}

export function askSignal() {
  const { status } = model;
  const real = status.venue.is_real_money;
  const pick = (options) => h("select", {}, options.map((each) => h("option", { value: each }, each)));
  const text = (value) => h("input", { value, autocomplete: "off" });
  ask({
    title: "Send a test signal", button: "Send", typed: real ? "REAL MONEY" : null, tone: real ? "danger" : "",
    text: `It is decided as any other, and traded if accepted${real ? ", with real money" : ", on paper"}.`,
    fields: [
      { name: "va_id", label: "Account", make: () => pick(status.accounts.map((a) => a.va_id)) },
      { name: "symbol", label: "Symbol", make: () => text([...model.quotes.keys()][0] || "") },
      { name: "side", label: "Side", make: () => pick(["buy", "sell", "close"]) },
      { name: "quantity", label: "Quantity", make: () => text("1") },
    ],
    act: async (fields) => {
      const body = { signal_id: `page-${Date.now()}`, ...fields };
      if (fields.side === "close" && !fields.quantity) delete body.quantity;
      const decision = await post("signals", body);
      toast(decision.outcome === "accepted" ? "Accepted" : `Refused: ${decision.reason}`);
    },
  });
}

/** The token, typed. Resolves when one was given. */
export function askToken(fault) {
  return new Promise((resolve) => {
    const box = at("ask");
    if (box.open && box.classList.contains("token")) { box.addEventListener("close", resolve, { once: true }); return; }
    ask({
      title: "Token", button: "Use it", tone: "token",
      text: `${!fault ? "" : hasToken() ? "This token is not accepted. " : "This engine asks for a token. "}READ_TOKEN shows everything, CONTROL_TOKEN may also act. It is kept in this tab's memory only.`,
      fields: [{ name: "token", label: "READ_TOKEN or CONTROL_TOKEN", make: () => h("input", { type: "password", autocomplete: "off", required: true }) }],
      act: async ({ token }) => setToken(token),
    });
    box.addEventListener("close", resolve, { once: true });
  });
}
