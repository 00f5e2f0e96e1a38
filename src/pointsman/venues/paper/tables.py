"""The paper ledger's file: its tables, its SQL, and how records become rows and rows records.

Decimals are stored as plain text, so that nothing is rounded; enums by their value; times as
integer nanoseconds UTC. An order that can still trade has `is_open = 1` and is found by an index of
those alone, so that opening a ledger costs what is open and not what ever happened. The SQL texts
are constants: sqlite3 prepares each of them once. Rows have the columns of their table, in its
order.
"""

import sqlite3
from decimal import Decimal
from typing import Any

from pointsman.domain.events import VenueFill
from pointsman.domain.life_cycle import FINAL, OrderStatus
from pointsman.domain.money import plain
from pointsman.domain.orders import OrderType
from pointsman.domain.policy import PositionMode
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import PositionSide, Side
from pointsman.domain.venue_reports import VenueExecution, VenueHolding, VenueOrder

SCHEMA_VERSION = 3

_NET = "net"
"""Stands for the position side of an account that nets."""

_CLIENT = """
CREATE TABLE client (
    id INTEGER PRIMARY KEY CHECK (id = 1), code TEXT NOT NULL, sequence INTEGER NOT NULL,
    hash TEXT NOT NULL
);
"""
"""Whose account it is: the newest row of the client's journal that the ledger was given. Since
schema 2."""

_SEEN = "CREATE TABLE seen (symbol TEXT PRIMARY KEY, ts_ns INTEGER NOT NULL) WITHOUT ROWID;\n"
"""The stamp of the newest quote that the stops of a symbol have seen. Since schema 3."""

_SINCE = {1: _CLIENT + _SEEN, 2: _SEEN}
"""What a ledger of an older schema lacks."""

_SCHEMA = f"""
BEGIN;
{_CLIENT}{_SEEN}CREATE TABLE totals (
    id INTEGER PRIMARY KEY CHECK (id = 1), position_mode TEXT NOT NULL,
    cash TEXT NOT NULL, fees TEXT NOT NULL, known_until_ns INTEGER NOT NULL
);
CREATE TABLE holdings (
    symbol TEXT NOT NULL, position_side TEXT NOT NULL, quantity TEXT NOT NULL,
    PRIMARY KEY (symbol, position_side)
) WITHOUT ROWID;
CREATE TABLE orders (
    sequence INTEGER PRIMARY KEY, client_order_id TEXT NOT NULL UNIQUE, symbol TEXT NOT NULL,
    side TEXT NOT NULL, position_side TEXT NOT NULL, order_type TEXT NOT NULL,
    quantity TEXT NOT NULL, filled TEXT NOT NULL, status TEXT NOT NULL,
    reduce_only INTEGER NOT NULL, ts_ns INTEGER NOT NULL, limit_price TEXT, trigger_price TEXT,
    is_triggered INTEGER NOT NULL, end_reason TEXT, is_open INTEGER NOT NULL
);
CREATE INDEX orders_open ON orders (sequence) WHERE is_open = 1;
CREATE TABLE fills (
    sequence INTEGER PRIMARY KEY, order_sequence INTEGER NOT NULL, client_order_id TEXT NOT NULL,
    symbol TEXT NOT NULL, side TEXT NOT NULL, position_side TEXT NOT NULL, quantity TEXT NOT NULL,
    price TEXT NOT NULL, fee TEXT NOT NULL, ts_ns INTEGER NOT NULL, cumulative TEXT
);
CREATE INDEX fills_of_order ON fills (order_sequence);
CREATE TABLE transfers (
    ref TEXT PRIMARY KEY, amount TEXT NOT NULL, ts_ns INTEGER NOT NULL
) WITHOUT ROWID;
PRAGMA user_version = {SCHEMA_VERSION};
"""

PUT_ORDER = (
    "INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (sequence) DO UPDATE SET filled = excluded.filled, status = excluded.status, "
    "ts_ns = excluded.ts_ns, is_triggered = excluded.is_triggered, "
    "end_reason = excluded.end_reason, is_open = excluded.is_open"
)
ADD_FILL = "INSERT INTO fills VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
PUT_HOLDING = "REPLACE INTO holdings VALUES (?, ?, ?)"
ADD_TRANSFER = "INSERT INTO transfers VALUES (?, ?, ?)"
PUT_CLIENT = "REPLACE INTO client VALUES (1, ?, ?, ?)"
PUT_SEEN = "REPLACE INTO seen VALUES (?, ?)"
PUT_TOTALS = "UPDATE totals SET cash = ?, fees = ?, known_until_ns = ? WHERE id = 1"

