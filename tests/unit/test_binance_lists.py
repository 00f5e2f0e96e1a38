"""Open orders and holdings of Binance: what is asked, and what is not believed."""

from decimal import Decimal
from typing import Any

import pytest

from pointsman.domain.life_cycle import OrderStatus
from pointsman.venues.adapter import Call, Incomplete
from pointsman.venues.binance import lists
from pointsman.venues.binance.activity import Activity
from pointsman.venues.binance.shapes import PositionRow, PositionUpdate
from pointsman.venues.shapes import read_as
from tests.unit.test_binance_words import ENTRY, ORDER, RESTING, STOP, of


class Venue:
    def __init__(self) -> None:
        self.now_ns = 1
        self.activity = Activity(lambda: self.now_ns)
        self.holdings = lists.Holdings(self.activity)
        self.words = of()
        self.stops: list[dict[str, Any]] = []
        self.orders: list[dict[str, Any]] = []
        self.positions: list[dict[str, Any]] = []
        self.all_stops: list[dict[str, Any]] | None = []
        """None for a question that fails."""
        self.asked: list[str] = []

    async def read(self, call: Call) -> Any:
        name = call.route.rpartition("/")[2]
        symbol = call.params.get("symbol")
        self.asked.append(f"{name} {symbol or 'all'}")
        rows = {
            "openAlgoOrders": self.stops,
            "openOrders": self.orders,
            "positionRisk": self.positions,
            "allAlgoOrders": self.all_stops,
        }[name]
        if rows is None:
            raise Incomplete("not now")
        return [row for row in rows if symbol in (None, row["symbol"])]

    async def open_orders(self) -> dict[str, OrderStatus]:
        self.asked.clear()
        told = await lists.open_orders(self.read, self.words, self.activity)
        return {order.client_order_id: order.status for order in told}

    def hear(self, amount: str, at_ms: int) -> None:
        told = {"s": "BTCUSDT", "ps": "BOTH", "pa": amount}
        self.holdings.hear(read_as(PositionUpdate, told), at_ms)

    def hold(self, amount: str, at_ms: int) -> None:
        row = {"symbol": "BTCUSDT", "positionSide": "BOTH", "positionAmt": amount}
        self.positions = [{**row, "updateTime": at_ms}]

    async def held(self) -> list[Decimal]:
        return [each.quantity for each in await self.holdings.read(self.read, self.words)]


WORKING = {**ORDER, "status": "NEW", "executedQty": "0"}


async def test_open_orders_are_asked_for_by_symbol_and_all_of_them_once_a_minute() -> None:
    venue = Venue()
    venue.stops, venue.orders = [RESTING], [{**WORKING, "symbol": "ETHUSDT", "timeInForce": "GTC"}]
    expected = {STOP: OrderStatus.ACCEPTED, ENTRY: OrderStatus.ACCEPTED}
    assert await venue.open_orders() == expected
    assert venue.asked == ["openAlgoOrders all", "openOrders all"]
    assert await venue.open_orders() == expected
    assert venue.asked == [
        *("openAlgoOrders BTCUSDT", "openOrders BTCUSDT"),
        *("openAlgoOrders ETHUSDT", "openOrders ETHUSDT"),
    ]


async def test_with_very_many_symbols_all_at_once_costs_less() -> None:
    venue = Venue()
    await venue.open_orders()
    for number in range(40):
        venue.activity.touch(f"S{number}")
    await venue.open_orders()
    assert venue.asked == ["openAlgoOrders all", "openOrders all"]


async def test_a_stop_that_stands_in_both_lists_is_what_it_became() -> None:
    venue = Venue()
    venue.stops = [{**RESTING, "algoStatus": "TRIGGERED", "actualOrderId": "77"}]
    venue.orders = [{**WORKING, "orderId": 77, "clientOrderId": "x", "status": "PARTIALLY_FILLED"}]
    assert await venue.open_orders() == {STOP: OrderStatus.PARTIALLY_FILLED}


CHILD = {**WORKING, "orderId": 77, "clientOrderId": "x-child"}


