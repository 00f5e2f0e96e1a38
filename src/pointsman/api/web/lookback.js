// Looking back: what the limits have refused, and how the run would have gone under others. The engine works
// it out in a process of its own, so this may take a while, and holds nothing up.

import { curves, joined, pointsOf } from "./curves.js";
import { h } from "./dom.js";
import { get } from "./link.js";
import { model } from "./model.js";
import { cell, legend, rulesTable, table } from "./stats.js";
import { number, percent, signed, tone } from "./words.js";

const LIMITS = ["MAX_LOSS_COOLDOWN", "COOLDOWN_DURATION_SECONDS", "MAX_SPREAD_BPS", "MAX_SLIPPAGE_BPS", "MAX_LATENCY_MS", "MAX_PRICE_DEVIATION_BPS",
  "MAX_POSITION_SIZE", "MAX_OPEN_POSITIONS_PER_VA", "MAX_LEVERAGE", "MAX_DAILY_LOSS", "MAX_DRAWDOWN_PERCENTAGE", "MAX_TRADES_PER_DAY", "MAX_ORDERS_PER_MINUTE",
  "STOP_LOSS_PERCENTAGE", "GLOBAL_MAX_DAILY_LOSS", "GLOBAL_MAX_DRAWDOWN_PERCENTAGE", "TRADING_WINDOW_START", "TRADING_WINDOW_END", "ENTRY_SIDES"];
let found = null, asked = { name: LIMITS[0], values: "" }, problem = "", isAsked = false, node = null;

/** What stands in the tab: made once, so that what is typed stays. */
export function lookback() {
  if (!node) {
    node = h("div", { class: "lookback" });
    draw();
  }
  return node;
}

async function ask(words) {
  isAsked = true;
  problem = "";
  draw();
  try { found = await get(`whatif${words}`, 125000); } catch (fault) { problem = fault.message; }
  isAsked = false;
  draw();
}

function form() {
  const names = h("select", { "aria-label": "Limit", onchange: (event) => { asked = { ...asked, name: event.target.value }; draw(); } },
    LIMITS.map((name) => h("option", { value: name, selected: name === asked.name }, name)));
  const values = h("input", { value: asked.values, "aria-label": "Values", placeholder: "values, such as 0, 3, 5", autocomplete: "off",
    oninput: (event) => { asked = { ...asked, values: event.target.value }; } });
  const now = model.settings.get(asked.name);
  return h("form", { class: "acts", onsubmit: (event) => {
    event.preventDefault();
    ask(asked.values.trim() ? `?sweep=${encodeURIComponent(`${asked.name}=${asked.values}`)}` : "");
  } }, h("span", {}, "What if"), names, h("span", { class: "muted" }, `was ${now === "" || now === undefined ? "off" : now}; had been`), values,
  h("button", { type: "submit", class: "go", disabled: isAsked }, isAsked ? "Deciding again…" : "Decide again"));
}

const resultOf = (report) => Object.values(report.accounts).reduce((sum, a) => sum + Number(a.realized_pnl) + Number(a.unrealized_pnl), 0);
const fallOf = (report) => Math.max(0, ...Object.values(report.accounts).map((a) => Number(a.max_drawdown)));
const nameOf = (run) => Object.values(run.settings).join(" ") || "as it was";

function runs() {
  const rows = [{ settings: {}, report: found.base, decisions_changed: null, modelled: false }, ...found.runs].map((run) => {
    const result = resultOf(run.report);
    return h("tr", {}, cell(h("b", {}, nameOf(run))), cell(signed(result), `num ${tone(result)}`), cell(number(run.report.closed_trades), "num"), cell(percent(fallOf(run.report)), "num"),
      cell(number(run.report.signals.accepted), "num"), cell(number(run.report.signals.refused), "num"), cell(run.decisions_changed === null ? "" : number(run.decisions_changed), "num"),
      cell(run.modelled ? "modelled" : run.decisions_changed === null ? "real" : "real fills only", "muted"));
  });
  const setting = found.runs.length ? Object.keys(found.runs[0].settings).join(" ") : "limits";
  return table([setting, "#result", "#trades", "#max drawdown", "#accepted", "#refused", "#decisions changed", ""], rows, "");
}

function plots() {
  const equity = h("div", { class: "plot" }), equityNote = h("p", { class: "note" });
  const parts = [h("figure", {}, h("figcaption", {}, "Equity of all accounts, as it was and as it might have been"), equity, legend(["as it was", ...found.runs.map(nameOf)]), equityNote)];
  const tables = [found, ...found.runs].map((run) => {
    const points = pointsOf(run.equity);
    return [points.map(([time]) => time), points.map(([, value]) => value)];
  });
  const wanted = [[curves(equity, equityNote), { kind: "equity", data: joined(tables), names: ["as it was", ...found.runs.map(nameOf)], lines: [], marks: [], unit: "", isSteps: true, note: "" }]];
  const swept = found.runs.map((run) => [Number(Object.values(run.settings)[0]), resultOf(run.report)]).filter(([x]) => Number.isFinite(x)).sort((a, b) => a[0] - b[0]);
  if (swept.length > 1) {
    const sweep = h("div", { class: "plot" }), note = h("p", { class: "note" });
    parts.push(h("figure", {}, h("figcaption", {}, `Result by ${Object.keys(found.runs[0].settings)[0]}`), sweep, note));
    wanted.push([curves(sweep, note), { kind: "sweep", data: [swept.map(([x]) => x), swept.map(([, y]) => y)], names: ["result"], lines: [[resultOf(found.base), "as it was", "muted"]], marks: [], unit: "", isTime: false, note: "The result of each run, closed and open together." }]);
  }
  const box = h("div", { class: "plots" }, parts);
  new ResizeObserver(() => wanted.forEach(([plot, what]) => plot.show(what))).observe(box);
  return box;
}

function draw() {
  const parts = [form()];
  if (problem) parts.push(h("p", { class: "problem note", role: "alert" }, problem));
  if (!found) {
    parts.push(h("p", { class: "note" }, isAsked ? "The journal is being decided again…" : "The events of this run are decided again under other limits, and each refusal is told with what it would have brought. Without values: only the refusals."));
  } else {
    if (found.runs.length) parts.push(runs(), plots());
    const rules = [["as it was", found.by_rule], ...found.runs.map((run) => [nameOf(run), run.by_rule])];
    parts.push(h("h3", {}, "Refused by each rule, and what that would have brought"), rulesTable(rules, model.sentences));
    parts.push(h("p", { class: "note" }, "Modelled: what never was at a venue fills at the touch of the quotes that the journal holds. `pointsman whatif --market` runs recorded quotes again, as a whole."));
  }
  node.replaceChildren(...parts);
}
