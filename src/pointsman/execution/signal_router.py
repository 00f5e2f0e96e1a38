"""The router: which VA a signal is for, and whether it enters or exits, before any limit is
checked.

A VA trades one symbol at a time (`lease.py`). A signal against an open position is a reduce-only
exit, never a flip. Exits pass only this check: no cooldown, throttle, window or loss limit can
block them.
"""

from collections.abc import Iterator
from decimal import Decimal

import msgspec

from pointsman.domain.money import ZERO, plain
from pointsman.domain.positions import Position, closing_of
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import PositionSide, Side, SignalSide, opened_by
from pointsman.domain.signals import Action, Check, Signal
from pointsman.domain.timestamps import in_seconds
from pointsman.execution import venue_forbids
from pointsman.execution.books import Books
from pointsman.execution.lease import check_lease
from pointsman.execution.reversal import wants_position
from pointsman.execution.unknown_names import account_note


class Route(msgspec.Struct, frozen=True, gc=False):
    """What a signal is to its VA. `closable` is what is held and not already being closed;
    `would_flip` says that only the position in its way makes it an exit; `is_reversal` that its
    strategy then holds the other side (RULES 55)."""

    action: Action
    side: Side | None
    closable: Decimal
    would_flip: bool
    checks: tuple[Check, ...]
    is_reversal: bool = False


def route(books: Books, signal: Signal, now_ns: int, note: str = "") -> Route:
    """Find out what a signal means for its VA. The first failed check, if any, is the reason of a
    refusal; `note` is what is said of a symbol that is not known."""
    if signal.va_id not in books.accounts:
        meant = account_note(signal.va_id, books.accounts)
        known = Check(Reason.UNKNOWN_ACCOUNT, False, signal.va_id, "a known account", note=meant)
        return Route(Action.ENTRY, None, ZERO, False, (known, *_expiry(signal, now_ns)))
    held = [p for p in books.open_positions(signal.va_id) if p.symbol == signal.symbol]
    side = None if signal.side is SignalSide.CLOSE else Side(signal.side.value)
    opposes = side is not None and bool(held) and held[0].side.closes_with is side
    is_exit = side is None or signal.reduce_only or opposes
    closable = _closable(held, side) if is_exit else ZERO
    is_reversal = opposes and wants_position(signal)
    if side is not None and is_reversal and closable == ZERO:
        return _wait(books, signal, side, now_ns)
    checks = [
        Check(Reason.UNKNOWN_ACCOUNT, True, signal.va_id),
        *_expiry(signal, now_ns),
        check_lease(books, signal, note=note, may_be_beside=closable > ZERO),
    ]
    if side is None or is_exit:
        told = "" if closable > ZERO else note
        left = Check(Reason.NOTHING_TO_CLOSE, closable > ZERO, plain(closable), "0", note=told)
        checks.append(left)
    else:
        checks += _entry_direction(books, signal, side)
    action = Action.EXIT if is_exit else Action.ENTRY
    would_flip = opposes and not signal.reduce_only
    return Route(action, side, closable, would_flip, tuple(checks), is_reversal)


def _wait(books: Books, signal: Signal, side: Side, now_ns: int) -> Route:
    """An entry against a position that is being exited waits for that (RULES 55). One waits at a
    time."""
    free = Check(
        Reason.OPPOSING_EXPOSURE,
        books.accounts[signal.va_id].opening is None,
        opened_by(side).value,
        books.policy.position_mode.value,
        note="it waits until the account is flat",
    )
    checks = (
        Check(Reason.UNKNOWN_ACCOUNT, True, signal.va_id),
        *_expiry(signal, now_ns),
        check_lease(books, signal),
        free,
    )
    return Route(Action.WAIT, side, ZERO, False, checks, is_reversal=True)


def _closable(held: list[Position], side: Side | None) -> Decimal:
    return sum(
        (
            position.quantity - closing_of(position)
            for position in held
            if side is None or position.side.closes_with is side
        ),
        ZERO,
    )


def _expiry(signal: Signal, now_ns: int) -> Iterator[Check]:
    if signal.ts_ns is not None and signal.ttl_ns is not None:
        age_ns = now_ns - signal.ts_ns
        yield Check(
            Reason.EXPIRED,
            age_ns <= signal.ttl_ns,
            in_seconds(age_ns),
            in_seconds(signal.ttl_ns),
            unit="s",
        )


def _entry_direction(books: Books, signal: Signal, side: Side) -> Iterator[Check]:
    wanted = opened_by(side)
    yield Check(
        Reason.OPPOSING_EXPOSURE,
        not _is_opposed(books, signal, wanted),
        wanted.value,
        books.policy.position_mode.value,
    )
    allowed = books.policy.limits_of(signal.va_id).entry_sides
    may = wanted is PositionSide.LONG or books.instrument(signal.symbol).may_short
    limit = allowed.value if may else PositionSide.LONG.value
    yield Check(Reason.SIDE_NOT_ALLOWED, may and allowed.allows(wanted), wanted.value, limit)
    if (can := books.policy.abilities).forbids or not can.takes_requests_in_order:
        yield venue_forbids.check_entry(books, signal.symbol, side)


def _is_opposed(books: Books, signal: Signal, wanted: PositionSide) -> bool:
    """In its own VA an entry in flight the other way always opposes; another VA's exposure, or a
    foreign one, only where the venue account nets long against short."""
    key = (signal.symbol, wanted.opposite)
    holders = books.holders.get(key, {})
    if signal.va_id in holders:
        return True
    if books.policy.is_hedged:
        return False
    external = books.externals.get((signal.symbol, PositionSide.LONG))
    return bool(holders) or (external is not None and external.quantity * wanted.sign < ZERO)
