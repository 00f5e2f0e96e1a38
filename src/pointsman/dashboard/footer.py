"""The lines below the panels: kill switch, health, the limits in force, and the keys."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from rich.text import Text

from pointsman.dashboard.cells import Picture, clock, span
from pointsman.dashboard.header import ROOMY_FROM, venue_label
from pointsman.dashboard.layout import flow
from pointsman.dashboard.panels.market import is_real
from pointsman.dashboard.theme import ALARM, FAINT, STALE, WAIT
from pointsman.terminal.condition import Condition
from pointsman.terminal.text import counted, number, printable


def foot(picture: Picture, width: int, condition: Condition | None = None) -> list[Text]:
    """Kill switch, health, and the limits in force. That it is killed stays true without an engine:
    the latch says so."""
    lines = _foot(picture, width)
    is_killed = picture["kill"]["state"] != "off"
    if condition is None:
        return lines
    return [
        line if is_killed and at == 0 else Text(line.plain, style=STALE)
        for at, line in enumerate(lines)
    ]


def _foot(picture: Picture, width: int) -> list[Text]:
    kill, state = _kill(picture), [*_health(picture)]
    if width >= ROOMY_FROM:
        state += _counts(picture)
    held_back = [kill] if picture["kill"]["state"] != "off" else []
    if not held_back:
        state.insert(0, kill)
    if picture["trading_state"] == "REDUCING":
        held_back = [_pause(picture)]
    forms = WIDE_FORMS if width >= ROOMY_FROM else NARROW_FORMS
    limits = [Text(words, style=FAINT) for words in _limits(picture["limits"], forms)]
    limits.append(venue_label(picture))
    return [
        *(flow(held_back, width, 1) if held_back else []),
        *flow(state, width, 1),
        *flow(limits, width, 2),
    ]


def _kill(picture: Picture) -> Text:
    kill = picture["kill"]
    if kill["state"] == "off":
        return Text("kill switch off")
    words = "halt" if kill["state"] == "halt" else "flatten"
    text = Text().append(f"KILL SWITCH ON: {words}", style=ALARM)
    if kill["state"] == "flatten":
        text.append(", FLAT" if kill["flat_at_ns"] else ", not flat yet", style=ALARM)
    return text.append(_who(kill))


def _pause(picture: Picture) -> Text:
    """The record of the kill switch says of a pause too who asked for it."""
    return Text("ALL PAUSED", style=WAIT).append(_who(picture["kill"]), style="")


def _who(kill: dict[str, Any]) -> str:
    by = printable(kill["by"] or "")
    note = printable(kill["note"] or "")
    when = f", {clock(kill['at_ns'])}" if kill["at_ns"] else ""
    return f"{when} by {by}{f': {note}' if note else ''}"


def _health(picture: Picture) -> Iterator[Text]:
    health = picture["health"]
    if picture["source"] == "engine":
        yield _figure("feed", health["feed_age_ms"])
        yield _figure("compared", health["compared_ago_ms"], " ago")
        if health["commit_ms"] is not None:
            yield Text(f"commit {Decimal(health['commit_ms']):.1f} ms")
        yield Text(f"lag {Decimal(health['loop_lag_ms'] or 0):.1f} ms")
        if is_real(picture):
            yield from _venue_health(health)


def _venue_health(health: dict[str, Any]) -> Iterator[Text]:
    """What of the connection to a real venue is down, and how many requests it takes still."""
    links, budget = health.get("venue_links") or [], health.get("venue_budget")
    down = [printable(link["link"]) for link in links if not link["is_up"]]
    if down:
        yield Text(f"{', '.join(down)} DOWN", style=ALARM)
    elif links:
        yield Text("venue up")
    if budget:
        left, whole = budget["left"], budget["requests_per_minute"]
        tone = WAIT if left * 4 < whole else ""
        yield Text(f"requests left {left:,} of {whole:,}", style=tone)


def _counts(picture: Picture) -> Iterator[Text]:
    counts = picture["counts"]
    yield Text(f"{counted(counts['signals'], 'signal')}, {counts['refused']:,} refused")
    yield Text(f"{counted(counts['fills'], 'fill')}, {counted(counts['trades'], 'trade')}")


def _figure(name: str, millis: int | None, ending: str = "") -> Text:
    return Text(f"{name} {'none' if millis is None else span(millis) + ending}")


def _limits(limits: dict[str, Any], forms: Sequence[tuple[str, str]]) -> Iterator[str]:
    def told(name: str) -> str | None:
        value = limits.get(name)
        if value in (None, ""):
            return None
        text = str(value)
        return number(Decimal(text)) if text.replace(".", "", 1).isdigit() else printable(text)

    losses = told("MAX_LOSS_COOLDOWN")
    for form, name in forms:
        value = told(name)
        if value is None or (name == COOLDOWN and losses in (None, "0")):
            continue
        yield form.format(value, losses)


COOLDOWN = "COOLDOWN_DURATION_SECONDS"
NARROW_FORMS = (
    ("spread {} bps", "MAX_SPREAD_BPS"),
    ("slippage {} bps", "MAX_SLIPPAGE_BPS"),
    ("latency {} ms", "MAX_LATENCY_MS"),
    ("{}", "TRADING_WINDOW"),
    ("size {}", "MAX_POSITION_SIZE"),
    ("{} open", "MAX_OPEN_POSITIONS_PER_VA"),
    ("{1} losses: {0} s", COOLDOWN),
    ("stop {}%", "STOP_LOSS_PERCENTAGE"),
    ("cover {} s", "PROTECTION_DEADLINE_SECONDS"),
    ("compare {} s", "RECONCILE_INTERVAL_SECONDS"),
)
WIDE_FORMS = (
    *NARROW_FORMS[:4],
    ("size {}", "MAX_POSITION_SIZE"),
    ("{} positions each", "MAX_OPEN_POSITIONS_PER_VA"),
    ("cooldown {0} s after {1} losses", COOLDOWN),
    ("stop {}%", "STOP_LOSS_PERCENTAGE"),
    ("stop deadline {} s", "PROTECTION_DEADLINE_SECONDS"),
    ("reconcile {} s", "RECONCILE_INTERVAL_SECONDS"),
)
"""The limits in words, each by its setting."""
