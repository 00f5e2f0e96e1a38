"""Stories C: nothing is held without a stop that the venue has confirmed, or it is on its way out.
F27 to F43."""

import pytest

from pointsman.domain.commands import Cancel
from pointsman.domain.events import OrderReport, ReportWord
from pointsman.domain.orders import OrderType
from pointsman.domain.policy import ReduceOnlyMode
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import Side
from pointsman.domain.venue_reports import OrderFound, Snapshot
from pointsman.execution.ports import VenueReply
from tests.stories.scripted_venue import Line
from tests.stories.story import SECOND_NS, Begin, Story, rules

REFUSES = rules(reduce_only_mode=ReduceOnlyMode.REFUSE)
"""A venue that takes no more reduce-only orders than there is to reduce."""

DEADLINE_NS = 2 * SECOND_NS


def mute_of_stops(story: Story, said: VenueReply) -> tuple[VenueReply, ...]:
    """What a line that loses each report on a stop lets through."""
    stops = {stop.client_order_id for stop in story.stops()}
    return () if isinstance(said, OrderReport) and said.client_order_id in stops else (said,)


def test_f27_a_price_beyond_the_stop_is_exited_at_once(story: Story) -> None:
    """The market has fallen when the stop arrives: refused, it is not tried again."""
    entry = story.buys("10")
    story.venue.price -= 3
    story.venue.fills(entry, at="100")
    assert len(story.stops()) == 1
    (exit_,) = story.exits()
    assert (exit_.order_type, exit_.quantity) == (OrderType.MARKET, 10)
    story.venue.fills(exit_)
    assert story.is_gone()
    assert story.trades()[0].exit_reason is Reason.STOP_CROSSED


def test_f28_a_stop_that_is_refused_leaves_nothing_naked(story: Story) -> None:
    """The old stop is gone, the new one is refused: exit at market, and no new risk."""
    story.enters("10")
    story.venue.is_refusing_stops = True
    story.venue.cancels(story.stops()[0])
    (exit_,) = story.exits()
    assert exit_.quantity == 10
    assert story.account().frozen_for is Reason.STOP_REJECTED
    story.venue.fills(exit_)
    assert story.is_gone()
    assert story.account().naked_max_ns < DEADLINE_NS


def test_f29_a_stop_that_the_price_band_refuses_is_not_sent_twice(story: Story) -> None:
    """The position goes out at market instead."""
    entry = story.buys("10")
    story.venue.refuse_next = Reason.BAD_PRICE
    story.venue.fills(entry)
    assert len(story.stops()) == 1
    story.venue.fills(story.exits()[0])
    assert story.is_gone()


def test_f29_a_stop_whose_create_timed_out_is_looked_up_and_not_doubled(story: Story) -> None:
    """It rests, as the venue says when it is asked before the deadline: that is cover enough."""
    entry = story.buys("10")
    story.venue.distort = lambda said: mute_of_stops(story, said)
    story.venue.fills(entry)
    assert not story.is_covered()
    story.passes(10)
    assert story.is_covered()
    assert len(story.stops()) == 1
    assert story.exits() == []
    assert story.account().naked_max_ns < DEADLINE_NS


def test_f30_a_venue_that_takes_no_stops_any_more_gets_no_further_entries(begin: Begin) -> None:
    """Each account that finds out is taken out at market, frozen, and a person is told."""
    story = begin(accounts=("VA001", "VA002"))
    story.enters("10", va="VA002")
    story.venue.is_refusing_stops = True
    story.venue.fills(story.buys("10", va="VA001"))
    story.venue.fills(story.exits("VA001")[0])
    assert story.is_gone("VA001")
    assert Reason.STOP_REJECTED in story.incidents()
    assert story.refusal(va="VA001") is Reason.FROZEN
    assert story.is_covered("VA002"), "a stop that rests goes on resting"
    story.venue.cancels(story.stops("VA002")[0])
    story.venue.fills(story.exits("VA002")[0])
    assert story.is_gone("VA002")


