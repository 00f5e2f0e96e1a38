"""The order manager: how an entry is made, and what the venue's reports make of an order.

Every status comes from the life-cycle table; every report of the venue clears our doubt (RULES 27).
What follows for its position when an order ends is in `order_ends.py`; what happens while an order
has no answer is in `doubt.py`.
"""

import msgspec

from pointsman.domain.client_order_ids import client_order_id
from pointsman.domain.commands import Command, Compare, Submit
from pointsman.domain.events import OrderReport, OrderSent, ReportWord, SendRefused, VenueFill
from pointsman.domain.life_cycle import ImpossibleReport, OrderStatus, ReportKind, next_status
from pointsman.domain.money import plain
from pointsman.domain.orders import Order, OrderType, Role
from pointsman.domain.reasons import Reason
from pointsman.domain.timers import Timer, TimerKind
from pointsman.execution import booking, pacing
from pointsman.execution.books import Books
from pointsman.execution.fills import fill_key, with_fill
from pointsman.execution.incidents import note_incident
from pointsman.execution.lease import take_lease
from pointsman.execution.order_ends import follow_up
from pointsman.execution.sizing import Candidate
from pointsman.execution.soundness import assert_may_open

replace = msgspec.structs.replace


def open_entry(books: Books, entry: Candidate) -> Submit:
    """Take the symbol lease and make the entry order of an accepted signal: an immediate-or-cancel
    limit."""
    assert entry.quantity is not None
    assert entry.limit_price is not None
    number, now_ns = books.desk.next_number, entry.now_ns
    books.put_desk(replace(books.desk, next_number=number + 1))
    signal = entry.signal
    order = Order(
        client_order_id=client_order_id(books.desk.code, number, Role.ENTRY, 1, books.desk.epoch),
        va_id=signal.va_id,
        symbol=signal.symbol,
        position_id=number,
        role=Role.ENTRY,
        order_type=OrderType.LIMIT_IOC,
        side=entry.side,
        position_side=entry.position_side,
        quantity=entry.quantity,
        created_at_ns=now_ns,
        limit_price=entry.limit_price,
        stop_level=signal.stop_loss,
        stop_percentage=entry.stop_percentage,
        take_profit=entry.take_profit,
        signal_id=signal.signal_id,
        updated_at_ns=now_ns,
    )
    assert_may_open(books, order)
    take_lease(books, signal.va_id, signal.symbol)
    account = books.accounts[signal.va_id]
    books.put_account(replace(account, day_entries=account.day_entries + 1))
    books.put_order(order)
    books.note_entry_time(signal.va_id, now_ns)
    return Submit(order)


def on_sent(books: Books, event: OrderSent, now_ns: int) -> list[Command]:
    """The order left. From now on silence is measured."""
    order = books.orders.get(event.client_order_id)
    if order is None:
        return []
    status = next_status(order.status, ReportKind.SENT)
    books.put_sent(replace(order, status=status, sent_at_ns=now_ns, updated_at_ns=now_ns))
    due_ns = now_ns + books.policy.submit_timeout_ns
    books.this_run.wake(Timer(due_ns, TimerKind.SUBMIT_TIMEOUT, order.client_order_id, now_ns))
    return []


def on_send_refused(books: Books, event: SendRefused, now_ns: int) -> list[Command]:
    """The last check held an order back: it never left, and that is certain (RULES 31)."""
    order = books.orders.get(event.client_order_id)
    if order is not None and order.status is OrderStatus.INITIALIZED:
        end_order(books, order, ReportKind.DENIED, event.reason, now_ns)
    return []


def end_order(
    books: Books, order: Order, kind: ReportKind, reason: Reason | None, now_ns: int
) -> Order:
    """End an order without a report of the venue; gives it as it is then."""
    status = next_status(order.status, kind)
    ended = replace(order, status=status, end_reason=reason, updated_at_ns=now_ns)
    books.put_order(ended)
    return ended


# -- the venue's word ------------------------------------------------------------------------------


