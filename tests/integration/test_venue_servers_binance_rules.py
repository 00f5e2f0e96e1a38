"""The Binance server refuses and counts as the venue does: codes, keys, times, rates, pages of
fills, position modes."""

import asyncio
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.integration.signed_binance import (
    LIMIT,
    STOP,
    ask,
    buy,
    heard,
    order,
    private_stream,
    sell_stop,
    steps,
)
from tests.venue_servers.binance import BinanceServer
from tests.venue_servers.faults import Fault, Kind

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def venue() -> Iterator[BinanceServer]:
    with BinanceServer() as server:
        server.quote("BTCUSDT", "50000", "50001")
        yield server


# --- refusals ---


REFUSED: list[tuple[dict[str, str], int]] = [
    ({"symbol": "XXXUSDT"}, -1121),
    ({"side": "UP"}, -1130),
    ({"side": ""}, -1102),
    ({"timeInForce": ""}, -1102),
    ({"type": "STOP_MARKET", "stopPrice": "1"}, -1104),
    ({"type": "STOP_MARKET"}, -4120),
    ({"triggerPrice": "48000"}, -1104),
    ({"quantity": "ten"}, -1100),
    ({"quantity": "0"}, -4003),
    ({"quantity": "0.0105"}, -1111),
    ({"quantity": "0.001"}, -4164),
    ({"quantity": "1001"}, -4005),
    ({"price": "49000.05"}, -1111),
    ({"price": "-1"}, -4001),
    ({"price": "52501"}, -4016),
    ({"side": "SELL", "price": "47499"}, -4024),
    ({"type": "MARKET"}, -1106),
    ({"newClientOrderId": "no spaces"}, -1100),
    ({"newClientOrderId": "x" * 37}, -1100),
    ({"newClientOrderId": "taken"}, -4116),
    ({"reduceOnly": "true"}, -2022),
    ({"positionSide": "LONG"}, -4061),
    ({"quantity": "900"}, -2019),
]


@pytest.mark.parametrize(("changed", "code"), REFUSED, ids=str)
async def test_an_order_is_refused_with_the_code_of_the_venue(
    venue: BinanceServer, changed: dict[str, str], code: int
) -> None:
    assert (await order(venue, **LIMIT, newClientOrderId="taken"))[0] == 200
    status, told = await order(venue, **LIMIT | changed)
    assert (status, told["code"]) == (400, code)
    assert len(venue.account.orders) == 1


STOPS_REFUSED: list[tuple[dict[str, str], int]] = [
    ({"algoType": "VP"}, -1130),
    ({"type": "TRAILING_STOP_MARKET"}, -1130),
    ({"triggerPrice": "50001"}, -2021),
    ({"type": "TAKE_PROFIT_MARKET"}, -2021),
    ({"type": "TAKE_PROFIT_MARKET", "side": "BUY", "triggerPrice": "51000"}, -2021),
    ({"triggerPrice": "49000.01"}, -1111),
    ({"triggerPrice": ""}, -1102),
    ({"clientAlgoId": "taken"}, -4116),
    ({"newClientOrderId": "s2"}, -1104),
    ({"closePosition": "true"}, -1130),
    ({"workingType": "INDEX"}, -1130),
]


@pytest.mark.parametrize(("changed", "code"), STOPS_REFUSED, ids=str)
async def test_a_stop_is_refused_with_the_code_of_the_venue(
    venue: BinanceServer, changed: dict[str, str], code: int
) -> None:
    await sell_stop(venue, clientAlgoId="taken")
    status, told, _ = await ask(venue, "POST", "/fapi/v1/algoOrder", **STOP | changed)
    assert (status, told["code"]) == (400, code)
    assert len(venue.account.orders) == 1


async def test_an_exit_beside_a_stop_can_be_refused(venue: BinanceServer) -> None:
    await buy(venue)
    await sell_stop(venue)
    venue.switch(stops_hold_position=True)
    leaves = {"side": "SELL", "type": "MARKET", "quantity": "0.01", "reduceOnly": "true"}
    assert (await order(venue, **leaves))[1]["code"] == -4118
    await ask(venue, "DELETE", "/fapi/v1/algoOrder", clientAlgoId="s1")
    assert (await order(venue, **leaves))[0] == 200


async def test_an_eleventh_stop_of_a_symbol_is_refused(venue: BinanceServer) -> None:
    for n in range(10):
        await sell_stop(venue, clientAlgoId=f"s{n}")
    status, told, _ = await ask(venue, "POST", "/fapi/v1/algoOrder", **STOP | {"clientAlgoId": "s"})
    assert (status, told["code"]) == (400, -4045)


