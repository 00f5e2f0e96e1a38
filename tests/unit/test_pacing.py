"""How soon something that did not reach the venue is tried again."""

import pytest

from pointsman.domain.orders import Role
from pointsman.execution.pacing import FIRST_WAIT_NS, WAIT_NS_MAX, Pacing, sending

STOPS, EXITS = sending(1, Role.STOP), sending(1, Role.EXIT)


def test_it_waits_twice_as_long_each_time_up_to_two_seconds() -> None:
    pace = Pacing()
    waits_ns = [pace.note(STOPS, 1_000).again_at_ns - 1_000 for _ in range(8)]
    assert waits_ns == [0, *(min(FIRST_WAIT_NS * 2**n, WAIT_NS_MAX) for n in range(7))]
    assert waits_ns[-1] == WAIT_NS_MAX == 2 * 10**9


def test_only_what_is_counted_together_waits_together() -> None:
    pace = Pacing()
    pace.note(STOPS, 0)
    pace.note(STOPS, 0)
    assert [pace.may_ask(key, 0) for key in (STOPS, EXITS, sending(2, Role.STOP))] == [
        False,
        True,
        True,
    ]
    assert pace.may_ask(STOPS, FIRST_WAIT_NS)


@pytest.mark.parametrize("is_forgotten", [False, True])
def test_what_the_venue_has_is_not_counted_any_more(is_forgotten: bool) -> None:
    pace = Pacing()
    for _ in range(5):
        pace.note(STOPS, 0)
    if is_forgotten:
        pace.forget(STOPS, EXITS)
    assert pace.is_counted(STOPS) is not is_forgotten
    assert (pace.note(STOPS, 0).count == 1) is is_forgotten


def test_the_end_of_all_waits_names_each_position_once_and_begins_a_new_series() -> None:
    pace = Pacing()
    for key in (STOPS, EXITS, sending(2, Role.STOP)):
        pace.note(key, 0)
        pace.note(key, 0)
    pace.note(sending(3, Role.STOP), 0)
    assert pace.end_waits(5) == [1, 2]
    assert pace.may_ask(STOPS, 5)
    assert pace.note(STOPS, 5).again_at_ns == 5 + FIRST_WAIT_NS