async def test_an_order_that_is_listed_before_its_stop_says_so_is_what_the_stop_became() -> None:
    venue = Venue()
    venue.stops, venue.orders = [RESTING], [CHILD]
    venue.all_stops = [{**RESTING, "algoStatus": "TRIGGERED", "actualOrderId": "77"}]
    assert await venue.open_orders() == {STOP: OrderStatus.ACCEPTED}
    assert venue.words.ids.name_of(77) == STOP


async def test_an_order_is_foreign_by_an_answer_and_not_by_a_question_that_failed() -> None:
    venue = Venue()
    venue.stops, venue.orders, venue.all_stops = [RESTING], [CHILD], None
    with pytest.raises(Incomplete):
        await venue.open_orders()
    assert venue.words.ids.name_of(77) is None
    venue.all_stops = [RESTING]
    expected = {STOP: OrderStatus.ACCEPTED, "x-child": OrderStatus.ACCEPTED}
    assert await venue.open_orders() == expected
    assert venue.words.ids.name_of(77) == "x-child"
    assert await venue.open_orders() == expected
    assert "allAlgoOrders BTCUSDT" not in venue.asked


async def test_a_stop_that_no_list_shows_any_more_has_no_child() -> None:
    venue = Venue()
    venue.stops = [RESTING]
    await venue.open_orders()
    venue.stops = []
    for _ in range(2):
        assert venue.words.ids.may_have_child("BTCUSDT")
        venue.activity.touch_all()
        await venue.open_orders()
    assert not venue.words.ids.may_have_child("BTCUSDT")


async def test_a_stop_that_is_seen_may_have_a_child_from_then_on() -> None:
    venue = Venue()
    venue.stops = [RESTING]
    await venue.open_orders()
    assert venue.words.ids.may_have_child("BTCUSDT")


async def test_holdings_are_what_the_list_says() -> None:
    venue = Venue()
    venue.hold("0.5", 1)
    assert await venue.held() == [Decimal("0.5")]
    venue.hold("0", 2)
    assert await venue.held() == []


@pytest.mark.parametrize(
    ("listed", "at_ms", "is_believed"),
    [("2", 9, True), ("2", 10, True), ("1", 9, False), ("1", 10, False), ("1", 11, True)],
)
async def test_a_list_that_is_older_than_the_stream_is_not_believed(
    monkeypatch: pytest.MonkeyPatch, listed: str, at_ms: int, is_believed: bool
) -> None:
    monkeypatch.setattr(lists, "TRY_AGAIN_SECONDS", 0.001)
    venue = Venue()
    venue.hold(listed, at_ms)
    venue.hear("2", 10)
    if is_believed:
        assert await venue.held() == [Decimal(listed)]
    else:
        with pytest.raises(Incomplete, match="older than the stream"):
            await venue.held()


async def test_an_empty_list_is_not_believed_where_the_stream_says_that_something_is_held(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lists, "TRY_AGAIN_SECONDS", 0.001)
    venue = Venue()
    venue.hear("2", 10)
    with pytest.raises(Incomplete, match="listed as 0"):
        await venue.held()
    # But not for ever: a message of the stream may have been lost.
    venue.now_ns += lists.BELIEVED_AFTER_NS
    assert await venue.held() == []
    assert len(venue.asked) == 2 * lists.TRIES


async def test_what_was_said_before_a_gap_in_the_stream_does_not_count() -> None:
    venue = Venue()
    venue.hear("2", 10)
    venue.holdings.forget()
    assert await venue.held() == []


def test_the_standing_of_a_symbol_changes_with_each_of_its_rows() -> None:
    row = {"symbol": "BTCUSDT", "positionSide": "LONG", "positionAmt": "1", "updateTime": 1}
    rows = [row, {**row, "positionSide": "SHORT"}]
    changed = [row, {**row, "positionSide": "SHORT", "updateTime": 2}]
    standing = [lists.states(read_as(list[PositionRow], each)) for each in (rows, changed)]
    assert standing[0].keys() == standing[1].keys() == {"BTCUSDT"}
    assert standing[0] != standing[1]
