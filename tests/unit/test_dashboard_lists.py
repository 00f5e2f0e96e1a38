"""The lists beside a picture: from documents, whoever gives them, and from a database."""

from pathlib import Path

import pytest

from pointsman.dashboard.curves import TOTAL
from pointsman.dashboard.lists import (
    day_start_ns,
    equity_of_database,
    lists_of_database,
    made_lists,
)
from pointsman.domain.timestamps import iso, parse_ts
from tests.dashboard_pictures import LISTS, NOW_NS, SECOND_NS, order, trade
from tests.story_database import lived_day


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lived_day().store(tmp_path_factory.mktemp("day") / "trading.db")


def test_a_database_gives_its_orders_trades_and_refusals(database: Path) -> None:
    found = lists_of_database(database, "America/New_York", parse_ts("2018-01-02T14:31:00Z"))
    working = [row for row in found.orders if row["is_open"]]
    assert [(row["role"], row["va_id"]) for row in working] == [("stop", "VA002")]
    assert len(found.orders) > len(working)
    assert [row["signal_id"] for row in found.trades] == ["loser"]
    assert found.refusals == {"LATENCY": 1, "UNKNOWN_ACCOUNT": 1}
    tomorrow = parse_ts("2018-01-03T14:31:00Z")
    assert lists_of_database(database, "America/New_York", tomorrow).refusals == {}


def test_equity_is_read_of_each_account_and_of_all(database: Path) -> None:
    now_ns = parse_ts("2018-01-02T14:31:00Z")
    found = equity_of_database(database, now_ns, ["VA001", "VA003"])
    assert set(found) == {TOTAL, "VA001", "VA003"}
    assert len(found["VA001"]) > 0
    times = [point.at_ns for point in found["VA001"]]
    assert times == sorted(times)
    assert found["VA003"] == ()
    later = equity_of_database(database, now_ns + 25 * 3600 * SECOND_NS, ["VA001"])
    assert later["VA001"] == ()


def test_orders_that_may_still_fill_come_first_and_none_twice() -> None:
    shown = [(row["client_order_id"], row["is_open"]) for row in LISTS.orders]
    assert shown == [("AAAAAA15E1", True), ("AAAAAA11S1", True), ("AAAAAA11E1", False)]
    assert [row["trade_id"] for row in LISTS.trades] == ["10.0", "9.0"]


@pytest.mark.parametrize(
    ("prices", "decimals"),
    [(("158.44", None), 2), (("0.38125", None), 5), ((None, "42961.1"), 2), ((None, None), 2)],
)
def test_without_a_tick_a_price_has_the_decimals_that_it_came_with(
    prices: tuple[str | None, str | None], decimals: int
) -> None:
    limit, trigger = prices
    made = made_lists([], [order("x", limit_price=limit, trigger_price=trigger)], [], [], 0)
    assert made.orders[0]["price_decimals"] == decimals
    (row,) = made_lists([], [], [trade("t")], [], 0, decimals=lambda _symbol: 7).trades
    assert row["price_decimals"] == 7


def test_refusals_of_today_alone_are_counted_and_it_is_said_when_there_may_be_more() -> None:
    assert (dict(LISTS.refusals), LISTS.counted) == ({"SPREAD": 2, "COOLDOWN": 1}, None)
    many: list[tuple[str | None, int]] = [("SPREAD", NOW_NS)] * 20
    assert made_lists([], [], [], many, 0, 20).counted == 20
    assert made_lists([], [], [], many, 0, 21).counted is None
    assert made_lists([], [], [], [*many, ("SPREAD", 1)], 2, 21).counted is None


@pytest.mark.parametrize(
    ("now", "zone", "start"),
    [
        ("2018-01-02T14:31:05Z", "UTC", "2018-01-02T00:00:00Z"),
        ("2018-01-02T14:31:05Z", "America/New_York", "2018-01-02T05:00:00Z"),
        ("2018-01-02T03:00:00Z", "America/New_York", "2018-01-01T05:00:00Z"),
        ("2018-07-02T14:00:00Z", "America/New_York", "2018-07-02T04:00:00Z"),
    ],
)
def test_a_day_begins_on_its_own_clock(now: str, zone: str, start: str) -> None:
    assert iso(day_start_ns(parse_ts(now), zone)) == iso(parse_ts(start))
