// What trades came to: by account, symbol and day, and how their results are distributed. The page and the
// report share it.

import { empty, h } from "./dom.js";
import { day, number, percent, signed, tone } from "./words.js";

export const table = (heads, rows, none) => (rows.length ? h("table", {},
  h("thead", {}, h("tr", {}, heads.map((name) => (name ? h("th", { scope: "col", class: name.startsWith("#") ? "num" : "" }, name.replace("#", "")) : h("td", {}))))),
  h("tbody", {}, rows)) : empty(none));
export const cell = (text, kind = "") => h("td", { class: kind }, text);

const NAMES = { va_id: (t) => t.va_id, symbol: (t) => t.symbol, day: (t) => day(t.closed_at) };
export const GROUPS = [["va_id", "by account"], ["symbol", "by symbol"], ["day", "by day"]];

/** A row for each account, symbol or day. */
export function resultsTable(trades, by) {
  const groups = new Map();
  for (const t of trades) {
    const key = NAMES[by](t);
    const g = groups.get(key) || groups.set(key, { count: 0, wins: 0, gained: 0, lost: 0, best: -Infinity, worst: Infinity }).get(key);
    const pnl = Number(t.pnl);
    g.count += 1;
    g.wins += pnl > 0;
    if (pnl > 0) g.gained += pnl; else g.lost -= pnl;
    g.best = Math.max(g.best, pnl);
    g.worst = Math.min(g.worst, pnl);
  }
  const rows = [...groups].sort((a, b) => (a[0] < b[0] ? -1 : 1)).map(([key, g]) => {
    const result = g.gained - g.lost;
    return h("tr", {}, cell(h("b", {}, key)), cell(String(g.count), "num"), cell(percent(g.wins / g.count, 0), "num"),
      cell(signed(result), `num ${tone(result)}`), cell(signed(result / g.count), `num ${tone(result)}`),
      cell(g.lost ? number(g.gained / g.lost, 2) : "no loss", "num"), cell(signed(g.best), "num"), cell(signed(g.worst), "num"));
  });
  return table([by.replace("va_id", "account"), "#trades", "#won", "#result", "#expectancy a trade", "#gained / lost", "#best", "#worst"], rows, "No trade has closed yet.");
}

/** How many trades ended with which result. */
export function distribution(trades) {
  const values = trades.map((t) => Number(t.pnl));
  if (values.length < 3) return "";
  const reach = Math.max(...values.map(Math.abs)) || 1;
  const half = 8;
  const bins = Array.from({ length: half * 2 }, () => 0);
  for (const value of values) bins[Math.min(half * 2 - 1, Math.floor((value / reach + 1) * half))] += 1;
  const most = Math.max(...bins);
  const edge = (i) => signed((i / half - 1) * reach);
  return h("figure", { class: "hist" }, h("figcaption", {}, `Results of ${values.length} trades, from ${edge(0)} to ${edge(half * 2)}`),
    h("div", { class: "cols", role: "img", "aria-label": `Distribution of results: ${values.filter((v) => v > 0).length} won, ${values.filter((v) => v < 0).length} lost` },
      bins.map((count, i) => h("i", { class: i < half ? "bad" : "good", title: `${count} from ${edge(i)} to ${edge(i + 1)}`, style: { height: `${(count / most) * 100}%` } }, count ? h("span", {}, String(count)) : ""))));
}

/** What each rule refused in one or several runs, and what that would have brought. `runs` are [name, rules]. */
export function rulesTable(runs, sentences) {
  const of = (rules, rule) => rules[rule] || { refused: 0, would_have_earned: "0" };
  const names = [...new Set(runs.flatMap(([, rules]) => Object.keys(rules)))];
  const [, first] = runs[0];
  names.sort((a, b) => of(first, b).refused - of(first, a).refused || (a < b ? -1 : 1));
  const rows = names.map((rule) => h("tr", {}, h("td", { title: sentences[rule] || "" }, h("b", {}, rule)),
    runs.flatMap(([, rules]) => {
      const each = of(rules, rule);
      return [cell(each.refused ? number(each.refused) : "–", "num"), cell(each.refused ? signed(each.would_have_earned) : "", `num ${tone(each.would_have_earned)}`)];
    }), runs.length === 1 && cell(sentences[rule] || "", "wide muted")));
  const heads = runs.length === 1 ? ["rule", "#refused", "#would have brought", ""]
    : ["rule", ...runs.flatMap(([name]) => [`#${name}: refused`, "#would have"])];
  return table(heads, rows, "Nothing was refused.");
}

/** Which line is which. */
export const legend = (names) => h("p", { class: "legend" }, names.map((name, i) => h("span", {}, h("i", { style: { background: `var(--line${(i % 6) + 1})` } }), name)));
