"""Loading: books from records, or no start at all."""

from decimal import Decimal

import pytest

from pointsman.domain.sides import PositionSide
from pointsman.execution.desk import Desk
from tests.desk_stories import (
    VA,
    acknowledge,
    enter,
    send,
    signal,
    trade,
)
from tests.order_stories import KeptDesk, kept_desk, loaded_again, replace

LONG = PositionSide.LONG
ENTRY, STOP = "ABCDEF1E1", "ABCDEF1S1"


def reloaded_with(desk: KeptDesk, **changes: object) -> None:
    (va,) = desk.kept.loaded().accounts
    desk.kept.fold((replace(va, **changes),))
    loaded_again(desk)


def test_a_stored_exposure_that_does_not_follow_from_the_records_stops_the_start() -> None:
    desk = kept_desk()
    enter(desk, signal("a"))
    with pytest.raises(AssertionError, match="VA001"):
        reloaded_with(desk, exposure=Decimal(1))


def test_first_in_first_out_survives_a_start() -> None:
    """The order of first fills, not of entries; one that comes alive again stands last."""
    desk = kept_desk()
    for name in ("a", "b"):
        acknowledge(desk, send(desk, signal(name)))
    trade(desk, "ABCDEF2E1", "10", after_ns=1)
    trade(desk, ENTRY, "10", after_ns=1)
    order = [2, 1]
    assert [held.position_id for held in desk.books.open_positions(VA)] == order
    again = loaded_again(desk).books
    assert [held.position_id for held in again.open_positions(VA)] == order


def test_i12_a_start_remembers_the_entries_of_the_last_minute() -> None:
    desk = kept_desk()
    enter(desk, signal("a"))
    [at_ns] = desk.books.index[VA].entry_times
    loaded = replace(desk.kept.loaded(), entry_times=((VA, at_ns),))
    again = Desk.load(desk.books.policy, loaded, desk.now_ns).books
    assert list(again.index[VA].entry_times) == list(again.entry_times) == [at_ns]