UNKNOWN = [
    ("GET", "/fapi/v1/order", {"symbol": "BTCUSDT", "origClientOrderId": "none"}, -2013),
    ("GET", "/fapi/v1/order", {"symbol": "ETHUSDT", "origClientOrderId": "entry"}, -2013),
    ("GET", "/fapi/v1/order", {"symbol": "BTCUSDT"}, -1102),
    ("DELETE", "/fapi/v1/order", {"symbol": "BTCUSDT", "orderId": "99"}, -2011),
    ("DELETE", "/fapi/v1/order", {"symbol": "BTCUSDT", "origClientOrderId": "entry"}, -2011),
    ("GET", "/fapi/v1/algoOrder", {"clientAlgoId": "none"}, -2013),
    ("GET", "/fapi/v1/algoOrder", {"clientAlgoId": "entry"}, -2013),
    ("DELETE", "/fapi/v1/algoOrder", {"algoId": "1"}, -2011),
    ("GET", "/fapi/v1/userTrades", {}, -1102),
    ("POST", "/fapi/v1/positionSide/dual", {"dualSidePosition": "false"}, -4059),
    ("POST", "/fapi/v1/positionSide/dual", {"dualSidePosition": "true"}, -4068),
]


@pytest.mark.parametrize(("method", "path", "said", "code"), UNKNOWN)
async def test_what_is_unknown_or_ended_has_its_code_in_each_id_space(
    venue: BinanceServer, method: str, path: str, said: dict[str, str], code: int
) -> None:
    await buy(venue, newClientOrderId="entry")
    status, told, _ = await ask(venue, method, path, **said)
    assert (status, told["code"]) == (400, code)


# --- keys, times and rates ---


async def test_the_time_of_a_request_must_be_near_the_venues(venue: BinanceServer) -> None:
    async def asked(**said: Any) -> int:
        return int((await ask(venue, "GET", "/fapi/v2/balance", **said))[0])

    now = venue.now_ms()
    assert await asked(timestamp=now - 4000) == 200
    assert await asked(timestamp=now - 6000) == 400
    assert await asked(timestamp=now - 6000, recvWindow=10000) == 200
    assert await asked(timestamp=now, recvWindow=60001) == 400
    assert await asked(timestamp=now + 2000) == 400
    venue.clock_ahead_ms = 2000
    assert await asked(timestamp=now + 2000) == 200
    status, told, _ = await ask(venue, "POST", "/fapi/v1/order", timestamp=now - 6000, **LIMIT)
    assert (status, told["code"], len(venue.account.orders)) == (400, -1021, 0)


async def test_a_late_request_is_refused_by_its_own_window(venue: BinanceServer) -> None:
    venue.faults.add(Fault(route="create", kind=Kind.LATE, seconds=0.3))
    said = {"symbol": "BTCUSDT", "recvWindow": "200", **LIMIT}
    status, told, _ = await ask(venue, "POST", "/fapi/v1/order", **said)
    assert (status, told["code"], len(venue.account.orders)) == (400, -1021, 0)


WRONG_SIGNATURES = [
    ({"X-MBX-APIKEY": "key"}, "", 400, -1102),
    ({"X-MBX-APIKEY": "key"}, "&signature=00", 400, -1022),
    ({"X-MBX-APIKEY": "other"}, "&signature=00", 401, -2015),
    ({}, "&signature=00", 401, -2014),
]


@pytest.mark.parametrize(("headers", "end", "status", "code"), WRONG_SIGNATURES)
async def test_key_and_signature_are_checked(
    venue: BinanceServer, headers: dict[str, str], end: str, status: int, code: int
) -> None:
    url = f"{venue.url}/fapi/v3/account?timestamp={venue.now_ms()}{end}"
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as answer:
        assert (answer.status, (await answer.json())["code"]) == (status, code)


async def test_weights_are_counted_then_429_then_418(venue: BinanceServer) -> None:
    venue.switch(weight_limit=100)
    seen = []
    for said in ({"symbol": "BTCUSDT"}, {}, {}, {}, {}, {}, {}, {"symbol": "BTCUSDT"}):
        status, told, headers = await ask(venue, "GET", "/fapi/v1/openOrders", **said)
        code = told["code"] if status != 200 else None
        seen.append((status, headers.get("X-MBX-USED-WEIGHT-1M"), code))
        assert ("Retry-After" in headers) is (status != 200)
    assert [status for status, _, _ in seen] == [200, 200, 200, 429, 429, 429, 429, 418]
    assert [used for _, used, _ in seen[:4]] == ["1", "41", "81", "121"]
    assert {code for _, _, code in seen[3:]} == {-1003}


async def test_orders_are_counted_apart(venue: BinanceServer) -> None:
    venue.switch(order_limit=1)
    assert (await order(venue, **LIMIT))[0] == 200
    status, told = await order(venue, **LIMIT)
    assert (status, told["code"], len(venue.account.orders)) == (429, -1015, 1)


# --- what became of orders ---


