"""How rows become lines of one width, and panels share the height.

Each row is one line. Which columns there are follows from the width alone, never from what the
rows hold, so none comes and goes; what matters least is left out first. A column is as wide as the
widest value that it has shown, and gives up what goes beyond its own room where others need that.
Decimals stand with their points below each other.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from rich.text import Text

from pointsman.terminal.tables import Cell, Column
from pointsman.terminal.text import printable

WIDE_FROM = 100
"""From this width on, things stand further apart."""


class PanelColumn(Column, frozen=True, kw_only=True):
    """A column of a panel. `room` is how many characters it is given at least where it is shown;
    its header fits in any case."""

    room: int = 0

    @property
    def least(self) -> int:
        return max(self.room, len(self.header))


def gap_of(width: int) -> int:
    """Characters between two figures in running text."""
    return 2 if width < WIDE_FROM else 3


class Drawn(NamedTuple):
    """The header and one line a row, none wider than asked for."""

    header: Text
    lines: list[Text]


def draw(
    columns: Sequence[PanelColumn], rows: Sequence[Any], width: int, widest: dict[str, int]
) -> Drawn:
    """The rows as lines of at most `width`. `widest` remembers by header how wide each column has
    ever been, so that columns do not jump to and fro while numbers change; it is updated."""
    filled = {column.header: _cells(column, rows, widest) for column in columns}
    shown, gap = _shown(columns, width)
    wanted = [widest[column.header] for column in shown]
    widths = _shared(wanted, [column.least for column in shown], width - gap * (len(shown) - 1))
    table = list(zip(shown, widths, strict=True))
    heads = [_placed(Text(column.header), column, room) for column, room in table]
    lines = [
        _joined(
            [_placed(filled[column.header][row], column, room) for column, room in table],
            gap,
            width,
        )
        for row in range(len(rows))
    ]
    return Drawn(_joined(heads, gap, width), lines)


def wanted_width(columns: Sequence[PanelColumn], widest: dict[str, int]) -> int:
    """The width in which nothing that was shown so far is cut."""
    return sum(widest.get(each.header, each.least) for each in columns) + 2 * (len(columns) - 1)


def least_width(columns: Sequence[PanelColumn], gap: int = 2) -> int:
    """The width in which all of these columns are shown."""
    return sum(column.least for column in columns) + gap * (len(columns) - 1)


def _shown(columns: Sequence[PanelColumn], width: int) -> tuple[list[PanelColumn], int]:
    """The columns that a width shows, and the characters between them."""
    is_roomy = width >= WIDE_FROM or least_width(columns) <= width
    gap, shown = (2 if is_roomy else 1), list(columns)
    while least_width(shown, gap) > width and any(column.rank for column in shown):
        shown.remove(max(shown, key=lambda column: column.rank))
    return shown, gap


def _shared(wanted: Sequence[int], least: Sequence[int], total: int) -> list[int]:
    """What each gets of `total`: what it wants, less a part of what it wants beyond its own room;
    who wants most beyond it gives first."""
    widths = [min(want, max(total, 0)) for want in wanted]
    for _ in range(min(sum(widths), sum(widths) - total)):
        at = max(range(len(widths)), key=lambda at: (widths[at] > 0, widths[at] - least[at]))
        widths[at] -= 1
    return widths


def _cells(column: PanelColumn, rows: Sequence[Any], widest: dict[str, int]) -> list[Text]:
    cells = [_text(column.cell(row)) for row in rows]
    if column.is_aligned:
        after = [len(cell.plain) - len(cell.plain.partition(".")[0]) for cell in cells]
        for cell, own in zip(cells, after, strict=True):
            if cell.plain:
                cell.pad_right(max(after) - own)
    here = max(len(column.header), *(cell.cell_len for cell in cells), 0)
    widest[column.header] = max(here, widest.get(column.header, 0))
    return cells


def _text(cell: Cell) -> Text:
    return cell.copy() if isinstance(cell, Text) else Text(printable(cell or ""))


def _placed(cell: Text, column: Column, width: int) -> Text:
    """The cell in exactly `width` characters; of a number too long for it the first digits."""
    placed = cell.copy()
    if placed.cell_len > width:
        placed.rstrip()
    placed.truncate(width, overflow="ellipsis")
    if column.is_right or column.is_aligned:
        placed.pad_left(width - placed.cell_len)
    else:
        placed.pad_right(width - placed.cell_len)
    return placed


def _joined(cells: Sequence[Text], gap: int, width: int) -> Text:
    line = Text(" " * gap).join(cells)
    line.truncate(width, overflow="ellipsis")
    return line


# -- running text --------------------------------------------------------------------------------


def flow(parts: Iterable[Text], width: int, lines_max: int) -> list[Text]:
    """The parts one after the other, broken over lines only between them; what does not fit into
    that many lines is cut off."""
    gap = gap_of(width)
    lines = [Text()]
    for part in parts:
        is_full = lines[-1].cell_len + gap + part.cell_len > width and len(lines) < lines_max
        if lines[-1] and is_full:
            lines.append(Text())
        lines[-1].append(" " * gap if lines[-1] else "").append_text(part)
    for line in lines:
        line.truncate(width, overflow="ellipsis")
    return lines


def spread(left: Text, right: Text, width: int) -> Text:
    """One line with text at both ends; what stands right goes first where both do not fit."""
    room = width - right.cell_len
    if left.cell_len + 2 > room:
        line = left.copy()
        line.truncate(width, overflow="ellipsis")
        return line
    line = left.copy()
    line.pad_right(room - left.cell_len)
    return line.append_text(right)


# -- height --------------------------------------------------------------------------------------


def share(room: int, wanted: Sequence[int], floors: Sequence[int], spare_to: int) -> list[int]:
    """Heights for panels that want these numbers of lines: each gets its floor, if it wants that
    much, then the earlier ones get what they want before the later ones. What nobody wants goes to
    one."""
    heights = [min(want, floor) for want, floor in zip(wanted, floors, strict=True)]
    for at, want in enumerate(wanted):
        heights[at] += max(0, min(want - heights[at], room - sum(heights)))
    heights[spare_to] += max(0, room - sum(heights))
    return heights
