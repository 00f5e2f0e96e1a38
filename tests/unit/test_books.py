"""The books: every index and running total in step with the records."""

from collections import deque
from decimal import Decimal

import pytest

from pointsman.domain.accounts import Account, DeskRecord, ExternalHolding
from pointsman.domain.events import Timer, TimerKind, VenueWord
from pointsman.domain.policy import PositionMode
from pointsman.domain.positions import Lot, Position, PositionState
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import PositionSide
from pointsman.execution.books import MINUTE_NS, Books
from pointsman.execution.desk import Desk
from tests.desk_stories import (
    VA,
    account,
    acknowledge,
    enter,
    policy,
    quote,
    ready_desk,
    report,
    send,
    signal,
    stop_out,
    submits,
    trade,
)
from tests.order_stories import replace

LONG, SHORT = PositionSide.LONG, PositionSide.SHORT


def position_of(position_id: int, va_id: str = VA, side: PositionSide = LONG) -> Position:
    """A position of 10 at 100 that came at the instant of its number."""
    price, quantity = Decimal(100), Decimal(10)
    return Position(
        position_id, 0, va_id, "XXX", side, f"ABCDEF{position_id}E1", position_id, price, price,
        quantity=quantity, lots=(Lot(quantity, price),),
    )  # fmt: skip


def books_of(
    *positions: Position, mode: PositionMode = PositionMode.HEDGE, external: str | None = None
) -> Books:
    """Books of two VAs; `external` is what a foreign account holds long."""
    books = Books(policy(position_mode=mode), DeskRecord("ABCDEF"))
    for va_id in (VA, "VA002"):
        books.put_account(Account(va_id, Decimal(1000), 0, cash=Decimal(1000)))
    for position in positions:
        books.put_position(position)
    if external is not None:
        books.put_external(ExternalHolding("XXX", LONG, Decimal(external)))
    return books


# -- nothing stays behind --------------------------------------------------------------------------


def test_what_is_final_leaves_every_index() -> None:
    desk = ready_desk(accounts=(VA,))
    fresh = vars(ready_desk(accounts=(VA,)).books)
    stop_out(desk, enter(desk, signal("a")), "98")
    now = vars(desk.books)
    emptied = (
        "orders",
        "positions",
        "orders_of_position",
        "entries_by_symbol",
        "holders",
        "fill_keys",
        "holding_accounts",
        "naked",
        "overfilled",
        "asked_at_ns",
        "touched_positions",
        "touched_accounts",
        "changes",
    )
    assert {name: now[name] for name in emptied} == {name: fresh[name] for name in emptied}
    index = desk.books.index[VA]
    assert not index.positions | index.holdings
    assert not index.orders | index.entries | index.unknown
    assert (account(desk).exposure, desk.books.total_cash) == (0, account(desk).cash)


def test_cash_of_all_accounts_is_counted_as_it_changes() -> None:
    desk = ready_desk(accounts=(VA, "VA002"))
    enter(desk, signal("a"), fee="0.5")
    enter(desk, signal("b", "sell", "3", va_id="VA002"))
    assert desk.books.total_cash == sum(one.cash for one in desk.books.accounts.values())
    assert desk.books.total_cash == Decimal("200000") - 1000 - Decimal("0.5") + 300


# -- exposure and slots ----------------------------------------------------------------------------


def test_rule_18_exposure_is_what_is_held_and_works_at_the_entry_limit() -> None:
    """The limit of 100.06 counts, whatever the fills cost."""
    desk = ready_desk()
    step = send(desk, signal("a"))
    acknowledge(desk, step)
    (entry,) = submits(step)
    seen = [account(desk).exposure]
    trade(desk, entry.client_order_id, "4", "99")
    seen.append(account(desk).exposure)
    report(desk, entry.client_order_id, VenueWord.CANCELED)
    seen.append(account(desk).exposure)
    stop_out(desk, desk.books.positions[1], "98")
    seen.append(account(desk).exposure)
    assert entry.limit_price is not None
    assert seen == [entry.limit_price * n for n in (10, 10, 4, 0)]


def test_rule_11_an_entry_and_the_position_it_fills_are_one_slot() -> None:
    desk = ready_desk()
    used = [desk.books.slots_used(VA)]
    step = send(desk, signal("a"))
    used.append(desk.books.slots_used(VA))
    trade(desk, submits(step)[0].client_order_id, "4")
    used.append(desk.books.slots_used(VA))
    send(desk, signal("b"))
    used.append(desk.books.slots_used(VA))
    assert used == [0, 1, 1, 2]