TOTALS = "SELECT position_mode, cash, fees, known_until_ns FROM totals WHERE id = 1"
CLIENT = "SELECT code, sequence, hash FROM client WHERE id = 1"
LAST_CLIENT_ID = "SELECT client_order_id FROM orders ORDER BY sequence DESC LIMIT 1"
FIND_FILL = "SELECT * FROM fills WHERE sequence = ?"
SEEN = "SELECT symbol, ts_ns FROM seen"
HOLDINGS = "SELECT * FROM holdings ORDER BY symbol, position_side"
OPEN_ORDERS = "SELECT * FROM orders WHERE is_open = 1 ORDER BY sequence"
FIND_ORDER = "SELECT * FROM orders WHERE client_order_id = ?"
FILLS_OF_ORDER = "SELECT * FROM fills WHERE order_sequence = ? ORDER BY sequence"
FILLS_SINCE = "SELECT side, quantity FROM fills WHERE symbol = ? AND ts_ns >= ?"
FILLS_AFTER = "SELECT * FROM fills WHERE sequence > ? ORDER BY sequence"
FIND_TRANSFER = "SELECT 1 FROM transfers WHERE ref = ?"
LAST_ORDER = "SELECT coalesce(max(sequence), 0) FROM orders"
LAST_FILL = "SELECT coalesce(max(sequence), 0) FROM fills"

Row = tuple[Any, ...]


class ForeignFile(Exception):
    """The file is a database, but not a paper ledger that this version can use."""


def check(db: sqlite3.Connection) -> None:
    """Look before anything is written.

    Raises ForeignFile, or sqlite3.DatabaseError where the file is no database at all.
    """
    (version,) = db.execute("PRAGMA user_version").fetchone()
    (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if version > SCHEMA_VERSION:
        raise ForeignFile(f"its schema {version} is newer than {SCHEMA_VERSION}, the newest known")
    if version == 0 and tables:
        raise ForeignFile("it holds the tables of another program")


def create(db: sqlite3.Connection, position_mode: PositionMode) -> None:
    """Make the tables of a new ledger, and those that a ledger of an older version lacks; what an
    existing one holds stays as it is."""
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version in _SINCE:
        db.executescript(
            f"BEGIN; {_SINCE[version]} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
        )
    if version == 0:
        db.executescript(_SCHEMA)
        db.execute("INSERT INTO totals VALUES (1, ?, '0', '0', 0)", (position_mode.value,))
        db.execute("COMMIT")


def replace_all(source: sqlite3.Connection, target: sqlite3.Connection) -> None:
    """Make a ledger hold what another one holds, in one transaction; whose account it is stays."""
    target.execute("BEGIN IMMEDIATE")
    try:
        for table in ("orders", "fills", "holdings", "transfers", "totals", "seen"):
            rows = source.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608 - a constant
            target.execute(f"DELETE FROM {table}")  # noqa: S608 - a constant
            if rows:
                marks = ", ".join("?" for _ in rows[0])
                target.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)  # noqa: S608
        target.execute("COMMIT")
    except sqlite3.Error:
        if target.in_transaction:
            target.execute("ROLLBACK")
        raise


def side_text(position_side: PositionSide | None) -> str:
    """How a position side is stored, and sorted."""
    return _NET if position_side is None else position_side.value


def order_row(order: VenueOrder) -> Row:
    return (
        int(order.venue_order_id),
        order.client_order_id,
        order.symbol,
        order.side.value,
        side_text(order.position_side),
        order.order_type.value,
        plain(order.quantity),
        plain(order.filled),
        order.status.value,
        order.reduce_only,
        order.ts_ns,
        _text(order.limit_price),
        _text(order.trigger_price),
        order.is_triggered,
        None if order.end_reason is None else order.end_reason.value,
        order.status not in FINAL,
    )


def order_of(row: Row) -> VenueOrder:
    """The order in a row of `orders`."""
    return VenueOrder(
        venue_order_id=str(row[0]),
        client_order_id=row[1],
        symbol=row[2],
        side=Side(row[3]),
        position_side=_side_of(row[4]),
        order_type=OrderType(row[5]),
        quantity=Decimal(row[6]),
        filled=Decimal(row[7]),
        status=OrderStatus(row[8]),
        reduce_only=bool(row[9]),
        ts_ns=row[10],
        limit_price=_decimal(row[11]),
        trigger_price=_decimal(row[12]),
        is_triggered=bool(row[13]),
        end_reason=None if row[14] is None else Reason[row[14]],
    )


def trade_row(trade: VenueExecution) -> Row:
    fill = trade.fill
    return (
        int(fill.trade_id),
        int(trade.venue_order_id),
        trade.client_order_id,
        trade.symbol,
        trade.side.value,
        side_text(trade.position_side),
        plain(fill.quantity),
        plain(fill.price),
        plain(fill.fee),
        fill.ts_ns,
        _text(fill.cumulative),
    )


def trade_of(row: Row) -> VenueExecution:
    """The execution in a row of `fills`."""
    quantity, price, fee = Decimal(row[6]), Decimal(row[7]), Decimal(row[8])
    return VenueExecution(
        client_order_id=row[2],
        venue_order_id=str(row[1]),
        symbol=row[3],
        side=Side(row[4]),
        position_side=_side_of(row[5]),
        fill=VenueFill(
            trade_id=str(row[0]),
            quantity=quantity,
            price=price,
            fee=fee,
            ts_ns=row[9],
            cumulative=_decimal(row[10]),
        ),
    )


def holding_row(holding: VenueHolding) -> Row:
    return (holding.symbol, side_text(holding.position_side), plain(holding.quantity))


def holding_of(row: Row) -> VenueHolding:
    return VenueHolding(row[0], _side_of(row[1]), Decimal(row[2]))


def _side_of(text: str) -> PositionSide | None:
    return None if text == _NET else PositionSide(text)


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else plain(amount)


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
