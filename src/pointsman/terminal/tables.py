"""Tables: one kind of column, for a list that is printed once, and for a panel of the dashboard,
which `panel_grid` draws again and again.

A row is whatever a caller has; a column says how to get its cell. What matters least is left out
before anything is cut. The room that a column of a list needs follows from what its cells hold:
where there is room for all of it, as in a pipe, nothing is left out or cut, and an id is cut in its
middle before what matters most is left out.

Text from outside is shown as text, so it can neither style a table nor steer the terminal.
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

WIDE_FROM = 100
"""From this width on, things stand further apart on the dashboard."""

_FOLDED_WIDTH = 24
"""Room that a column which may fold its text is given at least, if it wants so much."""

_ID_WIDTH = 16
"""Room that an id keeps while there is anything that may be left out."""

_GAP = 2
"""Characters between two columns."""


class Column(msgspec.Struct, frozen=True):
    """One column. `rank` 0 is always shown; where there is little room the highest rank goes first.
    The cells of an aligned column are decimals, whose points stand below each other.

    In a list a folding column may break its text over lines, and ids are cut in their middle before
    a column of rank 1 goes. In a panel a column that is shown has at least `room` characters; its
    header fits in any case, and a column that `is_whole` is cut after all others: half of a number
    or of a symbol is another one. `order` is what a panel can be sorted by: texts, or numbers, or
    None where a row has nothing there."""

    header: str
    cell: Callable[[Any], Cell]
    rank: int = 0
    is_right: bool = False
    is_aligned: bool = False
    folds: bool = False
    is_id: bool = False
    room: int = 0
    is_whole: bool = False
    order: Callable[[Any], Any] | None = None

    @property
    def least_width(self) -> int:
        """Characters that a panel which shows the column gives it at least."""
        return max(self.room, len(self.header))


def facts(pairs: Iterable[tuple[str, Text]]) -> RenderableType:
    """Names with what is to be said of each, below each other."""
    drawn = Table.grid(padding=(0, _GAP, 0, 0))
    for name, text in pairs:
        drawn.add_row("", Text(name, style="dim"), text)
    return drawn


def _filled(columns: Iterable[Column], rows: Sequence[Any]) -> list[_Filled]:
    return [(column, _cells(column, rows)) for column in columns]


def _cells(column: Column, rows: Sequence[Any]) -> list[Text]:
    """The cells of a column; aligned ones padded after their decimals, so that they have only to
    stand at the right."""
    cells = [as_text(column.cell(row)) for row in rows]
    if column.is_aligned:
        places = [len(point + after) for _, point, after in (c.plain.partition(".") for c in cells)]
        for cell, own in zip(cells, places, strict=True):
            if cell.plain:
                cell.pad_right(max(places) - own)
    return cells


def as_text(cell: Cell) -> Text:
    """A cell as a text of its own; what came from outside cannot steer the terminal."""
    return cell.copy() if isinstance(cell, Text) else Text(printable(cell or ""))


def _widest(cells: Iterable[Text]) -> int:
    return max((cell.cell_len for cell in cells), default=0)


def _width_of_contents(column: Column, cells: Iterable[Text]) -> int:
    return max(len(column.header), _widest(cells))


def _leave_out(filled: list[_Filled], least_rank: int, is_too_wide: Callable[[], bool]) -> None:
    """Leave out what matters least, down to `least_rank`, while it is too wide."""
    while is_too_wide():
        last = max(filled, key=lambda each: each[0].rank)
        if last[0].rank < least_rank:
            return
        filled.remove(last)


# -- lists -----------------------------------------------------------------------------------------


class Listing(msgspec.Struct, frozen=True):
    """A titled list as wide as there is room."""

    title: str
    columns: Sequence[Column]
    rows: Sequence[Any]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if not self.rows:
            yield Text(f"{self.title}: none", style="dim")
            return
        yield Text(self.title, style="bold")
        yield _drawn(_fitting(self.columns, self.rows, options.max_width))


def _fitting(columns: Sequence[Column], rows: Sequence[Any], width: int) -> list[_Filled]:
    """The columns that fit into `width`, with their cells."""
    # A column that may go and has nothing to say goes first.
    filled = [each for each in _filled(columns, rows) if each[0].rank == 0 or any(each[1])]
    _leave_out(filled, 2, lambda: _list_width(filled) > width)
    _leave_out(filled, 1, lambda: _list_width(_with_ids_cut(filled, 0)) > width)
    return _with_ids_cut(filled, width)


def _list_width(filled: Sequence[_Filled]) -> int:
    widths = [
        min(width, _FOLDED_WIDTH) if column.folds else width
        for column, width in ((each[0], _width_of_contents(*each)) for each in filled)
    ]
    return sum(widths) + _GAP * (len(filled) - 1)


def _with_ids_cut(filled: Sequence[_Filled], width: int) -> list[_Filled]:
    """The columns with the ids cut by as much as they are too wide together, none to less than
    `_ID_WIDTH`."""
    fitting = list(filled)
    for number, (column, cells) in enumerate(fitting):
        excess = _list_width(fitting) - width
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
        width = _width_of_contents(column, cells)
        if column.is_aligned:
            for cell in cells:
                cell.pad_left(width - cell.cell_len)
        drawn.add_column(
            column.header.rjust(width) if column.is_aligned else column.header,
            justify="right" if column.is_right else "left",
            no_wrap=not column.folds,
            overflow="fold" if column.folds else "ellipsis",
        )
    for row in zip(*(cells for _, cells in filled), strict=True):
        drawn.add_row(*row)
    return drawn
