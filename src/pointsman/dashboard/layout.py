"""How running text fits into a width, and panels share the height."""

from collections.abc import Iterable, Sequence

from rich.text import Text

from pointsman.terminal.tables import WIDE_FROM


def gap_of(width: int) -> int:
    """Characters between two figures in running text."""
    return 2 if width < WIDE_FROM else 3


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


def share(room: int, wanted: Sequence[int], floors: Sequence[int], spare_to: int) -> list[int]:
    """Heights for panels that want these numbers of lines: each gets its floor, if it wants that
    much, then the earlier ones get what they want before the later ones. What nobody wants goes to
    one."""
    heights = [min(want, floor) for want, floor in zip(wanted, floors, strict=True)]
    for at, want in enumerate(wanted):
        heights[at] += max(0, min(want - heights[at], room - sum(heights)))
    heights[spare_to] += max(0, room - sum(heights))
    return heights
