"""Dust: what is left of a position and is too small to trade.

It stays a holding of its VA, for the books only (RULES 15). A venue that takes its fees from the
coin that is bought leaves a residue that is no whole number of lots behind at nearly every exit;
such a residue is taken up by the next position of the same VA, symbol and side, so that there is
never more than one.
"""

from decimal import Decimal

import msgspec

from pointsman.domain.money import ZERO, floor_to
from pointsman.domain.orders import Order
from pointsman.domain.positions import Lot, Position, PositionState
from pointsman.execution.books import Books


def is_dust(books: Books, position: Position) -> bool:
    """Whether a position is below what the venue will trade, and nothing is trading (RULES 15)."""
    stops, exits = books.closing_orders(position.position_id)
    if exits or any(stop.is_triggered for stop in stops):
        return False
    return not is_enough(books, position, position.quantity)


def is_enough(books: Books, position: Position, quantity: Decimal) -> bool:
    """Whether the venue will trade the whole lots in `quantity` of a position: judged at the last
    price that it traded at (RULES 15)."""
    instrument = books.instrument(position.symbol)
    if quantity < instrument.lot or quantity < instrument.min_qty:
        return False
    if instrument.min_notional == ZERO and quantity % instrument.lot == ZERO:
        return True
    if position.exit_quantity:
        price = position.exit_value / position.exit_quantity
    else:
        price = position.entry_value / position.entry_quantity
    return instrument.is_tradeable(floor_to(quantity, instrument.lot), price)


def take_up(books: Books, order: Order) -> tuple[Lot, ...]:
    """Close the residues in broken lots that the VA of an entry holds of its symbol and side, and
    give their lots, for its position to begin with. Their results are in trades already."""
    lot, taken = books.instrument(order.symbol).lot, list[Lot]()
    for position_id in list(books.index[order.va_id].positions):
        held = books.positions[position_id]
        is_there = (held.symbol, held.side) == (order.symbol, order.position_side)
        if is_there and held.state is PositionState.DUST and held.quantity % lot:
            taken += held.lots
            books.put_position(
                msgspec.structs.replace(
                    held,
                    state=PositionState.CLOSED,
                    quantity=ZERO,
                    lots=(),
                    entry_quantity=ZERO,
                    entry_value=ZERO,
                )
            )
    return tuple(taken)
