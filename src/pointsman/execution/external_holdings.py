"""What happens at the venue without us: foreign executions, and holdings that no fill explains.

What the venue holds beyond our VAs is kept in a reserved account EXTERNAL, so that after each
successful comparison

    sum over VAs + EXTERNAL = venue, for every symbol and side (RULES 28).

A foreign fill that reduces is charged to EXTERNAL first, then to the VA that holds the symbol and
side, if one alone does. If several hold it none is changed: all freeze, and a person settles it.
"""

from decimal import Decimal

import msgspec

from pointsman.domain.accounts import Cursor, ExternalHolding
from pointsman.domain.commands import Command
from pointsman.domain.events import Assigned, ForeignFill, HoldingDiffers, VenueFill
from pointsman.domain.life_cycle import OrderStatus
from pointsman.domain.market import Quote
from pointsman.domain.money import ZERO, plain, share_of, shown_average
from pointsman.domain.orders import Order, Role
from pointsman.domain.positions import Position, PositionState
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import PositionSide
from pointsman.execution import booking
from pointsman.execution.books import Books
from pointsman.execution.closing_order import closing_order
from pointsman.execution.fills import as_held
from pointsman.execution.incidents import note_incident

replace = msgspec.structs.replace

TAKEN_IN = "foreign executions"
"""The cursor that counts the foreign executions taken in since the last comparison that ended: one
that is cut off by a crash shows them again."""


def taken_in(books: Books) -> int:
    """How many foreign executions beyond the cursor of the account's history are charged
    already."""
    cursor = books.cursors.get(TAKEN_IN)
    return 0 if cursor is None else cursor.line


def count_taken_in(books: Books, count: int) -> None:
    """Remember as many."""
    if count != taken_in(books):
        books.put_cursor(Cursor(TAKEN_IN, count))


def our_holdings(books: Books) -> dict[tuple[str, PositionSide], Decimal]:
    """What all VAs hold, signed, by the venue's keys. Walks over what is held; for comparisons
    only."""
    totals: dict[tuple[str, PositionSide], Decimal] = {}
    for position in books.positions.values():
        side, sign = position.side, position.side.sign
        if position.state is PositionState.OVERFILLED:
            # It is the lack of a holding on the other side, not a holding of its own.
            side = side.opposite
        key = books.policy.venue_key(position.symbol, side)
        totals[key] = totals.get(key, ZERO) + sign * position.quantity
    return totals


def move_external(
    books: Books, symbol: str, side: PositionSide, change: Decimal, price: Decimal | None
) -> None:
    """Change what EXTERNAL holds. What is added counts at `price`; what is taken away takes its
    part of the value along."""
    key = books.policy.venue_key(symbol, side)
    held = books.externals.get(key, ExternalHolding(key[0], key[1], ZERO))
    quantity, value = held.quantity + change, held.value
    if held.quantity * quantity <= ZERO:
        value = _times(quantity, price)
    elif held.quantity * change > ZERO:
        added = _times(change, price)
        value = None if value is None or added is None else value + added
    elif value is not None:
        value += change * shown_average(value, held.quantity)
    if change:
        books.put_external(replace(held, quantity=quantity, value=value))


def _times(quantity: Decimal, price: Decimal | None) -> Decimal | None:
    if quantity == ZERO:
        return ZERO
    return None if price is None else quantity * price


def on_foreign_fill(books: Books, event: ForeignFill, now_ns: int) -> list[Command]:
    """Charge a foreign execution to EXTERNAL, and what that cannot bear to the one VA that
    holds."""
    count_taken_in(books, taken_in(books) + 1)
    instrument = books.instrument(event.symbol)
    event = replace(event, fill=as_held(event.fill, event.side, instrument))
    key = books.policy.venue_key(event.symbol, event.position_side)
    change = event.side.sign * event.fill.quantity
    external = books.externals.get(key)
    borne = ZERO
    if external is not None and external.quantity * change < ZERO:
        borne = min(abs(external.quantity), abs(change))
    left = event.fill.quantity - borne
    reduced = next(side for side in PositionSide if side.closes_with is event.side)
    is_reducing = not books.policy.is_hedged or reduced is key[1]
    held = books.positions_on(event.symbol, reduced) if is_reducing else []
    holders = dict.fromkeys(position.va_id for position in held)
    note_incident(
        books,
        now_ns,
        Reason.EXTERNAL_ACTIVITY,
        symbol=event.symbol,
        order_id=event.order_id,
        value=plain(change),
        detail=f"a foreign {event.side.value} at {plain(event.fill.price)}",
    )
    if left > ZERO and len(holders) == 1:
        left -= _charge(books, held[::-1], event, left, now_ns)
    elif left > ZERO and holders:
        for va_id in holders:
            booking.freeze(books, va_id, Reason.EXTERNAL_ACTIVITY, now_ns)
    moved = event.side.sign * (borne + left)
    move_external(books, event.symbol, event.position_side, moved, event.fill.price)
    return []


