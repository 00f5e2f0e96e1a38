"""The paper venue, rule by rule. What it shares with every venue is in tests/conformance."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from pointsman.domain.commands import Cancel, Compare, MoveCash, Query, Submit
from pointsman.domain.events import CashConfirmed, OrderReport
from pointsman.domain.life_cycle import OrderStatus
from pointsman.domain.market import Quote
from pointsman.domain.orders import Order
from pointsman.domain.sides import PositionSide
from pointsman.domain.venue_reports import OrderFound, Snapshot, VenueHolding
from pointsman.venues.paper.ledger import read_ledger
from pointsman.venues.paper.venue import REQUESTS_UNDER_WAY_MAX, PaperVenue
from tests.conformance.bench import (
    LONG,
    SHORT,
    Bench,
    entry,
    market_exit,
    open_paper,
    row,
    snapshot,
    stop,
    trades,
    words,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "paper.db"


@pytest.fixture
def bench(path: Path) -> Iterator[Bench]:
    bench = Bench(open_paper(path))
    yield bench
    bench.venue.close()


# --- time ---------------------------------------------------------------------------------------


def test_rule_2_a_request_arrives_after_the_latency_and_is_answered_then(path: Path) -> None:
    venue = open_paper(path, latency_ns=20)
    venue.on_quote(row(100, "100.00", "100.02"))
    venue.send(Submit(entry("E1", LONG, 10, "101.00")), 100)
    venue.send(Submit(entry("E2", LONG, 10, "101.00")), 105)
    assert venue.next_due_ns() == 120
    assert venue.receive(119) == []
    assert [reply.ts_ns for reply in venue.receive(120) if isinstance(reply, OrderReport)] == [
        120
    ] * 2
    assert venue.next_due_ns() == 125
    assert words(venue.receive(200), "E2") == ["ACCEPTED", "TRADE 10"]
    assert venue.next_due_ns() is None
    venue.close()


def test_without_latency_a_request_is_answered_at_the_instant_it_is_sent(path: Path) -> None:
    venue = open_paper(path, latency_ns=0)
    venue.on_quote(row(100, "100.00", "100.02"))
    venue.send(Submit(entry("E1", LONG, 10, "101.00")), 100)
    assert venue.next_due_ns() == 100
    assert words(venue.receive(100)) == ["ACCEPTED", "TRADE 10"]
    venue.close()


@pytest.mark.parametrize(
    ("row_ts_ns", "price"),
    [(119, "90.02"), (120, "90.02"), (121, "100.02")],
    ids=["before it arrives", "at the instant it arrives", "after it arrived"],
)
def test_rule_2_at_one_instant_rows_come_before_arrivals(
    path: Path, row_ts_ns: int, price: str
) -> None:
    venue = open_paper(path, latency_ns=20)
    venue.on_quote(row(100, "100.00", "100.02"))
    venue.send(Submit(entry("E1", LONG, 10, "101.00")), 100)
    venue.on_quote(row(row_ts_ns, "90.00", "90.02"))
    (trade,) = trades(venue.receive(200))
    assert trade.fill is not None
    assert (trade.fill.price, trade.ts_ns) == (Decimal(price), 120)
    venue.close()


def test_rule_2_what_arrives_at_the_instant_of_a_row_acts_after_it_and_what_came_before_does_not(
    path: Path,
) -> None:
    venue = open_paper(path, latency_ns=20)
    venue.on_quote(row(90, "100.00", "100.02"))
    venue.send(Submit(entry("E1", LONG, 10, "101.00")), 99)
    venue.send(Submit(entry("E2", LONG, 10, "101.00")), 100)
    venue.on_quote(row(120, "90.00", "90.02"))
    filled = [
        (trade.client_order_id, trade.fill.price)
        for trade in trades(venue.receive(120))
        if trade.fill
    ]
    assert filled == [("E1", Decimal("100.02")), ("E2", Decimal("90.02"))]
    venue.close()


def test_a_question_sees_what_happened_in_the_same_breath(bench: Bench) -> None:
    bench.quote(row(1000, "100.00", "100.02"))
    told = bench.ask(
        Submit(entry("E1", LONG, 10, "101.00")),
        Submit(entry("E2", LONG, 20, "101.00")),
        Query("E1", "XXX"),
        Compare("1"),
    )
    found, taken = told[-2:]
    assert isinstance(found, OrderFound)
    assert [fill.quantity for fill in found.fills] == [Decimal(10)]
    assert isinstance(taken, Snapshot)
    assert [trade.client_order_id for trade in taken.trades] == ["E2"]


def test_a_cancel_sent_after_its_order_finds_it(bench: Bench) -> None:
    bench.hold(LONG, 10, ts_ns=1000)
    told = bench.ask(Submit(stop("S1", LONG, 10, "99.00")), Cancel("S1", "XXX"))
    assert words(told) == ["ACCEPTED", "CANCELED"]


def test_requests_under_way_are_limited_and_none_is_dropped(path: Path) -> None:
    venue = open_paper(path)
    for _ in range(REQUESTS_UNDER_WAY_MAX):
        venue.send(Query("NOBODY", "XXX"), 100)
    with pytest.raises(OverflowError, match="receive first"):
        venue.send(Query("NOBODY", "XXX"), 100)
    assert len(venue.receive(200)) == REQUESTS_UNDER_WAY_MAX
    venue.close()


# --- displayed size -----------------------------------------------------------------------------


def test_rule_3_two_orders_on_one_row_share_its_size_per_side(bench: Bench) -> None:
    bench.hold(SHORT, 100, ts_ns=1000)
    bench.quote(row(2000, "100.00", "100.02", bid_size=50, ask_size=50))
    told = bench.submit(
        entry("E1", LONG, 30, "101.00"),
        market_exit("X1", SHORT, 100),
        entry("E2", SHORT, 30, "99.00"),
    )
    assert words(told, "E1") == ["ACCEPTED", "TRADE 30"]
    assert words(told, "X1") == ["ACCEPTED", "TRADE 20"]
    assert words(told, "E2") == ["ACCEPTED", "TRADE 30"]


def test_rule_3_an_unchanged_row_renews_the_size(bench: Bench) -> None:
    for ts_ns in (1000, 2000):
        bench.quote(row(ts_ns, "100.00", "100.02", ask_size=10))
        told = words(bench.submit(entry(f"E{ts_ns}", LONG, 15, "100.02")))
        assert told == ["ACCEPTED", "TRADE 10", "CANCELED NOT_FILLED"]


def test_rule_3_each_of_several_rows_of_one_instant_counts(bench: Bench) -> None:
    bench.hold(LONG, 100, ts_ns=1000)
    bench.submit(stop("S1", LONG, 100, "99.00"))
    told = bench.quote(
        row(2000, "99.00", "99.10", bid_size=30),
        row(2000, "100.00", "100.10", bid_size=20),
        row(2000, "101.00", "101.10", bid_size=500),
    )
    assert words(told) == ["TRIGGERED", "TRADE 30", "TRADE 20", "TRADE 50"]
    prices = [trade.fill.price for trade in trades(told) if trade.fill]
    assert prices == [Decimal("99.00"), Decimal("100.00"), Decimal("101.00")]


def test_rows_of_one_symbol_leave_the_orders_of_another_alone(bench: Bench) -> None:
    bench.hold(LONG, 10, ts_ns=1000)
    bench.submit(stop("S1", LONG, 10, "99.00"))
    assert bench.quote(row(2000, "1.0", "1.1", symbol="BTC/USDT")) == []


# --- stops --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("position_side", "trigger", "bid", "ask", "triggers"),
    [
        (LONG, "99.00", "99.01", "99.02", False),
        (LONG, "99.00", "99.00", "99.90", True),
        (LONG, "99.00", "95.00", "99.90", True),
        (SHORT, "101.00", "100.98", "100.99", False),
        (SHORT, "101.00", "100.10", "101.00", True),
        (SHORT, "101.00", "100.10", "105.00", True),
    ],
)
def test_a_stop_triggers_when_its_own_touch_is_at_or_through(
    bench: Bench, position_side: PositionSide, trigger: str, bid: str, ask: str, triggers: bool
) -> None:
    bench.hold(position_side, 10, ts_ns=1000)
    bench.submit(stop("S1", position_side, 10, trigger))
    told = bench.quote(row(2000, bid, ask))
    assert words(told) == (["TRIGGERED", "TRADE 10"] if triggers else [])
    if triggers:
        (trade,) = trades(told)
        assert trade.fill is not None
        assert trade.fill.price == Decimal(bid if position_side is LONG else ask)


def test_rule_3_stops_and_remains_act_on_one_row_in_the_order_of_sending(bench: Bench) -> None:
    bench.hold(LONG, 100, ts_ns=1000)
    bench.submit(stop("S1", LONG, 20, "98.00"), stop("S2", LONG, 20, "99.00"))
    bench.quote(row(2000, "99.50", "99.60", bid_size=0))
    bench.submit(market_exit("X3", LONG, 20))
    bench.submit(stop("S4", LONG, 20, "99.20"))
    told = bench.quote(row(3000, "97.00", "97.10", bid_size=50))
    filled = [
        (trade.client_order_id, int(trade.fill.quantity)) for trade in trades(told) if trade.fill
    ]
    assert filled == [("S1", 20), ("S2", 20), ("X3", 10)]
    assert words(told, "S4") == ["TRIGGERED"]
    told = bench.quote(row(4000, "97.00", "97.10", bid_size=50))
    filled = [
        (trade.client_order_id, int(trade.fill.quantity)) for trade in trades(told) if trade.fill
    ]
    assert filled == [("X3", 10), ("S4", 20)]


def test_a_side_without_size_does_not_hold_up_the_other(bench: Bench) -> None:
    bench.hold(LONG, 100, ts_ns=1000)
    bench.hold(SHORT, 100, ts_ns=2000)
    bench.quote(row(3000, "100.00", "99.00"))
    bench.submit(market_exit("X1", LONG, 10), market_exit("X2", SHORT, 10))
    told = bench.quote(row(4000, "100.00", "100.02", bid_size=0, ask_size=10))
    assert words(told) == ["TRADE 10"]
    assert words(told, "X2") == ["TRADE 10"]


def test_a_triggered_stop_stays_a_market_order_after_a_restart(path: Path) -> None:
    before = Bench(open_paper(path))
    before.hold(LONG, 100, ts_ns=1000)
    before.submit(stop("S1", LONG, 100, "99.00"))
    before.quote(row(2000, "99.00", "99.10", bid_size=0))
    before.venue.close()
    bench = Bench(open_paper(path))
    assert words(bench.quote(row(3000, "105.00", "105.10"))) == ["TRADE 100"]
    bench.venue.close()


def test_a_triggered_stop_stays_a_market_order_when_the_price_comes_back(bench: Bench) -> None:
    bench.hold(LONG, 100, ts_ns=1000)
    bench.submit(stop("S1", LONG, 100, "99.00"))
    assert words(bench.quote(row(2000, "99.00", "99.10", bid_size=0))) == ["TRIGGERED"]
    (resting,) = snapshot(bench).open_orders
    assert (resting.is_triggered, resting.status) == (True, OrderStatus.ACCEPTED)
    assert words(bench.quote(row(3000, "105.00", "105.10"))) == ["TRADE 100"]


def test_rule_4_an_invalid_row_triggers_and_fills_nothing(bench: Bench) -> None:
    bench.hold(LONG, 100, ts_ns=1000)
    bench.submit(stop("S1", LONG, 60, "99.00"))
    assert bench.quote(row(2000, "98.00", "97.00")) == []
    told = bench.submit(entry("E1", LONG, 10, "200.00"), market_exit("X1", LONG, 40))
    assert words(told, "E1") == ["ACCEPTED", "CANCELED NOT_FILLED"]
    assert words(told, "X1") == ["ACCEPTED"]
    assert words(bench.quote(row(3000, "100.00", "100.02"))) == ["TRADE 40"]


def test_rule_4_a_wide_but_valid_row_does_trigger(bench: Bench) -> None:
    bench.hold(LONG, 100, ts_ns=1000)
    bench.submit(stop("S1", LONG, 100, "99.00"))
    assert words(bench.quote(row(2000, "1.00", "500.00"))) == ["TRIGGERED", "TRADE 100"]


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([row(2000, "100.00", "100.02")], "REJECTED WOULD_TRIGGER"),
        ([row(2000, "100.00", "100.02"), row(3000, "0", "0")], "REJECTED WOULD_TRIGGER"),
        ([row(2000, "102.00", "102.02"), row(3000, "0", "0")], "ACCEPTED"),
    ],
    ids=["valid", "judged on the last valid row", "last valid row is far away"],
)
def test_rule_23_a_stop_that_would_trigger_at_once_is_refused(
    bench: Bench, rows: list[Quote], told: str
) -> None:
    bench.hold(LONG, 10, ts_ns=1000)
    for one in rows:
        bench.quote(one)
    assert words(bench.submit(stop("S1", LONG, 10, "101.00"))) == [told]


# --- orders that are refused --------------------------------------------------------------------

COIN = "BTC/USDT"


@pytest.mark.parametrize(
    ("order", "told"),
    [
        (entry("A", LONG, "0.5", "101.00"), "REJECTED BAD_QUANTITY"),
        (entry("B", LONG, "0", "101.00"), "REJECTED BAD_QUANTITY"),
        (entry("C", LONG, "-1", "101.00"), "REJECTED BAD_QUANTITY"),
        (entry("D", LONG, "NaN", "101.00"), "REJECTED BAD_QUANTITY"),
        (entry("E", LONG, 1, "101.005"), "REJECTED BAD_PRICE"),
        (entry("F", LONG, 1, "0"), "REJECTED BAD_PRICE"),
        (replace(entry("G", LONG, 1, "101"), limit_price=None), "REJECTED BAD_PRICE"),
        (stop("H", LONG, 1, "99.999"), "REJECTED BAD_PRICE"),
        (stop("I", LONG, "1.5", "99.00"), "REJECTED BAD_QUANTITY"),
        (market_exit("J", LONG, "1.5"), "REJECTED BAD_QUANTITY"),
        (entry("K", LONG, "0.001", "9999.9", symbol=COIN), "REJECTED BAD_QUANTITY"),
        (entry("L", LONG, "0.002", "2400.0", symbol=COIN), "REJECTED BAD_QUANTITY"),
        (entry("M", LONG, "0.002", "2500.0", symbol=COIN), "ACCEPTED"),
        (market_exit("N", LONG, "0.002", symbol=COIN), "REJECTED BAD_QUANTITY"),
    ],
    ids=lambda value: value.client_order_id if isinstance(value, Order) else "",
)
def test_what_the_venue_will_not_trade_is_rejected_and_known_ever_after(
    bench: Bench, order: Order, told: str
) -> None:
    bench.hold(LONG, 10, ts_ns=1000)
    bench.quote(row(2000, "2000.0", "2000.1", symbol=COIN))
    assert words(bench.submit(order))[0] == told
    (found,) = bench.ask(Query(order.client_order_id, order.symbol))
    assert isinstance(found, OrderFound)
    assert (found.order.status is OrderStatus.REJECTED) == told.startswith("REJECTED")


def test_before_the_first_row_entries_end_exits_wait_and_stops_rest(path: Path) -> None:
    before = Bench(open_paper(path))
    before.hold(LONG, 100, ts_ns=1000)
    before.venue.close()
    bench = Bench(open_paper(path))
    assert words(bench.submit(entry("E1", LONG, 1, "500.00"))) == [
        "ACCEPTED",
        "CANCELED NOT_FILLED",
    ]
    assert words(bench.submit(stop("S1", LONG, 50, "99.00"))) == ["ACCEPTED"]
    assert words(bench.submit(market_exit("X1", LONG, 50))) == ["ACCEPTED"]
    assert words(bench.quote(row(2000, "100.00", "100.02"))) == ["TRADE 50"]
    bench.venue.close()


# --- money --------------------------------------------------------------------------------------


def test_rule_14_cash_moves_by_fills_fees_and_transfers_exactly(bench: Bench, path: Path) -> None:
    assert bench.ask(MoveCash("in", Decimal("100000.01"))) == [CashConfirmed("in")]
    bench.ask(MoveCash("in", Decimal("100000.01")), MoveCash("out", Decimal("-0.01")))
    bench.quote(row(1000, "158.39", "158.43"))
    (bought,) = trades(bench.submit(entry("E1", LONG, 7, "158.43")))
    (sold,) = trades(bench.submit(market_exit("X1", LONG, 3)))
    assert bought.fill is not None
    assert sold.fill is not None
    assert bought.fill.fee == Decimal("0.1663515")  # 7 x 158.43 x 1.5 bps
    assert sold.fill.fee == Decimal("0.0712755")  # 3 x 158.39 x 1.5 bps
    totals = read_ledger(path)
    assert totals.fees == Decimal("0.2376270")
    assert (
        totals.cash
        == Decimal("100000") - 7 * Decimal("158.43") + 3 * Decimal("158.39") - totals.fees
    )
    assert totals.holdings == (VenueHolding("XXX", LONG, Decimal(4)),)
    assert (totals.orders, totals.fills) == (2, 2)


def test_rule_14_an_instrument_may_have_a_fee_of_its_own(bench: Bench) -> None:
    bench.quote(row(1000, "2000.0", "2000.1", symbol=COIN, ask_size="0.5"))
    (trade,) = trades(bench.submit(entry("E1", LONG, "0.003", "2000.1", symbol=COIN)))
    assert trade.fill is not None
    assert trade.fill.fee == Decimal("0.003") * Decimal("2000.1") * Decimal("0.0004")


# --- the same calls, the same replies -----------------------------------------------------------


def test_two_venues_that_are_told_the_same_say_the_same(tmp_path: Path) -> None:
    def story(venue: PaperVenue) -> list[object]:
        bench = Bench(venue)
        bench.hold(LONG, 100, ts_ns=1000)
        told: list[object] = [*bench.submit(stop("S1", LONG, 60, "99.00"))]
        told += bench.submit(market_exit("X1", LONG, 30))
        told += bench.quote(row(2000, "98.00", "98.10", bid_size=20))
        told += bench.ask(Compare(""), Query("S1", "XXX"))
        venue.close()
        return told

    assert story(open_paper(tmp_path / "a.db")) == story(open_paper(tmp_path / "b.db"))


def test_a_market_order_does_not_mind_a_limit_price(bench: Bench) -> None:
    bench.hold(LONG, 10, ts_ns=1000)
    order = replace(market_exit("X1", LONG, 10), limit_price=Decimal("500.001"))
    assert words(bench.submit(order)) == ["ACCEPTED", "TRADE 10"]
