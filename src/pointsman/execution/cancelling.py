"""Cancelling: the one way in which the venue is asked to cancel an order.

The order is marked before the request leaves, and is asked to be cancelled once: until the venue
has answered, or its silence is noticed, it counts as one that may still trade.
"""

from collections.abc import Iterable

import msgspec

from pointsman.domain.commands import Cancel, Command
from pointsman.domain.orders import Order
from pointsman.domain.timers import Timer, TimerKind
from pointsman.execution import pacing
from pointsman.execution.books import Books

replace = msgspec.structs.replace


def can_cancel(books: Books, order: Order, now_ns: int) -> bool:
    """Whether asking the venue to cancel would be new to it, and need not wait."""
    if order.is_cancel_pending or order.is_final:
        return False
    return books.this_run.pacing.may_ask(pacing.cancelling(order), now_ns)


def cancel(books: Books, order: Order, now_ns: int) -> Cancel:
    """Mark an order as being cancelled and ask the venue for it; silence is noticed by a timer."""
    books.put_order(replace(order, is_cancel_pending=True, cancel_sent_at_ns=now_ns))
    due_ns = now_ns + books.policy.submit_timeout_ns
    books.this_run.wake(Timer(due_ns, TimerKind.SUBMIT_TIMEOUT, order.client_order_id, now_ns))
    return Cancel(order.client_order_id, order.symbol)


def cancel_all(books: Books, orders: Iterable[Order], now_ns: int) -> list[Command]:
    """Ask the venue to cancel those of which that is new to it, and need not wait."""
    return [cancel(books, order, now_ns) for order in orders if can_cancel(books, order, now_ns)]
