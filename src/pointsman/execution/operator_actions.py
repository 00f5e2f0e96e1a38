"""What people and start-up do to the desk: start, kill, pause, flatten, move money, compare.

Anyone may stop; a stop is latched and released only by a person with a reason (RULES 19). Recovery
is start-up: every order that is not final counts as unknown, the venue is asked, and only then are
signals decided.
"""

from decimal import Decimal

import msgspec

from pointsman.domain import events as ev
from pointsman.domain.accounts import Account, CashMove, KillState, Mark
from pointsman.domain.commands import Command, Compare, MoveCash
from pointsman.domain.life_cycle import OrderStatus
from pointsman.domain.money import ZERO
from pointsman.domain.orders import Role
from pointsman.domain.positions import PositionState
from pointsman.domain.reasons import Reason
from pointsman.domain.timers import Timer, TimerKind
from pointsman.execution import (
    doubt,
    equity_points,
    external_holdings,
    kill_switch,
    naked_time,
    order_manager,
    reversal,
)
from pointsman.execution.books import Books
from pointsman.execution.incidents import note_incident
from pointsman.execution.loss_limits import roll_day

replace = msgspec.structs.replace


def on_started(books: Books, event: ev.Started, now_ns: int) -> list[Command]:
    """Begin, or begin again: new VAs are opened, everything in flight is doubted, the venue is
    asked."""
    books.put_policy(event.policy)
    books.this_run.begin(books.orders, now_ns)
    books.put_desk(
        replace(books.desk, compared_at_ns=None, traded_on=event.traded_on, epoch=event.epoch)
    )
    commands: list[Command] = []
    for va_id, balance in event.accounts:
        if va_id not in books.accounts:
            commands += _open_account(books, va_id, balance, now_ns)
    commands += [MoveCash(move.ref, move.amount) for move in books.cash_moves.values()]
    for order in list(books.orders.values()):
        books.put_order(replace(order, is_unknown=True))
        due_ns = now_ns + event.policy.submit_timeout_ns
        books.this_run.wake(Timer(due_ns, TimerKind.QUERY_RETRY, order.client_order_id, now_ns))
    _rearm_timers(books)
    if event.policy.kill_switch_enabled:
        kill_switch.press(books, KillState.HALT, "settings", "KILL_SWITCH_ENABLED=true", now_ns)
    return [*dict.fromkeys(commands), Compare(books.desk.fills_cursor)]


def _rearm_timers(books: Books) -> None:
    """Set the wake-ups that follow from the records. Those of naked positions wait for the
    comparison."""
    for order in books.orders.values():
        if order.covers_until_ns is not None:
            due_ns, key = order.covers_until_ns, order.client_order_id
            books.this_run.wake(Timer(due_ns, TimerKind.EXIT_UNFILLED, key, due_ns))
    for account in books.accounts.values():
        until_ns = account.cooldown_until_ns
        if until_ns is not None:
            books.this_run.wake(Timer(until_ns, TimerKind.COOLDOWN_END, account.va_id, until_ns))
        reversal.wake_at_deadline(books, account)
    for position in books.positions.values():
        key = str(position.position_id)
        if position.exit_retry_at_ns is not None:
            at_ns = position.exit_retry_at_ns
            books.this_run.wake(Timer(at_ns, TimerKind.EXIT_RETRY, key, at_ns))
        if position.crossed_at_ns is not None:
            due_ns = position.crossed_at_ns + books.policy.protection_deadline_ns
            armed_ns = position.crossed_at_ns
            books.this_run.wake(Timer(due_ns, TimerKind.CROSSED_DEADLINE, key, armed_ns))


def _open_account(books: Books, va_id: str, balance: Decimal, now_ns: int) -> list[Command]:
    books.put_account(
        Account(
            va_id,
            balance,
            now_ns,
            cash=balance,
            equity=balance,
            peak_equity=balance,
            day_start_equity=balance,
        )
    )
    _move_total(books, balance)
    move = CashMove(f"{books.desk.code}-open-{va_id}", va_id, balance, now_ns)
    books.put_cash_move(move)
    equity_points.keep(books, [va_id], None, now_ns)
    return [MoveCash(move.ref, balance)]


def _move_total(books: Books, amount: Decimal) -> None:
    """Money in or out of any VA is no profit, loss or drawdown of all of them together."""
    desk = books.desk
    books.put_desk(
        replace(
            desk,
            peak_equity=max(ZERO, desk.peak_equity + amount),
            day_deposits=desk.day_deposits + amount,
        )
    )


