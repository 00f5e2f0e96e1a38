"""The hostile venue's own books: orders, executions, holdings and money.

Written without the engine's accounting, so that the two can be held against each other. Invariants,
whatever is done to them:

* a client order id is created once, and an order never fills beyond its quantity;
* a reduce-only order never makes a holding grow or change its sign: it is clipped (I9);
* what executed is never forgotten.
"""

from decimal import Decimal
from enum import Enum

import msgspec

from pointsman.domain.events import ChargePaid, FundingPaid, VenueFill
from pointsman.domain.life_cycle import FINAL, OrderStatus
from pointsman.domain.orders import OrderType
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import PositionSide, Side
from pointsman.domain.venue_reports import VenueExecution, VenueHolding, VenueOrder
from pointsman.simulator.faults import Fault
from pointsman.simulator.market_walk import lot_of

NOTHING = Decimal(0)
_FEE = Decimal("0.0001")
_COIN_FEE = Decimal("0.001")
_THIRD_COIN, _THIRD_COIN_PRICE = "BNB", Decimal(600)

HoldingKey = tuple[str, PositionSide | None]


class Working(msgspec.Struct, gc=False):
    """One order as the venue has it; mutable."""

    client_order_id: str
    venue_order_id: str
    symbol: str
    side: Side
    position_side: PositionSide | None
    order_type: OrderType
    quantity: Decimal
    reduce_only: bool
    ts_ns: int
    limit_price: Decimal | None = None
    trigger_price: Decimal | None = None
    filled: Decimal = NOTHING
    status: OrderStatus = OrderStatus.ACCEPTED
    is_triggered: bool = False
    shows_trigger: bool = False
    rests_until_ns: int = 0
    end_reason: Reason | None = None
    is_foreign: bool = False
    fills: list[VenueFill] = msgspec.field(default_factory=list)

    @property
    def is_open(self) -> bool:
        return self.status not in FINAL

    @property
    def leaves(self) -> Decimal:
        return self.quantity - self.filled if self.is_open else NOTHING

    @property
    def holding(self) -> HoldingKey:
        return (self.symbol, self.position_side)

    def told(self) -> VenueOrder:
        """As the venue tells it."""
        return VenueOrder(
            client_order_id=self.client_order_id,
            venue_order_id=self.venue_order_id,
            symbol=self.symbol,
            side=self.side,
            position_side=self.position_side,
            order_type=self.order_type,
            quantity=self.quantity,
            filled=self.filled,
            status=self.status,
            reduce_only=self.reduce_only,
            ts_ns=self.ts_ns,
            limit_price=self.limit_price,
            trigger_price=self.trigger_price,
            is_triggered=self.shows_trigger,
            end_reason=self.end_reason,
        )


class FeeMode(Enum):
    """What the fee of a coin is taken from: of a purchase the coin itself, or always a third one.
    Everything else costs money."""

    MONEY = "money"
    BASE = "base"
    THIRD = "third"


FEE_FAULTS = {FeeMode.BASE: Fault.FEE_IN_BASE, FeeMode.THIRD: Fault.FEE_IN_THIRD_COIN}


