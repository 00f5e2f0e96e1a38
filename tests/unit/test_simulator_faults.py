"""The faults of a run: drawn from its seed, struck by their rates, and logged."""

from random import Random

from pointsman.domain.timestamps import SECOND_NS
from pointsman.simulator.faults import TIMED, Fault, FaultPlan, Faults, draw_plan

HOUR_NS = 3_600 * SECOND_NS


def test_a_plan_follows_from_the_seed() -> None:
    plans = [draw_plan(Random(seed), list(Fault), HOUR_NS) for seed in (1, 1, 2)]
    assert plans[0] == plans[1] != plans[2]


def test_every_kind_is_drawn_by_some_seed_and_some_seeds_have_none() -> None:
    plans = [draw_plan(Random(seed), list(Fault), HOUR_NS) for seed in range(60)]
    drawn = {fault for plan in plans for fault in (*plan.rates, *(f for _, f in plan.times))}
    assert drawn == set(Fault)
    assert any(not plan.rates and not plan.times for plan in plans)


def test_leaving_kinds_out_does_not_change_the_others() -> None:
    whole = draw_plan(Random(5), list(Fault), HOUR_NS)
    part = draw_plan(Random(5), [f for f in Fault if f is not Fault.BAN], HOUR_NS)
    assert part.rates == whole.rates
    assert part.times == tuple(each for each in whole.times if each[1] is not Fault.BAN)
    assert all(fault in TIMED and 0 <= at_ns < HOUR_NS for at_ns, fault in whole.times)


def test_a_fault_strikes_by_its_rate_until_they_are_off() -> None:
    faults = Faults(Random(1), FaultPlan({Fault.REPORT_LOST: 0.5}, ()))
    struck = sum(faults.strikes(Fault.REPORT_LOST, at) for at in range(1_000))
    assert 400 < struck < 600
    assert faults.counts[Fault.REPORT_LOST] == len(faults.log) == struck
    assert not faults.strikes(Fault.ANSWER_LOST, 0)
    faults.are_off = True
    assert not any(faults.strikes(Fault.REPORT_LOST, at) for at in range(100))


def test_rule_25_only_what_fell_into_the_time_and_can_do_harm_is_an_excuse() -> None:
    faults = Faults(Random(1), FaultPlan({}, ()))
    faults.note(Fault.ANSWER_LOST, 100 * SECOND_NS, 100 * SECOND_NS)
    faults.note(Fault.BAN, 200 * SECOND_NS, 210 * SECOND_NS)
    faults.excuse(Fault.ANSWER_LOST, 100 * SECOND_NS, 100 * SECOND_NS, "BBB")
    faults.note(Fault.BAD_QUOTES, 201 * SECOND_NS, 260 * SECOND_NS)

    def allowed(from_s: int, to_s: int) -> int:
        each_ns, lost_ns = 8 * SECOND_NS, 16 * SECOND_NS
        spell = faults.allowance_ns("AAA", from_s * SECOND_NS, to_s * SECOND_NS, each_ns, lost_ns)
        return spell // SECOND_NS

    assert allowed(101, 120) == 8
    assert allowed(120, 190) == 0
    assert allowed(205, 220) == 16 + 10
    assert allowed(50, 99) == 0
