// The report as one page: what a run was, from the data that stands in the file itself.

import { curves, pointsOf } from "./curves.js";
import { at, h } from "./dom.js";
import { cell, distribution, GROUPS, resultsTable, rulesTable, table } from "./stats.js";
import { moment, money, number, percent, signed, span, tone, useZone, zoneName } from "./words.js";

const told = JSON.parse(at("data").textContent);
const { report } = told;

function total(name) {
  return Object.values(report.accounts).reduce((sum, account) => sum + Number(account[name]), 0);
}

function tile(name, value, more, kind = "") {
  return h("div", { class: "tile" }, h("span", { class: "label" }, name), h("b", {}, value), h("span", { class: `more ${kind}` }, more));
}

function tiles() {
  const { signals, trades } = report;
  const result = total("realized_pnl") + total("unrealized_pnl");
  const wins = trades.filter((t) => Number(t.pnl) > 0).length;
  const falls = told.equity[""].map((row) => Number(row.drawdown || 0));
  const refused = Object.entries(signals.by_reason).sort((a, b) => b[1] - a[1])[0];
  return [
    tile("Result", signed(result), `${money(total("fees"))} fees paid`, ""),
    tile("Equity at the end", money(total("equity")), `${report.positions.length} still held`),
    tile("Deepest drawdown", percent(Math.max(0, ...falls)), "of all accounts together"),
    tile("Trades", number(trades.length), trades.length ? `${percent(wins / trades.length, 0)} won, ${signed(result / trades.length)} each` : "none"),
    tile("Signals", number(signals.received), `${number(signals.accepted)} accepted`),
    tile("Refused", number(signals.refused), refused ? `most often ${refused[0]}` : "none"),
  ];
}

/** Buttons of which one is chosen; `choose` is called at once for the first. */
function pick(options, choose) {
  const box = h("div", { class: "pick scroll" });
  let chosen = options[0][0];
  const draw = () => {
    box.replaceChildren(...options.map(([id, text]) => h("button", { type: "button", "aria-pressed": String(id === chosen), onclick: () => { chosen = id; draw(); } }, text)));
    choose(chosen);
  };
  return { box, draw };
}

function panel(title, parts, extra = "") {
  return h("section", { class: `panel ${extra}`, "aria-label": title }, h("header", {}, h("h2", {}, title), parts.pick || ""), ...parts.body);
}

/** What may be wider or longer than there is room for. */
const body = (name, content, extra = "") => h("div", { class: `body ${extra}`, tabindex: 0, role: "group", "aria-label": name }, content);

/** A plot of equity or of drawdown, of all accounts or of one, with its limits. */
function plotPanel(title, isDrawdown) {
  const box = h("div", { class: "plot" }), note = h("p", { class: "note" });
  const who = [["", "All"], ...Object.keys(report.accounts).map((va) => [va, va])];
  let plot = null, chosen = "";
  const show = () => {
    plot ||= curves(box, note);
    const points = pointsOf(told.equity[chosen] || []);
    plot.show({
      kind: [title, chosen], data: [points.map(([time]) => time), points.map(([, value, fall]) => (isDrawdown ? fall : value))],
      names: [chosen || "all accounts"], lines: limitLines(chosen, isDrawdown), marks: [], unit: isDrawdown ? "%" : "", isArea: true, isSteps: true,
      note: points.length ? `${moment(points[0][0] * 1e9)} to ${moment(points[points.length - 1][0] * 1e9)}, ${zoneName()}` : "Nothing was kept.",
    });
  };
  const { box: buttons, draw } = pick(who, (va) => { chosen = va; if (box.isConnected) show(); });
  return { node: panel(title, { pick: buttons, body: [box, note] }), show, draw };
}

function limitLines(va, isDrawdown) {
  const limits = told.limits[va] || {};
  if (isDrawdown) return limits.drawdown_percentage ? [[-Number(limits.drawdown_percentage), "drawdown limit", "bad"]] : [];
  if (!limits.daily_loss) return [];
  const points = told.equity[va] || [];
  return points.length ? [[Number(points[0].equity) - Number(limits.daily_loss), "daily loss limit of the first day", "bad"]] : [];
}

