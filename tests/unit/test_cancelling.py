"""An order is marked before its cancel leaves, and is asked to be cancelled once."""

import pytest

from pointsman.domain.commands import Cancel
from pointsman.domain.events import ReportWord
from pointsman.domain.money import exact
from pointsman.domain.timers import Timer, TimerKind
from pointsman.execution.cancelling import can_cancel, cancel, cancel_all
from pointsman.execution.pacing import cancelling
from tests.desk_stories import report
from tests.order_stories import entered_desk
from tests.unit.test_order_manager import ENTRY


def test_a_cancel_marks_the_order_and_its_silence_will_be_noticed() -> None:
    desk = entered_desk()
    books, now_ns = desk.books, desk.now_ns + 1
    assert can_cancel(books, books.orders[ENTRY], now_ns)
    with exact():
        assert cancel(books, books.orders[ENTRY], now_ns) == Cancel(ENTRY, "XXX")
    order = books.orders[ENTRY]
    assert (order.is_cancel_pending, order.cancel_sent_at_ns) == (True, now_ns)
    assert not can_cancel(books, order, now_ns), "it is under way"
    due_ns = now_ns + books.policy.submit_timeout_ns
    timers = iter(books.this_run.pop_timer, None)
    assert Timer(due_ns, TimerKind.SUBMIT_TIMEOUT, ENTRY, now_ns) in timers


@pytest.mark.parametrize("word", [ReportWord.CANCELED, ReportWord.EXPIRED, ReportWord.REJECTED])
def test_what_has_ended_is_not_cancelled(word: ReportWord) -> None:
    desk = entered_desk()
    before = desk.books.orders[ENTRY]
    step = report(desk, ENTRY, word)
    ended = next(record for record in step.changes if type(record) is type(before))
    assert not can_cancel(desk.books, ended, desk.now_ns)


def test_a_cancel_that_did_not_reach_the_venue_twice_waits() -> None:
    desk = entered_desk()
    books, order, now_ns = desk.books, desk.books.orders[ENTRY], desk.now_ns
    for is_due in (True, False):
        again_at_ns = books.this_run.pacing.note(cancelling(order), now_ns).again_at_ns
        assert can_cancel(books, order, now_ns) is is_due
    assert can_cancel(books, order, again_at_ns)


def test_of_several_orders_those_are_cancelled_of_which_that_is_new_to_the_venue() -> None:
    desk = entered_desk()
    entry = desk.books.orders[ENTRY]
    with exact():
        assert cancel_all(desk.books, [entry], desk.now_ns) == [Cancel(ENTRY, "XXX")]
        under_way = [desk.books.orders[ENTRY]]
        assert cancel_all(desk.books, under_way, desk.now_ns) == []
