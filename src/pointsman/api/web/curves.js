// Curves over time, drawn by uPlot: lines, limits as dashed lines, marks. The page and the report share it.

import { put } from "./dom.js";
import { moment, number, zoneName } from "./words.js";

export const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
export const LINES = ["line1", "line2", "line3", "line4", "line5", "line6"];

/** A plot in `box`, with what is under the pointer told in `note`. `show` takes what is wanted: `data` as
 * uPlot has it, `names` of its lines, `lines` [value, text, colour], `marks` [time, value, is a buy], `unit`,
 * `since` a time with a dotted line, `isArea`, `isTime` false for another scale than time, `note`. */
export function curves(box, note) {
  let drawn = null, drawnAs = "", shown = null;
  const told = () => { if (note) put(note, shown.note || ""); };

  function show(wanted) {
    const width = box.clientWidth, height = box.clientHeight;
    if (width < 50 || height < 50) return;
    shown = wanted;
    const as = JSON.stringify([wanted.names, wanted.kind, wanted.unit, document.documentElement.dataset.theme || "", colour("bg")]);
    if (!drawn || as !== drawnAs) {
      drawn?.destroy();
      drawn = new uPlot(options(width, height), wanted.data, box);
      drawnAs = as;
    } else {
      if (drawn.width !== width || drawn.height !== height) drawn.setSize({ width, height });
      drawn.setData(wanted.data);
    }
    if (drawn.cursor.idx === null || drawn.cursor.idx === undefined) told();
  }

  function options(width, height) {
    const grid = { stroke: colour("grid"), width: 1 };
    const axis = { stroke: colour("muted"), font: "11px ui-monospace, monospace", grid, ticks: { ...grid, size: 4 } };
    const isTime = shown.isTime !== false;
    const times = [[3600 * 24, "{YYYY}-{MM}-{DD}"], [3600, "{HH}:{mm}"], [60, "{HH}:{mm}"], [1, "{HH}:{mm}:{ss}"]].map(
      ([step, text]) => [step, text, null, null, null, null, null, null, 1]);
    return {
      width, height, legend: { show: false }, padding: [12, 12, 0, 0],
      cursor: { y: false, points: { size: 7 }, drag: { x: isTime, y: false } },
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1e3), zoneName()),
      scales: { x: { time: isTime, range: isTime ? undefined : (u, low, high) => [low - (high - low || 1) * 0.04, high + (high - low || 1) * 0.04] },
        y: { range: (u, low, high) => range(low, high) } },
      axes: [
        { ...axis, size: 30, space: 76, values: isTime ? times : (u, ticks) => ticks.map((tick) => number(tick)) },
        { ...axis, side: 1, size: (u, values) => 16 + 7 * Math.max(4, ...(values || []).map((v) => v.length)),
          values: (u, ticks) => ticks.map((tick, i, all) => tickText(tick, all) + shown.unit) },
      ],
      series: [{}, ...shown.names.map((name, index) => ({
        label: name, stroke: colour(LINES[index % LINES.length]), width: 2, spanGaps: true, points: { show: !isTime },
        dash: index >= 3 ? [6, 4] : undefined, fill: shown.isArea ? colour("area") : undefined,
        paths: shown.isSteps ? uPlot.paths.stepped({ align: 1 }) : undefined,
      }))],
      hooks: { draw: [drawMarks], setCursor: [tellCursor] },
    };
  }

  function tellCursor(u) {
    const index = u.cursor.idx;
    if (!note) return;
    if (index === null || index === undefined) { told(); return; }
    const places = shown.unit ? 3 : 2;
    const said = u.series.slice(1).map((line, i) => `${line.label} ${number(valueAt(u.data[i + 1], index), places)}${shown.unit}`);
    const x = u.data[0][index];
    put(note, `${shown.isTime === false ? number(x) : moment(x * 1e9)}   ${said.join("   ")}`);
  }

  /** So much that the line is seen, and the limits where they are near. */
  function range(low, high) {
    if (low === null || high === null) return [0, 1];
    const reach = Math.max(high - low, Math.abs(high) * 0.0002, 1e-9);
    for (const [value] of shown.lines) {
      if (Math.abs(value - (value < low ? low : high)) < reach * 4) { low = Math.min(low, value); high = Math.max(high, value); }
    }
    const pad = Math.max((high - low) * 0.12, reach * 0.1);
    return [low - pad, shown.unit && high <= 0 ? Math.min(high + pad, pad * 0.5) : high + pad];
  }

  function drawMarks(u) {
    const { ctx, bbox } = u;
    const ratio = devicePixelRatio || 1;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    ctx.font = `${11 * ratio}px ui-monospace, monospace`;
    for (const [value, text, name] of shown.lines) {
      const y = u.valToPos(value, "y", true);
      stroke(ctx, colour(name), [6 * ratio, 4 * ratio], bbox.left, y, bbox.left + bbox.width, y);
      ctx.fillStyle = colour(name);
      ctx.fillText(text, bbox.left + 6 * ratio, y - 4 * ratio);
    }
    if (shown.since) {
      const x = u.valToPos(shown.since, "x", true);
      stroke(ctx, colour("muted"), [2 * ratio, 3 * ratio], x, bbox.top, x, bbox.top + bbox.height);
    }
    for (const [time, value, isBuy] of shown.marks) {
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

  return { show };
}

/** What a line is at an index: what it was at its last point before. */
function valueAt(values, index) {
  for (let i = index; i >= 0; i -= 1) if (values[i] !== null && values[i] !== undefined) return values[i];
  return null;
}

function tickText(tick, all) {
  const step = all.length > 1 ? Math.abs(all[1] - all[0]) : 1;
  return number(tick, step >= 1 ? 0 : Math.min(6, Math.ceil(-Math.log10(step))));
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

/** Points of equity as two columns; of several lines, joined by time. */
export function joined(tables) {
  return tables.length === 1 ? tables[0] : uPlot.join(tables);
}

/** Points of `/equity` as [seconds, equity, drawdown in percent below zero]. */
export const pointsOf = (rows) => rows.map((row) => [Date.parse(row.at) / 1e3, Number(row.equity), -Number(row.drawdown || 0) * 100]);
