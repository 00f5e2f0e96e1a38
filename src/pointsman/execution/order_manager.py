"""The order manager: what is learned of an order, and what follows from it.

Every status comes from the life-cycle table; every report of the venue clears our doubt (RULES 27);
a timeout only ever makes an order unknown, and unknown orders are asked about, never resent (RULES
26).
"""

import msgspec

from pointsman.domain.commands import Command, Compare, Query, Submit
from pointsman.domain.events import (
    CancelRefused,
    OrderAbsent,
    OrderAdopted,
    OrderReport,
    OrderSent,
    SendRefused,
    Timer,
    TimerKind,
    VenueFill,
    VenueWord,
)
from pointsman.domain.life_cycle import ImpossibleReport, OrderStatus, ReportKind, next_status
from pointsman.domain.money import plain
from pointsman.domain.orders import (
    Order,
    OrderType,
    Role,
    client_order_id,
    parse_client_order_id,
)
from pointsman.domain.positions import Position
from pointsman.domain.reasons import Reason
from pointsman.execution import booking, protection
from pointsman.execution.books import Books
from pointsman.execution.fills import fill_key, with_fill
from pointsman.execution.incidents import note_incident
from pointsman.execution.lease import take_lease
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
    percentage = None
    if signal.stop_loss is None:
        percentage = signal.stop_loss_percentage or entry.limits.stop_loss_percentage
    order = Order(
        client_order_id=client_order_id(books.desk.code, number, Role.ENTRY, 1),
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
        stop_percentage=percentage,
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
    """The last gate held an order back: it never left, and that is certain (RULES 31)."""
    order = books.orders.get(event.client_order_id)
    if order is not None and order.status is OrderStatus.INITIALIZED:
        _end(books, order, ReportKind.DENIED, event.reason, now_ns)
    return []


def _end(books: Books, order: Order, kind: ReportKind, reason: Reason | None, now_ns: int) -> Order:
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
    if event.kind is VenueWord.TRADE:
        assert fill is not None, "a TRADE report carries a fill"
        if fill_key(order.client_order_id, order.side, fill) in keys:
            return []
        filled = order.filled + fill.quantity
        kind = ReportKind.LAST_FILL if filled >= order.quantity else ReportKind.PARTIAL_FILL
        after = with_fill(order, fill, books.policy.instrument(order.symbol))
    else:
        kind, after = event.kind.report_kind, order
    status = next_status(order.status, kind)
    changed = replace(
        after,
        status=status,
        is_unknown=False,
        is_cancel_pending=False,
        is_triggered=order.is_triggered or event.kind is VenueWord.TRIGGERED,
        venue_order_id=order.venue_order_id or event.venue_order_id,
        end_reason=order.end_reason if event.reason is None else event.reason,
    )
    if changed == order:
        return []
    if changed.has_begun_to_close and not order.has_begun_to_close:
        changed = _covering(books, changed, now_ns)
    books.put_order(replace(changed, updated_at_ns=now_ns))
    if fill is not None:
        _book(books, changed, fill, now_ns)
    return _follow(books, order, changed, now_ns)


def _covering(books: Books, order: Order, now_ns: int) -> Order:
    """What closes a position counts as its cover for one deadline from when it began to (RULES
    63)."""
    until_ns, key = now_ns + books.policy.protection_deadline_ns, order.client_order_id
    books.this_run.wake(Timer(until_ns, TimerKind.EXIT_UNFILLED, key, until_ns))
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


def _follow(books: Books, before: Order, order: Order, now_ns: int) -> list[Command]:
    """What an order's end means for its position. A fill that comes after the end of an entry still
    moves its average, and so its stop. An entry that works although its cancel was asked about is
    cancelled again, whatever is allowed by now: it was given up (F74)."""
    if not order.is_final:
        was_lost = before.is_unknown and before.is_cancel_pending and order.role is Role.ENTRY
        return [protection.cancel(books, order, now_ns)] if was_lost else []
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
    if order.status is OrderStatus.REJECTED:
        return _after_stop_rejection(books, order, position, now_ns)
    if order.is_triggered:
        # The venue has acted on that crossing; the next is watched for again.
        books.put_position(replace(position, crossed_at_ns=None))
    return []


def _after_failed_exit(
    books: Books, order: Order, position: Position, now_ns: int
) -> list[Command]:
    """An exit that the venue will not take, or ended without a fill, is tried again after a
    comparison and a pause, so that nothing goes round and round at the speed of the wire (F21,
    F45, F49)."""
    retry_ns = now_ns + books.policy.protection_deadline_ns
    books.put_position(replace(position, exit_retry_at_ns=retry_ns))
    books.this_run.wake(Timer(retry_ns, TimerKind.EXIT_RETRY, str(position.position_id), retry_ns))
    if order.status is OrderStatus.REJECTED:
        _note_rejection(books, order, Reason.EXIT_REJECTED, now_ns)
    return [Compare(books.desk.fills_cursor)]


def _after_stop_rejection(
    books: Books, order: Order, position: Position, now_ns: int
) -> list[Command]:
    """A stop that the venue will not take leaves the position to be exited at market: because the
    price is through it already (RULES 23), or for a reason that a person must look at."""
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


def on_adopted(books: Books, event: OrderAdopted, now_ns: int) -> list[Command]:
    """An order of ours that only the venue remembers is ours again; its number is not given
    twice."""
    order = event.order
    position = books.positions.get(order.position_id)
    parts = parse_client_order_id(order.client_order_id)
    if position is None or parts is None or order.client_order_id in books.orders:
        return []
    made = "stops_made" if order.role is Role.STOP else "exits_made"
    attempts = max(getattr(position, made), parts.attempt)
    books.put_position(replace(position, **{made: attempts}))
    books.put_order(replace(order, created_at_ns=now_ns, sent_at_ns=now_ns, updated_at_ns=now_ns))
    note_incident(
        books,
        now_ns,
        Reason.MISMATCH,
        of=order,
        detail="the venue knew this order of ours and we did not; it is adopted",
    )
    return []


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


# -- silence ---------------------------------------------------------------------------------------


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
    requests of an earlier process can no longer arrive, it counts from this start on."""
    is_inherited = order.client_order_id in books.this_run.inherited
    if is_inherited and books.policy.abilities.requests_end_with_session:
        return books.this_run.started_at_ns
    left_ns = order.left_at_ns
    if order.role is Role.ENTRY:
        left_ns = max(left_ns, books.this_run.started_at_ns)
    return left_ns + books.policy.order_settle_ns


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
    found = (books.orders.get(order_id) for order_id in order_ids)
    return [_ask(books, order, now_ns) for order in found if order]


def on_absent(books: Books, event: OrderAbsent, now_ns: int) -> list[Command]:
    """The venue knows no such order. That counts only if it was asked after the last moment at
    which the request could still arrive (RULES 26); until then it stays unknown and is asked about
    again."""
    order = books.orders.get(event.client_order_id)
    if order is None:
        return []
    if event.asked_at_ns < _settled_at_ns(books, order):
        if not order.is_unknown:
            books.put_order(replace(order, is_unknown=True, updated_at_ns=now_ns))
            _ask(books, order, now_ns)
        return []
    was_accepted = order.status not in (OrderStatus.INITIALIZED, OrderStatus.SUBMITTED)
    if was_accepted:
        booking.freeze(books, order.va_id, Reason.STRANGE_REPORT, now_ns)
    note_incident(
        books,
        now_ns,
        Reason.STRANGE_REPORT if was_accepted else Reason.NEVER_ARRIVED,
        of=order,
    )
    kind = ReportKind.CANCELED if was_accepted else ReportKind.REJECTED
    ended = _end(
        books,
        replace(order, is_unknown=False, is_cancel_pending=False),
        kind,
        Reason.NEVER_ARRIVED,
        now_ns,
    )
    return _follow(books, order, ended, now_ns)
