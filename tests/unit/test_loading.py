"""Loading: books from records are the books that were left (RULES 33)."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from pointsman.domain.events import (
    CashMoved,
    ForeignFill,
    Killed,
    SignalMalformed,
    VenueFill,
    VenueWord,
)
from pointsman.domain.orders import Role
from pointsman.domain.sides import PositionSide, Side
from pointsman.execution.books import Loaded
from pointsman.execution.desk import Desk
from tests.desk_stories import (
    MIDNIGHT_NS,
    VA,
    XXX,
    acknowledge,
    enter,
    policy,
    report,
    send,
    signal,
    stop_out,
    submits,
    tell,
    trade,
)
from tests.order_stories import KeptDesk, dump, fill_of, kept_desk, loaded_again, replace, start

Story = Callable[[KeptDesk], object]
COARSE = policy(instruments={"XXX": replace(XXX, min_qty=Decimal(3))})


def a_part(desk: KeptDesk) -> None:
    """An entry of 10 that has filled 4 and still works."""
    step = send(desk, signal("a"))
    acknowledge(desk, step)
    acknowledge(desk, trade(desk, submits(step)[0].client_order_id, "4", fee="0.1"))


def a_partial_exit(desk: KeptDesk) -> None:
    enter(desk, signal("a"))
    acknowledge(desk, send(desk, signal("x", "sell", "7")))
    trade(desk, "ABCDEF1X1", "2", "101.55", fee="0.01")


def a_residue(desk: KeptDesk) -> None:
    enter(desk, signal("a"))
    acknowledge(desk, send(desk, signal("x", "sell", "8")))
    trade(desk, "ABCDEF1X1", "8", "101")


def an_overfill(desk: KeptDesk) -> None:
    enter(desk, signal("a"))
    enter(desk, signal("b", "buy", va_id="VA002"))
    trade(desk, "ABCDEF1S1", "12", "98")


def a_foreign_fill(desk: KeptDesk) -> None:
    enter(desk, signal("a"))
    enter(desk, signal("b", va_id="VA002"))
    fill = VenueFill("F1", Decimal(5), Decimal(100), Decimal(0), desk.now_ns)
    tell(desk, ForeignFill("XXX", PositionSide.LONG, Side.SELL, fill, "theirs"))


def two_sides(desk: KeptDesk) -> None:
    enter(desk, signal("a"))
    enter(desk, signal("b", "sell", va_id="VA002"))
    enter(desk, signal("c"))


STORIES: list[Story] = [
    lambda _: None,
    lambda desk: send(desk, signal("a")),
    a_part,
    lambda desk: enter(desk, signal("a", stop_loss=Decimal("97.35"), take_profit=Decimal(110))),
    a_partial_exit,
    a_residue,
    an_overfill,
    a_foreign_fill,
    two_sides,
    lambda desk: stop_out(desk, enter(desk, signal("a"), fee="0.25"), "98.00", fee="0.25"),
    lambda desk: (enter(desk, signal("a")), tell(desk, Killed(True, "a person", "test"))),
    lambda desk: tell(desk, CashMoved(VA, Decimal("-50.50"), "ref", MIDNIGHT_NS)),
    lambda desk: tell(desk, SignalMalformed("file", 7, "side", "up", "buy or sell")),
    lambda desk: (enter(desk, signal("a")), report(desk, "ABCDEF1S1", VenueWord.CANCELED)),
]
NAMES = [
    "nothing",
    "an order on its way",
    "a part",
    "a position with levels",
    "a partial exit",
    "a residue",
    "an overfill",
    "a foreign fill",
    "two sides",
    "a closed position",
    "a flatten",
    "money out",
    "a line that was read",
    "a naked position",
]


@pytest.mark.parametrize("story", STORIES, ids=NAMES)
def test_rule_33_the_books_that_are_loaded_are_the_books_that_were_left(story: Story) -> None:
    desk = kept_desk(COARSE, accounts=(VA, "VA002"))
    story(desk)
    assert dump(loaded_again(desk).books) == dump(desk.books)


def test_loading_is_no_change_and_asks_for_nothing() -> None:
    desk = kept_desk()
    enter(desk, signal("a"))
    again = loaded_again(desk)
    assert again.books.take_changes() == ()
    assert again.next_due_ns() is None, "a start sets the wake-ups"
    assert again.now_ns == desk.now_ns


def test_rule_32_a_fill_that_was_booked_before_the_crash_is_not_booked_again() -> None:
    desk = kept_desk()
    step = send(desk, signal("a"))
    acknowledge(desk, step)
    told = fill_of(desk, submits(step)[0].client_order_id, "T1", "4")
    tell(desk, told)
    again = loaded_again(desk)
    start(again)
    tell(again, told)
    assert again.books.positions[1].quantity == 4


def test_positions_come_back_in_the_order_of_their_first_fills() -> None:
    desk = kept_desk()
    (older, newer) = (submits(send(desk, signal(name)))[0] for name in "ab")
    trade(desk, newer.client_order_id, "10")
    trade(desk, older.client_order_id, "10", after_ns=1)
    order = [held.position_id for held in loaded_again(desk).books.open_positions(VA)]
    assert order == [newer.position_id, older.position_id]


def test_ids_go_on_where_they_ended() -> None:
    desk = kept_desk()
    enter(desk, signal("a"))
    again = loaded_again(desk)
    assert again.books.desk.next_number == 2
    assert again.books.orders_of(1, Role.STOP)[0].client_order_id == "ABCDEF1S1"
    assert again.books.positions[1].stops_made == 1


def test_entries_of_the_last_minute_are_counted_in_order_whoever_made_them() -> None:
    desk = kept_desk(accounts=(VA, "VA002"))
    stored = desk.kept.loaded()
    stored.entry_times = (("VA002", 30), (VA, 10), (VA, 20))
    books = Desk.load(policy(), stored, 40).books
    assert list(books.entry_times) == [10, 20, 30]
    assert list(books.index[VA].entry_times) == [10, 20]


def test_a_stored_exposure_that_nothing_explains_is_refused() -> None:
    desk = kept_desk()
    enter(desk, signal("a"))
    stored = desk.kept.loaded()
    stored.accounts = tuple(replace(one, exposure=one.exposure + 1) for one in stored.accounts)
    with pytest.raises(AssertionError, match="VA001"):
        Desk.load(policy(), stored, desk.now_ns)


def test_records_without_a_desk_are_no_database_to_go_on_from() -> None:
    with pytest.raises(AssertionError, match="desk record"):
        Desk.load(policy(), Loaded(), 0)
