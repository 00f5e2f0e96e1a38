// State, summary, accounts, positions and decisions.

import { askFlatten, askPause, askResume } from "./actions.js";
import { at, choices, empty, h, keyed, put } from "./dom.js";
import { limitOf, model } from "./model.js";
import { choosePlot } from "./plots.js";
import { openStory } from "./story.js";
import * as words from "./words.js";

const STATES = {
  ACTIVE: ["ACTIVE", "good", "Entries are allowed."],
  REDUCING: ["PAUSED", "warn", "No entries; exits and stops go on."],
  HALTED: ["KILLED", "bad", "No new risk; stops stay at the venue."],
};

export function drawState() {
  const { status } = model;
  const [word, tone, meaning] = STATES[status.trading_state] || [status.trading_state, "warn", ""];
  const { kill } = status;
  const isOn = status.trading_state !== "ACTIVE";
  at("state").className = `state ${status.is_ready ? tone : isOn ? tone : "warn"}`;
  put(at("state-word"), status.is_ready || isOn ? word + (kill.state === "flatten" ? " + FLATTEN" : "") : "NOT READY");
  const unready = Object.values(status.health.unready || {}).join("; ");
  const by = kill.at_ns ? `by ${kill.by} at ${words.clock(kill.at_ns)}${kill.note ? `: ${kill.note}` : ""}. ` : "";
  const who = isOn && by ? by + meaning : "";
  put(at("state-why"), who || unready || status.health.entries_held || `${meaning}${by && ` Set active ${by}`}`);
  put(at("venue"), status.venue.is_real_money ? `REAL MONEY · ${status.venue.label}` : status.venue.label || status.venue.name);
  at("venue").className = status.venue.is_real_money ? "tag bad" : "tag";
  put(at("pause"), status.trading_state === "ACTIVE" ? "Pause…" : status.trading_state === "HALTED" ? "Rearm…" : "Resume…");
  put(at("clock"), words.clock(status.now_ns));
  at("clock").title = `${words.moment(status.now_ns)} ${words.zoneName()}`;
  document.title = `${word}${status.positions.length ? ` · ${status.positions.length} held` : ""} · pointsman`;
}

export function drawTiles() {
  const { status } = model;
  const sum = (name) => status.accounts.reduce((total, a) => total + Number(a[name]), 0);
  const held = status.positions;
  const naked = held.filter((p) => p.cover === "naked").length;
  const waiting = held.filter((p) => p.cover === "unconfirmed").length;
  const active = status.accounts.filter((a) => a.status === "active").length;
  const lost = status.accounts.every((a) => a.daily_loss !== null) ? -sum("daily_loss") : null;
  const tiles = [
    ["Equity", words.money(sum("equity")), lost === null ? "" : `${words.signed(lost)} today`, words.tone(lost)],
    ["Unrealized", words.signed(sum("unrealized")), `${words.signed(sum("realized"))} realized`, words.tone(sum("realized"))],
    ["Held", String(held.length), !held.length ? "flat" : naked ? `${naked} WITHOUT A STOP` : waiting ? `${waiting} stop on its way` : "all have stops",
      naked ? "down" : waiting ? "warned" : ""],
    ["May enter", `${active} of ${status.accounts.length}`, active === status.accounts.length ? "all accounts" : "see Accounts", active ? "" : "warned"],
    ["Signals", words.number(status.counts.signals), status.counts.signals ? `${words.percent(status.counts.accepted / status.counts.signals, 0)} accepted` : "none yet", ""],
    ["Orders", `${status.orders.working} working`, status.orders.unknown ? `${status.orders.unknown} WITHOUT AN ANSWER` : "all answered", status.orders.unknown ? "warned" : ""],
  ].map(([name, value, more, tone]) => ({ name, value, more, tone }));
  keyed(at("tiles"), tiles, (t) => t.name, (t) =>
    h("div", { class: "tile" }, h("span", { class: "label" }, t.name), h("b", {}, t.value), h("span", { class: `more ${t.tone}` }, t.more)));
}

// -- accounts ------------------------------------------------------------------------------------

/** How much of one limit is used; `limit` null where none is set. */
function meter(name, used, limit, text) {
  const ratio = limit ? Math.max(0, Math.min(1, used / limit)) : 0;
  const tone = ratio >= 1 ? "bad" : ratio >= 0.75 ? "warn" : "";
  return { name, text, ratio, tone, isOff: limit === null };
}

