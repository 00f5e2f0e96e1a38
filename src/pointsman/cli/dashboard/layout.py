"""How rows become lines of one width, and panels share the height.

Each row is one line. What matters least is left out before anything is cut, at most one column
takes the room that is left, and decimals stand with their points below each other.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from rich.text import Text

from pointsman.cli.render import printable
from pointsman.cli.tables import Cell, Column

FOLDED_WIDTH = 16
"""Room that the column which may be cut is given at least, if it wants so much."""

WIDE_FROM = 100
"""From this width on, things stand further apart."""

_Filled = tuple[Column, list[Text]]


def gap_of(width: int) -> int:
    """Characters between two figures in running text; columns stand one closer."""
    return 2 if width < WIDE_FROM else 3


class Drawn(NamedTuple):
    """The header and one line a row, none wider than asked for."""

    header: Text
    lines: list[Text]


def draw(
    columns: Sequence[Column], rows: Sequence[Any], width: int, least: dict[str, int]
) -> Drawn:
    """The rows as lines of at most `width`. `least` remembers the width of each column by header,
    so that columns do not jump to and fro while numbers change; it is updated."""
    gap = gap_of(width) - 1
    filled = [(column, _cells(column, rows, least)) for column in columns]
    filled = [each for each in filled if each[0].rank == 0 or any(each[1])]
    while _total(filled, gap, least) > width and any(column.rank for column, _ in filled):
        filled.remove(max(filled, key=lambda each: each[0].rank))
    widths = [least[column.header] for column, _ in filled]
    spare = width - sum(widths) - gap * (len(filled) - 1)
    for at, each in enumerate(filled):
        if each[0].folds:
            widest = max((cell.cell_len for cell in each[1]), default=0)
            widths[at] = max(0, min(max(widest, widths[at]), widths[at] + spare))
            break
    table = list(zip(filled, widths, strict=True))
    heads = [_placed(Text(column.header), column, room) for (column, _), room in table]
    lines = [
        _joined([_placed(cells[row], column, room) for (column, cells), room in table], gap, width)
        for row in range(len(rows))
    ]
    return Drawn(_joined(heads, gap, width), lines)


def _cells(column: Column, rows: Sequence[Any], least: dict[str, int]) -> list[Text]:
    cells = [_text(column.cell(row)) for row in rows]
    if column.is_aligned:
        after = [len(cell.plain) - len(cell.plain.partition(".")[0]) for cell in cells]
        for cell, own in zip(cells, after, strict=True):
            if cell.plain:
                cell.pad_right(max(after) - own)
    widest = max(len(column.header), *(cell.cell_len for cell in cells), 0)
    if column.folds:
        widest = min(FOLDED_WIDTH, widest)
    least[column.header] = max(widest, least.get(column.header, 0))
    return cells


def _text(cell: Cell) -> Text:
    return cell.copy() if isinstance(cell, Text) else Text(printable(cell or ""))


def _total(filled: Sequence[_Filled], gap: int, least: dict[str, int]) -> int:
    return sum(least[column.header] for column, _ in filled) + gap * (len(filled) - 1)


def _placed(cell: Text, column: Column, width: int) -> Text:
    """The cell in exactly `width` characters."""
    placed = cell.copy()
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
    so many lines is cut off."""
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
    """Heights for panels that want so many lines: each gets its floor, if it wants that much, then
    the earlier ones get what they want before the later ones. What nobody wants goes to one."""
    heights = [min(want, floor) for want, floor in zip(wanted, floors, strict=True)]
    for at, want in enumerate(wanted):
        heights[at] += max(0, min(want - heights[at], room - sum(heights)))
    heights[spare_to] += max(0, room - sum(heights))
    return heights
