"""The one table that `make bench` prints: ratios first, for only they travel between machines."""

from collections.abc import Iterable, Sequence

import msgspec
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table


class Row(msgspec.Struct, frozen=True):
    """One figure beside its yardstick, both taken in the same run. `ratio` is figure over
    yardstick; `is_met` None where nothing was promised, or nothing could be measured.
    `older` is what another commit gives, or why there is no such figure."""

    what: str
    ratio: str
    goal: str
    figure: str
    yardstick: str
    is_met: bool | None
    older: str = ""


def at_most(what: str, ratio: float, limit: float, figure: str, yardstick: str) -> Row:
    """A ratio that should be small."""
    return Row(what, f"{ratio:.2f}", f"at most {limit:g}", figure, yardstick, ratio <= limit)


def at_least(what: str, ratio: float, limit: float, figure: str, yardstick: str) -> Row:
    """A ratio that should be large."""
    return Row(what, f"{ratio:.2f}", f"at least {limit:g}", figure, yardstick, ratio >= limit)


def percentile(values: Sequence[float], part: float) -> float:
    """The value that `part` of all, from 0 to 1, are at or below."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


def us(ns: float) -> str:
    """Nanoseconds for reading, in microseconds."""
    return f"{ns / 1000:,.0f} us"


def show(rows: Iterable[Row], older: str | None = None) -> None:
    """Print the table, with a column for the `older` commit if there is one; never narrower than
    its words."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("ratio", justify="right", no_wrap=True)
    table.add_column("goal", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("what")
    table.add_column("here", justify="right")
    table.add_column("yardstick")
    if older:
        table.add_column(f"of {older}")
    words = {True: "met", False: "MISSED", None: ""}
    for row in rows:
        met = words[row.is_met]
        cells = (row.ratio, row.goal, met, row.what, row.figure, row.yardstick)
        table.add_row(*cells, *([row.older] if older else []))
    console = Console()
    console.width = max(console.width, 160 if older else 120)
    console.print(table)