async def test_an_immediate_order_fills_what_is_shown_and_expires(venue: BinanceServer) -> None:
    venue.quote("BTCUSDT", "50000", "50001", ask_size="0.004")
    async with private_stream(venue) as socket:
        said = {**LIMIT, "price": "50001", "timeInForce": "IOC"}
        _, told = await order(venue, **said, newOrderRespType="RESULT")
        assert (told["status"], told["executedQty"]) == ("EXPIRED", "0.004")
        expected = ["ORDER_TRADE_UPDATE NEW NEW", "TRADE_LITE", "ACCOUNT_UPDATE"]
        expected += ["ORDER_TRADE_UPDATE TRADE PARTIALLY_FILLED"]
        expected += ["ORDER_TRADE_UPDATE EXPIRED EXPIRED"]
        messages = await heard(socket, 5)
        assert (steps(messages), messages[-1]["o"]["er"]) == (expected, "2")


@pytest.mark.parametrize("wants", [{}, {"newOrderRespType": "ACK"}])
async def test_an_answer_says_what_became_of_an_order_only_if_asked(
    venue: BinanceServer, wants: dict[str, str]
) -> None:
    told = await buy(venue, newClientOrderId="e1", **wants)
    assert (told["status"], told["executedQty"], told["avgPrice"]) == ("NEW", "0", "0.00")
    said = {"symbol": "BTCUSDT", "origClientOrderId": "e1"}
    assert (await ask(venue, "GET", "/fapi/v1/order", **said))[1]["status"] == "FILLED"


async def test_fills_come_in_pages_of_at_most_a_thousand(venue: BinanceServer) -> None:
    venue.account.pieces = 1100
    await buy(venue, quantity="1.1")

    async def page(**said: Any) -> list[int]:
        _, rows, _ = await ask(venue, "GET", "/fapi/v1/userTrades", symbol="BTCUSDT", **said)
        return [row["id"] for row in rows]

    every = [int(fill.id) for fill in venue.account.fills]
    assert await page() == every[-500:]
    assert await page(limit=5000) == every[-1000:]
    first = await page(fromId=0, limit=1000)
    assert first == every[:1000]
    assert await page(fromId=first[-1] + 1, limit=1000) == every[1000:]
    now = venue.now_ms()
    assert await page(startTime=now - 60_000, limit=10) == every[:10]
    assert await page(startTime=now - 9 * 86_400_000) == []
    bad = {"startTime": now - 9 * 86_400_000, "endTime": now}
    assert (await ask(venue, "GET", "/fapi/v1/userTrades", symbol="BTCUSDT", **bad))[0] == 400
    assert (await ask(venue, "GET", "/fapi/v1/userTrades", symbol="SOLUSDT"))[1] == []


async def test_an_account_that_hedges_has_two_sides(venue: BinanceServer) -> None:
    path = "/fapi/v1/positionSide/dual"
    assert (await ask(venue, "POST", path, dualSidePosition="true"))[0] == 200
    assert (await order(venue, side="BUY", type="MARKET", quantity="0.01"))[1]["code"] == -4061
    await buy(venue, positionSide="LONG")
    short = {"type": "MARKET", "quantity": "0.02", "positionSide": "SHORT"}
    assert (await order(venue, side="SELL", **short))[0] == 200
    _, rows, _ = await ask(venue, "GET", "/fapi/v3/positionRisk", symbol="BTCUSDT")
    sides = {row["positionSide"]: row["positionAmt"] for row in rows}
    assert sides == {"LONG": "0.01", "SHORT": "-0.02"}
    asked = STOP | {"positionSide": "LONG", "reduceOnly": "true"}
    assert (await ask(venue, "POST", "/fapi/v1/algoOrder", **asked))[1]["code"] == -1106
    del asked["reduceOnly"]
    assert (await ask(venue, "POST", "/fapi/v1/algoOrder", **asked))[0] == 200
    venue.quote("BTCUSDT", "48990", "48991")
    _, rows, _ = await ask(venue, "GET", "/fapi/v3/positionRisk")
    assert [Decimal(row["positionAmt"]) for row in rows] == [0, Decimal("-0.02")]


async def test_new_orders_can_be_hidden_and_lists_shortened(venue: BinanceServer) -> None:
    venue.faults.add(Fault(route="query", kind=Kind.HIDE_NEW_ORDERS, seconds=0.3))
    _, made = await order(venue, **LIMIT, newClientOrderId="e1")
    said = {"symbol": "BTCUSDT", "origClientOrderId": "e1"}
    assert (await ask(venue, "GET", "/fapi/v1/order", **said))[1]["code"] == -2013
    await asyncio.sleep(0.35)
    assert (await ask(venue, "GET", "/fapi/v1/order", **said))[1]["orderId"] == made["orderId"]
    venue.faults.add(Fault(route="open_orders", kind=Kind.EMPTY_LIST))
    assert (await ask(venue, "GET", "/fapi/v1/openOrders"))[1] == []
    venue.faults.add(Fault(route="account", kind=Kind.EMPTY_LIST))
    assert (await ask(venue, "GET", "/fapi/v3/account"))[1]["positions"] == []
    assert len((await ask(venue, "GET", "/fapi/v3/account"))[1]["positions"]) == 1
    assert (await ask(venue, "DELETE", "/fapi/v1/allOpenOrders", symbol="BTCUSDT"))[0] == 200
    assert (await ask(venue, "GET", "/fapi/v1/openOrders"))[1] == []
