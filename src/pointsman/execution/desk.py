"""The desk: every input goes through its one method, `handle`.

`Desk.handle(event, now) -> Step` takes in one event and says what changed and what to do. It is
synchronous and pure: no clock, no I/O, no randomness. After taking in the fact, it asks of
everything that the event touched what must be true now, and emits only the difference; so a fill, a
restart, a lost message and the kill switch share one path. Which function takes in which event is a
table in `event_handlers.py`; only a signal leads to a decision (`judgement.py`).

What the caller must do with a Step: store its changes together with the event, durably; then carry
out its commands, in order, and answer with the decision. A step without changes need not be stored.
"""

from pointsman.domain.accounts import DeskRecord
from pointsman.domain.commands import Cancel, Command, Compare, Step, Submit
from pointsman.domain.events import Event, SignalReceived
from pointsman.domain.money import exact
from pointsman.domain.orders import Fill
from pointsman.domain.policy import Policy
from pointsman.domain.signals import Signal
from pointsman.domain.timers import Timer
from pointsman.execution import equity_points, judgement, reversal, timers
from pointsman.execution.booking import close_if_done
from pointsman.execution.books import Books
from pointsman.execution.event_handlers import HANDLERS
from pointsman.execution.event_marks import mark_and_stamp
from pointsman.execution.figures import AccountStatus, account_status
from pointsman.execution.lease import release_lease
from pointsman.execution.loading import DeskRecords, load_books
from pointsman.execution.loss_limits import count_trade, sample_equity
from pointsman.execution.naked_time import track_cover
from pointsman.execution.protection import commands_for
from pointsman.execution.soundness import assert_sound
from pointsman.execution.withdrawal import withdraw_entries


class Desk:
    """The decider. One for each account at a venue."""

    def __init__(self, policy: Policy, code: str) -> None:
        self._books = Books(policy, DeskRecord(code))
        self._now_ns = 0

    @classmethod
    def load(cls, policy: Policy, loaded: DeskRecords, now_ns: int) -> "Desk":
        """A desk that continues from stored records; feed it `Started` next."""
        assert loaded.desk is not None, "a database without a desk record is a new one"
        desk = cls(policy, loaded.desk.code)
        desk._now_ns = now_ns
        with exact():
            load_books(desk._books, loaded)
        return desk

    @property
    def books(self) -> Books:
        """The books, to read from."""
        return self._books

    @property
    def now_ns(self) -> int:
        """The time of the last event: time never runs backwards."""
        return self._now_ns

    def handle(self, event: Event, now_ns: int) -> Step:
        """Take in one event at `now_ns`, which is never before the last one's."""
        assert now_ns >= self._now_ns, (now_ns, self._now_ns)
        self._now_ns = now_ns
        with exact():
            if isinstance(event, SignalReceived):
                return self._decide(event, now_ns)
            commands = HANDLERS[type(event)](self._books, event, now_ns)
            return self._settle(event, commands, now_ns)

    def _decide(self, event: SignalReceived, now_ns: int) -> Step:
        ruling = judgement.judge(self._books, event, now_ns)
        step = self._settle(event, ruling.commands, now_ns)
        return Step(
            changes=step.changes,
            commands=step.commands,
            decision=ruling.decision,
            is_repeat=ruling.is_repeat,
            is_reused_id=ruling.is_reused_id,
        )

    def _settle(self, event: Event, commands: list[Command], now_ns: int) -> Step:
        """Make true what must be true of all that was touched, until nothing is left to do."""
        books = self._books
        mark, venue_ns = mark_and_stamp(event, now_ns)
        commands = list(commands)
        while touched := books.take_touched_positions():
            for position_id in touched:
                trade = close_if_done(books, position_id, now_ns, venue_ns)
                if trade is not None:
                    count_trade(books, trade, now_ns)
                commands += commands_for(books, position_id, mark, now_ns)
                track_cover(books, position_id, now_ns, venue_ns)
        filled = {record.va_id: None for record in books.changes.values() if type(record) is Fill}
        for va_id in filled:
            sample_equity(books, va_id, mark, now_ns)
        equity_points.keep_closes(books, filled, mark, now_ns)
        for va_id in list(books.touched_accounts):
            status = account_status(books.accounts[va_id], books.kill_switch, now_ns)
            if status is not AccountStatus.ACTIVE:
                commands += withdraw_entries(books, va_id, now_ns)
            release_lease(books, va_id)
            assert_sound(books, va_id)
        books.forget_touched()
        return Step(books.take_changes(), _in_order(commands))

    def due_openings(self) -> list[Signal]:
        """The opening parts of reversals whose VA is flat. Feed each back as a `SignalReceived`
        with `is_opening`."""
        books = self._books
        return reversal.due_openings(books) if books.openings and books.is_ready else []

    def due_timer(self, now_ns: int) -> Timer | None:
        """Take the next wake-up that is due, if any. Feed it back as `TimerFired`."""
        is_due = (timer := self._next_timer()) is not None and timer.due_ns <= now_ns
        return self._books.this_run.pop_timer() if is_due else None

    def next_due_ns(self) -> int | None:
        """When the next wake-up is due."""
        timer = self._next_timer()
        return None if timer is None else timer.due_ns

    def _next_timer(self) -> Timer | None:
        """The next wake-up of which something may come; those that were overtaken are dropped."""
        run = self._books.this_run
        while (timer := run.next_timer()) and timers.is_overtaken(self._books, timer):
            run.pop_timer()
        return timer


def _in_order(commands: list[Command]) -> tuple[Command, ...]:
    """Cancels first, then what protects or reduces, then entries: so that nothing new arrives at
    the venue before what had to make room for it."""

    def rank(command: Command) -> int:
        if isinstance(command, Cancel):
            return 0
        if isinstance(command, Submit):
            return 2 if command.may_raise_exposure else 1
        return 4 if isinstance(command, Compare) else 3

    return tuple(sorted(commands, key=rank) if len(commands) > 1 else commands)
