"""What a seed draws of its own account."""

from pointsman.domain.policy import PositionMode, ReduceOnlyMode
from pointsman.simulator.scenario import BEGINS_NS, SessionHours, draw_abilities, policy_of, stream
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
    drawn = [policy_of(simulations.policy(), stream(seed, "world")) for seed in range(40)]
    kinds = {(policy.position_mode, policy.reduce_only_mode) for policy in drawn}
    assert kinds == {(mode, reduce) for mode in PositionMode for reduce in ReduceOnlyMode}


def test_rule_43_every_ability_that_a_venue_can_lack_is_lacked_by_some_seed() -> None:
    """Also both prohibitions at once, each by itself, and none."""
    drawn = [draw_abilities(stream(seed, "abilities")) for seed in range(80)]
    assert {(each.entry_beside_stop, each.stop_beside_entry) for each in drawn} == {
        (entry, stop) for entry in (True, False) for stop in (True, False)
    }
    assert {each.tells_triggered for each in drawn} == {True, False}
    assert {each.requests_end_with_session for each in drawn} == {True, False}
    assert {each.request_expiry_ns is None for each in drawn} == {True, False}
    assert {each.position_mode for each in drawn} == {None, *PositionMode}
    assert {each.reduce_only for each in drawn} == {None, *ReduceOnlyMode}
