"""Judgement: one signal, one permanent decision.

The router, then for entries the governor and the filters, then the decision with every rule that
could be evaluated; the first breach is the reason (RULES 11). A repeated signal id gets its first
decision again and changes nothing else (RULES 13).

How much an entry buys is in `sizing.py`, how much an exit closes in `exit_sizing.py`; what is left
to open when a signal turns a position round waits in `reversal.py`.
"""

from decimal import Decimal

import msgspec

from pointsman.domain.commands import Command
from pointsman.domain.events import SignalReceived
from pointsman.domain.money import ZERO, plain
from pointsman.domain.policy import Reversal
from pointsman.domain.reasons import Reason
from pointsman.domain.signals import (
    Action,
    Check,
    Decision,
    Outcome,
    SignalRecord,
)
from pointsman.execution import reversal
from pointsman.execution.books import Books
from pointsman.execution.exit_sizing import allocate, size_exit
from pointsman.execution.filters import filter_entry
from pointsman.execution.governor import govern
from pointsman.execution.incidents import note_incident
from pointsman.execution.kill_switch import roll_total_day
from pointsman.execution.loss_limits import roll_day
from pointsman.execution.order_manager import open_entry
from pointsman.execution.roundings import rounded_entry, rounded_exit
from pointsman.execution.signal_intake import advance_cursor, note_repeat
from pointsman.execution.signal_router import Route, route
from pointsman.execution.sizing import Candidate, build_candidate
from pointsman.execution.unknown_names import symbol_note

replace = msgspec.structs.replace


class Ruling(msgspec.Struct, frozen=True, gc=False):
    """A decision and the commands it leads to. `is_repeat`: the id came again with the same
    content; `is_reused_id`: with other content."""

    decision: Decision
    commands: list[Command]
    is_repeat: bool = False
    is_reused_id: bool = False


def judge(books: Books, event: SignalReceived, now_ns: int) -> Ruling:
    """Decide a signal."""
    signal = event.signal
    if event.is_opening:
        reversal.take_opening(books, signal)
    else:
        advance_cursor(books, event.source, event.line)
    if event.first is not None:
        is_repeat = note_repeat(books, event.first, signal, now_ns)
        return Ruling(event.first.decision, [], is_repeat=is_repeat, is_reused_id=not is_repeat)
    record = SignalRecord(signal, now_ns, event.source, event.line)
    books.note(record, signal.signal_id)
    if signal.va_id in books.accounts:
        roll_day(books, signal.va_id, event.day_start_ns, event.mark)
    if not books.holding_accounts:
        # While something is held the marks of each second do it.
        roll_total_day(books, books.total_cash, event.day_start_ns)
    after = None
    if signal.va_id in books.accounts and not event.is_opening:
        after = reversal.strategy_after(books, signal)
        reversal.note_strategy(books, signal, after)
        reversal.withdraw_contradicted(books, signal, now_ns)
    note = symbol_note(signal, event.quote, event.quoted_as)
    way = route(books, signal, now_ns, note)
    if way.action is Action.EXIT:
        ruling = _judge_exit(books, event, way, after, now_ns)
    elif way.action is Action.WAIT:
        ruling = _judge_wait(books, event, way, after, now_ns)
    else:
        ruling = _judge_entry(books, event, way, after, now_ns)
    books.note(ruling.decision, signal.signal_id)
    return ruling


def _refusal(checks: tuple[Check, ...]) -> Check | None:
    return next((check for check in checks if not check.passed), None)


def _decision(
    event: SignalReceived, way: Route, checks: tuple[Check, ...], now_ns: int
) -> Decision:
    signal, refusal = event.signal, _refusal(checks)
    return Decision(
        signal_id=signal.signal_id,
        va_id=signal.va_id,
        symbol=signal.symbol,
        outcome=Outcome.ACCEPTED if refusal is None else Outcome.REFUSED,
        decided_at_ns=now_ns,
        reason=None if refusal is None else refusal.rule,
        value=None if refusal is None else refusal.value,
        limit=None if refusal is None else refusal.limit,
        action=way.action,
        quote=event.quote,
        checks=checks,
    )


