"""Which orders of a position are too many. A combination found by simulation: test_i21 there."""

from decimal import Decimal

import msgspec
import pytest

from pointsman.domain.client_order_ids import client_order_id
from pointsman.domain.life_cycle import OrderStatus
from pointsman.domain.orders import Order, Role
from pointsman.execution.surplus import beyond_holding, drop_one_idle_stop, stops_to_keep
from tests.simulations import order
from tests.unit.test_found_by_simulation import TICK, held


def stop(attempt: int, quantity: str, *, trigger: str = "99", is_triggered: bool = False) -> Order:
    return msgspec.structs.replace(
        order(1, Role.STOP, quantity, trigger=trigger),
        client_order_id=client_order_id("ABCDEF", 1, Role.STOP, attempt),
        status=OrderStatus.ACCEPTED,
        is_triggered=is_triggered,
    )


def attempts(orders: list[Order]) -> list[str]:
    return [each.client_order_id[-2:] for each in orders]


@pytest.mark.parametrize(
    ("target", "kept"),
    [
        pytest.param("20", ["S1", "S2", "S3"], id="all fit"),
        pytest.param("15", ["S1", "S2"], id="the oldest, where that covers most"),
        pytest.param("10", ["S2", "S3"], id="the newest, where these cover more"),
        pytest.param("3", [], id="none fits"),
    ],
)
def test_stops_are_kept_as_far_as_they_fit(target: str, kept: list[str]) -> None:
    stops = [stop(1, "9"), stop(2, "6"), stop(3, "4")]
    keep, given_up = stops_to_keep(held("20"), stops, Decimal(target), TICK)
    assert sorted(attempts(keep)) == kept
    assert sorted(attempts(keep + given_up)) == ["S1", "S2", "S3"]


def test_a_stop_off_its_price_by_more_than_a_tick_goes() -> None:
    stops = [stop(1, "5", trigger="98.98"), stop(2, "5", trigger="98.99")]
    keep, given_up = stops_to_keep(held("10"), stops, Decimal(10), TICK)
    assert (attempts(keep), attempts(given_up)) == (["S2"], ["S1"])


def test_a_stop_that_has_triggered_stays_whatever_its_size_and_takes_up_room() -> None:
    stops = [stop(1, "6"), stop(2, "8", is_triggered=True)]
    keep, given_up = stops_to_keep(held("10"), stops, Decimal(10), TICK)
    assert (attempts(keep), attempts(given_up)) == (["S2"], ["S1"])
    assert attempts(stops_to_keep(held("10"), stops, Decimal(2), TICK)[0]) == ["S2"]


def test_one_idle_stop_gives_way_the_newest_and_no_triggered_one() -> None:
    one, two, triggered = stop(1, "5"), stop(2, "5"), stop(3, "5", is_triggered=True)
    assert drop_one_idle_stop([one, two, triggered]) == ([one, triggered], [two])
    assert drop_one_idle_stop([triggered]) == ([triggered], [])


@pytest.mark.parametrize(("quantity", "given_up"), [("11", []), ("10", ["S2"]), ("6", ["S2"])])
def test_of_orders_that_trade_the_last_go_until_no_more_than_is_held_is_left(
    quantity: str, given_up: list[str]
) -> None:
    trading = [stop(1, "6", is_triggered=True), stop(2, "5", is_triggered=True)]
    assert attempts(beyond_holding(trading, Decimal(quantity))) == given_up
