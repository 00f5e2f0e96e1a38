// The plot of the page: equity and drawdown as they were kept, and live since; the price of a symbol.

import { curves, joined, LINES } from "./curves.js";
import { at, choices, put } from "./dom.js";
import { get } from "./link.js";
import { equityPoints, limitOf, model, takeEquity } from "./model.js";
import { clock, number } from "./words.js";

const KINDS = [["equity", "Equity"], ["drawdown", "Drawdown"], ["price", "Price"]];
const SPANS = [["", "All time"], ["day", "Today"], ["hour", "Last hour"]];
const chosen = { kind: "equity", who: "", symbol: "", span: "" };
let plot = null, drawnAt = 0;

export function choosePlot(who) {
  chosen.who = who;
  if (chosen.kind === "price") chosen.kind = "equity";
  drawPlot(true);
}

/** Draw what is chosen, at most once a second unless something was chosen. */
export function drawPlot(isForced = false) {
  const { status } = model;
  if (!status || (!isForced && performance.now() - drawnAt < 950)) return;
  drawnAt = performance.now();
  const symbols = [...new Set([...status.positions.map((p) => p.symbol), ...model.prices.keys()])].sort();
  if (!symbols.includes(chosen.symbol)) [chosen.symbol = ""] = symbols;
  const choose = (name) => (id) => { chosen[name] = id; drawPlot(true); };
  choices(at("plot-kind"), KINDS.filter(([id]) => id !== "price" || symbols.length), chosen.kind, choose("kind"));
  choices(at("plot-span"), SPANS, chosen.span, choose("span"));
  const isPrice = chosen.kind === "price";
  const who = isPrice ? symbols.map((each) => [each, each])
    : [["", "All"], ["*", "Each"], ...status.accounts.map((a) => [a.va_id, a.va_id])];
  choices(at("plot-who"), who, isPrice ? chosen.symbol : chosen.who, choose(isPrice ? "symbol" : "who"));
  put(at("h-plot"), KINDS.find(([id]) => id === chosen.kind)[1]);
  plot ||= curves(at("plot"), at("plot-note"));
  plot.show({ kind: [chosen.kind, chosen.who, chosen.symbol, chosen.span], ...(isPrice ? priceSeries() : equitySeries(chosen.kind === "drawdown")) });
}

/** From when on points are shown. The day begins at 00:00 on the clock of the market. */
function from() {
  const now = model.status.now_ns / 1e9;
  if (chosen.span === "hour") return now - 3600;
  const [hours, minutes, seconds] = clock(model.status.now_ns).split(":").map(Number);
  return chosen.span === "day" ? Math.floor(now) - (hours * 3600 + minutes * 60 + seconds) : 0;
}

/** Ask once for what was kept of an account; forgotten with each new connection. */
function want(va) {
  if (model.kept.has(va)) return;
  takeEquity(va, []);
  get(`equity?limit=1500${va ? `&va=${encodeURIComponent(va)}` : ""}`).then((rows) => { takeEquity(va, rows); drawPlot(true); }, () => model.kept.delete(va));
}

/** Those of the span; the last before it stands at its beginning. */
function within(points) {
  const start = from();
  const kept = points.filter(([time]) => time >= start);
  const before = points.length - kept.length;
  return start && before ? [[start, ...points[before - 1].slice(1)], ...kept] : kept;
}

/** Lines of one or all accounts; of several their change, so that they can be compared. */
function equitySeries(isDrawdown) {
  const { accounts } = model.status;
  const each = chosen.who === "*";
  const names = each ? accounts.slice(0, LINES.length).map((a) => a.va_id) : [chosen.who];
  names.forEach(want);
  const tables = names.map((va) => {
    const points = within(equityPoints(va));
    const values = points.map(([, value, fall]) => (isDrawdown ? fall : each ? value - points[0][1] : value));
    return [points.map(([time]) => time), values];
  });
  const limits = limitLines(isDrawdown);
  const hidden = each && accounts.length > names.length ? ` The first ${names.length} of ${accounts.length}.` : "";
  return {
    data: joined(tables), lines: limits, marks: [],
    names: names.map((va) => va || "all accounts"), isArea: !each, isSteps: true,
    unit: isDrawdown ? "%" : "", since: 0,
    note: (limits.length ? `${limits.map(([value, text]) => `${text}: ${number(value, 2)}${isDrawdown ? "%" : ""}`).join("; ")}. ` : "") + (isDrawdown ? "Below the highest equity so far." : each ? "Change since the first point." : "Kept at each close, and once a minute while something is held; live since this page was opened.") + hidden,
  };
}

/** The limits of what is shown, where they are set. */
function limitLines(isDrawdown) {
  const { accounts } = model.status;
  if (chosen.who === "") {
    const fall = limitOf("", "GLOBAL_MAX_DRAWDOWN_PERCENTAGE"), loss = limitOf("", "GLOBAL_MAX_DAILY_LOSS");
    if (isDrawdown) return fall === null ? [] : [[-fall, "kills at this drawdown of all", "bad"]];
    if (loss === null || accounts.some((a) => a.daily_loss === null)) return [];
    const start = accounts.reduce((sum, a) => sum + Number(a.equity) + Number(a.daily_loss), 0);
    return [[start - loss, "kills at this daily loss of all", "bad"]];
  }
  const one = accounts.find((a) => a.va_id === chosen.who);
  if (!one) return [];
  const fall = limitOf(one.va_id, "MAX_DRAWDOWN_PERCENTAGE"), loss = limitOf(one.va_id, "MAX_DAILY_LOSS");
  if (isDrawdown) return fall === null ? [] : [[-fall, "drawdown limit", "bad"]];
  return loss === null || one.daily_loss === null ? [] : [[Number(one.equity) + Number(one.daily_loss) - loss, "daily loss limit", "bad"]];
}

function priceSeries() {
  const points = (model.prices.get(chosen.symbol) || []).slice().sort((a, b) => a[0] - b[0]);
  const kept = points.filter(([time]) => time >= from());
  const held = model.status.positions.filter((p) => p.symbol === chosen.symbol);
  const lines = held.flatMap((p) => [
    [Number(p.stop_price), `${p.va_id} stop`, "bad"], [Number(p.entry_price), `${p.va_id} entry`, "muted"]]);
  const first = kept.length ? kept[0][0] : Infinity;
  const marks = [];
  for (const p of held) marks.push([p.opened_at_ns / 1e9, Number(p.entry_price), p.side === "long"]);
  for (const t of model.trades.values()) {
    if (t.symbol !== chosen.symbol) continue;
    const isLong = t.side === "long";
    marks.push([Date.parse(t.opened_at) / 1e3, Number(t.entry_price), isLong]);
    marks.push([Date.parse(t.closed_at) / 1e3, Number(t.exit_price), !isLong]);
  }
  return {
    data: [kept.map(([time]) => time), kept.map(([, value]) => value)], lines, names: [chosen.symbol],
    marks: marks.filter(([time]) => time >= first), unit: "", isArea: false, since: 0,
    note: "Since this page was opened, and at each turn of the last signals. ▲ bought, ▼ sold; red lines are stops, grey ones entries.",
  };
}

