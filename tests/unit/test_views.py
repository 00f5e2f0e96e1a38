"""The lists: which rows, what people see of them, and what programs get."""

import json
import re
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pointsman.cli.views import VIEWS, Wanted, listing
from pointsman.storage.reader import open_reader
from tests.story_database import lived_day
from tests.unit.test_tables import drawn


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The day's database."""
    return lived_day().store(tmp_path_factory.mktemp("day") / "trading.db")


def rows_of(database: Path, verb: str, wanted: Wanted) -> list[Any]:
    with closing(open_reader(database)) as connection:
        return list(VIEWS[verb].rows(connection, wanted))


def documents(database: Path, verb: str, **wanted: Any) -> list[dict[str, Any]]:
    """What programs get, having been through JSON."""
    rows = rows_of(database, verb, Wanted(**wanted))
    return list(json.loads(json.dumps([VIEWS[verb].document(row) for row in rows])))


def lines(database: Path, verb: str, width: int, **wanted: Any) -> list[str]:
    """What people see."""
    chosen = Wanted(**wanted)
    return drawn(listing(VIEWS[verb], rows_of(database, verb, chosen), chosen), width)


COUNTS = {
    "accounts": (2, 1),
    "positions": (1, 1),
    "orders": (7, 4),
    "fills": (6, 2),
    "trades": (1, 0),
    "signals": (5, 2),
    "incidents": (3, 0),
}
"""Of each list: how many rows in all, and how many of VA002."""


@pytest.mark.parametrize("verb", VIEWS)
def test_a_list_has_all_rows_or_those_of_one_account(database: Path, verb: str) -> None:
    everything = documents(database, verb)
    own = documents(database, verb, va_id="VA002")
    assert (len(everything), len(own)) == COUNTS[verb]
    assert [row for row in everything if row["va_id"] == "VA002"] == own


@pytest.mark.parametrize("verb", [verb for verb in VIEWS if verb != "accounts"])
def test_a_limit_keeps_the_newest_in_order(database: Path, verb: str) -> None:
    assert documents(database, verb, limit=2) == documents(database, verb)[-2:]


def test_open_orders_are_those_that_may_still_fill(database: Path) -> None:
    ids = [row["client_order_id"] for row in documents(database, "orders", open_only=True)]
    assert ids == ["ABCDEF2S2"]


@pytest.mark.parametrize("verb", VIEWS)
def test_programs_get_exact_texts_and_utc_times(database: Path, verb: str) -> None:
    for row in documents(database, verb):
        for name, value in row.items():
            assert not name.endswith("_ns"), name
            assert not isinstance(value, float), name
            if name.endswith("_at") and value is not None:
                assert re.fullmatch(r"2018-01-02T14:3\d:\d\d\.\d{6}(\d{3})?Z", value), name


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
    assert "refused LATENCY 1,000 ms at most 500 ms" in wide
    assert any("late" in line and "LATENCY" in line for line in lines(database, "signals", 80))


def test_the_day_that_all_rows_share_stands_in_the_title(database: Path) -> None:
    shown = lines(database, "fills", 80)
    assert shown[0] == "Fills, 2018-01-02 UTC"
    assert shown[3].startswith("14:30:01.020  VA001")


def test_a_list_that_was_cut_says_so(database: Path) -> None:
    (title, *_) = lines(database, "fills", 80, limit=2)
    assert title == "Fills, 2018-01-02 UTC (the newest 2; --limit shows more)"


def test_an_account_has_the_figures_of_the_report(database: Path) -> None:
    (account,) = documents(database, "accounts", va_id="VA002")
    assert (account["equity"], account["realized_pnl"]) == ("50027.39025", "9.09025")
    assert (account["leased_symbol"], account["status"]) == ("XXX", "active")
    assert not {"realized", "loss_streak"} & set(account)
