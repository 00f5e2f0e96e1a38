"""Why: the whole story of one signal, from the records alone.

The signal, the decision with every rule that was evaluated, and the orders, fills and trades that
followed. Values and limits are those stored with the decision; nothing is recomputed.
"""

import json
import sqlite3
from difflib import get_close_matches

import msgspec

from pointsman.domain.accounts import Incident
from pointsman.domain.orders import Fill, Order
from pointsman.domain.positions import Funding, Position, Trade
from pointsman.domain.reasons import Reason
from pointsman.domain.signals import Decision, SignalRecord
from pointsman.reading.checks import check_document, reason_document
from pointsman.reading.documents import Document, to_document
from pointsman.reading.price_decimals import read_price_decimals
from pointsman.storage import queries, reader

NEAR_AMONG_MAX = 5_000
"""How many of the newest ids are searched for one that is close to an unknown one."""


class Story(msgspec.Struct, frozen=True):
    """All that came of one signal. `positions` are those of its orders that are still held;
    `price_decimals` is how many decimals the prices of its symbol have."""

    record: SignalRecord
    decision: Decision | None
    orders: tuple[Order, ...]
    fills: tuple[Fill, ...]
    positions: tuple[Position, ...]
    trades: tuple[Trade, ...]
    fundings: tuple[Funding, ...]
    incidents: tuple[Incident, ...]
    price_decimals: int


def read_story(connection: sqlite3.Connection, signal_id: str) -> Story | None:
    """The story of a signal, or None for an id that was never received."""
    found = reader.story(connection, signal_id)
    if found is None:
        return None
    numbers = {order.position_id for order in found.orders}
    if found.decision is not None:
        numbers.update(found.decision.position_ids)
    positions = queries.records(
        connection,
        Position,
        "WHERE position_id IN (SELECT value FROM json_each(?)) ORDER BY position_id",
        (json.dumps(sorted(numbers)),),
    )
    return Story(
        found.signal,
        found.decision,
        found.orders,
        found.fills,
        tuple(positions),
        found.trades,
        found.fundings,
        _incidents(connection, found),
        read_price_decimals(connection)(found.signal.signal.symbol),
    )


def _incidents(connection: sqlite3.Connection, found: reader.SignalStory) -> tuple[Incident, ...]:
    """The incidents of its orders, those of its account at the instant at which a position of it
    closed, and those of its id that was used again."""
    closed = json.dumps([trade.closed_at_ns for trade in found.trades])
    signal = found.signal.signal
    others = queries.records(
        connection,
        Incident,
        "WHERE (va_id = ? AND client_order_id IS NULL "
        "AND at_ns IN (SELECT value FROM json_each(?))) OR (kind = ? AND value = ?)",
        (signal.va_id, closed, Reason.ID_REUSED.value, signal.signal_id),
    )
    return (*found.incidents, *others)


def signal_of_order(connection: sqlite3.Connection, client_order_id: str) -> str | None:
    """The signal that an order came of: its own, else the one that opened its position. None for an
    unknown order, and where no signal did."""
    order = queries.one(connection, Order, "WHERE client_order_id = ?", (client_order_id,))
    if order is None or order.signal_id is not None:
        return None if order is None else order.signal_id
    where = "WHERE position_id = ? AND signal_id IS NOT NULL ORDER BY rowid LIMIT 1"
    first = queries.one(connection, Order, where, (order.position_id,))
    return None if first is None else first.signal_id


def near_ids(connection: sqlite3.Connection, signal_id: str) -> list[str]:
    """Known ids that are spelt nearly alike, the closest first."""
    found = queries.rows(
        connection,
        "SELECT signal_id, rowid FROM signals ORDER BY rowid DESC LIMIT ?",
        (NEAR_AMONG_MAX,),
    )
    by_lower = {known.lower(): known for known, _ in found}
    return [by_lower[match] for match in get_close_matches(signal_id.lower(), by_lower)]


def story_document(story: Story) -> Document:
    """The story for programs: the records, the rules of the decision among them."""
    decision: Document | None = None
    if story.decision is not None:
        decision = to_document(story.decision) | reason_document(story.decision)
        decision["checks"] = [check_document(check) for check in story.decision.checks]
    record: Document = to_document(story.record)
    return {
        "signal": {**record.pop("signal"), **record},
        "decision": decision,
        "orders": [to_document(order) for order in story.orders],
        "fills": [to_document(fill) for fill in story.fills],
        "positions": [to_document(position) for position in story.positions],
        "trades": [to_document(trade) for trade in story.trades],
        "fundings": [to_document(funding) for funding in story.fundings],
        "incidents": [to_document(incident) for incident in story.incidents],
    }
