"""Incidents: what a person should know, as numbered records."""

import msgspec

from pointsman.domain.accounts import Incident
from pointsman.domain.orders import Order
from pointsman.domain.positions import Position
from pointsman.domain.reasons import Reason
from pointsman.execution.books import Books


def note_incident(
    books: Books,
    now_ns: int,
    kind: Reason,
    *,
    of: Order | Position | None = None,
    va_id: str | None = None,
    symbol: str | None = None,
    order_id: str | None = None,
    value: str | None = None,
    limit: str | None = None,
    detail: str = "",
) -> None:
    """Remember something that a person should know. What it is `of` gives the VA, the symbol and
    the order; of a position that is the order of its entry."""
    if of is not None:
        va_id, symbol = of.va_id, of.symbol
        order_id = of.client_order_id if isinstance(of, Order) else of.entry_order_id
    number = books.desk.next_incident
    books.put_desk(msgspec.structs.replace(books.desk, next_incident=number + 1))
    record = Incident(
        incident_id=f"I{number}",
        at_ns=now_ns,
        kind=kind,
        va_id=va_id,
        symbol=symbol,
        client_order_id=order_id,
        value=value,
        limit=limit,
        detail=detail,
    )
    books.note(record, record.incident_id)
