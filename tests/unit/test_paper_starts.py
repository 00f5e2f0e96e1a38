"""The paper venue across a start: the newest quotes of before it, and a rewound account."""

import shutil
from decimal import Decimal
from pathlib import Path

import pytest

from pointsman.domain.venue_reports import VenueHolding
from pointsman.venues.paper.ledger import read_ledger
from tests.conformance.bench import (
    LONG,
    Bench,
    entry,
    market_exit,
    open_paper,
    row,
    stop,
    trades,
    words,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "paper.db"


def test_rule_62_an_exit_in_a_silence_fills_at_the_newest_quote_of_before_the_start(
    path: Path,
) -> None:
    """Of the 1000 that it showed the entry has taken 10 of the asks, and an exit 4 of the bids."""
    newest = row(100, "100.00", "100.02", bid_size=9)
    bench = Bench(open_paper(path))
    bench.quote(newest)
    bench.submit(entry("E1", LONG, 10, "101.00"), market_exit("X1", LONG, 4))
    bench.venue.close()
    again = Bench(open_paper(path))
    again.venue.remember(newest)
    (accepted, filled) = again.submit(market_exit("X2", LONG, 6))
    assert words([accepted, filled]) == ["ACCEPTED", "TRADE 5"]
    assert [report.fill.price for report in trades([filled]) if report.fill] == [Decimal("100.00")]
    assert words(again.quote(row(900, "90.00", "90.02"))) == ["TRADE 1"]
    again.venue.close()


def test_a_stop_that_the_newest_quote_had_reached_triggers_after_a_start(path: Path) -> None:
    bench = Bench(open_paper(path))
    bench.hold(LONG, 5, ts_ns=100)
    bench.submit(stop("S1", LONG, 5, "99.00"))
    bench.venue.close()
    again = Bench(open_paper(path))
    again.venue.remember(row(900, "98.00", "98.02"))
    assert words(again.venue.receive(900)) == ["TRIGGERED", "TRADE 5"]
    again.venue.close()


def test_rule_62_a_rewound_account_begins_anew_and_its_file_is_written_over_when_it_catches_up(
    path: Path,
) -> None:
    bench = Bench(open_paper(path))
    bench.hold(LONG, 5, ts_ns=100)
    bench.submit(stop("S1", LONG, 5, "99.00"))
    bench.venue.close()
    known = read_ledger(path)
    again = open_paper(path, is_rewound=True)
    assert (again.known_until_ns(), again.ledger.client) == (0, None)
    bench = Bench(again)
    bench.hold(LONG, 3, ts_ns=100)
    assert read_ledger(path) == known, "until then the file is as it was"
    again.catch_up()
    assert read_ledger(path).holdings == (VenueHolding("XXX", LONG, Decimal(3)),)
    assert words(bench.submit(stop("S1", LONG, 3, "99.00"))) == ["ACCEPTED"]
    again.catch_up()
    assert read_ledger(path).orders == 2
    again.close()


@pytest.mark.parametrize("is_killed", [True, False])
def test_rule_60_no_stop_acts_on_a_row_older_than_one_it_has_seen_before_a_restart(
    path: Path, *, is_killed: bool
) -> None:
    venue = open_paper(path)
    bench = Bench(venue)
    bench.hold(LONG, 10, ts_ns=100)
    bench.submit(stop("S1", LONG, 10, "99.00"))
    bench.quote(row(500, "100.00", "100.02"))
    seen_ns = 500
    if is_killed:
        bench.submit(stop("S2", LONG, 10, "98.00"))  # what is committed says what was seen
    else:
        bench.quote(row(600, "100.00", "100.02"))
        seen_ns = 600
        venue.close()
    left = shutil.copytree(path.parent, path.parent / "left")
    if is_killed:
        venue.close()
    again = open_paper(left / path.name)
    again.on_quote(row(seen_ns - 1, "50.00", "50.02"))
    assert again.receive(seen_ns + 1) == []
    again.on_quote(row(seen_ns + 2, "98.50", "98.52"))
    assert words(again.receive(seen_ns + 3), "S1") == ["TRIGGERED", "TRADE 10"]
    again.close()
