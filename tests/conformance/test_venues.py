"""What the engine relies on from any venue, said in terms of the seam alone.

Every adapter runs this suite: give it a line in `VENUES` that opens its account for the given
folder, an empty one at first and the same one when called again.
"""

from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from pointsman.domain.commands import Cancel, Compare, MoveCash, Query, Submit
from pointsman.domain.events import CancelRefused, CashConfirmed, OrderAbsent, OrderReport
from pointsman.domain.life_cycle import OrderStatus
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import PositionSide
from pointsman.domain.venue_reports import OrderFound, Snapshot, VenueHolding
from tests.conformance.bench import (
    LONG,
    SHORT,
    Bench,
    MatchingVenue,
    entry,
    market_exit,
    open_paper,
    row,
    stop,
    trades,
    words,
)

VENUES: dict[str, Callable[[Path], MatchingVenue]] = {
    "paper": lambda folder: open_paper(folder / "paper.db"),
}


@pytest.fixture(params=VENUES)
def open_venue(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], MatchingVenue]:
    return lambda: VENUES[request.param](tmp_path)


@pytest.fixture
def bench(open_venue: Callable[[], MatchingVenue]) -> Iterator[Bench]:
    bench = Bench(open_venue())
    yield bench
    bench.venue.close()


def compare(bench: Bench, cursor: str = "") -> Snapshot:
    (snapshot,) = bench.ask(Compare(cursor))
    assert isinstance(snapshot, Snapshot)
    assert snapshot.is_complete
    return snapshot


def find(bench: Bench, client_order_id: str) -> OrderFound:
    (found,) = bench.ask(Query(client_order_id, "XXX"))
    assert isinstance(found, OrderFound)
    return found


def test_an_empty_account_knows_nothing(bench: Bench) -> None:
    assert bench.venue.next_due_ns() is None
    snapshot = compare(bench)
    assert (snapshot.open_orders, snapshot.trades, snapshot.holdings) == ((), (), ())


def test_nothing_is_answered_before_it_is_due(bench: Bench) -> None:
    bench.quote(row(1000, "100.00", "100.02"))
    bench.venue.send(Submit(entry("E1", LONG, 10, "100.02")), 1000)
    due_ns = bench.venue.next_due_ns()
    assert due_ns is not None
    assert bench.venue.receive(due_ns - 1) == []
    assert words(bench.venue.receive(due_ns)) == ["ACCEPTED", "TRADE 10"]


def test_every_report_names_the_order_its_venue_id_and_a_time_that_has_come(bench: Bench) -> None:
    bench.quote(row(1000, "100.00", "100.02", ask_size=40))
    replies = bench.submit(entry("E1", LONG, 100, "100.02"))
    assert words(replies) == ["ACCEPTED", "TRADE 40", "CANCELED NOT_FILLED"]
    reports = [reply for reply in replies if isinstance(reply, OrderReport)]
    assert {report.client_order_id for report in reports} == {"E1"}
    (venue_order_id,) = {report.venue_order_id for report in reports}
    assert venue_order_id
    assert all(1000 <= report.ts_ns <= bench.now_ns for report in reports)


@pytest.mark.parametrize(
    ("position_side", "limit", "price"),
    [(LONG, "100.05", "100.02"), (SHORT, "99.95", "100.00")],
)
def test_an_entry_fills_at_the_touch_when_its_limit_allows(
    bench: Bench, position_side: PositionSide, limit: str, price: str
) -> None:
    bench.quote(row(1000, "100.00", "100.02"))
    (trade,) = trades(bench.submit(entry("E1", position_side, 10, limit)))
    assert trade.fill is not None
    assert (trade.fill.price, trade.fill.cumulative) == (Decimal(price), Decimal(10))
    assert compare(bench).holdings[0].quantity == 10 * position_side.sign


@pytest.mark.parametrize(("position_side", "limit"), [(LONG, "100.01"), (SHORT, "100.01")])
def test_an_entry_that_its_limit_forbids_ends_at_once_and_trades_nothing(
    bench: Bench, position_side: PositionSide, limit: str
) -> None:
    bench.quote(row(1000, "100.00", "100.02"))
    told = words(bench.submit(entry("E1", position_side, 10, limit)))
    assert told == ["ACCEPTED", "CANCELED NOT_FILLED"]
    snapshot = compare(bench)
    assert (snapshot.open_orders, snapshot.trades, snapshot.holdings) == ((), (), ())


def test_a_stop_rests_until_the_market_reaches_it_and_then_closes_the_holding(bench: Bench) -> None:
    bench.hold(LONG, 10, ts_ns=1000)
    assert words(bench.submit(stop("S1", LONG, 10, "99.00"))) == ["ACCEPTED"]
    (resting,) = compare(bench).open_orders
    assert (resting.client_order_id, resting.status) == ("S1", OrderStatus.ACCEPTED)
    assert (resting.trigger_price, resting.reduce_only) == (Decimal("99.00"), True)
    assert bench.quote(row(2000, "99.01", "99.05")) == []
    told = bench.quote(row(3000, "98.90", "99.05"))
    assert words(told) == ["TRIGGERED", "TRADE 10"]
    snapshot = compare(bench)
    assert (snapshot.open_orders, snapshot.holdings) == ((), ())


def test_a_stop_on_the_wrong_side_of_the_market_is_rejected(bench: Bench) -> None:
    bench.hold(LONG, 10, ts_ns=1000)
    assert words(bench.submit(stop("S1", LONG, 10, "100.00"))) == ["REJECTED WOULD_TRIGGER"]
    assert compare(bench).open_orders == ()


