"""A panel's rows as lines: which columns there are, how wide each is, and one line at a time.

Invariants: which columns there are follows from the width and the columns alone, so that none comes
and goes with the rows; how wide one is only ever grows while the width stays, so that columns do
not jump to and fro while numbers change; no line is wider than asked for. Before a number is cut,
points no longer stand below each other.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from rich.text import Span, Text

from pointsman.terminal.tables import WIDE_FROM, Cell, Column
from pointsman.terminal.text import printable

WIDE_GAP, NARROW_GAP = 2, 1
"""Characters between two columns; a panel that would have to leave one out has fewer."""

Cells = Sequence[Cell]
"""The cells of one row, one for each column."""


class PanelGrid:
    """The columns of one panel, with the widest cell that each has had."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._columns = columns
        self._widest = [len(column.header) for column in columns]
        self._bare = self._widest.copy()
        """How wide each would be if points did not stand below each other."""
        self._wholes, self._places = [0] * len(columns), [0] * len(columns)
        """Characters up to the point, and from the point on, of the cells that are aligned."""
        self._is_aligned = True
        self._shown: list[int] = []
        self._widths: list[int] = []
        self._gap = WIDE_GAP
        self._width = 0

    def cells(self, row: Any) -> Cells:
        """The cells of a row."""
        return [_safe(column.cell(row)) for column in self._columns]

    def fit(self, rows: Iterable[Cells], width: int) -> bool:
        """Make room for these rows in this width. Whether anything stands elsewhere since."""
        before = (self._widths, self._shown, self._places.copy(), self._is_aligned)
        for cells in rows:
            for at, cell in enumerate(cells):
                self._measure(at, cell)
        if width != self._width:
            self._width = width
            self._shown, self._gap = _shown(self._columns, width)
            self._is_aligned = True
        columns = self.shown
        room = width - self._gap * (len(columns) - 1)
        wanted = [self._widest[at] for at in self._shown]
        self._widths = _shared(columns, wanted, room)
        self._is_aligned = self._is_aligned and not _cuts_numbers(columns, wanted, self._widths)
        if not self._is_aligned:
            self._widths = _shared(columns, [self._bare[at] for at in self._shown], room)
        return before != (self._widths, self._shown, self._places, self._is_aligned)

    def _measure(self, at: int, cell: Cell) -> None:
        length = _length(cell)
        self._bare[at] = max(self._bare[at], length)
        if self._columns[at].is_aligned and length:
            own = _places(cell)
            self._places[at] = max(self._places[at], own)
            self._wholes[at] = max(self._wholes[at], length - own)
            length = self._wholes[at] + self._places[at]
        if length > self._widest[at]:
            self._widest[at] = length

    @property
    def shown(self) -> list[Column]:
        """The columns that have room."""
        return [self._columns[at] for at in self._shown]

    @property
    def header(self) -> Text:
        """The names of the columns."""
        return self._line([column.header for column in self._columns], is_header=True)

    def line(self, cells: Cells) -> Text:
        """One row."""
        return self._line(cells, is_header=False)

    def column_at(self, x: int) -> Column | None:
        """The column that stands at this character."""
        left = 0
        for at, width in zip(self._shown, self._widths, strict=True):
            if left <= x < left + width + self._gap:
                return self._columns[at]
            left += width + self._gap
        return None

    def _line(self, cells: Cells, *, is_header: bool) -> Text:
        parts: list[str] = []
        spans: list[Span] = []
        start = 0
        for at, width in zip(self._shown, self._widths, strict=True):
            column, cell = self._columns[at], cells[at]
            plain = str(cell or "")
            if column.is_aligned and self._is_aligned and plain and not is_header:
                plain += " " * (self._places[at] - _places(cell))
            length = len(plain) if plain.isascii() else Text(plain).cell_len
            if length > width:
                plain = _cut(plain, width)
                length = width
            room = " " * (width - length)
            is_right = column.is_right or column.is_aligned
            offset = start + (len(room) if is_right else 0)
            parts.append(room + plain if is_right else plain + room)
            if isinstance(cell, Text):
                end = offset + len(plain)
                if cell.style:
                    spans.append(Span(offset, end, cell.style))
                spans += (
                    Span(offset + each.start, min(offset + each.end, end), each.style)
                    for each in cell.spans
                )
            start += len(parts[-1]) + self._gap
        text = Text((" " * self._gap).join(parts), spans=spans)
        text.truncate(self._width, overflow="ellipsis")
        return text


def wanted_width(columns: Sequence[Column]) -> int:
    """The width in which a panel shows all of its columns."""
    return _least_width(columns, WIDE_GAP)


def _cuts_numbers(columns: Sequence[Column], wanted: Sequence[int], widths: Sequence[int]) -> bool:
    """Whether a number, or what else must be whole, has less than it wants."""
    return any(
        (column.is_whole or column.is_aligned) and width < want
        for column, want, width in zip(columns, wanted, widths, strict=True)
    )


def _safe(cell: Cell) -> Cell:
    return printable(cell) if isinstance(cell, str) else cell


def _length(cell: Cell) -> int:
    if cell is None:
        return 0
    if isinstance(cell, str):
        return len(cell) if cell.isascii() else Text(cell).cell_len
    return cell.cell_len


def _places(cell: Cell) -> int:
    """How many characters of a number stand from its point on."""
    _, point, after = str(cell).rstrip().partition(".")
    return len(point + after)


def _cut(plain: str, width: int) -> str:
    """Of a number too long for its room the first digits."""
    text = Text(plain.rstrip())
    text.truncate(width, overflow="ellipsis")
    return text.plain + " " * (width - text.cell_len)


def _shown(columns: Sequence[Column], width: int) -> tuple[list[int], int]:
    """Which columns a panel of this width shows, and how far they stand apart: what matters least
    is left out first."""
    is_roomy = width >= WIDE_FROM or _least_width(columns, WIDE_GAP) <= width
    gap = WIDE_GAP if is_roomy else NARROW_GAP
    shown = list(range(len(columns)))
    while _least_width([columns[at] for at in shown], gap) > width:
        last = max(shown, key=lambda at: columns[at].rank)
        if columns[last].rank == 0:
            break
        shown.remove(last)
    return shown, gap


def _least_width(columns: Sequence[Column], gap: int) -> int:
    return sum(column.least_width for column in columns) + gap * (len(columns) - 1)


def _shared(columns: Sequence[Column], wanted: Sequence[int], total: int) -> list[int]:
    """What each column gets of `total`: what it wants, less a part of what it wants beyond its
    least; what matters least gives first, of those alike the one that wants most. Then they give of
    their least, as long as their headers stay, and last what should be whole."""
    widths = [min(want, max(total, 0)) for want in wanted]

    def gives(at: int) -> tuple[bool, bool, bool, bool, int, int, int]:
        column, width = columns[at], widths[at]
        is_longer = width > len(column.header)
        is_free = is_longer and not column.is_whole
        beyond, rank = max(0, width - column.least_width), column.rank
        has_more = is_free and beyond > 0
        return width > 0, is_longer, is_free, has_more, rank * is_free, beyond * is_free, width

    for _ in range(min(sum(widths), sum(widths) - total)):
        widths[max(range(len(widths)), key=gives)] -= 1
    return widths
