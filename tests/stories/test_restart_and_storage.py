"""Stories F: the program dies, the disk fails, somebody else reads or starts. F59 to F66."""

from contextlib import closing

import msgspec
import pytest

from pointsman.domain.commands import Submit
from pointsman.domain.policy import Abilities
from pointsman.domain.reasons import Reason
from pointsman.execution.venue_intake import StrangeOrders
from pointsman.simulator.crashes import Boundary
from pointsman.storage.errors import DatabaseBusy
from pointsman.storage.reader import open_reader
from pointsman.storage.sqlite_manager import SqliteManager
from tests.engine_stories import CODE
from tests.stories.scripted_venue import Line
from tests.stories.story import SECOND_NS, Begin, Story, rules

ENDS_WITH_SESSION = Abilities(requests_end_with_session=True)


def test_f59_what_filled_while_the_program_was_down_is_not_sent_again(story: Story) -> None:
    """The entry filled: it is covered. Then the stop fills, again unheard: the trade is closed."""
    entry = story.buys("10")
    story.dies()
    story.venue.fills(entry)
    story.restarts()
    assert story.is_covered()
    sent = len(story.orders_sent())
    story.dies()
    story.venue.fills(story.stops()[0], at="98")
    story.restarts()
    assert story.is_gone()
    assert len(story.orders_sent()) == sent
    assert story.trades()[0].exit_reason is Reason.STOP_LOSS


def test_f60_a_stop_in_flight_at_a_crash_is_found_counted_and_can_be_cancelled(
    story: Story,
) -> None:
    """It had just left. The next start finds it resting, and a close takes it away."""
    entry = story.buys("10")
    story.dies_at(Boundary.AFTER_SEND)
    story.venue.fills(entry)
    assert not story.is_alive
    story.restarts()
    assert story.is_covered()
    assert len(story.stops()) == 1
    story.closes()
    story.venue.fills(story.exits()[0])
    assert story.is_gone()


def test_f60_a_stop_that_a_crash_kept_from_leaving_is_sent_again_once_its_loss_is_proved(
    begin: Begin,
) -> None:
    """Where requests end with their session the first "no such order" is the proof; the position is
    covered by a further stop well within the deadline, and nobody has to resume the account."""
    story = begin(rules(abilities=ENDS_WITH_SESSION))
    entry = story.buys("10")
    story.dies_at(Boundary.AFTER_COMMIT)
    story.venue.fills(entry)
    assert not story.is_alive
    began_ns = story.now_ns
    story.restarts()
    assert story.now_ns - began_ns < 2 * SECOND_NS
    assert story.is_covered()
    assert [stop.client_order_id[-2:] for stop in story.stops()] == ["S2"]
    assert story.account().frozen_for is None
    assert Reason.NAKED_POSITION not in story.incidents()


def test_f60_elsewhere_a_lost_stop_is_not_sent_again_while_it_could_still_arrive(
    story: Story,
) -> None:
    """The request might still be on its way: the position is exited at the deadline instead."""
    entry = story.buys("10")
    story.dies_at(Boundary.AFTER_COMMIT)
    story.venue.fills(entry)
    story.restarts()
    assert story.stops() == []
    story.passes(3)
    assert Reason.NAKED_POSITION in story.incidents()


def test_f60_a_request_of_this_session_is_not_proved_lost_by_one_answer(begin: Begin) -> None:
    """The ability says nothing of what this process sends: that waits for ORDER_SETTLE_SECONDS."""
    story = begin(rules(abilities=ENDS_WITH_SESSION))
    with story.venue.line(Line.DOWN):
        entry = story.buys("10")
    story.passes(8)
    assert story.status(entry) == "UNKNOWN"
    story.passes(8)
    assert story.status(entry) == "REJECTED"


def test_f60_an_entry_that_was_stored_and_never_left_is_not_sent_after_a_crash(
    story: Story,
) -> None:
    """The market that it was judged on is gone: once the venue surely does not know it, it ends."""
    story.dies_at(Boundary.AFTER_COMMIT)
    story.signal("buy", "10")
    assert not story.is_alive
    story.restarts()
    assert not story.is_free()
    story.passes(20)
    assert story.is_gone()
    assert story.orders_sent() == []
    assert Reason.NEVER_ARRIVED in story.incidents()


def test_f61_a_reader_that_holds_the_database_stops_nothing(story: Story) -> None:
    """Trades go on beside it and are stored; it goes on seeing what it had begun to read."""
    with closing(open_reader(story.database)) as reading:
        (before,) = reading.execute("SELECT count(*) FROM orders").fetchone().values()
        story.enters("10")
        (seen,) = reading.execute("SELECT count(*) FROM orders").fetchone().values()
    assert (before, seen) == (0, 0)
    with closing(open_reader(story.database)) as reading:
        (after,) = reading.execute("SELECT count(*) FROM orders").fetchone().values()
    assert after == 2


def test_f62_a_full_disk_holds_entries_and_leaves_protection_alone(story: Story) -> None:
    """A fill that still comes gets its stop all the same. With space again, all goes on."""
    entry = story.buys("10")
    story.disk.full_until_ns = story.now_ns + 20 * SECOND_NS
    story.venue.fills(entry)
    assert story.resting() == [10]
    assert story.signal("buy", "10") is None, "its sender is told to come again"
    story.passes(10)
    assert story.loop.is_held
    assert len(story.orders_sent()) == 2
    story.passes(15)
    assert story.is_covered()
    story.buys("10")


def test_f62_a_stop_that_left_while_the_disk_was_full_is_known_after_a_crash(
    story: Story,
) -> None:
    """Its record was never kept: the start takes it from the venue, by its name."""
    entry = story.buys("10")
    story.venue.fills(entry, "4")
    story.passes(2)
    story.disk.full_until_ns = story.now_ns + 20 * SECOND_NS
    story.venue.fills(entry, "6")
    assert sum(story.resting()) == 10
    story.restarts()
    assert story.held() == 10
    assert story.is_covered()
    assert len(story.stops()) == 2


def test_f64_a_signal_whose_sender_was_not_told_may_come_again_and_is_decided(
    story: Story,
) -> None:
    """The program died before the decision was stored: it counts as never asked."""
    story.dies_at(Boundary.BEFORE_COMMIT)
    assert story.signal("buy", "10", signal_id="one") is None
    story.restarts()
    story.buys("10", signal_id="one")
    assert len(story.orders_sent()) == 1


def test_f64_a_signal_that_was_stored_is_never_forgotten(story: Story) -> None:
    """The program died right after: who asks again hears the first decision, and the order of it
    came to an end."""
    story.dies_at(Boundary.AFTER_COMMIT)
    assert story.signal("buy", "10", signal_id="one") is None
    story.restarts()
    again = story.signal("buy", "10", signal_id="one")
    assert again is not None
    story.passes(20)
    known = story.manager.known_order(str(again.client_order_id))
    assert known is not None
    assert known.order.end_reason is Reason.NEVER_ARRIVED
    assert story.orders_sent() == []


def test_f66_a_second_instance_on_the_same_database_is_refused(story: Story) -> None:
    """And the first goes on unharmed."""
    with pytest.raises(DatabaseBusy):
        SqliteManager(story.database).open()
    story.enters("10")


def test_f66_orders_with_our_name_that_we_never_made_stop_the_start(story: Story) -> None:
    """Somebody trades on this account with a copy of this database."""
    entry = story.buys("10")
    theirs = msgspec.structs.replace(entry, client_order_id=f"{CODE}99E1")
    story.venue.take(Submit(theirs), story.now_ns)
    with pytest.raises(StrangeOrders):
        story.restarts()
