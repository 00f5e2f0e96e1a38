"""Read-only access, with or without a running engine.

A reader never writes, never waits for the engine and never makes it wait: in WAL mode it sees the
last commit, and of it one moment. What the tables lack of the journal is laid over them (RULES 41).
Lists come oldest first; with a `limit` they are the newest that many.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import msgspec

from pointsman.domain.accounts import (
    Account,
    AccountReading,
    DeskRecord,
    ExternalHolding,
    Incident,
    KillSwitch,
    Mark,
)
from pointsman.domain.orders import Fill, Order
from pointsman.domain.positions import Funding, Position, Trade
from pointsman.domain.signals import Decision, SignalRecord
from pointsman.storage import schema
from pointsman.storage.codec import R, Value
from pointsman.storage.errors import StorageUnavailable, damaged, explained
from pointsman.storage.queries import OPEN_ORDERS, one, records, single
from pointsman.storage.tail import hold_moment

_STORY_ORDERS = (
    "WHERE signal_id = ? OR position_id IN "  # noqa: S608 - constant
    f"(SELECT position_id FROM orders WHERE signal_id = ? AND {schema.IS_ENTRY}) ORDER BY rowid"
)


class SignalStory(msgspec.Struct, frozen=True):
    """All that came of one signal: its decision, its orders and those of the position that it
    opened, their fills, what those positions became and what funding they bore, and the incidents
    of those orders."""

    signal: SignalRecord
    decision: Decision | None
    orders: tuple[Order, ...]
    fills: tuple[Fill, ...]
    trades: tuple[Trade, ...]
    fundings: tuple[Funding, ...]
    incidents: tuple[Incident, ...]


def open_reader(path: Path) -> sqlite3.Connection:
    """A read-only connection whose rows are dicts, and that sees the moment of its opening: all
    that was durable then. Close it after use.

    Raises what `open_as_stored` raises.
    """
    connection = open_as_stored(path)
    try:
        connection.execute("PRAGMA query_only = OFF")
        hold_moment(connection)
        connection.execute("PRAGMA query_only = ON")
    except sqlite3.Error as error:
        connection.close()
        raise explained(error, path) from error
    except BaseException:
        connection.close()
        raise
    return connection


def open_as_stored(path: Path) -> sqlite3.Connection:
    """A read-only connection whose rows are dicts, to the file as it is: the tables may be behind
    the journal. For what reads the journal alone, or copies.

    Raises StorageUnavailable (missing, not readable, or of an older schema), CorruptDatabase or
    NewerSchema.
    """
    path = path.resolve()
    schema.require_file(path)
    if path.stat().st_size == 0:
        raise damaged(path, "it is empty")
    try:
        connection = schema.connect(path, "ro")
    except sqlite3.Error as error:
        raise explained(error, path) from error
    try:
        connection.execute("PRAGMA query_only = ON")
        if schema.version_of(connection, path) != schema.newest_version():
            raise StorageUnavailable(
                f"{path} has an older schema; `pointsman db migrate` brings it up to date"
            )
    except sqlite3.Error as error:
        connection.close()
        raise explained(error, path) from error
    except BaseException:
        connection.close()
        raise
    connection.row_factory = _as_dict
    return connection


def accounts(connection: sqlite3.Connection) -> list[Account]:
    """All VAs, in the order in which they were opened."""
    return records(connection, Account, "ORDER BY rowid")


def positions(connection: sqlite3.Connection) -> list[Position]:
    """All live positions, dust and overfills too."""
    return records(connection, Position, "ORDER BY position_id")


def orders(
    connection: sqlite3.Connection, limit: int | None = None, open_only: bool = False
) -> list[Order]:
    """Orders in the order in which they were made."""
    return _newest(connection, Order, limit, OPEN_ORDERS if open_only else "")


def fills(connection: sqlite3.Connection, limit: int | None = None) -> list[Fill]:
    """Fills in the order of booking."""
    return _newest(connection, Fill, limit)


def trades(connection: sqlite3.Connection, limit: int | None = None) -> list[Trade]:
    """Closed positions in the order of closing."""
    return _newest(connection, Trade, limit)


def fundings(connection: sqlite3.Connection, limit: int | None = None) -> list[Funding]:
    """Shares of funding payments in the order of booking."""
    return _newest(connection, Funding, limit)


def signals(connection: sqlite3.Connection, limit: int | None = None) -> list[SignalRecord]:
    """Signals in the order in which they first came."""
    return _newest(connection, SignalRecord, limit)


def decisions(connection: sqlite3.Connection, limit: int | None = None) -> list[Decision]:
    """Decisions in the order in which they were made."""
    return _newest(connection, Decision, limit)


def incidents(connection: sqlite3.Connection, limit: int | None = None) -> list[Incident]:
    """Incidents in the order in which they happened."""
    return _newest(connection, Incident, limit)


def marks(connection: sqlite3.Connection) -> list[Mark]:
    """The last valid quote of each symbol that the books were marked at."""
    return records(connection, Mark, "ORDER BY symbol")


def external_holdings(connection: sqlite3.Connection) -> list[ExternalHolding]:
    """What the venue holds beyond our VAs (RULES 28)."""
    return records(connection, ExternalHolding, "ORDER BY symbol, side")


def account_readings(
    connection: sqlite3.Connection, limit: int | None = None
) -> list[AccountReading]:
    """What the account at the venue was found to hold, in shadow, in the order of reading."""
    return _newest(connection, AccountReading, limit)


def kill_switch(connection: sqlite3.Connection) -> KillSwitch:
    """The kill latch; off in a database where nothing has happened yet."""
    return single(connection, KillSwitch) or KillSwitch()


def desk(connection: sqlite3.Connection) -> DeskRecord | None:
    """The desk's own record; None before the first start."""
    return single(connection, DeskRecord)


