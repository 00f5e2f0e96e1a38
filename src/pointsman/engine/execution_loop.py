"""The loop: think, remember, act.

Every input becomes an event, is stamped, goes through the desk, and is put to storage; commands
leave only once the turn that asked for them is durable, through the last gate. What comes back is a
new event through the same door.

Nothing here reads a clock or waits. A driver says what time it is and calls `instant` whenever
`next_due_ns` is reached or something has arrived; so the same loop runs on recorded time as fast as
it goes, paced, live, and simulated. At one instant: quotes, then the venue's arrivals and reports,
then levels and timers, then signals (RULES 2).
"""

from collections.abc import Callable, Iterable
from typing import Protocol, TypeGuard

import msgspec

from pointsman.domain.commands import Command, Compare, MoveCash, Query, Step, Submit
from pointsman.domain.events import (
    CashConfirmed,
    Compared,
    EntryBreach,
    Event,
    Killed,
    LevelReached,
    Marked,
    OrderAdopted,
    OrderReport,
    OrderSent,
    SendRefused,
    SignalReceived,
    Started,
    StorageHealed,
    TimerFired,
)
from pointsman.domain.market import Quote
from pointsman.domain.orders import parse_client_order_id
from pointsman.domain.positions import Position
from pointsman.domain.reasons import Reason
from pointsman.domain.signals import Signal, Window
from pointsman.domain.venue_truth import OrderFound, Snapshot, VenueOrder, VenueTrade
from pointsman.engine.market_view import MarketView
from pointsman.engine.recall import Recall
from pointsman.engine.recorder import Recorder
from pointsman.execution import filters, reconcile
from pointsman.execution.desk import Desk
from pointsman.storage.entries import Entry
from pointsman.venues.base import Reply, Request, Venue

replace = msgspec.structs.replace
SECOND_NS = 10**9
OUTBOX_LEN_MAX = 100_000


class Hours(Protocol):
    """The trading hours of a VA."""

    def window_at(self, now_ns: int) -> Window | None: ...

    def day_start_ns(self, now_ns: int) -> int: ...


class StorageHeld(Exception):
    """Storage does not work at present: nothing is decided, and nobody is told yes (RULES 29)."""


class StrangeOrders(Exception):
    """The venue knows orders with our code that we do not: this database is not the one that traded
    there."""


Answer = Callable[[Step], None]
"""Called with the step of a signal once it is durable."""

Waiting = tuple[int, Command | Answer, Step]
"""What waits in the outbox: for its ticket to be durable, then to leave."""


