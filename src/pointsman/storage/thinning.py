"""Equity over time becomes thin with age: by the minute for 90 days, before that once an hour
(RULES 53).

The journal keeps every point. Of the table those go, in the transaction that projects newer ones,
that a later one of the same VA follows within the same hour; a bounded number at once, so
that a database which lay for a year does not hold up its first start.
"""

import sqlite3
from collections.abc import Iterable

from pointsman.domain.accounts import EquityPoint
from pointsman.domain.commands import Record
from pointsman.domain.timestamps import SECOND_NS

WHOLE_NS = 90 * 86_400 * SECOND_NS
"""For so long every point stays."""
HOUR_NS = 3_600 * SECOND_NS
GONE_AT_ONCE_MAX = 5_000

THIN = f"""
    DELETE FROM equity_points WHERE rowid IN (
        SELECT older.rowid FROM equity_points AS older
        WHERE older.at_ns >= ?1 AND older.at_ns < ?2 AND EXISTS (
            SELECT 1 FROM equity_points AS later
            WHERE later.va_id = older.va_id AND later.at_ns > older.at_ns
            AND later.at_ns < (older.at_ns / {HOUR_NS} + 1) * {HOUR_NS}
        )
        LIMIT {GONE_AT_ONCE_MAX}
    )
"""  # noqa: S608 - constants


def may_be_gone(record: Record, now_ns: int) -> bool:
    """Whether the tables may lack a record of the journal, whose newest row is of `now_ns`."""
    return isinstance(record, EquityPoint) and record.at_ns < now_ns - WHOLE_NS


class Thinning:
    """How far the table has been thinned since it was opened."""

    def __init__(self) -> None:
        self._done_ns = 0

    def thin(self, writer: sqlite3.Connection, points: Iterable[EquityPoint]) -> None:
        """Take out what has become old, where `points` are the newest that come in."""
        newest_ns = max((point.at_ns for point in points), default=0)
        until_ns = (newest_ns - WHOLE_NS) // HOUR_NS * HOUR_NS
        if until_ns <= self._done_ns:
            return
        gone = writer.execute(THIN, (self._done_ns, until_ns)).rowcount
        if gone < GONE_AT_ONCE_MAX:
            self._done_ns = until_ns
