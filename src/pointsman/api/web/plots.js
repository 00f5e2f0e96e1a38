// The plot: equity, drawdown or the price of a symbol, drawn by uPlot.

import { at, choices, put } from "./dom.js";
import { equityPoints, limitOf, model } from "./model.js";
import * as words from "./words.js";

const KINDS = [["equity", "Equity"], ["drawdown", "Drawdown"], ["price", "Price"]];
const chosen = { kind: "equity", who: "", symbol: "" };
let drawn = null, drawnAs = "", drawnAt = 0, shown = null;

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const LINES = ["line1", "line2", "line3", "line4", "line5", "line6"];

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
  choices(at("plot-kind"), KINDS.filter(([id]) => id !== "price" || symbols.length), chosen.kind, (id) => {
    chosen.kind = id;
    drawPlot(true);
  });
  const isPrice = chosen.kind === "price";
  const who = isPrice ? symbols.map((each) => [each, each])
    : [["", "All"], ["*", "Each"], ...status.accounts.map((a) => [a.va_id, a.va_id])];
  choices(at("plot-who"), who, isPrice ? chosen.symbol : chosen.who, (id) => {
    if (isPrice) chosen.symbol = id; else chosen.who = id;
    drawPlot(true);
  });
  put(at("h-plot"), KINDS.find(([id]) => id === chosen.kind)[1]);
  show(isPrice ? priceSeries() : equitySeries(chosen.kind === "drawdown"));
}

/** Series of one or all accounts; of several their change, so that they can be compared. */
function equitySeries(isDrawdown) {
  const { accounts } = model.status;
  const each = chosen.who === "*";
  const names = each ? accounts.slice(0, LINES.length).map((a) => a.va_id) : [chosen.who];
  const tables = names.map((va) => {
    const points = equityPoints(va);
    let peak = -Infinity;
    const values = points.map(([, value]) => {
      peak = Math.max(peak, value);
      if (isDrawdown) return peak > 0 ? (value / peak - 1) * 100 : 0;
      return each ? value - points[0][1] : value;
    });
    return [points.map(([time]) => time), values];
  });
  const lines = [];
  const one = accounts.find((a) => a.va_id === chosen.who);
  if (one && isDrawdown && limitOf(one.va_id, "MAX_DRAWDOWN_PERCENTAGE") !== null) {
    lines.push([-limitOf(one.va_id, "MAX_DRAWDOWN_PERCENTAGE"), "drawdown limit", "bad"]);
  }
  if (one && !isDrawdown && one.daily_loss !== null && limitOf(one.va_id, "MAX_DAILY_LOSS") !== null) {
    lines.push([Number(one.equity) + Number(one.daily_loss) - limitOf(one.va_id, "MAX_DAILY_LOSS"), "daily loss limit", "bad"]);
  }
  const hidden = each && accounts.length > names.length ? ` The first ${names.length} of ${accounts.length}.` : "";
  return {
    data: tables.length === 1 ? tables[0] : uPlot.join(tables), lines, marks: [],
    names: names.map((va) => va || "all accounts"), isArea: !each,
    unit: isDrawdown ? "%" : "", since: model.openedAt,
    note: (isDrawdown ? "Below the highest point shown. " : each ? "Change since the first point. " : "")
      + `Left of the dotted line: balance at each close. Right of it: equity, live since this page was opened.${hidden}`,
  };
}

function priceSeries() {
  const points = (model.prices.get(chosen.symbol) || []).slice().sort((a, b) => a[0] - b[0]);
  const held = model.status.positions.filter((p) => p.symbol === chosen.symbol);
  const lines = held.flatMap((p) => [
    [Number(p.stop_price), `${p.va_id} stop`, "bad"], [Number(p.entry_price), `${p.va_id} entry`, "muted"]]);
  const from = points.length ? points[0][0] : Infinity;
  const marks = [];
  for (const p of held) marks.push([p.opened_at_ns / 1e9, Number(p.entry_price), p.side === "long"]);
  for (const t of model.trades.values()) {
    if (t.symbol !== chosen.symbol) continue;
    const isLong = t.side === "long";
    marks.push([Date.parse(t.opened_at) / 1e3, Number(t.entry_price), isLong]);
    marks.push([Date.parse(t.closed_at) / 1e3, Number(t.exit_price), !isLong]);
  }
  return {
    data: [points.map(([time]) => time), points.map(([, value]) => value)], lines, names: [chosen.symbol],
    marks: marks.filter(([time]) => time >= from), unit: "", isArea: false, since: 0,
    note: "Since this page was opened. ▲ bought, ▼ sold; red lines are stops, grey ones entries.",
  };
}

