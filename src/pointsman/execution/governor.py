"""The governor: a VA's limits on new entries. What losses do to it is in `loss_limits.py`.

Every limit is evaluated and stored with the measured value, even after the first breach, so that
`why` can show all of them. A limit that is switched off is not evaluated; one that cannot be
computed refuses (by the quote filters, where a missing quote is the cause). Entries in flight count
towards position slots and notional as if they had filled (I11).
"""

from collections.abc import Iterator
from decimal import Decimal

from pointsman.domain.accounts import Account, KillState, TradingState
from pointsman.domain.money import ZERO, plain, shown_ratio
from pointsman.domain.reasons import Reason
from pointsman.domain.signals import Check
from pointsman.domain.timestamps import in_seconds
from pointsman.execution.books import Books
from pointsman.execution.figures import daily_loss, drawdown
from pointsman.execution.pricing import HUNDRED
from pointsman.execution.shortfall import disputed
from pointsman.execution.sizing import Candidate
from pointsman.execution.venue_links import link_checks


def govern(books: Books, entry: Candidate, entries_held: str = "") -> Iterator[Check]:
    """All limits of an entry, in the order of RULES 11. `entries_held` is what holds all entries
    back, empty where nothing does."""
    yield from _switches(books, entry.account, entries_held)
    yield from link_checks(books, entry.now_ns)
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
    yield Check(Reason.COOLDOWN, left_ns == 0, in_seconds(left_ns), "0", unit="s left")


def _exposure(books: Books, entry: Candidate) -> Iterator[Check]:
    limits, account = entry.limits, entry.account
    slots = books.slots_used(account.va_id) + 1
    yield _at_most(Reason.MAX_OPEN_POSITIONS, slots, limits.max_open_positions, "positions")
    if entry.notional is None:
        return
    total = account.exposure + entry.notional
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
        count = account.day_entries + 1
        yield _at_most(Reason.MAX_TRADES_PER_DAY, count, limits.max_trades_per_day, "entries")
    times = books.index[account.va_id].entry_times
    if limits.max_orders_per_minute is not None:
        count = books.entries_within_minute(times, entry.now_ns) + 1
        yield _at_most(Reason.MAX_ORDERS_PER_MINUTE, count, limits.max_orders_per_minute, "entries")
    if policy.global_max_orders_per_minute is not None:
        count = books.entries_within_minute(books.entry_times, entry.now_ns) + 1
        limit, note = policy.global_max_orders_per_minute, "over all accounts"
        yield _at_most(Reason.MAX_ORDERS_PER_MINUTE, count, limit, "entries", note)


def _at_most(
    rule: Reason, value: Decimal | int, limit: Decimal | int, unit: str = "", note: str = ""
) -> Check:
    shown, allowed = plain(Decimal(value)), plain(Decimal(limit))
    return Check(rule, value <= limit, shown, allowed, unit=unit, note=note)
