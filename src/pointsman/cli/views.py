"""The lists: what is, of each kind, newest last.

One `View` a verb says which rows there are, which columns people see and what programs get. A list
reads the database only, so it is the same with and without a running engine.
"""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, TypeVar

import msgspec

from pointsman.cli import columns
from pointsman.cli.columns import AccountRow, Clock, Judged
from pointsman.cli.measures import reason_document
from pointsman.cli.render import moment, to_document
from pointsman.cli.report import (
    Document,
    Standing,
    Worth,
    account_figures,
    position_figures,
    read_standing,
)
from pointsman.cli.tables import Column, Listing
from pointsman.domain.accounts import Incident
from pointsman.domain.orders import Fill, Order
from pointsman.domain.positions import Trade
from pointsman.domain.signals import Decision, SignalRecord
from pointsman.storage import queries, schema

LIMIT = 50
"""How many rows a list shows, unless told otherwise."""

R = TypeVar("R", bound=msgspec.Struct)


class Wanted(msgspec.Struct, frozen=True):
    """Which rows: of one VA or of all, the newest `limit`, and of orders only those that may still
    fill."""

    va_id: str | None = None
    limit: int = LIMIT
    open_only: bool = False


class View(NamedTuple):
    """One list. `at_ns` is the time of a row, which its first column shows; None for what is not
    listed by time."""

    title: str
    rows: Callable[[sqlite3.Connection, Wanted], Sequence[Any]]
    columns: Callable[[Clock], Sequence[Column]]
    document: Callable[[Any], Document]
    at_ns: Callable[[Any], int] | None = None


def listing(view: View, rows: Sequence[Any], wanted: Wanted) -> Listing:
    """A list for people. Times are UTC; a day that all rows share stands in the title."""
    at_ns = view.at_ns
    if at_ns is None:
        return Listing(view.title, view.columns(_shown_whole), rows)
    note, clock = _clock(map(at_ns, rows))
    if len(rows) == wanted.limit:
        note += f" (the newest {wanted.limit}; --limit shows more)"
    return Listing(view.title + note, view.columns(clock), rows)


def _clock(times_ns: Iterable[int]) -> tuple[str, Clock]:
    days = {moment(at_ns).partition(" ")[0] for at_ns in times_ns}
    if len(days) == 1:
        return f", {days.pop()} UTC", lambda at_ns: moment(at_ns).partition(" ")[2]
    return (", UTC" if days else ""), _shown_whole


def _shown_whole(at_ns: int) -> str:
    return moment(at_ns).partition(".")[0]


# -- rows ----------------------------------------------------------------------------------------


def _newest(
    connection: sqlite3.Connection, record: type[R], wanted: Wanted, condition: str = "TRUE"
) -> list[R]:
    found = queries.records(
        connection,
        record,
        f"WHERE ({condition}) AND (?1 IS NULL OR va_id = ?1) ORDER BY rowid DESC LIMIT ?2",
        (wanted.va_id, wanted.limit),
    )
    found.reverse()
    return found


def _accounts(connection: sqlite3.Connection, wanted: Wanted) -> list[AccountRow]:
    return account_rows(read_standing(connection), wanted.va_id)


def account_rows(standing: Standing, va_id: str | None = None) -> list[AccountRow]:
    """All accounts, or the one asked for, with their figures."""
    return [
        AccountRow(account, account_figures(account, standing))
        for account in standing.accounts
        if va_id in (None, account.va_id)
    ]


def _positions(connection: sqlite3.Connection, wanted: Wanted) -> list[Worth]:
    worths = read_standing(connection).worths
    own = [worth for worth in worths if wanted.va_id in (None, worth.position.va_id)]
    return own[-wanted.limit :]


def _orders(connection: sqlite3.Connection, wanted: Wanted) -> list[Order]:
    condition = schema.IS_NOT_FINAL if wanted.open_only else "TRUE"
    return _newest(connection, Order, wanted, condition)


def _signals(connection: sqlite3.Connection, wanted: Wanted) -> list[Judged]:
    records = _newest(connection, SignalRecord, wanted)
    ids = msgspec.json.encode([record.signal.signal_id for record in records]).decode()
    decisions = queries.records(
        connection, Decision, "WHERE signal_id IN (SELECT value FROM json_each(?))", (ids,)
    )
    by_id = {decision.signal_id: decision for decision in decisions}
    return [Judged(record, by_id.get(record.signal.signal_id)) for record in records]


def _fills(connection: sqlite3.Connection, wanted: Wanted) -> list[Fill]:
    return _newest(connection, Fill, wanted)


def _trades(connection: sqlite3.Connection, wanted: Wanted) -> list[Trade]:
    return _newest(connection, Trade, wanted)


def _incidents(connection: sqlite3.Connection, wanted: Wanted) -> list[Incident]:
    return _newest(connection, Incident, wanted)


# -- for programs --------------------------------------------------------------------------------


def _account_document(row: AccountRow) -> Document:
    stored: Document = to_document(row.account)
    return {"va_id": row.account.va_id, **row.figures} | {
        name: value
        for name, value in stored.items()
        if name not in row.figures and name not in ("equity", "realized", "loss_streak")
    }


def _order_document(order: Order) -> Document:
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

VIEWS: dict[str, View] = {
    "accounts": View("Accounts", _accounts, columns.account_columns, _account_document),
    "positions": View(
        "Positions",
        _positions,
        columns.position_columns,
        position_figures,
        lambda row: row.position.opened_at_ns,
    ),
    "orders": View(
        "Orders", _orders, columns.order_columns, _order_document, lambda row: row.created_at_ns
    ),
    "fills": View("Fills", _fills, columns.fill_columns, to_document, lambda row: row.booked_at_ns),
    "trades": View(
        "Trades", _trades, columns.trade_columns, to_document, lambda row: row.closed_at_ns
    ),
    "signals": View(
        "Signals",
        _signals,
        columns.signal_columns,
        _signal_document,
        lambda row: row.record.received_at_ns,
    ),
    "incidents": View(
        "Incidents", _incidents, columns.incident_columns, to_document, lambda row: row.at_ns
    ),
}
"""Every list, by its verb."""
