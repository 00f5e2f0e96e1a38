"""Reading records: what is needed to start, and what must be known for ever.

A query that goes by `rowid` also selects it: only then does SQLite see that what lies over a table
(`storage/tail.py`) is in the same order, and stops where enough is found. A start reads only what
is still alive. Finished orders, fills, decisions and the journal may be
millions of rows, so every query here is answered by an index; a test asks SQLite for its plan.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from pointsman.domain.accounts import (
    Account,
    CashMove,
    Cursor,
    DeskRecord,
    ExternalHolding,
    KillSwitch,
    Mark,
)
from pointsman.domain.market import InstrumentSteps
from pointsman.domain.orders import Fill, Order, OrderType
from pointsman.domain.positions import Position
from pointsman.domain.signals import Decision, SignalRecord
from pointsman.domain.timestamps import SECOND_NS
from pointsman.domain.venue_reports import KnownOfVenue
from pointsman.storage.ahead import Kin
from pointsman.storage.blocks import first_of_block
from pointsman.storage.codec import R, Value, codec_of
from pointsman.storage.entries import (
    Head,
    JournalRow,
    RowReader,
    RunIdentity,
    chain_start,
    changes_of_tail,
)
from pointsman.storage.errors import explained
from pointsman.storage.schema import IS_ENTRY, IS_NOT_FINAL, IS_START, IS_UNCONFIRMED

RECENT_NS = 60 * SECOND_NS
"""How far back the times of entries are needed, for limits per minute."""

OPEN_ORDERS = f"WHERE {IS_NOT_FINAL}"
OPEN_FILL_KEYS = (
    "SELECT client_order_id, key FROM fills WHERE client_order_id IN "  # noqa: S608 - constant
    f"(SELECT client_order_id FROM orders WHERE {IS_NOT_FINAL})"
)
UNCONFIRMED_MOVES = f"WHERE {IS_UNCONFIRMED}"
RECENT_ENTRIES = (
    f"SELECT va_id, created_at_ns FROM orders WHERE {IS_ENTRY} AND created_at_ns >= ? "  # noqa: S608
    f"AND order_type = '{OrderType.LIMIT_IOC.value}' ORDER BY created_at_ns"
)
"""Those that a signal led to: a holding that is adopted counts as no order of ours."""
RUN = f"SELECT {', '.join(RunIdentity.__struct_fields__)} FROM run WHERE id = 1"  # noqa: S608
NEWEST_DECIDED = (
    "SELECT signal_id, rowid FROM decisions WHERE va_id = ? AND symbol = ?"
    " ORDER BY rowid DESC LIMIT ?"
)
PAID = "SELECT 1 FROM fundings WHERE funding_id = ? LIMIT 1"
LAST_FILL = "WHERE is_external = 0 ORDER BY rowid DESC LIMIT 1"
LAST_CASH_REF = (
    "SELECT ref, rowid FROM cash_moves WHERE is_confirmed = 1 ORDER BY rowid DESC LIMIT 1"
)

_DIGITS = "CASE typeof({0}) WHEN 'blob' THEN lower(hex({0})) ELSE {0} END AS {0}"
"""A hash of the journal in hexadecimal digits: until schema 15 it was stored so."""

_HASH = _DIGITS.format("hash")
_ROWS = (
    f"SELECT sequence, time_ns, kind, payload, {_DIGITS.format('previous_hash')}, {_HASH}"  # noqa: S608
    " FROM journal"
)
JOURNAL = f"{_ROWS} ORDER BY sequence"
TAIL = f"{_ROWS} WHERE sequence > ? ORDER BY sequence"
TURNS_AFTER = (
    "SELECT sequence, time_ns, kind, payload FROM journal WHERE sequence > ? ORDER BY sequence"
)
ROWS_AFTER = f"{TAIL} LIMIT ?"
PROJECTED = "SELECT projected_sequence, projected_hash FROM lease WHERE id = 1"
JOURNAL_HASH = f"SELECT {_HASH} FROM journal WHERE sequence = ?"  # noqa: S608 - a constant
NEWEST_START = (
    f"SELECT time_ns, kind, payload FROM journal WHERE {IS_START} "  # noqa: S608 - a constant
    "ORDER BY sequence DESC LIMIT 1"
)
LAST_TURN = f"SELECT sequence, time_ns, {_HASH} FROM journal ORDER BY sequence DESC LIMIT 1"  # noqa: S608


class StoredRecords(msgspec.Struct, frozen=True):
    """Everything needed to start. `fill_keys` are those of each order that is not final;
    `recent_entries_ns` the times of the entries accepted per VA in the last 60 s before
    `last_time_ns`, the time of the newest journaled turn, oldest first. `kill_switch`, `desk`
    and `last_time_ns` are None in a new database."""

    accounts: tuple[Account, ...]
    orders: tuple[Order, ...]
    positions: tuple[Position, ...]
    kill_switch: KillSwitch | None
    desk: DeskRecord | None
    cursors: tuple[Cursor, ...]
    unconfirmed_moves: tuple[CashMove, ...]
    external_holdings: tuple[ExternalHolding, ...]
    marks: tuple[Mark, ...]
    steps: tuple[InstrumentSteps, ...]
    fill_keys: Mapping[str, tuple[str, ...]]
    recent_entries_ns: Mapping[str, tuple[int, ...]]
    last_time_ns: int | None
    sequence: int


EMPTY = StoredRecords((), (), (), None, None, (), (), (), (), (), {}, {}, None, 0)
"""What a new database holds."""


def load(connection: sqlite3.Connection) -> StoredRecords:
    """Read what is needed to start. Raises CorruptDatabase, naming the row, for one that cannot
    be read."""
    turn = rows(connection, LAST_TURN)
    sequence, last_time_ns = (turn[0][0], turn[0][1]) if turn else (0, None)
    since_ns = 0 if last_time_ns is None else last_time_ns - RECENT_NS
    return StoredRecords(
        accounts=tuple(records(connection, Account)),
        orders=tuple(records(connection, Order, OPEN_ORDERS)),
        positions=tuple(records(connection, Position)),
        kill_switch=single(connection, KillSwitch),
        desk=single(connection, DeskRecord),
        cursors=tuple(records(connection, Cursor)),
        unconfirmed_moves=tuple(records(connection, CashMove, UNCONFIRMED_MOVES)),
        external_holdings=tuple(records(connection, ExternalHolding)),
        marks=tuple(records(connection, Mark)),
        steps=tuple(records(connection, InstrumentSteps)),
        fill_keys=_grouped(rows(connection, OPEN_FILL_KEYS)),
        recent_entries_ns=_grouped(rows(connection, RECENT_ENTRIES, (since_ns,))),
        last_time_ns=last_time_ns,
        sequence=sequence,
    )


def decision_of(connection: sqlite3.Connection, signal_id: str) -> Decision | None:
    """What was decided of a signal id when it first came, by the tables (RULES 13, 32)."""
    return one(connection, Decision, "WHERE signal_id = ?", (signal_id,))


def signal_of(connection: sqlite3.Connection, signal_id: str) -> SignalRecord | None:
    """What is remembered of a signal, by the tables."""
    return one(connection, SignalRecord, "WHERE signal_id = ?", (signal_id,))


def newest_decided(connection: sqlite3.Connection, va_id: str, symbol: str, most: int) -> list[str]:
    """The ids of the newest decisions of a VA and symbol, newest first."""
    found = rows(connection, NEWEST_DECIDED, (va_id, symbol, most))
    return [signal_id for signal_id, _ in found]


def is_paid(connection: sqlite3.Connection, funding_id: str) -> bool:
    """Whether a funding payment is booked, by the tables (RULES 32)."""
    return bool(rows(connection, PAID, (funding_id,)))


def order_of(connection: sqlite3.Connection, client_order_id: str) -> Order | None:
    """An order, final or not, by the tables."""
    return one(connection, Order, "WHERE client_order_id = ?", (client_order_id,))


def take_kin(connection: sqlite3.Connection, kin: Kin) -> None:
    """Take in what the tables know around an order (RULES 32)."""
    order, position = (kin.order.client_order_id,), (kin.order.position_id,)
    kin.take(
        *(
            [value for (value,) in rows(connection, query, of)]
            for query, of in (
                ("SELECT key FROM fills WHERE client_order_id = ?", order),
                ("SELECT trade_id FROM trades WHERE position_id = ?", position),
                ("SELECT client_order_id FROM orders WHERE position_id = ?", position),
            )
        )
    )


def known_of_venue(connection: sqlite3.Connection) -> KnownOfVenue:
    """The newest that the books have from the venue, as committed."""
    desk = single(connection, DeskRecord)
    refs = rows(connection, LAST_CASH_REF)
    working = records(connection, Order, OPEN_ORDERS)
    return KnownOfVenue(
        fills_cursor="" if desk is None else desk.fills_cursor,
        fill=one(connection, Fill, LAST_FILL, ()),
        cash_ref=refs[0][0] if refs else None,
        order_ids=tuple(order.client_order_id for order in working if order.venue_order_id),
    )


def journal(connection: sqlite3.Connection) -> Iterator[JournalRow]:
    """The rows of the journal, oldest first."""
    cursor = connection.cursor()
    cursor.row_factory = None
    return iter(cursor.execute(JOURNAL))


def rows_after(connection: sqlite3.Connection, sequence: int, most: int) -> list[JournalRow]:
    """At most this many rows of the journal, from the one after `sequence` on."""
    return rows(connection, ROWS_AFTER, (sequence, most))


def journal_hash(connection: sqlite3.Connection, sequence: int) -> str | None:
    """The hash of one row of the journal; None where there is no such row."""
    found = rows(connection, JOURNAL_HASH, (sequence,))
    return found[0][0] if found else None


def run_identity(connection: sqlite3.Connection) -> RunIdentity | None:
    """Which recorded run the database belongs to; None for any other use."""
    found = rows(connection, RUN)
    return RunIdentity(*found[0]) if found else None


def newest_turn(connection: sqlite3.Connection) -> Head:
    """The newest row of the journal; the start of its chain where it is empty."""
    found = rows(connection, LAST_TURN)
    if not found:
        return Head(0, chain_start(run_identity(connection)))
    ((sequence, _, own_hash),) = found
    return Head(sequence, own_hash)


def projected(connection: sqlite3.Connection) -> Head | None:
    """Up to which row of the journal the tables have come (RULES 41); None in a new database."""
    found = rows(connection, PROJECTED)
    return Head(*found[0]) if found else None


def reader_after(connection: sqlite3.Connection, sequence: int) -> RowReader:
    """A reader for the row after `sequence` and those that follow it. Raises CorruptDatabase where
    the rows of its block cannot be read."""
    reader = RowReader()
    first = first_of_block(sequence + 1)
    for row in rows_after(connection, first - 1, sequence + 1 - first):
        changes_of_tail(path_of(connection), reader, row)
    return reader


def tail(connection: sqlite3.Connection) -> Iterator[JournalRow]:
    """The rows of the journal that the tables lack, oldest first."""
    reached = projected(connection)
    cursor = connection.cursor()
    cursor.row_factory = None
    return iter(cursor.execute(TAIL, (0 if reached is None else reached.sequence,)))


def records(
    connection: sqlite3.Connection,
    record: type[R],
    clause: str = "",
    parameters: tuple[Value, ...] = (),
) -> list[R]:
    """The records of a table that `clause` selects. Raises CorruptDatabase, naming the row."""
    codec = codec_of(record)
    found = rows(connection, f"{codec.select_placed} {clause}", parameters)
    return [codec.decode(row[:-1]) for row in found]


def one(
    connection: sqlite3.Connection, record: type[R], clause: str, parameters: tuple[Value, ...]
) -> R | None:
    """The one record that `clause` selects, or None."""
    found = records(connection, record, clause, parameters)
    return found[0] if found else None


def single(connection: sqlite3.Connection, record: type[R]) -> R | None:
    """The record of a table of one row, or None before it is first written."""
    return one(connection, record, "", ())


def rows(
    connection: sqlite3.Connection, query: str, parameters: tuple[Value, ...] = ()
) -> list[tuple[Any, ...]]:
    """All rows of a query. Raises what `explained` makes of an SQLite error."""
    cursor = connection.cursor()
    cursor.row_factory = None
    try:
        return cursor.execute(query, parameters).fetchall()
    except sqlite3.Error as error:
        raise explained(error, path_of(connection)) from error


def path_of(connection: sqlite3.Connection) -> Path:
    """The file that a connection reads."""
    cursor = connection.cursor()
    cursor.row_factory = None
    (_, _, path) = cursor.execute("PRAGMA database_list").fetchone()
    return Path(path)


def _grouped(pairs: list[tuple[str, Any]]) -> dict[str, tuple[Any, ...]]:
    groups: dict[str, list[Any]] = defaultdict(list)
    for key, value in pairs:
        groups[key].append(value)
    return {key: tuple(values) for key, values in groups.items()}
