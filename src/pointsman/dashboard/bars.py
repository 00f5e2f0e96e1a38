"""Bars: how much of a limit is used, what is left of a time, where a price is between its marks.

A bar repeats what a number, a letter or a sign beside it says already, so that nothing is lost
without colours or where a terminal cannot show it.
"""

from decimal import Decimal
from typing import NamedTuple

from rich.text import Text

from pointsman.dashboard.theme import ALARM, FAINT, GOOD, LOSS, WAIT
from pointsman.domain.money import ONE, ZERO

FULL, EMPTY = "━", "─"
NEAR = Decimal("0.75")
"""From this part of a limit on a bar warns."""

WIDE_METER = 10
"""Characters of a bar in the pane beside the panels."""

METER_WIDTH = 6
"""Characters of a meter in a column."""

WAY_WIDTH = 15
"""Characters of the way of a price in a column."""


class Marks(NamedTuple):
    """The prices of a position."""

    stop: Decimal
    entry: Decimal
    now: Decimal | None
    target: Decimal | None


def bar(part: Decimal, width: int, style: str) -> Text:
    """A part of 1 as a bar. What is not nothing is seen, and only all of it is full."""
    part = min(max(part, ZERO), ONE)
    filled = int(part * width)
    if part > ZERO and filled == 0:
        filled = 1
    return Text(FULL * filled, style=style).append(EMPTY * (width - filled), style=FAINT)


def tone_of(part: Decimal) -> str:
    """The tone of a limit that is used to this part."""
    if part >= ONE:
        return ALARM
    return WAIT if part >= NEAR else GOOD


def meter(used: Decimal, limit: Decimal | None, width: int = METER_WIDTH) -> Text:
    """How much of a limit is used, as a bar and in percent; what is below zero uses nothing of
    it."""
    if limit is None:
        return Text("no limit", style=FAINT)
    used = max(used, ZERO)
    part = used / limit if limit > ZERO else ONE
    tone = tone_of(part)
    return bar(part, width, tone).append(f" {int(part * 100):>3}%", style=tone)


def way(side: str, marks: Marks, width: int = WAY_WIDTH) -> Text:
    """Where the price is: S its stop, E its entry, T its target, and a dot where it is now. Gain is
    right of the entry for both sides."""
    if marks.now is None:
        return Text("no price", style=FAINT)
    sign = 1 if side == "long" else -1

    def gain(price: Decimal) -> Decimal:
        return sign * (price - marks.entry)

    stop, now = gain(marks.stop), gain(marks.now)
    target = None if marks.target is None else gain(marks.target)
    least, most = min(stop, ZERO), max(abs(stop), ZERO if target is None else target)
    if most <= least:
        return Text("")

    def place(at: Decimal) -> int:
        part = (min(max(at, least), most) - least) / (most - least)
        return round(part * (width - 1))

    cells = ["─"] * width
    entry_at, now_at = place(ZERO), place(now)
    first, last = sorted((entry_at, now_at))
    cells[first : last + 1] = "━" * (last + 1 - first)
    if target is not None:
        cells[place(target)] = "T"
    cells[entry_at], cells[place(stop)] = "E", "S"
    cells[now_at] = "●"
    drawn = Text("".join(cells), style=FAINT)
    drawn.stylize(GOOD if now >= ZERO else LOSS, first, last + 1)
    return drawn
