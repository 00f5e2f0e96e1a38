"""The lines that tell of a row: a name and what is to be said of it, meters, small curves."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from rich.text import Text

from pointsman.dashboard.bars import WIDE_METER, meter
from pointsman.dashboard.cells import Row, clock, quantity_text
from pointsman.dashboard.curves import Curve, plot, sampled, sparkline
from pointsman.dashboard.theme import FAINT, GOOD, LOSS, STRONG, WAIT
from pointsman.terminal.text import money, number, printable

NAME_WIDTH = 14
"""Characters that the name of a figure stands in."""

PLOT_WIDTH, PLOT_HEIGHT = 42, 3
"""Characters and lines of a small curve."""

SPARKS = 12
"""Characters of a curve in a column."""


def figure(name: str, *parts: Text | str) -> Text:
    """A name, and what is to be said of it."""
    line = Text(f"{name:<{NAME_WIDTH}}", style="")
    line.stylize(FAINT)
    for part in parts:
        line.append_text(part if isinstance(part, Text) else Text(part))
    return line


def heading(words: str) -> Text:
    """What stands over some lines."""
    return Text(words, style=STRONG)


def used(name: str, amount: Decimal, limit: Decimal | None, said: str, unit: str = "") -> Text:
    """How much of a limit is used: bar, percent, both numbers."""
    if limit is None:
        return figure(name, said, unit, Text(", no limit", style=FAINT))
    return figure(name, meter(amount, limit, WIDE_METER), f"  {said} of {number(limit)}{unit}")


def tone_of_curve(values: Sequence[Decimal]) -> str:
    """Green where a curve ends no lower than it began, else red."""
    return GOOD if values[-1] >= values[0] else LOSS


def spark(curve: Curve, width: int = SPARKS) -> Text:
    """A curve in one line; nothing before there is a second point."""
    if len(curve) < 2:
        return Text("")
    values = sampled(curve, width)
    return Text(sparkline(values), style=tone_of_curve(values))


def curve_lines(curve: Curve) -> Iterator[Text]:
    """A curve over some lines, with its greatest and least value beside it. Nothing before there is
    a second point."""
    if len(curve) < 2:
        return
    values = sampled(curve, PLOT_WIDTH)
    marks = [money(max(values)), *[""] * (PLOT_HEIGHT - 2), money(min(values))]
    for line, mark in zip(plot(values, PLOT_HEIGHT), marks, strict=True):
        yield Text(line, style=tone_of_curve(values)).append(f" {mark}", style=FAINT)


def decision_line(row: Row) -> Text:
    """When, what was asked for, and what came of it."""
    line = Text(f"{clock(row['at_ns'])} ", style=FAINT)
    what = " ".join(filter(None, (row["side"], quantity_text(row), row["symbol"])))
    line = Text().append_text(line).append(f"{printable(what)}  ")
    if row["reason"] is None:
        return line.append(row["outcome"], style=GOOD if row["outcome"] == "accepted" else "")
    return line.append(row["reason"], style=WAIT)
