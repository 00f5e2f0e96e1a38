// Numbers, times and reasons as people read them. Values come as decimals in text.

const MINUS = "−";

export function number(text, places = null) {
  const value = Number(text);
  if (text === null || text === undefined || text === "" || !Number.isFinite(value)) return text ?? "–";
  const shown = formatOf(places).format(Math.abs(value));
  return value < 0 ? MINUS + shown : shown;
}

const numberFormats = new Map();

/** Making a format costs a hundred times what using it does. */
function formatOf(places) {
  const known = numberFormats.get(places);
  if (known) return known;
  const options = places === null ? { maximumFractionDigits: 8 }
    : { minimumFractionDigits: places, maximumFractionDigits: places };
  const made = new Intl.NumberFormat("en-US", options);
  numberFormats.set(places, made);
  return made;
}

export const money = (text) => number(text, 2);

export function signed(text, places = 2) {
  const shown = number(text, places);
  return Number(text) > 0 && /[1-9]/.test(shown) ? `+${shown}` : shown;
}

/** The class that colours a result, beside its sign. */
export const tone = (text) => (Number(text) > 0 ? "up" : Number(text) < 0 ? "down" : "");

export const percent = (ratio, places = 2) => `${number(Number(ratio) * 100, places)} %`;

export function span(seconds) {
  const s = Math.max(0, Math.round(seconds));
  if (s < 120) return `${s} s`;
  if (s < 7200) return `${Math.floor(s / 60)} min ${s % 60 ? `${s % 60} s` : ""}`.trim();
  if (s < 172800) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return `${Math.floor(s / 86400)} days`;
}

let zone = "UTC";
let formats = {};

/** Show times on the clock of the market. */
export function useZone(name) {
  const make = (options) => new Intl.DateTimeFormat("en-GB", { timeZone: name, hourCycle: "h23", ...options });
  try {
    formats = {
      time: make({ hour: "2-digit", minute: "2-digit", second: "2-digit" }),
      day: make({ year: "numeric", month: "2-digit", day: "2-digit" }),
      minute: make({ hour: "2-digit", minute: "2-digit" }),
    };
    zone = name;
  } catch { if (name !== "UTC") useZone("UTC"); }
}
useZone("UTC");

export const zoneName = () => zone;
export const ms = (at) => (typeof at === "number" ? at / 1e6 : Date.parse(at));
export const clock = (at) => formats.time.format(ms(at));
export const minute = (at) => formats.minute.format(ms(at));
export const day = (at) => formats.day.format(ms(at)).split("/").reverse().join("-");
export const moment = (at) => `${day(at)} ${clock(at)}`;

let say = { at_most: [], limits: {}, without_limit: {}, units: {}, singular: {}, prices: [], places: {} };
let atMost = new Set();

/** The words of the rules, as the program has them. */
export function useWords(told) {
  say = told;
  atMost = new Set(told.at_most);
}

const isNumber = (text) => /^[+-]?\d+(\.\d+)?$/.test(text ?? "");

/** A price exactly, for it is compared with others; what was computed to 4 decimals. */
function withUnit(text, unit, places = null) {
  const isExact = say.prices.includes(unit) || Math.abs(Number(text)) < 1;
  const shown = !isNumber(text) ? text : number(isExact || places !== null ? text : Number(text).toFixed(4), places);
  const suffix = (text === "1" && say.singular[unit]) || (say.units[unit] ?? unit);
  return suffix ? `${shown} ${suffix}` : shown;
}

/** What a rule measured. A time in the picture is in nanoseconds, in a story a date. */
export function measured(rule, value, unit) {
  if (value === null || value === undefined) return "not known";
  if (rule === "OUTSIDE_WINDOW") return clock(isNumber(value) ? Number(value) : value);
  if (unit === "ms" && Number(value) >= 60000) return span(Number(value) / 1000);
  return withUnit(value, unit, say.places[unit] ?? null);
}

/** What it had to be. `side` is that of the signal, which says on which side of a price a stop belongs. */
export function allowed(rule, limit, unit, side = "") {
  if (limit === null || limit === undefined) return say.without_limit[rule] || "";
  if (rule === "OUTSIDE_WINDOW") {
    const [opens, closes] = limit.split("..").map((each) => (isNumber(each) ? Number(each) : each));
    return closes === undefined ? limit : `${clock(opens)} to ${clock(closes)}`;
  }
  if (rule === "STOP_INVALID" && unit !== "%" && side) {
    return `${(side === "buy") === (unit === "price") ? "below" : "above"} ${withUnit(limit, unit)}`;
  }
  if (rule === "STOP_INVALID") return `at most ${withUnit(limit, unit)}`;
  if (rule === "TICK_TOO_COARSE" && side) return `${side === "buy" ? "at least" : "at most"} ${withUnit(limit, unit)}`;
  if (atMost.has(rule)) return Number(limit) === 0 ? "none" : `at most ${withUnit(limit, unit)}`;
  return rule in say.limits ? say.limits[rule].replace("{}", () => withUnit(limit, "")) : withUnit(limit, unit);
}

/** A refusal in few words: what was measured, and the limit. */
export function why(d) {
  if (d.reason === "NOTHING_TO_CLOSE") return "nothing is held";
  if (d.reason === "KILLED") return "the kill switch is on";
  if (d.reason === "PAUSED") return "until resumed";
  if (d.reason === "COOLDOWN") return `${span(Number(d.value))} left`;
  if (d.value === null && d.limit === null) return "";
  return `${measured(d.reason, d.value, d.unit)}, ${allowed(d.reason, d.limit, d.unit, d.side)}`.replace(/, $/, "");
}

/** The note of a check; where it failed although the value is shown as its limit, why. */
export function remark({ rule, passed, value, limit, note }) {
  const isEqual = !passed && atMost.has(rule) && value !== null && limit !== null && Number(value) === Number(limit);
  return [note, isEqual && "above it by less than is shown"].filter(Boolean).join("; ");
}

/** How much of a limit is used, 0 to 1, for a rule that has a number as its maximum; else null. */
export function share(rule, value, limit) {
  if (!atMost.has(rule) || !isNumber(value) || !isNumber(limit) || Number(limit) <= 0) return null;
  return Number(value) / Number(limit);
}
