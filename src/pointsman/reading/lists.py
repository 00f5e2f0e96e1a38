"""The lists: what is, of each kind, newest last.

A list reads the database only, so it is the same with and without a running engine. Times,
quantities and prices are not rounded.
"""

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

import msgspec

from pointsman.domain.accounts import Incident
from pointsman.domain.orders import Fill, Order
from pointsman.domain.positions import Trade
from pointsman.domain.signals import Decision, Outcome, SignalRecord
from pointsman.execution.figures import AccountFigures, PositionFigures
from pointsman.reading.checks import reason_document
from pointsman.reading.documents import Document, to_document
from pointsman.reading.report import (
    Touches,
    account_document,
    position_document,
    read_standing,
)
from pointsman.storage import queries, schema

LIMIT = 50
"""How many rows a list shows, by default."""

R = TypeVar("R", bound=msgspec.Struct)


class ListFilter(msgspec.Struct, frozen=True):
    """Which rows: of one VA or of all, the newest `limit`, and of orders only those that may still
    fill; of signals those of one symbol, received since a time, or refused; and at which prices of
    now, where an engine tells them."""

    va_id: str | None = None
    limit: int = LIMIT
    open_only: bool = False
    touches: Touches = {}
    symbol: str | None = None
    since_ns: int | None = None
    refused_only: bool = False


class List(NamedTuple):
    """One list: which rows there are, and a row for programs."""

    rows: Callable[[sqlite3.Connection, ListFilter], Sequence[Any]]
    document: Callable[[Any], Document]


class Judged(msgspec.Struct, frozen=True):
    """A signal and the decision on it."""

    record: SignalRecord
    decision: Decision | None


# -- rows ----------------------------------------------------------------------------------------


def _newest(
    connection: sqlite3.Connection, record: type[R], wanted: ListFilter, condition: str = "TRUE"
) -> list[R]:
    found = queries.records(
        connection,
        record,
        f"WHERE ({condition}) AND (?1 IS NULL OR va_id = ?1) ORDER BY rowid DESC LIMIT ?2",
        (wanted.va_id, wanted.limit),
    )
    found.reverse()
    return found


def _accounts(connection: sqlite3.Connection, wanted: ListFilter) -> list[AccountFigures]:
    figures = read_standing(connection, wanted.touches).account_figures()
    return [each for each in figures if wanted.va_id in (None, each.account.va_id)]


def _positions(connection: sqlite3.Connection, wanted: ListFilter) -> list[PositionFigures]:
    figures = read_standing(connection, wanted.touches).positions
    own = [each for each in figures if wanted.va_id in (None, each.position.va_id)]
    return own[-wanted.limit :]


def _orders(connection: sqlite3.Connection, wanted: ListFilter) -> list[Order]:
    condition = schema.IS_NOT_FINAL if wanted.open_only else "TRUE"
    return _newest(connection, Order, wanted, condition)


def _signals(connection: sqlite3.Connection, wanted: ListFilter) -> list[Judged]:
    outcome = Outcome.REFUSED.value if wanted.refused_only else None
    records = queries.records(
        connection,
        SignalRecord,
        "WHERE (?1 IS NULL OR va_id = ?1) AND (?3 IS NULL OR symbol = ?3)"
        " AND (?4 IS NULL OR received_at_ns >= ?4) AND (?5 IS NULL OR signal_id IN"
        " (SELECT signal_id FROM decisions WHERE outcome = ?5)) ORDER BY rowid DESC LIMIT ?2",
        (wanted.va_id, wanted.limit, wanted.symbol, wanted.since_ns, outcome),
    )
    records.reverse()
    ids = msgspec.json.encode([record.signal.signal_id for record in records]).decode()
    decisions = queries.records(
        connection, Decision, "WHERE signal_id IN (SELECT value FROM json_each(?))", (ids,)
    )
    by_id = {decision.signal_id: decision for decision in decisions}
    return [Judged(record, by_id.get(record.signal.signal_id)) for record in records]


def _fills(connection: sqlite3.Connection, wanted: ListFilter) -> list[Fill]:
    return _newest(connection, Fill, wanted)


def _trades(connection: sqlite3.Connection, wanted: ListFilter) -> list[Trade]:
    return _newest(connection, Trade, wanted)


def _incidents(connection: sqlite3.Connection, wanted: ListFilter) -> list[Incident]:
    return _newest(connection, Incident, wanted)


# -- for programs --------------------------------------------------------------------------------


def _account_document(figures: AccountFigures) -> Document:
    stored, known = to_document(figures.account), account_document(figures)
    return {"va_id": figures.account.va_id, **known} | {
        name: value
        for name, value in stored.items()
        if name not in known and name not in ("equity", "realized", "loss_streak")
    }


def order_document(order: Order) -> Document:
    """`status` as it is shown, with the marks of our knowledge on top (RULES 27)."""
    stored: Document = to_document(order)
    return stored | {"status": order.shown_status.value}


def _signal_document(judged: Judged) -> Document:
    stored: Document = to_document(judged.record)
    document = {**stored.pop("signal"), **stored}
    if judged.decision is not None:
        decided: Document = to_document(judged.decision) | reason_document(judged.decision)
        names = ("outcome", "decided_at", "reason", "value", "limit", "action")
        document |= {name: decided[name] for name in names}
    return document


# -- the lists ------------------------------------------------------------------------------------

LISTS: dict[str, List] = {
    "accounts": List(_accounts, _account_document),
    "positions": List(_positions, position_document),
    "orders": List(_orders, order_document),
    "fills": List(_fills, to_document),
    "trades": List(_trades, to_document),
    "signals": List(_signals, _signal_document),
    "incidents": List(_incidents, to_document),
}
"""Every list, by its name."""
