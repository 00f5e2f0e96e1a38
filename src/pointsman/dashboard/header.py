"""The lines above the panels: what matters most, in running text.

The first line says what this is and when; the second answers the four questions at a glance: is
everything covered, who may enter, is anything unknown, is the engine well. Then what all is worth.
"""

from collections.abc import Iterator
from decimal import Decimal

from rich.text import Text

from pointsman.dashboard.cells import Picture, date_and_clock, limit_in, span
from pointsman.dashboard.curves import Curve
from pointsman.dashboard.layout import flow, gap_of, spread
from pointsman.dashboard.panels.figures import spark
from pointsman.dashboard.theme import (
    ALARM,
    BLOCKS,
    FAINT,
    STALE,
    STRONG,
    TRADING_TONES,
    WAIT,
    result,
)
from pointsman.domain.money import ZERO, exact
from pointsman.reading.words import TRADING
from pointsman.terminal.condition import Condition
from pointsman.terminal.text import counted, money, printable

SLOW_LAG_MS = 1000
"""An engine whose loop is this late is not well."""

ROOMY_FROM = 148
"""From this width on, whatever there is to say mostly fits into one line."""

SPARKS_LEAST, SPARKS_MOST = 8, 60
"""Characters of the curve of equity."""

MISSED_COMPARISONS = 3
"""How many intervals without a comparison are too many."""

_SHOWN_AS_FIGURES = frozenset({"comparison", "feed", "loop", "storage"})
"""Causes of "not ready" that the picture has a figure for."""


def headline(picture: Picture, width: int, condition: Condition | None = None) -> Text:
    """What this is, what it may do, and its clock; or that it is not known to run."""
    if condition is not None:
        left = Text().append("pointsman", style=STRONG).append(" ")
        when = "" if condition.as_of_ns is None else f"as of {date_and_clock(condition.as_of_ns)}"
        left.append(f" {condition.state.headline} ", style=BLOCKS[ALARM]).append(" ")
        left.append_text(_beside_paper(picture))
        return spread(left, Text().append(when, style=ALARM), width)
    state = picture["trading_state"]
    left = Text().append("pointsman", style=STRONG).append(" ").append_text(_beside_paper(picture))
    if state == "ACTIVE" and entries_held(picture):
        left.append(f" {state} ", style=BLOCKS[ALARM]).append(" ")
        left.append("entries are refused", style=ALARM)
    else:
        tone = TRADING_TONES.get(state, ALARM)
        left.append(f" {state} ", style=BLOCKS[tone]).append(f" {TRADING.get(state, '')}")
    market = printable(str(picture["market"]))
    speed = "" if picture["speed"] == "1" else f"  speed {picture['speed']}"
    right = Text().append(f"{market}{speed}  ", style=FAINT)
    return spread(left, right.append(date_and_clock(picture["now_ns"])), width)


def venue_label(picture: Picture) -> Text:
    """The account at the venue; real money stands out (RULES 49). An engine of an older version
    does not say it."""
    venue = picture.get("venue") or {}
    tone = ALARM if venue.get("is_real_money") else FAINT
    return Text(printable(str(venue.get("label", ""))), style=tone)


def _beside_paper(picture: Picture) -> Text:
    """The account and a gap, where it is not the one on paper."""
    venue = venue_label(picture)
    return venue.append("  ") if venue.plain not in ("", "paper") else Text()


def verdict(
    picture: Picture, width: int, condition: Condition | None = None, curve: Curve = ()
) -> list[Text]:
    """The four questions, answered, and where there is room what all is worth, with its `curve`.
    Two lines at least, unless one is sure to do, so that nothing below jumps. Of an engine that is
    not known to run, what was, and nothing about now."""
    if condition is not None:
        return flow(_past(picture, condition), width, 2)
    parts = [_cover(picture), _entries(picture), _orders(picture)]
    # What stops all entries comes first, where it is not cut off.
    parts.insert(0 if entries_held(picture) else len(parts), _machinery(picture))
    lines = flow(parts, width, 2)
    worth = _worth(picture)
    if len(lines) == 1 and width < ROOMY_FROM:
        lines.append(worth)
    elif lines[-1].cell_len + gap_of(width) + worth.cell_len <= width:
        lines[-1].append(" " * gap_of(width)).append_text(worth)
    _draw_curve(lines[-1], curve, width)
    return lines if len(lines) == 2 or width >= ROOMY_FROM else [*lines, Text()]


