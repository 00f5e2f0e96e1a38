// What the page knows: the newest status, lists that the stream keeps up to date, and samples of
// equity and prices since the page was opened.

import { pointsOf } from "./curves.js";

const SAMPLES_MAX = 4000;
const UNIT = { SPREAD: "bps", SLIPPAGE: "bps", PRICE_DEVIATION: "bps", LATENCY: "ms", COOLDOWN: "s left",
  MAX_OPEN_POSITIONS: "positions", UNKNOWN_ORDER: "orders", MAX_DRAWDOWN: "%" };

export const model = {
  status: null, settings: new Map(), sources: [], sentences: {},
  decisions: new Map(), orders: new Map(), trades: new Map(), incidents: new Map(), comparisons: [], venue: null,
  alerts: new Map(), quotes: new Map(), samples: new Map(), prices: new Map(), kept: new Map(), peak: 0, openedAt: 0,
};

const trim = (map, most) => { for (const key of map.keys()) { if (map.size <= most) break; map.delete(key); } };

/** The value of a setting for an account: its own where there is one. Null where it is off. */
export function limitOf(va, name) {
  const own = model.settings.get(`${va}__${name}`);
  const value = own !== undefined && own !== "" ? own : model.settings.get(name);
  return value === undefined || value === "" ? null : Number(value);
}

export function takeSettings(rows) {
  model.sources = rows;
  model.settings = new Map(rows.map((row) => [row.name, row.value]));
}

export function takeStatus(status) {
  model.status = status;
  for (const d of [...status.decisions].reverse()) keepDecision(d);
  const at = status.now_ns / 1e9;
  if (!model.openedAt) model.openedAt = at;
  let total = 0;
  for (const account of status.accounts) {
    total += Number(account.equity);
    sample(model.samples, account.va_id, [at, Number(account.equity), -Number(account.drawdown) * 100]);
  }
  model.peak = Math.max(model.peak, total);
  sample(model.samples, "", [at, total, (total / model.peak - 1) * 100]);
  for (const p of status.positions) if (p.mark !== null) sample(model.prices, p.symbol, [at, Number(p.mark)]);
}

function keepDecision(d) {
  model.decisions.delete(d.signal_id);
  model.decisions.set(d.signal_id, d);
  trim(model.decisions, 500);
}

/** One point more; of what is old every second one goes. */
function sample(map, key, point) {
  const points = map.get(key) || map.set(key, []).get(key);
  if (points.length && points[points.length - 1][0] >= point[0]) return;
  points.push(point);
  if (points.length > SAMPLES_MAX) {
    const half = SAMPLES_MAX / 2;
    map.set(key, points.filter((_, index) => index > half || index % 2 === 0));
  }
}

export function takeSignals(rows) {
  for (const row of rows) {
    if (row.source === "webhook") model.alerts.set(row.signal_id, row);
    if (!row.outcome || model.decisions.has(row.signal_id)) continue;
    keepDecision({ ...row, at_ns: Date.parse(row.decided_at) * 1e6, unit: UNIT[row.reason] || "" });
  }
}

export function takeOrders(rows) { rows.forEach((row) => model.orders.set(row.client_order_id, row)); }
export function takeTrades(rows) { rows.forEach((row) => model.trades.set(row.trade_id, row)); }
export function takeIncidents(rows) { rows.forEach((row) => model.incidents.set(row.incident_id, row)); }

function takeQuote(quote) {
  if (!quote || quote.bid === null || quote.ask === null) return;
  model.quotes.set(quote.symbol, quote);
  sample(model.prices, quote.symbol, [Date.parse(quote.ts) / 1e3, (Number(quote.bid) + Number(quote.ask)) / 2]);
}

/** One event of the stream. Gives which lists it changed. */
export function takeEvent(turn) {
  const changed = new Set();
  takeQuote(turn.event?.quote);
  (turn.event?.marks || []).forEach(takeQuote);
  for (const change of turn.changes) {
    if (change.record === "Order") {
      model.orders.delete(change.client_order_id);
      model.orders.set(change.client_order_id, { ...change, status: shownStatus(change) });
      trim(model.orders, 500);
      changed.add("orders");
    } else if (change.record === "Trade") {
      model.trades.set(change.trade_id, change);
      trim(model.trades, 5000);
      changed.add("trades");
    } else if (change.record === "Incident") {
      model.incidents.set(change.incident_id, change);
      trim(model.incidents, 500);
      changed.add("incidents");
    } else if (change.record === "Decision" && turn.event?.source === "webhook") {
      model.alerts.set(change.signal_id, { ...change, ...turn.event.signal });
      trim(model.alerts, 100);
    }
  }
  return changed;
}

function shownStatus(order) {
  if (order.is_unknown) return "UNKNOWN";
  return order.is_cancel_pending && !FINAL.has(order.status) ? "CANCEL_PENDING" : order.status;
}

export const FINAL = new Set(["FILLED", "CANCELLED", "CANCELED", "REJECTED", "EXPIRED", "FAILED", "ENDED", "NEVER_ARRIVED"]);

/** Take in the points that were kept of an account, or of all ("" for va). */
export function takeEquity(va, rows) {
  const points = pointsOf(rows);
  model.kept.set(va, points);
  if (va === "" && points.length) {
    const [, equity, fall] = points[points.length - 1];
    model.peak = Math.max(model.peak, equity / (1 + fall / 100));
  }
}

/** What an account, or all, was worth: [time, equity, drawdown in percent below zero], as it was kept, then live
 * since this page was opened. */
export function equityPoints(va) {
  const kept = model.kept.get(va) || [];
  const last = kept.length ? kept[kept.length - 1][0] : 0;
  const live = (model.samples.get(va) || []).filter(([time]) => time > last);
  return [...kept, ...live];
}
