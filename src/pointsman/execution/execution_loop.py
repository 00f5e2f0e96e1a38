"""The loop: think, remember, act.

Every input becomes an event, is stamped, goes through the desk, and is put to storage; commands
leave only once the turn that asked for them is durable, after the last check. What comes back is a
new event, handled in the same way.

Nothing here reads a clock or waits. A driver says what time it is and calls `instant` whenever
`next_due_ns` is reached or something has arrived; so the same loop runs on recorded time as fast as
it goes, paced, live, and simulated. At one instant: quotes, then the venue's arrivals and reports,
then levels and timers, then signals (RULES 2).
"""

from collections import deque
from collections.abc import Callable

from pointsman.domain import events as ev
from pointsman.domain.accounts import TradingState
from pointsman.domain.commands import Cancel, Command, Compare, Step, Submit
from pointsman.domain.market import Quote
from pointsman.domain.orders import Order, Role
from pointsman.domain.positions import Position
from pointsman.domain.reasons import Reason
from pointsman.domain.signals import Signal
from pointsman.domain.timestamps import SECOND_NS
from pointsman.execution import last_check, ports, reversal
from pointsman.execution.archive import FinishedRecords
from pointsman.execution.comparing import Comparing
from pointsman.execution.desk import Desk
from pointsman.execution.last_check import Hold, Holds
from pointsman.execution.market_view import HoursOf, MarketView
from pointsman.execution.outbox import OUTBOX_LEN_MAX, Callback, Outbox, StorageHeld
from pointsman.execution.sampling import Sampling
from pointsman.execution.venue_intake import VenueIntake

REPLIES_LEN_MAX = 1_000_000
"""Bound of the messages of a venue that wait to be taken in."""


