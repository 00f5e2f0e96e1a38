"""Deciding again: what is real, what is modelled, and what is left out."""

from decimal import Decimal

import pytest

from pointsman.domain.events import OrderSent, SignalReceived
from pointsman.looking_back.again import Again, CannotDecide, quotes_of
from pointsman.looking_back.changes import Period
from pointsman.storage.journal import Turn
from tests import desk_stories as told
from tests.looked_back import changes


def turn(event: OrderSent | None) -> Turn:
    return Turn(sequence=3, time_ns=1, kind="OrderSent", event=event, changes=())


@pytest.mark.parametrize(
    ("event", "words"), [(None, "another version"), (OrderSent("X"), "does not begin with a start")]
)
def test_what_cannot_be_decided_is_named(event: OrderSent | None, words: str) -> None:
    again = Again(changes(), Period(), Decimal(1))
    with pytest.raises(CannotDecide, match=words):
        again.take(turn(event))


def test_the_quotes_of_an_event_come_older_ones_first() -> None:
    old, new = told.quote(1), told.quote(2)
    event = SignalReceived(told.signal("in"), new, old, None, 0)
    assert list(quotes_of(event)) == [old, new]
    assert list(quotes_of(OrderSent("X"))) == []
