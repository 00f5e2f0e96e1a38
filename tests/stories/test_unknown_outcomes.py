"""Stories A: an order left, and what became of it is not known. F01 to F10 of docs/scenarios.md."""

from typing import Any

import msgspec

from pointsman.domain.commands import Query
from pointsman.domain.events import OrderReport
from pointsman.domain.orders import Order
from pointsman.domain.reasons import Reason
from pointsman.domain.venue_reports import Snapshot
from pointsman.execution.ports import VenueReply
from pointsman.simulator.crashes import Boundary
from tests.stories.scripted_venue import Line
from tests.stories.story import MS, SECOND_NS, Begin, Story

FIVE = ("VA001", "VA002", "VA003", "VA004", "VA005")


def questions_about(story: Story, order: Order) -> int:
    asked = [request for request in story.venue.sent if isinstance(request, Query)]
    return sum(1 for query in asked if query.client_order_id == order.client_order_id)


def test_f01_create_times_out_but_the_venue_had_accepted(story: Story) -> None:
    """The answer is lost, the order trades: it is looked up by its id, adopted and protected."""
    story.venue.loses(Snapshot)
    with story.venue.line(Line.ANSWERS_LOST):
        entry = story.buys("10")
        story.venue.fills(entry, "4")
        story.passes(4)
    assert story.held() == 0, "nothing is believed that the venue has not said"
    story.passes(2)
    assert questions_about(story, entry) > 0
    assert story.held() == 4
    assert story.is_covered()
    assert story.venue.creates_of(entry) == 1


def test_f02_a_strategy_that_orders_again_after_a_timeout_gets_no_second_order(
    story: Story,
) -> None:
    """The same signal is answered as the first time; another one is refused until it is known."""
    with story.venue.line(Line.ANSWERS_LOST):
        entry = story.buys("10", signal_id="one")
        story.passes(10)
        again = story.signal("buy", "10", signal_id="one")
        assert again is not None
        assert again.client_order_id == entry.client_order_id
        assert story.refusal("buy", "10", signal_id="two") is Reason.UNKNOWN_ORDER
    story.passes(30)
    assert sum(story.venue.creates.values()) == 1


def test_f03_of_five_orders_at_once_the_one_with_a_late_answer_is_tracked(begin: Begin) -> None:
    """Nobody makes it anew at the next look; its answer, when it comes, finds its order."""
    story = begin(accounts=FIVE)
    story.venue.loses(Snapshot)
    with story.venue.line(Line.HELD):
        entries = [story.buys("10", va=va) for va in FIVE]
        *others, late = sorted(story.venue.take_held(), key=lambda said: is_about(said, entries[2]))
    story.venue.says(*others)
    story.passes(20)
    story.venue.says(late)
    assert [story.venue.creates_of(entry) for entry in entries] == [1] * 5
    assert [story.status(entry) for entry in entries] == ["ACCEPTED"] * 5
    assert len(story.orders_sent()) == 5


def is_about(said: Any, order: Order) -> bool:
    return bool(said.client_order_id == order.client_order_id)


def test_f04_a_create_that_failed_is_given_up_only_after_a_definite_no_such_order(
    story: Story,
) -> None:
    """Nothing is retried at once. "No such order" counts only when the request cannot arrive any
    more."""
    with story.venue.line(Line.DOWN):
        entry = story.buys("10")
    story.passes(6)
    assert story.status(entry) == "UNKNOWN", "an early no-such-order proves nothing"
    story.passes(6)
    assert story.status(entry) == "REJECTED"
    assert Reason.NEVER_ARRIVED in story.incidents()
    assert len(story.orders_sent()) == 1
    assert story.is_gone()


def test_f05_minutes_without_a_connection_never_count_as_no_such_order(story: Story) -> None:
    """The order trades meanwhile; afterwards the position is exact."""
    entry = story.buys("10")
    with story.venue.line(Line.DOWN):
        story.passes(90)
        story.venue.fills(entry, "6")
        story.venue.cancels(entry)
        story.passes(90)
        assert story.status(entry) == "ACCEPTED"
    story.passes(6)
    assert story.status(entry) == "CANCELED"
    assert story.held() == story.venue.holds() == 6
    assert story.is_covered()


