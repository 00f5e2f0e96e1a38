"""What must be true now, for one position: covered by resting stops, or being exited.

After each event the desk asks this of every position that the event touched, and sends only the
difference between what must be true and what it knows. Partial fills, restarts, lost messages and
the kill switch share this path.

Rules (RULES 21-23):

* what the venue has not confirmed does not count as cover;
* stops and exits together never exceed the position, except where they may overlap (`overlap.py`);
* added quantity gets an additional stop; a stop is cancelled only when its quantity is covered
  otherwise, or must be freed for an exit;
* a stop on the wrong side of the market is not sent: the position is exited at market;
* every order is for whole lots, also where the venue has filled odd ones (RULES 61), and for no
  more than a market order may have there: what is larger is several orders (RULES 48).

Which stops stay where not all can is in `surplus.py`; how long a position went without cover, in
`naked_time.py`.

Worked example: a signal buys 100 with a stop at 98, later one exits 30 of it. S1, S2 and S3 are
stops, X1 is an exit; the venue clips reduce-only orders, and nobody else holds the symbol.

    what happens              held   orders that result          at work afterwards
    the entry fills 40          40   stop S1 for 40              S1 40
    the entry fills 60 more    100   stop S2 for 60              S1 40, S2 60
    the signal exits 30        100   exit X1 for 30              S1 40, S2 60, X1 30
    X1 fills                    70   stop S3 for 10              S1 40, S2 60, S3 10
    the venue confirms S3       70   cancel S1                   S2 60, S3 10

Of the two stops S2 is kept, as it covers more of the 70. S1 is cancelled only once S3 is confirmed,
so that all 70 stay covered. Where stops and exits may not overlap, room is made for the exit first:

    the signal exits 30        100   cancel S1                   S1 40, S2 60
    S1 is cancelled            100   exit X1 for 30, stop S3     S2 60, X1 30, S3 10
                                     for 10
    X1 fills                    70   none                        S2 60, S3 10
"""

from decimal import Decimal

import msgspec

from pointsman.domain.commands import Command
from pointsman.domain.market import Quote
from pointsman.domain.money import ZERO, whole_lots
from pointsman.domain.orders import Order, Role, total_leaves
from pointsman.domain.positions import Position, closing_of
from pointsman.domain.reasons import Reason
from pointsman.execution import overlap, pacing, venue_forbids
from pointsman.execution.books import Books
from pointsman.execution.cancelling import cancel_all
from pointsman.execution.closing_order import submit_closing
from pointsman.execution.dust import is_enough
from pointsman.execution.shortfall import held_at_venue
from pointsman.execution.soundness import assert_fits
from pointsman.execution.surplus import beyond_holding, drop_one_idle_stop, stops_to_keep

replace = msgspec.structs.replace


def close_position(
    books: Books, position: Position, reason: Reason, signal_id: str | None = None
) -> None:
    """Decide that all of a position, later fills included, is to be exited. The first reason
    stays."""
    if not position.closing_all:
        books.put_position(
            replace(
                position,
                closing_all=True,
                closing_reason=position.closing_reason or reason,
                closing_signal_id=position.closing_signal_id or signal_id,
            )
        )


def give_up_stops(books: Books, position: Position, reason: Reason) -> None:
    """No stop of this position can rest: exit it at market. While an exit waits to be tried again
    this becomes the reason, so that no further stop is sent meanwhile."""
    close_position(books, position, reason)
    if position.exit_retry_at_ns is not None:
        closing = books.positions[position.position_id]
        books.put_position(replace(closing, closing_reason=reason))


def commands_for(books: Books, position_id: int, mark: Quote | None, now_ns: int) -> list[Command]:
    """The commands that make true what must be true of a position."""
    position = books.positions.get(position_id)
    stops, exits = books.closing_orders(position_id)
    if position is None or not position.is_live:
        return cancel_all(books, stops + exits, now_ns)
    if not books.is_ready:
        return []
    commands: list[Command] = []
    if position.closing_all:
        commands += cancel_all(books, books.orders_of(position_id, Role.ENTRY), now_ns)
    commands += _match_stops_to_holding(books, position, stops, exits, mark, now_ns)
    assert_fits(books, position_id, commands)
    return commands


def _has_market_passed_stop(position: Position, mark: Quote | None) -> bool:
    """Whether the market has already passed where a stop would be sent to."""
    if mark is None or mark.symbol != position.symbol:
        return False
    return position.side.less_favourable(mark.closing_touch(position.side), position.stop_price)


