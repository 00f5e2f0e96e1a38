"""The history of the account: which questions are asked, what is given, and from where it goes on.

The venue is a list of executions and payments that answers as it documents, page by page.
"""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from pointsman.domain.policy import PositionMode
from pointsman.venues.adapter import Call, History, Incomplete
from pointsman.venues.binance import requests
from pointsman.venues.binance.activity import ALL_AFTER_NS, Activity
from pointsman.venues.binance.history import (
    DAY_MS,
    SHOWN_AFTER_MS,
    WINDOW_MS,
    HistoryCursor,
    HistoryReader,
)
from pointsman.venues.outcome import AnswerVerdict, Proof
from tests.unit.test_binance_words import ENTRY, ORDER, RESTING, STOP, TRADE, of

BEGAN_MS = 1_700_000_000_000
FUNDING = {
    "symbol": "BTCUSDT",
    "incomeType": "FUNDING_FEE",
    "income": "-1.5",
    "asset": "USDT",
    "time": BEGAN_MS + 1000,
    "tranId": 41,
}


class Venue:
    """One account, its reader, and the two clocks."""

    def __init__(self, mode: PositionMode = PositionMode.NET) -> None:
        self.now_ms = BEGAN_MS
        self.monotonic_ns = 1
        self.activity = Activity(lambda: self.monotonic_ns)
        self.words = of(mode)
        self.reader = HistoryReader(self.words, self.activity, ("BTCUSDT",), lambda: self.now_ms)
        self.trades: list[dict[str, Any]] = []
        self.income: list[dict[str, Any]] = []
        self.positions: list[dict[str, Any]] = []
        self.orders: dict[int, str | Incomplete] = {7: ENTRY}
        self.stops: list[dict[str, Any]] = []
        self.rates: list[str] = []
        self.asked: list[str] = []
        self.fails_at = ""

    def trade(self, number: int, symbol: str = "BTCUSDT", **changes: Any) -> None:
        at_ms = changes.pop("time", self.now_ms)
        self.trades.append({**TRADE, "id": number, "symbol": symbol, "time": at_ms, **changes})

    def hold(self, amount: str, update_time: int = 1, symbol: str = "BTCUSDT") -> None:
        row = {"symbol": symbol, "positionSide": "BOTH", "positionAmt": amount}
        self.positions = [{**row, "updateTime": update_time}]

    def later(self, ms: int) -> None:
        self.now_ms += ms
        self.monotonic_ns += ms * 1_000_000

    async def read(self, call: Call) -> Any:
        name = call.route.rpartition("/")[2]
        symbol = call.params.get("symbol", "")
        self.asked.append(f"{name} {symbol}".strip())
        if name == self.fails_at:
            raise Incomplete("told")
        answers: dict[str, Callable[[dict[str, Any]], Any]] = {
            "positionRisk": lambda _: self.positions,
            "userTrades": self._trades,
            "income": self._income,
            "order": self._order,
            "allAlgoOrders": lambda _: self.stops,
            "fundingRate": lambda _: [{"fundingRate": rate} for rate in self.rates],
        }
        return answers[name](call.params)

    def _trades(self, asked: dict[str, Any]) -> list[dict[str, Any]]:
        rows = [row for row in self.trades if row["symbol"] == asked["symbol"]]
        if "fromId" in asked:
            rows = [row for row in rows if row["id"] >= asked["fromId"]]
        else:
            assert asked["endTime"] - asked["startTime"] <= WINDOW_MS
            rows = [row for row in rows if asked["startTime"] <= row["time"] <= asked["endTime"]]
        return rows[: requests.PAGE]

    def _income(self, asked: dict[str, Any]) -> list[dict[str, Any]]:
        return [row for row in self.income if row["time"] >= asked["startTime"]][: requests.PAGE]

    def _order(self, asked: dict[str, Any]) -> dict[str, Any]:
        told = self.orders[asked["orderId"]]
        if isinstance(told, Incomplete):
            raise told
        return {**ORDER, "orderId": asked["orderId"], "clientOrderId": told}

    async def history(self, cursor: str) -> History:
        self.asked.clear()
        return await self.reader.read(self.read, cursor)

    async def begin(self) -> str:
        """The cursor after the first comparison, in which nothing had happened."""
        first = (await self.history("")).cursor
        return (await self.history(first)).cursor


def ids(history: History) -> list[str]:
    return [trade.fill.trade_id for trade in history.trades]


async def test_it_begins_now_and_without_a_question() -> None:
    venue = Venue()
    venue.trade(1, time=BEGAN_MS - 5)
    first = await venue.history("")
    assert venue.asked == []
    assert msgspec.json.decode(first.cursor) == {"began_ms": BEGAN_MS, "income_ms": BEGAN_MS}
    assert (await venue.history(first.cursor)).trades == ()
    assert venue.asked == ["positionRisk", "userTrades BTCUSDT", "income"]


async def test_while_nothing_happens_one_question_is_enough() -> None:
    venue = Venue()
    cursor = await venue.begin()
    again = await venue.history(cursor)
    assert venue.asked == ["positionRisk"]
    assert again.cursor == cursor, "a quiet venue gives nothing to store"


@pytest.mark.parametrize("happens", ["a holding", "a change of it", "the stream", "a minute"])
async def test_a_symbol_is_asked_about_where_something_may_have_happened(happens: str) -> None:
    venue = Venue()
    venue.hold("1")
    cursor = await venue.begin()
    if happens == "a holding":
        venue.hold("2")
    elif happens == "a change of it":
        venue.hold("1", update_time=2)
    elif happens == "the stream":
        venue.activity.touch("BTCUSDT")
    else:
        venue.monotonic_ns += ALL_AFTER_NS
    venue.trade(5)
    assert ids(await venue.history(cursor)) == ["5"]


