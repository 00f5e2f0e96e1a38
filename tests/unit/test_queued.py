"""An order that the venue keeps until its session (RULES 52): accepted, and shown as queued."""

from typing import Any

import pytest

from pointsman.domain.accounts import Incident
from pointsman.domain.events import OrderReport, ReportWord
from pointsman.terminal.columns import order_status
from tests.desk_stories import SECOND_NS, enter, of_type, pass_time, send, signal, tell
from tests.order_stories import KeptDesk, kept_desk

EXIT = "ABCDEF1X1"


@pytest.fixture
def desk() -> KeptDesk:
    """An exit is accepted, and the venue says that it is queued."""
    desk = kept_desk()
    enter(desk, signal("a"))
    send(desk, signal("b", "close", None))
    say(desk, ReportWord.ACCEPTED)
    say(desk, ReportWord.ACCEPTED, is_queued=True)
    return desk


def say(desk: KeptDesk, word: ReportWord, **more: Any) -> None:
    tell(desk, OrderReport(EXIT, word, desk.now_ns, "V1", **more))


def test_it_is_stored_and_shown(desk: KeptDesk) -> None:
    assert desk.kept.order(EXIT).is_queued
    assert order_status(desk.kept.order(EXIT)).plain == "ACCEPTED, queued"


def test_that_it_is_not_filled_for_long_is_told_with_the_cause(desk: KeptDesk) -> None:
    told = [each for step in pass_time(desk, 3 * SECOND_NS) for each in step.changes]
    (unfilled,) = of_type(tuple(told), Incident)
    assert unfilled.detail == "10 of 10 still to be filled; the venue keeps it until its session"


@pytest.mark.parametrize("word", [ReportWord.ACCEPTED, ReportWord.CANCELED])
def test_it_is_queued_no_more_when_the_venue_says_something_else(
    desk: KeptDesk, word: ReportWord
) -> None:
    say(desk, word)
    assert not desk.kept.order(EXIT).is_queued