def _match_stops_to_holding(
    books: Books,
    position: Position,
    stops: list[Order],
    exits: list[Order],
    mark: Quote | None,
    now_ns: int,
) -> list[Command]:
    """Send the stops and exits that are missing, and cancel those that are too many."""
    lot = (instrument := books.instrument(position.symbol)).lot
    may_overlap = overlap.may_overlap(books, position)
    held, exit_leaves = held_at_venue(books, position), total_leaves(exits)
    to_exit = _to_exit(books, position, stops, held)
    # A venue may fill odd lots; every order that is sent is for whole ones (RULES 61).
    missing_exit = whole_lots(to_exit - exit_leaves, lot)
    staying_held = held - exit_leaves - missing_exit
    uncancelled = [stop for stop in stops if not stop.is_cancel_pending]
    # While an exit overlaps with stops these stay as they are, until the exit is final (RULES 21).
    keep, surplus = uncancelled, list[Order]()
    if to_exit < lot or not may_overlap:
        keep, surplus = stops_to_keep(position, uncancelled, staying_held, instrument.tick)
    commands: list[Command] = []
    # How much may be sent beside what is at work already, where nothing may overlap.
    room = whole_lots(held - exit_leaves - total_leaves(stops), lot)
    if missing_exit > ZERO:
        part = missing_exit if may_overlap else min(missing_exit, room)
        # All in one exit, unless a stop whose status is unknown blocks a part: then what is free.
        is_blocked = part > ZERO and any(stop.is_unknown for stop in stops)
        is_due = _may_send(books, position, Role.EXIT, now_ns)
        if is_due and (part == missing_exit or is_blocked):
            commands += submit_closing(books, position.position_id, Role.EXIT, part, now_ns)
        room -= missing_exit
    missing_stop = whole_lots(staying_held - total_leaves(keep), lot)
    if missing_stop > ZERO and not instrument.is_tradeable(missing_stop, position.stop_price):
        # Too little for a stop of its own: a stop that rests gives way to one that covers both.
        keep, given_up = drop_one_idle_stop(keep)
        surplus += given_up
        missing_stop = whole_lots(staying_held - total_leaves(keep), lot)
    allowed = missing_stop if may_overlap else min(missing_stop, room)
    fits = instrument.is_tradeable(allowed, position.stop_price)
    wants_stop = missing_stop > ZERO and not _stop_and_exit_refused(position)
    if wants_stop and _has_market_passed_stop(position, mark):
        # Exited at market, when the position is looked at again (RULES 23).
        give_up_stops(books, position, Reason.STOP_CROSSED)
    elif wants_stop and _is_too_small_for_stop(books, position, missing_stop):
        give_up_stops(books, position, Reason.UNPROTECTED)
    elif wants_stop and fits and _may_send(books, position, Role.STOP, now_ns):
        commands += submit_closing(books, position.position_id, Role.STOP, allowed, now_ns)
    resting = [stop for stop in keep if stop.is_working]
    if not may_overlap:
        trading = [*(stop for stop in stops if stop.is_triggered), *exits]
        surplus += beyond_holding(trading, held)
    if not may_overlap or staying_held - total_leaves(resting) < lot:
        commands += cancel_all(books, surplus, now_ns)
    return commands


def _to_exit(books: Books, position: Position, stops: list[Order], held: Decimal) -> Decimal:
    """How much is to leave by exits. A stop that has triggered is on its way out by itself; after
    an exit that failed, none is tried for a while. Where the venue holds less of it than the
    least that can be traded, and the position as a whole is more, every exit would be rejected."""
    if position.exit_retry_at_ns is not None:
        return ZERO
    if not (position.closing_all or position.closing) or not is_enough(books, position, held):
        return ZERO
    triggered = total_leaves([stop for stop in stops if stop.is_triggered])
    return max(ZERO, min(closing_of(position), held - triggered))


def _is_too_small_for_stop(books: Books, position: Position, missing: Decimal) -> bool:
    """Whether what is to be covered is too small for a stop, being worth less at the stop's price,
    and not too small to be exited; and no entry will bring more of it."""
    instrument = books.instrument(position.symbol)
    if position.closing_all or instrument.is_tradeable(missing, position.stop_price):
        return False
    entries = books.orders_of(position.position_id, Role.ENTRY)
    return not entries and is_enough(books, position, missing)


def _may_send(books: Books, position: Position, role: Role, now_ns: int) -> bool:
    """Whether a stop or an exit may leave now: the last ones may not have reached the venue, or it
    may forbid them beside what works there."""
    pace, position_id = books.this_run.pacing, position.position_id
    if role is Role.STOP and not pace.may_ask(pacing.forbidden(position_id), now_ns):
        return False
    is_due = pace.may_ask(pacing.sending(position_id, role), now_ns)
    return is_due and not venue_forbids.must_wait(books, position)


def _stop_and_exit_refused(position: Position) -> bool:
    """Whether the venue refused the stop of a position, and its exit too: there is nothing to do
    but to try the exit again."""
    refused = (Reason.STOP_CROSSED, Reason.STOP_REJECTED)
    return position.exit_retry_at_ns is not None and position.closing_reason in refused
