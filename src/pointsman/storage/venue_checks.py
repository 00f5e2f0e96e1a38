"""The newest check of the venue with orders: of each promise, whether the venue kept it.

It stands in a table of its own and not in the journal: no decision depends on it, and an engine
does not make it. There is one check at a time; a new one takes the place of the one before, whole.
"""

import sqlite3
from collections.abc import Iterator, Sequence

import msgspec

from pointsman.domain.accounts import VenueAccount
from pointsman.storage import queries
from pointsman.storage.codec import RecordCodec

FORGET = "DELETE FROM venue_checks"


class CheckedPromise(msgspec.Struct, frozen=True, gc=False):
    """One promise of a check: `is_kept` is None where it was not tried. `text` is the promise in
    words, `detail` what the venue said of it. The rest is the same in all rows of a check."""

    promise: str
    text: str
    is_kept: bool | None
    took_ms: int | None
    detail: str
    checked_at_ns: int
    account: VenueAccount
    symbol: str


CHECKS = RecordCodec(CheckedPromise, "venue_checks", ("promise",))


def statements(check: Sequence[CheckedPromise]) -> Iterator[tuple[str, list[tuple[object, ...]]]]:
    """What puts a check in the place of the one before."""
    yield FORGET, [()]
    yield CHECKS.upsert, [CHECKS.encode(promise) for promise in check]


def read_check(connection: sqlite3.Connection) -> tuple[CheckedPromise, ...]:
    """The newest check, its promises in the order in which they are tried; nothing before the
    first. Raises CorruptDatabase for a row that cannot be read."""
    found = queries.rows(connection, f"{CHECKS.select} ORDER BY rowid")
    return tuple(CHECKS.decode(row) for row in found)