class Ledger:
    """One account at the venue. `is_hedged` keeps long and short apart."""

    def __init__(
        self, *, is_hedged: bool, has_trade_ids: bool, fee_mode: FeeMode = FeeMode.MONEY
    ) -> None:
        self.is_hedged = is_hedged
        self.orders: dict[str, Working] = {}
        self.open_by_symbol: dict[str, dict[str, Working]] = {}
        self.trades: list[VenueExecution] = []
        self.holdings: dict[HoldingKey, Decimal] = {}
        self.ours: dict[HoldingKey, Decimal] = {}
        self.paid_by_ours = NOTHING
        self.fundings: list[FundingPaid] = []
        self.charges: list[ChargePaid] = []
        self.version: dict[str, int] = {}
        self._has_trade_ids = has_trade_ids
        self._fee_mode = fee_mode
        self._numbers = 0

    def next_number(self) -> int:
        self._numbers += 1
        return self._numbers

    def add(self, order: Working) -> None:
        """A new order is taken."""
        assert order.client_order_id not in self.orders, ("created twice", order.client_order_id)
        self.orders[order.client_order_id] = order
        self.open_by_symbol.setdefault(order.symbol, {})[order.client_order_id] = order
        self._changed(order.symbol)

    def _changed(self, symbol: str) -> None:
        self.version[symbol] = self.version.get(symbol, 0) + 1

    def open_orders(self, symbol: str) -> list[Working]:
        """The open orders of a symbol, oldest first."""
        return list(self.open_by_symbol.get(symbol, {}).values())

    def key(self, symbol: str, side: PositionSide) -> HoldingKey:
        """Where a position of that side is kept."""
        return (symbol, side if self.is_hedged else None)

    def reducible(self, order: Working) -> Decimal:
        """How much an order can take away from the holding that it is against, in lots."""
        held = self.holdings.get(order.holding, NOTHING)
        against = held if order.side is Side.SELL else -held
        lot = lot_of(order.symbol)
        return max(NOTHING, against // lot * lot)

    def execute(
        self, order: Working, wanted: Decimal, price: Decimal, now_ns: int
    ) -> VenueFill | None:
        """Trade up to `wanted`; None where nothing could trade."""
        quantity = min(wanted, order.leaves)
        if order.reduce_only:
            quantity = min(quantity, self.reducible(order))
        if quantity <= NOTHING:
            return None
        order.filled += quantity
        if order.filled == order.quantity:
            self.finish(order, OrderStatus.FILLED)
        else:
            order.status = OrderStatus.PARTIALLY_FILLED
        number = self.next_number()
        fee, currency = self._fee(order, quantity, price)
        trade_id = f"T{number}" if self._has_trade_ids else ""
        fill = VenueFill(
            trade_id=trade_id,
            quantity=quantity,
            price=price,
            fee=fee,
            ts_ns=now_ns,
            cumulative=order.filled,
            fee_currency=currency,
        )
        order.fills.append(fill)
        self.trades.append(
            VenueExecution(
                client_order_id=order.client_order_id,
                venue_order_id=order.venue_order_id,
                symbol=order.symbol,
                side=order.side,
                position_side=order.position_side,
                fill=fill,
            )
        )
        self._hold(order, fill)
        return fill

    def _fee(self, order: Working, quantity: Decimal, price: Decimal) -> tuple[Decimal, str | None]:
        """What an execution costs, and of what."""
        base, slash, _ = order.symbol.partition("/")
        if slash and self._fee_mode is FeeMode.BASE and order.side is Side.BUY:
            return quantity * _COIN_FEE, base
        if slash and self._fee_mode is FeeMode.THIRD:
            return quantity * price * _COIN_FEE / _THIRD_COIN_PRICE, _THIRD_COIN
        return quantity * price * _FEE, None

    def _hold(self, order: Working, fill: VenueFill) -> None:
        """Holdings and money after an execution."""
        sign = 1 if order.side is Side.BUY else -1
        change = sign * fill.quantity
        if fill.fee_currency not in (None, _THIRD_COIN):
            change -= fill.fee
        before = self.holdings.get(order.holding, NOTHING)
        after = before + change
        assert not order.reduce_only or (abs(after) < abs(before) and before * after >= 0), order
        self.holdings[order.holding] = after
        if not order.is_foreign:
            fee = fill.fee if fill.fee_currency is None else NOTHING
            self.paid_by_ours += sign * fill.quantity * fill.price + fee
            self.ours[order.holding] = self.ours.get(order.holding, NOTHING) + change
        self._changed(order.symbol)

    def settle_funding(
        self, rate: Decimal, prices: dict[str, Decimal], now_ns: int
    ) -> list[FundingPaid]:
        """A holder pays, or is paid, a rate of its value: longs where it is above zero."""
        settled = []
        for (symbol, side), held in self.holdings.items():
            if held:
                whose = PositionSide.LONG if held > 0 else PositionSide.SHORT
                settled.append(
                    FundingPaid(
                        funding_id=f"F{self.next_number()}",
                        symbol=symbol,
                        position_side=side or whose,
                        amount=-rate * held * prices[symbol],
                        ts_ns=now_ns,
                    )
                )
        self.fundings += settled
        return settled

    @property
    def cursor(self) -> str:
        """Where all that is known ends."""
        return f"{len(self.trades)}/{len(self.fundings)}/{len(self.charges)}"

    def charge(
        self, symbol: str, side: PositionSide | None, amount: Decimal, now_ns: int
    ) -> ChargePaid:
        """The account pays (< 0), or gets back, something for a symbol, or for none."""
        paid = ChargePaid(
            charge_id=f"C{self.next_number()}",
            amount=amount,
            ts_ns=now_ns,
            symbol=symbol,
            position_side=side,
        )
        self.charges.append(paid)
        return paid

    def move(self, key: HoldingKey, change: Decimal) -> None:
        """A holding changes without a trade."""
        self.holdings[key] = self.holdings.get(key, NOTHING) + change
        self._changed(key[0])

    def finish(self, order: Working, status: OrderStatus, reason: Reason | None = None) -> None:
        """An order ends."""
        order.status, order.end_reason = status, reason
        self.open_by_symbol[order.symbol].pop(order.client_order_id, None)
        self._changed(order.symbol)

    def shown_holdings(self) -> tuple[VenueHolding, ...]:
        """What the account holds."""
        return tuple(VenueHolding(*key, held) for key, held in self.holdings.items() if held)


def places(cursor: str) -> tuple[int, int, int]:
    """How many executions, funding payments and charges a cursor has passed."""
    trades, fundings, charges = (cursor or "0/0/0").split("/")
    return int(trades), int(fundings), int(charges)
