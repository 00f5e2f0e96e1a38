"""The paper venue of docs/contract.md as a model: one account, reduce-only clipped or refused.

Net and hedge mode are one here, since no two holdings ever oppose each other in net mode (RULES
11). Of what is displayed only whole lots can be taken (RULES 61).

It knows orders and quotes, and nothing of virtual accounts. At one instant the caller gives it the
quote rows in file order and then lets arrive what is due (RULES 2); it answers with reports in the
order in which things happen. Orders act on one quote in the order of sending and share its
displayed size, per side (RULES 3).
"""

from collections import deque
from dataclasses import dataclass, field
from decimal import Decimal

from tests.audit.inputs import Quote, Settings
from tests.audit.rules import BPS, MILLISECOND_NS, is_through

ENTRY, STOP, EXIT = "entry", "stop", "exit"


@dataclass(eq=False)
class Order:
    """One order. `limit` is set for an entry, `trigger` for a stop; `owner` is for the desk's use
    alone."""

    owner: str
    position_id: int
    kind: str
    symbol: str
    side: str
    position_side: str
    quantity: Decimal
    limit: Decimal | None = None
    trigger: Decimal | None = None
    number: int = 0
    filled: Decimal = Decimal(0)
    is_accepted: bool = False
    is_triggered: bool = False
    is_final: bool = False
    is_cancel_sent: bool = False

    @property
    def leaves(self) -> Decimal:
        return self.quantity - self.filled


@dataclass(frozen=True)
class Report:
    """The venue's word on an order: ACCEPTED, TRIGGERED, TRADE, CANCELED or REJECTED. `is_last`: it
    has ended with this one; the figures are of a TRADE."""

    word: str
    order: Order
    ts_ns: int
    is_last: bool
    quantity: Decimal = Decimal(0)
    price: Decimal = Decimal(0)
    fee: Decimal = Decimal(0)


@dataclass
class Book:
    """The newest quote of a symbol, and what is left of its displayed sizes by the side of the
    taker."""

    quote: Quote
    left: dict[str, Decimal]


