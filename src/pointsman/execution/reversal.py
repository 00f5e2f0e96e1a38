"""Reversals: an alert that closes one side and opens the other (RULES 55).

The contracts of a reversal are the closing and the opening part. The closing part is an exit like
any other. The opening part is a signal of its own, with the id of the first and `/open`: it waits
in `Account.opening` until the VA is flat, is judged then by all rules, and is refused when that
takes too long or when somebody asks otherwise meanwhile. So a restart finds it in the records, and
it is decided once.

How much is opened follows from what the strategy holds by its own alerts, which is not always what
its VA holds: an entry may have been refused, or its stop was hit. Example, of a strategy of ten
lots that never sends its size:

    buy 10, long     the VA buys 10                          strategy +10
    sell 20, short   the VA sells 10; 10 are left unopened   strategy -10
    buy 20, long     from flat: 10, for it holds 10 then     strategy +10

Invariants: never more is opened than the signal names, nor than the strategy holds after it.
"""

from decimal import Decimal

import msgspec

from pointsman.domain.accounts import Account, Opening
from pointsman.domain.commands import Command
from pointsman.domain.events import SignalReceived
from pointsman.domain.money import ZERO
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import MarketPosition, Side, SignalSide, opened_by
from pointsman.domain.signal_values import OPENING_SUFFIX
from pointsman.domain.signals import Action, Check, Decision, Outcome, Signal, SignalRecord
from pointsman.domain.timers import Timer, TimerKind
from pointsman.execution.books import Books
from pointsman.execution.sizing import build_candidate

replace = msgspec.structs.replace

SOURCE = "reversal"
"""What an opening part came by."""


def wants_position(signal: Signal) -> bool:
    """Whether a signal says that its strategy holds, after it, what its order opens."""
    if signal.side is SignalSide.CLOSE or signal.market_position is None or signal.reduce_only:
        return False
    return opened_by(Side(signal.side.value)).value == signal.market_position.value


# -- what the strategy holds -----------------------------------------------------------------------


def strategy_after(books: Books, signal: Signal) -> Decimal | None:
    """What the strategy holds after a signal, signed, by its own alerts; None where they do not
    say. Before its first alert it holds what its VA holds."""
    position, account = signal.market_position, books.accounts[signal.va_id]
    if position is None:
        is_all = signal.quantity is None and signal.notional is None
        is_flat = signal.side is SignalSide.CLOSE and is_all
        return ZERO if is_flat and account.strategy_quantity is not None else None
    if position is MarketPosition.FLAT:
        return ZERO
    if signal.market_position_size is not None:
        return position.sign * signal.market_position_size
    if signal.quantity is None:
        return None
    before = account.strategy_quantity if account.strategy_symbol == signal.symbol else None
    if before is None:
        holding = books.index[signal.va_id].holdings.get(signal.symbol)
        before = ZERO if holding is None else holding.quantity
    sign = {SignalSide.BUY: 1, SignalSide.SELL: -1}.get(signal.side, -position.sign)
    after = before + sign * signal.quantity
    return after if after * position.sign > ZERO else None


def note_strategy(books: Books, signal: Signal, after: Decimal | None) -> None:
    """Remember what the strategy holds after a signal."""
    account = books.accounts[signal.va_id]
    symbol = None if after is None else signal.symbol
    if (account.strategy_symbol, account.strategy_quantity) != (symbol, after):
        books.put_account(replace(account, strategy_symbol=symbol, strategy_quantity=after))


def limited(signal: Signal, after: Decimal | None) -> Signal:
    """An entry that is no larger than what the strategy holds after it: the rest of its order
    closes what the strategy held before, which its VA does not hold or is exiting already."""
    if signal.quantity is None or not wants_position(signal):
        return signal
    most = _held_after(signal, after)
    return signal if most is None or most >= signal.quantity else replace(signal, quantity=most)


def _held_after(signal: Signal, after: Decimal | None) -> Decimal | None:
    if signal.market_position_size is not None:
        return signal.market_position_size
    return None if after is None else abs(after)


# -- the opening part ------------------------------------------------------------------------------