def on_report(books: Books, event: OrderReport, now_ns: int) -> list[Command]:
    """Take in one report. Anything that cannot be freezes the account and asks for a comparison."""
    order = books.orders.get(event.client_order_id)
    keys = books.fill_keys.get(event.client_order_id, {})
    if order is None and event.known is not None:
        # A final order is reported once more: what storage remembers of it (RULES 32).
        order, keys = event.known.order, dict.fromkeys(event.known.fill_keys)
        books.note_reopened(event.known)
    if order is None:
        return [Compare(books.desk.fills_cursor)]
    try:
        return _take_in(books, event, order, keys, now_ns)
    except ImpossibleReport as impossible:
        note_incident(
            books,
            now_ns,
            Reason.STRANGE_REPORT,
            of=order,
            value=impossible.kind.value,
            limit=impossible.status.value,
        )
        booking.freeze(books, order.va_id, Reason.STRANGE_REPORT, now_ns)
        return [Compare(books.desk.fills_cursor)]


def _take_in(
    books: Books, event: OrderReport, order: Order, keys: dict[str, None], now_ns: int
) -> list[Command]:
    fill, kind = event.fill, None
    if event.kind is ReportWord.TRADE:
        assert fill is not None, "a TRADE report carries a fill"
        if fill_key(order.client_order_id, order.side, fill) in keys:
            return []
        filled = order.filled + fill.quantity
        kind = ReportKind.LAST_FILL if filled >= order.quantity else ReportKind.PARTIAL_FILL
        after = with_fill(order, fill, books.instrument(order.symbol))
    else:
        kind, after = event.kind.report_kind, order
    status = next_status(order.status, kind)
    changed = replace(
        after,
        status=status,
        is_unknown=False,
        is_cancel_pending=False,
        is_triggered=order.is_triggered or _shows_trigger(order, event),
        venue_order_id=_venue_id(order, event),
        end_reason=order.end_reason if event.reason is None else event.reason,
        is_queued=event.is_queued,
    )
    if changed == order:
        return []
    if changed.has_begun_to_close and not order.has_begun_to_close:
        changed = _covering(books, changed, now_ns)
    books.put_order(replace(changed, updated_at_ns=now_ns))
    books.this_run.pacing.forget(pacing.sending(order.position_id, order.role))
    if changed.is_resting_stop:
        books.this_run.pacing.forget(pacing.forbidden(order.position_id))
    if fill is not None:
        _book(books, changed, fill, now_ns)
    return follow_up(books, order, changed, now_ns)


def _shows_trigger(order: Order, event: OrderReport) -> bool:
    """Whether a report shows that a stop has triggered: the venue says so, or it trades. Not every
    venue says so, and the first trade may be told before."""
    is_trade = event.fill is not None and order.role is Role.STOP
    return is_trade or event.kind is ReportWord.TRIGGERED


def _venue_id(order: Order, event: OrderReport) -> str | None:
    """What the venue calls an order. A stop may trade under another id than it rested under: the
    one that it trades under is kept, whatever is reported again of the other."""
    if event.fill is not None and order.role is Role.STOP:
        return event.venue_order_id or order.venue_order_id
    return order.venue_order_id or event.venue_order_id


def _covering(books: Books, order: Order, now_ns: int) -> Order:
    """What closes a position counts as its cover for one deadline from when it began to (RULES
    63); after half of it, it is asked about."""
    deadline_ns, key = books.policy.protection_deadline_ns, order.client_order_id
    until_ns = now_ns + deadline_ns
    books.this_run.wake(Timer(now_ns + deadline_ns // 2, TimerKind.EXIT_UNFILLED, key, until_ns))
    return replace(order, covers_until_ns=until_ns)


def _book(books: Books, order: Order, fill: VenueFill, now_ns: int) -> None:
    key = fill_key(order.client_order_id, order.side, fill)
    books.note_fill_key(order.client_order_id, key)
    if order.filled > order.quantity:
        note_incident(
            books,
            now_ns,
            Reason.OVERFILL,
            of=order,
            value=plain(order.filled),
            limit=plain(order.quantity),
            detail="the venue filled more than was ordered",
        )
        booking.freeze_symbol(books, order.symbol, Reason.OVERFILL, now_ns, also=order.va_id)
    booking.book_fill(books, order, fill, now_ns)
