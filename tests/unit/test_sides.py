"""Directions: what opens, what closes, which sign, which level is the less favourable one."""

from decimal import Decimal

import pytest

from pointsman.domain.sides import EntrySides, PositionSide, Side, opened_by

BUY, SELL = Side.BUY, Side.SELL
LONG, SHORT = PositionSide.LONG, PositionSide.SHORT


def test_a_side_its_opposite_and_its_sign() -> None:
    assert [(side.opposite, side.sign) for side in (BUY, SELL)] == [(SELL, 1), (BUY, -1)]


@pytest.mark.parametrize(
    ("side", "opens", "closes", "opposite", "sign"),
    [(LONG, BUY, SELL, SHORT, 1), (SHORT, SELL, BUY, LONG, -1)],
)
def test_a_position_side(
    side: PositionSide, opens: Side, closes: Side, opposite: PositionSide, sign: int
) -> None:
    assert (side.opens_with, side.closes_with) == (opens, closes)
    assert (side.opposite, side.sign) == (opposite, sign)
    assert opened_by(opens) is side


@pytest.mark.parametrize(
    ("side", "price", "is_through"),
    [
        (LONG, "99.99", True),
        (LONG, "100", True),
        (LONG, "100.01", False),
        (SHORT, "99.99", False),
        (SHORT, "100", True),
        (SHORT, "100.01", True),
    ],
)
def test_a_stop_at_100_is_reached_from_its_side(
    side: PositionSide, price: str, is_through: bool
) -> None:
    assert side.less_favourable(Decimal(price), Decimal(100)) is is_through


@pytest.mark.parametrize(
    ("setting", "allowed"),
    [(EntrySides.BOTH, [LONG, SHORT]), (EntrySides.LONG, [LONG]), (EntrySides.SHORT, [SHORT])],
)
def test_rule_10_which_entries_are_accepted(
    setting: EntrySides, allowed: list[PositionSide]
) -> None:
    assert [side for side in PositionSide if setting.allows(side)] == allowed
