"""Which function takes in which kind of event, and which kind of wake-up.

A signal is not here: the desk has it judged (`judgement.py`), since only that leads to a decision.
"""

from collections.abc import Callable
from typing import Any

from pointsman.domain import events as ev
from pointsman.domain.commands import Command
from pointsman.domain.events import Event
from pointsman.domain.timers import TimerKind
from pointsman.domain.venue_reports import AccountRead, InstrumentsChanged
from pointsman.execution import (
    account_watch,
    adoption,
    doubt,
    external_holdings,
    learning,
    not_sent,
    operator_actions,
    order_manager,
    reversal,
    signal_intake,
    timers,
    venue_links,
)
from pointsman.execution.books import Books
from pointsman.execution.funding import on_charge, on_funding
from pointsman.execution.withdrawal import on_entry_breach

Handler = Callable[[Books, Any, int], list[Command]]
"""Takes in one kind of event, or one kind of wake-up, at `now_ns`. Returns what only this event
asks for; what must be true of the positions and accounts that it touched is seen to afterwards."""


def _on_timer(books: Books, event: ev.TimerFired, now_ns: int) -> list[Command]:
    return TIMERS[event.timer.kind](books, event.timer, now_ns)


TIMERS: dict[TimerKind, Handler] = {
    TimerKind.SUBMIT_TIMEOUT: doubt.on_silence,
    TimerKind.QUERY_RETRY: doubt.on_query_retry,
    TimerKind.SEND_RETRY: not_sent.on_send_retry,
    TimerKind.COVER_QUERY: timers.on_cover_query,
    TimerKind.COVER_DEADLINE: timers.on_cover_deadline,
    TimerKind.CROSSED_DEADLINE: timers.on_crossed_deadline,
    TimerKind.EXIT_RETRY: timers.on_exit_retry,
    TimerKind.EXIT_UNFILLED: timers.on_exit_unfilled,
    TimerKind.COOLDOWN_END: timers.on_cooldown_end,
    TimerKind.OPENING_DEADLINE: reversal.on_opening_deadline,
}


HANDLERS: dict[type[Event], Handler] = {
    ev.Started: operator_actions.on_started,
    ev.InstrumentLearned: learning.on_instrument_learned,
    InstrumentsChanged: learning.on_instruments_changed,
    ev.SignalMalformed: signal_intake.on_malformed,
    ev.OrderSent: order_manager.on_sent,
    ev.SendRefused: order_manager.on_send_refused,
    ev.NotSent: not_sent.on_not_sent,
    ev.LinkChanged: venue_links.on_link_changed,
    ev.UnlistedCode: venue_links.on_unlisted_code,
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
    ev.ChargePaid: on_charge,
    ev.HoldingDiffers: external_holdings.on_holding_differs,
    ev.Assigned: adoption.on_assigned,
    ev.Compared: operator_actions.on_compared,
    AccountRead: account_watch.on_account_read,
    ev.StorageHealed: operator_actions.on_storage_healed,
    ev.TaskDied: operator_actions.on_task_died,
    ev.FileLost: operator_actions.on_file_lost,
    ev.RunEnded: operator_actions.on_run_ended,
}
