"""An Alpaca account over the books that all venue servers share: orders that wait for the open,
that end with the day, that are replaced, and whose cancel is first only asked for.

Invariants: outside the session and during a halt orders are taken and nothing trades; each change
is published once as a message of the account stream, in the order in which it happened, and each
fill has one row among `activities`.
"""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

from tests.venue_servers import alpaca_messages as messages
from tests.venue_servers.alpaca_hours import Hours
from tests.venue_servers.alpaca_messages import Listing, Terms
from tests.venue_servers.alpaca_rules import (
    check_account,
    check_stop_side,
    read_order,
    replacement,
    unprocessable,
)
from tests.venue_servers.calls import Refusal
from tests.venue_servers.matching import Account, replace
from tests.venue_servers.records import (
    ENDED,
    Change,
    ChangeKind,
    Fill,
    Instrument,
    Order,
    Payment,
    Reason,
    Status,
)
from tests.venue_servers.rules import AT_ONCE, offered, sets_off

PASSED = "[6098] Stop Price Already Triggered/Exceeds $ Threshold"


def instrument(symbol: str) -> Instrument:
    """As fine as the venue counts; which prices and quantities it takes is for `alpaca_rules`."""
    return Instrument(
        symbol=symbol,
        base=symbol,
        quote="USD",
        tick=Decimal("0.0001"),
        lot=Decimal("0.000000001"),
        min_quantity=Decimal("0.000000001"),
        max_quantity=Decimal(10**9),
        max_market_quantity=Decimal(10**9),
    )