def story(connection: sqlite3.Connection, signal_id: str) -> SignalStory | None:
    """All that came of a signal, or None for an id that was never received."""
    signal = one(connection, SignalRecord, "WHERE signal_id = ?", (signal_id,))
    if signal is None:
        return None
    its_orders = records(connection, Order, _STORY_ORDERS, (signal_id, signal_id))
    order_ids = [order.client_order_id for order in its_orders]
    position_ids = sorted({order.position_id for order in its_orders})
    return SignalStory(
        signal=signal,
        decision=one(connection, Decision, "WHERE signal_id = ?", (signal_id,)),
        orders=tuple(its_orders),
        fills=tuple(_among(connection, Fill, "client_order_id", order_ids)),
        trades=tuple(_among(connection, Trade, "position_id", position_ids)),
        fundings=tuple(_among(connection, Funding, "position_id", position_ids)),
        incidents=tuple(_among(connection, Incident, "client_order_id", order_ids)),
    )


def _among(
    connection: sqlite3.Connection, record: type[R], column: str, values: list[Any]
) -> list[R]:
    # The column is a name of ours; the values are one parameter, however many there are.
    clause = f"WHERE {column} IN (SELECT value FROM json_each(?)) ORDER BY rowid"  # noqa: S608
    return records(connection, record, clause, (msgspec.json.encode(values).decode(),))


def _newest(
    connection: sqlite3.Connection, record: type[R], limit: int | None, where: str = ""
) -> list[R]:
    parameters: tuple[Value, ...] = (-1 if limit is None else limit,)
    found = records(connection, record, f"{where} ORDER BY rowid DESC LIMIT ?", parameters)
    found.reverse()
    return found


def _as_dict(cursor: sqlite3.Cursor, row: tuple[Any, ...]) -> dict[str, Any]:
    return {column[0]: value for column, value in zip(cursor.description, row, strict=True)}


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A read-only connection that sees one moment of the database, whatever an engine commits
    meanwhile.

    Raises what `open_reader` raises.
    """
    with closing(open_reader(path)) as connection:
        yield connection