function accounts() {
  const rows = Object.entries(report.accounts).map(([va, a]) => {
    const result = Number(a.realized_pnl) + Number(a.unrealized_pnl);
    return h("tr", {}, cell(h("b", {}, va)), cell(a.status), cell(money(a.equity), "num"), cell(signed(result), `num ${tone(result)}`), cell(money(a.fees), "num"),
      cell(String(a.trades), "num"), cell(`${a.wins} / ${a.losses}`, "num"), cell(percent(a.max_drawdown), "num"));
  });
  return table(["account", "status", "#equity", "#result", "#fees", "#trades", "#won / lost", "#max drawdown"], rows, "No account.");
}

function trades() {
  const rows = [...report.trades].reverse().map((t) => h("tr", {},
    cell(moment(t.closed_at)), cell(t.va_id), cell(h("b", {}, t.symbol)), cell(t.side), cell(number(t.quantity), "num"), cell(number(Number(t.entry_price).toFixed(4)), "num"),
    cell(number(Number(t.exit_price).toFixed(4)), "num"), cell(signed(t.pnl), `num ${tone(t.pnl)}`), cell(number(t.fees, 2), "num"),
    cell(span((Date.parse(t.closed_at) - Date.parse(t.opened_at)) / 1000), "num"), cell(t.exit_reason), cell(t.signal_id, "mono")));
  return table(["closed", "account", "symbol", "side", "#quantity", "#entry", "#exit", "#result", "#fees", "#held for", "exit", "signal"], rows, "No trade has closed.");
}

function incidents() {
  const rows = report.incidents.map((i) => h("tr", {}, cell(moment(i.at)), cell(h("b", { class: "warned" }, i.kind)), cell(i.va_id || ""), cell(i.symbol || ""),
    cell(i.detail || told.sentences[i.kind] || "", "wide")));
  return table(["at", "what", "account", "symbol", "more"], rows, "No incident. That is how it should be.");
}

function results() {
  const box = body("Results", "");
  const { box: buttons, draw } = pick(GROUPS, (by) => box.replaceChildren(resultsTable(report.trades, by)));
  draw();
  return panel("Results", { pick: buttons, body: [box, distribution(report.trades)] });
}

function protection() {
  const p = report.protection;
  return h("p", { class: "note" }, `Longest time without cover ${number(p.naked_seconds_max, 3)} s, ${number(p.naked_seconds_total, 3)} s in all; longest without a resting stop ${number(p.stopless_seconds_max, 3)} s. `
    + `${number(report.orders)} orders, ${number(report.fills)} fills${report.quotes ? `, ${number(report.quotes)} quotes` : ""}.`);
}

useZone(told.zone);
const equity = plotPanel("Equity", false), drawdown = plotPanel("Drawdown", true);
at("head").textContent = told.title;
at("sub").textContent = `${told.account} · pointsman ${told.version} · ${told.from ? `${moment(told.from)} to ${moment(told.to)} ${zoneName()}` : "nothing has happened yet"}`;
at("report").append(
  h("section", { id: "tiles", "aria-label": "Summary" }, tiles()), equity.node, drawdown.node,
  panel("Accounts", { body: [body("Accounts", accounts()), protection()] }, "wide"), results(),
  panel("Refused, and what that would have brought", { body: [body("Rules", rulesTable([["", told.by_rule]], told.sentences)),
    h("p", { class: "note" }, "Modelled: each refused entry alone, filled at the touch, with its stop and target, closed by the later signals of its account and symbol.")] }),
  panel("Trades", { body: [body("Trades", trades(), "tall")] }, "wide"),
  panel("Incidents", { body: [body("Incidents", incidents(), "tall")] }, "wide"));
for (const each of [equity, drawdown]) each.draw();
const redraw = () => { equity.show(); drawdown.show(); };
new ResizeObserver(redraw).observe(at("report"));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
at("theme").addEventListener("click", () => {
  const root = document.documentElement;
  const isDark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = isDark ? "light" : "dark";
  redraw();
});