# -- who holds -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("books", "is_only"),
    [
        (books_of(position_of(1)), True),
        (books_of(position_of(1), position_of(2)), True),
        (books_of(position_of(1), position_of(2, "VA002")), False),
        (books_of(position_of(1), position_of(2, "VA002", SHORT)), True),
        (books_of(position_of(1), external="5"), False),
        (books_of(position_of(1), external="0"), True),
        (books_of(position_of(1, side=SHORT), external="5"), True),
        (books_of(position_of(1, side=SHORT), external="5", mode=PositionMode.NET), False),
    ],
    ids=[
        "alone",
        "two of one VA",
        "another VA",
        "another VA, the other side",
        "a foreign holding",
        "nothing foreign left",
        "a foreign holding on the other side",
        "the same where the account nets",
    ],
)
def test_rule_21_who_is_the_only_holder(books: Books, is_only: bool) -> None:
    assert books.is_only_holder(books.positions[1]) is is_only


def test_rule_21_who_works_an_entry_counts_as_a_holder_until_it_ends() -> None:
    desk = ready_desk(accounts=(VA, "VA002"))
    position = enter(desk, signal("a"))
    (entry,) = submits(send(desk, signal("b", va_id="VA002")))
    assert not desk.books.is_only_holder(position)
    report(desk, entry.client_order_id, VenueWord.CANCELED)
    assert desk.books.is_only_holder(position)


def test_positions_stand_in_the_order_of_first_fills_and_newest_first_over_all() -> None:
    third = replace(position_of(3), state=PositionState.DUST)
    books = books_of(third, position_of(1), position_of(2, "VA002"), position_of(4))
    assert [held.position_id for held in books.open_positions(VA)] == [1, 4]
    books.put_position(replace(third, state=PositionState.OPEN))
    assert [held.position_id for held in books.open_positions(VA)] == [1, 4, 3], "alive again"
    assert [held.position_id for held in books.positions_on("XXX", LONG)] == [4, 3, 2, 1]


# -- equity ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("books", "equity"),
    [
        (books_of(), "1000"),
        (books_of(position_of(1)), "1999"),
        (books_of(position_of(1, side=SHORT)), "-2"),
        (books_of(position_of(1), position_of(2, side=SHORT)), "1000"),
    ],
    ids=["flat", "long at the bid", "short at the ask", "one net quantity"],
)
def test_rule_17_equity_is_cash_and_holdings_at_the_touch_they_would_close_against(
    books: Books, equity: str
) -> None:
    assert books.equity(VA, quote(0, "99.9", "100.2")) == Decimal(equity)


def test_rule_17_without_a_mark_only_a_residue_of_another_symbol_has_a_value() -> None:
    books = books_of(position_of(1))
    assert books.equity(VA, None) == 2000, "not leased: a residue, at cost"
    books.put_account(replace(books.accounts[VA], leased_symbol="XXX"))
    assert books.equity(VA, None) is None
    assert books.equity(VA, quote(0, symbol="YYY")) is None


# -- time, and what changed ------------------------------------------------------------------------


def test_a_minute_ends_sixty_seconds_after_an_entry_exactly() -> None:
    books, times = books_of(), deque([0, 1])
    counts = [books.entries_within_minute(times, now) for now in (1, MINUTE_NS - 1, MINUTE_NS)]
    assert counts == [2, 2, 1]
    assert list(times) == [1]


def test_wake_ups_come_in_the_order_in_which_they_are_due() -> None:
    books = books_of()
    for due_ns in (30, 10, 20):
        books.wake(Timer(due_ns, TimerKind.EXIT_RETRY, "1", 0))
    assert [books.pop_timer().due_ns for _ in range(3)] == [10, 20, 30]
    assert books.next_timer() is None


def test_a_record_that_changed_twice_is_a_change_once_as_it_is_now() -> None:
    books = books_of()
    books.take_changes()
    for cash in (1, 2):
        books.put_account(replace(books.accounts[VA], cash=Decimal(cash)))
    assert books.take_changes() == (replace(books.accounts[VA], cash=Decimal(2)),)
    assert books.take_changes() == ()


def test_incidents_are_numbered_and_never_overwrite_each_other() -> None:
    desk = Desk(policy(), "ABCDEF")
    for _ in range(2):
        desk.books.incident(7, Reason.MISMATCH, symbol="XXX")
    told = [one.incident_id for one in desk.books.take_changes() if hasattr(one, "incident_id")]
    assert told == ["I1", "I2"]
    assert desk.books.desk.next_incident == 3
