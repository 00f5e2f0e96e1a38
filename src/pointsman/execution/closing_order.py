"""The one way in which a stop or an exit becomes an order record.

Such an order belongs to the VA, symbol and side of its position, and trades against it; a stop
rests at the venue, an exit goes to the market. An entry has no position yet: `open_entry` makes it.
The stops of a position are numbered, and so are its exits: no number is given twice, so that a
client order id never means two orders (RULES 26).
"""

from decimal import Decimal

import msgspec

from pointsman.domain.client_order_ids import client_order_id
from pointsman.domain.commands import Submit
from pointsman.domain.orders import Order, OrderType, Role
from pointsman.domain.positions import Position
from pointsman.domain.reasons import Reason
from pointsman.execution.books import Books
from pointsman.execution.pricing import round_stop

replace = msgspec.structs.replace


def closing_order(
    position: Position,
    role: Role,
    quantity: Decimal,
    *,
    order_id: str,
    signal_id: str | None,
    reason: Reason | None,
    now_ns: int,
) -> Order:
    """A stop or an exit of `quantity`, made at `now_ns` and not sent yet. A stop triggers at the
    position's stop price."""
    assert role is not Role.ENTRY, order_id
    is_stop = role is Role.STOP
    return Order(
        client_order_id=order_id,
        va_id=position.va_id,
        symbol=position.symbol,
        position_id=position.position_id,
        role=role,
        order_type=OrderType.STOP if is_stop else OrderType.MARKET,
        side=position.side.closes_with,
        position_side=position.side,
        quantity=quantity,
        created_at_ns=now_ns,
        trigger_price=position.stop_price if is_stop else None,
        signal_id=signal_id,
        exit_reason=reason,
        updated_at_ns=now_ns,
    )


def submit_closing(
    books: Books, position_id: int, role: Role, quantity: Decimal, now_ns: int
) -> list[Submit]:
    """Make the next stop or exit of a position, or several where the venue takes no such large one
    (RULES 48), and the commands that send them. An exit is for the reason that it is closed for."""
    instrument = books.instrument(books.positions[position_id].symbol)
    parts = instrument.market_parts(quantity)
    return [_submit(books, position_id, role, part, now_ns) for part in parts]


def _submit(books: Books, position_id: int, role: Role, quantity: Decimal, now_ns: int) -> Submit:
    position, is_stop = books.positions[position_id], role is Role.STOP
    attempt = position.attempts(role) + 1
    books.put_position(position.with_attempts(role, attempt))
    closes_for = None if is_stop else position.closing_signal_id
    # The venue may trade in coarser steps by now than when the level was set (RULES 48).
    tick = books.instrument(position.symbol).tick
    level = round_stop(position.side, position.stop_price, tick)
    order = closing_order(
        replace(position, stop_price=level),
        role,
        quantity,
        order_id=client_order_id(books.desk.code, position_id, role, attempt, books.desk.epoch),
        signal_id=closes_for or position.signal_id,
        reason=Reason.STOP_LOSS if is_stop else position.closing_reason,
        now_ns=now_ns,
    )
    books.put_order(order)
    return Submit(order)
