// The lists at the foot of the page: one tab each.

import { askSignal, reconcileNow, toast } from "./actions.js";
import { at, choices, empty, h, keyed } from "./dom.js";
import { FINAL, model } from "./model.js";
import { openStory } from "./story.js";
import * as words from "./words.js";

let chosen = "trades", by = "va_id", drawn = "";

const table = (heads, rows, none) => (rows.length ? h("table", {},
  h("thead", {}, h("tr", {}, heads.map((name) => h("th", { scope: "col", class: name.startsWith("#") ? "num" : "" }, name.replace("#", ""))))),
  h("tbody", {}, rows)) : empty(none));
const cell = (text, kind = "") => h("td", { class: kind }, text);
const why = (id, text) => h("td", {}, id ? h("button", { type: "button", class: "link", onclick: () => openStory(id) }, text || "why") : "");
const newest = (map, most = 100) => [...map.values()].slice(-most).reverse();

const TABS = {
  trades: ["Trades", () => model.trades.size, trades],
  results: ["Results", () => "", results],
  orders: ["Orders", () => [...model.orders.values()].filter((o) => !FINAL.has(o.status)).length, orders],
  incidents: ["Incidents", () => model.incidents.size, incidents],
  feed: ["Feed & venue", () => "", feed],
  comparisons: ["Comparisons", () => "", comparisons],
  settings: ["Settings", () => "", settings],
  webhook: ["Webhook", () => "", webhook],
};

export function drawLists(isForced = false) {
  choices(at("tabs"), Object.entries(TABS).map(([id, [name, count]]) => [id, `${name} ${count()}`.trim()]), chosen, (id) => {
    chosen = id;
    drawLists(true);
  }, "tab");
  const sign = JSON.stringify([chosen, by, signature()]);
  if (!isForced && sign === drawn) return;
  if (!isForced && at("list").contains(document.activeElement) && document.activeElement !== at("list")) return;
  drawn = sign;
  const top = at("list").scrollTop;
  at("list").replaceChildren(...[TABS[chosen][2]()].flat());
  at("list").scrollTop = isForced ? 0 : top;
}

function signature() {
  const last = (map) => [map.size, [...map.values()].at(-1)];
  if (chosen === "orders") return newest(model.orders);
  if (chosen === "trades" || chosen === "results") return last(model.trades);
  if (chosen === "incidents") return last(model.incidents);
  if (chosen === "feed") return [model.status.now_ns];
  if (chosen === "comparisons") return model.comparisons.at(-1);
  return chosen === "webhook" ? last(model.alerts) : model.sources.length;
}

function trades() {
  const rows = newest(model.trades).map((t) => h("tr", {},
    cell(words.clock(t.closed_at)), cell(t.va_id), cell(h("b", {}, t.symbol)), cell(t.side), cell(words.number(t.quantity), "num"),
    cell(price(t.entry_price), "num"), cell(price(t.exit_price), "num"), cell(words.signed(t.pnl), `num ${words.tone(t.pnl)}`),
    cell(words.number(t.fees, 2), "num"), cell(words.span((words.ms(t.closed_at) - words.ms(t.opened_at)) / 1000), "num"), cell(t.exit_reason), why(t.signal_id)));
  return table(["closed", "account", "symbol", "side", "#quantity", "#entry", "#exit", "#result", "#fees", "#held for", "exit", ""], rows, "No trade has closed yet.");
}

const price = (text) => words.number(Number(text).toFixed(4).replace(/\.?0+$/, ""));

function orders() {
  const every = newest(model.orders, 150);
  const rank = (o) => (o.status === "UNKNOWN" ? 0 : FINAL.has(o.status) ? 2 : 1);
  const rows = every.map((o, i) => [rank(o), i, o]).sort((a, b) => a[0] - b[0] || a[1] - b[1]).map(([kind, , o]) => h("tr", { class: kind === 2 ? "past" : "" },
    cell(words.clock(o.created_at)), cell(o.va_id), cell(h("b", {}, o.symbol)), cell(o.role), cell(o.side), cell(words.number(o.quantity), "num"), cell(words.number(o.filled), "num"),
    cell(o.trigger_price ? `stop ${price(o.trigger_price)}` : o.limit_price ? `limit ${price(o.limit_price)}` : "market", "num"),
    cell(`${kind === 0 ? "? " : kind === 1 ? "● " : ""}${o.status.toLowerCase().replaceAll("_", " ")}`, kind === 0 ? "bad" : kind === 1 ? "good" : ""), cell(o.client_order_id, "mono"), why(o.signal_id)));
  return table(["created", "account", "symbol", "role", "side", "#quantity", "#filled", "#price", "status", "id", ""], rows, "No order has been made yet.");
}

