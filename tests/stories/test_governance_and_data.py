"""Stories G: limits, bad data, clocks, a venue that has had enough of us, and replayed signals. F67
to F73, F79."""

import pytest

from pointsman.domain.events import LinkChanged, VenueLink
from pointsman.domain.orders import Role
from pointsman.domain.reasons import Reason
from pointsman.execution.ports import VenueReply
from tests import desk_stories as told
from tests.stories.scripted_venue import Line
from tests.stories.story import SECOND_NS, Begin, Story, rules


def test_f67_ten_signals_at_once_get_three_slots(begin: Begin) -> None:
    """The slot is taken when the signal is accepted, before anything has filled."""
    story = begin(rules({"max_open_positions": 3}))
    with story.venue.line(Line.HELD):
        decisions = [story.signal("buy", "10") for _ in range(10)]
    assert [decision.reason for decision in decisions if decision is not None] == [
        *[None] * 3,
        *[Reason.MAX_OPEN_POSITIONS] * 7,
    ]
    assert len(story.orders_sent()) == 3


def test_f68_losses_through_stops_at_the_venue_count_and_the_cooldown_outlives_a_restart(
    story: Story,
) -> None:
    """Two by the stop at the venue, one of these unheard; one by an exit in two parts, which is one
    loss."""
    story.enters("10")
    story.venue.fills(story.stops()[-1], at="98")
    story.enters("10")
    with story.venue.line(Line.ANSWERS_LOST):
        story.venue.fills(story.stops()[-1], at="98")
    story.passes(6)
    story.enters("10")
    for quantity in ("4", "6"):
        story.closes(quantity)
        story.venue.fills(story.exits()[-1], at="99")
    assert len(story.trades()) == 3
    assert story.refusal() is Reason.COOLDOWN
    story.restarts()
    assert story.refusal() is Reason.COOLDOWN
    story.passes(300)
    story.buys("10")


def test_f69_a_feed_that_stands_still_blocks_entries_and_no_exits(story: Story) -> None:
    """The connection is alive, only nothing comes any more."""
    story.enters("10")
    story.is_feed_frozen = True
    story.passes(1)
    assert story.refusal() is Reason.LATENCY
    story.closes()
    story.venue.fills(story.exits()[0])
    assert story.is_gone()


@pytest.mark.parametrize(
    ("bid", "ask", "size"),
    [
        ("99.99", "0", "1000"),
        ("0", "100.01", "1000"),
        ("100.02", "100.01", "1000"),
        ("99.99", "100.01", "-1"),
        ("NaN", "100.01", "1000"),
        ("99.99", "Infinity", "1000"),
    ],
    ids=["no ask", "no bid", "crossed", "negative size", "not a number", "without end"],
)
def test_f70_a_quote_that_cannot_be_trades_nothing(
    story: Story, bid: str, ask: str, size: str
) -> None:
    """Neither an entry, nor the stop that it would seem to reach."""
    story.enters("10")
    sent = len(story.orders_sent())
    story.is_feed_frozen = True
    story.loop.on_quote(told.quote(story.now_ns, bid, ask, "AAPL", size), story.now_ns)
    assert story.refusal() is Reason.INVALID_QUOTE
    story.passes(10)
    assert len(story.orders_sent()) == sent


def test_f72_a_feed_whose_clock_is_ahead_is_not_fresh_for_longer(story: Story) -> None:
    """Its stamps are a minute ahead; when it stands still that is noticed as soon as ever."""
    ahead_ns = story.now_ns + 60 * SECOND_NS
    story.is_feed_frozen = True
    story.loop.on_quote(told.quote(ahead_ns, symbol="AAPL"), story.now_ns)
    story.buys("10")
    story.passes(1)
    assert story.refusal() is Reason.LATENCY


def test_f72_a_clock_that_was_set_back_between_two_runs_shortens_and_lengthens_nothing(
    story: Story,
) -> None:
    """Time goes on from the last that the books have seen; a cooldown runs on."""
    for _ in range(3):
        story.enters("10")
        story.venue.fills(story.stops()[-1], at="98")
    assert story.refusal() is Reason.COOLDOWN
    story.passes(100)
    story.dies()
    story.now_ns -= 3_600 * SECOND_NS
    story.starts()
    assert story.refusal() is Reason.COOLDOWN


def test_f73_while_we_are_banned_nothing_is_sent_twice_and_afterwards_the_way_out_comes_first(
    story: Story,
) -> None:
    """The ban begins before the stop arrives. What was sent in vain is not repeated under the same
    id, and when the ban is over the position goes out at market."""
    entry = story.buys("10")

    def then_we_are_banned(said: VenueReply) -> tuple[VenueReply]:
        story.venue.becomes(Line.DOWN)
        return (said,)

    story.venue.distort = then_we_are_banned
    story.venue.fills(entry)
    story.passes(30)
    assert story.refusal() is Reason.FROZEN
    ids = [order.client_order_id for order in story.orders_sent()]
    assert len(ids) == len(set(ids))
    story.venue.loses()
    story.venue.becomes(Line.UP)
    story.passes(11)
    story.venue.fills(story.exits()[-1])
    story.passes(11)
    assert story.is_gone()
    assert story.venue.holds() == 0


def test_f73_while_the_venue_says_to_slow_down_entries_are_refused_and_the_stop_leaves_first_after(
    story: Story,
) -> None:
    """It says so while an entry works. The stop for its fill is tried now and then, and rests a
    moment after the end: the position is kept."""
    entry = story.buys("10")
    story.venue.becomes(Line.REFUSED)
    story.venue.says(LinkChanged(VenueLink.BUDGET, False, story.now_ns, "429"))
    story.venue.fills(entry)
    story.passes(1)
    assert story.refusal() is Reason.VENUE_BUSY
    assert (story.held(), story.is_covered()) == (10, False)
    assert 2 <= len(story.stops()) <= 5, "not at the speed of the wire"
    story.venue.becomes(Line.UP)
    story.venue.says(LinkChanged(VenueLink.BUDGET, True, story.now_ns))
    assert story.is_covered()
    assert story.orders_sent()[-1].role is Role.STOP
    assert story.exits() == []
    assert list(story.loop.desk.books.orders) == [story.stops()[-1].client_order_id]
    story.enters("10")


def test_f79_a_signal_that_is_replayed_does_nothing_and_two_honest_ones_both_count(
    story: Story,
) -> None:
    """A captured message has the id of the first; two alike with ids of their own are two."""
    story.enters("10", signal_id="one")
    story.signal("buy", "10", signal_id="one")
    story.restarts()
    story.signal("buy", "10", signal_id="one")
    assert len(story.orders_sent(Role.ENTRY)) == 1
    story.enters("10", signal_id="two")
    assert story.held() == 20
