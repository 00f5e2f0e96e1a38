// The lists at the foot of the page: one tab each.

import { askSignal, reconcileNow, toast } from "./actions.js";
import { at, choices, empty, h, keyed } from "./dom.js";
import { get } from "./link.js";
import { lookback } from "./lookback.js";
import { FINAL, model } from "./model.js";
import { cell, distribution, GROUPS, resultsTable, table } from "./stats.js";
import { openStory } from "./story.js";
import * as words from "./words.js";

let chosen = "trades", by = "va_id", drawn = "";

const why = (id, text) => h("td", {}, id ? h("button", { type: "button", class: "link", onclick: () => openStory(id) }, text || "why") : "");
const newest = (map, most = 100) => [...map.values()].slice(-most).reverse();

const TABS = {
  trades: ["Trades", () => model.trades.size, trades],
  results: ["Results", () => "", results],
  lookback: ["Looking back", () => "", lookback],
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
    document.body.classList.toggle("looking", chosen === "lookback");
    if (chosen === "feed") get("venue").then((venue) => { model.venue = venue; }, () => {});
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
  if (chosen === "lookback") return 0;
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
  const trades = [...model.trades.values()];
  const pick = h("div", { class: "pick" }, GROUPS.map(([id, text]) =>
    h("button", { type: "button", "aria-pressed": String(by === id), onclick: () => { by = id; drawLists(true); } }, text)));
  return [pick, resultsTable(trades, by), distribution(trades)];
}

function feed() {
  const { status } = model;
  const { health } = status;
  const now = model.status.now_ns / 1e6;
  const rows = [...model.quotes.values()].sort((a, b) => (a.symbol < b.symbol ? -1 : 1)).map((q) => {
    const mid = (Number(q.bid) + Number(q.ask)) / 2;
    const spread = ((Number(q.ask) - Number(q.bid)) / mid) * 1e4;
    return h("tr", {}, cell(h("b", {}, q.symbol)), cell(words.number(q.bid), "num"), cell(words.number(q.ask), "num"), cell(`${words.number(spread, 2)} bps`, "num"),
      cell(`${words.span((now - Date.parse(q.ts)) / 1000)} ago`, "num"));
  });
  const age = (value) => (value === null || value === undefined ? "not yet" : value < 2000 ? `${value} ms ago` : `${words.span(value / 1000)} ago`);
  const links = (health.venue_links || []).map((l) => [l.link.replaceAll("_", " "), l.is_up ? "✓ up" : `✗ down for ${words.span(l.down_ms / 1000)}: ${l.detail}`, l.is_up ? "good" : "bad"]);
  const known = model.venue;
  const check = known?.last_check;
  const checked = !known ? "reading…" : !check ? "never" : `${words.moment(check.checked_at)}: ${check.is_whole ? "all promises kept" : `${check.kept} of ${check.promises.length} promises kept`}`;
  const budget = health.venue_budget;
  const abilities = Object.entries(known?.abilities || {}).filter(([, value]) => value !== null && value !== false)
    .map(([name, value]) => `${name.replaceAll("_", " ")}${value === true ? "" : ` ${value}`}`).join(", ");
  const facts = [["newest quote", age(health.feed_age_ms), ""], ["compared with the venue", age(health.compared_ago_ms), ""], ["written to disk in", `${health.commit_ms ?? "–"} ms`, ""],
    ["lag of the loop", `${health.loop_lag_ms ?? "–"} ms`, ""], ["storage", health.storage, health.storage === "ok" ? "good" : "bad"],
    ["venue", status.venue.label, status.venue.is_real_money ? "bad" : ""], ["its requests", budget ? `${words.number(budget.left)} of ${words.number(budget.requests_per_minute)} left this minute` : "not rationed", ""],
    ["checked with orders", checked, check && !check.is_whole ? "bad" : ""], ["abilities", abilities || "–", ""], ...links];
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
