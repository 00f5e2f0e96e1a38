"""Requests that certainly did not reach the venue (RULES 44).

An order that did not ends DENIED, as one that the last check held back: nothing of it can come back
from the venue. What then must be true of its position is asked as after every event, so the next
stop or exit leaves at once, and a cancel is asked for again; from the second time in a row it waits
(`pacing.py`). An entry is not sent again: it was judged on a market that is gone.

The word is believed only of an order that the venue has said nothing of. Against a report of the
venue it is a contradiction: an incident, and nothing else changes.
"""

import msgspec

from pointsman.domain.commands import Command
from pointsman.domain.events import NotSent
from pointsman.domain.life_cycle import OrderStatus, ReportKind
from pointsman.domain.orders import Order, Role
from pointsman.domain.reasons import Reason
from pointsman.domain.timers import Timer, TimerKind
from pointsman.execution import pacing
from pointsman.execution.books import Books
from pointsman.execution.cancelling import cancel_all
from pointsman.execution.incidents import note_incident
from pointsman.execution.order_manager import end_order

replace = msgspec.structs.replace

_UNREPORTED = (OrderStatus.INITIALIZED, OrderStatus.SUBMITTED)


def on_not_sent(books: Books, event: NotSent, now_ns: int) -> list[Command]:
    """Take in that an order, or its cancel, did not reach the venue."""
    order = books.orders.get(event.client_order_id)
    if order is None:
        return []
    if event.is_cancel:
        return _on_cancel_not_sent(books, event, order, now_ns)
    if order.status not in _UNREPORTED:
        note_incident(
            books,
            now_ns,
            Reason.STRANGE_REPORT,
            of=order,
            value=Reason.NOT_SENT.value,
            limit=order.status.value,
            detail=event.detail,
        )
        return []
    ended = replace(order, is_unknown=False, is_cancel_pending=False)
    end_order(books, ended, ReportKind.DENIED, event.reason, now_ns)
    if order.role is Role.ENTRY:
        _note(books, event, order, now_ns)
    else:
        _pace(books, event, order, pacing.sending(order.position_id, order.role), now_ns)
    return []


def _on_cancel_not_sent(books: Books, event: NotSent, order: Order, now_ns: int) -> list[Command]:
    if not order.is_cancel_pending:
        return []
    books.put_order(replace(order, is_cancel_pending=False, updated_at_ns=now_ns))
    _pace(books, event, order, pacing.cancelling(order), now_ns)
    return _cancel_entries_again(books, order.position_id, now_ns)


def _pace(books: Books, event: NotSent, order: Order, key: pacing.Key, now_ns: int) -> None:
    """Count it, tell the first of a series, and have the position looked at when it may be tried
    again."""
    run = books.this_run.pacing.note(key, now_ns)
    if run.count == 1:
        _note(books, event, order, now_ns)
    else:
        timer = Timer(run.again_at_ns, TimerKind.SEND_RETRY, str(order.position_id), now_ns)
        books.this_run.wake(timer)


def _note(books: Books, event: NotSent, order: Order, now_ns: int) -> None:
    what = "its cancel" if event.is_cancel else f"the {order.role.value}"
    detail = f"{what} did not leave: {event.detail or event.reason.sentence}"
    value = event.reason.value
    note_incident(books, now_ns, Reason.NOT_SENT, of=order, value=value, detail=detail)


def on_send_retry(books: Books, timer: Timer, now_ns: int) -> list[Command]:
    """What did not reach the venue may be tried again, where it is still wanted."""
    return try_again(books, int(timer.key), now_ns)


def try_again(books: Books, position_id: int, now_ns: int) -> list[Command]:
    """Look at a position, and at the entries of which a cancel did not reach the venue."""
    books.look_again_at_position(position_id)
    return _cancel_entries_again(books, position_id, now_ns)


def _cancel_entries_again(books: Books, position_id: int, now_ns: int) -> list[Command]:
    """An entry whose cancel was asked for was given up, whatever is allowed by now (F74)."""
    pace = books.this_run.pacing
    entries = books.orders_of(position_id, Role.ENTRY)
    given_up = [entry for entry in entries if pace.is_counted(pacing.cancelling(entry))]
    return cancel_all(books, given_up, now_ns)