def opening_part(signal: Signal, closed: Decimal, after: Decimal | None) -> Signal | None:
    """What of a signal is left to open once `closed` has been closed; None where nothing is. A size
    in money or by risk is that of the opening part."""
    quantity, contracts = signal.market_position_size, signal.quantity
    if contracts is None and (signal.notional or signal.risk_percentage):
        # As from flat: the position size of the strategy is in its own units.
        quantity = None
    elif contracts is not None and quantity is not None:
        # Contracts below it are those of an account that trades less than its strategy.
        quantity = min(quantity, contracts)
    elif contracts is not None:
        quantity = contracts - closed
        most = _held_after(signal, after)
        quantity = quantity if most is None else min(quantity, most)
    signal_id = signal.signal_id + OPENING_SUFFIX
    if quantity is None:
        return replace(signal, signal_id=signal_id, remarks=None)
    if quantity <= ZERO:
        return None
    return replace(
        signal, signal_id=signal_id, quantity=quantity, notional=None, risk_percentage=None,
        remarks=None,
    )  # fmt: skip


def unopened_quantity(
    books: Books, event: SignalReceived, opening: Signal, side: Side, now_ns: int
) -> Decimal | None:
    """How much is left unopened where a reversal only closes; of one that is sized in money or by
    risk, as much as it would come to now."""
    if opening.quantity is not None:
        return opening.quantity
    return build_candidate(books, replace(event, signal=opening), side, now_ns).quantity


def let_wait(books: Books, opening: Signal, decision: Decision, now_ns: int) -> Decision:
    """Have an opening part judged once its VA is flat, and say so in the decision on its signal.
    One waits at a time: what waited before, and was not closed by what the newer alert closes, is
    refused."""
    refuse_opening(books, opening.va_id, f"{opening.signal_id} waits in its place", now_ns)
    until_ns = now_ns + books.policy.reversal_wait_ns
    account = books.accounts[opening.va_id]
    waiting = Opening(opening, decision.signal_id, now_ns, until_ns)
    books.put_account(replace(account, opening=waiting))
    wake_at_deadline(books, books.accounts[opening.va_id])
    return replace(decision, opening_id=opening.signal_id, opening_quantity=opening.quantity)


def wake_at_deadline(books: Books, account: Account) -> None:
    """Set the wake-up of an opening part that waits, if there is one."""
    opening = account.opening
    if opening is not None:
        kind = TimerKind.OPENING_DEADLINE
        books.this_run.wake(Timer(opening.until_ns, kind, account.va_id, opening.since_ns))


def due_openings(books: Books) -> list[Signal]:
    """The opening parts that may be judged now: their VAs are flat and nothing of them works."""
    accounts = (books.accounts[va_id] for va_id in books.openings)
    return [
        account.opening.signal
        for account in accounts
        if account.opening is not None and account.leased_symbol is None
    ]


def take_opening(books: Books, signal: Signal) -> None:
    """An opening part is judged now: it waits no longer."""
    account = books.accounts[signal.va_id]
    assert account.opening is not None, signal
    assert account.opening.signal == signal, (account.opening, signal)
    books.put_account(replace(account, opening=None))


def withdraw_contradicted(books: Books, signal: Signal, now_ns: int) -> None:
    """A strategy that asks otherwise meanwhile no longer wants what waits."""
    opening = books.accounts[signal.va_id].opening
    if opening is None or opening.signal.symbol != signal.symbol:
        return
    if signal.market_position is not None:
        is_wanted = signal.market_position is opening.signal.market_position
    else:
        is_wanted = signal.side is opening.signal.side
    if not is_wanted:
        refuse_opening(books, signal.va_id, f"signal {signal.signal_id} asked otherwise", now_ns)


def refuse_opening(books: Books, va_id: str, why: str, now_ns: int) -> None:
    """Decide, without a look at the market, that what waits is not opened."""
    account = books.accounts[va_id]
    opening = account.opening
    if opening is None:
        return
    signal = opening.signal
    wanted = opened_by(Side(signal.side.value)).value
    mode = books.policy.position_mode.value
    check = Check(Reason.OPPOSING_EXPOSURE, False, wanted, mode, note=why)
    books.put_account(replace(account, opening=None))
    books.note(SignalRecord(signal, now_ns, SOURCE, 0), signal.signal_id)
    decision = Decision(
        signal_id=signal.signal_id,
        va_id=va_id,
        symbol=signal.symbol,
        outcome=Outcome.REFUSED,
        decided_at_ns=now_ns,
        reason=check.rule,
        value=check.value,
        limit=check.limit,
        action=Action.ENTRY,
        checks=(check,),
    )
    books.note(decision, signal.signal_id)


def on_opening_deadline(books: Books, timer: Timer, now_ns: int) -> list[Command]:
    """The VA was not flat in time."""
    opening = books.accounts[timer.key].opening
    if opening is not None and opening.since_ns == timer.armed_ns:
        refuse_opening(books, timer.key, "the account was not flat in time", now_ns)
    return []
