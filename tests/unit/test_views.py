"""The lists: which rows, what people see of them, and what programs get."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from pointsman.reading.lists import ListFilter
from pointsman.terminal.views import VIEWS, listing
from tests.story_database import lived_day
from tests.unit.test_lists import documents, rows_of
from tests.unit.test_tables import drawn


def in_cents(_symbol: str) -> int:
    """The decimals of every price."""
    return 2


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The day's database."""
    return lived_day().store(tmp_path_factory.mktemp("day") / "trading.db")


def lines(database: Path, verb: str, width: int, **wanted: Any) -> list[str]:
    """What people see."""
    chosen = ListFilter(**wanted)
    return drawn(listing(VIEWS[verb], rows_of(database, verb, chosen), chosen, in_cents), width)


@pytest.mark.parametrize("width", [80, 120, 200])
@pytest.mark.parametrize("verb", VIEWS)
def test_nothing_is_cut_or_wider_than_the_terminal(database: Path, verb: str, width: int) -> None:
    shown = lines(database, verb, width)
    assert max(map(len, shown)) <= width
    assert "…" not in "".join(shown)


def test_a_wide_terminal_shows_more(database: Path) -> None:
    narrow, wide = lines(database, "orders", 80), lines(database, "orders", 200)
    assert "average" not in narrow[1]
    assert "average" in wide[1]
    assert any("158.396" in line for line in wide)


def test_a_signal_stands_beside_its_decision(database: Path) -> None:
    by_id = {row["signal_id"]: row for row in documents(database, "signals")}
    assert by_id["loser"]["outcome"] == "accepted"
    assert (by_id["loser"]["repeats"], by_id["loser"]["reuses"]) == (1, 1)
    late = by_id["late"]
    assert (late["reason"], late["value"], late["limit"]) == ("LATENCY", "1000", "500")
    wide = " ".join(lines(database, "signals", 200)[6].split())
    assert "LATENCY 1,000 ms at most 500 ms" in wide
    assert any("late" in line and "LATENCY" in line for line in lines(database, "signals", 80))


def test_the_day_that_all_rows_share_stands_in_the_title(database: Path) -> None:
    shown = lines(database, "fills", 80)
    assert shown[0] == "Fills, 2018-01-02 UTC"
    assert shown[3].startswith("14:30:01.020  VA001")


def test_a_list_that_was_cut_says_so(database: Path) -> None:
    (title, *_) = lines(database, "fills", 80, limit=2)
    assert title == "Fills, 2018-01-02 UTC (the newest 2; --limit shows more)"


@pytest.mark.parametrize(
    ("verb", "kept"),
    [
        ("signals", ["signal", "account", "symbol", "side", "size", "outcome"]),
        ("orders", ["order", "account", "symbol", "side", "quantity", "status"]),
        ("trades", ["account", "symbol", "side", "quantity", "result"]),
        ("positions", ["account", "symbol", "side", "quantity", "cover"]),
    ],
)
def test_what_matters_most_stands_at_80_columns(database: Path, verb: str, kept: list[str]) -> None:
    assert set(kept) <= set(lines(database, verb, 80)[1].split())


def test_long_ids_leave_room_for_account_and_symbol_at_80_columns(database: Path) -> None:
    (judged, *_) = rows_of(database, "signals", ListFilter())
    signal = replace(judged.record.signal, signal_id=f"alert-{'0123456789' * 6}", symbol="BTC/USDT")
    long = replace(judged, record=replace(judged.record, signal=signal))
    (*_, row) = drawn(listing(VIEWS["signals"], [long], ListFilter(), in_cents), 80)
    assert len(row) <= 80
    cells = row.split()
    assert {"VA001", "BTC/USDT", "buy", "accepted"} <= set(cells)
    assert any(cell.startswith("alert-0123") and cell.endswith("456789") for cell in cells)
