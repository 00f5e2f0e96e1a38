"""The budget of requests: who may spend what, and for how long nothing leaves."""

import pytest

from pointsman.domain.timestamps import SECOND_NS
from pointsman.venues.budget import Budget, RequestClass

EXIT, CANCEL, QUERY, ENTRY = RequestClass


def spent(weight: int, per_minute: int = 1200) -> Budget:
    budget = Budget(per_minute, now_ns=0)
    budget.spend(weight, 0)
    return budget


@pytest.mark.parametrize(
    ("left", "may"),
    [
        (421, {EXIT, CANCEL, QUERY, ENTRY}),
        (420, {EXIT, CANCEL, QUERY}),
        (361, {EXIT, CANCEL, QUERY}),
        (360, {EXIT, CANCEL}),
        (241, {EXIT, CANCEL}),
        (240, {EXIT}),
        (1, {EXIT}),
        (0, set()),
    ],
)
def test_a_class_leaves_what_is_kept_for_those_above_it(left: int, may: set[RequestClass]) -> None:
    budget = spent(1200 - left)
    assert {kind for kind in RequestClass if budget.wait_ns(kind, 1, 0) == 0} == may


def test_it_fills_up_evenly_and_never_beyond_a_minute() -> None:
    budget = spent(1200)
    assert budget.wait_ns(EXIT, 1, 0) == SECOND_NS // 20
    assert budget.left(SECOND_NS) == 20
    assert budget.left(3600 * SECOND_NS) == 1200


def test_after_waiting_as_long_as_it_says_a_request_may_leave() -> None:
    budget = spent(1150)
    wait_ns = budget.wait_ns(ENTRY, 7, 0)
    assert budget.wait_ns(ENTRY, 7, wait_ns - 1) == 1
    assert budget.wait_ns(ENTRY, 7, wait_ns) == 0


def test_rule_45_a_slow_down_is_obeyed_by_stops_and_exits_too() -> None:
    budget = spent(0)
    budget.slow_down(5 * SECOND_NS)
    budget.slow_down(3 * SECOND_NS)
    assert budget.wait_ns(EXIT, 1, SECOND_NS) == 4 * SECOND_NS
    assert budget.slow_until_ns(SECOND_NS) == 5 * SECOND_NS
    assert budget.wait_ns(EXIT, 1, 5 * SECOND_NS) == 0
    assert budget.slow_until_ns(5 * SECOND_NS) is None


def test_the_count_of_the_venue_wins_where_it_is_higher() -> None:
    budget = spent(100)
    budget.note_used(50, 0)
    assert budget.left(0) == 1100
    budget.note_used(900, 0)
    assert budget.left(0) == 300
