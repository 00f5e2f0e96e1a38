"""Comparing: on a grid of intervals, and left out only where nothing could come of it."""

from msgspec.structs import replace

from pointsman.domain.accounts import Account, DeskRecord
from pointsman.domain.commands import Query, Step
from pointsman.domain.events import Compared
from pointsman.execution.books import Books
from pointsman.execution.comparing import Comparing
from tests import desk_stories as told
from tests.desk_stories import SECOND_NS

INTERVAL_NS = 5 * SECOND_NS
ANSWER = Compared(True, 1, 0, "")
TICKET = 9


def quiet() -> Comparing:
    """A schedule whose last comparison changed nothing; the next one is due at 5 s."""
    books = Books(told.policy(), DeskRecord("ABCDEF", compared_at_ns=1))
    comparing = Comparing(books)
    comparing.asked(0)
    comparing.note(ANSWER, Step(), TICKET)
    return comparing


def test_rule_66_quiet_comparisons_are_left_out_and_the_last_one_stands_on_the_grid() -> None:
    comparing = quiet()
    until_ns = 1000 * INTERVAL_NS + 3 * SECOND_NS
    assert comparing.may_pass(until_ns, TICKET)
    comparing.pass_to(until_ns)
    assert comparing.due_ns == 999 * INTERVAL_NS
    assert not comparing.may_pass(until_ns, TICKET)


def test_none_is_left_out_after_anything_has_changed_or_was_asked_for() -> None:
    until_ns = 1000 * INTERVAL_NS
    comparing = quiet()
    assert not comparing.may_pass(until_ns, TICKET + 1)
    comparing.soon(SECOND_NS)
    assert not comparing.may_pass(until_ns, TICKET)
    for compared, step in (
        (replace(ANSWER, is_complete=False), Step()),
        (ANSWER, Step((Account("VA001", told.XXX.tick, 0),))),
        (ANSWER, Step(commands=(Query("A1E1", "XXX"),))),
    ):
        comparing.note(compared, step, TICKET)
        assert not comparing.may_pass(until_ns, TICKET)
