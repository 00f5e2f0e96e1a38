"""Timers, levels and marks: what time and prices alone make true.

Each is an event like any other, so that the journal can be decided again. A wake-up that has been
overtaken by what happened since is recognised by what it was armed for: it is left out when its
turn comes, and where it is fed in all the same it changes nothing.
"""

import msgspec

from pointsman.domain.accounts import Mark
from pointsman.domain.commands import Command, Query
from pointsman.domain.events import Level, LevelReached, Marked
from pointsman.domain.money import ZERO, floor_to, plain
from pointsman.domain.orders import Role
from pointsman.domain.positions import Position
from pointsman.domain.reasons import Reason
from pointsman.domain.timers import Timer, TimerKind
from pointsman.domain.timestamps import in_seconds
from pointsman.execution import booking, venue_forbids
from pointsman.execution.books import Books
from pointsman.execution.equity_points import keep_minute
from pointsman.execution.incidents import note_incident
from pointsman.execution.kill_switch import sample_total, watch_naked
from pointsman.execution.loss_limits import end_cooldown, roll_day, sample_equity
from pointsman.execution.naked_time import is_leaving
from pointsman.execution.protection import close_position

replace = msgspec.structs.replace


def is_overtaken(books: Books, timer: Timer) -> bool:
    """Whether a wake-up can change nothing any more, whenever it comes: what it was armed for has
    passed. Most are: a venue answers long before it counts as silent."""
    kind, key = timer.kind, timer.key
    if kind is TimerKind.SUBMIT_TIMEOUT:
        order = books.orders.get(key)
        return order is None or not order.awaits_answer(timer.armed_ns)
    if kind is TimerKind.QUERY_RETRY:
        return key not in books.orders
    if kind is TimerKind.EXIT_UNFILLED:
        order = books.orders.get(key)
        return order is None or order.covers_until_ns != timer.armed_ns
    if kind is TimerKind.COOLDOWN_END:
        return books.accounts[key].cooldown_until_ns is None
    if kind is TimerKind.OPENING_DEADLINE:
        opening = books.accounts[key].opening
        return opening is None or opening.since_ns != timer.armed_ns
    if kind is TimerKind.SEND_RETRY:
        return int(key) not in books.orders_of_position and int(key) not in books.positions
    position = books.positions.get(int(key))
    if position is None:
        return True
    if kind is TimerKind.EXIT_RETRY:
        return position.exit_retry_at_ns != timer.armed_ns
    if kind is TimerKind.CROSSED_DEADLINE:
        return position.crossed_at_ns != timer.armed_ns
    return position.naked_since_ns != timer.armed_ns


def _naked(books: Books, timer: Timer) -> Position | None:
    """The position of a cover timer, if it is still naked since the timer was armed."""
    position = books.positions.get(int(timer.key))
    if position is None or not position.is_live or position.naked_since_ns != timer.armed_ns:
        return None
    return position


def on_cover_query(books: Books, timer: Timer, now_ns: int) -> list[Command]:
    """Half the deadline is over and a stop is not confirmed: ask about it by its id (RULES 22). One
    that waits for an entry to end has waited long enough: the entry is cancelled, so that the stop
    has the other half."""
    position = _naked(books, timer)
    if position is None:
        return []
    stops = books.orders_of(position.position_id, Role.STOP)
    queries = [Query(stop.client_order_id, stop.symbol) for stop in stops if not stop.is_working]
    is_waiting = venue_forbids.must_wait(books, position)
    return [*queries, *(venue_forbids.clear_the_way(books, position, now_ns) if is_waiting else ())]


def on_cover_deadline(books: Books, timer: Timer, now_ns: int) -> list[Command]:
    """The deadline is over: exit at market, freeze the VA, tell a person. While all of it is being
    exited already nothing better can be done: the deadline is looked at again later."""
    position = _naked(books, timer)
    if position is None:
        return []
    if is_leaving(books, position):
        due_ns = now_ns + books.policy.protection_deadline_ns
        books.this_run.wake(replace(timer, due_ns=due_ns))
        return []
    close_position(books, position, Reason.UNPROTECTED)
    naked_ns = now_ns - timer.armed_ns
    note_incident(
        books,
        now_ns,
        Reason.NAKED_POSITION,
        of=position,
        value=in_seconds(naked_ns),
        limit=in_seconds(books.policy.protection_deadline_ns),
        detail=f"{plain(position.quantity)} had no confirmed stop in time",
    )
    booking.freeze(books, position.va_id, Reason.NAKED_POSITION, now_ns)
    return []


