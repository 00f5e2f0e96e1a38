"""Tables that fit: what matters least is left out before anything is cut, and an id is cut in its
middle before what matters most is left out.

A row is whatever a caller has; a column says how to get its cell. Text from outside is shown as
text, so it can neither style the table nor steer the terminal.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec
from rich.box import SIMPLE_HEAD
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from pointsman.terminal.text import printable

Cell = Text | str | None
_Filled = tuple["Column", list[Text]]

_FOLDED_WIDTH = 24
"""Room that a column which may fold its text is given at least, if it wants so much."""

_ID_WIDTH = 16
"""Room that an id keeps while there is anything that may be left out."""

_GAP = 2
"""Characters between two columns."""


class Column(msgspec.Struct, frozen=True):
    """One column. `rank` 0 is always shown; on a narrow terminal the highest rank goes first, and
    rank 1 only after ids were cut. The cells of an aligned column are decimals, whose points stand
    below each other. A folding one may break its text over lines. Ids are cut in their middle."""

    header: str
    cell: Callable[[Any], Cell]
    rank: int = 0
    is_right: bool = False
    is_aligned: bool = False
    folds: bool = False
    is_id: bool = False


class Listing(msgspec.Struct, frozen=True):
    """A titled table as wide as there is room."""

    title: str
    columns: Sequence[Column]
    rows: Sequence[Any]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if not self.rows:
            yield Text(f"{self.title}: none", style="dim")
            return
        yield Text(self.title, style="bold")
        yield _drawn(_fitting(self.columns, self.rows, options.max_width))


def facts(pairs: Iterable[tuple[str, Text]]) -> RenderableType:
    """Names with what is to be said of each, below each other."""
    drawn = Table.grid(padding=(0, _GAP, 0, 0))
    for name, text in pairs:
        drawn.add_row("", Text(name, style="dim"), text)
    return drawn


def _fitting(columns: Sequence[Column], rows: Sequence[Any], width: int) -> list[_Filled]:
    """The columns that fit into `width`, with their cells."""
    filled = [(column, [_text(column.cell(row)) for row in rows]) for column in columns]
    # A column that may go and has nothing to say goes first.
    filled = [(column, cells) for column, cells in filled if column.rank == 0 or any(cells)]
    filled = [
        (column, _aligned(cells, len(column.header)) if column.is_aligned else cells)
        for column, cells in filled
    ]
    _leave_out(filled, 2, lambda: _width(filled) > width)
    _leave_out(filled, 1, lambda: _width(_with_ids_cut(filled, 0)) > width)
    return _with_ids_cut(filled, width)


def _leave_out(filled: list[_Filled], least_rank: int, is_too_wide: Callable[[], bool]) -> None:
    """Leave out what matters least, down to `least_rank`, while it is too wide."""
    while is_too_wide():
        last = max(filled, key=lambda each: each[0].rank)
        if last[0].rank < least_rank:
            return
        filled.remove(last)


def _with_ids_cut(filled: Sequence[_Filled], width: int) -> list[_Filled]:
    """The columns with the ids cut by as much as they are too wide together, none to less than
    `_ID_WIDTH`."""
    fitting = list(filled)
    for number, (column, cells) in enumerate(fitting):
        excess = _width(fitting) - width
        if column.is_id and excess > 0:
            room = max(_ID_WIDTH, _widest(cells) - excess)
            fitting[number] = (column, [_cut(cell, room) for cell in cells])
    return fitting


def _cut(cell: Text, room: int) -> Text:
    """An id in `room` characters: both ends, where ids differ."""
    if cell.cell_len <= room:
        return cell
    tail = (room - 1) // 2
    return Text(f"{cell.plain[: room - 1 - tail]}…{cell.plain[-tail:]}", style=cell.style)


def _drawn(filled: Iterable[_Filled]) -> Table:
    drawn = Table(
        box=SIMPLE_HEAD,
        padding=(0, _GAP - 1, 0, 0),
        show_edge=False,
        pad_edge=False,
        header_style="bold",
    )
    for column, cells in filled:
        drawn.add_column(
            column.header.rjust(_widest(cells)) if column.is_aligned else column.header,
            justify="right" if column.is_right else "left",
            no_wrap=not column.folds,
            overflow="fold" if column.folds else "ellipsis",
        )
    for row in zip(*(cells for _, cells in filled), strict=True):
        drawn.add_row(*row)
    return drawn


def _text(cell: Cell) -> Text:
    return cell if isinstance(cell, Text) else Text(printable(cell or ""))


def _aligned(cells: list[Text], least_width: int) -> list[Text]:
    """The cells padded on both sides, so that their points stand below each other."""
    places = [len(point + after) for _, point, after in (c.plain.partition(".") for c in cells)]
    padded = [cell.copy() for cell in cells]
    for cell, own in zip(padded, places, strict=True):
        cell.pad_right(max(places) - own)
    widest = max(least_width, _widest(padded))
    for cell in padded:
        cell.pad_left(widest - cell.cell_len)
    return padded


def _widest(cells: Iterable[Text]) -> int:
    return max((cell.cell_len for cell in cells), default=0)


def _width(filled: Sequence[_Filled]) -> int:
    widths = [
        min(width, _FOLDED_WIDTH) if column.folds else width
        for column, width in (
            (column, max(len(column.header), _widest(cells))) for column, cells in filled
        )
    ]
    return sum(widths) + _GAP * (len(filled) - 1)
