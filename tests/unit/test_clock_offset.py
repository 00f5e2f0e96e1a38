"""How far the sender's clock is ahead (RULES 12)."""

from hypothesis import given
from hypothesis import strategies as st

from pointsman.engine.clock_offset import OFFSET_SECONDS, ClockOffset
from tests.desk_stories import SECOND_NS, START_NS

receipts = st.lists(
    st.tuples(st.integers(0, 100 * SECOND_NS), st.integers(-5 * SECOND_NS, 5 * SECOND_NS)),
    max_size=60,
)


@given(receipts, st.integers(0, 700 * SECOND_NS))
def test_rule_12_the_offset_is_the_least_of_ten_minutes_and_never_positive(
    steps: list[tuple[int, int]], rest_ns: int
) -> None:
    offset, now_ns, seen = ClockOffset(), START_NS, []
    for step_ns, late_ns in steps:
        now_ns += step_ns
        offset.note(now_ns - late_ns, now_ns)
        seen.append((now_ns, late_ns))
    now_ns += rest_ns
    first = now_ns // SECOND_NS - OFFSET_SECONDS
    recent = [late_ns for at_ns, late_ns in seen if at_ns // SECOND_NS > first]
    assert offset.at(now_ns) == min([0, *recent])


def test_many_quotes_within_one_second_do_not_push_out_the_least() -> None:
    offset = ClockOffset()
    for number in range(2 * OFFSET_SECONDS):
        offset.note(START_NS + SECOND_NS - number, START_NS)
    assert offset.at(START_NS) == -SECOND_NS
