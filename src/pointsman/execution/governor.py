"""The governor: a VA's limits on new entries, and the cooldown after losses.

Every limit is evaluated and stored with the measured value, even after the first breach, so that
`why` can show all of them. A limit that is switched off is not evaluated; one that cannot be
computed refuses (by the quote filters, where a missing quote is the cause). Entries in flight count
towards position slots and notional as if they had filled (I11).
"""

from collections.abc import Iterator
from decimal import Decimal

import msgspec

from pointsman.domain.accounts import Account, KillState, TradingState
from pointsman.domain.events import Timer, TimerKind
from pointsman.domain.market import Quote
from pointsman.domain.money import ONE, ZERO, plain, shown_ratio
from pointsman.domain.policy import Limits
from pointsman.domain.reasons import Reason
from pointsman.domain.signals import Check
from pointsman.execution.books import Books
from pointsman.execution.incidents import note_incident
from pointsman.execution.pricing import HUNDRED
from pointsman.execution.shortfall import disputed
from pointsman.execution.sizing import Candidate

SECOND = Decimal(10**9)


def govern(books: Books, entry: Candidate, entries_held: str = "") -> Iterator[Check]:
    """All limits of an entry, in the order of RULES 11. `entries_held` is what holds all entries
    back, empty where nothing does."""
    yield from _switches(books, entry.account, entries_held)
    yield from _standing(books, entry.account, entry.signal.symbol, entry.now_ns)
    yield from _exposure(books, entry)
    yield from _losses(entry)
    yield from _throttles(books, entry)


def _switches(books: Books, account: Account, entries_held: str) -> Iterator[Check]:
    halted = books.kill_switch.trading_state is TradingState.HALTED
    paused = account.is_paused or books.kill_switch.is_paused
    yield Check(Reason.KILLED, not halted, books.kill_switch.state.value, KillState.OFF.value)
    yield Check(Reason.PAUSED, not paused, "paused" if paused else "active", "active")
    if entries_held:
        yield Check(Reason.ENTRIES_HELD, False, entries_held, None)


def _standing(books: Books, account: Account, symbol: str, now_ns: int) -> Iterator[Check]:
    unknown = len(books.index[account.va_id].unknown)
    frozen = account.frozen_for
    yield Check(Reason.FROZEN, frozen is None, frozen.value if frozen else "active", "active")
    yield Check(Reason.UNKNOWN_ORDER, unknown == 0, str(unknown), "0", unit="orders")
    lack = disputed(books, symbol)
    if lack > ZERO:
        yield Check(Reason.HOLDING_DISPUTED, False, plain(lack), "0")
    left_ns = max(0, (account.cooldown_until_ns or 0) - now_ns)
    yield Check(Reason.COOLDOWN, left_ns == 0, plain(left_ns / SECOND), "0", unit="s left")


def _exposure(books: Books, entry: Candidate) -> Iterator[Check]:
    limits, account = entry.limits, entry.account
    slots = books.slots_used(account.va_id) + 1
    yield Check(
        Reason.MAX_OPEN_POSITIONS,
        slots <= limits.max_open_positions,
        str(slots),
        str(limits.max_open_positions),
        unit="positions",
    )
    notional = entry.notional
    if notional is None:
        return
    total = account.exposure + notional
    yield _at_most(Reason.MAX_POSITION_SIZE, total, limits.max_position_size)
    if entry.equity is None:
        yield Check(Reason.INSUFFICIENT_EQUITY, False, None, None, note="equity is not known")
    else:
        allowed = entry.equity * limits.max_leverage
        yield _at_most(Reason.INSUFFICIENT_EQUITY, total, allowed)


def _losses(entry: Candidate) -> Iterator[Check]:
    account, limits, equity = entry.account, entry.limits, entry.equity
    loss = None if equity is None else daily_loss(account, equity)
    yield from _loss_limit(Reason.MAX_DAILY_LOSS, account, loss, loss, limits.max_daily_loss)
    fall = None if equity is None else drawdown(equity, account.peak_equity) * HUNDRED
    shown = None if fall is None else shown_ratio(fall)
    allowed = limits.max_drawdown_percentage
    yield from _loss_limit(Reason.MAX_DRAWDOWN, account, fall, shown, allowed, "%")