# -- entries ---------------------------------------------------------------------------------------


def _judge_entry(
    books: Books, event: SignalReceived, way: Route, after: Decimal | None, now_ns: int
) -> Ruling:
    if way.side is None:
        return Ruling(_decision(event, way, way.checks, now_ns), [])
    asked = event.signal.quantity
    event = replace(event, signal=reversal.limited(event.signal, after))
    entry = build_candidate(books, event, way.side, now_ns)
    checks = (*way.checks, *govern(books, entry, event.entries_held), *filter_entry(event, entry))
    decision = _decision(event, way, checks, now_ns)
    clipped = entry.quantity if event.signal.quantity != asked else None
    decision = replace(
        decision,
        quantity=entry.quantity,
        clipped_quantity=clipped,
        limit_price=entry.limit_price,
        rounded=rounded_entry(entry),
    )
    if decision.outcome is Outcome.REFUSED:
        return Ruling(decision, [])
    return _accept_entry(books, entry, decision)


def _accept_entry(books: Books, entry: Candidate, decision: Decision) -> Ruling:
    submit = open_entry(books, entry)
    order = submit.order
    decision = replace(
        decision, client_order_id=order.client_order_id, position_ids=(order.position_id,)
    )
    return Ruling(decision, [submit])


def _judge_wait(
    books: Books, event: SignalReceived, way: Route, after: Decimal | None, now_ns: int
) -> Ruling:
    """An entry against a position that is being exited: judged once that is done (RULES 55)."""
    decision = _decision(event, way, way.checks, now_ns)
    opening = reversal.opening_part(event.signal, ZERO, after)
    if decision.outcome is Outcome.REFUSED or opening is None:
        return Ruling(decision, [])
    return Ruling(reversal.let_wait(books, opening, decision, now_ns), [])


# -- exits -----------------------------------------------------------------------------------------


def _judge_exit(
    books: Books, event: SignalReceived, way: Route, after: Decimal | None, now_ns: int
) -> Ruling:
    if way.closable <= ZERO:
        return Ruling(_decision(event, way, way.checks, now_ns), [])
    size = size_exit(books, event, way)
    decision = _decision(event, way, (*way.checks, size.minimum), now_ns)
    if decision.outcome is Outcome.REFUSED:
        return Ruling(decision, [])
    quantity = min(size.wanted, way.closable)
    position_ids = allocate(books, event.signal, way, quantity)
    opening = None
    if way.is_reversal:
        opening = reversal.opening_part(event.signal, quantity, after)
    limits = books.policy.limits_of(event.signal.va_id)
    if opening is not None and limits.reversal is Reversal.CLOSE_AND_OPEN:
        decision = replace(decision, quantity=quantity, position_ids=position_ids)
        return Ruling(reversal.let_wait(books, opening, decision, now_ns), [])
    opening_quantity = None
    if opening is not None and way.side is not None:
        opening_quantity = reversal.unopened_quantity(books, event, opening, way.side, now_ns)
    is_clipped = size.wanted > way.closable or opening is not None
    clipped = quantity if is_clipped else None
    if clipped is not None and way.would_flip:
        note_incident(
            books,
            now_ns,
            Reason.CLIPPED,
            va_id=event.signal.va_id,
            symbol=event.signal.symbol,
            value=plain(size.wanted + (opening_quantity or ZERO)),
            limit=plain(quantity),
            detail=f"signal {event.signal.signal_id} was cut to the position it closes",
        )
    decision = replace(
        decision,
        quantity=quantity,
        clipped_quantity=clipped,
        position_ids=position_ids,
        opening_quantity=opening_quantity,
        rounded=rounded_exit(books, event.signal, size) if clipped is None else (),
    )
    return Ruling(decision, [])
