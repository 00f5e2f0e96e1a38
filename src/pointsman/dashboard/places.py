"""Which panels have a place in a terminal of some size, and how high each is."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from rich.text import Text
from textual.geometry import Size

from pointsman.dashboard.layout import share
from pointsman.dashboard.theme import ALARM
from pointsman.terminal.condition import Condition
from pointsman.terminal.tables import WIDE_FROM

COLUMNS_MIN, LINES_MIN = 72, 20
"""The smallest terminal in which everything that matters can be seen."""

RULED_LINES = 24
"""From here on a line with its title stands over each panel."""

COLUMNS_WIDE, LINES_TALL = 140, 36
"""From here on the story of the selected row stands beside the panels, and panels in boxes."""

LEFT_COLUMNS = 118
"""What the panels get before what is beside them gets more than its least."""

RIGHT_LEAST, RIGHT_MOST = 48, 76
"""Characters of what stands beside the panels."""

RIGHT_ROOMY = 70
"""From here on what was refused stands beside the curve of equity."""

EQUITY_LINES = 5
"""Lines of the curve of equity, where it has a place of its own."""

LOWER = ("decisions", "orders", "trades", "incidents", "market")
"""What shares the lowest place; the last two stand beside it where there is room."""

ASIDE = ("incidents", "market")


class Places(NamedTuple):
    """What is seen from top to bottom, left and right, by name."""

    left: tuple[str, ...]
    right: tuple[str, ...]


def is_too_small(size: Size) -> bool:
    """Whether what matters has no room."""
    return size.width < COLUMNS_MIN or size.height < LINES_MIN


def what_is_needed(size: Size, condition: Condition | None, notices: Sequence[Text]) -> Text:
    """What is said in a terminal that is too small."""
    needed = Text()
    if condition is not None:
        needed.append(f"{condition.state.headline}\n\n", style=ALARM)
    needed.append(
        f"This terminal is {size.width} x {size.height}.\n"
        f"The dashboard needs {COLUMNS_MIN} x {LINES_MIN}, better 80 x 24.\n\n"
        "k kill switch, r reconcile, q quit;\nother keys need more room\n\n"
    )
    return needed.append_text(Text("\n").join(notices))


def is_beside(size: Size) -> bool:
    """Whether there is room beside the panels."""
    return size.width >= COLUMNS_WIDE


def is_tall(size: Size) -> bool:
    """Whether there is room for more than what must be seen."""
    return size.height >= LINES_TALL


def frame_of(size: Size) -> int:
    """Lines of border that a panel has: a box, a line above it, or none."""
    if is_tall(size) and size.width >= WIDE_FROM:
        return 2
    return 1 if size.height >= RULED_LINES else 0


def places(size: Size, lower: str, aside: str, zoomed: str | None) -> Places:
    """The places: `lower` is what was chosen for the lowest one, `aside` for the one beside it, and
    `zoomed` has all of the room."""
    if zoomed is not None:
        if zoomed in ASIDE:
            return Places((), (zoomed,))
        return Places((zoomed,), ("detail",) if is_beside(size) else ())
    above = ("accounts", "positions")
    if is_beside(size):
        beside = ("equity", "detail", "market", "incidents") if is_tall(size) else ("detail", aside)
        return Places((*above, lower if lower not in ASIDE else LOWER[0]), beside)
    below = ("incidents",) if is_tall(size) else ()
    if lower in below:
        lower = LOWER[0]
    return Places(above, (lower, *below)) if lower in ASIDE else Places((*above, lower), below)


def width_beside(size: Size) -> int:
    """Characters of what stands beside the panels."""
    return min(RIGHT_MOST, max(RIGHT_LEAST, size.width - LEFT_COLUMNS))


def width_of(name: str, places: Places, size: Size) -> int:
    """Characters of a panel, its border included."""
    if not is_beside(size) or not places.left or not places.right:
        return size.width
    return width_beside(size) if name in places.right else size.width - width_beside(size) - 1


def tabs_of(size: Size) -> tuple[str, ...]:
    """What can be chosen for the lowest place; what has one of its own is not among it."""
    if is_beside(size):
        return LOWER[:3]
    return tuple(name for name in LOWER if name != "incidents" or not is_tall(size))


def heights(places: Places, room: int, wanted: Mapping[str, int], size: Size) -> dict[str, int]:
    """Lines of each place, its border included. Every panel has some rows; what is left goes to the
    lowest one, and beside the panels to the story."""
    frame = frame_of(size)
    if is_beside(size):
        return _stacked(places.left, room, wanted, frame) | _beside(
            places.right, room, wanted, frame
        )
    return _stacked((*places.left, *places.right), room, wanted, frame)


def _stacked(
    names: tuple[str, ...], room: int, wanted: Mapping[str, int], frame: int
) -> dict[str, int]:
    if len(names) <= 1:
        return dict.fromkeys(names, room)
    wants = [min(wanted[name] + frame, max(4, room // 3)) for name in names]
    wants[2] = wanted[names[2]] + frame
    floors = [lines + frame for lines in (3, 3, 4, 3)]
    shared = share(room, wants, floors[: len(names)], spare_to=2)
    return dict(zip(names, shared, strict=True))


def _beside(
    names: tuple[str, ...], room: int, wanted: Mapping[str, int], frame: int
) -> dict[str, int]:
    if len(names) <= 1:
        return dict.fromkeys(names, room)
    found = {name: min(wanted[name] + frame, max(5, room // 5)) for name in names if name in ASIDE}
    if "equity" in names:
        found["equity"] = EQUITY_LINES + 1 + frame
    found["detail"] = room - sum(found.values())
    return found