def _loss_limit(
    rule: Reason,
    account: Account,
    value: Decimal | None,
    shown: Decimal | None,
    limit: Decimal | None,
    unit: str = "",
) -> Iterator[Check]:
    """A stop by this limit holds until a person resumes the VA, also when the limit has been
    switched off meanwhile."""
    is_stopped = account.stopped_by is rule
    if limit is None and not is_stopped:
        return
    is_kept = limit is None or (value is not None and value <= limit)
    yield Check(
        rule,
        is_kept and not is_stopped,
        None if shown is None else plain(shown),
        None if limit is None else plain(limit),
        unit=unit,
        note="stopped until resumed" if is_stopped else "",
    )


def _throttles(books: Books, entry: Candidate) -> Iterator[Check]:
    limits, account, policy = entry.limits, entry.account, books.policy
    if limits.max_trades_per_day is not None:
        yield _count(Reason.MAX_TRADES_PER_DAY, account.day_entries + 1, limits.max_trades_per_day)
    times = books.index[account.va_id].entry_times
    if limits.max_orders_per_minute is not None:
        count = books.entries_within_minute(times, entry.now_ns) + 1
        yield _count(Reason.MAX_ORDERS_PER_MINUTE, count, limits.max_orders_per_minute)
    if policy.global_max_orders_per_minute is not None:
        count = books.entries_within_minute(books.entry_times, entry.now_ns) + 1
        check = _count(Reason.MAX_ORDERS_PER_MINUTE, count, policy.global_max_orders_per_minute)
        yield msgspec.structs.replace(check, note="over all accounts")


def _at_most(rule: Reason, value: Decimal, limit: Decimal) -> Check:
    return Check(rule, value <= limit, plain(value), plain(limit))


def _count(rule: Reason, value: int, limit: int) -> Check:
    return Check(rule, value <= limit, str(value), str(limit), unit="entries")


# -- what losses teach -----------------------------------------------------------------------------


def after_close(books: Books, account: Account, pnl: Decimal, now_ns: int) -> Account:
    """Count a closed position: a loss is < 0 after fees, a win > 0, zero is neither. The Nth loss
    in a row starts a cooldown from this event; losses inside it neither extend it nor count (RULES
    16)."""
    wins, losses = account.wins + (pnl > ZERO), account.losses + (pnl < ZERO)
    streak, until_ns = account.streak_at(now_ns), account.cooldown_until_ns
    is_cooling = account.is_cooling(now_ns)
    if pnl > ZERO and not is_cooling:
        streak = 0
    if pnl < ZERO and not is_cooling:
        streak += 1
        until_ns = _start_cooldown(books, account.va_id, streak, now_ns)
    return msgspec.structs.replace(
        account,
        trades=account.trades + 1,
        wins=wins,
        losses=losses,
        loss_streak=streak,
        cooldown_until_ns=until_ns,
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
        detail=f"{streak} losses in a row; no entries for {plain(limits.cooldown_ns / SECOND)} s",
    )
    return until_ns


def end_cooldown(books: Books, va_id: str, now_ns: int) -> None:
    """The cooldown is over: the streak is 0 again."""
    account = books.accounts[va_id]
    if account.cooldown_until_ns is not None and now_ns >= account.cooldown_until_ns:
        books.put_account(msgspec.structs.replace(account, loss_streak=0, cooldown_until_ns=None))


def daily_loss(account: Account, equity: Decimal) -> Decimal:
    """What was lost since 00:00 of the trading day, money moved in or out apart (RULES 17)."""
    return account.day_start_equity + account.day_deposits - equity


def drawdown(equity: Decimal, peak: Decimal) -> Decimal:
    """1 - equity / peak: a ratio, zero at the peak (RULES 17)."""
    return ONE - equity / peak if peak > ZERO else ZERO


def sample_equity(books: Books, va_id: str, mark: Quote | None, now_ns: int) -> None:
    """Look at a VA's equity: raise its peak, note its deepest drawdown, stop its entries at a
    breach. Stores nothing while none of these changes."""
    account, equity = books.accounts[va_id], books.equity(va_id, mark)
    if equity is None:
        return
    peak = max(account.peak_equity, equity)
    deepest = max(account.max_drawdown, shown_ratio(drawdown(equity, peak)))
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
            msgspec.structs.replace(
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
        msgspec.structs.replace(
            account,
            day_start_ns=day_start_ns,
            day_start_equity=equity,
            day_deposits=ZERO,
            day_entries=0,
        )
    )


def entries_allowed(books: Books, account: Account, now_ns: int) -> bool:
    """Whether an entry of this VA may go on working (RULES 16, 17, 19)."""
    return (
        books.kill_switch.trading_state is TradingState.ACTIVE
        and not account.is_paused
        and account.frozen_for is None
        and account.stopped_by is None
        and not account.is_cooling(now_ns)
    )
