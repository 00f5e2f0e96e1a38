"""What a seed draws of its own account."""

from pointsman.domain.policy import PositionMode, ReduceOnlyMode
from pointsman.simulator.scenario import BEGINS_NS, SessionHours, policy_of, stream
from tests import simulations


def test_the_session_may_have_a_break() -> None:
    hours = SessionHours((BEGINS_NS + 10, BEGINS_NS + 20))
    for at_ns, is_open in ((BEGINS_NS + 9, True), (BEGINS_NS + 10, False), (BEGINS_NS + 20, True)):
        window = hours.window_at(at_ns)
        assert (window.opens_ns <= at_ns < window.closes_ns) is is_open
    assert SessionHours(None).window_at(BEGINS_NS).opens_ns < BEGINS_NS
    assert hours.day_start_ns(0) < BEGINS_NS


def test_each_part_of_a_seed_has_a_stream_of_its_own() -> None:
    drawn = [stream(seed, name).random() for seed, name in ((1, "a"), (1, "a"), (1, "b"), (2, "a"))]
    assert drawn[0] == drawn[1]
    assert len(set(drawn)) == 3


def test_rules_21_every_kind_of_account_is_drawn_by_some_seed() -> None:
    drawn = [
        policy_of(simulations.policy(), simulations.INSTRUMENTS, stream(seed, "world"))
        for seed in range(40)
    ]
    kinds = {(policy.position_mode, policy.reduce_only_mode) for policy in drawn}
    assert kinds == {(mode, reduce) for mode in PositionMode for reduce in ReduceOnlyMode}
