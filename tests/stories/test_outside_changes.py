"""Stories E: what others do on the account, and what comparisons with the venue make of it. F51 to
F58."""

import msgspec
import pytest

from pointsman.domain.events import ReportWord
from pointsman.domain.policy import PositionMode
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import PositionSide
from pointsman.domain.venue_reports import Snapshot
from pointsman.execution.ports import VenueReply
from tests.stories.scripted_venue import Line
from tests.stories.story import Begin, Story, rules

TWO = ("VA001", "VA002")
LONG = PositionSide.LONG


def test_f51_a_person_who_closes_a_position_is_noticed_within_a_cycle(story: Story) -> None:
    """The stop is cancelled, the symbol is free, and the result says whose doing it was."""
    story.enters("10")
    story.venue.somebody_sells(10)
    story.passes(6)
    assert story.is_gone()
    assert story.trades()[0].exit_reason is Reason.EXTERNAL_CLOSE
    story.enters("10", symbol="MSFT")


def test_f52_a_stop_that_filled_unheard_is_noticed_without_a_restart(story: Story) -> None:
    """By the next comparison."""
    story.enters("10")
    with story.venue.line(Line.ANSWERS_LOST):
        story.venue.fills(story.stops()[0], at="98")
    assert story.held() == 10
    story.passes(6)
    assert story.is_gone()
    assert story.trades()[0].exit_reason is Reason.STOP_LOSS


def incomplete(said: VenueReply) -> tuple[VenueReply, ...]:
    """A comparison that was cut off shows nothing at all."""
    if isinstance(said, Snapshot):
        empty = {"open_orders": (), "trades": (), "holdings": (), "is_complete": False}
        return (msgspec.structs.replace(said, **empty),)
    return (said,)


@pytest.mark.parametrize("how", ["no answer", "cut off"])
def test_f53_a_comparison_that_fails_does_not_mean_flat(story: Story, how: str) -> None:
    """For minutes the venue tells nothing of positions: none is let go, and nothing is sent."""
    story.enters("10")
    sent = len(story.venue.sent)
    if how == "cut off":
        story.venue.distort = incomplete
    else:
        story.venue.loses(Snapshot)
    before = story.standing()
    story.passes(120)
    assert story.standing() == before
    assert story.is_covered()
    assert len(story.venue.sent) - sent <= 25, "one question every five seconds, nothing else"


def test_f54_a_close_that_fills_explain_is_closed_once(story: Story) -> None:
    """The venue is flat and we are not: one trade, no order the other way, and then quiet."""
    story.enters("10")
    story.venue.somebody_sells(10)
    story.passes(60)
    assert len(story.trades()) == 1
    assert story.exits() == []
    assert story.venue.holds() == 0


def test_f54_a_holding_that_is_gone_without_a_fill_is_told_once_and_nothing_is_sent(
    story: Story,
) -> None:
    """Nothing explains it, so nothing is made up: the account freezes, a person must say."""
    story.enters("10")
    story.venue.holdings["AAPL", LONG] *= 0
    sent = len(story.orders_sent())
    story.passes(60)
    assert story.incidents().count(Reason.MISMATCH) == 1
    assert story.account().frozen_for is Reason.MISMATCH
    assert len(story.orders_sent()) == sent
    assert story.trades() == []
    assert story.resting() == [], "a stop would sell what is not there"


def test_f55_an_empty_row_of_the_other_side_hides_nothing(story: Story) -> None:
    """In hedge mode the venue lists both sides, the empty one first."""
    story.venue.holdings["AAPL", PositionSide.SHORT] = story.venue.holds()
    story.enters("10")
    story.passes(11)
    assert story.held() == story.venue.holds() == 10
    assert Reason.MISMATCH not in story.incidents()
    assert story.is_covered()


def test_f57_a_liquidation_takes_position_and_stop_along(story: Story) -> None:
    """Part of it goes under an id of the venue; the stop follows."""
    story.enters("10")
    story.venue.somebody_sells(4)
    story.passes(6)
    assert story.held() == 6
    assert story.resting() == [6]
    assert story.is_covered()


def test_f57_what_a_triggered_stop_sells_under_another_id_is_the_end_of_its_position(
    story: Story,
) -> None:
    """The stop itself ends unfilled; the order that it became is not ours by name."""
    story.enters("10")
    with story.venue.line(Line.HELD):
        story.venue.ends(story.stops()[0], ReportWord.EXPIRED, Reason.NOT_FILLED)
        story.venue.somebody_sells(10)
        said = story.venue.take_held()
    story.venue.says(*said)
    story.passes(11)
    assert story.is_gone()
    assert story.venue.holds() == 0
    assert story.trades()[0].exit_reason is Reason.EXTERNAL_CLOSE


def test_f58_accounts_that_share_a_netted_symbol_add_up_to_what_the_venue_holds(
    begin: Begin,
) -> None:
    """One direction only; against each other they are refused."""
    story = begin(rules(position_mode=PositionMode.NET), TWO)
    story.enters("10", va="VA001")
    assert story.refusal("sell", va="VA002") is Reason.OPPOSING_EXPOSURE
    story.enters("5", va="VA002")
    story.closes("4", va="VA001")
    story.venue.fills(story.exits()[0])
    story.passes(11)
    assert story.held("VA001") + story.held("VA002") == story.venue.holds() == 11
    assert all(story.is_covered(va) for va in TWO)
    assert Reason.MISMATCH not in story.incidents()