def _draw_curve(line: Text, curve: Curve, width: int) -> None:
    """Equity over time at the end of a line, where it has room."""
    room = min(SPARKS_MOST, width - line.cell_len - 2)
    if len(curve) > 1 and room >= SPARKS_LEAST:
        line.append("  ").append_text(spark(curve, room))


def _past(picture: Picture, condition: Condition) -> Iterator[Text]:
    yield Text(printable(f"{condition.why}; what follows is not current"), style=ALARM)
    state = picture["trading_state"]
    # Killed stays true without an engine: the latch binds the next one.
    yield Text(state if state == "HALTED" else f"was {state}", style=STALE)
    count = len(picture["positions"])
    stops = f"{'its stop' if count == 1 else 'their stops'} not seen since"
    yield Text(f"{counted(count, 'position')}{f', {stops}' if count else ''}", style=STALE)
    yield Text(_orders(picture).plain, style=STALE)


def _cover(picture: Picture) -> Text:
    positions = picture["positions"]
    if not positions:
        return Text("no positions")
    parts: list[Text] = []
    for cover, word, tone in (
        ("naked", "NAKED", ALARM),
        ("unconfirmed", "waiting for the stop", WAIT),
        ("exiting", "exiting", WAIT),
    ):
        count = sum(row["cover"] == cover for row in positions)
        if count:
            parts.append(Text(f"{count} {word}", style=tone))
    held = counted(len(positions), "position")
    if not parts:
        return Text(f"{held}, {'stop' if len(positions) == 1 else 'all stops'} confirmed")
    return Text(f"{held}: ").append_text(Text(", ").join(parts))


def _entries(picture: Picture) -> Text:
    accounts = picture["accounts"]
    free = sum(row["status"] == "active" for row in accounts)
    if not accounts:
        return Text("no accounts", style=WAIT)
    if entries_held(picture):
        return Text("entries are refused", style=ALARM)
    if free == len(accounts):
        return Text(f"all {counted(free, 'account')} may enter")
    tone = ALARM if picture["trading_state"] == "HALTED" else WAIT
    return Text(f"{free or 'none'} of {counted(len(accounts), 'account')} may enter", style=tone)


def _orders(picture: Picture) -> Text:
    orders = picture["orders"]
    text = Text(f"{counted(orders['working'], 'order')} working")
    if orders["unknown"]:
        text.append(", ").append(f"{orders['unknown']} UNKNOWN", style=ALARM)
    return text


def entries_held(picture: Picture) -> str:
    """What of the engine does not work, so that no account may enter; empty where all does."""
    health = picture["health"]
    if health["storage"] != "ok":
        return f"storage {health['storage']}"
    return str(health.get("entries_held") or "")


def _machinery(picture: Picture) -> Text:
    if held := entries_held(picture):
        return Text(printable(held), style=ALARM)
    told = list(troubles(picture))
    return Text(", ".join(told), style=WAIT) if told else Text("engine healthy")


def troubles(picture: Picture) -> Iterator[str]:
    """What is not as it should be with feed, comparison and loop."""
    health, limits = picture["health"], picture["limits"]
    for name, cause in (health.get("unready") or {}).items():
        if name.startswith("task "):
            yield f"{printable(name.removeprefix('task '))} DOWN"
        elif name not in _SHOWN_AS_FIGURES:
            yield printable(cause)
    if not picture["is_ready"]:
        yield "not ready"
    feed_age_ms, compared_ago_ms = health["feed_age_ms"], health["compared_ago_ms"]
    oldest_ms = limit_in(limits, "MAX_LATENCY_MS")
    if feed_age_ms is None:
        yield "no quotes yet"
    elif oldest_ms is not None and feed_age_ms > oldest_ms:
        yield f"feed {span(feed_age_ms)} old"
    interval = limit_in(limits, "RECONCILE_INTERVAL_SECONDS")
    if compared_ago_ms is None:
        yield "not compared yet"
    elif interval is not None and compared_ago_ms > MISSED_COMPARISONS * interval * 1000:
        yield f"compared {span(compared_ago_ms)} ago"
    if Decimal(health["loop_lag_ms"] or 0) > SLOW_LAG_MS:
        yield f"loop {span(int(Decimal(health['loop_lag_ms'])))} late"


def _worth(picture: Picture) -> Text:
    with exact():
        equity = sum((Decimal(row["equity"]) for row in picture["accounts"]), ZERO)
        earned = sum(
            (Decimal(row["realized"]) + Decimal(row["unrealized"]) for row in picture["accounts"]),
            ZERO,
        )
    return Text(f"equity {money(equity)} (").append_text(result(earned)).append(")")