class ExecutionLoop:
    """The shell around one desk. All methods belong to one thread, but for `hold`."""

    def __init__(
        self,
        desk: Desk,
        venue: ports.Venue,
        recorder: ports.Recorder,
        recall: FinishedRecords,
        hours: HoursOf,
        listener: ports.QuoteListener | None = None,
    ) -> None:
        """`listener` is the venue where it fills orders by our quotes."""
        self.desk = desk
        self.view = MarketView()
        self.quotes_seen = 0
        self.signals_seen = 0
        self.on_turn: Callable[[ev.Event, Step], None] | None = None
        self.is_gathering = False  # What waits for storage may wait for what comes next.
        self.venue = venue
        self._listener = listener
        self._recorder = recorder
        self._recall = recall
        self._hours = hours
        self.holds = Holds()
        self._ticket = 0
        self._now_ns = desk.now_ns
        self._outbox = Outbox()
        self._replies: deque[ports.VenueReply] = deque(maxlen=REPLIES_LEN_MAX)
        self._has_quoted = False
        self._held: dict[str, None] = {}
        self._failures = 0
        self._failed_since_ns: int | None = None
        self._sampling = Sampling(desk.books, self.view, hours("").day_start_ns)
        self._comparing = Comparing(desk.books)
        self.intake = VenueIntake(desk, venue, self.view, recorder, recall, self.turn)

    # -- what the driver calls ---------------------------------------------------------------------

    @property
    def now_ns(self) -> int:
        """The time of the last instant."""
        return self._now_ns

    @property
    def is_ready(self) -> bool:
        """Whether signals may be decided: the venue has been compared with since the start."""
        return self.desk.books.is_ready

    @property
    def is_held(self) -> bool:
        """Whether storage fails, so that no signal may be decided (RULES 29)."""
        return self._failed_since_ns is not None

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits to leave."""
        return not self._outbox and not self._held

    @property
    def has_replies(self) -> bool:
        """Whether an instant that was bounded left messages of the venue: no signal may be decided
        before they have been taken in (RULES 2)."""
        return bool(self._replies)

    @property
    def has_more(self) -> bool:
        """Whether an instant or a release that was bounded can go on at once."""
        return self.has_replies or self._outbox.may_leave(self._recorder.standing.durable)

    def start(self, started: ev.Started, now_ns: int) -> None:
        """Begin: doubt what is in flight, ask the venue."""
        for position in self.desk.books.positions.values():
            self.view.watch(position)
        for symbol in self.desk.books.entries_by_symbol:
            self.view.note_entry(symbol)
        self.advance(now_ns)
        self.turn(started)
        self.release()

    def next_due_ns(self) -> int | None:
        """When something is to be done next, inputs apart. May be in the past."""
        if self._replies or self._has_quoted or self._due_openings():
            return self._now_ns
        return _earliest(self._comparing.due_ns, self._due_but_comparison_ns())

    def pass_quiet_comparisons(self, until_ns: int) -> None:
        """Leave out the comparisons that could change nothing before the next input, which comes at
        `until_ns`; all but the last of them (RULES 66)."""
        is_busy = self._replies or self._has_quoted
        if not is_busy and self._comparing.may_pass(until_ns, self._ticket):
            other_ns = self._due_but_comparison_ns()
            self._comparing.pass_to(until_ns if other_ns is None else min(until_ns, other_ns))

    def _due_but_comparison_ns(self) -> int | None:
        return _earliest(
            self.venue.next_due_ns(),
            self.intake.link_due_ns(),
            self.desk.next_due_ns(),
            self.view.next_stale_ns(self.desk.books, self._now_ns),
            self._sampling.next_ns(self._now_ns, self._ticket),
        )

    def next_arrival_ns(self) -> int | None:
        """When the next request that is under way reaches the venue."""
        return self.venue.next_due_ns()

    def on_quote(self, quote: Quote, now_ns: int) -> bool:
        """Take in a row that arrives at `now_ns`, before `instant` is called for it. Whether it has
        crossed a level, or filled something."""
        self.quotes_seen += 1
        self.advance(now_ns)
        self._has_quoted = True
        if not self.view.on_quote(quote, self._now_ns):
            return False
        self._sampling.note_prices()
        listener = self._listener
        seen = self.view.in_event_time(quote, self._now_ns)
        is_met = listener is not None and listener.on_quote(seen)
        return is_met or self.view.has_crossed

    def quiet_until_ns(self) -> int | None:
        """Until when a row changes nothing but the newest quote of its symbol, unless something
        comes of it: nothing waits, no entry works, and nothing is due before. None where none is
        quiet."""
        books = self.desk.books
        is_busy = self._replies or self._has_quoted or self._outbox or self._held
        if is_busy or books.entries_by_symbol or books.openings or self.is_held:
            return None
        return _earliest(self.next_due_ns(), self._sampling.earliest_ns(self._now_ns))

    def end_quiet(self) -> None:
        """Nothing has come of the rows since the last instant: none was needed for them."""
        self._has_quoted = False
        self._sampling.note_instant(self._now_ns)

    def hold(self, hold: Hold, is_held: bool, cause: str = "") -> None:
        """Let no entry leave, for this `cause`, until the same hold is lifted; from any thread."""
        self.holds.put(hold, is_held, cause)

    def remember_quotes(self) -> None:
        """Tell the listener the newest quotes that are known already, before the first instant."""
        if self._listener is not None:
            for quote in self.view.known_quotes():
                self._listener.remember(quote)
                self._has_quoted = True

    def advance(self, now_ns: int) -> None:
        """Say that time has come as far; it never runs backwards."""
        if now_ns > self._now_ns:
            self._now_ns = now_ns
            self._sampling.pass_to(now_ns, self._ticket)

    def instant(self, now_ns: int, most: int = REPLIES_LEN_MAX) -> None:
        """Do what is due at `now_ns`, in the order of RULES 2, signals apart. Of what the venue
        said `most` messages are taken in; while some are left nothing that comes after them in that
        order is done, and the instant is due again at once."""
        self.advance(now_ns)
        self._look_at_storage()
        if not self._replies:
            self._has_quoted = False
            self._replies.extend(self.venue.receive(self._now_ns))
        for _ in range(min(most, len(self._replies))):
            self.intake.take_in(self._replies.popleft(), self._now_ns)
        if self._replies:
            return
        self.intake.take_in_links(self._now_ns)
        self._look_at_levels()
        self._look_at_entries()
        while (timer := self.desk.due_timer(self._now_ns)) is not None:
            self.turn(ev.TimerFired(timer, self.view.mark_for(self.desk.books, timer)))
        for opening in self._due_openings():
            self.signal(opening, None, reversal.SOURCE, is_opening=True)
        self._sample()
        if self._comparing.is_due(self._now_ns):
            self.venue.send(Compare(self.desk.books.desk.fills_cursor), self._now_ns)
            self._comparing.asked(self._now_ns)

    def signal(
        self,
        signal: Signal,
        answer: Callback | None,
        source: str = "",
        line: int = 0,
        *,
        is_opening: bool = False,
    ) -> None:
        """Decide a signal, after `instant`. `answer` is called with the step once it is durable.
        Raises StorageHeld while `is_held`: nothing has been decided."""
        if self.is_held:
            raise StorageHeld("storage fails; send the signal again")
        self.signals_seen += 1
        if (learned := self.view.learned_of(self.desk.books, signal.symbol)) is not None:
            self.turn(learned)
        hours = self._hours(signal.va_id)
        event = ev.SignalReceived(
            signal=signal,
            quote=self.view.quotes.newest(signal.symbol),
            mark=self.view.mark(signal.symbol),
            window=hours.window_at(self._now_ns),
            day_start_ns=hours.day_start_ns(self._now_ns),
            clock_offset_ns=self.view.clock_offset.at(self._now_ns),
            first=self._recall.first_decision(signal.signal_id),
            source=source,
            line=line,
            is_opening=is_opening,
            is_clock_doubtful=self.view.clock_offset.is_doubtful,
            quoted_as=self.view.quotes.other_spelling(signal.symbol),
            entries_held=self.holds.impaired(),
        )
        self.turn(event, answer)

    def _due_openings(self) -> list[Signal]:
        """The opening parts of reversals that may be decided now, and not at the end (RULES 55)."""
        return [] if self.is_held or self.holds.is_set(Hold.STOPPING) else self.desk.due_openings()

    def turn(self, event: ev.Event, answer: Callback | None = None) -> Step:
        """Decide one event and queue it for storage. The caller's answer, then the commands, wait
        in the outbox until it is durable; answers go first because they are cheaper."""
        step = self.desk.handle(event, self._now_ns)
        leaving = [command for command in step.commands if not isinstance(command, Compare)]
        if step.changes:
            self._ticket += 1
            entry = ports.JournalEntry(self._now_ns, event, step.changes)
            self._recorder.put(self._ticket, entry, answer is not None or bool(leaving))
            self._recall.note(step.changes, self._ticket)
            for record in step.changes:
                if isinstance(record, Position):
                    self.view.watch(record)
                elif isinstance(record, Order) and record.role is Role.ENTRY:
                    self.view.note_entry(record.symbol)
        if isinstance(event, ev.Compared):
            self._comparing.note(event, step, self._ticket)
        if answer is not None:
            self._outbox.put(self._ticket, answer, step)
        for command in leaving:
            self._outbox.put(self._ticket, command, step)
        if len(leaving) < len(step.commands):
            self._comparing.soon(self._now_ns)
        if self.on_turn is not None:
            self.on_turn(event, step)
        return step

    def when_durable(self, answer: Callback) -> None:
        """Have `answer` called, with an empty step, once all turns so far are durable."""
        self._outbox.put(self._ticket, answer, Step())

    def compare_soon(self) -> None:
        """Ask the venue at the next instant."""
        self._comparing.soon(self._now_ns)

    def release(self, most: int = OUTBOX_LEN_MAX) -> None:
        """Let everything leave whose turn is durable, `most` at a time; while storage fails, also
        what cannot raise exposure (RULES 30)."""
        if self._outbox and not self.is_gathering:
            self._recorder.press()
        standing = self._look_at_storage()
        self._recall.forget(standing.durable)
        for item, step in self._outbox.take(standing.durable, standing.failure is not None, most):
            if isinstance(item, Submit):
                self._submit(item)
            elif isinstance(item, Cancel):
                self._cancel(item)
            elif isinstance(item, ports.VenueRequest):
                self.venue.send(item, self._now_ns)
            elif not isinstance(item, Command):
                item(step)

    # -- sending -----------------------------------------------------------------------------------

    def _submit(self, submit: Submit) -> None:
        order = self.desk.books.orders.get(submit.order.client_order_id)
        if order is None:
            return  # It ended while it waited.
        refusal: Reason | None = None
        if submit.may_raise_exposure:
            refusal = self._gate(order)
        elif last_check.is_overtaken(self.desk.books, order):
            refusal = Reason.NOTHING_TO_CLOSE
        if refusal is not None:
            self.turn(ev.SendRefused(order.client_order_id, refusal))
            return
        self.venue.send(submit, self._now_ns)
        self.turn(ev.OrderSent(order.client_order_id))

    def _gate(self, entry: Order) -> Reason | None:
        if self.holds.is_set(Hold.KILL_LATCH):
            return Reason.KILLED
        newest = self.view.quotes.newest(entry.symbol)
        offset_ns = self.view.clock_offset.at(self._now_ns)
        if self.view.clock_offset.is_doubtful:
            return Reason.LATENCY
        reason = last_check.refusal(self.desk.books, entry, newest, self._now_ns, offset_ns)
        return reason or self.holds.refusal()

    def _cancel(self, cancel: Cancel) -> None:
        if cancel.client_order_id in self._held:
            # It never left and never will: nothing is to be asked of the venue.
            del self._held[cancel.client_order_id]
            self.turn(ev.SendRefused(cancel.client_order_id, Reason.STORAGE_FAILED))
        elif cancel.client_order_id in self.desk.books.orders:
            self.venue.send(cancel, self._now_ns)

    # -- storage -----------------------------------------------------------------------------------

    def _look_at_storage(self) -> ports.StorageStatus:
        """Notice that storage has begun to fail, keeps failing, or works again: then the entries
        that waited for it are withdrawn (RULES 29)."""
        standing = self._recorder.standing
        if standing.failures != self._failures:
            self._failures = standing.failures
            self._hold_entries(standing)
        if standing.failure is not None:
            self._watch_failure()
        elif self._failed_since_ns is not None:
            self._failed_since_ns = None
            held, self._held = self._held, {}
            if held:
                self.turn(ev.StorageHealed(tuple(held)))
        return standing

    def _hold_entries(self, standing: ports.StorageStatus) -> None:
        """Entries that wait will not be sent any more, and their callers are answered so."""
        if self._failed_since_ns is None:
            self._failed_since_ns = self._now_ns
        entries, answers = self._outbox.take_entries()
        self._held.update(dict.fromkeys(entries))
        for answer in answers:
            why = standing.failure or "storage failed"
            answer(StorageHeld(f"could not be stored: {why}; nothing will be sent"))

    def _watch_failure(self) -> None:
        books = self.desk.books
        limit_ns = books.policy.kill_on_storage_ns
        failing_ns = self._now_ns - (self._failed_since_ns or self._now_ns)
        is_killed = books.kill_switch.trading_state is TradingState.HALTED
        if limit_ns is not None and failing_ns > limit_ns and not is_killed:
            note = f"KILL_ON_STORAGE_SECONDS: failing for {failing_ns // SECOND_NS} s"
            self.turn(ev.Killed(False, "storage", note))

    # -- what is due -------------------------------------------------------------------------------

    def _look_at_levels(self) -> None:
        for position_id, level, quote in self.view.take_crossed():
            self.turn(ev.LevelReached(position_id, level, quote))

    def _look_at_entries(self) -> None:
        """While entries work: a quote beyond a limit, or no quote for too long, withdraws them."""
        for symbol in self.view.take_doubtful(self.desk.books, self._now_ns):
            offset_ns = self.view.clock_offset.at(self._now_ns)
            self.turn(ev.EntryBreach(symbol, self.view.quotes.newest(symbol), offset_ns))

    def _sample(self) -> None:
        """Look at the equity of what is held, where a sample is due (RULES 17)."""
        if (sample := self._sampling.take(self._now_ns, self._ticket)) is not None:
            self.turn(sample)
            self._sampling.note(self._ticket)


def _earliest(*times_ns: int | None) -> int | None:
    return min([at_ns for at_ns in times_ns if at_ns is not None], default=None)