function metersOf(a) {
  const of = (name) => limitOf(a.va_id, name);
  const limit = (value, shown) => (value === null ? "no limit" : shown(value));
  const size = of("MAX_POSITION_SIZE"), open = of("MAX_OPEN_POSITIONS_PER_VA"), streak = of("MAX_LOSS_COOLDOWN");
  const daily = of("MAX_DAILY_LOSS"), fall = of("MAX_DRAWDOWN_PERCENTAGE"), trades = of("MAX_TRADES_PER_DAY");
  const lost = Math.max(0, Number(a.daily_loss ?? 0)), down = Number(a.drawdown) * 100;
  const rows = [
    meter("Size", Number(a.exposure), size, `${words.number(a.exposure, 0)} of ${limit(size, (v) => words.number(v))}`),
    meter("Positions", a.open_positions, open, `${a.open_positions} of ${limit(open, String)}`),
    meter("Losses in a row", a.loss_streak, streak || null, streak ? `${a.loss_streak} of ${streak}` : `${a.loss_streak} (no limit)`),
    meter("Loss today", lost, daily, a.daily_loss === null ? "not known yet" : `${words.number(lost, 2)}${daily === null ? " (no limit)" : ` of ${words.number(daily)}`}`),
    meter("Drawdown", down, fall, `${words.number(down, 2)}${fall === null ? "" : ` of ${words.number(fall)}`} %, worst ${words.number(Number(a.max_drawdown) * 100, 2)} %`),
  ];
  if (trades !== null) rows.push(meter("Entries today", a.entries_today, trades, `${a.entries_today} of ${trades}`));
  return rows;
}

const meterRow = (m) => h("div", { class: `meter ${m.tone} ${m.isOff ? "off" : ""}` },
  h("span", { class: "label" }, m.name), h("i", { class: "bar" }, h("i", { style: { width: `${m.ratio * 100}%` } })), h("span", { class: "num" }, m.text));

const STATUS_TONE = { active: "good", cooldown: "warn", paused: "warn", stopped: "bad", frozen: "bad", killed: "bad" };
const BRIEF = new Set(["active", "cooldown", "killed", "paused"]);
const MARK = { good: "●", warn: "◐", bad: "■" };

export function drawAccounts() {
  const { status } = model;
  put(at("n-accounts"), String(status.accounts.length));
  const cooldown = (a) => limitOf(a.va_id, "COOLDOWN_DURATION_SECONDS") || 1;
  const rows = status.accounts.map((a) => {
    const left = a.cooldown_until_ns ? Math.max(0, Math.ceil((a.cooldown_until_ns - status.now_ns) / 1e9)) : 0;
    return { va: a.va_id, status: a.status, text: BRIEF.has(a.status) ? a.status : a.status_text, symbol: a.symbol, equity: words.money(a.equity),
      result: words.signed(Number(a.realized) + Number(a.unrealized)), wins: a.wins, losses: a.losses, left, cooling: left / cooldown(a),
      meters: metersOf(a) };
  });
  keyed(at("accounts"), rows, (r) => r.va, accountCard);
}

function accountCard(r) {
  const tone = STATUS_TONE[r.status] || "warn";
  const isHeld = r.status === "paused" || r.status === "frozen" || r.status === "stopped";
  return h("article", { class: `account is-${tone}` },
    h("div", { class: "line" },
      h("button", { type: "button", class: "name", title: "plot it", onclick: () => choosePlot(r.va) }, r.va),
      h("span", { class: `badge ${tone}` }, `${MARK[tone]} ${r.text}`),
      r.symbol && h("span", { class: "tag" }, `only ${r.symbol}`),
      h("b", { class: "num push" }, r.equity)),
    h("div", { class: "line sub" },
      h("span", { class: words.tone(r.result.replace("−", "-").replaceAll(",", "")) }, `${r.result} in all`),
      h("span", {}, `${r.wins} won, ${r.losses} lost`),
      h("span", { class: "push acts" },
        isHeld ? h("button", { type: "button", class: "quiet", onclick: () => askResume(r.va) }, "Resume…")
          : h("button", { type: "button", class: "quiet", onclick: () => askPause(r.va) }, "Pause…"),
        r.meters[1].ratio > 0 && h("button", { type: "button", class: "quiet", onclick: () => askFlatten(r.va) }, "Flatten…"))),
    r.left > 0 && h("div", { class: "meter warn cooling" }, h("span", { class: "label" }, "Cooldown"),
      h("i", { class: "bar" }, h("i", { style: { width: `${Math.min(1, r.cooling) * 100}%` } })), h("span", { class: "num" }, `${words.span(r.left)} left`)),
    r.meters.map(meterRow));
}