function show(wanted) {
  const box = at("plot");
  const width = box.clientWidth, height = box.clientHeight;
  if (width < 50 || height < 50) return;
  shown = wanted;
  const as = JSON.stringify([chosen, wanted.names, document.documentElement.dataset.theme || ""]);
  if (!drawn || as !== drawnAs) {
    drawn?.destroy();
    drawn = new uPlot(options(wanted, width, height), wanted.data, box);
    drawnAs = as;
  } else {
    if (drawn.width !== width || drawn.height !== height) drawn.setSize({ width, height });
    drawn.setData(wanted.data);
  }
  if (drawn.cursor.idx === null || drawn.cursor.idx === undefined) put(at("plot-note"), wanted.note);
}

function options(wanted, width, height) {
  const grid = { stroke: colour("grid"), width: 1 };
  const axis = { stroke: colour("muted"), font: "11px ui-monospace, monospace", grid, ticks: { ...grid, size: 4 } };
  const places = wanted.unit ? 3 : 2;
  return {
    width, height, legend: { show: false }, padding: [12, 12, 0, 0],
    cursor: { y: false, points: { size: 7 }, drag: { x: true, y: false } },
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1e3), words.zoneName()),
    scales: { y: { range: (u, low, high) => range(u, low, high) } },
    axes: [
      { ...axis, size: 30, space: 76, values: [[3600 * 24, "{YYYY}-{MM}-{DD}"], [3600, "{HH}:{mm}"], [60, "{HH}:{mm}"], [1, "{HH}:{mm}:{ss}"]].map(
        ([step, text]) => [step, text, null, null, null, null, null, null, 1]) },
      { ...axis, side: 1, size: (u, values) => 16 + 7 * Math.max(4, ...(values || []).map((v) => v.length)),
        values: (u, ticks) => ticks.map((tick, i, all) => tickText(tick, all) + wanted.unit) },
    ],
    series: [{}, ...wanted.names.map((name, index) => ({
      label: name, stroke: colour(LINES[index]), width: 2, spanGaps: true, points: { show: false },
      dash: index >= 3 ? [6, 4] : undefined, fill: wanted.isArea ? colour("area") : undefined,
    }))],
    hooks: {
      draw: [drawMarks],
      setCursor: [(u) => {
        const index = u.cursor.idx;
        if (index === null || index === undefined) { put(at("plot-note"), shown.note); return; }
        const said = u.series.slice(1).map((line, i) => `${line.label} ${words.number(u.data[i + 1][index] ?? null, places)}${wanted.unit}`);
        put(at("plot-note"), `${words.moment(u.data[0][index] * 1e9)}   ${said.join("   ")}`);
      }],
    },
  };
}

/** So much that the line is seen, and the limits where they are near. */
function range(u, low, high) {
  if (low === null || high === null) return [0, 1];
  const lines = shown.lines.map(([value]) => value);
  const reach = Math.max(high - low, Math.abs(high) * 0.0002, 1e-9);
  for (const value of lines) {
    if (Math.abs(value - (value < low ? low : high)) < reach * 4) { low = Math.min(low, value); high = Math.max(high, value); }
  }
  const pad = Math.max((high - low) * 0.12, reach * 0.1);
  return [low - pad, shown.unit && high <= 0 ? Math.min(high + pad, pad * 0.5) : high + pad];
}

function tickText(tick, all) {
  const step = all.length > 1 ? Math.abs(all[1] - all[0]) : 1;
  return words.number(tick, step >= 1 ? 0 : Math.min(6, Math.ceil(-Math.log10(step))));
}

function drawMarks(u) {
  const { ctx, bbox } = u;
  const ratio = devicePixelRatio || 1;
  const wanted = shown;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.font = `${11 * ratio}px ui-monospace, monospace`;
  for (const [value, text, name] of wanted.lines) {
    const y = u.valToPos(value, "y", true);
    stroke(ctx, colour(name), [6 * ratio, 4 * ratio], bbox.left, y, bbox.left + bbox.width, y);
    ctx.fillStyle = colour(name);
    ctx.fillText(text, bbox.left + 6 * ratio, y - 4 * ratio);
  }
  if (wanted.since) {
    const x = u.valToPos(wanted.since, "x", true);
    stroke(ctx, colour("muted"), [2 * ratio, 3 * ratio], x, bbox.top, x, bbox.top + bbox.height);
  }
  for (const [time, value, isBuy] of wanted.marks) {
    const x = u.valToPos(time, "x", true), y = u.valToPos(value, "y", true), size = 5 * ratio * (isBuy ? 1 : -1);
    ctx.fillStyle = colour(isBuy ? "good" : "bad");
    ctx.beginPath();
    ctx.moveTo(x, y);
    ctx.lineTo(x - size, y + size * 1.7);
    ctx.lineTo(x + size, y + size * 1.7);
    ctx.fill();
  }
  ctx.restore();
}

function stroke(ctx, style, dash, x0, y0, x1, y1) {
  ctx.strokeStyle = style;
  ctx.setLineDash(dash);
  ctx.lineWidth = devicePixelRatio || 1;
  ctx.beginPath();
  ctx.moveTo(x0, y0);
  ctx.lineTo(x1, y1);
  ctx.stroke();
  ctx.setLineDash([]);
}
