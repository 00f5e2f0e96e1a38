"""The books of one user at an exchange that does not exist: what the loopback venue servers answer
from, so that none of them invents an order, a fill or a balance.

It knows no protocol: a server turns its venue's requests into calls, a `Refused` into the venue's
code, and each `Change` that it hears into the venue's messages. One thread uses it.

Invariants: a position is the sum of its fills; cash is what was put in, plus results, payments and
fees, to the last digit once flat; an order that has ended never changes; a displayed size is
traded once.
"""

from collections.abc import Callable
from decimal import ROUND_DOWN, Decimal
from itertools import count

import msgspec

from tests.venue_servers.records import (
    ENDED,
    ZERO,
    Change,
    ChangeKind,
    Fill,
    FillKind,
    Holding,
    Instrument,
    Order,
    Payment,
    Position,
    Quote,
    Reason,
    Refused,
    Side,
    Status,
    TimeInForce,
)
from tests.venue_servers.rules import AT_ONCE, check_sizes, moved, offered, sets_off

replace = msgspec.structs.replace


class Account:
    """`pieces` is in how many trades a match is reported. `hears` gets each change as it happens.
    With `settles_in_full` a buyer pays the whole price, as for shares; else only results move
    cash, as for perpetual futures. `keeps_ids` forbids a client id for ever, not only while its
    order is open."""

    def __init__(
        self,
        instruments: dict[str, Instrument],
        cash: Decimal,
        *,
        now_ns: Callable[[], int],
        hears: Callable[[Change], None] = lambda _: None,
        new_id: Callable[[], str] | None = None,
        settles_in_full: bool = False,
        keeps_ids: bool = True,
        taker_rate: Decimal = ZERO,
        maker_rate: Decimal = ZERO,
        leverage: Decimal = Decimal(1),
    ) -> None:
        self.instruments = instruments
        self.cash = cash
        self.now_ns = now_ns
        self.hears = hears
        self.settles_in_full = settles_in_full
        self.keeps_ids = keeps_ids
        self.taker_rate, self.maker_rate = taker_rate, maker_rate
        self.leverage = leverage
        self.is_hedging = False
        self.pieces = 1
        self.orders: dict[str, Order] = {}
        self.fills: list[Fill] = []
        self.payments: list[Payment] = []
        self.quotes: dict[str, Quote] = {}
        self.halted: set[str] = set()
        self.positions: dict[tuple[str, Holding], Position] = {}
        numbers = count(1)
        self.new_id = new_id or (lambda: str(next(numbers)))

    # --- what a user asks -------------------------------------------------------------------------

    def place(self, order: Order) -> Order:
        """The order as it is after it has matched what it could; raises Refused."""
        self._check(order)
        now = self.now_ns()
        waits = order.trigger_price is not None and not order.is_triggered
        status = Status.UNTRIGGERED if waits else Status.NEW
        order = replace(order, id=self.new_id(), status=status, created_ns=now, updated_ns=now)
        self._put(ChangeKind.NEW, order)
        if not waits:
            self._take(order.id)
        return self.orders[order.id]

    def cancel(self, order_id: str, reason: Reason = Reason.ASKED) -> Order:
        order = self.open_order(order_id)
        return self._end(order, Status.CANCELED, reason)

    def amend(
        self,
        order_id: str,
        *,
        quantity: Decimal | None = None,
        price: Decimal | None = None,
        trigger_price: Decimal | None = None,
    ) -> Order:
        old = self.open_order(order_id)
        order = replace(
            old,
            quantity=old.quantity if quantity is None else quantity,
            price=old.price if price is None else price,
            trigger_price=old.trigger_price if trigger_price is None else trigger_price,
        )
        check_sizes(order, self.instruments[order.symbol], self._worth(order))
        if order.quantity <= order.filled:
            raise Refused(Reason.BELOW_MINIMUM, f"{order.filled} is filled")
        if order.status is Status.UNTRIGGERED and sets_off(order, self.quotes.get(order.symbol)):
            raise Refused(Reason.WOULD_TRIGGER, str(order.trigger_price))
        self._put(ChangeKind.AMENDED, order)
        if order.status is not Status.UNTRIGGERED:
            self._take(order_id)
        return self.orders[order_id]

    def open_order(self, order_id: str) -> Order:
        order = self.orders.get(order_id)
        if order is None:
            raise Refused(Reason.UNKNOWN_ORDER, order_id)
        if order.status in ENDED:
            raise Refused(Reason.ORDER_ENDED, f"{order_id} is {order.status}")
        return order

    def by_client_id(self, client_id: str) -> Order | None:
        """The newest order with this id."""
        found = (o for o in reversed(self.orders.values()) if o.client_id == client_id)
        return next(found, None)

    def open_orders(self, symbol: str | None = None) -> list[Order]:
        found = [o for o in self.orders.values() if o.status not in ENDED]
        return [o for o in found if symbol in (None, o.symbol)]

    def position(self, symbol: str, holding: Holding = Holding.NET) -> Position:
        return self.positions.get((symbol, holding)) or Position(symbol=symbol, holding=holding)

    def held(self) -> list[Position]:
        return [p for p in self.positions.values() if p.quantity]

    def unrealized(self, position: Position) -> Decimal:
        quote = self.quotes.get(position.symbol)
        return quote.last * position.quantity - position.cost if quote else ZERO

    def equity(self) -> Decimal:
        results = sum((self.unrealized(p) for p in self.held()), ZERO)
        paid = sum((p.cost for p in self.held()), ZERO)
        return self.cash + results + (paid if self.settles_in_full else ZERO)

    # --- what the market does ---------------------------------------------------------------------

    def quote(
        self,
        symbol: str,
        bid: Decimal,
        ask: Decimal,
        *,
        bid_size: Decimal | None = None,
        ask_size: Decimal | None = None,
        last: Decimal | None = None,
    ) -> Quote:
        """Moves the market. The last price follows no farther than it must to stand between bid and
        ask, unless it is given."""
        if symbol not in self.instruments:
            raise Refused(Reason.UNKNOWN_SYMBOL, symbol)
        before = self.quotes.get(symbol)
        if last is None:
            last = before.last if before else (bid + ask) / 2
            last = max(last, bid) if bid else last
            last = min(last, ask) if ask else last
        self.quotes[symbol] = Quote(
            bid=bid, ask=ask, last=last, bid_size=bid_size, ask_size=ask_size, at_ns=self.now_ns()
        )
        self._match(symbol)
        return self.quotes[symbol]

    def halt(self, symbol: str) -> None:
        """Orders are taken, nothing trades and nothing triggers."""
        self.halted.add(symbol)

    def resume(self, symbol: str) -> None:
        self.halted.discard(symbol)
        self._match(symbol)

    def liquidate(
        self,
        symbol: str,
        holding: Holding = Holding.NET,
        kind: FillKind = FillKind.LIQUIDATION,
        client_id: str = "",
    ) -> Order:
        """The venue closes the position by an order of its own, at the price where it can."""
        held = self.position(symbol, holding)
        if not held.quantity:
            raise Refused(Reason.NOTHING_TO_REDUCE, symbol)
        side = Side.SELL if held.quantity > 0 else Side.BUY
        price = self.quotes[symbol].bid if side is Side.SELL else self.quotes[symbol].ask
        now = self.now_ns()
        order = Order(
            id=self.new_id(),
            client_id=client_id,
            symbol=symbol,
            side=side,
            quantity=abs(held.quantity),
            time_in_force=TimeInForce.IOC,
            holding=holding,
            is_reduce_only=True,
            created_ns=now,
            updated_ns=now,
        )
        self._put(ChangeKind.NEW, order)
        return self._trade(order, order.quantity, price, is_maker=False, kind=kind)

    def pay(self, symbol: str, amount: Decimal, holding: Holding = Holding.NET) -> Payment:
        """Funding: received if positive."""
        payment = Payment(
            id=self.new_id(),
            symbol=symbol,
            amount=amount,
            holding=holding,
            quantity=self.position(symbol, holding).quantity,
            price=self._last(symbol),
            at_ns=self.now_ns(),
        )
        self.cash += amount
        self.payments.append(payment)
        self.hears(Change(kind=ChangeKind.PAYMENT, payment=payment))
        return payment

    # --- checks -----------------------------------------------------------------------------------

    def _check(self, order: Order) -> None:
        if order.symbol not in self.instruments:
            raise Refused(Reason.UNKNOWN_SYMBOL, order.symbol)
        if order.client_id and self._is_taken(order.client_id):
            raise Refused(Reason.DUPLICATE_ID, order.client_id)
        if (order.holding is not Holding.NET) is not self.is_hedging:
            raise Refused(Reason.WRONG_HOLDING, order.holding)
        check_sizes(order, self.instruments[order.symbol], self._worth(order))
        if order.trigger_price is not None and sets_off(order, self.quotes.get(order.symbol)):
            raise Refused(Reason.WOULD_TRIGGER, str(order.trigger_price))
        if order.trigger_price is None:
            self._check_means(order)

    def _is_taken(self, client_id: str) -> bool:
        holders = (o for o in self.orders.values() if o.client_id == client_id)
        return any(self.keeps_ids or o.status not in ENDED for o in holders)

    def _check_means(self, order: Order) -> None:
        """Whether there is something to close, or enough to open with: when an order would trade,
        so for a stop only when it has triggered."""
        if order.only_closes:
            if not self._closable(order):
                raise Refused(Reason.NOTHING_TO_REDUCE, order.symbol)
            return
        opening = max(ZERO, order.quantity - self._closable(order))
        bound = sum((abs(p.quantity) * self._last(p.symbol) for p in self.held()), ZERO)
        working = (o for o in self.open_orders() if o.id != order.id and not o.only_closes)
        bound += sum((o.leaves * self._worth(o) for o in working if o.trigger_price is None), ZERO)
        if bound + opening * self._worth(order) > self.equity() * self.leverage:
            raise Refused(Reason.INSUFFICIENT, f"{order.quantity} {order.symbol}")

    def _closable(self, order: Order) -> Decimal:
        """How much of the position the side of this order would close."""
        return max(ZERO, -order.side.sign * self.position(order.symbol, order.holding).quantity)

    def _worth(self, order: Order) -> Decimal:
        return order.price or order.trigger_price or self._last(order.symbol)

    def _last(self, symbol: str) -> Decimal:
        quote = self.quotes.get(symbol)
        return quote.last if quote else ZERO

    # --- trading ----------------------------------------------------------------------------------

    def _match(self, symbol: str) -> None:
        """Triggers what the market has reached, and trades what rests there, oldest first."""
        if symbol in self.halted:
            return
        for order_id in [order.id for order in self.open_orders(symbol)]:
            order = self.orders[order_id]
            if order.status is Status.UNTRIGGERED and sets_off(order, self.quotes.get(symbol)):
                self._trigger(order)
            elif order.leaves and order.status is not Status.UNTRIGGERED:
                self._take(order_id, rests=True)

    def _trigger(self, order: Order) -> None:
        order = replace(order, is_triggered=True, status=Status.NEW)
        try:
            self._check_means(order)
        except Refused as refused:
            self._end(order, Status.REJECTED, refused.reason)
            return
        self._put(ChangeKind.TRIGGERED, order)
        self._take(order.id)

    def _take(self, order_id: str, *, rests: bool = False) -> None:
        """Trades with the quote, then lets the rest work or end as its time in force says."""
        order = self.orders[order_id]
        if order.symbol in self.halted:
            return
        price, available = offered(order, self.quotes.get(order.symbol), self._closable(order))
        works = order.price is not None and order.time_in_force not in AT_ONCE
        if available and order.time_in_force is TimeInForce.POST_ONLY and not rests:
            self._end(order, Status.CANCELED, Reason.WOULD_TAKE)
            return
        is_maker = works and rests
        is_enough = order.time_in_force is not TimeInForce.FOK or available >= order.leaves
        if available and is_enough:
            at = order.price if is_maker and order.price else price
            order = self._trade(order, available, at, is_maker=is_maker)
        if order.leaves and not works:
            self._end(order, Status.EXPIRED, Reason.NOT_FILLED_AT_ONCE)

    def _trade(
        self,
        order: Order,
        quantity: Decimal,
        price: Decimal,
        *,
        is_maker: bool,
        kind: FillKind = FillKind.TRADE,
    ) -> Order:
        """Trades so much of the order, in `pieces`."""
        lot = self.instruments[order.symbol].lot
        piece = (quantity / self.pieces / lot).to_integral_value(ROUND_DOWN) * lot
        parts = [piece] * (self.pieces - 1) if piece else []
        for part in [*parts, quantity - sum(parts, ZERO)]:
            order = self._book(order, part, price, is_maker, kind)
        self._use_up(order, quantity)
        self._end_overtaken(order.symbol, order.holding)
        return self.orders[order.id]

    def _book(
        self, order: Order, quantity: Decimal, price: Decimal, is_maker: bool, kind: FillKind
    ) -> Order:
        now = self.now_ns()
        fee = quantity * price * (self.maker_rate if is_maker else self.taker_rate)
        closed = min(quantity, self._closable(order))
        signed = order.side.sign * quantity
        after, realized = moved(self.position(order.symbol, order.holding), signed, price, now)
        self.positions[order.symbol, order.holding] = after
        self.cash -= fee + (signed * price if self.settles_in_full else -realized)
        filled = order.filled + quantity
        order = replace(
            order,
            filled=filled,
            cost=order.cost + quantity * price,
            fee=order.fee + fee,
            status=Status.FILLED if filled == order.quantity else Status.PARTIALLY_FILLED,
        )
        fill = Fill(
            id=self.new_id(),
            order_id=order.id,
            client_id=order.client_id,
            symbol=order.symbol,
            side=order.side,
            holding=order.holding,
            quantity=quantity,
            price=price,
            fee=fee,
            is_maker=is_maker,
            closed=closed,
            realized=realized,
            kind=kind,
            at_ns=now,
        )
        self.fills.append(fill)
        return self._put(ChangeKind.TRADE, order, fill)

    def _use_up(self, order: Order, quantity: Decimal) -> None:
        quote = self.quotes[order.symbol]
        name = "ask_size" if order.side is Side.BUY else "bid_size"
        size = getattr(quote, name)
        if size is not None:
            self.quotes[order.symbol] = replace(quote, **{name: max(ZERO, size - quantity)})

    def _end_overtaken(self, symbol: str, holding: Holding) -> None:
        """Ends working orders that have nothing left to close; stops wait and fail when they
        trigger."""
        for order in self.open_orders(symbol):
            is_working = order.status is not Status.UNTRIGGERED and order.holding is holding
            if is_working and order.only_closes and not self._closable(order):
                self._end(order, Status.CANCELED, Reason.NOTHING_TO_REDUCE)

    def _end(self, order: Order, status: Status, reason: Reason) -> Order:
        return self._put(ChangeKind.ENDED, replace(order, status=status, ended_by=reason))

    def _put(self, kind: ChangeKind, order: Order, fill: Fill | None = None) -> Order:
        order = replace(order, updated_ns=self.now_ns())
        self.orders[order.id] = order
        self.hears(Change(kind=kind, order=order, fill=fill))
        return order
