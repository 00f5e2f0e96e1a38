"""The loopback Bybit, asked by hand as the venue's documentation says, and wrongly on purpose: what
it refuses with which code, how lists are paged, and what its streams tell in which order.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest

from tests.venue_servers.bybit import BybitServer
from tests.venue_servers.bybit_requests import sign
from tests.venue_servers.faults import Fault, Kind

Row = dict[str, Any]


@pytest.fixture
def venue() -> Iterator[BybitServer]:
    with BybitServer(key="K", secret="S") as server:
        server.quote("BTCUSDT", "59999.9", "60000", bid_size=50, ask_size=50)
        yield server


class Hand:
    """Signs as the documentation says, and lets every part of it be wrong."""

    def __init__(self, venue: BybitServer, session: aiohttp.ClientSession) -> None:
        self.venue = venue
        self.session = session

    async def ask(self, method: str, path: str, **more: Any) -> Row:
        fields = more.get("fields", {})
        stamp = str(self.venue.now_ms() + more.get("late_ms", 0))
        text = json.dumps(fields) if method == "POST" else urlencode(fields)
        signed = sign(more.get("secret", "S"), f"{stamp}{more.get('key', 'K')}5000{text}")
        headers = {
            "X-BAPI-API-KEY": more.get("key", "K"),
            "X-BAPI-TIMESTAMP": stamp,
            "X-BAPI-RECV-WINDOW": "5000",
            "X-BAPI-SIGN": signed,
        }
        url = self.venue.url + path + (f"?{text}" if method == "GET" and text else "")
        data = text if method == "POST" else None
        async with self.session.request(method, url, data=data, headers=headers) as answer:
            self.headers = answer.headers
            found: Row = await answer.json()
            return found

    async def get(self, path: str, **fields: Any) -> Row:
        answer = await self.ask("GET", path, fields={"category": "linear"} | fields)
        assert answer["retCode"] == 0, answer
        result: Row = answer["result"]
        return result

    async def order(self, **fields: Any) -> Row:
        usual = {"category": "linear", "symbol": "BTCUSDT", "side": "Buy", "qty": "0.01"}
        usual |= {"orderType": "Limit", "price": "50000"}
        return await self.ask("POST", "/v5/order/create", fields=usual | fields)


@pytest.fixture
async def hand(venue: BybitServer) -> AsyncIterator[Hand]:
    async with aiohttp.ClientSession() as session:
        yield Hand(venue, session)


MARKET = {"orderType": "Market"}
STOP = MARKET | {"side": "Sell", "triggerPrice": "59000", "triggerDirection": 2}

REFUSED_ORDERS = [
    ({"orderLinkId": "x" * 37}, 10001),
    ({"orderLinkId": "no/slash"}, 10001),
    ({"symbol": "NOPE"}, 10001),
    ({"category": "spot"}, 10001),
    ({"side": "buy"}, 10001),
    ({"qty": 0.01}, 10001),
    ({"qty": "0.0105"}, 10001),
    ({"qty": "0"}, 10001),
    ({"qty": "2000"}, 10001),
    ({"qty": "0.001", "price": "4000"}, 110094),
    ({"price": "50000.05"}, 10001),
    ({"clientOrderId": "A"}, 10001),
    ({"takeProfit": "70000"}, 10001),
    ({"positionIdx": 1}, 10001),
    ({"qty": "100"}, 110007),
    ({"reduceOnly": True, "side": "Sell"}, 110017),
    (STOP | {"triggerDirection": None}, 10001),
    (STOP | {"triggerPrice": "60100"}, 110093),
    (STOP | {"triggerDirection": 1}, 110092),
    ({"orderLinkId": "TAKEN"}, 110072),
]


@pytest.mark.parametrize(("fields", "code"), REFUSED_ORDERS, ids=lambda value: str(value)[:60])
async def test_an_order_that_the_venue_forbids_is_refused_with_its_code(
    hand: Hand, venue: BybitServer, fields: Row, code: int
) -> None:
    assert (await hand.order(orderLinkId="TAKEN"))["retCode"] == 0
    await hand.ask(
        "POST",
        "/v5/order/cancel",
        fields={"category": "linear", "symbol": "BTCUSDT", "orderLinkId": "TAKEN"},
    )
    assert (await hand.order(**fields))["retCode"] == code
    assert len(venue.account.orders) == 1


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"key": "other"}, 10003),
        ({"secret": "other"}, 10004),
        ({"late_ms": -5100}, 10002),
        ({"late_ms": 1100}, 10002),
        ({"late_ms": -4000}, 0),
    ],
)
async def test_a_request_is_admitted_by_key_signature_and_time(
    hand: Hand, wrong: Row, code: int
) -> None:
    assert (await hand.ask("GET", "/v5/account/info", **wrong))["retCode"] == code


async def test_a_key_may_be_deleted_expire_or_only_read(hand: Hand, venue: BybitServer) -> None:
    venue.change_key(refused_with=33004)
    assert (await hand.order())["retCode"] == 33004
    venue.change_key(is_read_only=True)
    assert (await hand.order())["retCode"] == 10005
    assert (await hand.get("/v5/user/query-api"))["readOnly"] == 1


async def test_requests_are_counted_by_path_over_a_second(hand: Hand, venue: BybitServer) -> None:
    venue.orders_per_second = 2
    assert [(await hand.order())["retCode"] for _ in range(3)] == [0, 0, 10006]
    assert hand.headers["X-Bapi-Limit-Status"] == "0"
    assert int(hand.headers["X-Bapi-Limit-Reset-Timestamp"]) > venue.now_ms() - 1
    await hand.get("/v5/order/realtime", symbol="BTCUSDT")
    assert len(venue.account.orders) == 2


async def test_every_page_has_a_cursor_but_the_empty_one(hand: Hand, venue: BybitServer) -> None:
    venue.account.pieces = 6
    await hand.order(**MARKET, qty="0.06")
    venue.funding("BTCUSDT", "-1.5")
    seen: list[Row] = []
    sizes: list[int] = []
    cursor = ""
    while not sizes or cursor:
        found = await hand.get("/v5/execution/list", limit=4, cursor=cursor)
        seen += found["list"]
        sizes.append(len(found["list"]))
        cursor = found["nextPageCursor"]
    assert sizes == [4, 3, 0]
    assert len({row["execId"] for row in seen}) == 7
    assert (seen[0]["execType"], seen[0]["execFee"]) == ("Funding", "1.5")
    assert [row["leavesQty"] for row in seen[1:]] == ["0", "0.01", "0.02", "0.03", "0.04", "0.05"]


async def test_a_cursor_may_stand_still(hand: Hand, venue: BybitServer) -> None:
    venue.cursor_stands_still = True
    await hand.order()
    pages: list[tuple[list[str], str]] = []
    cursor = ""
    for _ in range(3):
        found = await hand.get("/v5/order/realtime", symbol="BTCUSDT", cursor=cursor)
        cursor = found["nextPageCursor"]
        pages.append(([row["orderId"] for row in found["list"]], cursor))
    assert pages[0] == pages[1] == pages[2]


async def test_orders_that_only_close_share_what_is_held_but_stops_do_not(
    hand: Hand, venue: BybitServer
) -> None:
    await hand.order(**MARKET, qty="0.03")
    close = {"side": "Sell", "reduceOnly": True}
    assert (await hand.order(**close, price="70000", qty="0.02"))["retCode"] == 0
    assert (await hand.order(**close, price="70000", qty="0.02"))["retCode"] == 0
    assert [order.quantity for order in venue.account.open_orders()] == [
        Decimal("0.02"),
        Decimal("0.01"),
    ]
    assert (await hand.order(**close | MARKET))["retCode"] == 110017
    assert (await hand.order(**close | STOP, qty="0.03"))["retCode"] == 0


async def test_a_list_of_executions_covers_seven_days(hand: Hand, venue: BybitServer) -> None:
    day_ms = 24 * 3600 * 1000
    await hand.order(**MARKET)
    venue.move_clock(8 * day_ms)
    now = venue.now_ms()
    assert not (await hand.get("/v5/execution/list"))["list"]
    assert (await hand.get("/v5/execution/list", startTime=now - 9 * day_ms))["list"]
    wide = {"category": "linear", "startTime": now - 9 * day_ms, "endTime": now}
    assert (await hand.ask("GET", "/v5/execution/list", fields=wide))["retCode"] == 10001


async def test_a_hedging_account_has_two_positions_of_a_symbol(hand: Hand) -> None:
    mode = {"category": "linear", "coin": "USDT", "mode": 3}
    assert (await hand.ask("POST", "/v5/position/switch-mode", fields=mode))["retCode"] == 0
    again = await hand.ask("POST", "/v5/position/switch-mode", fields=mode)
    assert again["retCode"] == 110025
    await hand.order(**MARKET, positionIdx=1)
    await hand.order(**MARKET, positionIdx=2, side="Sell", qty="0.02")
    found = await hand.get("/v5/position/list", symbol="BTCUSDT")
    assert [(p["positionIdx"], p["side"], p["size"]) for p in found["list"]] == [
        (1, "Buy", "0.01"),
        (2, "Sell", "0.02"),
    ]
    back = await hand.ask("POST", "/v5/position/switch-mode", fields=mode | {"mode": 0})
    assert back["retCode"] == 110024
    reduce = {"positionIdx": 1, "side": "Sell", "qty": "5", "reduceOnly": True}
    assert (await hand.order(**MARKET | reduce))["retCode"] == 0
    assert [
        p["size"] for p in (await hand.get("/v5/position/list", settleCoin="USDT"))["list"]
    ] == ["0.02"]


async def test_faults_hit_entries_stops_and_questions_each_by_its_name(
    hand: Hand, venue: BybitServer
) -> None:
    timeout = {"retCode": 10016, "retMsg": "System error. Please try again later."}
    venue.faults.add(Fault(route="stop", kind=Kind.ANSWER_AFTER_DOING, body=timeout))
    venue.faults.add(Fault(route="query", kind=Kind.HIDE_NEW_ORDERS, seconds=60))
    assert (await hand.order(orderLinkId="E"))["retCode"] == 0
    assert (await hand.order(**STOP, orderLinkId="S"))["retCode"] == 10016
    for path in ("/v5/order/realtime", "/v5/order/history"):
        assert not (await hand.get(path, orderLinkId="S"))["list"]
    venue.faults.clear()
    found = await hand.get("/v5/order/realtime", orderLinkId="S")
    assert [row["orderStatus"] for row in found["list"]] == ["Untriggered"]
    assert [arrived.route for arrived in venue.requests] == [
        "create",
        "stop",
        "query",
        "query",
        "query",
    ]
    venue.keeps_ended_in_realtime = False
    await hand.ask(
        "POST",
        "/v5/order/cancel",
        fields={"category": "linear", "symbol": "BTCUSDT", "orderLinkId": "S"},
    )
    assert not (await hand.get("/v5/order/realtime", orderLinkId="S"))["list"]
    (ended,) = (await hand.get("/v5/order/history", orderLinkId="S"))["list"]
    assert ended["orderStatus"] == "Deactivated"


async def test_a_cancel_that_takes_its_time_may_be_overtaken(
    hand: Hand, venue: BybitServer
) -> None:
    venue.cancel_takes_seconds = 0.1
    named = {"category": "linear", "symbol": "BTCUSDT", "orderLinkId": "A"}
    await hand.order(orderLinkId="A")
    assert (await hand.ask("POST", "/v5/order/cancel", fields=named))["retCode"] == 0
    venue.quote("BTCUSDT", "49000", "49001")
    await asyncio.sleep(0.2)
    (row,) = (await hand.get("/v5/order/realtime", orderLinkId="A"))["list"]
    assert row["orderStatus"] == "Filled"


async def test_people_reach_the_market_by_controls(hand: Hand, venue: BybitServer) -> None:
    async def control(name: str, **words: Any) -> int:
        url = f"{venue.url}/_control/{name}"
        async with hand.session.post(url, json=words) as answer:
            return answer.status

    assert await control("behave", pieces=3) == 200
    assert await control("quote", symbol="XRPUSDT", bid="2", ask="2.0001") == 200
    assert await control("foreign", symbol="XRPUSDT", side="sell", quantity=30) == 200
    assert await control("funding", symbol="XRPUSDT", amount="0.5") == 200
    async with hand.session.get(f"{venue.url}/_control/account") as answer:
        account = await answer.json()
    assert (account["fills"], account["positions"][0]["size"]) == (3, "30")
    assert await control("liquidate", symbol="XRPUSDT") == 200
    assert await control("liquidate", symbol="XRPUSDT") == 400
    assert await control("behave", magic=1) == 400
    assert await control("halt", symbol="BTCUSDT") == 200
    assert (await hand.order())["retCode"] == 110066


# --- streams --------------------------------------------------------------------------------------


async def private(venue: BybitServer, session: aiohttp.ClientSession, secret: str = "S") -> Any:
    socket = await session.ws_connect(f"{venue.stream_url}/v5/private")
    expires = venue.now_ms() + 5000
    signed = sign(secret, f"GET/realtime{expires}")
    await socket.send_json({"op": "auth", "args": ["K", expires, signed]})
    return socket


async def pushed(socket: Any, count: int) -> list[Row]:
    async with asyncio.timeout(5):
        return [await socket.receive_json() for _ in range(count)]


async def test_the_account_stream_tells_a_trigger_a_liquidation_and_twenty_fills(
    hand: Hand, venue: BybitServer
) -> None:
    socket = await private(venue, hand.session)
    await socket.send_json({"op": "subscribe", "args": ["order", "execution.linear", "position"]})
    await socket.send_json({"op": "ping", "req_id": "7"})
    auth, subscribed, pong = await pushed(socket, 3)
    assert (auth["success"], subscribed["success"]) == (True, True)
    assert (pong["op"], pong["req_id"]) == ("pong", "7")

    await hand.order(**MARKET, qty="0.1")
    await hand.order(**STOP, qty="0.1", reduceOnly=True, orderLinkId="S")
    told = await pushed(socket, 4)
    topics = [message["topic"] for message in told]
    assert topics == ["execution.linear", "order", "position", "order"]
    assert told[3]["data"][0]["orderStatus"] == "Untriggered"
    stop_id = told[3]["data"][0]["orderId"]

    venue.account.pieces = 20
    venue.quote("BTCUSDT", "58000", "58001")
    told = await pushed(socket, 1 + 21 + 1)
    fills = told[0]["data"]
    assert (len(fills), {row["orderId"] for row in fills}) == (20, {stop_id})
    assert sum(Decimal(row["execQty"]) for row in fills) == Decimal("0.1")
    orders = [message["data"][0]["orderStatus"] for message in told if message["topic"] == "order"]
    assert orders == ["Triggered", *["PartiallyFilled"] * 19, "Filled"]

    venue.account.pieces = 1
    venue.foreign_order("BTCUSDT", "buy", "0.1")
    venue.liquidate("BTCUSDT", kind="deleveraging")
    told = await pushed(socket, 6)
    execution = told[3]["data"][0]
    assert (execution["execType"], execution["orderLinkId"]) == ("AdlTrade", "")
    assert execution["createType"] == "CreateByAdl_PassThrough"
    assert told[5]["data"][0]["size"] == "0"
    await socket.close()


async def test_the_account_stream_admits_only_a_true_signature_and_known_topics(
    hand: Hand, venue: BybitServer
) -> None:
    socket = await private(venue, hand.session, secret="wrong")
    (refused,) = await pushed(socket, 1)
    assert refused["success"] is False
    assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE
    socket = await private(venue, hand.session)
    await socket.send_json({"op": "subscribe", "args": ["orders"]})
    assert [message["success"] for message in await pushed(socket, 2)] == [True, False]
    await socket.close()


async def test_the_book_is_told_whole_then_by_changes_and_again_after_silence(
    hand: Hand, venue: BybitServer
) -> None:
    socket = await hand.session.ws_connect(f"{venue.data_url}/v5/public/linear")
    await socket.send_json({"op": "subscribe", "args": ["orderbook.1.BTCUSDT"]})
    _, whole = await pushed(socket, 2)
    assert (whole["type"], whole["data"]["b"]) == ("snapshot", [["59999.9", "50"]])
    venue.quote("BTCUSDT", "59999", "60000", bid_size=1, ask_size=50)
    (change,) = await pushed(socket, 1)
    assert change["type"] == "delta"
    assert change["data"]["b"] == [["59999.9", "0"], ["59999", "1"]]
    assert change["data"]["a"] == []
    started = time.monotonic()
    (again,) = await pushed(socket, 1)
    assert time.monotonic() - started > 2.5
    assert (again["type"], again["data"]["u"]) == ("snapshot", change["data"]["u"])
    await socket.close()