def test_a_reduce_only_order_with_nothing_to_reduce_is_rejected(bench: Bench) -> None:
    bench.quote(row(1000, "100.00", "100.02"))
    assert words(bench.submit(market_exit("X1", LONG, 10))) == ["REJECTED REDUCE_ONLY"]
    assert words(bench.submit(stop("S1", SHORT, 10, "101.00"))) == ["REJECTED REDUCE_ONLY"]


def test_a_market_exit_goes_on_filling_on_the_next_rows(bench: Bench) -> None:
    bench.hold(LONG, 100, ts_ns=1000)
    bench.quote(row(2000, "100.00", "100.02", bid_size=30))
    assert words(bench.submit(market_exit("X1", LONG, 100))) == ["ACCEPTED", "TRADE 30"]
    assert words(bench.quote(row(3000, "99.50", "99.60", bid_size=30))) == ["TRADE 30"]
    assert words(bench.quote(row(4000, "99.00", "99.10", bid_size=40))) == ["TRADE 40"]
    assert compare(bench).holdings == ()


def test_a_working_order_is_cancelled_once_and_what_does_not_work_cannot_be(bench: Bench) -> None:
    bench.hold(LONG, 10, ts_ns=1000)
    bench.submit(stop("S1", LONG, 10, "99.00"))
    told = bench.ask(Cancel("S1", "XXX"), Cancel("S1", "XXX"), Cancel("NOBODY", "XXX"))
    assert words(told[:1]) == ["CANCELED"]
    for refused in told[1:]:
        assert isinstance(refused, CancelRefused)
        assert refused.reason is Reason.NOT_FOUND
    assert bench.quote(row(2000, "98.00", "98.10")) == []


def test_a_query_finds_an_order_with_its_fills_whether_it_works_or_has_ended(bench: Bench) -> None:
    bench.hold(LONG, 100, ts_ns=1000)
    bench.quote(row(2000, "100.00", "100.02", bid_size=30))
    bench.submit(market_exit("X1", LONG, 100))
    working = find(bench, "X1")
    assert working.order.status is OrderStatus.PARTIALLY_FILLED
    assert [fill.quantity for fill in working.fills] == [Decimal(30)]
    bench.quote(row(3000, "100.00", "100.02", bid_size=70))
    ended = find(bench, "X1")
    assert (ended.order.status, ended.order.filled) == (OrderStatus.FILLED, Decimal(100))
    assert [fill.cumulative for fill in ended.fills] == [Decimal(30), Decimal(100)]
    assert ended.order.venue_order_id == working.order.venue_order_id


def test_rule_26_absent_is_said_as_of_the_moment_the_venue_looked(bench: Bench) -> None:
    asked_ns = bench.now_ns = 5000
    (absent,) = bench.ask(Query("NOBODY", "XXX"))
    assert isinstance(absent, OrderAbsent)
    assert asked_ns <= absent.asked_at_ns <= bench.now_ns


def test_a_client_id_is_never_two_orders(bench: Bench) -> None:
    bench.quote(row(1000, "100.00", "100.02"))
    first = entry("E1", LONG, 10, "100.02")
    assert words(bench.submit(first, first)) == ["ACCEPTED", "TRADE 10"]
    assert not any(isinstance(reply, OrderReport) for reply in bench.submit(first))
    assert [trade.fill.quantity for trade in compare(bench).trades] == [Decimal(10)]


def test_executions_are_told_once_by_cursor_and_add_up_to_the_holdings(bench: Bench) -> None:
    bench.hold(LONG, 100, ts_ns=1000)
    first = compare(bench)
    bench.submit(market_exit("X1", LONG, 30))
    second = compare(bench, first.fills_cursor)
    assert [trade.client_order_id for trade in second.trades] == ["X1"]
    assert compare(bench, second.fills_cursor).trades == ()
    everything = compare(bench).trades
    assert everything == first.trades + second.trades
    assert len({trade.fill.trade_id for trade in everything}) == len(everything)
    total = sum(trade.side.sign * trade.fill.quantity for trade in everything)
    assert second.holdings == (VenueHolding("XXX", LONG, Decimal(total)),)


def test_a_snapshot_says_when_it_was_asked_for_and_when_it_was_taken(bench: Bench) -> None:
    asked_ns = bench.now_ns = 5000
    snapshot = compare(bench)
    assert snapshot.asked_at_ns == asked_ns
    assert asked_ns <= snapshot.taken_at_ns <= bench.now_ns


def test_rule_14_money_moves_once_for_each_reference(bench: Bench) -> None:
    move = MoveCash("deposit-1", Decimal("1000.50"))
    assert bench.ask(move, move) == [CashConfirmed("deposit-1"), CashConfirmed("deposit-1")]


def test_the_same_account_is_found_again_after_it_was_closed(
    open_venue: Callable[[], MatchingVenue],
) -> None:
    before = Bench(open_venue())
    before.hold(LONG, 100, ts_ns=1000)
    before.submit(stop("S1", LONG, 100, "99.00"))
    known = compare(before)
    until_ns = before.venue.known_until_ns()
    before.venue.close()
    after = Bench(open_venue())
    assert after.venue.known_until_ns() == until_ns
    found = compare(after)
    assert (found.open_orders, found.trades, found.holdings, found.fills_cursor) == (
        known.open_orders,
        known.trades,
        known.holdings,
        known.fills_cursor,
    )
    assert words(after.quote(row(9000, "98.00", "98.10"))) == ["TRIGGERED", "TRADE 100"]
    after.venue.close()