// -- positions -----------------------------------------------------------------------------------

const COVER = { covered: ["✓ stop rests", "good"], unconfirmed: ["… stop sent", "warn"], exiting: ["→ exiting", "warn"], naked: ["✗ NO STOP", "bad"] };

export function drawPositions() {
  const { positions } = model.status;
  put(at("n-positions"), String(positions.length));
  if (!positions.length) {
    keyed(at("positions"), [{ key: "none" }], (r) => r.key, () => empty("Nothing is held. An accepted entry appears here with its stop."));
    return;
  }
  const order = { naked: 0, unconfirmed: 1, exiting: 2, covered: 3 };
  const rows = [...positions].sort((a, b) => order[a.cover] - order[b.cover] || a.position_id - b.position_id)
    .map((p) => ({ ...p, naked_ms: p.cover === "covered" ? 0 : Math.round(p.naked_ms / 100) * 100,
      age: Math.floor((model.status.now_ns - p.opened_at_ns) / 60e9) }));
  keyed(at("positions"), [{ position_id: "head" }, ...rows], (p) => p.position_id, (p) => (p.position_id === "head" ? positionHead() : positionRow(p)));
}

const positionHead = () => h("div", { class: "prow head" }, ["Account", "Holds", "Entry", "Stop — entry — now", "Now", "Unrealized", "Cover"].map((text, i) =>
  h("span", { class: `c${i}` }, text)));

/** A row that renews itself: prices move each second, and nothing else does. */
function positionRow(first) {
  const price = (text) => words.number(text, first.price_decimals);
  const story = () => first.signal_id && openStory(first.signal_id);
  const cell = (name) => h("span", { class: name });
  const size = h("span", {}), entry = cell("c2 num"), now = cell("c4 num"), result = cell("c5"), cover = cell("c6");
  const bar = stopBar(price);
  const node = h("div", { class: "prow", tabindex: 0, role: "button", title: `position ${first.position_id}; press for its story`,
    onclick: story, onkeydown: (e) => e.key === "Enter" && story() },
  h("span", { class: "c0" }, first.va_id),
  h("span", { class: "c1" }, h("b", {}, first.side === "long" ? "▲ long " : "▼ short "), size, h("b", {}, first.symbol)),
  entry, h("span", { class: "c3" }, bar.node), now, result, cover);
  node.renew = (p) => {
    const [text, tone] = COVER[p.cover] || [p.cover, "warn"];
    const late = p.cover === "naked" || p.cover === "unconfirmed" ? ` ${words.number(p.naked_ms / 1000, 1)} s` : "";
    node.className = `prow ${tone === "bad" ? "alert" : ""}`;
    size.textContent = `${words.number(p.quantity)} `;
    entry.textContent = price(p.entry_price);
    now.textContent = p.mark === null ? "no quote" : price(p.mark);
    result.textContent = p.mark === null ? "–" : words.signed(p.unrealized);
    result.className = `c5 num ${words.tone(p.unrealized)}`;
    cover.textContent = text + late;
    cover.className = `c6 ${tone}`;
    bar.renew(p);
  };
  node.renew(first);
  return node;
}

