"""The one way in which a stop or an exit becomes an order record.

Such an order belongs to the VA, symbol and side of its position, and trades against it; a stop
rests at the venue, an exit goes to the market. An entry has no position yet: `open_entry` makes it.
"""

from decimal import Decimal

from pointsman.domain.orders import Order, OrderType, Role
from pointsman.domain.positions import Position
from pointsman.domain.reasons import Reason


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
