"""What Alpaca's account stream tells of orders, in our words.

Pure. Alpaca repeats nothing after a gap; but each message says how much of its order is filled, so
that a fill that was lost shows with the next one. `Incomplete` then leads to a comparison. An event
that is not listed here concludes nothing.
"""

from decimal import Decimal
from typing import Any

import msgspec

from pointsman.domain.client_order_ids import is_client_order_id
from pointsman.domain.events import CancelRefused, OrderReport, ReportWord
from pointsman.domain.life_cycle import OrderStatus
from pointsman.domain.money import ZERO
from pointsman.domain.reasons import Reason
from pointsman.execution.ports import VenueReply
from pointsman.venues.adapter import Incomplete
from pointsman.venues.alpaca.messages import ENDED, OrderRow, end_reason, fill_told, moment
from pointsman.venues.shapes import read_as


class Update(msgspec.Struct, frozen=True, kw_only=True):
    """A message about one order on the account's stream."""

    event: str
    order: OrderRow
    timestamp: str | None = None
    price: Decimal | None = None
    qty: Decimal | None = None
    reason: str | None = None


def read_update(message: Any) -> Update | None:
    """The update of an order in a message of the account's stream; None for another message."""
    if not isinstance(message, dict):
        raise Incomplete(f"Alpaca's stream sent {message!r}, which is no object")
    if message.get("stream") != "trade_updates":
        return None
    return read_as(Update, message.get("data"))


_WORDS = {
    "pending_new": ReportWord.ACCEPTED,
    "accepted": ReportWord.ACCEPTED,
    "new": ReportWord.ACCEPTED,
    "canceled": ReportWord.CANCELED,
    "expired": ReportWord.EXPIRED,
    "rejected": ReportWord.REJECTED,
}


_FILLS = ("fill", "partial_fill")


class StreamReader:
    """The messages of one connection, in the order in which they come."""

    def __init__(self) -> None:
        self._filled: dict[str, Decimal] = {}

    def replies(self, update: Update) -> list[VenueReply]:
        """What a message tells of an order of ours; nothing for another's."""
        row = update.order
        if not is_client_order_id(row.client_order_id):
            return []
        self._look_for_gap(update)
        at = update.timestamp or row.updated_at or row.created_at
        if update.event == "order_cancel_rejected":
            return [CancelRefused(row.client_order_id, Reason.VENUE_REJECTED, moment(at))]
        fill, word, reason = None, _WORDS.get(update.event), None
        if update.event in _FILLS:
            word = ReportWord.TRADE
            if update.qty is None or update.price is None:
                raise Incomplete(f"Alpaca sent a fill of {row.client_order_id} without its price")
            fill = fill_told(row.id, update.qty, update.price, row.filled_qty, at)
        elif update.event == "replaced" and row.replaced_by:
            word = ReportWord.CANCELED
        elif word in (ReportWord.CANCELED, ReportWord.REJECTED):
            reason = end_reason(row, OrderStatus(word.value), update.reason or "")
        if word is None:
            return []
        report = OrderReport(
            client_order_id=row.client_order_id,
            kind=word,
            ts_ns=moment(at),
            venue_order_id=row.id,
            fill=fill,
            reason=reason,
        )
        return [report]

    def _look_for_gap(self, update: Update) -> None:
        row = update.order
        told = self._filled.get(row.id)
        quantity = (update.qty or ZERO) if update.event in _FILLS else ZERO
        before = row.filled_qty - quantity
        if told is not None and before > told:
            raise Incomplete(
                f"Alpaca's stream lost a fill of {row.client_order_id}: {before} were filled, "
                f"{told} were told"
            )
        self._filled[row.id] = max(told or ZERO, row.filled_qty)
        if row.status in ENDED:
            del self._filled[row.id]
