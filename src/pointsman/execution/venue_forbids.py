"""What a venue forbids beside what is at work there (RULES 43).

Some venues refuse an order that could trade with another one of the same account: an entry while
an order of the other side works in its symbol (`entry_beside_stop`), a stop or an exit while an
entry works (`stop_beside_entry`). There the account has one position in a symbol at a time, and its
stop leaves when its entry has ended. The router refuses what would be forbidden before it is sent,
with the order that stands in the way; stops and exits wait. So it does with what could be sold by a
stop whose cancel it would overtake (`overlap.py`).

What others have at work at the account counts too, as far as the last comparison showed it. Where
the venue refuses a stop all the same, that is no reason to exit at market, which it would refuse
for the same cause: what is ours in its way is cancelled, the rest is named, and the stop is tried
again, not at the speed of the wire.
"""

from pointsman.domain.commands import Command, Compare
from pointsman.domain.orders import Order, Role
from pointsman.domain.positions import Position
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import PositionSide, Side, opened_by
from pointsman.domain.signals import Check
from pointsman.domain.timers import Timer, TimerKind
from pointsman.domain.timestamps import SECOND_NS
from pointsman.execution import overlap, pacing
from pointsman.execution.books import Books
from pointsman.execution.cancelling import cancel_all
from pointsman.execution.incidents import note_incident

QUIET_NS = 60 * SECOND_NS
"""What stands in the way of a position's stop is one incident in this time."""


def check_entry(books: Books, symbol: str, side: Side) -> Check:
    """Whether the venue would take an entry now, and its stop afterwards, as far as is known."""
    racing = overlap.in_the_way(books, symbol, opened_by(side))
    obstacle = racing or _before_entry(books, symbol, side)
    note = "" if racing is None else "it closes more than is held, and could sell the entry"
    return Check(
        Reason.VENUE_FORBIDS, obstacle is None, obstacle or "nothing", "nothing", note=note
    )


def _before_entry(books: Books, symbol: str, side: Side) -> str | None:
    """The order that stands in the way of an entry, or would stand in that of its stop. A position
    without an order at work gets its stop back: it is named by the order that opened it."""
    abilities = books.policy.abilities
    working = list(books.orders_by_symbol.get(symbol, ()))
    if not abilities.entry_beside_stop:
        held = [each for its in PositionSide for each in books.positions_on(symbol, its)]
        working += [position.entry_order_id for position in held]
        if working:
            return working[0]
    foreign = [order for order in books.this_run.foreign_orders if order.symbol == symbol]
    stops = [each for each in working if books.orders[each].role is not Role.EXIT]
    stops += [order.order_id for order in foreign if order.is_stop]
    most = abilities.max_stops_per_symbol
    if most is not None and len(stops) >= most:
        return stops[-1]
    for order in foreign:
        stops_it = not abilities.entry_beside_stop and order.side is not side
        stops_its_stop = not abilities.stop_beside_entry and order.side is side
        if stops_it or stops_its_stop:
            return order.order_id
    return None


def must_wait(books: Books, position: Position) -> bool:
    """Whether a stop or an exit of a position has to wait for an entry to end. Not for one of which
    nothing is known: it may never end, and what the venue refuses for it is tried again."""
    if books.policy.abilities.stop_beside_entry:
        return False
    return any(not entry.is_unknown for entry in _entries_against(books, position))


def clear_the_way(books: Books, position: Position, now_ns: int) -> list[Command]:
    """Cancel the entries of ours, of whichever VA, that stand in the way of a position's stop."""
    return cancel_all(books, _entries_against(books, position), now_ns)


def _entries_against(books: Books, position: Position) -> list[Order]:
    """The entries in a position's symbol that its stop could trade with."""
    entries = [books.orders[each] for each in books.entries_by_symbol.get(position.symbol, ())]
    return [entry for entry in entries if entry.side is not position.side.closes_with]


def after_refusal(books: Books, stop: Order, position: Position, now_ns: int) -> list[Command]:
    """The venue refused a stop for what works there: clear the way, say what stands in it, and try
    again after a while."""
    foreign = [
        order.order_id
        for order in books.this_run.foreign_orders
        if order.symbol == stop.symbol and order.side is not stop.side
    ]
    ours = [entry.client_order_id for entry in _entries_against(books, position)]
    key = pacing.forbidden(position.position_id)
    run = books.this_run.pacing.note(key, now_ns)
    timer = Timer(run.again_at_ns, TimerKind.SEND_RETRY, str(position.position_id), now_ns)
    books.this_run.wake(timer)
    if books.this_run.is_news(Reason.VENUE_FORBIDS.value, key[1], now_ns, QUIET_NS):
        names = ", ".join(ours + foreign)
        note_incident(
            books,
            now_ns,
            Reason.VENUE_FORBIDS,
            of=stop,
            value=names or None,
            detail=f"the stop is tried again; in its way: {names or 'nothing that is known of'}",
        )
    return [*clear_the_way(books, position, now_ns), Compare(books.desk.fills_cursor)]