def _charge(
    books: Books, held: list[Position], event: ForeignFill, quantity: Decimal, now_ns: int
) -> Decimal:
    """Close positions of one VA by a foreign fill, first in first out; returns how much was
    charged. Each bears the fee of its part; the last one bears what is left of
    it, so that nothing is lost to rounding."""
    foreign, charged, fee = event.fill, ZERO, event.fill.fee
    for position in held:
        part = min(position.quantity, quantity - charged)
        if part == ZERO:
            break
        share = fee
        if charged + part < foreign.quantity:
            share = share_of(fee, part, foreign.quantity - charged)
        fill = VenueFill(
            trade_id=foreign.trade_id,
            quantity=part,
            price=foreign.price,
            fee=share,
            ts_ns=foreign.ts_ns,
        )
        order = _stand_in(position, event, fill, now_ns)
        books.put_order(order)
        booking.book_fill(books, order, fill, now_ns, is_external=True)
        charged, fee = charged + part, fee - share
    return charged


def _stand_in(position: Position, event: ForeignFill, fill: VenueFill, now_ns: int) -> Order:
    """The order record that owns a foreign fill's share: made from the facts, one for each fill and
    position, final from the start."""
    order = closing_order(
        position,
        Role.EXIT,
        fill.quantity,
        order_id=f"EXTERNAL{event.order_id}T{fill.trade_id}P{position.position_id}",
        signal_id=None,
        reason=Reason.EXTERNAL_CLOSE,
        now_ns=now_ns,
    )
    return replace(
        order,
        side=event.side,
        status=OrderStatus.FILLED,
        filled=fill.quantity,
        filled_value=fill.quantity * fill.price,
        fees=fill.fee,
    )


def on_holding_differs(books: Books, event: HoldingDiffers, now_ns: int) -> list[Command]:
    """No fill explains what the venue holds: EXTERNAL takes the difference, and where the venue
    holds less than our VAs do, they freeze."""
    key = books.policy.venue_key(event.symbol, event.position_side)
    ours = our_holdings(books).get(key, ZERO)
    external = books.externals.get(key)
    theirs = external.quantity if external is not None else ZERO
    difference = event.venue_quantity - ours - theirs
    if difference == ZERO:
        return []
    note_incident(
        books,
        now_ns,
        Reason.MISMATCH,
        symbol=event.symbol,
        value=plain(event.venue_quantity),
        limit=plain(ours + theirs),
        detail=f"{event.position_side.value}: the venue's holding, and what we could explain",
    )
    move_external(books, event.symbol, event.position_side, difference, None)
    if ours * difference < ZERO:
        booking.freeze_symbol(books, event.symbol, Reason.MISMATCH, now_ns)
    return []


def assignable(books: Books, va_id: str, symbol: str) -> tuple[PositionSide, Decimal] | None:
    """How much of what EXTERNAL lacks of a symbol a VA can bear, and of which side; None for
    nothing."""
    for side in PositionSide:
        held = sum((p.quantity for p in _held(books, va_id, symbol, side)), ZERO)
        lack = -side.sign * books.external(symbol, side)
        if (most := min(held, lack)) > ZERO:
            return side, most
    return None


def price_of_lack(
    books: Books, symbol: str, side: PositionSide, mark: Quote | None
) -> Decimal | None:
    """What a unit that EXTERNAL lacks went for: the average of the foreign executions, else the
    touch that it would close against now."""
    external = books.externals.get(books.policy.venue_key(symbol, side))
    if external is not None and external.value is not None:
        return shown_average(external.value, external.quantity)
    return None if mark is None else mark.closing_touch(side)


def charge_lack(books: Books, event: Assigned, now_ns: int) -> None:
    """Charge a part of what EXTERNAL lacks to a VA that holds it: its positions are closed, first
    in first out, and the sum of all stays what the venue holds. A freeze stays until it is
    lifted."""
    found = assignable(books, event.va_id, event.symbol)
    if found is None or event.quantity > found[1]:
        return
    side = found[0]
    price = price_of_lack(books, event.symbol, side, event.mark)
    if price is None:
        return
    closing = side.closes_with
    number = books.desk.next_incident
    fill = VenueFill(
        trade_id=str(number), quantity=event.quantity, price=price, fee=ZERO, ts_ns=now_ns
    )
    foreign = ForeignFill(
        symbol=event.symbol, position_side=side, side=closing, fill=fill, order_id="ASSIGNED"
    )
    held = _held(books, event.va_id, event.symbol, side)
    note_incident(
        books,
        now_ns,
        Reason.EXTERNAL_ACTIVITY,
        va_id=event.va_id,
        symbol=event.symbol,
        value=plain(event.quantity),
        detail=f"{event.by} charged it to the account at {plain(price)}: {event.note}",
    )
    charged = _charge(books, held, foreign, event.quantity, now_ns)
    move_external(books, event.symbol, side, side.sign * charged, price)


def _held(books: Books, va_id: str, symbol: str, side: PositionSide) -> list[Position]:
    """The live positions of a VA on a symbol and side, in the order of their first fills."""
    found = books.open_positions(va_id)
    return [position for position in found if (position.symbol, position.side) == (symbol, side)]
