"""The budget of requests: who may spend what, and for how long nothing leaves."""

import pytest

from pointsman.domain.timestamps import SECOND_NS
from pointsman.venues.budget import Budget, Rate, RequestClass, RequestCost
from pointsman.venues.outcome import Stage

EXIT, CANCEL, QUERY, ENTRY = RequestClass


def spent(weight: int, per_minute: int = 1200) -> Budget:
    budget = Budget(per_minute, now_ns=0)
    budget.spend(cost(EXIT, weight), 0)
    return budget


def cost(kind: RequestClass, weight: int = 1, stage: Stage = Stage.QUERY) -> RequestCost:
    return RequestCost(kind, stage, weight)


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
    assert {kind for kind in RequestClass if budget.wait_ns(cost(kind, 1), 0) == 0} == may


def test_it_fills_up_evenly_and_never_beyond_a_minute() -> None:
    budget = spent(1200)
    assert budget.wait_ns(cost(EXIT, 1), 0) == SECOND_NS // 20
    assert budget.left(SECOND_NS) == 20
    assert budget.left(3600 * SECOND_NS) == 1200


def test_after_waiting_as_long_as_it_says_a_request_may_leave() -> None:
    budget = spent(1150)
    wait_ns = budget.wait_ns(cost(ENTRY, 7), 0)
    assert budget.wait_ns(cost(ENTRY, 7), wait_ns - 1) == 1
    assert budget.wait_ns(cost(ENTRY, 7), wait_ns) == 0


def test_rule_45_a_slow_down_is_obeyed_by_stops_and_exits_too() -> None:
    budget = spent(0)
    budget.slow_down(5 * SECOND_NS)
    budget.slow_down(3 * SECOND_NS)
    assert budget.wait_ns(cost(EXIT, 1), SECOND_NS) == 4 * SECOND_NS
    assert budget.slow_until_ns(SECOND_NS) == 5 * SECOND_NS
    assert budget.wait_ns(cost(EXIT, 1), 5 * SECOND_NS) == 0
    assert budget.slow_until_ns(5 * SECOND_NS) is None


def test_the_count_of_the_venue_wins_where_it_is_higher() -> None:
    budget = spent(100)
    budget.note_used(50, 0)
    assert budget.left(0) == 1100
    budget.note_used(900, 0)
    assert budget.left(0) == 300


def test_what_other_programs_use_is_held_against_the_venues_limit_and_not_our_share() -> None:
    """Of 2,400 our share is 300; others have used 2,000: nothing of ours is spent, and exits and
    stops leave."""
    budget = Budget(2400, 0, share=300)
    budget.note_used(2_000, 0)
    assert budget.per_minute == 300
    assert budget.left(0) == 300
    assert budget.wait_ns(cost(EXIT), 0) == 0
    assert budget.wait_ns(cost(ENTRY), 0) > 0
    budget.note_used(2_400, 0)
    assert budget.wait_ns(cost(EXIT), 0) > 0


def test_a_share_is_never_more_than_the_venue_allows() -> None:
    assert Budget(600, 0, share=10_000).per_minute == 600


def test_rule_45_the_last_orders_of_a_second_are_kept_for_exits_and_stops() -> None:
    budget = Budget(1200, 0, rates=(Rate(Stage.CREATE, 10, SECOND_NS),))
    for number in range(7):
        assert budget.wait_ns(cost(ENTRY, stage=Stage.CREATE), number) == 0
        budget.spend(cost(ENTRY, stage=Stage.CREATE), number)
    assert budget.wait_ns(cost(ENTRY, stage=Stage.CREATE), 7) == SECOND_NS - 7
    for number in range(7, 10):
        assert budget.wait_ns(cost(EXIT, stage=Stage.CREATE), number) == 0
        budget.spend(cost(EXIT, stage=Stage.CREATE), number)
    assert budget.wait_ns(cost(EXIT, stage=Stage.CREATE), 10) == SECOND_NS - 10
    assert budget.wait_ns(cost(QUERY), 10) == 0
    assert budget.wait_ns(cost(EXIT, stage=Stage.CREATE), SECOND_NS) == 0


def test_a_rate_holds_in_every_stretch_of_its_length() -> None:
    budget, left_ns, now_ns = Budget(10**6, 0, rates=(Rate(Stage.CREATE, 3, SECOND_NS),)), [], 0
    for step in (0, 400, 300, 0, 900, 100, 0, 0, 0, 250):
        now_ns += step * SECOND_NS // 1000
        now_ns += budget.wait_ns(cost(EXIT, stage=Stage.CREATE), now_ns)
        budget.spend(cost(EXIT, stage=Stage.CREATE), now_ns)
        left_ns.append(now_ns)
    for at_ns in left_ns:
        assert sum(at_ns <= each < at_ns + SECOND_NS for each in left_ns) <= 3
