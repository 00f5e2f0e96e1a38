"""Lists of Bybit to their end: pages, windows of seven days, and a history that lags behind."""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.domain.policy import PositionMode
from pointsman.venues.adapter import Call, Incomplete
from pointsman.venues.bybit.lists import (
    LAG_MS,
    WEEK_MS,
    execution_id,
    read_executions,
    read_history,
    read_list,
)
from pointsman.venues.bybit.requests import executions_call

Read = Callable[[Call], Awaitable[Any]]
NOW_MS = 1_700_000_000_000


def execution(number: int, at_ms: int, kind: str = "Trade") -> dict[str, Any]:
    return {
        "symbol": "BTCUSDT",
        "orderId": "v1",
        "orderLinkId": "ABCDEF1E1",
        "side": "Buy",
        "execId": f"x{number}",
        "execPrice": "10",
        "execQty": "1",
        "execFee": "0.1",
        "execType": kind,
        "execTime": str(at_ms),
        "closedSize": "0",
        "leavesQty": "0",
        "seq": number,
    }


class Venue:
    """Answers the question for executions as Bybit does: windows, newest first, pages."""

    def __init__(self, executions: list[dict[str, Any]], page: int = 100) -> None:
        self.executions = executions
        self.page = page
        self.now_ms = NOW_MS
        self.asked: list[dict[str, Any]] = []

    async def read(self, call: Call) -> Any:
        if call.route.endswith("/time"):
            return {"time": self.now_ms, "result": {}}
        self.asked.append(call.params)
        since = call.params["startTime"]
        found = [
            row
            for row in self.executions
            if since <= int(row["execTime"]) <= min(since + WEEK_MS, self.now_ms)
        ]
        found.sort(key=lambda row: (row["execTime"], row["seq"]), reverse=True)
        first = int(call.params.get("cursor", 0))
        shown = found[first : first + self.page]
        cursor = str(first + len(shown)) if shown else ""
        return {"time": self.now_ms, "result": {"list": shown, "nextPageCursor": cursor}}


def ids(rows: list[Any]) -> list[str]:
    return [row["execId"] for row in rows]


async def test_pages_are_read_until_nothing_follows() -> None:
    venue = Venue([execution(n, NOW_MS - n) for n in range(250)])
    rows, asked_ms = await read_list(venue.read, executions_call(NOW_MS - 1000), execution_id)
    assert (ids(rows), asked_ms) == ([f"x{n}" for n in range(250)], NOW_MS)
    assert [asked.get("cursor") for asked in venue.asked] == [None, "100", "200", "250"]


async def test_a_full_page_that_leads_to_itself_is_incomplete_and_a_short_one_is_the_last() -> None:
    async def read(call: Call) -> Any:
        del call
        return {"time": 1, "result": {"list": page, "nextPageCursor": "same"}}

    page = [execution(n, 5) for n in range(3)]
    rows, _ = await read_list(read, executions_call(0), execution_id)
    assert ids(rows) == ["x0", "x1", "x2"]
    page = [execution(n, 5) for n in range(100)]
    with pytest.raises(Incomplete, match="the same one"):
        await read_list(read, executions_call(0), execution_id)


async def test_a_list_that_never_ends_is_incomplete() -> None:
    numbers = iter(range(10**9))

    async def read(call: Call) -> Any:
        del call
        row = execution(next(numbers), 5)
        return {"time": 1, "result": {"list": [row], "nextPageCursor": row["execId"]}}

    with pytest.raises(Incomplete, match="more than"):
        await read_list(read, executions_call(0), execution_id)


async def test_more_than_a_week_is_read_in_windows_and_in_the_order_of_what_happened() -> None:
    days = [0, 6, 7, 8, 14, 20]
    start = NOW_MS - 21 * 24 * 3600 * 1000
    venue = Venue([execution(n, start + day * 24 * 3600 * 1000) for n, day in enumerate(days)])
    rows, _ = await read_executions(venue.read, start)
    assert ids(rows) == [f"x{n}" for n in range(len(days))]
    starts = {asked["startTime"] for asked in venue.asked}
    assert starts == {start, start + WEEK_MS, start + 2 * WEEK_MS, start + 3 * WEEK_MS}


async def test_the_windows_end_where_the_order_has_ended() -> None:
    venue = Venue([execution(1, 5000)])
    rows, _ = await read_executions(venue.read, 4000, 6000, "ABCDEF1E1")
    assert ids(rows) == ["x1"]
    assert {asked["startTime"] for asked in venue.asked} == {4000}
    assert {asked["orderLinkId"] for asked in venue.asked} == {"ABCDEF1E1"}


async def test_a_history_begins_now_and_tells_each_thing_once() -> None:
    venue = Venue([execution(1, NOW_MS - 1)])
    begun = await read_history(venue.read, "", PositionMode.NET)
    assert (begun.trades, begun.cursor) == ((), str(NOW_MS))
    venue.executions += [execution(2, NOW_MS + 5), execution(3, NOW_MS + 7, "Funding")]
    venue.now_ms += 10
    told = await read_history(venue.read, begun.cursor, PositionMode.NET)
    assert [trade.fill.trade_id for trade in told.trades] == ["x2"]
    assert [(paid.funding_id, paid.amount) for paid in told.fundings] == [("x3", Decimal("-0.1"))]
    again = await read_history(venue.read, told.cursor, PositionMode.NET)
    assert (again.trades, again.fundings) == ((), ())
    repeated = await read_history(venue.read, begun.cursor, PositionMode.NET)
    assert repeated == told


async def test_contracts_settled_in_another_coin_are_left_out() -> None:
    venue = Venue([execution(1, NOW_MS) | {"symbol": "BTCPERP"}])
    told = await read_history(venue.read, str(NOW_MS - 10), PositionMode.NET)
    assert told.trades == ()


async def test_a_cursor_of_something_else_concludes_nothing() -> None:
    with pytest.raises(Incomplete, match="no cursor of Bybit"):
        await read_history(Venue([]).read, "paper:17", PositionMode.NET)


@settings(max_examples=60, deadline=None)
@given(
    happened=st.lists(
        st.tuples(st.integers(0, 40 * 24 * 3600 * 1000), st.integers(0, LAG_MS - 1)),
        max_size=30,
    ),
    asked=st.lists(st.integers(0, 45 * 24 * 3600 * 1000), max_size=6),
    page=st.integers(1, 7),
)
def test_whatever_lags_and_however_often_it_is_asked_each_execution_is_told_once(
    happened: list[tuple[int, int]], asked: list[int], page: int
) -> None:
    """Each execution shows in the list up to a minute after it happened."""

    async def tell() -> list[str]:
        venue = Venue([], page)
        cursor = (await read_history(venue.read, "", PositionMode.NET)).cursor
        told = []
        for after_ms in [*sorted(asked), 46 * 24 * 3600 * 1000]:
            venue.now_ms = NOW_MS + after_ms
            venue.executions = [
                execution(number, NOW_MS + at_ms)
                for number, (at_ms, late_ms) in enumerate(happened)
                if at_ms + late_ms <= after_ms
            ]
            history = await read_history(venue.read, cursor, PositionMode.NET)
            told += [trade.fill.trade_id for trade in history.trades]
            cursor = history.cursor
        return told

    assert sorted(asyncio.run(tell())) == sorted(f"x{n}" for n in range(len(happened)))