function incidents() {
  const rows = newest(model.incidents).map((i) => h("tr", {},
    cell(words.moment(i.at)), cell(h("b", { class: "warned" }, i.kind)), cell(i.va_id || ""), cell(i.symbol || ""), cell(i.detail || model.sentences[i.kind] || "", "wide"),
    cell(i.value === null ? "" : `${i.value}${i.limit === null ? "" : ` / ${i.limit}`}`, "num")));
  return table(["at", "what", "account", "symbol", "more", "#value / limit"], rows, "No incident. That is how it should be.");
}

function results() {
  const groups = new Map();
  const name = { va_id: (t) => t.va_id, symbol: (t) => t.symbol, day: (t) => words.day(t.closed_at) }[by];
  for (const t of model.trades.values()) {
    const key = name(t);
    const g = groups.get(key) || groups.set(key, { count: 0, wins: 0, gained: 0, lost: 0, best: -Infinity, worst: Infinity }).get(key);
    const pnl = Number(t.pnl);
    g.count += 1;
    g.wins += pnl > 0;
    if (pnl > 0) g.gained += pnl; else g.lost -= pnl;
    g.best = Math.max(g.best, pnl);
    g.worst = Math.min(g.worst, pnl);
  }
  const rows = [...groups].sort((a, b) => (a[0] < b[0] ? -1 : 1)).map(([key, g]) => h("tr", {}, cell(h("b", {}, key)), cell(String(g.count), "num"), cell(words.percent(g.wins / g.count, 0), "num"),
    cell(words.signed(g.gained - g.lost), `num ${words.tone(g.gained - g.lost)}`), cell(words.signed((g.gained - g.lost) / g.count), `num ${words.tone(g.gained - g.lost)}`),
    cell(g.lost ? words.number(g.gained / g.lost, 2) : "no loss", "num"), cell(words.signed(g.best), "num"), cell(words.signed(g.worst), "num")));
  const pick = h("div", { class: "pick" }, [["va_id", "by account"], ["symbol", "by symbol"], ["day", "by day"]].map(([id, text]) =>
    h("button", { type: "button", "aria-pressed": String(by === id), onclick: () => { by = id; drawLists(true); } }, text)));
  return [pick, table([by.replace("va_id", "account"), "#trades", "#won", "#result", "#a trade on average", "#gained / lost", "#best", "#worst"], rows, "No trade has closed yet."), distribution()];
}

/** How many trades ended with which result. */
function distribution() {
  const values = [...model.trades.values()].map((t) => Number(t.pnl));
  if (values.length < 3) return "";
  const reach = Math.max(...values.map(Math.abs)) || 1;
  const half = 8;
  const bins = Array.from({ length: half * 2 }, () => 0);
  for (const value of values) bins[Math.min(half * 2 - 1, Math.floor((value / reach + 1) * half))] += 1;
  const most = Math.max(...bins);
  const edge = (i) => words.signed((i / half - 1) * reach);
  return h("figure", { class: "hist" }, h("figcaption", {}, `Results of ${values.length} trades, from ${edge(0)} to ${edge(half * 2)}`),
    h("div", { class: "cols" }, bins.map((count, i) => h("i", { class: i < half ? "bad" : "good", title: `${count} from ${edge(i)} to ${edge(i + 1)}`, style: { height: `${(count / most) * 100}%` } }, count ? h("span", {}, String(count)) : ""))));
}

