// Starts the page and keeps it up to date: the stream says what happened, the status of each second
// what it is worth now.

import { askKill, askSwitch, askToken } from "./actions.js";
import { at, put } from "./dom.js";
import { follow, get, Refused } from "./link.js";
import { drawLists } from "./lists.js";
import * as model from "./model.js";
import { drawAccounts, drawDecisions, drawPositions, drawState, drawTiles, filterBy } from "./panels.js";
import { drawPlot } from "./plots.js";
import { closeStory, refreshStory } from "./story.js";
import { useWords, useZone } from "./words.js";

const STALE_MS = 5000;
let answeredAt = 0, heardAt = 0, fault = "", isAsking = false, isAsked = false, timer = 0, sequence = 0;

async function load() {
  const told = Object.keys(model.model.sentences).length ? null : fetch("assets/words.json").then((r) => r.json());
  const [settings, signals, orders, trades, incidents] = await Promise.all([
    get("config"), get("signals?limit=200"), get("orders?limit=200"), get("trades?limit=1000"), get("incidents?limit=200")]);
  if (told) {
    useWords(await told);
    model.model.sentences = (await told).sentences;
  }
  model.takeSettings(settings);
  model.model.kept.clear();
  useZone(model.model.settings.get("TRADING_TIMEZONE") || "UTC");
  model.takeSignals(signals);
  model.takeOrders(orders);
  model.takeTrades(trades);
  model.takeIncidents(incidents);
  await refresh();
}

/** Ask for the picture of now. One request at a time: on a slow line none overtakes another. */
async function refresh() {
  clearTimeout(timer);
  if (isAsked) return;
  isAsked = true;
  sequence += 1;
  let status = null;
  try {
    const [now, comparisons] = await Promise.all([get("status"), sequence % 5 === 1 ? get("reconciliations") : null]);
    if (comparisons) model.model.comparisons = comparisons;
    answeredAt = performance.now();
    fault = "";
    status = now;
  } catch (problem) {
    fault = problem instanceof Refused ? problem.message : "no answer from the engine";
  } finally {
    isAsked = false;
    timer = setTimeout(refresh, document.hidden ? 15000 : 1000);
  }
  if (!status) return;
  model.takeStatus(status);
  draw();
}

/** A picture soon, for something happened; many things at once make one. */
let soon = 0;
function refreshSoon() {
  if (!soon) soon = setTimeout(() => { soon = 0; refresh(); }, 250);
}

function draw() {
  drawState();
  drawTiles();
  drawAccounts();
  drawPositions();
  drawDecisions();
  drawPlot();
  drawLists();
  const { status } = model.model;
  put(at("foot-facts"), `pointsman ${status.version} · ${status.market} ×${status.speed} · ${status.database}`);
}

function showFreshness() {
  const now = performance.now();
  const silent = answeredAt ? now - answeredAt : 0;
  const isStale = answeredAt ? silent > (document.hidden ? 40000 : STALE_MS) : false;
  const isLive = answeredAt && !isStale && now - heardAt < 25000;
  document.body.classList.toggle("stale", isStale);
  at("fresh").className = `fresh ${isStale ? "bad" : isLive ? "good" : "warn"}`;
  put(at("fresh-word"), isStale ? `STALE ${Math.round(silent / 1000)} s` : isLive ? "live" : answeredAt ? "no stream, polling" : "connecting");
  at("alarm").hidden = !isStale && !(fault && !isAsking);
  put(at("alarm"), isStale ? `What is shown is ${Math.round(silent / 1000)} s old: ${fault || "no answer"}. Trying again. Without the page: pointsman status, pointsman kill.` : fault);
}

async function askedForToken(problem) {
  isAsking = true;
  await askToken(problem);
  isAsking = false;
}

function wire() {
  at("kill").addEventListener("click", askKill);
  at("pause").addEventListener("click", () => model.model.status && askSwitch());
  at("token").addEventListener("click", () => askToken(null).then(refresh));
  at("theme").addEventListener("click", () => {
    const root = document.documentElement;
    const isDark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = isDark ? "light" : "dark";
    try { localStorage.setItem("pointsman.theme", root.dataset.theme); } catch { /* it is not kept */ }
    drawPlot(true);
  });
  at("decision-text").addEventListener("input", (event) => model.model.status && filterBy(event.target.value));
  addEventListener("keydown", (event) => {
    const isTyping = event.target.matches?.("input, select, textarea");
    if (event.key === "Escape" && !at("ask").open) closeStory();
    if (event.key === "/" && !isTyping) { event.preventDefault(); at("decision-text").focus(); }
  });
  document.addEventListener("visibilitychange", () => { if (!document.hidden && model.model.status) refresh(); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawPlot(true));
  new ResizeObserver(() => drawPlot(true)).observe(at("plot"));
  setInterval(showFreshness, 500);
}

wire();
follow(
  (turn) => {
    model.takeEvent(turn);
    refreshSoon();
    refreshStory(new Set(turn.changes.map((change) => change.signal_id).filter(Boolean)));
  },
  () => { heardAt = performance.now(); },
  load,
  askedForToken,
);
