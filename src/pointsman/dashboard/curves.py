"""What equity and prices were while the dashboard looked, and before where the engine kept it.

Invariants: what is kept is bounded, and covers all of the time since the first point, ever more
coarsely; nothing is drawn that was not heard.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import NamedTuple

from pointsman.domain.money import ZERO, exact

POINTS_MAX = 480
"""Points of one curve; when there are more, every second of the older ones goes."""

SAMPLE_SECONDS = 1.0  # not money: seconds
"""A point at most this often."""

LEVELS = " ▁▂▃▄▅▆▇█"
"""Characters of a bar, from nothing to all of a line."""

TOTAL = ""
"""The name of the curve of all accounts together."""


class Point(NamedTuple):
    """A value at one moment of event time."""

    at_ns: int
    value: Decimal


Curve = tuple[Point, ...]


class Curves:
    """Curves by name. A curve is never changed: a new one takes its place."""

    def __init__(self) -> None:
        self._curves: dict[str, Curve] = {}
        self._sampled_at = float("-inf")  # not money: seconds

    def is_due(self, at_seconds: float) -> bool:
        """Whether it is time for the next point, and if so it counts as made."""
        is_due = at_seconds - self._sampled_at >= SAMPLE_SECONDS
        if is_due:
            self._sampled_at = at_seconds
        return is_due

    def add(self, name: str, point: Point) -> None:
        """One point more; one that is not newer than the last is none."""
        curve = self._curves.get(name, ())
        if curve and curve[-1].at_ns >= point.at_ns:
            return
        if len(curve) >= POINTS_MAX:
            half = POINTS_MAX // 2
            curve = (*curve[:half:2], *curve[half:])
        self._curves[name] = (*curve, point)

    def begin(self, name: str, points: Iterable[Point]) -> None:
        """Put what was before in front of a curve."""
        curve = self._curves.get(name, ())
        first_ns = curve[0].at_ns if curve else None
        older = tuple(each for each in points if first_ns is None or each.at_ns < first_ns)
        step = max(1, -(-len(older) // (POINTS_MAX // 2)))
        self._curves[name] = (*older[::step], *curve)

    def of(self, name: str) -> Curve:
        """The curve of this name, oldest first."""
        return self._curves.get(name, ())


def sampled(curve: Curve, width: int) -> list[Decimal]:
    """`width` values of a curve, evenly over its time: what was last known at each of them. No more
    than there are of a curve that has no second point."""
    if len(curve) <= 1 or width < 1:
        return [each.value for each in curve]
    first_ns, last_ns = curve[0].at_ns, curve[-1].at_ns
    values: list[Decimal] = []
    at = 0
    for column in range(1, width + 1):
        until_ns = first_ns + (last_ns - first_ns) * column // width
        while at + 1 < len(curve) and curve[at + 1].at_ns <= until_ns:
            at += 1
        values.append(curve[at].value)
    return values


def sparkline(values: Sequence[Decimal]) -> str:
    """One line of bars, from the least value to the greatest; level where they are all alike."""
    return plot(values, 1)[0]


def plot(values: Sequence[Decimal], height: int) -> list[str]:
    """Bars over this many lines, the topmost first, from the least value to the greatest. The least
    is seen too; where all are alike they stand half high."""
    if not values:
        return [""] * height
    with exact():
        low, high = min(values), max(values)
        steps = 8 * height - 1
        heights = [
            4 * height if high == low else 1 + round((value - low) / (high - low) * steps)
            for value in values
        ]
    return [
        "".join(LEVELS[max(0, min(8, bar - 8 * line))] for bar in heights)
        for line in reversed(range(height))
    ]


def total_of(values: Iterable[str]) -> Decimal:
    """The sum of decimals as they come in a picture."""
    with exact():
        return sum(map(Decimal, values), ZERO)
