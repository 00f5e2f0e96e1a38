"""Stops and exits as order records."""

from decimal import Decimal

import pytest

from pointsman.domain.life_cycle import OrderStatus
from pointsman.domain.orders import Order, OrderType, Role
from pointsman.domain.positions import Position
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import PositionSide, Side
from pointsman.execution.closing_order import closing_order


def position(side: PositionSide) -> Position:
    return Position(
        position_id=7,
        part=0,
        va_id="VA001",
        symbol="AAPL",
        side=side,
        entry_order_id="ABCDEF7E1",
        opened_at_ns=1,
        limit_price=Decimal(100),
        stop_price=Decimal(98),
    )


def made(role: Role, side: PositionSide = PositionSide.LONG) -> Order:
    return closing_order(
        position(side),
        role,
        Decimal(40),
        order_id="ABCDEF7X1",
        signal_id="a",
        reason=Reason.STOP_LOSS,
        now_ns=5,
    )


@pytest.mark.parametrize(
    ("role", "order_type", "trigger"),
    [(Role.STOP, OrderType.STOP, Decimal(98)), (Role.EXIT, OrderType.MARKET, None)],
)
def test_only_a_stop_has_a_trigger(role: Role, order_type: OrderType, trigger: Decimal) -> None:
    order = made(role)
    assert (order.order_type, order.trigger_price) == (order_type, trigger)
    assert order.reduce_only


@pytest.mark.parametrize(
    ("side", "closes_with"), [(PositionSide.LONG, Side.SELL), (PositionSide.SHORT, Side.BUY)]
)
def test_it_trades_against_its_position(side: PositionSide, closes_with: Side) -> None:
    order = made(Role.EXIT, side)
    assert (order.side, order.position_side) == (closes_with, side)
    assert (order.va_id, order.symbol, order.position_id) == ("VA001", "AAPL", 7)


def test_it_has_not_left_yet() -> None:
    order = made(Role.STOP)
    assert order.status is OrderStatus.INITIALIZED
    assert (order.created_at_ns, order.updated_at_ns, order.sent_at_ns) == (5, 5, None)


def test_an_entry_is_none() -> None:
    with pytest.raises(AssertionError):
        made(Role.ENTRY)
