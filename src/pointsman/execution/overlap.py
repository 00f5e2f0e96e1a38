"""When the stops and exits of a position may together be more than it holds, and what then keeps
an entry from its symbol and side (RULES 21).

An exit beside a stop for the same quantity closes at once and leaves no moment without cover. The
venue then has to clip whichever comes second, and what it clips by is the whole account: so nobody
else may hold that symbol and side there, and no entry may work in it, of this account either. What
an entry has filled and we have not heard of yet would be sold by a stop that ought to have been
clipped. For the same reason no entry is accepted while they are more, where it could overtake the
cancel of the stop: that is confirmed first.
"""

from decimal import Decimal

from pointsman.domain.money import ZERO
from pointsman.domain.orders import Role
from pointsman.domain.positions import Position
from pointsman.domain.sides import PositionSide
from pointsman.execution.books import Books


def may_overlap(books: Books, position: Position) -> bool:
    """Whether an exit of this position may be sent while a stop of it rests."""
    symbol, side = position.symbol, position.side
    if not books.policy.venue_clips or len(books.holders.get((symbol, side), ())) != 1:
        return False
    entries = (books.orders[each] for each in books.entries_by_symbol.get(symbol, ()))
    if any(entry.position_side is side for entry in entries):
        return False
    return not books.external(symbol, side)


def in_the_way(books: Books, symbol: str, side: PositionSide) -> str | None:
    """A stop or an exit that could sell what an entry on this side fills, since there are more of
    them than their position holds by now; None where there is none, or where the venue takes what
    makes room before the entry."""
    if books.policy.abilities.takes_requests_in_order:
        return None
    closing: dict[int, Decimal] = {}
    for order_id in books.orders_by_symbol.get(symbol, ()):
        order = books.orders[order_id]
        if order.role is Role.ENTRY or order.position_side is not side:
            continue
        position = books.positions.get(order.position_id)
        held = position.quantity if position is not None and position.is_live else ZERO
        closing[order.position_id] = closing.get(order.position_id, ZERO) + order.leaves
        if closing[order.position_id] > held:
            return order_id
    return None