/** From the stop at the left to profit at the right, whichever way the position is. */
function stopBar(price) {
  const run = h("i", {}), entryMark = h("i", { class: "entry" }), target = h("i", { class: "target" }), dot = h("i", {});
  const from = h("span", {}), away = h("span", {});
  const node = h("span", { class: "stopbar", role: "img" },
    h("span", { class: "rail" }, run, h("i", { class: "stop" }), entryMark, target, dot), h("span", { class: "ends" }, from, away));
  const renew = (p) => {
    const stop = Number(p.stop_price), entry = Number(p.entry_price), now = p.mark === null ? entry : Number(p.mark);
    const sign = p.side === "long" ? 1 : -1;
    const risk = Math.max(sign * (entry - stop), Math.abs(entry) * 1e-6);
    const goal = p.take_profit === null ? null : Number(p.take_profit);
    const far = Math.max(sign * (now - stop), goal === null ? 0 : sign * (goal - stop), risk * 2);
    const place = (value) => Math.max(0, Math.min(100, (sign * (value - stop) / far) * 100));
    const [e, n] = [place(entry), place(now)];
    const tone = n >= e ? "good" : "bad";
    run.className = `run ${tone}`;
    run.style.left = `${Math.min(e, n)}%`;
    run.style.width = `${Math.abs(n - e)}%`;
    entryMark.style.left = `${e}%`;
    target.hidden = goal === null;
    if (goal !== null) target.style.left = `${place(goal)}%`;
    dot.className = `now ${tone}`;
    dot.hidden = p.mark === null;
    dot.style.left = `${n}%`;
    from.textContent = price(p.stop_price);
    away.textContent = p.mark === null ? "no quote" : `${words.number((sign * (now - stop) / Math.abs(now)) * 100, 2)} % away`;
    node.setAttribute("aria-label", `stop ${price(p.stop_price)}, entry ${price(p.entry_price)}, now ${p.mark === null ? "not known" : price(p.mark)}`);
  };
  return { node, renew };
}

// -- decisions -----------------------------------------------------------------------------------

const filter = { kind: "all", text: "" };
export const filterBy = (text) => { filter.text = text.toLowerCase(); drawDecisions(); };

export function drawDecisions() {
  choices(at("decision-kind"), [["all", "All"], ["refused", "Refused"], ["accepted", "Accepted"]], filter.kind, (id) => {
    filter.kind = id;
    drawDecisions();
  });
  const every = [...model.decisions.values()].reverse();
  const told = filter.text.split(/\s+/).filter(Boolean);
  const matching = every.filter((d) => {
    const text = `${d.signal_id} ${d.va_id} ${d.symbol} ${d.side} ${d.reason || ""} ${d.outcome}`.toLowerCase();
    return (filter.kind === "all" || d.outcome === filter.kind) && told.every((each) => text.includes(each));
  });
  put(at("n-decisions"), matching.length === every.length ? String(every.length) : `${matching.length} of ${every.length}`);
  drawReasons(every);
  const box = at("decisions");
  if (!matching.length) {
    const text = every.length ? "No decision matches the filter." : "No signal has come yet. Send one, or see the tab Webhook.";
    keyed(box, [{ key: text }], (r) => r.key, () => empty(text));
    return;
  }
  keyed(box, matching.slice(0, 120), (d) => d.signal_id, decisionRow);
}

function decisionRow(d) {
  const isGood = d.outcome === "accepted";
  const size = d.quantity ? `${words.number(d.quantity)} ` : "";
  return h("div", { class: `drow is-${d.outcome}`, tabindex: 0, role: "button",
    title: model.sentences[d.reason] || "its story",
    onclick: () => openStory(d.signal_id), onkeydown: (e) => e.key === "Enter" && openStory(d.signal_id) },
  h("time", {}, words.clock(d.at_ns)), h("span", { class: "va" }, d.va_id),
  h("span", { class: "what" }, `${d.side || ""} ${size}`, h("b", {}, d.symbol)),
  h("span", { class: "verdict" }, isGood ? h("b", { class: "good" }, "✓ accepted") : [h("b", { class: "bad" }, `✗ ${d.reason}`), h("span", { class: "numbers" }, words.why(d))]));
}

function drawReasons(decisions) {
  const counts = new Map();
  for (const d of decisions) if (d.reason) counts.set(d.reason, (counts.get(d.reason) || 0) + 1);
  const rows = [...counts].sort((a, b) => b[1] - a[1]).slice(0, 6);
  const most = rows.length ? rows[0][1] : 1;
  keyed(at("reasons"), rows.map(([reason, count]) => ({ reason, count, share: count / most })), (r) => r.reason, (r) =>
    h("button", { type: "button", title: `${model.sentences[r.reason] || ""} Show only these.`, onclick: () => {
      const isOn = filter.text === r.reason.toLowerCase();
      at("decision-text").value = isOn ? "" : r.reason;
      filterBy(at("decision-text").value);
    } }, h("span", {}, r.reason), h("i", { class: "bar" }, h("i", { style: { width: `${r.share * 100}%` } })), h("span", { class: "num" }, String(r.count))));
}
