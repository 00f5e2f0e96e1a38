"""Reduce-only at the paper venue (RULES 21): clipped or refused, and never more than is held."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from pointsman.domain.commands import Cancel
from pointsman.domain.orders import Order, OrderType
from pointsman.domain.policy import PositionMode, ReduceOnlyMode
from pointsman.domain.venue_reports import VenueHolding
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


def test_rule_21_a_larger_exit_is_clipped_to_the_holding(bench: Bench) -> None:
    bench.hold(LONG, 60, ts_ns=1000)
    told = words(bench.submit(market_exit("X1", LONG, 100)))
    assert told == ["ACCEPTED", "TRADE 60", "CANCELED REDUCE_ONLY"]
    assert snapshot(bench).holdings == ()


def test_rule_21_a_stop_that_outlives_its_holding_is_cancelled_when_it_triggers(
    bench: Bench,
) -> None:
    bench.hold(LONG, 60, ts_ns=1000)
    bench.submit(stop("S1", LONG, 60, "99.00"), market_exit("X1", LONG, 60))
    assert [order.client_order_id for order in snapshot(bench).open_orders] == ["S1"]
    told = words(bench.quote(row(2000, "98.00", "98.10")))
    assert told == ["TRIGGERED", "CANCELED REDUCE_ONLY"]


def test_rule_21_remains_of_an_exit_end_when_another_has_closed_the_holding(bench: Bench) -> None:
    bench.hold(LONG, 60, ts_ns=1000)
    bench.quote(row(2000, "100.00", "100.02", bid_size=0))
    bench.submit(
        market_exit("X1", LONG, 40), market_exit("X2", LONG, 40), market_exit("X3", LONG, 9)
    )
    told = bench.quote(row(3000, "100.00", "100.02", bid_size=60))
    assert words(told, "X1") == ["TRADE 40"]
    assert words(told, "X2") == ["TRADE 20", "CANCELED REDUCE_ONLY"]
    assert words(told, "X3") == ["CANCELED REDUCE_ONLY"]


def test_in_hedge_mode_long_and_short_are_kept_apart(bench: Bench) -> None:
    bench.hold(LONG, 60, ts_ns=1000)
    bench.hold(SHORT, 50, ts_ns=2000)
    assert snapshot(bench).holdings == (
        VenueHolding("XXX", LONG, Decimal(60)),
        VenueHolding("XXX", SHORT, Decimal(-50)),
    )
    told = words(bench.submit(market_exit("X1", SHORT, 80)))
    assert told == ["ACCEPTED", "TRADE 50", "CANCELED REDUCE_ONLY"]
    assert snapshot(bench).holdings == (VenueHolding("XXX", LONG, Decimal(60)),)


def test_in_hedge_mode_an_order_against_its_position_side_only_reduces(bench: Bench) -> None:
    bench.hold(LONG, 60, ts_ns=1000)
    against = replace(entry("E1", SHORT, 100, "99.00"), position_side=LONG)
    assert words(bench.submit(against)) == ["ACCEPTED", "TRADE 60", "CANCELED REDUCE_ONLY"]


def test_in_net_mode_there_is_one_signed_holding_and_an_entry_may_turn_it(path: Path) -> None:
    bench = Bench(open_paper(path, position_mode=PositionMode.NET))
    bench.hold(LONG, 60, ts_ns=1000)
    bench.submit(entry("E1", SHORT, 100, "99.00"))
    assert snapshot(bench).holdings == (VenueHolding("XXX", None, Decimal(-40)),)
    assert words(bench.submit(market_exit("X1", LONG, 10))) == ["REJECTED REDUCE_ONLY"]
    told = words(bench.submit(market_exit("X2", SHORT, 50)))
    assert told == ["ACCEPTED", "TRADE 40", "CANCELED REDUCE_ONLY"]
    bench.venue.close()


@pytest.mark.parametrize(
    ("resting", "order", "told"),
    [
        ([], stop("S", LONG, 100, "99.00"), ["ACCEPTED"]),
        ([], stop("S", LONG, 101, "99.00"), ["REJECTED REDUCE_ONLY"]),
        ([stop("R", LONG, 60, "99.00")], stop("S", LONG, 40, "99.00"), ["ACCEPTED"]),
        ([stop("R", LONG, 60, "99.00")], stop("S", LONG, 41, "99.00"), ["REJECTED REDUCE_ONLY"]),
        ([stop("R", LONG, 60, "99.00")], market_exit("S", LONG, 41), ["REJECTED REDUCE_ONLY"]),
        ([stop("R", LONG, 60, "99.00")], market_exit("S", LONG, 40), ["ACCEPTED", "TRADE 40"]),
        ([stop("R", LONG, 101, "99.00")], market_exit("S", LONG, 100), ["ACCEPTED", "TRADE 100"]),
        ([stop("R", SHORT, 60, "101.00")], stop("S", LONG, 100, "99.00"), ["ACCEPTED"]),
    ],
    ids=[
        "as much as is held",
        "more than is held",
        "the rest of it",
        "more than the rest",
        "an exit beside a stop",
        "an exit for what no stop covers",
        "a rejected order does not count",
        "the other side does not count",
    ],
)
def test_rule_21_a_venue_that_refuses_counts_all_that_already_reduces(
    path: Path, resting: list[Order], order: Order, told: list[str]
) -> None:
    bench = Bench(open_paper(path, reduce_only_mode=ReduceOnlyMode.REFUSE))
    bench.hold(LONG, 100, ts_ns=1000)
    bench.hold(SHORT, 100, ts_ns=2000)
    bench.submit(*resting)
    assert words(bench.submit(order)) == told
    bench.venue.close()


def test_rule_21_a_venue_that_refuses_does_not_count_orders_that_may_open(path: Path) -> None:
    bench = Bench(
        open_paper(path, position_mode=PositionMode.NET, reduce_only_mode=ReduceOnlyMode.REFUSE)
    )
    bench.hold(LONG, 100, ts_ns=1000)
    bench.quote(row(2000, "100.00", "100.02", bid_size=0))
    bench.submit(replace(entry("E1", SHORT, 50, "99.00"), order_type=OrderType.MARKET))
    assert words(bench.submit(stop("S1", LONG, 100, "99.00"))) == ["ACCEPTED"]
    bench.venue.close()


def test_rule_21_a_venue_that_refuses_frees_what_was_cancelled_or_filled(path: Path) -> None:
    bench = Bench(open_paper(path, reduce_only_mode=ReduceOnlyMode.REFUSE))
    bench.hold(LONG, 100, ts_ns=1000)
    bench.submit(stop("S1", LONG, 60, "99.00"), stop("S2", LONG, 40, "90.00"))
    bench.quote(row(2000, "98.00", "98.10", bid_size=30))
    bench.ask(Cancel("S1", "XXX"))
    assert words(bench.submit(stop("S3", LONG, 31, "90.00"))) == ["REJECTED REDUCE_ONLY"]
    assert words(bench.submit(stop("S4", LONG, 30, "90.00"))) == ["ACCEPTED"]
    bench.venue.close()
