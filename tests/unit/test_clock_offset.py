"""How far the sender's clock is ahead (RULES 12)."""

from hypothesis import given
from hypothesis import strategies as st

from pointsman.execution.clock_offset import OFFSET_SECONDS, ClockOffset
from tests.desk_stories import SECOND_NS, START_NS

receipts = st.lists(
    st.tuples(st.integers(0, 100 * SECOND_NS), st.integers(-SECOND_NS // 2, SECOND_NS // 2)),
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


def told(offset: ClockOffset, from_s: int, to_s: int, early_s: float) -> None:
    """A stamp each second, so much ahead of its receipt."""
    for second in range(from_s, to_s):
        received_ns = START_NS + second * SECOND_NS
        offset.note(received_ns + int(early_s * SECOND_NS), received_ns)


def test_rule_68_an_offset_that_all_stamps_of_30_s_contradict_is_dropped_and_told() -> None:
    offset = ClockOffset()
    told(offset, 0, 1, 50)
    told(offset, 1, 30, 0.2)
    assert offset.at(START_NS + 29 * SECOND_NS) == -50 * SECOND_NS
    assert offset.is_doubtful
    assert "contradict" in offset.doubt
    told(offset, 30, 32, 0.2)
    assert offset.at(START_NS + 31 * SECOND_NS) == -SECOND_NS // 5
    (news,) = offset.take_news()
    assert "-50.000 s" in news
    assert "-0.200 s" in news
    assert not list(offset.take_news())


def test_an_offset_is_doubtful_after_a_second_and_no_more_once_a_stamp_agrees() -> None:
    doubts = []
    offset = ClockOffset()
    for second, early_s in enumerate((50, 0, 0, 49.5)):
        told(offset, second, second + 1, early_s)
        doubts.append(offset.is_doubtful)
    assert doubts == [False, False, True, False]


def test_rule_68_one_stamp_that_agrees_keeps_the_offset() -> None:
    offset = ClockOffset()
    told(offset, 0, 1, 50)
    told(offset, 1, 25, 0)
    told(offset, 25, 26, 49.5)
    told(offset, 26, 55, 0)
    assert offset.at(START_NS + 55 * SECOND_NS) == -50 * SECOND_NS
    told(offset, 55, 57, 0)
    assert offset.at(START_NS + 57 * SECOND_NS) == 0
