"""Equity over time: the points that were kept of a VA, or of all VAs together (RULES 53).

What is between two points is what it was at the first of them. Of more points than are asked for,
each stretch of time gives its lowest, its highest and its last, so that no fall is lost in a plot.
"""

import sqlite3
from collections.abc import Iterator
from decimal import Decimal

import msgspec

from pointsman.domain.accounts import CashMove, EquityPoint
from pointsman.domain.money import ZERO, exact, plain
from pointsman.domain.timestamps import iso
from pointsman.execution.equity_points import ALL
from pointsman.execution.figures import shown_drawdown
from pointsman.reading.documents import Document
from pointsman.storage import queries

POINTS = 1_000
POINTS_MAX = 10_000


class Span(msgspec.Struct, frozen=True):
    """Which points: of a VA, or of all together, in [`from_ns`, `to_ns`), at most about `most`."""

    va_id: str | None = None
    from_ns: int | None = None
    to_ns: int | None = None
    most: int = POINTS


def read_equity(connection: sqlite3.Connection, span: Span) -> list[EquityPoint]:
    """The points of a span, oldest first, each with its drawdown."""
    points = queries.records(
        connection,
        EquityPoint,
        "WHERE va_id = ?1 AND (?2 IS NULL OR at_ns < ?2) ORDER BY at_ns",
        (span.va_id or ALL, span.to_ns),
    )
    with exact():
        if span.va_id is None:
            moves = queries.records(connection, CashMove, "ORDER BY moved_at_ns")
            points = list(_with_drawdown(points, moves))
        from_ns = span.from_ns or 0
        return thinned([point for point in points if point.at_ns >= from_ns], span.most)


def _with_drawdown(points: list[EquityPoint], moves: list[CashMove]) -> Iterator[EquityPoint]:
    """Points of all VAs with the drawdown that follows: money in or out moves the peak in
    proportion, as if units were bought or sold (RULES 17)."""
    peak, moved = ZERO, 0
    for point in points:
        flow = ZERO
        while moved < len(moves) and moves[moved].moved_at_ns <= point.at_ns:
            flow += moves[moved].amount
            moved += 1
        before = point.equity - flow
        peak = peak * point.equity / before if before > ZERO else peak + flow
        peak = max(peak, point.equity)
        yield msgspec.structs.replace(point, drawdown=shown_drawdown(point.equity, peak))


def thinned(points: list[EquityPoint], most: int) -> list[EquityPoint]:
    """About `most` of the points: the first, and of each of as many equal stretches of time as that
    allows the lowest, the highest and the last."""
    if len(points) <= most:
        return points
    begin_ns, stretches = points[0].at_ns, max(1, most // 3)
    length_ns = max(1, -(-(points[-1].at_ns + 1 - begin_ns) // stretches))
    stretch: list[EquityPoint] = []
    kept: dict[int, EquityPoint] = {begin_ns: points[0]}
    for point in points:
        if stretch and (point.at_ns - begin_ns) // length_ns != (
            (stretch[0].at_ns - begin_ns) // length_ns
        ):
            kept |= _corners(stretch)
            stretch = []
        stretch.append(point)
    return sorted((kept | _corners(stretch)).values(), key=lambda point: point.at_ns)


def _corners(stretch: list[EquityPoint]) -> dict[int, EquityPoint]:
    def equity(point: EquityPoint) -> Decimal:
        return point.equity

    corners = (min(stretch, key=equity), max(stretch, key=equity), stretch[-1])
    return {point.at_ns: point for point in corners}


def equity_document(point: EquityPoint) -> Document:
    """One point for programs; `va_id` null stands for all VAs together."""
    return {
        "va_id": point.va_id or None,
        "at": iso(point.at_ns),
        "equity": plain(point.equity),
        "drawdown": None if point.drawdown is None else plain(point.drawdown),
    }
