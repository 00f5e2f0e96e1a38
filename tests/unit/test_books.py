"""The books: indexes and running totals stay in step with the records."""

from decimal import Decimal

from pointsman.domain.events import CashMoved, Compared, ReportWord
from pointsman.domain.orders import Order, Role
from pointsman.domain.positions import PositionState
from pointsman.domain.sides import PositionSide
from pointsman.execution.books import MINUTE_NS, Books
from tests.desk_stories import (
    MIDNIGHT_NS,
    START_NS,
    VA,
    account,
    acknowledge,
    enter,
    quote,
    report,
    send,
    signal,
    stop_out,
    tell,
    trade,
)
from tests.order_stories import kept_desk

LONG = PositionSide.LONG
ENTRY, STOP = "ABCDEF1E1", "ABCDEF1S1"


def indexes(books: Books) -> tuple[object, ...]:
    index = books.index[VA]
    return (
        *(books.orders, books.orders_of_position, books.entries_by_symbol, books.holders),
        *(books.fill_keys, books.this_run.asked_at_ns, books.naked, books.holding_accounts),
        *(index.orders, index.entries, index.unknown, index.positions, index.holdings),
    )


def test_nothing_is_left_in_any_index_when_all_is_over() -> None:
    desk = kept_desk()
    empty = indexes(desk.books)
    position = enter(desk, signal("a"))
    tell(desk, Compared(True, desk.now_ns, 0, "", (STOP,)))
    assert desk.books.this_run.asked_at_ns == {STOP: desk.now_ns}
    stop_out(desk, position, "98")
    assert indexes(desk.books) == empty
    assert all(not part for part in empty)


def test_rule_18_exposure_follows_the_entry_from_what_works_to_what_is_held() -> None:
    """At the entry's limit price (100.06): what is cancelled, closed or dust no longer counts."""
    desk = kept_desk()
    limit = Decimal("100.06")
    acknowledge(desk, send(desk, signal("a", quantity="50")))
    assert account(desk).exposure == 50 * limit
    acknowledge(desk, trade(desk, ENTRY, "20", "100"))
    assert account(desk).exposure == 50 * limit
    report(desk, ENTRY, ReportWord.CANCELED)
    assert account(desk).exposure == 20 * limit
    trade(desk, STOP, "5", "98")
    assert account(desk).exposure == 15 * limit
    trade(desk, STOP, "15", "98")
    assert account(desk).exposure == 0


def test_an_order_recalled_as_final_touches_no_index() -> None:
    """RULES 32: it is told once more, booked, and forgotten again."""
    desk = kept_desk()
    acknowledge(desk, send(desk, signal("a")))
    trade(desk, ENTRY, "4")
    report(desk, ENTRY, ReportWord.CANCELED)
    before = (dict(desk.books.index[VA].entries), dict(desk.books.entries_by_symbol))
    report(desk, ENTRY, ReportWord.CANCELED)
    report(desk, ENTRY, ReportWord.EXPIRED)
    assert (desk.books.index[VA].entries, desk.books.entries_by_symbol) == before
    assert ENTRY not in desk.books.orders
    assert desk.books.reopened == {}


def test_who_holds_is_counted_once_a_position_and_once_a_working_entry() -> None:
    desk = kept_desk(accounts=("VA001", "VA002"))
    acknowledge(desk, send(desk, signal("a")))
    assert desk.books.holders == {("XXX", LONG): {VA: 1}}
    trade(desk, ENTRY, "4")
    assert desk.books.holders == {("XXX", LONG): {VA: 2}}
    report(desk, ENTRY, ReportWord.CANCELED)
    send(desk, signal("b", va_id="VA002"))
    assert desk.books.holders == {("XXX", LONG): {VA: 1, "VA002": 1}}
    report(desk, "ABCDEF2E1", ReportWord.REJECTED)
    assert desk.books.holders == {("XXX", LONG): {VA: 1}}


def test_i11_an_entry_in_flight_holds_a_slot_until_it_is_a_position_or_nothing() -> None:
    desk = kept_desk()
    acknowledge(desk, send(desk, signal("a")))
    assert desk.books.slots_used(VA) == 1
    trade(desk, ENTRY, "4")
    assert desk.books.slots_used(VA) == 1
    send(desk, signal("b"))
    assert desk.books.slots_used(VA) == 2
    report(desk, "ABCDEF2E1", ReportWord.REJECTED)
    assert desk.books.slots_used(VA) == 1


def test_the_newest_positions_on_a_symbol_come_first_over_all_accounts() -> None:
    desk = kept_desk(accounts=("VA001", "VA002"))
    for number, va_id in enumerate(("VA001", "VA002", "VA001")):
        enter(desk, signal(f"s{number}", va_id=va_id))
    found = desk.books.positions_on("XXX", LONG)
    assert [position.position_id for position in found] == [3, 2, 1]
    assert desk.books.positions_on("XXX", PositionSide.SHORT) == []


def test_equity_is_cash_and_holdings_at_the_touch_they_would_close_against() -> None:
    """RULES 17; None, not a guess, where what is held has no mark."""
    desk = kept_desk()
    enter(desk, signal("a"))
    mark = quote(desk.now_ns, "99", "101")
    assert desk.books.equity(VA, mark) == 100_000 - 10
    assert desk.books.equity(VA, None) is None
    assert desk.books.equity(VA, quote(desk.now_ns, symbol="YYY")) is None


def test_the_sum_of_all_cash_is_kept() -> None:
    desk = kept_desk(accounts=("VA001", "VA002"))
    enter(desk, signal("a"))
    tell(desk, CashMoved("VA002", Decimal(7), "ref", MIDNIGHT_NS))
    assert desk.books.total_cash == account(desk).cash + account(desk, "VA002").cash == 199_007


def test_entries_within_a_minute_are_those_of_the_last_sixty_seconds() -> None:
    desk = kept_desk()
    times = desk.books.entry_times
    times.extend([START_NS, START_NS + 1, START_NS + MINUTE_NS])
    assert desk.books.entries_within_minute(times, START_NS + MINUTE_NS) == 2
    assert list(times) == [START_NS + 1, START_NS + MINUTE_NS]


def test_orders_of_a_position_come_oldest_first() -> None:
    desk = kept_desk()
    acknowledge(desk, send(desk, signal("a")))
    for quantity in ("4", "6"):
        trade(desk, ENTRY, quantity)
    stops: list[Order] = desk.books.orders_of(1, Role.STOP)
    assert [stop.quantity for stop in stops] == [4, 6]
    assert desk.books.positions[1].state is PositionState.OPEN
