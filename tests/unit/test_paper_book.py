"""The book of the paper venue: stops in a heap, sizes that are used up, orders that wait."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.domain.market import Quote
from pointsman.domain.money import ZERO
from pointsman.domain.sides import Side
from pointsman.venues.paper.book import Book, QueuePlace, StopQueue
from tests.conformance.bench import INSTRUMENTS, row

LEVELS = st.integers(90, 110).map(Decimal)


@given(
    side=st.sampled_from(Side),
    triggers=st.lists(LEVELS, max_size=20),
    removed=st.sets(st.integers(0, 19)),
    touches=st.lists(LEVELS, max_size=8),
)
def test_a_stop_queue_agrees_with_looking_at_every_stop(
    side: Side, triggers: list[Decimal], removed: set[int], touches: list[Decimal]
) -> None:
    queue = StopQueue(side)
    resting = dict(enumerate(triggers))
    for number, trigger in resting.items():
        queue.add(trigger, QueuePlace(number, str(number)))
    for number in sorted(removed):
        queue.discard(str(number))
        resting.pop(number, None)
    for touch in touches:
        reached = {
            number
            for number, trigger in resting.items()
            if (touch <= trigger if side is Side.SELL else touch >= trigger)
        }
        assert queue.is_reached(touch) == bool(reached)
        assert {place.sequence for place in queue.pop_reached(touch)} == reached
        for number in reached:
            del resting[number]


def test_placing_and_removing_stops_for_ever_does_not_fill_memory() -> None:
    queue = StopQueue(Side.SELL)
    queue.add(Decimal(100), QueuePlace(0, "kept"))
    for number in range(1, 10_000):
        queue.add(Decimal(90), QueuePlace(number, str(number)))
        queue.discard(str(number))
    assert len(queue._heap) < 100
    assert queue.nearest == Decimal(100)


def book() -> Book:
    return Book(INSTRUMENTS["XXX"], ZERO)


def sizes(one: Book) -> list[int]:
    """What a buy and a sell may take."""
    return [int(one.available(side)) for side in (Side.BUY, Side.SELL)]


def test_rule_3_each_row_renews_the_displayed_size_of_both_sides() -> None:
    one = book()
    one.renew(row(1, "100", "101", bid_size=30, ask_size=40))
    one.take(Side.BUY, Decimal(40))
    one.take(Side.SELL, Decimal(10))
    assert sizes(one) == [0, 20]
    one.renew(row(2, "100", "101", bid_size=30, ask_size=40))
    assert sizes(one) == [40, 30]


@pytest.mark.parametrize(
    "invalid",
    [
        row(2, "101", "100"),
        row(2, "0", "100"),
        row(2, "-1", "100"),
        row(2, "NaN", "100"),
        row(2, "100", "Infinity"),
        row(2, "100", "101", bid_size=-1),
        row(2, "100", "101", ask_size="NaN"),
    ],
    ids=["crossed", "one-sided", "negative", "not a number", "infinite", "size < 0", "size NaN"],
)
def test_rule_4_an_invalid_row_offers_nothing_and_wakes_nothing(invalid: Quote) -> None:
    one = book()
    valid = row(1, "100", "101")
    one.renew(valid)
    one.stops(Side.SELL).add(Decimal(200), QueuePlace(1, "S1"))
    one.wait(Side.BUY, QueuePlace(2, "X1"))
    assert not one.renew(invalid)
    assert sizes(one) == [0, 0]
    assert one.quote is valid


def test_a_row_that_reaches_nothing_is_not_worth_acting_on() -> None:
    one = book()
    one.stops(Side.SELL).add(Decimal(99), QueuePlace(1, "S1"))
    one.stops(Side.BUY).add(Decimal(102), QueuePlace(2, "S2"))
    assert not one.renew(row(1, "100", "101"))
    assert one.renew(row(2, "99", "101"))
    assert one.renew(row(3, "100", "102"))


def test_what_waits_stands_in_the_order_of_sending_whatever_made_it_wait() -> None:
    one = book()
    one.stops(Side.SELL).add(Decimal(99), QueuePlace(1, "S1"))
    one.wait(Side.SELL, QueuePlace(2, "X2"))
    one.wait(Side.BUY, QueuePlace(3, "X3"))
    one.stops(Side.SELL).add(Decimal(100), QueuePlace(4, "S4"))
    one.renew(row(1, "99", "101"))
    assert one.trigger() == [QueuePlace(1, "S1"), QueuePlace(4, "S4")]
    order = []
    while (first := one.first_waiting([Side.BUY, Side.SELL])) is not None:
        order.append(first[1].sequence)
        one.drop_first(first[0])
    assert order == [1, 2, 3, 4]
