"""Prices and sizes of an entry: every rounding is towards less risk."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.domain.money import ONE, exact, floor_to, is_multiple
from pointsman.domain.policy import SizeDecay
from pointsman.domain.sides import PositionSide, Side
from pointsman.execution.pricing import (
    decay_factor,
    entry_limit,
    round_stop,
    stop_at_percentage,
    target_at_percentage,
    wanted_quantity,
)
from tests.desk_stories import XXX, signal

CENT = Decimal("0.01")

prices = st.decimals("0.01", "99999", places=4)
ticks = st.sampled_from([Decimal("0.01"), Decimal("0.05"), Decimal("0.0001"), Decimal(3)])
bps = st.decimals(0, 500, places=2)
sides = st.sampled_from(Side)


@pytest.mark.parametrize(
    ("side", "reference", "touch", "limit"),
    [
        pytest.param(Side.BUY, "100.01", "100.01", "100.06", id="no price: from the ask"),
        pytest.param(Side.BUY, "100", "100.01", "100.05", id="price below the ask is tighter"),
        pytest.param(
            Side.BUY, "100.50", "100.01", "100.06", id="price above the ask does not loosen"
        ),
        pytest.param(Side.SELL, "99.99", "99.99", "99.95", id="no price: from the bid"),
        pytest.param(Side.SELL, "100", "99.99", "99.95", id="price above the bid is tighter"),
        pytest.param(
            Side.SELL, "99.50", "99.99", "99.95", id="price below the bid does not loosen"
        ),
    ],
)
def test_rule_8_the_limit_is_from_the_tighter_of_reference_and_touch(
    side: Side, reference: str, touch: str, limit: str
) -> None:
    found = entry_limit(side, Decimal(reference), Decimal(touch), Decimal(5), CENT)
    assert found == Decimal(limit)


@given(sides, prices, prices, bps, ticks)
def test_rule_8_the_limit_never_gives_more_than_the_slippage_on_either_price(
    side: Side, reference: Decimal, touch: Decimal, allowed: Decimal, tick: Decimal
) -> None:
    with exact():
        limit = entry_limit(side, reference, touch, allowed, tick)
        assert is_multiple(limit, tick)
        for price in (reference, touch):
            assert side.sign * (limit - price) * 10_000 <= allowed * price
        tighter = min(reference, touch) if side is Side.BUY else max(reference, touch)
        given_away = tighter * (ONE + side.sign * allowed / 10_000) - limit
        assert 0 <= side.sign * given_away < tick, "passive by less than one tick"


@given(st.sampled_from(PositionSide), prices, st.decimals("0.01", "99", places=2), ticks)
def test_a_stop_is_rounded_towards_the_entry_and_a_target_too(
    side: PositionSide, price: Decimal, percentage: Decimal, tick: Decimal
) -> None:
    with exact():
        away = price * percentage / 100
        stop = stop_at_percentage(side, price, percentage, tick)
        target = target_at_percentage(side, price, percentage, tick)
        assert is_multiple(stop, tick)
        assert is_multiple(target, tick)
        assert 0 <= side.sign * (stop - (price - side.sign * away)) < tick
        assert 0 <= side.sign * (price + side.sign * away - target) < tick


def test_a_stop_level_is_rounded_to_the_side_of_less_risk() -> None:
    assert round_stop(PositionSide.LONG, Decimal("97.991"), CENT) == Decimal("98.00")
    assert round_stop(PositionSide.SHORT, Decimal("101.999"), CENT) == Decimal("101.99")
    assert round_stop(PositionSide.LONG, Decimal("98.00"), CENT) == Decimal("98.00")


@pytest.mark.parametrize(
    ("streak", "factor"),
    [(0, "1"), (1, "1"), (2, "0.5"), (3, "0.5"), (4, "0.25"), (99, "0.25")],
)
def test_rule_18_size_decay_takes_the_last_step_reached(streak: int, factor: str) -> None:
    steps = (SizeDecay(2, Decimal("0.5")), SizeDecay(4, Decimal("0.25")))
    assert decay_factor(steps, streak) == Decimal(factor)
    assert decay_factor((), streak) == ONE


@pytest.mark.parametrize(
    ("size", "factor", "quantity"),
    [
        pytest.param({"quantity": "10.9"}, "1", "10", id="quantity, down to the lot"),
        pytest.param({"quantity": "0.9"}, "1", "0", id="less than a lot is nothing"),
        pytest.param({"notional": "1000"}, "1", "9", id="notional at the limit price"),
        pytest.param({"notional": "1000.60"}, "1", "10", id="notional that buys exactly ten"),
        pytest.param({"risk_percentage": "0.1"}, "1", "50", id="100 at risk over a stop 2 away"),
        pytest.param({"risk_percentage": "0.1"}, "0.5", "25", id="decayed by half"),
        pytest.param({"quantity": "3"}, "0.5", "1", id="decayed, then down to the lot"),
    ],
)
def test_an_entry_is_sized_and_rounded_down_to_the_lot(
    size: dict[str, str], factor: str, quantity: str
) -> None:
    fields: dict[str, Any] = {
        name: Decimal(text) for name, text in size.items() if name != "quantity"
    }
    asked = signal("a", quantity=size.get("quantity"), **fields)
    found = wanted_quantity(asked, Decimal("100.06"), Decimal(2), Decimal(100_000), Decimal(factor))
    assert found is not None
    assert floor_to(found, XXX.lot) == Decimal(quantity)


@pytest.mark.parametrize(
    ("equity", "distance"),
    [
        pytest.param(None, "2", id="equity is not known"),
        pytest.param("100000", "0", id="the stop is at the limit price"),
    ],
)
def test_a_size_by_risk_that_cannot_be_computed_is_none(equity: str | None, distance: str) -> None:
    asked = signal("a", quantity=None, risk_percentage=Decimal(1))
    known = None if equity is None else Decimal(equity)
    assert wanted_quantity(asked, Decimal(100), Decimal(distance), known, ONE) is None


def test_a_size_by_risk_of_a_va_below_zero_is_nothing() -> None:
    asked = signal("a", quantity=None, risk_percentage=Decimal(1))
    assert wanted_quantity(asked, Decimal(100), Decimal(2), Decimal(-5), ONE) == 0


@given(st.decimals("0.01", "1000000", places=2), prices, ticks)
def test_a_size_by_notional_never_exceeds_it(
    notional: Decimal, limit_price: Decimal, lot: Decimal
) -> None:
    with exact():
        asked = signal("a", quantity=None, notional=notional)
        wanted = wanted_quantity(asked, limit_price, Decimal(1), None, ONE)
        assert wanted is not None
        found = floor_to(wanted, lot)
        assert found * limit_price <= notional < (found + lot) * limit_price
