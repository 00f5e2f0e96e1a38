"""The records of the exchange behind the loopback venue servers: orders, fills, positions and
payments, and what it tells of them. They never change; `matching.py` replaces them.
"""

from decimal import Decimal
from enum import StrEnum

import msgspec

ZERO = Decimal(0)
replace = msgspec.structs.replace


class Side(StrEnum):
    BUY = "buy"
    SELL = "sell"

    @property
    def sign(self) -> int:
        return 1 if self is Side.BUY else -1


class Holding(StrEnum):
    """Which position an order is for: the one of a netting account, or one of two that hedge."""

    NET = "net"
    LONG = "long"
    SHORT = "short"


class TimeInForce(StrEnum):
    GTC = "gtc"
    IOC = "ioc"
    FOK = "fok"
    POST_ONLY = "post_only"


class TriggerBy(StrEnum):
    """Which price sets off a stop: the last traded one, or the quote that it would trade at."""

    LAST = "last"
    TOUCH = "touch"


class Status(StrEnum):
    UNTRIGGERED = "untriggered"
    NEW = "new"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REJECTED = "rejected"


ENDED = {Status.FILLED, Status.CANCELED, Status.EXPIRED, Status.REJECTED}


class Reason(StrEnum):
    """Why an order was refused, or ended before it was filled."""

    DUPLICATE_ID = "duplicate_id"
    UNKNOWN_SYMBOL = "unknown_symbol"
    UNKNOWN_ORDER = "unknown_order"
    ORDER_ENDED = "order_ended"
    BAD_TICK = "bad_tick"
    BAD_LOT = "bad_lot"
    BELOW_MINIMUM = "below_minimum"
    BELOW_NOTIONAL = "below_notional"
    ABOVE_MAXIMUM = "above_maximum"
    WRONG_HOLDING = "wrong_holding"
    NOTHING_TO_REDUCE = "nothing_to_reduce"
    WOULD_TRIGGER = "would_trigger"
    INSUFFICIENT = "insufficient"
    ASKED = "asked"
    NOT_FILLED_AT_ONCE = "not_filled_at_once"
    WOULD_TAKE = "would_take"


class Refused(ValueError):
    """The request changed nothing."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason


class Instrument(msgspec.Struct, frozen=True, kw_only=True):
    symbol: str
    base: str
    quote: str
    tick: Decimal
    lot: Decimal
    min_quantity: Decimal
    max_quantity: Decimal
    max_market_quantity: Decimal
    min_notional: Decimal = ZERO


class Quote(msgspec.Struct, frozen=True, kw_only=True):
    """The best prices; a price of zero is a side without anybody, a size of None has no end."""

    bid: Decimal
    ask: Decimal
    last: Decimal
    bid_size: Decimal | None = None
    ask_size: Decimal | None = None
    at_ns: int = 0


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """`price` is None for a market order; with `trigger_price` it waits for that price, from below
    if `trigger_rises`. `cost` is the sum of price x quantity over its fills."""

    id: str = ""
    client_id: str = ""
    symbol: str
    side: Side
    quantity: Decimal
    price: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    holding: Holding = Holding.NET
    is_reduce_only: bool = False
    trigger_price: Decimal | None = None
    trigger_rises: bool = False
    trigger_by: TriggerBy = TriggerBy.LAST
    is_triggered: bool = False
    status: Status = Status.NEW
    ended_by: Reason | None = None
    filled: Decimal = ZERO
    cost: Decimal = ZERO
    fee: Decimal = ZERO
    created_ns: int = 0
    updated_ns: int = 0

    @property
    def leaves(self) -> Decimal:
        return ZERO if self.status in ENDED else self.quantity - self.filled

    @property
    def average(self) -> Decimal:
        return self.cost / self.filled if self.filled else ZERO

    @property
    def only_closes(self) -> bool:
        """Reduce-only, said or implied: an account that hedges sells a LONG only to close it."""
        opens = {Holding.LONG: Side.BUY, Holding.SHORT: Side.SELL}.get(self.holding, self.side)
        return self.is_reduce_only or self.side is not opens


class FillKind(StrEnum):
    TRADE = "trade"
    LIQUIDATION = "liquidation"
    DELEVERAGING = "deleveraging"


class Fill(msgspec.Struct, frozen=True, kw_only=True):
    """`closed` is how much of the quantity reduced the position, `realized` its result."""

    id: str
    order_id: str
    client_id: str
    symbol: str
    side: Side
    holding: Holding
    quantity: Decimal
    price: Decimal
    fee: Decimal
    is_maker: bool
    closed: Decimal
    realized: Decimal
    kind: FillKind
    at_ns: int


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """`quantity` is signed, and so is `cost`, what it was bought or sold for."""

    symbol: str
    holding: Holding
    quantity: Decimal = ZERO
    cost: Decimal = ZERO
    realized: Decimal = ZERO
    created_ns: int = 0
    updated_ns: int = 0

    @property
    def entry_price(self) -> Decimal:
        return self.cost / self.quantity if self.quantity else ZERO


class Payment(msgspec.Struct, frozen=True, kw_only=True):
    """Money that moved without a trade: funding, positive where the user receives it."""

    id: str
    symbol: str
    amount: Decimal
    holding: Holding
    quantity: Decimal
    price: Decimal
    at_ns: int


class ChangeKind(StrEnum):
    NEW = "new"
    TRIGGERED = "triggered"
    TRADE = "trade"
    AMENDED = "amended"
    ENDED = "ended"
    PAYMENT = "payment"


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a venue would tell its user: `order` is as it was right after."""

    kind: ChangeKind
    order: Order | None = None
    fill: Fill | None = None
    payment: Payment | None = None
