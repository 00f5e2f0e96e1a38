"""The desk: every input goes through its one method, `handle`.

`Desk.handle(event, now) -> Step` takes in one event and says what changed and what to do. It is
synchronous and pure: no clock, no I/O, no randomness. After taking in the fact, it asks of
everything that the event touched what must be true now, and emits only the difference; so a fill, a
restart, a lost message and the kill switch share one path.

What the caller must do with a Step: store its changes together with the event, durably; then carry
out its commands, in order, and answer with the decision. A step without changes need not be stored.
"""

from collections.abc import Callable
from typing import Any

from pointsman.domain import events as ev
from pointsman.domain.accounts import DeskRecord
from pointsman.domain.commands import Cancel, Command, Compare, Step, Submit
from pointsman.domain.events import Event, Timer
from pointsman.domain.market import Quote
from pointsman.domain.money import exact
from pointsman.domain.orders import Fill
from pointsman.domain.policy import Policy
from pointsman.domain.signals import Signal
from pointsman.execution import (
    doubt,
    external_holdings,
    judgement,
    learning,
    operator_actions,
    order_manager,
    reversal,
    signal_intake,
    timers,
)
from pointsman.execution.booking import close_if_done
from pointsman.execution.books import Books
from pointsman.execution.funding import on_funding
from pointsman.execution.governor import entries_allowed
from pointsman.execution.lease import release_lease
from pointsman.execution.loading import Loaded, load_books
from pointsman.execution.loss_limits import count_trade, sample_equity
from pointsman.execution.naked_time import track_cover
from pointsman.execution.protection import commands_for
from pointsman.execution.soundness import assert_sound
from pointsman.execution.withdrawal import on_entry_breach, withdraw_entries

Handler = Callable[[Books, Any, int], list[Command]]
"""Takes in one kind of event, or one kind of wake-up, at `now_ns`. Returns what only this event
asks for; what must be true of the positions and accounts that it touched is seen to afterwards."""


class Desk:
    """The decider. One for each account at a venue."""

    def __init__(self, policy: Policy, code: str) -> None:
        self._books = Books(policy, DeskRecord(code))
        self._now_ns = 0

    @classmethod
    def load(cls, policy: Policy, loaded: Loaded, now_ns: int) -> "Desk":
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
            if isinstance(event, ev.SignalReceived):
                return self._decide(event, now_ns)
            commands = _HANDLERS[type(event)](self._books, event, now_ns)
            return self._settle(event, commands, now_ns)

    def _decide(self, event: ev.SignalReceived, now_ns: int) -> Step:
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
        mark, venue_ns = _view(event, now_ns)
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
        for va_id in list(books.touched_accounts):
            if not entries_allowed(books, books.accounts[va_id], now_ns):
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
        timer = self._next_timer()
        if timer is None or timer.due_ns > now_ns:
            return None
        return self._books.this_run.pop_timer()

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


_BRINGS_MARK = (
    ev.SignalReceived,
    ev.OrderReport,
    ev.CancelRefused,
    ev.OrderAbsent,
    ev.TimerFired,
    ev.CashMoved,
    ev.ForeignFill,
    ev.FundingPaid,
    ev.HoldingDiffers,
    ev.Assigned,
)
"""Events with the last valid quote of their symbol."""

_BRINGS_QUOTE = (ev.SignalReceived, ev.LevelReached, ev.EntryBreach)
"""Events with the quote that they are judged on."""

_BRINGS_STAMP = (ev.OrderReport, ev.CancelRefused, ev.FundingPaid)
"""Events with the venue's stamp of what they report."""


def _view(event: Event, now_ns: int) -> tuple[Quote | None, int]:
    """The last valid quote that an event brings, and the venue's stamp of what it reports."""
    mark = event.mark if isinstance(event, _BRINGS_MARK) else None
    if mark is None and isinstance(event, _BRINGS_QUOTE):
        mark = event.quote
    if mark is not None and not mark.is_valid:
        mark = None
    return mark, event.ts_ns if isinstance(event, _BRINGS_STAMP) else now_ns


def _in_order(commands: list[Command]) -> tuple[Command, ...]:
    """Cancels first, then what protects or reduces, then entries: so that nothing new arrives at
    the venue before what had to make room for it."""

    def rank(command: Command) -> int:
        if isinstance(command, Cancel):
            return 0
        if isinstance(command, Submit):
            return 2 if command.may_raise_exposure else 1
        return 4 if isinstance(command, Compare) else 3

    return tuple(sorted(commands, key=rank))


def _on_timer(books: Books, event: ev.TimerFired, now_ns: int) -> list[Command]:
    return _TIMERS[event.timer.kind](books, event.timer, now_ns)


_TIMERS: dict[ev.TimerKind, Handler] = {
    ev.TimerKind.SUBMIT_TIMEOUT: doubt.on_silence,
    ev.TimerKind.QUERY_RETRY: doubt.on_query_retry,
    ev.TimerKind.COVER_QUERY: timers.on_cover_query,
    ev.TimerKind.COVER_DEADLINE: timers.on_cover_deadline,
    ev.TimerKind.CROSSED_DEADLINE: timers.on_crossed_deadline,
    ev.TimerKind.EXIT_RETRY: timers.on_exit_retry,
    ev.TimerKind.EXIT_UNFILLED: timers.on_exit_unfilled,
    ev.TimerKind.COOLDOWN_END: timers.on_cooldown_end,
    ev.TimerKind.OPENING_DEADLINE: reversal.on_opening_deadline,
}


_HANDLERS: dict[type[Event], Handler] = {
    ev.Started: operator_actions.on_started,
    ev.InstrumentLearned: learning.on_instrument_learned,
    ev.SignalMalformed: signal_intake.on_malformed,
    ev.OrderSent: order_manager.on_sent,
    ev.SendRefused: order_manager.on_send_refused,
    ev.OrderReport: order_manager.on_report,
    ev.OrderAdopted: doubt.on_adopted,
    ev.CancelRefused: doubt.on_cancel_refused,
    ev.OrderAbsent: doubt.on_absent,
    ev.EntryBreach: on_entry_breach,
    ev.LevelReached: timers.on_level,
    ev.TimerFired: _on_timer,
    ev.Marked: timers.on_marked,
    ev.Killed: operator_actions.on_killed,
    ev.Rearmed: operator_actions.on_rearmed,
    ev.Paused: operator_actions.on_paused,
    ev.Resumed: operator_actions.on_resumed,
    ev.FlattenRequested: operator_actions.on_flatten,
    ev.AccountOpened: operator_actions.on_account_opened,
    ev.CashMoved: operator_actions.on_cash_moved,
    ev.CashConfirmed: operator_actions.on_cash_confirmed,
    ev.ForeignFill: external_holdings.on_foreign_fill,
    ev.FundingPaid: on_funding,
    ev.HoldingDiffers: external_holdings.on_holding_differs,
    ev.Assigned: external_holdings.on_assigned,
    ev.Compared: operator_actions.on_compared,
    ev.StorageHealed: operator_actions.on_storage_healed,
    ev.TaskDied: operator_actions.on_task_died,
    ev.FileLost: operator_actions.on_file_lost,
    ev.RunEnded: operator_actions.on_run_ended,
}