def on_exit_unfilled(books: Books, timer: Timer, now_ns: int) -> list[Command]:
    """An exit has worked for a whole deadline: what it has not filled has no cover from here on
    (RULES 63). It works on. After half of the deadline it is asked about: where the account's
    stream is down, nobody tells its fills."""
    order = books.orders.get(timer.key)
    if order is None or order.covers_until_ns != timer.armed_ns:
        return []
    if now_ns < timer.armed_ns:
        books.this_run.wake(replace(timer, due_ns=timer.armed_ns))
        return [Query(order.client_order_id, order.symbol)]
    books.put_order(replace(order, covers_until_ns=None))
    deadline_ns = books.policy.protection_deadline_ns
    until = "; the venue keeps it until its session" if order.is_queued else ""
    note_incident(
        books,
        now_ns,
        Reason.EXIT_UNFILLED,
        of=order,
        value=in_seconds(now_ns - timer.armed_ns + deadline_ns),
        limit=in_seconds(deadline_ns),
        detail=f"{plain(order.leaves)} of {plain(order.quantity)} still to be filled{until}",
    )
    return []


def on_level(books: Books, event: LevelReached, now_ns: int) -> list[Command]:
    """The watch saw a level. A target exits at once; a stop is the venue's to act on first."""
    position = books.positions.get(event.position_id)
    if position is None or not position.is_live or position.closing_all:
        return []
    if event.level is Level.TAKE_PROFIT:
        close_position(books, position, Reason.TAKE_PROFIT)
    elif position.crossed_at_ns is None:
        books.put_position(replace(position, crossed_at_ns=now_ns))
        due_ns = now_ns + books.policy.protection_deadline_ns
        key = str(event.position_id)
        books.this_run.wake(Timer(due_ns, TimerKind.CROSSED_DEADLINE, key, now_ns))
    return []


def on_crossed_deadline(books: Books, timer: Timer, _now_ns: int) -> list[Command]:
    """The price went through a stop, and the venue has not acted on it in time: exit at market.
    Stops that have triggered are trading; the next crossing is watched for again."""
    position = books.positions.get(int(timer.key))
    if position is None or not position.is_live or position.crossed_at_ns != timer.armed_ns:
        return []
    stops = books.orders_of(position.position_id, Role.STOP)
    trading = sum((stop.leaves for stop in stops if stop.is_triggered), ZERO)
    lot = books.instrument(position.symbol).lot
    if trading >= floor_to(position.quantity, lot):
        books.put_position(replace(position, crossed_at_ns=None))
        return []
    close_position(books, position, Reason.STOP_CROSSED)
    return []


def on_exit_retry(books: Books, timer: Timer, _now_ns: int) -> list[Command]:
    """An exit that the venue rejected may be tried again."""
    position = books.positions.get(int(timer.key))
    if position is not None and position.exit_retry_at_ns == timer.armed_ns:
        books.put_position(replace(position, exit_retry_at_ns=None))
    return []


def on_cooldown_end(books: Books, timer: Timer, now_ns: int) -> list[Command]:
    """A cooldown is over."""
    end_cooldown(books, timer.key, now_ns)
    return []


def on_marked(books: Books, event: Marked, now_ns: int) -> list[Command]:
    """A whole second passed: sample the equity of everybody that holds something, and of all
    together."""
    marks = {quote.symbol: quote for quote in event.marks}
    total = books.total_cash
    is_known = True
    for va_id in list(books.holding_accounts):
        symbol = books.accounts[va_id].leased_symbol
        mark = marks.get(symbol) if symbol is not None else None
        roll_day(books, va_id, event.day_start_ns, mark)
        sample_equity(books, va_id, mark, now_ns)
        equity = books.equity(va_id, mark)
        if equity is None:
            is_known = False
        else:
            total += equity - books.accounts[va_id].cash
    if is_known:
        sample_total(books, total, event.marks, event.day_start_ns, now_ns)
    keep_minute(books, marks, now_ns)
    watch_naked(books, now_ns)
    if books.changes:
        for quote in event.marks:
            books.note(Mark(quote.symbol, quote.ts_ns, quote.bid, quote.ask), quote.symbol)
    return []
