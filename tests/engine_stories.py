"""Short stories for tests of the shell: an ExecutionLoop between doubles that do only what the test
says.

`StillVenue` says nothing of its own and keeps what was sent to it; `Memory` stores turns when it is
allowed to, and is at once the archive in which they are looked up. A `Story` joins both with a real
desk that is ready. Time is that of `tests.desk_stories`.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import TypeVar

import msgspec

from pointsman.domain.client_order_ids import parse_client_order_id
from pointsman.domain.commands import Record, Step, Submit
from pointsman.domain.events import (
    CashConfirmed,
    Event,
    OrderReport,
    ReportWord,
    Started,
    VenueFill,
)
from pointsman.domain.life_cycle import OrderStatus
from pointsman.domain.market import Instrument, Quote
from pointsman.domain.orders import Fill, KnownOrder, Order, Role
from pointsman.domain.policy import Abilities, Policy
from pointsman.domain.positions import Funding, Trade
from pointsman.domain.sides import PositionSide, Side
from pointsman.domain.signals import Decision, FirstDecision, Signal, SignalRecord, Window
from pointsman.domain.venue_reports import Snapshot, VenueExecution, VenueHolding, VenueOrder
from pointsman.execution.archive import FinishedRecords
from pointsman.execution.desk import Desk
from pointsman.execution.execution_loop import ExecutionLoop
from pointsman.execution.outbox import StorageHeld
from pointsman.execution.ports import (
    JournalEntry,
    QuoteListener,
    Recorder,
    StorageStatus,
    Venue,
    VenueReply,
    VenueRequest,
)
from pointsman.storage.errors import StorageFailed
from tests import desk_stories as told

CODE = "ABCDEF"
BROKEN = StorageFailed(OSError("no space left on device"))

_T = TypeVar("_T")
_R = TypeVar("_R", bound=Record)


class StillVenue:
    """A venue that only says what a test puts into its mouth."""

    def __init__(self) -> None:
        self.abilities = Abilities()
        self.instruments: dict[str, Instrument] = {}
        self.sent: list[tuple[int, VenueRequest]] = []
        self.quotes: list[Quote] = []
        self.remembered: list[Quote] = []
        self.replies: list[VenueReply] = []

    def send(self, request: VenueRequest, now_ns: int) -> None:
        self.sent.append((now_ns, request))

    def on_quote(self, quote: Quote) -> None:
        self.quotes.append(quote)

    def remember(self, quote: Quote) -> None:
        self.remembered.append(quote)

    def next_due_ns(self) -> int | None:
        return None

    def receive(self, now_ns: int) -> list[VenueReply]:  # noqa: ARG002 - the seam's signature
        replies, self.replies = self.replies, []
        return replies

    def known_until_ns(self) -> int:
        return 0

    def is_under_way(self) -> bool:
        return self.next_due_ns() is not None

    def finish(self) -> None:
        pass

    def close(self) -> None:
        self.replies.clear()

    def take(self, kind: type[_T]) -> list[_T]:
        """The requests of one kind that were sent since the last time; the others are forgotten."""
        sent, self.sent = self.sent, []
        return [request for _, request in sent if isinstance(request, kind)]


class Memory:
    """A recorder and the archive behind it. Turns are durable at once, unless `is_slow`; while it
    fails nothing becomes durable."""

    def __init__(self) -> None:
        self.standing = StorageStatus()
        self.is_slow = False
        self.entries: list[JournalEntry] = []

    def put(self, ticket: int, entry: JournalEntry, _is_awaited: bool = False) -> None:
        self.entries.append(entry)
        assert ticket == len(self.entries), "tickets rise by one"
        if not self.is_slow:
            self.settle()

    def press(self) -> None:
        if not self.is_slow:
            self.settle()

    def settle(self) -> bool:
        if self.standing.failure is None:
            self.standing = StorageStatus(len(self.entries), None, self.standing.failures)
        return self.standing.failure is None

    def fail(self) -> None:
        """From here on nothing becomes durable."""
        before = self.standing
        self.standing = StorageStatus(before.durable, str(BROKEN.cause), before.failures + 1)

    def heal(self) -> None:
        """All that was put becomes durable."""
        self.standing = StorageStatus(len(self.entries), None, self.standing.failures)

    def records(self, kind: type[_R]) -> list[_R]:
        """All durable states of one kind of record, oldest first."""
        durable = self.entries[: self.standing.durable]
        return [one for entry in durable for one in entry.changes if isinstance(one, kind)]

    def first_decision(self, signal_id: str) -> FirstDecision | None:
        signals = [one for one in self.records(SignalRecord) if one.signal.signal_id == signal_id]
        decisions = [one for one in self.records(Decision) if one.signal_id == signal_id]
        return FirstDecision(signals[-1], decisions[0]) if decisions else None

    def is_paid(self, funding_id: str) -> bool:
        return any(one.funding_id == funding_id for one in self.records(Funding))

    def known_order(self, client_order_id: str) -> KnownOrder | None:
        found = [one for one in self.records(Order) if one.client_order_id == client_order_id]
        if not found:
            return None
        order = found[-1]
        fills = [one for one in self.records(Fill) if one.client_order_id == client_order_id]
        trades = [one for one in self.records(Trade) if one.position_id == order.position_id]
        return KnownOrder(
            order,
            tuple(fill.key for fill in fills),
            len(trades),
            self._made(order, Role.STOP),
            self._made(order, Role.EXIT),
        )

    def _made(self, order: Order, role: Role) -> int:
        ids = {one.client_order_id for one in self.records(Order) if one.role is role}
        parts = [parse_client_order_id(order_id) for order_id in ids]
        return sum(1 for part in parts if part is not None and part.number == order.position_id)


class OpenHours:
    """A trading window that is always open."""

    def window_at(self, now_ns: int) -> Window | None:
        return Window(0, now_ns + 1)

    def day_start_ns(self, now_ns: int) -> int:  # noqa: ARG002 - the seam's signature
        return told.MIDNIGHT_NS


class Story:
    """A loop that is ready, at START_NS, with a fresh quote of XXX at 99.99 / 100.01."""

    def __init__(self, loop: ExecutionLoop, venue: StillVenue, memory: Memory) -> None:
        self.loop = loop
        self.venue = venue
        self.memory = memory
        self.answers: list[Step | StorageHeld] = []

    @property
    def events(self) -> list[Event]:
        """All journaled events, oldest first."""
        return [entry.event for entry in self.memory.entries]

    def at(self, after_ns: int = 0) -> None:
        """An instant so much later, and what may leave then."""
        self.loop.instant(self.loop.now_ns + after_ns)
        self.loop.release()

    def pass_time(self, after_ns: int) -> None:
        """Every instant that falls due until so much later, each at its own time."""
        until_ns = self.loop.now_ns + after_ns
        while (due_ns := self.loop.next_due_ns()) is not None and due_ns <= until_ns:
            self.at(max(0, due_ns - self.loop.now_ns))
        self.at(until_ns - self.loop.now_ns)

    def show(self, bid: str = "99.99", ask: str = "100.01", after_ns: int = 0) -> None:
        """A quote of XXX, stamped and arriving so much later, and its instant."""
        now_ns = self.loop.now_ns + after_ns
        self.loop.on_quote(told.quote(now_ns, bid, ask), now_ns)
        self.at(after_ns)

    def say(self, *replies: VenueReply) -> None:
        """The venue says this now."""
        self.venue.replies += replies
        self.at()

    def ask(self, signal: Signal) -> None:
        """Hand in a signal; what is told lands in `answers`."""
        self.loop.signal(signal, self.answers.append)
        self.loop.release()

    def order(self, order_id: str) -> Order:
        """The newest state of an order, from the books or else from memory."""
        working = self.loop.desk.books.orders.get(order_id)
        if working is not None:
            return working
        changed = [one for entry in self.memory.entries for one in entry.changes]
        found = [one for one in changed if isinstance(one, Order)]
        return [order for order in found if order.client_order_id == order_id][-1]

    def enter(self, signal_id: str = "in", quantity: str = "10") -> Order:
        """An entry that is filled at 100 and rests behind its stop; gives back its order."""
        self.ask(told.signal(signal_id, quantity=quantity))
        (submit,) = self.venue.take(Submit)
        self.say(accepted(submit.order), traded(submit.order, quantity))
        (stop,) = self.venue.take(Submit)
        self.say(accepted(stop.order))
        return submit.order


def begin(
    rules: Policy | None = None,
    accounts: tuple[str, ...] = (told.VA,),
    venue: StillVenue | None = None,
) -> Story:
    """A story whose loop has been started and compared, and has seen a quote."""
    venue, memory = venue or StillVenue(), Memory()
    loop = make_loop(venue, memory, memory, rules)
    start(loop, rules, accounts)
    story = Story(loop, venue, memory)
    story.at()
    moves = [CashConfirmed(f"{CODE}-open-{va_id}") for va_id in accounts]
    story.say(snapshot(), *moves)
    story.show()
    venue.take(Submit)
    return story


def make_loop(
    venue: Venue, recorder: Recorder, archive: Memory, rules: Policy | None = None
) -> ExecutionLoop:
    """A loop around a new desk; a venue that listens to quotes hears them."""
    desk, recall = Desk(rules or told.policy(), CODE), FinishedRecords(archive)
    listener = venue if isinstance(venue, QuoteListener) else None
    return ExecutionLoop(desk, venue, recorder, recall, lambda _va_id: OpenHours(), listener)


def start(
    loop: ExecutionLoop, rules: Policy | None = None, accounts: Iterable[str] = (told.VA,)
) -> None:
    """Start a loop at START_NS, each VA with 100000."""
    balances = tuple((va_id, Decimal(100_000)) for va_id in accounts)
    loop.start(Started("test", CODE, rules or told.policy(), balances), told.START_NS)


# -- the venue's words -----------------------------------------------------------------------------


def accepted(order: Order, ts_ns: int = told.START_NS) -> OrderReport:
    """The venue has the order."""
    return OrderReport(order.client_order_id, ReportWord.ACCEPTED, ts_ns, venue_id(order))


def canceled(order: Order, ts_ns: int = told.START_NS) -> OrderReport:
    """The venue has ended the order."""
    return OrderReport(order.client_order_id, ReportWord.CANCELED, ts_ns, venue_id(order))


def traded(
    order: Order, quantity: str, price: str = "100", trade_id: str = "1", ts_ns: int = told.START_NS
) -> OrderReport:
    """The venue has executed a part of the order."""
    fill = filled(quantity, price, trade_id, ts_ns)
    return OrderReport(order.client_order_id, ReportWord.TRADE, ts_ns, venue_id(order), fill)


def filled(
    quantity: str, price: str = "100", trade_id: str = "1", ts_ns: int = told.START_NS
) -> VenueFill:
    """An execution without a fee."""
    return VenueFill(trade_id, Decimal(quantity), Decimal(price), Decimal(0), ts_ns)


def venue_id(order: Order) -> str:
    return f"V{order.client_order_id}"


def snapshot(
    orders: tuple[VenueOrder, ...] = (),
    trades: tuple[VenueExecution, ...] = (),
    held: str = "0",
    cursor: str = "",
    at_ns: int = told.START_NS,
    *,
    missing: str = "",
) -> Snapshot:
    """The answer to a comparison asked and given at `at_ns`; `held` is the long holding of XXX, and
    it is incomplete where something is `missing`."""
    holding = VenueHolding("XXX", PositionSide.LONG, Decimal(held))
    holdings = (holding,) if holding.quantity else ()
    is_complete = not missing
    return Snapshot(at_ns, at_ns, orders, trades, holdings, cursor, is_complete, missing=missing)


def venue_order(order: Order, status: OrderStatus = OrderStatus.ACCEPTED) -> VenueOrder:
    """An order of ours as the venue has it."""
    return VenueOrder(
        order.client_order_id,
        venue_id(order),
        order.symbol,
        order.side,
        order.position_side,
        order.order_type,
        order.quantity,
        order.filled,
        status,
        order.reduce_only,
        told.START_NS,
        trigger_price=order.trigger_price,
    )


def venue_trade(order: Order, fill: VenueFill) -> VenueExecution:
    """An execution of an order of ours, in the account's history."""
    return VenueExecution(
        order.client_order_id, venue_id(order), order.symbol, order.side, order.position_side, fill
    )


def foreign_trade(
    side: Side, quantity: str, trade_id: str = "f1", venue_order_id: str = "F1"
) -> VenueExecution:
    """An execution of somebody else, on the long holding of XXX."""
    return VenueExecution(
        "", venue_order_id, "XXX", side, PositionSide.LONG, filled(quantity, trade_id=trade_id)
    )


def changed(story: Story, kind: type[_R]) -> list[_R]:
    """All states of one kind of record that any turn left, durable or not."""
    entries = story.memory.entries
    return [one for entry in entries for one in entry.changes if isinstance(one, kind)]


def fresh_copy(order: Order, **fields: object) -> Order:
    """An order with changes."""
    return msgspec.structs.replace(order, **fields)