def test_f31_the_stop_grows_with_a_partial_entry(story: Story) -> None:
    """100 of 200, then the rest; within the deadline all of it is covered."""
    entry = story.buys("20")
    story.venue.fills(entry, "10")
    assert story.resting() == [10]
    story.passes(1)
    story.venue.fills(entry)
    assert sum(story.resting()) == 20
    assert story.is_covered()
    assert story.account().naked_max_ns < DEADLINE_NS


def test_f32_the_stop_shrinks_with_a_partial_exit(story: Story) -> None:
    """0.09 of 0.17 go: 0.08 stay, and the stop is for those."""
    story.enters("0.17", symbol="SOL/USDT")
    story.closes("0.09", symbol="SOL/USDT")
    story.venue.fills(story.exits()[0])
    assert [str(quantity) for quantity in story.resting()] == ["0.08"]
    assert story.is_covered()


def test_f33_after_a_stop_that_filled_in_part_the_next_is_for_the_rest(story: Story) -> None:
    """The venue cancels the stop in the midst of its work."""
    story.enters("10")
    (stop,) = story.stops()
    story.venue.fills(stop, "4", at="98")
    story.venue.cancels(stop)
    assert story.held() == 6
    assert story.resting() == [6]
    assert story.is_covered()


def test_f34_a_stop_that_cannot_be_replaced_means_out_at_market(begin: Begin) -> None:
    """The venue counts reduce-only orders, so the old stop goes first; then the new one is
    refused."""
    story = begin(REFUSES)
    story.enters("10")
    story.venue.is_refusing_stops = True
    story.closes("4")
    assert story.resting() == []
    for exit_ in story.exits():
        story.venue.fills(exit_)
    assert story.held() == story.venue.holds() == 0
    assert story.is_gone()
    assert story.account().naked_max_ns < DEADLINE_NS


def test_f35_a_stop_without_an_answer_is_no_cover(story: Story) -> None:
    """Asked about in vain, it is given up at the deadline for an exit at market."""
    entry = story.buys("10")

    def says_nothing_of_stops(said: VenueReply) -> tuple[VenueReply, ...]:
        return () if isinstance(said, OrderFound | Snapshot) else mute_of_stops(story, said)

    story.venue.distort = says_nothing_of_stops
    story.venue.fills(entry)
    assert story.resting() == [10], "it rests, but we do not know"
    assert not story.is_covered()
    story.passes(1)
    assert story.exits() == []
    story.passes(2)
    (exit_,) = story.exits()
    assert exit_.exit_reason is Reason.UNPROTECTED
    assert story.account().frozen_for is Reason.NAKED_POSITION


def test_f36_a_stop_that_does_not_act_is_followed_by_an_exit(story: Story) -> None:
    """The price is through it for the whole deadline, and the venue has not triggered it."""
    story.enters("10")
    story.quote_is("97", "97.02")
    story.passes(1)
    assert story.exits() == []
    story.passes(2)
    (exit_,) = story.exits()
    assert exit_.exit_reason is Reason.STOP_CROSSED
    story.venue.fills(exit_, at="97")
    assert story.is_gone()


def test_f36_a_triggered_stop_that_rests_is_not_doubled_and_is_replaced_when_it_ends(
    story: Story,
) -> None:
    """Ours are market orders once triggered: while one trades it is the exit. When the venue drops
    it unfilled, a market order follows at once."""
    story.enters("10")
    story.price_is("97")
    story.passes(10)
    assert story.exits() == []
    story.venue.ends(story.stops()[0], ReportWord.EXPIRED, Reason.NOT_FILLED)
    (exit_,) = story.exits()
    story.venue.fills(exit_)
    assert story.is_gone()


def test_f37_the_side_of_a_stop_comes_from_the_position(story: Story) -> None:
    """A short is covered by a buy stop above the market, and it rests."""
    entry = story.sells("10")
    story.venue.fills(entry)
    (stop,) = story.venue.open_orders(OrderType.STOP)
    assert (stop.side, stop.trigger_price, stop.is_triggered) == (Side.BUY, 102, False)
    assert story.held() == -10
    assert story.is_covered()


