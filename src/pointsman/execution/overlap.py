"""When the stops and exits of a position may together be more than it holds (RULES 21).

An exit beside a stop for the same quantity closes at once and leaves no moment without cover. The
venue then has to clip whichever comes second, and what it clips by is the whole account: so nobody
else may hold that symbol and side there, and no entry may work in it, of this account either. What
an entry has filled and we have not heard of yet would be sold by a stop that ought to have been
clipped.
"""

from pointsman.domain.positions import Position
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