function feed() {
  const { health } = model.status;
  const now = model.status.now_ns / 1e6;
  const rows = [...model.quotes.values()].sort((a, b) => (a.symbol < b.symbol ? -1 : 1)).map((q) => {
    const mid = (Number(q.bid) + Number(q.ask)) / 2;
    const spread = ((Number(q.ask) - Number(q.bid)) / mid) * 1e4;
    return h("tr", {}, cell(h("b", {}, q.symbol)), cell(words.number(q.bid), "num"), cell(words.number(q.ask), "num"), cell(`${words.number(spread, 2)} bps`, "num"),
      cell(`${words.span((now - Date.parse(q.ts)) / 1000)} ago`, "num"));
  });
  const age = (value) => (value === null || value === undefined ? "not yet" : value < 2000 ? `${value} ms ago` : `${words.span(value / 1000)} ago`);
  const links = (health.venue_links || []).map((l) => [l.link.replaceAll("_", " "), l.is_up ? "✓ up" : `✗ down for ${words.span(l.down_ms / 1000)}: ${l.detail}`, l.is_up ? "good" : "bad"]);
  const facts = [["newest quote", age(health.feed_age_ms), ""], ["compared with the venue", age(health.compared_ago_ms), ""], ["written to disk in", `${health.commit_ms ?? "–"} ms`, ""],
    ["lag of the loop", `${health.loop_lag_ms ?? "–"} ms`, ""], ["storage", health.storage, health.storage === "ok" ? "good" : "bad"], ...links];
  return [h("dl", { class: "facts" }, facts.map(([name, value, tone]) => h("div", {}, h("dt", {}, name), h("dd", { class: tone }, value)))),
    table(["symbol", "#bid", "#ask", "#spread", "#last seen in a turn"], rows, "No quote has come with a turn since this page was opened.")];
}

function comparisons() {
  const rows = [...model.comparisons].reverse().map((c) => h("tr", {}, cell(words.moment(c.at)), cell(c.result === "ok" ? "✓ ok" : c.result, c.result === "ok" ? "good" : c.result === "mismatch" ? "bad" : "warned"), cell(String(c.differences), "num")));
  return [h("p", { class: "acts" }, h("button", { type: "button", onclick: reconcileNow }, "Compare now")), table(["at", "result", "#differences"], rows, "Not compared since the start.")];
}

function settings() {
  const rows = model.sources.map((s) => h("tr", { class: s.source === "default" ? "past" : "" }, cell(s.name, "mono"), cell(s.value === "" ? "off" : s.value, s.value === "" ? "muted" : "mono"), cell(s.source)));
  return table(["setting", "value", "comes from"], rows, "");
}

function webhook() {
  const isOn = Boolean(model.settings.get("WEBHOOK_TOKEN"));
  const va = model.status.accounts[0]?.va_id || "VA001";
  const url = `${new URL("webhook/", location.href.split(/[?#]/)[0])}WEBHOOK_TOKEN?va=${va}`;
  const message = JSON.stringify({ ticker: "{{exchange}}:{{ticker}}", action: "{{strategy.order.action}}", contracts: "{{strategy.order.contracts}}",
    market_position: "{{strategy.market_position}}", market_position_size: "{{strategy.market_position_size}}", time: "{{timenow}}" }, null, 1);
  const copied = (text) => h("div", { class: "copy" }, h("pre", { tabindex: 0 }, text), h("button", { type: "button", onclick: () => navigator.clipboard?.writeText(text).then(() => toast("Copied"), () => toast("Select it and copy")) }, "Copy"));
  const rows = newest(model.alerts, 20).map((a) => h("tr", {}, cell(words.clock(a.decided_at || a.received_at)), cell(a.va_id), cell(a.symbol), cell(a.side || ""), cell(a.outcome === "accepted" ? "✓ accepted" : `✗ ${a.reason || "waits"}`, a.outcome === "accepted" ? "good" : "bad"), why(a.signal_id)));
  return [h("p", { class: "acts" }, h("button", { type: "button", onclick: askSignal }, "Send a test signal…")),
    isOn ? h("p", { class: "note" }, "WEBHOOK_TOKEN is set. Put it in this URL, for TradingView's field “Webhook URL”:") : h("p", { class: "note" }, "The webhook is off: set WEBHOOK_TOKEN and start again. Then, in TradingView's field “Webhook URL”:"),
    copied(url), h("p", { class: "note" }, "and in the field “Message”:"), copied(message),
    table(["at", "account", "symbol", "side", "answer", ""], rows, "No alert has come by the webhook yet.")];
}
