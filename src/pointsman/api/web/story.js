// Why: the whole story of one signal, rule by rule.

import { at, empty, h } from "./dom.js";
import { get } from "./link.js";
import { model } from "./model.js";
import * as words from "./words.js";

let shown = "", from = null;

export async function openStory(id) {
  if (shown === "") from = document.activeElement;
  shown = id;
  const box = at("story");
  box.hidden = false;
  document.body.classList.add("with-story");
  fill([h("p", { class: "note" }, "reading…")], id);
  box.querySelector("button").focus();
  try {
    const story = await get(`signals/${encodeURIComponent(id)}`);
    if (shown === id) fill(tell(story), id);
  } catch (fault) {
    if (shown === id) fill([empty(fault.message)], id);
  }
}

/** Read the story that is open again, for something came of it. */
export function refreshStory(ids) {
  if (shown && ids.has(shown)) get(`signals/${encodeURIComponent(shown)}`).then((story) => fill(tell(story), story.signal.signal_id)).catch(() => {});
}

export function closeStory() {
  if (!shown) return false;
  shown = "";
  at("story").hidden = true;
  document.body.classList.remove("with-story");
  from?.focus?.();
  return true;
}

function fill(parts, id) {
  const box = at("story");
  const had = box.contains(document.activeElement);
  box.replaceChildren(h("header", {}, h("h2", {}, `Why ${id}`), h("button", { type: "button", onclick: closeStory, "aria-label": "Close" }, "✕")), h("div", { class: "body", tabindex: 0 }, ...parts));
  if (had) box.querySelector("button").focus();
}

function tell({ signal, decision, orders, fills, trades, positions, incidents }) {
  const size = signal.quantity || decision?.quantity || "";
  const head = h("p", { class: "lead" }, `${signal.side} ${size && words.number(size)} `, h("b", {}, signal.symbol), ` for ${signal.va_id}`);
  if (!decision) return [head, empty("It waits to be decided.")];
  const isGood = decision.outcome === "accepted";
  const failed = decision.checks.find((c) => !c.passed);
  const verdict = h("div", { class: `verdict-box ${isGood ? "good" : "bad"}` },
    h("b", {}, isGood ? "✓ ACCEPTED" : `✗ REFUSED: ${decision.reason}`),
    !isGood && h("p", {}, model.sentences[decision.reason] || ""),
    failed && h("p", { class: "num" }, `Measured ${words.measured(failed.rule, failed.value, failed.unit)}; must be ${words.allowed(failed.rule, failed.limit, failed.unit, signal.side) || "otherwise"}.${words.remark(failed) && ` ${words.remark(failed)}`}`));
  const quote = decision.quote;
  const facts = [
    ["received", `${words.moment(signal.received_at)} ${words.zoneName()}`],
    ["from", signal.line ? `${signal.source}, line ${signal.line}` : signal.source],
    ["judged on", quote ? `${quote.bid} × ${quote.bid_size} / ${quote.ask} × ${quote.ask_size}` : "no quote"],
    decision.limit_price && ["entry at", `${decision.limit_price} or better`],
  ].filter(Boolean);
  return [head, verdict,
    h("dl", {}, facts.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)])),
    h("h3", {}, "Rules, in the order in which they are tried"),
    h("div", { class: "rules" }, decision.checks.map((check) => rule(check, signal.side))),
    h("h3", {}, "What came of it"), events(decision, orders, fills, trades, positions, incidents)];
}

function rule(c, side) {
  const used = words.share(c.rule, c.value, c.limit);
  return h("div", { class: `rule ${c.passed ? "pass" : "fail"}`, title: model.sentences[c.rule] || "" },
    h("span", { class: "mark" }, c.passed ? "✓" : "✗"), h("span", { class: "rname" }, c.rule),
    h("span", { class: "num" }, words.measured(c.rule, c.value, c.unit)), h("span", { class: "lim" }, words.allowed(c.rule, c.limit, c.unit, side)),
    used !== null && h("i", { class: "bar" }, h("i", { style: { width: `${Math.min(1, used) * 100}%` } })));
}

function events(decision, orders, fills, trades, positions, incidents) {
  const start = words.ms(decision.decided_at);
  const rows = [[decision.decided_at, decision.outcome === "accepted" ? "accepted" : `refused: ${decision.reason}`, ""]];
  for (const o of orders) {
    if (o.sent_at) rows.push([o.sent_at, `${o.role} sent`, `${o.side} ${words.number(o.quantity)} ${o.order_type}${o.trigger_price ? ` at ${words.number(o.trigger_price)}` : o.limit_price ? ` at ${words.number(o.limit_price)} or better` : ""}, ${o.client_order_id}`]);
    if (o.updated_at && o.updated_at !== o.sent_at) rows.push([o.updated_at, `${o.role}: ${o.status.toLowerCase().replaceAll("_", " ")}`, o.end_reason ? o.end_reason : o.client_order_id]);
  }
  for (const f of fills) rows.push([f.booked_at, "fill", `${f.side} ${words.number(f.quantity)} at ${words.number(f.price)}, fee ${words.number(f.fee, 2)}`]);
  for (const t of trades) rows.push([t.closed_at, `closed: ${t.exit_reason}`, `${words.signed(t.pnl)} after fees`]);
  for (const i of incidents) rows.push([i.at, `incident: ${i.kind}`, i.detail || model.sentences[i.kind] || ""]);
  rows.sort((a, b) => words.ms(a[0]) - words.ms(b[0]));
  const held = positions.filter((p) => Number(p.quantity) > 0).map((p) =>
    h("div", { class: "erow now" }, h("span", { class: "num" }, "now"), h("b", {}, "held"), h("span", {}, `${p.side} ${words.number(p.quantity)}, stop at ${words.number(p.stop_price)}`)));
  return h("div", { class: "events" }, rows.map(([when, what, more]) =>
    h("div", { class: "erow" }, h("span", { class: "num" }, `+${words.number((words.ms(when) - start) / 1000, 3)} s`), h("b", {}, what), h("span", {}, more))), held);
}
