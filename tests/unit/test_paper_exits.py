"""What becomes of exits, stops and repeated orders at the paper venue in particular."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pointsman.domain.events import OrderReport
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
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(open_paper(tmp_path / "paper.db"))
    yield bench
    bench.venue.close()


def test_a_market_exit_goes_on_filling_on_the_next_rows(bench: Bench) -> None:
    bench.hold(LONG, 100, ts_ns=1000)
    bench.quote(row(2000, "100.00", "100.02", bid_size=30))
    assert words(bench.submit(market_exit("X1", LONG, 100))) == ["ACCEPTED", "TRADE 30"]
    assert words(bench.quote(row(3000, "99.50", "99.60", bid_size=30))) == ["TRADE 30"]
    assert words(bench.quote(row(4000, "99.00", "99.10", bid_size=40))) == ["TRADE 40"]
    assert snapshot(bench).holdings == ()


def test_a_stop_with_nothing_to_reduce_is_rejected_when_it_is_sent(bench: Bench) -> None:
    bench.quote(row(1000, "100.00", "100.02"))
    assert words(bench.submit(stop("S1", SHORT, 10, "101.00"))) == ["REJECTED REDUCE_ONLY"]


def test_an_order_that_has_ended_and_is_sent_again_is_not_made_again(bench: Bench) -> None:
    bench.quote(row(1000, "100.00", "100.02"))
    first = entry("E1", LONG, 10, "100.02")
    assert words(bench.submit(first, first)) == ["ACCEPTED", "TRADE 10"]
    assert not any(isinstance(reply, OrderReport) for reply in bench.submit(first))
    assert [trade.fill.quantity for trade in snapshot(bench).trades] == [10]