@dataclass
class Paper:
    """The venue. `held` is the account's quantity per symbol and position side."""

    settings: Settings
    books: dict[str, Book] = field(default_factory=dict)
    held: dict[tuple[str, str], Decimal] = field(default_factory=dict)
    resting: list[Order] = field(default_factory=list)
    on_the_way: deque[tuple[int, str, Order]] = field(default_factory=deque)
    orders_sent: int = 0

    def send(self, order: Order, now_ns: int) -> None:
        self.orders_sent += 1
        order.number = self.orders_sent
        self._dispatch("new", order, now_ns)

    def cancel(self, order: Order, now_ns: int) -> None:
        order.is_cancel_sent = True
        self._dispatch("cancel", order, now_ns)

    def _dispatch(self, what: str, order: Order, now_ns: int) -> None:
        latency_ns = self.settings.nanoseconds("PAPER_LATENCY_MS", MILLISECOND_NS)
        self.on_the_way.append((now_ns + latency_ns, what, order))

    def next_arrival_ns(self) -> int | None:
        return self.on_the_way[0][0] if self.on_the_way else None

    def on_quote(self, quote: Quote) -> list[Report]:
        """A new row: displayed sizes are whole again, stops may trigger, remainders go on
        filling."""
        lot = self.settings.lot
        shown = {"buy": quote.ask_size, "sell": quote.bid_size}
        left = {side: size // lot * lot for side, size in shown.items()} if quote.is_valid else {}
        self.books[quote.symbol] = Book(quote, left)
        reports: list[Report] = []
        if not quote.is_valid:
            return reports
        for order in [order for order in self.resting if order.symbol == quote.symbol]:
            if not order.is_triggered and order.trigger is not None:
                order.is_triggered = is_through(order.position_side, quote, order.trigger)
                if order.is_triggered:
                    reports.append(Report("TRIGGERED", order, quote.ts_ns, False))
            if order.is_triggered:
                reports += self._reduce(order, quote.ts_ns)
        return reports

    def arrive(self, now_ns: int) -> list[Report]:
        """What was sent early enough to be here, in the order of sending."""
        reports: list[Report] = []
        while self.on_the_way and self.on_the_way[0][0] <= now_ns:
            arrived_ns, what, order = self.on_the_way.popleft()
            if what == "cancel":
                reports += [] if order.is_final else [self._end("CANCELED", order, arrived_ns)]
            elif order.kind == ENTRY:
                reports += self._enter(order, arrived_ns)
            elif self._is_too_large(order):
                reports.append(self._end("REJECTED", order, arrived_ns))
            elif order.kind == STOP:
                reports.append(self._rest(order, arrived_ns))
            else:
                order.is_accepted = order.is_triggered = True
                self._join(order)
                reports.append(Report("ACCEPTED", order, arrived_ns, False))
                reports += self._reduce(order, arrived_ns)
        return reports

    def _enter(self, order: Order, now_ns: int) -> list[Report]:
        """Immediate or cancel, at the touch, up to the limit and the displayed size left."""
        book = self.books.get(order.symbol)
        reports: list[Report] = []
        if book is not None and book.quote.is_valid and order.limit is not None:
            touch = book.quote.touch(order.side)
            is_allowed = touch <= order.limit if order.side == "buy" else touch >= order.limit
            quantity = min(order.leaves, book.left[order.side])
            if is_allowed and quantity > 0:
                reports.append(self._fill(order, quantity, book, now_ns))
        if not order.is_final:
            reports.append(self._end("CANCELED", order, now_ns))
        return reports

    def _rest(self, order: Order, now_ns: int) -> Report:
        """A stop that would trigger at once is refused."""
        quote = self.books[order.symbol].quote
        trigger = order.trigger
        if quote.is_valid and trigger and is_through(order.position_side, quote, trigger):
            return self._end("REJECTED", order, now_ns)
        order.is_accepted = True
        self._join(order)
        return Report("ACCEPTED", order, now_ns, False)

    def _join(self, order: Order) -> None:
        self.resting.append(order)
        self.resting.sort(key=lambda resting: resting.number)

    def _reduce(self, order: Order, now_ns: int) -> list[Report]:
        """A reduce-only market order takes what is displayed, never more than the account holds,
        and waits."""
        book = self.books[order.symbol]
        held = self._holding(order)
        if held == 0:
            return [self._end("CANCELED", order, now_ns)]
        if not book.quote.is_valid:
            return []
        quantity = min(order.leaves, held, book.left[order.side])
        if quantity == 0:
            return []
        return [self._fill(order, quantity, book, now_ns)]

    def _fill(self, order: Order, quantity: Decimal, book: Book, now_ns: int) -> Report:
        price = book.quote.touch(order.side)
        book.left[order.side] -= quantity
        key = order.symbol, order.position_side
        signed = quantity if order.kind == ENTRY else -quantity
        self.held[key] = self.held.get(key, Decimal(0)) + signed
        order.filled += quantity
        if order.leaves == 0:
            self._end("FILLED", order, now_ns)
        fee = quantity * price * self.settings.number("PAPER_FEE_BPS") / BPS
        return Report("TRADE", order, now_ns, order.leaves == 0, quantity, price, fee)

    def _end(self, word: str, order: Order, now_ns: int) -> Report:
        order.is_final = True
        if order in self.resting:
            self.resting.remove(order)
        return Report(word, order, now_ns, True)

    def _is_too_large(self, order: Order) -> bool:
        held = self._holding(order)
        if self.settings.clips:
            return held == 0
        others = (resting for resting in self.resting if resting.symbol == order.symbol)
        beside = [resting for resting in others if resting.position_side == order.position_side]
        return order.quantity + sum((other.leaves for other in beside), Decimal(0)) > held

    def _holding(self, order: Order) -> Decimal:
        return self.held.get((order.symbol, order.position_side), Decimal(0))