def test_f38_a_stop_goes_out_as_a_stop(story: Story) -> None:
    """With its trigger, reduce-only, without a limit at which it would fill at once."""
    story.enters("10")
    (stop,) = story.stops()
    assert (stop.order_type, stop.trigger_price, stop.limit_price) == (OrderType.STOP, 98, None)
    assert stop.reduce_only
    assert story.venue.holds() == 10


def test_f39_the_stop_of_somebody_else_is_no_cover(begin: Begin) -> None:
    """Neither that of another symbol, nor that of another account on the same one."""
    story = begin(accounts=("VA001", "VA002", "VA003"))
    story.enters("10", va="VA001")
    story.enters("10", va="VA002", symbol="MSFT")
    story.enters("10", va="VA003")
    before = len(story.stops("VA001"))
    story.venue.cancels(story.stops("VA002")[0])
    story.venue.cancels(story.stops("VA003")[0])
    assert [story.resting(va) for va in ("VA001", "VA002", "VA003")] == [[10], [10], [10]]
    assert len(story.stops("VA001")) == before


@pytest.mark.parametrize("line", [Line.ANSWERS_LOST, Line.DOWN], ids=lambda line: line.name)
def test_f40_a_cancel_that_timed_out_leaves_nothing_unprotected(begin: Begin, line: Line) -> None:
    """Whether it had arrived or not: asked about, the exit goes on and the rest is covered."""
    story = begin(REFUSES)
    story.enters("10")
    with story.venue.line(line):
        story.closes("4")
    story.passes(6)
    (exit_,) = story.exits()
    story.venue.fills(exit_)
    assert story.held() == 6
    assert story.is_covered()


def test_f41_a_stop_in_the_way_of_an_exit_is_freed_first(begin: Begin) -> None:
    """The venue takes no exit beside a stop of full size, so that one is cancelled and confirmed;
    and should the exit be refused all the same, it is tried again."""
    story = begin(REFUSES)
    story.enters("10")
    story.closes()
    (exit_,) = story.exits()
    assert story.status(exit_) == "ACCEPTED"
    story.venue.ends(exit_, ReportWord.REJECTED, Reason.REDUCE_ONLY)
    story.passes(3)
    story.venue.fills(story.exits()[-1])
    assert story.is_gone()
    assert story.venue.holds() == 0


@pytest.mark.parametrize("how", ["cancelled", "filled"])
def test_f42_a_stop_that_is_gone_at_the_venue_does_not_go_round_in_circles(
    begin: Begin, how: str
) -> None:
    """Its cancel is refused: it is asked about, and only what is still held goes out."""
    story = begin(REFUSES)
    story.enters("10")
    (stop,) = story.stops()
    with story.venue.line(Line.ANSWERS_LOST):
        if how == "filled":
            story.venue.fills(stop, at="98")
        else:
            story.venue.cancels(stop)
    story.closes()
    cancels = [request for request in story.venue.sent if isinstance(request, Cancel)]
    assert len(cancels) == 1
    assert len(story.exits()) == (0 if how == "filled" else 1)
    for exit_ in story.exits():
        story.venue.fills(exit_)
    assert story.is_gone()


def test_f43_a_stop_that_outlives_its_position_is_cancelled_within_a_cycle(story: Story) -> None:
    """Also when the first cancel never arrives."""
    story.enters("10")
    story.closes()

    def then_the_line_breaks(said: VenueReply) -> tuple[VenueReply]:
        story.venue.becomes(Line.DOWN)
        return (said,)

    story.venue.distort = then_the_line_breaks
    story.venue.fills(story.exits()[0])
    assert story.held() == 0
    assert story.resting() == [10]
    story.venue.loses()
    story.venue.becomes(Line.UP)
    story.passes(6)
    assert story.is_gone()
