"""Orders and fills.

An order belongs to one VA and one position; each fill has one owner (RULES 15). What an order is
called at the venue is in `client_order_ids.py`.
"""

from decimal import Decimal
from enum import StrEnum

import msgspec

from pointsman.domain.life_cycle import FINAL, OrderStatus
from pointsman.domain.market import base_coin
from pointsman.domain.money import ZERO
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import PositionSide, Side


class Role(StrEnum):
    """What an order is for. The letter stands in its client order id."""

    ENTRY = "entry"
    STOP = "stop"
    EXIT = "exit"

    @property
    def letter(self) -> str:
        return {"entry": "E", "stop": "S", "exit": "X"}[self.value]


class OrderType(StrEnum):
    """How an order trades: a bounded immediate-or-cancel limit, a resting stop, a market order."""

    LIMIT_IOC = "limit_ioc"
    STOP = "stop"
    MARKET = "market"


AT_MARKET = (OrderType.STOP, OrderType.MARKET)
"""The kinds that execute as market orders, a stop once it has triggered."""


class Order(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, tag=True):
    """One order, and all that we know of it.

    `filled` is the cumulative quantity, `filled_value` the sum of quantity x price of its fills.
    `position_id` is the number of the entry that opened the position. `stop_level`,
    `stop_percentage` and `take_profit` are the plan that an entry's position will follow;
    `trigger_price` is a stop's trigger. `covers_until_ns` is the time until which an
    accepted exit, or a stop that has triggered, counts as cover of its position, and else None
    (RULES 63). `is_queued`: the venue has accepted it and keeps it until its session (RULES 52).
    """

    client_order_id: str
    va_id: str
    symbol: str
    position_id: int
    role: Role
    order_type: OrderType
    side: Side
    position_side: PositionSide
    quantity: Decimal
    created_at_ns: int
    limit_price: Decimal | None = None
    trigger_price: Decimal | None = None
    stop_level: Decimal | None = None
    stop_percentage: Decimal | None = None
    take_profit: Decimal | None = None
    signal_id: str | None = None
    exit_reason: Reason | None = None
    status: OrderStatus = OrderStatus.INITIALIZED
    is_unknown: bool = False
    is_cancel_pending: bool = False
    is_triggered: bool = False
    filled: Decimal = ZERO
    filled_value: Decimal = ZERO
    fees: Decimal = ZERO
    venue_order_id: str | None = None
    end_reason: Reason | None = None
    sent_at_ns: int | None = None
    cancel_sent_at_ns: int | None = None
    updated_at_ns: int = 0
    covers_until_ns: int | None = None
    is_queued: bool = False

    @property
    def reduce_only(self) -> bool:
        return self.role is not Role.ENTRY

    @property
    def is_final(self) -> bool:
        return self.status in FINAL

    @property
    def leaves(self) -> Decimal:
        """The quantity that may still fill: zero once final (FIX LeavesQty)."""
        return ZERO if self.status in FINAL else max(ZERO, self.quantity - self.filled)

    @property
    def left_at_ns(self) -> int:
        """When it left, as far as is known: from then on its request may arrive."""
        return self.created_at_ns if self.sent_at_ns is None else self.sent_at_ns

    @property
    def is_working(self) -> bool:
        """Whether the venue has confirmed it and it can still fill."""
        return (
            self.status in (OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED)
            and not self.is_unknown
        )

    @property
    def has_begun_to_close(self) -> bool:
        """Whether it is an exit that the venue has accepted, or a stop that has triggered, and has
        not ended: by its last known status, also while that is in doubt."""
        is_open = self.status in (OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED)
        return is_open and (self.role is Role.EXIT or self.is_triggered)

    @property
    def is_resting_stop(self) -> bool:
        """Whether it is a stop that the venue has confirmed and that has not triggered."""
        return self.is_working and self.role is Role.STOP and not self.is_triggered

    def awaits_answer(self, left_at_ns: int) -> bool:
        """Whether what left then, the order itself or its cancel, has not been answered yet."""
        if self.status is OrderStatus.SUBMITTED and self.sent_at_ns == left_at_ns:
            return True
        return self.is_cancel_pending and self.cancel_sent_at_ns == left_at_ns

    @property
    def shown_status(self) -> OrderStatus:
        """The status with the marks of our knowledge on top (RULES 27)."""
        if self.status in FINAL:
            return self.status
        if self.is_unknown:
            return OrderStatus.UNKNOWN
        return OrderStatus.PENDING_CANCEL if self.is_cancel_pending else self.status


def total_leaves(orders: list[Order]) -> Decimal:
    """The quantity that orders may still fill together."""
    return sum([order.leaves for order in orders], ZERO)


class ForeignOrder(msgspec.Struct, frozen=True, gc=False, order=True):
    """An order at work at the account that is not ours; `order_id` is its client's, where it has
    one, else the venue's. `is_stop`: it rests until the market reaches its trigger."""

    order_id: str
    symbol: str
    side: Side
    is_stop: bool = False


class KnownOrder(msgspec.Struct, frozen=True, gc=False):
    """What storage remembers of a final order that is reported once more (RULES 32). `parts` is how
    many trades its position has become, the two counters how many orders were made for it."""

    order: Order
    fill_keys: tuple[str, ...]
    parts: int
    stops_made: int
    exits_made: int


class Fill(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, tag=True):
    """One execution, booked once. `key` identifies it (venue order, trade id, side); `venue_ts_ns`
    is when the venue says it happened, `booked_at_ns` when we learned of it. `is_external`: nothing
    of ours caused it. `quantity` and `fee` are as the venue reported them; `fee_currency` is
    None where the fee is in the currency of the price."""

    key: str
    client_order_id: str
    va_id: str
    symbol: str
    position_id: int
    side: Side
    quantity: Decimal
    price: Decimal
    fee: Decimal
    trade_id: str
    venue_ts_ns: int
    booked_at_ns: int
    is_external: bool = False
    fee_currency: str | None = None

    @property
    def is_fee_from_holding(self) -> bool:
        """Whether the fee was taken from the coin that was traded, and so from what is held."""
        return self.fee_currency is not None and self.fee_currency == base_coin(self.symbol)

    @property
    def is_fee_left_out(self) -> bool:
        """Whether the fee was paid in a third coin, which no result counts."""
        return self.fee_currency is not None and not self.is_fee_from_holding