def on_account_opened(books: Books, event: ev.AccountOpened, now_ns: int) -> list[Command]:
    """A further VA, with its start balance. One that exists is left as it is."""
    if event.va_id in books.accounts:
        return []
    return _open_account(books, event.va_id, event.balance, now_ns)


def on_cash_moved(books: Books, event: ev.CashMoved, now_ns: int) -> list[Command]:
    """Money in or out is not profit, loss or drawdown: the peak moves in proportion, as if units of
    the account were bought or sold at their present value (RULES 17). A move that is under way
    already is not made again."""
    if event.va_id not in books.accounts or event.ref in books.cash_moves:
        return []
    roll_day(books, event.va_id, event.day_start_ns, event.mark)
    account = books.accounts[event.va_id]
    equity = books.equity(event.va_id, event.mark)
    peak = account.peak_equity + event.amount
    if equity is not None and equity > ZERO:
        peak = account.peak_equity * (equity + event.amount) / equity
    books.put_account(
        replace(
            account,
            cash=account.cash + event.amount,
            deposits=account.deposits + event.amount,
            day_deposits=account.day_deposits + event.amount,
            equity=account.equity + event.amount,
            peak_equity=peak,
        )
    )
    _move_total(books, event.amount)
    books.put_cash_move(CashMove(event.ref, event.va_id, event.amount, now_ns))
    equity_points.keep(books, [event.va_id], event.mark, now_ns)
    return [MoveCash(event.ref, event.amount)]


def on_cash_confirmed(books: Books, event: ev.CashConfirmed, _now_ns: int) -> list[Command]:
    """The venue's ledger has the money too."""
    move = books.cash_moves.get(event.ref)
    if move is not None:
        books.put_cash_move(replace(move, is_confirmed=True))
    return []


def on_killed(books: Books, event: ev.Killed, now_ns: int) -> list[Command]:
    """Halt, or flatten."""
    state = KillState.FLATTEN if event.flatten else KillState.HALT
    kill_switch.press(books, state, event.by, event.note, now_ns)
    return []


def on_rearmed(books: Books, event: ev.Rearmed, now_ns: int) -> list[Command]:
    """A person releases the latch; while the settings say killed, it stays (RULES 19). What the
    machine may trip it by is counted afresh, and the drawdown of all VAs measured from here on:
    else what had tripped it could not trip it again."""
    if books.policy.kill_switch_enabled or books.kill_switch.state is KillState.OFF:
        return []
    books.put_kill_switch(
        replace(
            books.kill_switch,
            state=KillState.OFF,
            changed_at_ns=now_ns,
            changed_by=event.by,
            note=event.note,
            flat_at_ns=None,
        )
    )
    books.put_desk(
        replace(
            books.desk,
            peak_equity=ZERO,
            breach_readings=0,
            naked_readings=0,
            mismatch_cycles=0,
        )
    )
    note_incident(books, now_ns, Reason.KILL_RELEASED, detail=f"{event.by}: {event.note}")
    return []


def on_paused(books: Books, event: ev.Paused, now_ns: int) -> list[Command]:
    """No new entries, of one VA or of all; exits go on."""
    if event.va_id is None:
        _put_pause(books, event, now_ns, is_paused=True)
        books.look_again_at_entries()
    elif event.va_id in books.accounts:
        books.put_account(replace(books.accounts[event.va_id], is_paused=True))
    return []


def _put_pause(
    books: Books, event: ev.Paused | ev.Resumed, now_ns: int, *, is_paused: bool
) -> None:
    """Pause or resume all. While the kill switch is set, who set it and why are kept."""
    switch = replace(books.kill_switch, is_paused=is_paused)
    if switch.state is KillState.OFF:
        switch = replace(switch, changed_at_ns=now_ns, changed_by=event.by, note=event.note)
    books.put_kill_switch(switch)


def on_resumed(books: Books, event: ev.Resumed, now_ns: int) -> list[Command]:
    """Entries again. For one VA this also restarts its drawdown, from its next sample where its
    equity is not known now, and lifts a freeze, the latter only after a comparison that succeeded
    since (RULES 17, 20); otherwise one is asked for."""
    if event.va_id is None:
        _put_pause(books, event, now_ns, is_paused=False)
        return []
    account = books.accounts.get(event.va_id)
    if account is None:
        return []
    commands: list[Command] = []
    peak = books.equity(event.va_id, None)
    thawed = replace(
        account, is_paused=False, stopped_by=None, peak_equity=ZERO if peak is None else peak
    )
    if account.frozen_for is not None:
        compared_ns = books.desk.compared_at_ns
        if compared_ns is not None and compared_ns > (account.frozen_at_ns or 0):
            thawed = replace(thawed, frozen_for=None, frozen_at_ns=None)
        else:
            commands.append(Compare(books.desk.fills_cursor))
    books.put_account(thawed)
    return commands


