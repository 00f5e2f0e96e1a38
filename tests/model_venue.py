"""A small venue for the state machine of the desk: honest books of its own, and every freedom that
a real one takes. Nothing happens by itself: the test says when an order fills, how far, and what
ends.

It keeps long and short apart or nets them, clips reduce-only orders or refuses them, and never lets
one grow or flip a holding. Its money is not modelled; the desk's is checked against its own fills.
"""

from collections import Counter
from decimal import Decimal

import msgspec

from pointsman.domain.commands import Cancel, Compare, MoveCash, Query, Submit
from pointsman.domain.events import (
    CancelRefused,
    CashConfirmed,
    OrderAbsent,
    OrderReport,
    ReportWord,
    VenueFill,
)
from pointsman.domain.life_cycle import FINAL, OrderStatus
from pointsman.domain.money import ZERO
from pointsman.domain.orders import Order, OrderType
from pointsman.domain.policy import Policy
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import PositionSide, Side
from pointsman.domain.venue_reports import (
    OrderFound,
    Snapshot,
    VenueExecution,
    VenueHolding,
    VenueOrder,
)
from pointsman.execution.ports import VenueReply, VenueRequest

replace = msgspec.structs.replace
HoldingKey = tuple[str, PositionSide | None]


class ModelVenue:
    """One account. `replies` are what it has said and nobody has heard yet."""

    def __init__(self, policy: Policy, price: Decimal) -> None:
        self.policy = policy
        self.price = price
        self.now_ns = 0
        self.orders: dict[str, VenueOrder] = {}
        self.creates: Counter[str] = Counter()
        self.trades: list[VenueExecution] = []
        self.holdings: dict[HoldingKey, Decimal] = {}
        self.replies: list[VenueReply] = []
        self.refuse_next: Reason | None = None

    def working(self, *types: OrderType) -> list[VenueOrder]:
        """The open orders of these types, in the order of sending."""
        return [o for o in self.orders.values() if o.status not in FINAL and o.order_type in types]

    def fillable(self) -> list[VenueOrder]:
        """What could trade now: all but stops that have not triggered."""
        return [order for order in self.working(*OrderType) if not _rests(order)]

    # -- requests ----------------------------------------------------------------------------------

    def take(self, request: VenueRequest, asked_at_ns: int) -> None:
        """A request arrives."""
        if isinstance(request, Submit):
            self._create(request.order)
        elif isinstance(request, Cancel):
            order = self.orders.get(request.client_order_id)
            if order is None or order.status in FINAL:
                told = CancelRefused(request.client_order_id, Reason.NOT_FOUND, self.now_ns)
                self.replies.append(told)
            else:
                self.end(order.client_order_id, ReportWord.CANCELED)
        elif isinstance(request, Query):
            self.replies.append(self._found(request.client_order_id))
        elif isinstance(request, Compare):
            self.replies.append(self.snapshot(request.fills_cursor, asked_at_ns))
        else:
            assert isinstance(request, MoveCash)
            self.replies.append(CashConfirmed(request.ref))

    def _create(self, wanted: Order) -> None:
        order_id = wanted.client_order_id
        self.creates[order_id] += 1
        assert self.creates[order_id] == 1, ("I2: created twice", order_id)
        order = VenueOrder(
            order_id, f"V{len(self.orders)}", wanted.symbol, wanted.side,
            wanted.position_side if self.policy.is_hedged else None, wanted.order_type,
            wanted.quantity, ZERO, OrderStatus.ACCEPTED, wanted.reduce_only, self.now_ns,
            wanted.limit_price, wanted.trigger_price,
        )  # fmt: skip
        self.orders[order_id] = order
        reason, self.refuse_next = self._refusal(order) or self.refuse_next, None
        if reason is not None:
            self.end(order_id, ReportWord.REJECTED, reason)
        else:
            self._say(order, ReportWord.ACCEPTED)

    def _refusal(self, order: VenueOrder) -> Reason | None:
        if not order.reduce_only:
            return None
        others = ZERO if self.policy.venue_clips else self._reducing(order)
        too_much = ZERO if self.policy.venue_clips else order.quantity - 1
        if self.reducible(order) <= others + too_much:
            return Reason.REDUCE_ONLY
        return Reason.WOULD_TRIGGER if self._is_reached(order) else None

    def _reducing(self, order: VenueOrder) -> Decimal:
        """What other reduce-only orders against the same holding have left."""
        return sum(
            (
                other.quantity - other.filled
                for other in self.working(*OrderType)
                if other.reduce_only
                and other.client_order_id != order.client_order_id
                and (other.symbol, other.side, other.position_side)
                == (order.symbol, order.side, order.position_side)
            ),
            ZERO,
        )

    def _is_reached(self, order: VenueOrder) -> bool:
        if order.trigger_price is None:
            return False
        is_sell = order.side is Side.SELL
        return self.price <= order.trigger_price if is_sell else self.price >= order.trigger_price

    def reducible(self, order: VenueOrder) -> Decimal:
        """How much of the holding an order of its side can still take away."""
        held = self.holdings.get((order.symbol, order.position_side), ZERO)
        return max(ZERO, -order.side.sign * held)

    # -- what the test makes happen ----------------------------------------------------------------

    def fill(self, order_id: str, wanted: Decimal) -> None:
        """Trade up to `wanted` of an order at the price; a reduce-only one ends when nothing is
        left to reduce."""
        order = self.orders[order_id]
        quantity = min(wanted, order.quantity - order.filled)
        if order.reduce_only:
            quantity = min(quantity, self.reducible(order))
        if quantity > ZERO:
            filled = order.filled + quantity
            status = OrderStatus.PARTIALLY_FILLED
            if filled == order.quantity:
                status = OrderStatus.FILLED
            order = self.orders[order_id] = replace(order, filled=filled, status=status)
            fill = self._execute(order, quantity)
            self._say(order, ReportWord.TRADE, fill)
        if order.status not in FINAL and order.reduce_only and self.reducible(order) == ZERO:
            self.end(order_id, ReportWord.CANCELED, Reason.REDUCE_ONLY)

    def _execute(self, order: VenueOrder, quantity: Decimal) -> VenueFill:
        number = len(self.trades)
        fee = quantity * self.price / 10_000
        fill = VenueFill(f"T{number}", quantity, self.price, fee, self.now_ns)
        self.trades.append(
            VenueExecution(
                order.client_order_id, order.venue_order_id, order.symbol, order.side,
                order.position_side, fill,
            )
        )  # fmt: skip
        key = (order.symbol, order.position_side)
        before = self.holdings.get(key, ZERO)
        self.holdings[key] = after = before + order.side.sign * quantity
        assert not order.reduce_only or (abs(after) < abs(before) and before * after >= ZERO), "I9"
        return fill

    def end(self, order_id: str, word: ReportWord, reason: Reason | None = None) -> None:
        """An order ends without a further fill."""
        order = replace(self.orders[order_id], status=OrderStatus(word.value), end_reason=reason)
        self.orders[order_id] = order
        self._say(order, word, reason=reason)

    def move_to(self, price: Decimal) -> None:
        """The price moves; stops that it reaches trigger."""
        self.price = price
        for stop in self.working(OrderType.STOP):
            if _rests(stop) and self._is_reached(stop):
                self.orders[stop.client_order_id] = triggered = replace(stop, is_triggered=True)
                self._say(triggered, ReportWord.TRIGGERED)

    def foreign(self, symbol: str, position_side: PositionSide, side: Side, wanted: int) -> None:
        """Somebody else trades on the account; in hedge mode a closing trade only reduces."""
        order = VenueOrder(
            f"somebody{len(self.trades)}", "", symbol, side,
            position_side if self.policy.is_hedged else None, OrderType.MARKET,
            Decimal(wanted), Decimal(wanted), OrderStatus.FILLED,
            self.policy.is_hedged and side is position_side.closes_with, self.now_ns,
        )  # fmt: skip
        quantity = order.quantity
        if order.reduce_only:
            quantity = min(quantity, self.reducible(order))
        if quantity > ZERO:
            self._execute(order, quantity)

    # -- what it says ------------------------------------------------------------------------------

    def _say(
        self,
        order: VenueOrder,
        word: ReportWord,
        fill: VenueFill | None = None,
        reason: Reason | None = None,
    ) -> None:
        self.replies.append(
            OrderReport(
                order.client_order_id, word, self.now_ns, order.venue_order_id, fill, reason
            )
        )

    def _found(self, order_id: str) -> OrderFound | OrderAbsent:
        order = self.orders.get(order_id)
        if order is None:
            return OrderAbsent(order_id, self.now_ns)
        fills = tuple(t.fill for t in self.trades if t.client_order_id == order_id)
        return OrderFound(order, fills, self.now_ns)

    def snapshot(self, cursor: str, asked_at_ns: int) -> Snapshot:
        """Open orders, trades since the cursor and holdings, as they are now."""
        return Snapshot(
            asked_at_ns,
            self.now_ns,
            tuple(self.working(*OrderType)),
            tuple(self.trades[int(cursor or 0) :]),
            tuple(VenueHolding(*key, held) for key, held in self.holdings.items()),
            str(len(self.trades)),
        )


def _rests(order: VenueOrder) -> bool:
    return order.order_type is OrderType.STOP and not order.is_triggered
