"""Stories H, as far as they concern the engine: the kill switch. F74."""

from pointsman.domain.accounts import KillState
from pointsman.domain.orders import OrderType
from pointsman.domain.reasons import Reason
from pointsman.domain.venue_reports import OrderFound, Snapshot
from tests.stories.scripted_venue import Line
from tests.stories.story import Begin, Story


def test_f74_a_kill_cancels_an_entry_that_has_not_filled(story: Story) -> None:
    """There is no position yet that would bring it to mind."""
    story.buys("10")
    story.kills()
    assert story.venue.open_orders() == []
    assert story.refusal() is Reason.KILLED
    assert story.is_gone()


def test_f74_a_cancel_that_is_lost_is_tried_again(story: Story) -> None:
    """As soon as the venue has said that the entry still works."""
    story.buys("10")
    with story.venue.line(Line.DOWN):
        story.kills()
        story.passes(10)
    assert len(story.venue.open_orders()) == 1
    story.passes(6)
    assert story.venue.open_orders() == []


def test_f74_an_entry_that_was_given_up_stays_so_though_a_person_rearms(story: Story) -> None:
    """The cancel was lost, and the rearm came before the venue could say so."""
    story.buys("10")
    with story.venue.line(Line.DOWN):
        story.kills()
        story.rearms()
    story.passes(30)
    assert story.venue.open_orders() == []
    assert story.is_gone()


def test_f74_after_a_halt_fills_are_booked_and_protected(story: Story) -> None:
    """The entry fills before the cancel reaches it."""
    with story.venue.line(Line.HELD):
        entry = story.buys("10")
        story.venue.fills(entry, "4")
        said = story.venue.take_held()
    with story.venue.line(Line.HELD):
        story.kills()
        said += story.venue.take_held()
    story.venue.says(*said)
    assert story.held() == 4
    assert story.is_covered()
    assert story.venue.open_orders(OrderType.LIMIT_IOC) == []


def test_f74_flat_is_said_only_when_the_venue_has_confirmed_it(begin: Begin) -> None:
    """Not while an account is still leaving, and not without a comparison."""
    story = begin(accounts=("VA001", "VA002"))
    for va in ("VA001", "VA002"):
        story.enters("10", va=va)
    story.kills(flatten=True)
    story.venue.fills(story.exits("VA001")[0])
    story.passes(11)
    assert story.kill_switch.flat_at_ns is None
    story.venue.loses(Snapshot)
    story.venue.fills(story.exits("VA002")[0])
    story.passes(11)
    assert story.venue.holds() == 0
    assert story.kill_switch.flat_at_ns is None
    story.venue.loses()
    story.passes(6)
    assert story.kill_switch.flat_at_ns is not None


def test_f74_flat_is_not_said_while_an_entry_may_still_fill(story: Story) -> None:
    """Nothing is held, but the cancel of the entry was lost."""
    story.buys("10")
    with story.venue.line(Line.DOWN):
        story.kills(flatten=True)
        story.passes(1)
    story.venue.loses(OrderFound)
    story.passes(6)
    assert len(story.venue.open_orders()) == 1
    assert story.kill_switch.flat_at_ns is None
    story.venue.loses()
    story.passes(11)
    assert story.venue.open_orders() == []
    assert story.kill_switch.flat_at_ns is not None


def test_f74_the_latch_outlives_a_restart_and_only_a_person_opens_it(story: Story) -> None:
    """Neither a start nor a comparison clears it."""
    story.kills()
    story.restarts()
    story.passes(60)
    assert story.kill_switch.state is KillState.HALT
    assert story.refusal() is Reason.KILLED
    story.rearms()
    story.enters("10")