class StockAccount(Account):
    def __init__(
        self,
        listings: dict[str, Listing],
        cash: Decimal,
        *,
        now_ns: Callable[[], int],
        publish: Callable[[dict[str, Any]], None],
    ) -> None:
        super().__init__(
            {symbol: instrument(symbol) for symbol in listings},
            cash,
            now_ns=now_ns,
            hears=self._heard,
            new_id=lambda: str(uuid4()),
            settles_in_full=True,
            leverage=Decimal(2),
        )
        self.listings = listings
        self.publish = publish
        self.hours = Hours()
        self.shorts = True
        self.is_blocked = False
        self.shares_execution_ids = True
        """Whether an activity's id ends with the stream's `execution_id`: unverified."""
        self.sends_pending_cancel = False
        self.refuses_passed_stops = True
        """A stop that the market has passed is refused; else it is taken, and rejected after."""
        self.terms: dict[str, Terms] = {}
        self.activities: list[dict[str, Any]] = []
        self.published: list[dict[str, Any]] = []
        self._halts: set[str] = set()

    # --- requests ---------------------------------------------------------------------------------

    def enter(self, data: bytes) -> dict[str, Any]:
        """A new order; gives what Alpaca answers, which is before anything came of it."""
        if self.is_blocked:
            raise Refusal(
                403, messages.refusal(40310000, "new orders are rejected by user request")
            )
        order, terms = read_order(data, self.listings)
        if self.refuses_passed_stops:
            check_stop_side(order, self.quotes.get(order.symbol))
        intent = check_account(self, order, self.listings[order.symbol], shorts=self.shorts)
        return self._enter(order, replace(terms, intent=intent))

    def replace_order(self, order_id: str, data: bytes) -> dict[str, Any]:
        """PATCH: the old order ends, a new one takes the place of what it had not filled."""
        old = self.find(order_id)
        terms = self.terms[old.id]
        status = messages.status_of(old, terms)
        if status == "replaced":
            raise unprocessable("order already replaced")
        if status not in ("new", "partially_filled"):
            raise unprocessable(f"cannot replace order in {status} status")
        listing = self.listings[old.symbol]
        order, new_terms = replacement(old, terms, data, listing)
        if self.refuses_passed_stops:
            check_stop_side(order, self.quotes.get(order.symbol))
        intent = check_account(self, order, listing, shorts=self.shorts, replaces=old.id)
        new_id = str(uuid4())
        self.terms[old.id] = replace(terms, replaced_by=new_id)
        self._end(old, Status.CANCELED, Reason.ASKED)
        return self._enter(order, replace(new_terms, intent=intent), new_id)

    def ask_cancel(self, order_id: str) -> Order:
        order = self.find(order_id)
        status = messages.status_of(order, self.terms[order.id])
        if order.status in ENDED or status == "pending_cancel":
            raise unprocessable(f'order is already in "{status}" state')
        self._note(order, cancel_asked_ns=self.now_ns())
        if self.sends_pending_cancel:
            self._publish("pending_cancel", order)
        return order

    def finish_cancel(self, order_id: str) -> None:
        """Unless the order was filled, or ended otherwise, after the cancel was asked for."""
        order = self.orders[order_id]
        if order.status not in ENDED:
            self._end(order, Status.CANCELED, Reason.ASKED)

    def find(self, order_id: str) -> Order:
        if order_id not in self.orders:
            raise Refusal(404, messages.refusal(40410000, f"order not found for {order_id}"))
        return self.orders[order_id]

    def available(self, symbol: str) -> Decimal:
        """What of a position no open order holds back, signed like the position."""
        held = self.position(symbol).quantity
        sign = 1 if held > 0 else -1
        closing = (o.leaves for o in self.open_orders(symbol) if o.side.sign == -sign)
        return sign * max(abs(held) - sum(closing, Decimal(0)), Decimal(0))

    # --- what the venue and the market do ---------------------------------------------------------

    def end_order(self, order_id: str, status: str, reason: str = "") -> None:
        """The venue ends an order of its own accord: canceled, expired or rejected. Any other
        status leaves it open and is shown, as `suspended` or `done_for_day`."""
        order = self.find(order_id)
        self._note(order, reason=reason)
        if status in ENDED:
            self._end(order, Status(status), Reason.ASKED)
        else:
            self._note(order, shown=status)
            self._publish(status, order)

    def open_market(self, lasts: timedelta = timedelta(hours=4)) -> None:
        """Orders that waited go to the exchange and trade with what is quoted."""
        self.hours.open(lasts)
        for order in self.open_orders():
            if not self.terms[order.id].is_routed:
                self._note(order, is_routed=True)
                self._publish("new", order)
        self.halted = set(self._halts)
        for symbol in self.instruments:
            self._match(symbol)

    def close_market(self, until: timedelta = timedelta(hours=17, minutes=30)) -> None:
        """Day orders end."""
        self.hours.close(until)
        self.halted = set(self.instruments)
        for order in self.open_orders():
            if self.terms[order.id].time_in_force == "day":
                self._end(order, Status.EXPIRED, Reason.ASKED)

    def halt(self, symbol: str) -> None:
        self._halts.add(symbol)
        super().halt(symbol)

    def resume(self, symbol: str) -> None:
        self._halts.discard(symbol)
        if self.hours.is_open:
            super().resume(symbol)

    def publish_again(self, order_id: str) -> None:
        """Alpaca has been seen to send `new` and the fills of an order again, as they were."""
        for message in list(self.published):
            event, order = message["data"]["event"], message["data"]["order"]
            if order["id"] == order_id and event in ("new", "partial_fill", "fill"):
                self.publish(message)

    # --- the books --------------------------------------------------------------------------------

    def _enter(self, order: Order, terms: Terms, order_id: str = "") -> dict[str, Any]:
        now = self.now_ns()
        is_stop = order.trigger_price is not None
        order = replace(
            order,
            id=order_id or str(uuid4()),
            client_id=order.client_id or str(uuid4()),
            status=Status.UNTRIGGERED if is_stop else Status.NEW,
            created_ns=now,
            updated_ns=now,
        )
        self.terms[order.id] = replace(terms, is_routed=self.hours.is_open)
        self._put(ChangeKind.NEW, order)
        if not is_stop:
            self._take(order.id)
        elif sets_off(order, self.quotes.get(order.symbol)) and self.hours.is_open:
            self.end_order(order.id, "rejected", PASSED)
        return messages.arrived_message(self.orders[order.id], self.terms[order.id])

    def _take(self, order_id: str, *, rests: bool = False) -> None:
        """A market order keeps working when too little is displayed."""
        order = self.orders[order_id]
        if order.price is not None or order.time_in_force in AT_ONCE:
            super()._take(order_id, rests=rests)
        elif order.symbol not in self.halted:
            price, quantity = offered(order, self.quotes.get(order.symbol), order.leaves)
            if quantity:
                self._trade(order, quantity, price, is_maker=False)

    def _note(self, order: Order, **changed: Any) -> None:
        self.terms[order.id] = replace(self.terms[order.id], **changed)

    # --- the account stream -----------------------------------------------------------------------

    def _heard(self, change: Change) -> None:
        if change.payment is not None:
            self._heard_fee(change.payment)
            return
        order = change.order
        assert order is not None
        if change.kind is ChangeKind.NEW:
            terms = Terms(kind="market", time_in_force="day")
            routed = self.terms.setdefault(order.id, terms).is_routed
            for event in ("pending_new", "new") if routed else ("accepted",):
                self._publish(event, order)
        elif change.fill is not None:
            self._heard_fill(change.fill, order)
        elif change.kind is ChangeKind.ENDED:
            self._publish(messages.status_of(order, self.terms[order.id]), order)

    def _heard_fill(self, fill: Fill, order: Order) -> None:
        terms = self.terms[order.id]
        last_part = fill.id if self.shares_execution_ids else messages.named_id(fill.id)
        row = messages.fill_activity(fill, order, terms, order.filled, last_part)
        self.activities.append(row)
        held = self.position(fill.symbol).quantity
        self._send(messages.fill_update(fill, order, terms, held, fill.id))

    def _heard_fee(self, payment: Payment) -> None:
        row = messages.fee_activity(payment.id, payment.at_ns, payment.amount, payment.symbol)
        self.activities.append(row)

    def _publish(self, event: str, order: Order) -> None:
        order = self.orders[order.id]
        terms = self.terms[order.id]
        message = messages.order_message(order, terms)
        more: dict[str, Any] = {"reason": terms.reason} if terms.reason else {}
        if event == "pending_new":
            message["status"] = event
        if event not in ("pending_new", "accepted", "pending_cancel"):
            more["execution_id"] = str(uuid4())
        self._send(messages.update(event, self.now_ns(), message, **more))

    def _send(self, message: dict[str, Any]) -> None:
        self.published.append(message)
        self.publish(message)
