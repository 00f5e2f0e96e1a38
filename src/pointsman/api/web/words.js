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

const AT_MOST = new Set(("EXPIRED VENUE_DOWN VENUE_BUSY UNKNOWN_ORDER HOLDING_DISPUTED COOLDOWN MAX_OPEN_POSITIONS "
  + "MAX_POSITION_SIZE INSUFFICIENT_EQUITY MAX_DAILY_LOSS MAX_DRAWDOWN MAX_TRADES_PER_DAY MAX_ORDERS_PER_MINUTE "
  + "LATENCY SPREAD PRICE_DEVIATION SLIPPAGE").split(" "));
const LIMIT_WORDS = {
  SYMBOL_LOCKED: (limit) => `only ${limit}`,
  OPPOSING_EXPOSURE: (limit) => `unopposed (${limit})`,
  NOTHING_TO_CLOSE: (limit) => `more than ${limit}`,
  BELOW_MINIMUM: (limit) => `at least ${limit}`,
  NO_QUOTE: () => "a quote",
  INVALID_QUOTE: () => "0 < bid ≤ ask",
};
const NO_LIMIT = { UNKNOWN_ACCOUNT: "a known account", SYMBOL_LOCKED: "any: none is held",
  ENTRIES_HELD: "all parts in place" };
const ONE = { positions: "position", orders: "order", entries: "entry" };
const UNITS = { "s left": "s", "s down": "s", price: "", seen: "", "take-profit": "", UTC: "" };

const isNumber = (text) => /^[+-]?\d+(\.\d+)?$/.test(text ?? "");
function withUnit(text, unit) {
  const shown = !isNumber(text) ? text : Math.abs(Number(text)) >= 1000 ? number(Number(text).toFixed(2)) : number(text);
  const suffix = (text === "1" && ONE[unit]) || (UNITS[unit] ?? unit);
  return suffix ? `${shown} ${suffix}` : shown;
}

/** What a rule measured. A time in the picture is in nanoseconds, in a story a date. */
export function measured(rule, value, unit) {
  if (value === null || value === undefined) return "not known";
  if (rule === "OUTSIDE_WINDOW") return clock(isNumber(value) ? Number(value) : value);
  return withUnit(value, unit);
}

/** What it had to be. `side` is that of the signal, which says on which side of a price a stop belongs. */
export function allowed(rule, limit, unit, side = "") {
  if (limit === null || limit === undefined) return NO_LIMIT[rule] || "";
  if (rule === "OUTSIDE_WINDOW") {
    const [opens, closes] = limit.split("..").map((each) => (isNumber(each) ? Number(each) : each));
    return closes === undefined ? limit : `${clock(opens)} to ${clock(closes)}`;
  }
  if (rule === "STOP_INVALID" && unit !== "%" && side) {
    return `${(side === "buy") === (unit === "price") ? "below" : "above"} ${withUnit(limit, unit)}`;
  }
  if (rule === "STOP_INVALID") return `at most ${withUnit(limit, unit)}`;
  if (AT_MOST.has(rule)) return Number(limit) === 0 ? "none" : `at most ${withUnit(limit, unit)}`;
  const words = LIMIT_WORDS[rule];
  return words ? words(isNumber(limit) ? number(limit) : limit) : withUnit(limit, unit);
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

/** How much of a limit is used, 0 to 1, for a rule that has a number as its maximum; else null. */
export function share(rule, value, limit) {
  if (!AT_MOST.has(rule) || !isNumber(value) || !isNumber(limit) || Number(limit) <= 0) return null;
  return Number(value) / Number(limit);
}
