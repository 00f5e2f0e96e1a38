"""Doubt: an order without an answer (RULES 26, 27).

A timeout only ever makes an order unknown. Unknown orders are asked about, never resent; any report
of the venue ends the doubt. That it knows no such order counts only from when its request can no
longer arrive. Also here: what a start or a comparison brings, orders that only the venue remembers
and orders that it did not show.
"""

import msgspec

from pointsman.domain.client_order_ids import parse_client_order_id
from pointsman.domain.commands import Command, Query
from pointsman.domain.events import CancelRefused, OrderAbsent, OrderAdopted
from pointsman.domain.life_cycle import OrderStatus, ReportKind
from pointsman.domain.orders import Order, Role
from pointsman.domain.reasons import Reason
from pointsman.domain.timers import Timer, TimerKind
from pointsman.execution import booking
from pointsman.execution.books import Books
from pointsman.execution.incidents import note_incident
from pointsman.execution.order_ends import follow_up
from pointsman.execution.order_manager import end_order

replace = msgspec.structs.replace


def on_silence(books: Books, timer: Timer, now_ns: int) -> list[Command]:
    """No answer in time, about an order that was sent or its cancel: it is unknown from here on,
    and asked about."""
    order = books.orders.get(timer.key)
    if order is None or order.is_unknown or order.status is OrderStatus.INITIALIZED:
        return []
    if not order.awaits_answer(timer.armed_ns):
        return []
    is_submit = order.status is OrderStatus.SUBMITTED and order.sent_at_ns == timer.armed_ns
    books.put_order(replace(order, is_unknown=True, updated_at_ns=now_ns))
    note_incident(
        books,
        now_ns,
        Reason.UNKNOWN_OUTCOME,
        of=order,
        value=str(now_ns - timer.armed_ns),
        limit=str(books.policy.submit_timeout_ns),
        detail="submit" if is_submit else "cancel",
    )
    return [_ask(books, order, now_ns)]


def _ask(books: Books, order: Order, now_ns: int) -> Query:
    """A question to the venue, to be repeated while the order stays unknown, and as soon as a "no
    such order" counts."""
    books.this_run.note_asked(order.client_order_id, now_ns)
    settled_ns = _settled_at_ns(books, order)
    due_ns = now_ns + books.policy.submit_timeout_ns
    due_ns = settled_ns if now_ns < settled_ns < due_ns else due_ns
    books.this_run.wake(Timer(due_ns, TimerKind.QUERY_RETRY, order.client_order_id, now_ns))
    return Query(order.client_order_id, order.symbol)


def _settled_at_ns(books: Books, order: Order) -> int:
    """From when on a "no such order" counts (RULES 26). For an entry of an earlier process that is
    counted from this start, since the clock may have been put right in between (F72). Where the
    requests of an earlier process can no longer arrive, it counts from this start on; where
    requests expire, from when this one has (RULES 67)."""
    is_inherited = order.client_order_id in books.this_run.inherited
    if is_inherited and books.policy.abilities.requests_end_with_session:
        return books.this_run.started_at_ns
    left_ns = order.left_at_ns
    if order.role is Role.ENTRY:
        left_ns = max(left_ns, books.this_run.started_at_ns)
    return left_ns + books.policy.request_life_ns


def on_query_retry(books: Books, timer: Timer, now_ns: int) -> list[Command]:
    """Still unknown: ask again, unless it was asked about since."""
    order = books.orders.get(timer.key)
    if order is None or not order.is_unknown:
        return []
    if books.this_run.asked_at_ns.get(timer.key, timer.armed_ns) != timer.armed_ns:
        return []
    return [_ask(books, order, now_ns)]


def ask_about(books: Books, order_ids: tuple[str, ...], now_ns: int) -> list[Command]:
    """Ask the venue about orders that a comparison did not show."""
    orders = (books.orders.get(order_id) for order_id in order_ids)
    return [_ask(books, order, now_ns) for order in orders if order]


def on_absent(books: Books, event: OrderAbsent, now_ns: int) -> list[Command]:
    """The venue knows no such order. That counts only if it was asked after the last moment at
    which the request could still arrive (RULES 26); until then it stays unknown and is asked about
    again. One that the venue had accepted has ended, if it is older than what the venue keeps of
    those; else that is impossible."""
    order = books.orders.get(event.client_order_id)
    if order is None:
        return []
    if event.asked_at_ns < _settled_at_ns(books, order):
        if not order.is_unknown:
            books.put_order(replace(order, is_unknown=True, updated_at_ns=now_ns))
            _ask(books, order, now_ns)
        return []
    was_accepted = order.status not in (OrderStatus.INITIALIZED, OrderStatus.SUBMITTED)
    is_kept_no_longer = was_accepted and _is_older_than_kept(books, order, event.asked_at_ns)
    kind = ReportKind.CANCELED if was_accepted else ReportKind.REJECTED
    told = reason = Reason.NOT_FOUND if is_kept_no_longer else Reason.NEVER_ARRIVED
    if was_accepted and not is_kept_no_longer:
        told = Reason.STRANGE_REPORT
        booking.freeze(books, order.va_id, told, now_ns)
    note_incident(books, now_ns, told, of=order)
    known = replace(order, is_unknown=False, is_cancel_pending=False)
    ended = end_order(books, known, kind, reason, now_ns)
    return follow_up(books, order, ended, now_ns)


def _is_older_than_kept(books: Books, order: Order, asked_at_ns: int) -> bool:
    """Whether an order is so old that the venue may have ended it, and no longer say so. What it
    filled comes with a comparison."""
    kept_ns = books.policy.abilities.keeps_ended_orders_ns
    return kept_ns is not None and asked_at_ns - order.left_at_ns > kept_ns


def on_cancel_refused(books: Books, event: CancelRefused, now_ns: int) -> list[Command]:
    """Nothing was left to cancel, by the venue's word; if we think otherwise, ask what became of
    it, and until then count it as being cancelled. Asked about just before, it is asked about when
    the repetition is due: a venue may refuse and yet show it open, over and over."""
    order = books.orders.get(event.client_order_id)
    if order is None or not order.is_cancel_pending:
        return []
    books.put_order(replace(order, is_unknown=True, updated_at_ns=now_ns))
    earliest_ns = now_ns - books.policy.submit_timeout_ns
    asked_at_ns = books.this_run.asked_at_ns.get(order.client_order_id, earliest_ns)
    return [] if asked_at_ns > earliest_ns else [_ask(books, order, now_ns)]


def on_adopted(books: Books, event: OrderAdopted, now_ns: int) -> list[Command]:
    """An order of ours that only the venue remembers is ours again; its number is not given
    twice."""
    order = event.order
    position = books.positions.get(order.position_id)
    parts = parse_client_order_id(order.client_order_id)
    if position is None or parts is None or order.client_order_id in books.orders:
        return []
    attempts = max(position.attempts(order.role), parts.attempt)
    books.put_position(position.with_attempts(order.role, attempts))
    books.put_order(replace(order, created_at_ns=now_ns, sent_at_ns=now_ns, updated_at_ns=now_ns))
    note_incident(
        books,
        now_ns,
        Reason.MISMATCH,
        of=order,
        detail="the venue knew this order of ours and we did not; it is adopted",
    )
    return []
