"""The two streams of the Alpaca server of the tests, heard by Alpaca's own client and, frame by
frame, by a plain websocket."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import msgspec
import pytest

from tests.optional import NEEDS_ALPACA, ImportedLate
from tests.venue_servers.alpaca import AlpacaServer

account_stream = ImportedLate("alpaca.trading.stream")
data_stream = ImportedLate("alpaca.data.live.stock")

pytestmark = NEEDS_ALPACA

KEYS = {"key": "K", "secret": "S"}


@pytest.fixture
def server() -> Iterator[AlpacaServer]:
    with AlpacaServer(key="K", secret="S") as started:
        started.quote("AAPL", 100, 101)
        yield started


@asynccontextmanager
async def running(stream: Any, is_ready: Callable[[], bool]) -> AsyncIterator[None]:
    task = asyncio.create_task(stream._run_forever())
    await eventually(is_ready)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await stream.close()


async def eventually(is_so: Callable[[], bool], seconds: float = 5) -> None:
    async with asyncio.timeout(seconds):
        while not is_so():  # noqa: ASYNC110 - it is another thread's
            await asyncio.sleep(0.01)


@asynccontextmanager
async def connected(url: str, **more: Any) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    async with aiohttp.ClientSession() as session, session.ws_connect(url, **more) as socket:
        yield socket


def listeners(server: AlpacaServer) -> int:
    return sum(bool(socket.tags) for socket in server.streams.open)


async def test_the_client_hears_an_order_live_and_end(server: AlpacaServer) -> None:
    heard: list[Any] = []

    async def hear(update: Any) -> None:
        heard.append(update)

    stream = account_stream.TradingStream("K", "S", url_override=f"{server.stream_url}/stream")
    stream.subscribe_trade_updates(hear)
    async with running(stream, lambda: listeners(server) == 1):
        server.account.pieces = 2
        entry = server.foreign_order("AAPL", "buy", 10)
        resting = server.foreign_order(
            "AAPL", "sell", 10, type="stop", stop_price="95", time_in_force="gtc"
        )
        server.close_market()
        waiting = server.foreign_order("MSFT", "buy", 1, time_in_force="gtc")
        server.open_market()
        server.end_order(resting["client_order_id"])
        await eventually(lambda: len(heard) == 9)
    events = [(update.event, update.order.status) for update in heard]
    assert events == [
        ("pending_new", "pending_new"),
        ("new", "new"),
        ("partial_fill", "partially_filled"),
        ("fill", "filled"),
        ("pending_new", "pending_new"),
        ("new", "new"),
        ("accepted", "accepted"),
        ("new", "new"),
        ("canceled", "canceled"),
    ]
    assert [update.position_qty for update in heard[2:4]] == [5, 10]
    assert heard[3].order.client_order_id == entry["client_order_id"]
    assert heard[6].order.client_order_id == waiting["client_order_id"]
    executions = [str(update.execution_id) for update in heard[2:4]]
    assert [row["id"].partition("::")[2] for row in server.account.activities] == executions


async def test_the_client_hears_quotes_trades_and_halts(server: AlpacaServer) -> None:
    quotes: list[Any] = []
    trades: list[Any] = []
    statuses: list[Any] = []
    stream = data_stream.StockDataStream("K", "S", url_override=f"{server.data_url}/v2/iex")
    for subscribe, into in (
        (stream.subscribe_quotes, quotes),
        (stream.subscribe_trades, trades),
        (stream.subscribe_trading_statuses, statuses),
    ):

        async def hear(message: Any, into: list[Any] = into) -> None:
            into.append(message)

        subscribe(hear, "AAPL")
    async with running(stream, lambda: listeners(server) == 1):
        server.quote("MSFT", 300, 301)
        server.quote("AAPL", "100.5", "100.51", bid_size=3, ask_size=4)
        server.quote("AAPL", 0, 102)
        server.trade("AAPL", "100.51", 7)
        server.halt("AAPL")
        server.resume("AAPL")
        await eventually(lambda: len(statuses) == 2)
    first, second = quotes
    assert (first.bid_price, first.ask_price) == (100.5, 100.51)
    assert (first.bid_size, first.ask_size) == (3, 4)
    assert (second.bid_price, second.bid_size) == (0, 0)
    assert (trades[0].price, trades[0].size) == (100.51, 7)
    assert [status.status_code for status in statuses] == ["H", "T"]
    assert statuses[0].reason_code == "LUDP"


async def test_the_account_stream_is_json_in_binary_frames(server: AlpacaServer) -> None:
    async with connected(f"{server.stream_url}/stream") as socket:
        await socket.send_json({"action": "listen", "data": {"streams": ["trade_updates"]}})
        refused = await socket.receive()
        assert refused.type is aiohttp.WSMsgType.BINARY
        data = {"status": "unauthorized", "action": "listen"}
        assert json.loads(refused.data) == {"stream": "authorization", "data": data}
        await socket.send_json({"action": "auth", **KEYS})
        data = {"status": "authorized", "action": "authenticate"}
        assert json.loads(await socket.receive_bytes())["data"] == data
        await socket.send_json({"action": "listen", "data": {"streams": ["trade_updates", "no"]}})
        listening = {"stream": "listening", "data": {"streams": ["trade_updates"]}}
        assert json.loads(await socket.receive_bytes()) == listening
        server.account.sends_pending_cancel = True
        order = server.foreign_order("AAPL", "buy", 1, type="limit", limit_price="90")
        server.call(server.account.ask_cancel, order["id"])
        heard = [json.loads(await socket.receive_bytes())["data"] for _ in range(3)]
        assert [data["event"] for data in heard] == ["pending_new", "new", "pending_cancel"]
        assert heard[2]["order"]["status"] == "pending_cancel"


async def test_the_account_stream_closes_on_wrong_keys(server: AlpacaServer) -> None:
    async with connected(f"{server.stream_url}/stream") as socket:
        data = {"key_id": "K", "secret_key": "wrong"}
        await socket.send_json({"action": "authenticate", "data": data})
        assert json.loads(await socket.receive_bytes())["data"]["status"] == "unauthorized"
        assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE


async def greeted(socket: aiohttp.ClientWebSocketResponse, **message: Any) -> Any:
    """The answer to a message on a data stream whose greeting is still to be read."""
    assert await socket.receive_json() == [{"T": "success", "msg": "connected"}]
    await socket.send_json(message)
    return await socket.receive_json()


async def test_the_data_stream_is_json_with_numbers(server: AlpacaServer) -> None:
    async with connected(f"{server.data_url}/v2/iex") as socket:
        answer = await greeted(socket, action="auth", **KEYS)
        assert answer == [{"T": "success", "msg": "authenticated"}]
        await socket.send_json({"action": "subscribe", "quotes": ["AAPL", "SPY"]})
        subscribed = (await socket.receive_json())[0]
        assert (subscribed["quotes"], subscribed["trades"]) == (["AAPL", "SPY"], [])
        server.quote("AAPL", "100.10", "100.2")
        [quote] = json.loads(await socket.receive_str(), parse_float=str)
        assert (quote["T"], quote["S"], quote["bp"], quote["ap"]) == (
            "q",
            "AAPL",
            "100.10",
            "100.2",
        )
        assert quote["t"].endswith("Z")
        await socket.send_json({"action": "unsubscribe", "quotes": ["AAPL"]})
        assert (await socket.receive_json())[0]["quotes"] == ["SPY"]


async def test_the_data_stream_is_messagepack_for_who_asks(server: AlpacaServer) -> None:
    headers = {"Content-Type": "application/msgpack"}
    headers |= {"APCA-API-KEY-ID": "K", "APCA-API-SECRET-KEY": "S"}
    async with connected(f"{server.data_url}/v2/iex", headers=headers) as socket:
        heard = [msgspec.msgpack.decode(await socket.receive_bytes())[0] for _ in range(2)]
        assert [message["msg"] for message in heard] == ["connected", "authenticated"]


async def test_a_second_data_connection_is_one_too_many(server: AlpacaServer) -> None:
    async with connected(f"{server.data_url}/v2/iex") as first:
        await greeted(first, action="auth", **KEYS)
        async with connected(f"{server.data_url}/v2/iex") as second:
            answer = await greeted(second, action="auth", **KEYS)
            assert answer == [{"T": "error", "code": 406, "msg": "connection limit exceeded"}]
            assert (await second.receive()).type is aiohttp.WSMsgType.CLOSE
    await eventually(lambda: not server.streams.open)
    async with connected(f"{server.data_url}/v2/iex") as third:
        answer = await greeted(third, action="auth", **KEYS)
        assert answer == [{"T": "success", "msg": "authenticated"}]


async def test_the_data_stream_names_each_error(server: AlpacaServer) -> None:
    server.data.auth_seconds = 0.2
    async with connected(f"{server.data_url}/v2/iex") as socket:
        assert (await greeted(socket, action="subscribe", quotes=["A"]))[0]["code"] == 401
        assert (await socket.receive_json())[0]["code"] == 404
    async with connected(f"{server.data_url}/v2/iex") as socket:
        answer = await greeted(socket, action="auth", key="K", secret="wrong")
        assert answer == [{"T": "error", "code": 402, "msg": "auth failed"}]
    async with connected(f"{server.data_url}/v2/iex") as socket:
        await greeted(socket, action="auth", **KEYS)
        thirty_one = [f"S{number}" for number in range(31)]
        for message, code in (
            ({"action": "auth", **KEYS}, 403),
            ({"action": "subscribe", "quotes": thirty_one}, 405),
            ({"action": "subscribe", "news": ["AAPL"]}, 410),
            ({"action": "dance"}, 400),
            (["subscribe"], 400),
        ):
            await socket.send_json(message)
            assert (await socket.receive_json())[0]["code"] == code


async def test_the_account_stream_may_repeat_an_order_and_says_why_one_ended(
    server: AlpacaServer,
) -> None:
    """As users have recorded it: each time with the same execution ids."""
    async with connected(f"{server.stream_url}/stream") as socket:
        await socket.send_json({"action": "auth", **KEYS})
        await socket.send_json({"action": "listen", "data": {"streams": ["trade_updates"]}})
        await socket.receive_bytes()
        await socket.receive_bytes()
        server.foreign_order("AAPL", "buy", 1, client_order_id="twice")
        server.publish_again("twice")
        heard = [json.loads(await socket.receive_bytes())["data"] for _ in range(5)]
        assert [data["event"] for data in heard] == ["pending_new", "new", "fill", "new", "fill"]
        assert "execution_id" not in heard[0]
        assert heard[1:3] == heard[3:5]
        assert heard[1]["execution_id"] != heard[2]["execution_id"]
        stop = {"type": "stop", "stop_price": "95", "client_order_id": "stop"}
        server.foreign_order("AAPL", "sell", 1, **stop)
        server.end_order("stop", "canceled", "Unsolicited: Bad Stop 95")
        ended = [json.loads(await socket.receive_bytes())["data"] for _ in range(3)][-1]
        assert (ended["event"], ended["reason"]) == ("canceled", "Unsolicited: Bad Stop 95")
        assert ended["order"]["status"] == "canceled"


async def test_a_client_that_is_cut_off_comes_back(
    server: AlpacaServer, caplog: pytest.LogCaptureFixture
) -> None:
    """What happened meanwhile is not sent again: a client has to ask."""
    caplog.set_level(logging.CRITICAL, "alpaca")
    heard: list[Any] = []

    async def hear(update: Any) -> None:
        heard.append(update.event)

    stream = account_stream.TradingStream("K", "S", url_override=f"{server.stream_url}/stream")
    stream._reconnect_min_backoff = 0.05
    stream.subscribe_trade_updates(hear)
    async with running(stream, lambda: listeners(server) == 1):
        server.streams.close(1001)
        await eventually(lambda: not server.streams.open)
        server.foreign_order("AAPL", "buy", 1)
        await eventually(lambda: listeners(server) == 1)
        server.foreign_order("MSFT", "buy", 1)
        await eventually(lambda: len(heard) == 2)
    assert heard == ["pending_new", "new"]
