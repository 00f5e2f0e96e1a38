"""A person gives a holding that is not ours to a virtual account, with a stop at once.

What the account at the venue holds beyond our VAs is EXTERNAL: shown, and never touched. Adopted,
it is a position like any other from then on: covered, exited, counted. It is taken in at the price
at which it could be closed at that moment, so that what it gained or lost before is nobody's here;
and the sum of VAs and EXTERNAL stays what the venue holds (RULES 28).
"""

from decimal import Decimal

import msgspec

from pointsman.domain.commands import Command
from pointsman.domain.events import Assigned, VenueFill
from pointsman.domain.life_cycle import OrderStatus
from pointsman.domain.market import Quote
from pointsman.domain.money import ZERO, floor_to, plain
from pointsman.domain.orders import Order, OrderType, Role
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import PositionSide
from pointsman.execution import booking
from pointsman.execution.books import Books
from pointsman.execution.external_holdings import assignable, charge_lack, move_external
from pointsman.execution.incidents import note_incident

replace = msgspec.structs.replace


def foreign_holding(books: Books, symbol: str) -> tuple[PositionSide, Decimal] | None:
    """What EXTERNAL holds of a symbol, and on which side; None where it holds nothing."""
    for side in PositionSide:
        if (held := side.sign * books.external(symbol, side)) > ZERO:
            return side, held
    return None


def why_not_adopted(
    books: Books, va_id: str, symbol: str, quantity: Decimal, mark: Quote | None
) -> str:
    """Why a VA cannot take `quantity` of what EXTERNAL holds, and what to do; empty where it
    can."""
    found = foreign_holding(books, symbol)
    most = ZERO if found is None else found[1]
    if found is None or not ZERO < quantity <= most:
        return f"the venue holds {plain(most)} {symbol} that is not ours; assign at most that"
    side = found[0]
    leased = books.accounts[va_id].leased_symbol
    if leased not in (None, symbol):
        return f"{va_id} trades {leased}; choose an account that is flat, or trades {symbol}"
    if not _is_free(books, va_id, symbol, side):
        return f"{symbol} is held {side.opposite.value}; nothing {side.value} can be beside that"
    if mark is None:
        return f"no price is known for {symbol}; wait for a quote of it"
    order = _entry(books, va_id, symbol, side, quantity, mark, 0)
    instrument = books.instrument(symbol)
    stop = booking.stop_for(books, order, mark.closing_touch(side))
    if not instrument.is_tradeable(floor_to(quantity, instrument.lot), stop):
        return f"{plain(quantity)} {symbol} is too little for a stop; assign more of it"
    return ""


def _is_free(books: Books, va_id: str, symbol: str, side: PositionSide) -> bool:
    """Whether nothing stands against it: of the account itself, and where the venue nets, of
    any."""
    holders = books.holders.get((symbol, side.opposite), {})
    works = [books.orders[key] for key in books.index[va_id].entries]
    is_opposed = any(order.position_side is side.opposite for order in works)
    return not is_opposed and not (va_id in holders if books.policy.is_hedged else holders)


def on_assigned(books: Books, event: Assigned, now_ns: int) -> list[Command]:
    """Charge a VA what EXTERNAL lacks of what it holds; else give it what EXTERNAL holds."""
    if assignable(books, event.va_id, event.symbol) is not None:
        charge_lack(books, event, now_ns)
    elif not why_not_adopted(books, event.va_id, event.symbol, event.quantity, event.mark):
        _adopt(books, event, now_ns)
    return []  # Stops are seen to as those of any position.


def _adopt(books: Books, event: Assigned, now_ns: int) -> None:
    """Book a part of what EXTERNAL holds as the entry of a position of its own."""
    found = foreign_holding(books, event.symbol)
    assert found is not None, event
    assert event.mark is not None, event
    side, price = found[0], event.mark.closing_touch(found[0])
    note_incident(
        books,
        now_ns,
        Reason.EXTERNAL_ACTIVITY,
        va_id=event.va_id,
        symbol=event.symbol,
        value=plain(event.quantity),
        detail=f"{event.by} gave it to the account at {plain(price)}: {event.note}",
    )
    order = _entry(books, event.va_id, event.symbol, side, event.quantity, event.mark, now_ns)
    books.put_desk(replace(books.desk, next_number=books.desk.next_number + 1))
    books.put_order(order)
    fill = VenueFill(
        trade_id=str(order.position_id),
        quantity=event.quantity,
        price=price,
        fee=ZERO,
        ts_ns=now_ns,
    )
    booking.book_fill(books, order, fill, now_ns, is_external=True)
    move_external(books, event.symbol, side, -side.sign * event.quantity, price)


def _entry(
    books: Books,
    va_id: str,
    symbol: str,
    side: PositionSide,
    quantity: Decimal,
    mark: Quote,
    now_ns: int,
) -> Order:
    """The order record that owns the execution: made from the facts, final from the start. The
    venue has never seen it."""
    price, number = mark.closing_touch(side), books.desk.next_number
    return Order(
        client_order_id=f"EXTERNALADOPTED{number}",
        va_id=va_id,
        symbol=symbol,
        position_id=number,
        role=Role.ENTRY,
        order_type=OrderType.MARKET,
        side=side.opens_with,
        position_side=side,
        quantity=quantity,
        created_at_ns=now_ns,
        limit_price=price,
        status=OrderStatus.FILLED,
        filled=quantity,
        filled_value=quantity * price,
        updated_at_ns=now_ns,
    )