def on_flatten(books: Books, event: ev.FlattenRequested, now_ns: int) -> list[Command]:
    """Close everything of one VA, or of all."""
    kill_switch.close_everything(books, event.va_id, now_ns)
    return []


def on_compared(books: Books, event: ev.Compared, now_ns: int) -> list[Command]:
    """A comparison ended. Only a complete one counts; the first since the start opens the desk."""
    if not event.is_complete:
        return []
    desk, was_ready = books.desk, books.is_ready
    cycles = desk.mismatch_cycles + 1 if event.differences else 0
    is_news = (
        not was_ready
        or cycles != desk.mismatch_cycles
        or event.fills_cursor != desk.fills_cursor
        or event.foreign_orders != books.this_run.foreign_orders
        or bool(books.frozen)
        or _is_newly_flat(books)
    )
    if is_news:
        books.put_desk(
            replace(
                desk,
                compared_at_ns=event.taken_at_ns,
                mismatch_cycles=cycles,
                fills_cursor=event.fills_cursor,
            )
        )
    books.this_run.note_foreign_orders(event.foreign_orders)
    external_holdings.count_taken_in(books, 0)
    if _is_newly_flat(books):
        books.put_kill_switch(replace(books.kill_switch, flat_at_ns=now_ns))
    kill_switch.watch_mismatch(books, now_ns)
    for position in list(books.positions.values()) if not was_ready else ():
        books.look_again_at_position(position.position_id)
        if position.naked_since_ns is not None:
            since_ns = position.naked_since_ns
            naked_time.watch_cover(books, position.position_id, since_ns, now_ns)
    return doubt.ask_about(books, event.unseen_orders, now_ns)


def _is_newly_flat(books: Books) -> bool:
    """Whether a flatten is done: no position but dust, and no order of ours that can fill (RULES
    28)."""
    switch = books.kill_switch
    return (
        switch.state is KillState.FLATTEN
        and switch.flat_at_ns is None
        and not books.orders
        and all(position.state is PositionState.DUST for position in books.positions.values())
    )


def on_storage_healed(books: Books, event: ev.StorageHealed, now_ns: int) -> list[Command]:
    """Entries that waited for storage while it failed are withdrawn: they never left (RULES 29)."""
    for order_id in event.withdrawn:
        order = books.orders.get(order_id)
        if (
            order is not None
            and order.role is Role.ENTRY
            and order.status is OrderStatus.INITIALIZED
        ):
            refused = ev.SendRefused(order_id, Reason.STORAGE_FAILED)
            order_manager.on_send_refused(books, refused, now_ns)
    return []


def on_task_died(books: Books, event: ev.TaskDied, now_ns: int) -> list[Command]:
    """What is known of it is kept; that no entry leaves meanwhile is the last gate's doing."""
    note_incident(
        books, now_ns, Reason.TASK_DIED, value=event.task, detail=f"{event.task}: {event.fault}"
    )
    return []


def on_file_lost(books: Books, event: ev.FileLost, now_ns: int) -> list[Command]:
    """Kept, where it can still be stored; that no entry leaves meanwhile is the last gate's
    doing."""
    note_incident(books, now_ns, Reason.FILE_LOST, value=event.path, detail=event.fault)
    return []


def on_run_ended(books: Books, event: ev.RunEnded, now_ns: int) -> list[Command]:
    """The data of a recorded run is at its end: what the report is made from."""
    books.put_desk(
        replace(
            books.desk,
            quotes=event.quotes,
            bad_quotes=event.bad_quotes,
            ended_at_ns=now_ns,
        )
    )
    for mark in event.marks:
        books.note(Mark(mark.symbol, mark.ts_ns, mark.bid, mark.ask), mark.symbol)
    if event.bad_quotes:
        note_incident(
            books,
            now_ns,
            Reason.BAD_QUOTES,
            value=str(event.bad_quotes),
            detail="rows were skipped; the run's log names the first of them",
        )
    return []