async def test_it_goes_on_after_the_last_execution_over_all_pages(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(requests, "PAGE", 3)
    venue = Venue()
    cursor = await venue.begin()
    for number in range(1, 8):
        venue.trade(number, time=BEGAN_MS + number // 3)
    venue.activity.touch("BTCUSDT")
    history = await venue.history(cursor)
    assert ids(history) == [str(number) for number in range(1, 8)]
    venue.trade(8)
    venue.activity.touch("BTCUSDT")
    assert ids(await venue.history(history.cursor)) == ["8"]


async def test_what_was_read_and_could_not_be_used_is_read_again() -> None:
    venue = Venue()
    cursor = await venue.begin()
    venue.trade(5)
    venue.income.append(FUNDING)
    venue.reader.expect_payment()
    venue.activity.touch("BTCUSDT")
    first = await venue.history(cursor)
    again = await venue.history(cursor)
    assert (ids(first), len(first.fundings)) == (["5"], 1)
    assert (again.trades, again.fundings) == (first.trades, first.fundings)
    after = await venue.history(again.cursor)
    assert (after.trades, after.fundings) == ((), ())


@pytest.mark.parametrize("fails_at", ["positionRisk", "userTrades", "order", "income"])
async def test_where_a_question_fails_nothing_is_given_and_nothing_lost(fails_at: str) -> None:
    venue = Venue()
    cursor = await venue.begin()
    venue.trade(5)
    venue.activity.touch("BTCUSDT")
    venue.reader.expect_payment()
    venue.fails_at = fails_at
    with pytest.raises(Incomplete):
        await venue.history(cursor)
    venue.fails_at = ""
    assert ids(await venue.history(cursor)) == ["5"]


async def test_a_holding_that_changed_without_an_execution_is_asked_about_again() -> None:
    venue = Venue()
    venue.hold("1")
    cursor = await venue.begin()
    venue.hold("2")
    cursor = (await venue.history(cursor)).cursor
    venue.trade(5)
    assert ids(await venue.history(cursor)) == ["5"]


async def test_symbols_that_nobody_named_are_found_by_what_is_held_and_what_was_paid() -> None:
    venue = Venue()
    cursor = await venue.begin()
    venue.trade(1, "ETHUSDT")
    venue.hold("1", symbol="ETHUSDT")
    history = await venue.history(cursor)
    assert ids(history) == ["1"]
    venue.trade(2, "SOLUSDT")
    venue.income.append({**FUNDING, "symbol": "SOLUSDT", "incomeType": "COMMISSION"})
    venue.reader.expect_payment()
    history = await venue.history(history.cursor)
    assert history.trades == ()
    assert ids(await venue.history(history.cursor)) == ["2"]


async def test_after_a_long_time_away_it_is_asked_week_by_week() -> None:
    venue = Venue()
    cursor = await venue.begin()
    venue.trade(3, time=BEGAN_MS + 2 * WINDOW_MS + 5)
    venue.trade(4, time=BEGAN_MS + 4 * WINDOW_MS)
    venue.later(5 * WINDOW_MS)
    assert ids(await venue.history(cursor)) == ["3", "4"]


async def test_a_symbol_without_executions_is_asked_about_a_few_days_only() -> None:
    venue = Venue()
    cursor = await venue.begin()
    venue.later(30 * DAY_MS)
    cursor = (await venue.history(cursor)).cursor
    told = msgspec.json.decode(cursor, type=HistoryCursor)
    assert venue.now_ms - told.since_ms["BTCUSDT"] <= 2 * DAY_MS


# -- whose they are --------------------------------------------------------------------------------


async def test_an_order_is_asked_for_its_name_once() -> None:
    venue = Venue()
    cursor = await venue.begin()
    venue.trade(1)
    venue.trade(2)
    venue.activity.touch("BTCUSDT")
    history = await venue.history(cursor)
    assert [trade.client_order_id for trade in history.trades] == [ENTRY, ENTRY]
    assert venue.asked.count("order BTCUSDT") == 1


async def test_an_order_that_traded_just_now_and_is_not_shown_yet_is_nobodys_until_it_is() -> None:
    venue = Venue()
    cursor = await venue.begin()
    venue.orders[7] = Incomplete("told", AnswerVerdict(outcome=Proof.NOT_FOUND))
    venue.trade(1)
    venue.later(SHOWN_AFTER_MS - 1)
    venue.activity.touch("BTCUSDT")
    with pytest.raises(Incomplete, match="told"):
        await venue.history(cursor)
    venue.orders[7] = ENTRY
    history = await venue.history(cursor)
    assert [trade.client_order_id for trade in history.trades] == [ENTRY]


@pytest.mark.parametrize(
    ("said", "stops", "name"),
    [
        ("web_1", [], "web_1"),
        (Incomplete("told", AnswerVerdict(outcome=Proof.NOT_FOUND)), [], ""),
        ("x-child", [{**RESTING, "actualOrderId": 7}], STOP),
        (STOP, [], STOP),
    ],
)
async def test_whose_an_execution_is(
    said: str | Incomplete, stops: list[dict[str, Any]], name: str
) -> None:
    venue = Venue()
    cursor = await venue.begin()
    venue.orders[7] = said
    venue.stops = stops
    venue.trade(1)
    venue.later(SHOWN_AFTER_MS)
    venue.activity.touch("BTCUSDT")
    assert [trade.client_order_id for trade in (await venue.history(cursor)).trades] == [name]


async def test_a_cursor_that_is_none_is_refused() -> None:
    with pytest.raises(Incomplete, match="cursor"):
        await Venue().history("c1")
