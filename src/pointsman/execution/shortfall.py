"""How much less the venue holds than our virtual accounts do.

What is lacking has an owner only once a person has said whose it is (RULES 28). Until then an exit
of any account could sell what another has bought: stops shrink to what is there, and nothing is
bought on that symbol.
"""

from decimal import Decimal

from pointsman.domain.money import ZERO
from pointsman.domain.positions import Position
from pointsman.domain.sides import PositionSide
from pointsman.execution.books import Books


def lacking(books: Books, symbol: str, side: PositionSide) -> Decimal:
    """How much less than our live positions the venue holds of a symbol and side: EXTERNAL below
    zero, what was overfilled (RULES 21, 28), and what a netting account has netted away. Dust
    of that side is the first to be lacking."""
    lack = _unexplained(books, symbol, side)
    if not books.policy.is_hedged:
        opposed = books.positions_on(symbol, side.opposite)
        lack += sum((position.quantity for position in opposed), ZERO)
        lack += books.dust.get((symbol, side.opposite), ZERO)
    return max(ZERO, lack)


def disputed(books: Books, symbol: str) -> Decimal:
    """How much of what accounts hold of a symbol, on the side where that is most, the venue does
    not hold, and nobody knows whose it is. Zero where all is well."""
    held = (side for side in PositionSide if (symbol, side) in books.holders)
    return max((_unexplained(books, symbol, side) for side in held), default=ZERO)


def _unexplained(books: Books, symbol: str, side: PositionSide) -> Decimal:
    """What EXTERNAL lacks and what was overfilled, less dust; negative where the venue holds
    more."""
    lack = -side.sign * books.external(symbol, side) - books.dust.get((symbol, side), ZERO)
    for key in books.overfilled:
        position = books.positions[key]
        if position.symbol == symbol and position.side is side.opposite:
            lack += position.quantity
    return lack


def held_at_venue(books: Books, position: Position) -> Decimal:
    """How much of a position the venue still holds. What it lacks is taken from the newest
    positions of that symbol and side, so that all stops together shrink to its total (RULES 28)."""
    is_all_explained = not (books.externals or books.overfilled or books.dust)
    if is_all_explained and books.policy.is_hedged:
        return position.quantity
    lack = lacking(books, position.symbol, position.side)
    if lack == ZERO:
        return position.quantity
    for other in books.positions_on(position.symbol, position.side):
        part = min(other.quantity, lack)
        if other.position_id == position.position_id:
            return other.quantity - part
        lack -= part
    return position.quantity
