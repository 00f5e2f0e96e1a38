"""What the end of an order means for its position.

After the usual ends the desk looks at the position again and sends what is missing. An exit or a
stop that the venue will not take must not be sent again at once: it would be refused at the speed
of the wire, over and over.
"""

import msgspec

from pointsman.domain.commands import Command, Compare
from pointsman.domain.life_cycle import OrderStatus
from pointsman.domain.orders import Order, Role
from pointsman.domain.positions import Position
from pointsman.domain.reasons import Reason
from pointsman.domain.timers import Timer, TimerKind
from pointsman.execution import booking, protection, venue_forbids
from pointsman.execution.books import Books
from pointsman.execution.cancelling import cancel
from pointsman.execution.incidents import note_incident

replace = msgspec.structs.replace


def follow_up(books: Books, before: Order, order: Order, now_ns: int) -> list[Command]:
    """What an order's end means for its position. A fill that comes after the end of an entry still
    moves its average, and so its stop. An entry that works although its cancel was asked about is
    cancelled again, whatever is allowed by now: it was given up (F74)."""
    if not order.is_final:
        was_lost = before.is_unknown and before.is_cancel_pending and order.role is Role.ENTRY
        return [cancel(books, order, now_ns)] if was_lost else []
    if order.role is Role.ENTRY:
        booking.settle_stop_price(books, order)
        return []
    if before.is_final or order.end_reason is Reason.NEVER_ARRIVED:
        return []
    position = books.positions.get(order.position_id)
    if position is None or not position.is_live:
        return []
    if order.role is Role.EXIT:
        if (order.filled and order.status is not OrderStatus.REJECTED) or before.is_cancel_pending:
            return []
        return _after_failed_exit(books, order, position, now_ns)
    is_new = before.status in (OrderStatus.INITIALIZED, OrderStatus.SUBMITTED)
    if is_new and order.end_reason is Reason.VENUE_FORBIDS:
        return venue_forbids.after_refusal(books, order, position, now_ns)
    if order.status is OrderStatus.REJECTED or _failed_at_trigger(order, position):
        return _after_stop_rejection(books, order, position, now_ns)
    if order.is_triggered:
        # The venue has acted on that crossing; the next is watched for again.
        books.put_position(replace(position, crossed_at_ns=None))
    return []


def _failed_at_trigger(order: Order, position: Position) -> bool:
    """Whether the venue let a stop end with nothing traded at the moment that it rested for: it had
    triggered, or the price was seen going through it. Some venues look at margin, or at what is
    left to reduce, only then."""
    is_needed = order.is_triggered or position.crossed_at_ns is not None
    return is_needed and order.status is OrderStatus.EXPIRED and not order.filled


def _after_failed_exit(
    books: Books, order: Order, position: Position, now_ns: int
) -> list[Command]:
    """An exit that the venue will not take, or ended without a fill, is tried again after a
    comparison and a pause (F21, F45, F49)."""
    retry_ns = now_ns + books.policy.protection_deadline_ns
    books.put_position(replace(position, exit_retry_at_ns=retry_ns))
    books.this_run.wake(Timer(retry_ns, TimerKind.EXIT_RETRY, str(position.position_id), retry_ns))
    commands: list[Command] = []
    if order.status is OrderStatus.REJECTED:
        _note_rejection(books, order, Reason.EXIT_REJECTED, now_ns)
    if order.end_reason is Reason.VENUE_FORBIDS:
        commands += venue_forbids.clear_the_way(books, position, now_ns)
    return [*commands, Compare(books.desk.fills_cursor)]


def _after_stop_rejection(
    books: Books, order: Order, position: Position, now_ns: int
) -> list[Command]:
    """A stop that the venue will not take, or gives up when it triggers, leaves the position to be
    exited at market: because the price is through it already (RULES 23), or for a reason that a
    person must look at."""
    if order.end_reason is Reason.WOULD_TRIGGER:
        protection.give_up_stops(books, position, Reason.STOP_CROSSED)
        return []
    protection.give_up_stops(books, position, Reason.STOP_REJECTED)
    _note_rejection(books, order, Reason.STOP_REJECTED, now_ns)
    booking.freeze(books, order.va_id, Reason.STOP_REJECTED, now_ns)
    return [Compare(books.desk.fills_cursor)]


def _note_rejection(books: Books, order: Order, kind: Reason, now_ns: int) -> None:
    note_incident(
        books,
        now_ns,
        kind,
        of=order,
        value=None if order.end_reason is None else order.end_reason.value,
    )
