"""What Binance USDM futures tells its user when the ledger changes, and in which order: the two id
spaces of conditional orders meet here.
"""

from collections.abc import Callable
from decimal import Decimal
from enum import StrEnum
from itertools import count
from typing import Any

from tests.venue_servers import binance_messages as messages
from tests.venue_servers.binance_messages import Stop
from tests.venue_servers.matching import Account
from tests.venue_servers.records import ENDED, ZERO, Change, ChangeKind, Fill, Order, Reason

REFUSED_AT_TRIGGER = {
    Reason.NOTHING_TO_REDUCE: "Reduce Only reject",
    Reason.INSUFFICIENT: "Margin is insufficient.",
}
ALGO_ID_FIRST = 2_148_719


class TriggerSequence(StrEnum):
    STOP_FIRST = "stop_first"
    """TRIGGERING, TRIGGERED, then the child and its trades, then FINISHED."""
    CHILD_FIRST = "child_first"
    """The child and its trades; what the stop has to say comes `child_leads_seconds` later."""
    REJECTED = "rejected"
    """The venue refuses the child of a stop that it had confirmed."""
    STUCK = "stuck"
    """Nothing follows TRIGGERING: no child, and the stop can no longer be cancelled."""


class ChildClientId(StrEnum):
    """What the child of a stop is called: nobody outside knows which of the two is so."""

    SAME = "same"
    FOREIGN = "foreign"


class Events:
    """Hears the ledger. `push` and `later` are the server's."""

    account: Account

    def __init__(
        self,
        push: Callable[[Any], None],
        later: Callable[..., None],
        now_ms: Callable[[], int],
    ) -> None:
        self.push = push
        self.later = later
        self.now_ms = now_ms
        self.sequence = TriggerSequence.STOP_FIRST
        self.child_client_id = ChildClientId.SAME
        self.child_leads_seconds = 0.3
        self.sends_trade_lite = True
        self.stops: dict[str, Stop] = {}
        """By the client id that the ledger knows: a venue's own, so that the two id spaces of
        clients do not meet there."""
        self._algo_ids = count(ALGO_ID_FIRST)

    # --- the two faces of an order ---

    def new_stop(self, client_algo_id: str, kind: str, working_type: str, protect: bool) -> Stop:
        algo_id = next(self._algo_ids)
        is_same = self.child_client_id is ChildClientId.SAME
        stop = Stop(
            algo_id=algo_id,
            client_algo_id=client_algo_id or f"algo_{algo_id}",
            order_id="",
            type=kind,
            working_type=working_type,
            price_protect=protect,
            child_client_id=client_algo_id if is_same else f"x-child-{algo_id}",
        )
        self.stops[f"stop {algo_id}"] = stop
        return stop

    def stop_of(self, order: Order) -> Stop | None:
        return self.stops.get(order.client_id)

    def client_id(self, order: Order) -> str:
        """Of the ordinary order that the user sees."""
        stop = self.stop_of(order)
        return order.client_id if stop is None else stop.child_client_id

    def is_plain(self, order: Order) -> bool:
        """Whether it is an ordinary order by now."""
        stop = self.stop_of(order)
        return stop is None or stop.has_child

    def placed_stops(self) -> list[tuple[Order, Stop]]:
        placed = (stop for stop in self.stops.values() if stop.order_id)
        return [(self.account.orders[stop.order_id], stop) for stop in placed]

    # --- what the ledger says ---

    def hear(self, change: Change) -> None:
        if change.payment is not None:
            paid = change.payment.amount
            self._tell_account("FUNDING_FEE", paid, [])
        if change.order is None:
            return
        stop = self.stop_of(change.order)
        if stop is None:
            self._tell_order(change.kind, change.order, change.fill)
        else:
            self._hear_stop(change.kind, change.order, stop, change.fill)

    def _hear_stop(self, kind: ChangeKind, order: Order, stop: Stop, fill: Fill | None) -> None:
        if kind is ChangeKind.NEW:
            stop.order_id = order.id
            self._tell_stop(order, stop, "NEW")
        elif kind is ChangeKind.TRIGGERED:
            self._trigger(order, stop)
        elif stop.has_child:
            self._tell_order(kind, order, fill)
            if order.status in ENDED:
                self._tell_stop(order, stop, "FINISHED")
        elif order.ended_by is Reason.ASKED:
            self._tell_stop(order, stop, "CANCELED")
        elif self.sequence is TriggerSequence.STUCK:
            stop.status = "TRIGGERING"
        elif order.ended_by is not None:
            if stop.status == "NEW":
                self._tell_stop(order, stop, "TRIGGERING")
            stop.refusal = REFUSED_AT_TRIGGER.get(order.ended_by, order.ended_by.value)
            self._tell_stop(order, stop, "REJECTED")

    def _trigger(self, order: Order, stop: Stop) -> None:
        self._tell_stop(order, stop, "TRIGGERING")
        if self.sequence in (TriggerSequence.REJECTED, TriggerSequence.STUCK):
            self.account.cancel(order.id, Reason.NOTHING_TO_REDUCE)
            return
        stop.has_child = True
        self._tell_stop(order, stop, "TRIGGERED")
        self._tell_order(ChangeKind.NEW, order, None)

    def _tell_stop(self, order: Order, stop: Stop, status: str) -> None:
        stop.status = status
        message = messages.algo_update(order, stop, self.now_ms())
        if self.sequence is TriggerSequence.CHILD_FIRST and status not in ("NEW", "CANCELED"):
            self.later(self.child_leads_seconds, self.push, message)
        else:
            self.push(message)

    def _tell_order(self, kind: ChangeKind, order: Order, fill: Fill | None) -> None:
        client_id = self.client_id(order)
        execution = {
            ChangeKind.NEW: "NEW",
            ChangeKind.TRADE: "TRADE",
            ChangeKind.AMENDED: "AMENDMENT",
            ChangeKind.ENDED: messages.status(order),
        }[kind]
        if fill is not None:
            if self.sends_trade_lite and not messages.is_venues_own(client_id):
                self.push(messages.trade_lite(order, client_id, fill, self.now_ms()))
            self._tell_position(order)
        self.push(messages.order_update(execution, order, client_id, fill, self.now_ms()))

    def _tell_position(self, order: Order) -> None:
        position = self.account.position(order.symbol, order.holding)
        unrealized = self.account.unrealized(position)
        self._tell_account("ORDER", ZERO, [messages.position_update(position, unrealized)])

    def _tell_account(self, why: str, moved: Decimal, positions: list[dict[str, Any]]) -> None:
        cash = self.account.cash
        self.push(messages.account_update(why, cash, moved, positions, self.now_ms()))
