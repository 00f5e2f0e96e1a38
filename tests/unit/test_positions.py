"""Positions: what they cost, what closing them would add, whether they live."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from pointsman.domain.positions import Lot, Position, PositionState
from pointsman.domain.sides import PositionSide


def position(side: PositionSide, *lots: tuple[str, str]) -> Position:
    open_lots = tuple(Lot(Decimal(quantity), Decimal(price)) for quantity, price in lots)
    quantity = sum((lot.quantity for lot in open_lots), Decimal(0))
    one = Decimal(1)
    return Position(
        1, 0, "VA001", "XXX", side, "ABCDEF1E1", 1, one, one, quantity=quantity, lots=open_lots
    )  # fmt: skip


@pytest.mark.parametrize(
    ("side", "touch", "expected"),
    [
        (PositionSide.LONG, "101", "13"),
        (PositionSide.LONG, "99", "-7"),
        (PositionSide.SHORT, "101", "-13"),
        (PositionSide.SHORT, "99.70", "0"),
    ],
)
def test_rule_14_what_closing_would_add_comes_from_the_lots(
    side: PositionSide, touch: str, expected: str
) -> None:
    held = position(side, ("7", "100"), ("3", "99"))
    assert held.cost == Decimal(997)
    assert held.unrealized(Decimal(touch)) == Decimal(expected)


def test_without_lots_there_is_nothing_to_add() -> None:
    assert position(PositionSide.SHORT).unrealized(Decimal(100)) == 0


def test_only_an_open_position_is_traded_and_protected() -> None:
    held = position(PositionSide.LONG, ("1", "100"))
    live = [state for state in PositionState if replace(held, state=state).is_live]
    assert live == [PositionState.OPEN]
