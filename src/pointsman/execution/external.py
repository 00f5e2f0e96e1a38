"""What happens at the venue without us: foreign executions, and holdings that no fill explains.

What the venue holds beyond our VAs is kept in a reserved account EXTERNAL, so that after each
successful comparison

    sum over VAs + EXTERNAL = venue, for every symbol and side (RULES 28).

A foreign fill that reduces is charged to EXTERNAL first, then to the VA that holds the symbol and
side, if one alone does. If several hold it none is changed: all freeze, and a person settles it.
"""

from decimal import Decimal

import msgspec

from pointsman.domain.accounts import ExternalHolding
from pointsman.domain.events import ForeignFill, HoldingDiffers, VenueFill
from pointsman.domain.life_cycle import OrderStatus
from pointsman.domain.money import ZERO, plain
from pointsman.domain.orders import Order, OrderType, Role
from pointsman.domain.positions import Position
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import PositionSide
from pointsman.execution import booking
from pointsman.execution.books import Books

replace = msgspec.structs.replace


def venue_key(books: Books, symbol: str, side: PositionSide) -> tuple[str, PositionSide]:
    """How the venue keeps a holding apart: by side in hedge mode, as one signed holding in net
    mode."""
    return (symbol, side if books.policy.is_hedged else PositionSide.LONG)


def our_holdings(books: Books) -> dict[tuple[str, PositionSide], Decimal]:
    """What all VAs hold, signed, by the venue's keys. Walks over what is held; for comparisons
    only."""
    totals: dict[tuple[str, PositionSide], Decimal] = {}
    for position in books.positions.values():
        side, sign = position.side, position.side.sign
        if position.state.value == "overfilled":
            # It is the lack of a holding on the other side, not a holding of its own.
            side = side.opposite
        key = venue_key(books, position.symbol, side)
        totals[key] = totals.get(key, ZERO) + sign * position.quantity
    return totals


def _move_external(books: Books, symbol: str, side: PositionSide, change: Decimal) -> None:
    if change:
        key = venue_key(books, symbol, side)
        held = books.externals.get(key, ExternalHolding(key[0], key[1], ZERO))
        books.put_external(replace(held, quantity=held.quantity + change))


def on_foreign_fill(books: Books, event: ForeignFill, now_ns: int) -> None:
    """Charge a foreign execution to EXTERNAL, and what that cannot bear to the one VA that
    holds."""
    key = venue_key(books, event.symbol, event.position_side)
    change = event.side.sign * event.fill.quantity
    external = books.externals.get(key)
    borne = ZERO
    if external is not None and external.quantity * change < ZERO:
        borne = min(abs(external.quantity), abs(change))
    left = event.fill.quantity - borne
    reduced = [side for side in PositionSide if side.closes_with is event.side]
    reduced = [side for side in reduced if not books.policy.is_hedged or side is key[1]]
    holders = [va for side in reduced for va in books.holders.get((event.symbol, side), {})]
    books.incident(
        now_ns,
        Reason.EXTERNAL_ACTIVITY,
        symbol=event.symbol,
        order_id=event.order_id,
        value=plain(change),
        detail=f"a foreign {event.side.value} at {plain(event.fill.price)}",
    )
    if left > ZERO and len(holders) == 1:
        left -= _charge(books, holders[0], event, left, now_ns)
    elif left > ZERO and holders:
        for va_id in holders:
            booking.freeze(books, va_id, Reason.EXTERNAL_ACTIVITY, now_ns)
    _move_external(books, event.symbol, event.position_side, event.side.sign * (borne + left))


def _charge(
    books: Books, va_id: str, event: ForeignFill, quantity: Decimal, now_ns: int
) -> Decimal:
    """Close positions of one VA by a foreign fill, first in first out; returns how much was
    charged."""
    charged = ZERO
    for position in books.open_positions(va_id):
        part = min(position.quantity, quantity - charged)
        if position.symbol != event.symbol or position.side.closes_with is not event.side:
            continue
        if part > ZERO:
            share = event.fill.fee * part / event.fill.quantity
            fill = VenueFill(event.fill.trade_id, part, event.fill.price, share, event.fill.ts_ns)
            order = _stand_in(position, event, part, now_ns)
            books.put_order(order)
            booking.book_fill(books, order, fill, now_ns, is_external=True)
            charged += part
    return charged


def _stand_in(position: Position, event: ForeignFill, quantity: Decimal, now_ns: int) -> Order:
    """The order record that owns a foreign fill's share: made from the facts, final from the
    start."""
    return Order(
        f"EXTERNAL{event.order_id}P{position.position_id}",
        position.va_id,
        position.symbol,
        position.position_id,
        Role.EXIT,
        OrderType.MARKET,
        event.side,
        position.side,
        quantity,
        now_ns,
        exit_reason=Reason.EXTERNAL_CLOSE,
        status=OrderStatus.FILLED,
        filled=quantity,
        filled_value=quantity * event.fill.price,
        updated_at_ns=now_ns,
    )


def on_holding_differs(books: Books, event: HoldingDiffers, now_ns: int) -> None:
    """No fill explains what the venue holds: EXTERNAL takes the difference, and where the venue
    holds less than our VAs do, they freeze."""
    key = venue_key(books, event.symbol, event.position_side)
    ours = our_holdings(books).get(key, ZERO)
    external = books.externals.get(key)
    theirs = external.quantity if external is not None else ZERO
    difference = event.venue_quantity - ours - theirs
    if difference == ZERO:
        return
    books.incident(
        now_ns,
        Reason.MISMATCH,
        symbol=event.symbol,
        value=plain(event.venue_quantity),
        limit=plain(ours + theirs),
        detail=f"{event.position_side.value}: the venue's holding, and what we could explain",
    )
    _move_external(books, event.symbol, event.position_side, difference)
    if ours * difference < ZERO:
        booking.freeze_symbol(books, event.symbol, Reason.MISMATCH, now_ns)
