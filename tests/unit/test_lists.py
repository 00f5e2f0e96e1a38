"""The lists: which rows, and what programs get of them."""

import json
import re
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pointsman.reading.lists import LISTS, ListFilter
from pointsman.storage.reader import open_reader
from tests.story_database import lived_day


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The day's database."""
    return lived_day().store(tmp_path_factory.mktemp("day") / "trading.db")


def rows_of(database: Path, verb: str, wanted: ListFilter) -> list[Any]:
    with closing(open_reader(database)) as connection:
        return list(LISTS[verb].rows(connection, wanted))


def documents(database: Path, verb: str, **wanted: Any) -> list[dict[str, Any]]:
    """What programs get, having been through JSON."""
    rows = rows_of(database, verb, ListFilter(**wanted))
    return list(json.loads(json.dumps([LISTS[verb].document(row) for row in rows])))


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


@pytest.mark.parametrize("verb", LISTS)
def test_a_list_has_all_rows_or_those_of_one_account(database: Path, verb: str) -> None:
    everything = documents(database, verb)
    own = documents(database, verb, va_id="VA002")
    assert (len(everything), len(own)) == COUNTS[verb]
    assert [row for row in everything if row["va_id"] == "VA002"] == own


@pytest.mark.parametrize("verb", [verb for verb in LISTS if verb != "accounts"])
def test_a_limit_keeps_the_newest_in_order(database: Path, verb: str) -> None:
    assert documents(database, verb, limit=2) == documents(database, verb)[-2:]


def test_open_orders_are_those_that_may_still_fill(database: Path) -> None:
    ids = [row["client_order_id"] for row in documents(database, "orders", open_only=True)]
    assert ids == ["ABCDEF2S2"]


@pytest.mark.parametrize("verb", LISTS)
def test_programs_get_exact_texts_and_utc_times(database: Path, verb: str) -> None:
    for row in documents(database, verb):
        for name, value in row.items():
            assert not name.endswith("_ns"), name
            assert not isinstance(value, float), name
            if name.endswith("_at") and value is not None:
                assert re.fullmatch(r"2018-01-02T14:3\d:\d\d\.\d{6}(\d{3})?Z", value), name


def test_an_account_has_the_figures_of_the_report(database: Path) -> None:
    (account,) = documents(database, "accounts", va_id="VA002")
    assert (account["equity"], account["realized_pnl"]) == ("50027.39025", "9.09025")
    assert (account["leased_symbol"], account["status"]) == ("XXX", "active")
    assert not {"realized", "loss_streak"} & set(account)