class ExecutionLoop:
    """The shell around one desk. All methods belong to one thread."""

    def __init__(
        self,
        desk: Desk,
        venue: Venue,
        recorder: Recorder,
        recall: Recall,
        hours: Callable[[str], Hours],
    ) -> None:
        self.desk = desk
        self.view = MarketView()
        self.quotes_seen = 0
        self.signals_seen = 0
        self.is_closing = False
        self.is_killed_outside = False
        self._venue = venue
        self._recorder = recorder
        self._recall = recall
        self._hours = hours
        self._ticket = 0
        self._now_ns = desk.now_ns
        self._outbox: list[Waiting] = []
        self._second = 0
        self._compare_due_ns: int | None = None
        self._failed_since_ns: int | None = None

    # -- what the driver calls ---------------------------------------------------------------------

    @property
    def now_ns(self) -> int:
        """The time of the last instant."""
        return self._now_ns

    @property
    def is_ready(self) -> bool:
        """Whether signals may be decided: a comparison with the venue has succeeded since the
        start."""
        return self.desk.books.is_ready

    def start(self, started: Started, now_ns: int) -> None:
        """Begin: doubt what is in flight, ask the venue."""
        for position in self.desk.books.positions.values():
            self.view.watch(position)
        self.advance(now_ns)
        self.turn(started)
        self.release()

    def next_due_ns(self) -> int | None:
        """When something is to be done next, inputs apart. May be in the past."""
        books = self.desk.books
        due = [self._venue.next_due_ns(), self.desk.next_due_ns()]
        if not self.is_closing:
            due.append(self._compare_due_ns)
            if books.holding_accounts:
                due.append((self._now_ns // SECOND_NS + 1) * SECOND_NS)
            due += [self.view.stale_at_ns(books, symbol) for symbol in books.entries_by_symbol]
        return min((at_ns for at_ns in due if at_ns is not None), default=None)

    def next_arrival_ns(self) -> int | None:
        """When the next request that is under way reaches the venue."""
        return self._venue.next_due_ns()

    def on_quote(self, quote: Quote, now_ns: int) -> None:
        """Take in a row of market data that arrives at `now_ns`, before `instant` is called for
        it."""
        self.quotes_seen += 1
        self.advance(now_ns)
        self.view.on_quote(quote)
        self._venue.on_quote(quote)

    def advance(self, now_ns: int) -> None:
        """Say that time has come as far; it never runs backwards."""
        self._now_ns = max(self._now_ns, now_ns)

    def instant(self, now_ns: int) -> None:
        """Do what is due at `now_ns`, in the order of RULES 2, signals apart."""
        self.advance(now_ns)
        for reply in self._venue.receive(self._now_ns):
            self._take_in(reply)
        self._look_at_levels()
        self._look_at_entries()
        while (timer := self.desk.due_timer(self._now_ns)) is not None:
            self.turn(TimerFired(timer, self.view.mark_for(self.desk.books, timer)))
        self._sample()
        if self._compare_due_ns is not None and self._now_ns >= self._compare_due_ns:
            self._ask_for_comparison()

    def signal(
        self, signal: Signal, answer: Answer | None, source: str = "", line: int = 0
    ) -> None:
        """Decide a signal. `answer` is called with the step once it is durable. Raises
        StorageHeld."""
        if self._recorder.failure is not None:
            raise StorageHeld(str(self._recorder.failure))
        self.signals_seen += 1
        hours = self._hours(signal.va_id)
        event = SignalReceived(
            signal,
            self.view.quotes.newest(signal.symbol),
            self.view.mark(signal.symbol),
            hours.window_at(self._now_ns),
            hours.day_start_ns(self._now_ns),
            first=self._recall.first_decision(signal.signal_id),
            source=source,
            line=line,
        )
        step = self.turn(event)
        if answer is not None:
            self._outbox.append((self._ticket, answer, step))

    def turn(self, event: Event) -> Step:
        """One turn: through the door, to storage; its commands wait for it in the outbox."""
        step = self.desk.handle(event, self._now_ns)
        if step.changes:
            self._ticket += 1
            self._recorder.put(self._ticket, Entry(self._now_ns, event, step.changes))
            self._recall.note(step.changes)
            for record in step.changes:
                if isinstance(record, Position):
                    self.view.watch(record)
        for command in step.commands:
            if isinstance(command, Compare):
                self._compare_due_ns = self._now_ns
            else:
                self._outbox.append((self._ticket, command, step))
        assert len(self._outbox) <= OUTBOX_LEN_MAX, "more waits to leave than may ever happen"
        return step

    def release(self) -> None:
        """Let everything leave whose turn is durable; while storage fails, also what cannot raise
        exposure (RULES 30)."""
        if self._outbox:
            self._recorder.press()
        self._notice_storage()
        is_failing = self._recorder.failure is not None
        waiting, self._outbox = self._outbox, []
        for ticket, item, step in waiting:
            if ticket <= self._recorder.durable or (is_failing and _reduces_risk(item)):
                self._let_go(item, step)
            else:
                self._outbox.append((ticket, item, step))

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits to leave."""
        return not self._outbox

    # -- sending -----------------------------------------------------------------------------------

    def _let_go(self, item: Command | Answer, step: Step) -> None:
        if not isinstance(item, Command):
            item(step)
            return
        if isinstance(item, Submit):
            order_id = item.order.client_order_id
            refusal = self._gate(item)
            if refusal is not None:
                self.turn(SendRefused(order_id, refusal))
                return
            self._venue.send(item, self._now_ns)
            self.turn(OrderSent(order_id))
        elif isinstance(item, Request):
            self._venue.send(item, self._now_ns)

    def _gate(self, submit: Submit) -> Reason | None:
        """The last gate, for entries only: no kill, and a quote that is still fresh and valid."""
        if not submit.may_raise_exposure:
            return None
        order, books = submit.order, self.desk.books
        if self.is_killed_outside or books.kill_switch.trading_state.value == "HALTED":
            return Reason.KILLED
        current = books.orders.get(order.client_order_id)
        if current is None or current.is_cancel_pending:
            return Reason.ENTRY_WITHDRAWN
        limits = books.policy.limits_of(order.va_id)
        if filters.breaches(self.view.quotes.newest(order.symbol), limits, self._now_ns, 0):
            return Reason.LATENCY
        return None

    def _notice_storage(self) -> None:
        """Storage began to fail, or healed: then the entries that waited for it are withdrawn
        (RULES 29)."""
        if self._recorder.failure is not None:
            if self._failed_since_ns is None:
                self._failed_since_ns = self._now_ns
            limit_ns = self.desk.books.policy.kill_on_storage_ns
            failing_ns = self._now_ns - self._failed_since_ns
            if limit_ns is not None and failing_ns > limit_ns and not self.is_killed_outside:
                self.is_killed_outside = True
                self.turn(Killed(False, "storage", "KILL_ON_STORAGE_SECONDS"))
        elif self._failed_since_ns is not None:
            self._failed_since_ns = None
            entries = [item.order for _, item, _ in self._outbox if _is_entry(item)]
            self._outbox = [waiting for waiting in self._outbox if not _is_entry(waiting[1])]
            if entries:
                self.turn(StorageHealed(tuple(order.client_order_id for order in entries)))

    # -- what comes back ---------------------------------------------------------------------------

    def _take_in(self, reply: Reply) -> None:
        if isinstance(reply, Snapshot):
            self._compare(reply)
        elif isinstance(reply, OrderFound):
            order = self.desk.books.orders.get(reply.order.client_order_id)
            if order is not None:
                for report in reconcile.reports_from(reply):
                    self._report(report)
        elif isinstance(reply, OrderReport):
            self._report(reply)
        elif isinstance(reply, CashConfirmed):
            self.turn(reply)
        else:
            order = self.desk.books.orders.get(reply.client_order_id)
            if order is not None:
                self.turn(replace(reply, mark=self.view.mark(order.symbol)))

    def _report(self, report: OrderReport) -> None:
        order = self.desk.books.orders.get(report.client_order_id)
        known = None
        if order is None:
            self._recorder.settle()
            known = self._recall.known_order(report.client_order_id)
            order = None if known is None else known.order
        mark = None if order is None else self.view.mark(order.symbol)
        self.turn(replace(report, mark=mark, known=known))

    def _ask_for_comparison(self) -> None:
        """One question at a time; a question that is never answered is asked again."""
        books = self.desk.books
        self._venue.send(Compare(books.desk.fills_cursor), self._now_ns)
        interval_ns = books.policy.reconcile_interval_ns
        if not books.is_ready:
            interval_ns = min(interval_ns, books.policy.submit_timeout_ns)
        self._compare_due_ns = self._now_ns + interval_ns

    def _compare(self, snapshot: Snapshot) -> None:
        """Feed what a snapshot tells through the door: missing reports, orders to adopt, holdings
        that differ, and the end of the comparison."""
        if not snapshot.is_complete:
            return
        books = self.desk.books
        found = reconcile.compare(books, snapshot)
        for report in found.reports:
            self._report(report)
        differences = len([report for report in found.reports if report.fill is not None])
        differences += self._take_in_others(found.other_orders, found.other_trades)
        for differs in reconcile.differing_holdings(books, snapshot):
            differences += 1
            self.turn(replace(differs, mark=self.view.mark(differs.symbol)))
        compared = Compared(
            True, snapshot.taken_at_ns, differences, snapshot.fills_cursor, found.unseen
        )
        self.turn(compared)

    def _take_in_others(self, orders: Iterable[VenueOrder], trades: Iterable[VenueTrade]) -> int:
        """Executions and open orders of ids that do not work by our record."""
        news = 0
        for trade in trades:
            if self._recall.is_booked(reconcile.trade_key(trade)):
                continue
            if self._is_ours(trade.client_order_id, trade.venue_order_id, trade):
                self._report(reconcile.trade_report(trade))
            else:
                self.turn(reconcile.foreign_fill(trade, self.view.mark(trade.symbol)))
                news += 1
        for order in orders:
            if self._is_ours(order.client_order_id, order.venue_order_id, order):
                self._venue.send(Query(order.client_order_id, order.symbol), self._now_ns)
        return news

    def _is_ours(self, order_id: str, venue_order_id: str, told: VenueOrder | VenueTrade) -> bool:
        """Whether an id carries our code; one that storage does not know is adopted, or stops the
        start."""
        parts = parse_client_order_id(order_id)
        if parts is None or parts.code != self.desk.books.desk.code:
            return False
        if order_id in self.desk.books.orders:
            return True
        self._recorder.settle()
        if self._recall.known_order(order_id) is None:
            order = reconcile.adopted(self.desk.books, venue_order_id, told)
            if order is None:
                raise StrangeOrders(order_id)
            self.turn(OrderAdopted(order))
        return True

    # -- the market --------------------------------------------------------------------------------

    def _look_at_levels(self) -> None:
        for position_id, level, quote in self.view.take_crossed():
            self.turn(LevelReached(position_id, level, quote))

    def _look_at_entries(self) -> None:
        """While entries work: a quote beyond a limit, or no quote for too long, withdraws them."""
        for symbol in self.view.take_doubtful(self.desk.books, self._now_ns):
            self.turn(EntryBreach(symbol, self.view.quotes.newest(symbol)))

    def _sample(self) -> None:
        """Once in each whole second of event time, while anything is held (RULES 17)."""
        second, books = self._now_ns // SECOND_NS, self.desk.books
        is_new, self._second = second > self._second, second
        if is_new and books.holding_accounts:
            marks = self.view.marks_of(books)
            self.turn(Marked(marks, self._hours("").day_start_ns(self._now_ns)))


def _is_entry(item: Command | Answer) -> TypeGuard[Submit]:
    return isinstance(item, Submit) and item.may_raise_exposure


def _reduces_risk(item: Command | Answer) -> bool:
    """Whether a command may leave before it is durable while storage fails. An answer never may."""
    return isinstance(item, Command) and not _is_entry(item) and not isinstance(item, MoveCash)
