"""Commands: which of them can raise exposure."""

from decimal import Decimal

import pytest

from pointsman.domain.commands import Submit
from pointsman.domain.orders import Order, OrderType, Role
from pointsman.domain.sides import PositionSide, Side


@pytest.mark.parametrize(
    ("role", "may"), [(Role.ENTRY, True), (Role.STOP, False), (Role.EXIT, False)]
)
def test_rule_29_only_an_entry_can_raise_exposure(role: Role, may: bool) -> None:
    order = Order(
        f"ABCDEF1{role.letter}1", "VA001", "XXX", 1, role, OrderType.MARKET, Side.BUY,
        PositionSide.LONG, Decimal(1), 0,
    )  # fmt: skip
    assert Submit(order).may_raise_exposure is may
    assert order.reduce_only is not may