def test_f06_an_order_that_filled_at_once_is_not_taken_for_rejected(story: Story) -> None:
    """It is in no list of open orders any more; asked by its id, the venue tells of its end."""
    with story.venue.line(Line.ANSWERS_LOST):
        entry = story.buys("10")
        story.venue.fills(entry)
    story.venue.distort = lambda said: (
        (msgspec.structs.replace(said, trades=(), holdings=(), fills_cursor=""),)
        if isinstance(said, Snapshot)
        else (said,)
    )
    story.passes(6)
    assert story.status(entry) == "FILLED"
    assert story.is_covered()
    assert Reason.NEVER_ARRIVED not in story.incidents()


def test_f07_a_create_that_returns_no_venue_id_is_stored_and_found_by_our_id(begin: Begin) -> None:
    """Two such orders do not collide, and a restart finds both."""
    story = begin(accounts=FIVE[:2])

    def without_id(said: VenueReply) -> tuple[VenueReply, ...]:
        if isinstance(said, OrderReport):
            return (msgspec.structs.replace(said, venue_order_id=None),)
        return ()

    story.venue.distort = without_id
    entries = [story.buys("10", va=va) for va in FIVE[:2]]
    assert [story.status(entry) for entry in entries] == ["ACCEPTED"] * 2
    story.venue.loses()
    story.restarts()
    assert [story.status(entry) for entry in entries] == ["ACCEPTED"] * 2
    for entry in entries:
        story.venue.fills(entry)
        assert story.is_covered(entry.va_id)


def test_f08_an_order_is_in_the_database_before_it_leaves(story: Story) -> None:
    """The program dies the moment the order is out: the next start knows it and protects it. That
    the record comes first, the story asks of every order that leaves."""
    story.dies_at(Boundary.AFTER_SEND)
    story.signal("buy", "10")
    assert not story.is_alive
    (entry,) = story.orders_sent()
    story.venue.fill(entry.client_order_id, entry.quantity)
    story.restarts()
    assert story.held() == 10
    assert story.is_covered()
    assert story.venue.creates_of(entry) == 1


def test_f08_a_slow_disk_is_waited_for(story: Story) -> None:
    """Nothing leaves, and nobody is told, before the decision is on the disk."""
    story.disk.slow_until_ns, story.disk.delay_ns = story.now_ns + SECOND_NS, 300 * MS
    assert story.signal("buy", "10") is None
    assert story.orders_sent() == []
    story.passes(1)
    assert len(story.orders_sent()) == 1
    assert len(story.answers) == 1


def test_f09_an_answer_that_cannot_be_read_is_no_answer(story: Story) -> None:
    """A page of HTML came with a 200: to the engine that is silence, no refusal and no crash."""
    story.venue.loses(OrderReport)
    entry = story.buys("10")
    story.passes(4)
    assert story.status(entry) == "SUBMITTED"
    story.passes(2)
    assert story.status(entry) == "ACCEPTED", "asked about, it is found"
    assert story.venue.creates_of(entry) == 1


def test_f10_what_could_not_be_stored_is_not_sent(story: Story) -> None:
    """The sender is told that nothing is certain; when the disk works again the order is denied."""
    story.disk.full_until_ns = story.now_ns + 20 * SECOND_NS
    assert story.signal("buy", "10", signal_id="one") is None
    assert not story.is_free(), "memory holds what it decided"
    story.passes(25)
    assert story.orders_sent() == []
    assert story.is_gone()
    again = story.signal("buy", "10", signal_id="one")
    assert again is not None
    known = story.manager.known_order(str(again.client_order_id))
    assert known is not None
    assert known.order.end_reason is Reason.STORAGE_FAILED


def test_f10_what_could_not_be_stored_is_gone_after_a_crash(story: Story) -> None:
    """Memory and database agree again: the same signal is decided as a new one."""
    story.disk.full_until_ns = story.now_ns + 20 * SECOND_NS
    assert story.signal("buy", "10", signal_id="one") is None
    story.restarts()
    assert story.is_gone()
    entry = story.buys("10", signal_id="one")
    assert story.venue.creates_of(entry) == 1
