"""What never was at a venue, played on the quotes that are known: a desk, and a model of the venue
for its orders.

The desk decides as ever. An entry fills at the touch of the quote that it was decided on, up to the
displayed size, the rest is cancelled; an exit at the touch of the newest quote; a stop rests, and
trades at the touch of the first known quote at or through its trigger; a take-profit is watched as
ever. All of it happens at once. Invariant: what comes of it is marked as modelled (RULES 54).
"""

from collections.abc import Callable
from decimal import Decimal

from pointsman.domain import events as ev
from pointsman.domain.commands import Cancel, Command, MoveCash, Query, Step, Submit
from pointsman.domain.events import Event, Level, LevelReached, ReportWord, VenueFill
from pointsman.domain.market import Quote
from pointsman.domain.money import BPS, MONEY, ZERO, floor_to
from pointsman.domain.orders import Order, Role
from pointsman.domain.positions import Position
from pointsman.domain.sides import Side
from pointsman.execution.desk import Desk
from pointsman.execution.level_watch import LevelWatch


class Modelled:
    """One desk whose orders are filled by the model, but for those that `is_real` says came about
    in fact. `took` gets every step. `held` are the positions of each symbol that a quote may
    close."""

    def __init__(
        self,
        desk: Desk,
        fee_bps: Decimal,
        is_real: Callable[[Command], bool] = lambda _: False,
        took: Callable[[Step], None] = lambda _: None,
    ) -> None:
        self.desk = desk
        self.quotes: dict[str, Quote] = {}
        self.orders: dict[str, None] = {}
        self.held: dict[str, dict[int, None]] = {}
        self._positions: dict[int, None] = {}
        self._fee_bps = fee_bps
        self._is_real = is_real
        self._took = took
        self._watch = LevelWatch()
        self._stops: dict[int, dict[str, Order]] = {}

    @property
    def is_used(self) -> bool:
        """Whether anything was modelled."""
        return bool(self.orders)

    def see(self, quote: Quote | None) -> None:
        """A quote has become known, before what is decided at its time."""
        if quote is None or not quote.is_valid:
            return
        known = self.quotes.get(quote.symbol)
        if known is not None and quote.ts_ns <= known.ts_ns:
            return
        self.quotes[quote.symbol] = quote
        for position_id, level in self._watch.on_quote(quote):
            now_ns = max(quote.ts_ns, self.desk.now_ns)
            if level is Level.TAKE_PROFIT:
                self.turn(LevelReached(position_id, level, quote), now_ns)
                continue
            for order in list(self._stops.pop(position_id, {}).values()):
                for answer in self._closed(order):
                    self.turn(answer, now_ns)

    def turn(self, event: Event, now_ns: int) -> Step:
        """Have an event decided, and what follows of it at once."""
        step = self._handle(event, now_ns)
        commands = list(step.commands)
        for command in commands:  # grows while it is gone through
            for answer in () if self._is_real(command) else self._answers(command, now_ns):
                commands += self._handle(answer, now_ns).commands
        return step

    def rest(self, order: Order) -> None:
        """Let a stop rest here that rested at the venue."""
        self.orders[order.client_order_id] = None
        self._stops.setdefault(order.position_id, {})[order.client_order_id] = order
        self._positions[order.position_id] = None
        position = self.desk.books.positions.get(order.position_id)
        if position is not None:
            self._set_watch(position)

    def end(self, order: Order) -> None:
        """Let nothing more come of an order."""
        for answer in self._cancelled(order.client_order_id):
            self.turn(answer, self.desk.now_ns)

    def _handle(self, event: Event, now_ns: int) -> Step:
        step = self.desk.handle(event, now_ns)
        for record in step.changes:
            if type(record) is Position and record.position_id in self._positions:
                self._set_watch(record)
        self._took(step)
        return step

    def _set_watch(self, position: Position) -> None:
        held = self.held.setdefault(position.symbol, {})
        if position.is_live:
            held[position.position_id] = None
            target = None if position.closing_all else position.take_profit
            self._watch.set(
                position.position_id, position.symbol, position.side, position.stop_price, target
            )
        else:
            self._watch.drop(position.position_id)
            held.pop(position.position_id, None)
        if not held:
            del self.held[position.symbol]

    # -- the model ---------------------------------------------------------------------------------

    def _answers(self, command: Command, now_ns: int) -> list[Event]:
        if isinstance(command, Submit):
            return self._submitted(command.order)
        if isinstance(command, Cancel):
            return self._cancelled(command.client_order_id)
        if isinstance(command, Query):
            return [ev.OrderAbsent(command.client_order_id, now_ns)]
        return [ev.CashConfirmed(command.ref)] if isinstance(command, MoveCash) else []

    def _submitted(self, order: Order) -> list[Event]:
        self.orders[order.client_order_id] = None
        self._positions[order.position_id] = None
        if order.role is Role.STOP:
            self._stops.setdefault(order.position_id, {})[order.client_order_id] = order
            return [self._report(order, ReportWord.ACCEPTED)]
        if order.role is Role.EXIT:
            return self._closed(order)
        quantity = self._fillable(order)
        answers: list[Event] = [self._traded(order, quantity)] if quantity > ZERO else []
        if quantity < order.quantity:
            answers.append(self._report(order, ReportWord.CANCELED))
        return answers

    def _closed(self, order: Order) -> list[Event]:
        """What closes takes what its position holds, and no more."""
        if order.symbol not in self.quotes:
            return []
        position = self.desk.books.positions.get(order.position_id)
        known = self.desk.books.orders.get(order.client_order_id, order)
        held = position.quantity if position is not None and position.is_live else ZERO
        quantity = min(known.leaves, held)
        answers: list[Event] = [self._traded(order, quantity)] if quantity > ZERO else []
        if quantity < known.leaves:
            answers.append(self._report(order, ReportWord.CANCELED))
        return answers

    def _cancelled(self, order_id: str) -> list[Event]:
        order = self.desk.books.orders.get(order_id)
        if order is None:
            return []
        self.orders[order_id] = None
        self._stops.get(order.position_id, {}).pop(order_id, None)
        return [self._report(order, ReportWord.CANCELED)]

    def _fillable(self, order: Order) -> Decimal:
        """How much of an entry its quote fills."""
        touch, size = self._touch(order)
        limit = order.limit_price or ZERO
        is_within = touch <= limit if order.side is Side.BUY else touch >= limit
        lot = self.desk.books.policy.instrument(order.symbol).lot
        return min(order.quantity, floor_to(size, lot)) if is_within else ZERO

    def _touch(self, order: Order) -> tuple[Decimal, Decimal]:
        quote = self.quotes.get(order.symbol)
        if quote is None:
            return ZERO, ZERO
        is_buy = order.side is Side.BUY
        return (quote.ask, quote.ask_size) if is_buy else (quote.bid, quote.bid_size)

    def _traded(self, order: Order, quantity: Decimal) -> ev.OrderReport:
        price, _ = self._touch(order)
        own_fee = self.desk.books.policy.instrument(order.symbol).fee_bps
        rate = (self._fee_bps if own_fee is None else own_fee) / BPS
        fee = MONEY.multiply(MONEY.multiply(quantity, price), rate)
        ts_ns = max(self.desk.now_ns, self.quotes[order.symbol].ts_ns)
        fill = VenueFill(
            trade_id=f"model-{order.client_order_id}",
            quantity=quantity,
            price=price,
            fee=fee,
            ts_ns=ts_ns,
        )
        return self._report(order, ReportWord.TRADE, fill)

    def _report(
        self, order: Order, kind: ReportWord, fill: VenueFill | None = None
    ) -> ev.OrderReport:
        return ev.OrderReport(
            client_order_id=order.client_order_id,
            kind=kind,
            ts_ns=self.desk.now_ns,
            venue_order_id=f"model-{order.client_order_id}",
            fill=fill,
            mark=self.quotes.get(order.symbol),
        )
