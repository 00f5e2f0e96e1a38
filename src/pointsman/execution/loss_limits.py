"""Loss limits: what a closed position and a sample of equity do to a VA (RULES 16, 17).

A loss counts towards the cooldown; equity below its peak, or below where it began the day, stops
the entries of its VA until a person resumes it. The governor checks the results of this for each
entry; the limits over all VAs together are in `kill_switch.py`.
"""

from decimal import Decimal

import msgspec

from pointsman.domain.accounts import Account
from pointsman.domain.market import Quote
from pointsman.domain.money import ZERO, plain, shown_ratio
from pointsman.domain.policy import Limits
from pointsman.domain.positions import Trade
from pointsman.domain.reasons import Reason
from pointsman.domain.timers import Timer, TimerKind
from pointsman.domain.timestamps import in_seconds
from pointsman.execution.books import Books
from pointsman.execution.figures import daily_loss, drawdown, shown_drawdown
from pointsman.execution.incidents import note_incident
from pointsman.execution.pricing import HUNDRED

replace = msgspec.structs.replace


def count_trade(books: Books, trade: Trade, now_ns: int) -> None:
    """Count a closed position: a loss is < 0 after fees, a win > 0, zero is neither. The Nth loss
    in a row starts a cooldown from this event; losses inside it neither extend it nor count (RULES
    16)."""
    account, pnl = books.accounts[trade.va_id], trade.pnl
    wins, losses = account.wins + (pnl > ZERO), account.losses + (pnl < ZERO)
    streak, until_ns = account.streak_at(now_ns), account.cooldown_until_ns
    is_cooling = account.is_cooling(now_ns)
    if pnl > ZERO and not is_cooling:
        streak = 0
    if pnl < ZERO and not is_cooling:
        streak += 1
        until_ns = _start_cooldown(books, account.va_id, streak, now_ns)
    books.put_account(
        replace(
            account,
            trades=account.trades + 1,
            wins=wins,
            losses=losses,
            loss_streak=streak,
            cooldown_until_ns=until_ns,
        )
    )


def _start_cooldown(books: Books, va_id: str, streak: int, now_ns: int) -> int | None:
    limits = books.policy.limits_of(va_id)
    if limits.max_loss_cooldown == 0 or streak < limits.max_loss_cooldown:
        return None
    until_ns = now_ns + limits.cooldown_ns
    books.this_run.wake(Timer(until_ns, TimerKind.COOLDOWN_END, va_id, now_ns))
    note_incident(
        books,
        now_ns,
        Reason.COOLDOWN_STARTED,
        va_id=va_id,
        value=str(streak),
        limit=str(limits.max_loss_cooldown),
        detail=f"{streak} losses in a row; no entries for {in_seconds(limits.cooldown_ns)} s",
    )
    return until_ns


def end_cooldown(books: Books, va_id: str, now_ns: int) -> None:
    """The cooldown is over: the streak is 0 again."""
    account = books.accounts[va_id]
    if account.cooldown_until_ns is not None and now_ns >= account.cooldown_until_ns:
        books.put_account(replace(account, loss_streak=0, cooldown_until_ns=None))


def sample_equity(books: Books, va_id: str, mark: Quote | None, now_ns: int) -> None:
    """Look at a VA's equity: raise its peak, note its deepest drawdown, stop its entries at a
    breach. Stores nothing while none of these changes."""
    account, equity = books.accounts[va_id], books.equity(va_id, mark)
    if equity is None:
        return
    peak = max(account.peak_equity, equity)
    deepest = max(account.max_drawdown, shown_drawdown(equity, peak))
    stopped_by = account.stopped_by or _breached_loss_limit(
        books.policy.limits_of(va_id), account, equity, peak
    )
    if stopped_by is not None and account.stopped_by is None:
        _note_loss_stop(books, account, stopped_by, equity, now_ns)
    if (
        peak != account.peak_equity
        or deepest != account.max_drawdown
        or stopped_by is not account.stopped_by
    ):
        books.put_account(
            replace(
                books.accounts[va_id],
                equity=equity,
                peak_equity=peak,
                max_drawdown=deepest,
                stopped_by=stopped_by,
            )
        )


def _breached_loss_limit(
    limits: Limits, account: Account, equity: Decimal, peak: Decimal
) -> Reason | None:
    if limits.max_daily_loss is not None and daily_loss(account, equity) > limits.max_daily_loss:
        return Reason.MAX_DAILY_LOSS
    allowed = limits.max_drawdown_percentage
    if allowed is not None and drawdown(equity, peak) * HUNDRED > allowed:
        return Reason.MAX_DRAWDOWN
    return None


def _note_loss_stop(
    books: Books, account: Account, stopped_by: Reason, equity: Decimal, now_ns: int
) -> None:
    is_daily = stopped_by is Reason.MAX_DAILY_LOSS
    limits = books.policy.limits_of(account.va_id)
    if is_daily:
        value, limit = daily_loss(account, equity), limits.max_daily_loss
    else:
        value = shown_ratio(drawdown(equity, account.peak_equity) * HUNDRED)
        limit = limits.max_drawdown_percentage
    note_incident(
        books,
        now_ns,
        Reason.DAILY_LOSS_STOP if is_daily else Reason.DRAWDOWN_STOP,
        va_id=account.va_id,
        value=plain(value),
        limit=None if limit is None else plain(limit),
        detail="entries stop until resumed" if is_daily else "%; entries stop until resumed",
    )


def roll_day(books: Books, va_id: str, day_start_ns: int, mark: Quote | None) -> None:
    """Begin a new trading day for a VA: daily counts restart, and its equity now is what is
    measured from. While that is not known the day waits, and no entry can be accepted anyway."""
    account = books.accounts[va_id]
    if day_start_ns <= account.day_start_ns:
        return
    equity = books.equity(va_id, mark)
    if equity is None:
        return
    books.put_account(
        replace(
            account,
            day_start_ns=day_start_ns,
            day_start_equity=equity,
            day_deposits=ZERO,
            day_entries=0,
        )
    )
