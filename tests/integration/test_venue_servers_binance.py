"""The Binance server speaks the protocol of Binance: clients that others have written read its
symbols, place, cancel and find orders and stops there, and hear of their fills."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import pytest

from tests.integration.signed_binance import (
    KEY,
    SECRET,
    ask,
    buy,
    heard,
    order,
    private_stream,
    sell_stop,
    steps,
)
from tests.venue_servers.binance import BinanceServer
from tests.venue_servers.binance_events import TriggerSequence

WHY = "needs the clients of others: pip install -r requirements-venues.txt"


@pytest.fixture
def venue() -> Iterator[BinanceServer]:
    with BinanceServer(key=KEY, secret=SECRET) as server:
        server.quote("BTCUSDT", "50000", "50001")
        yield server


@asynccontextmanager
async def ccxt_client(venue: BinanceServer) -> AsyncIterator[Any]:
    pro = pytest.importorskip("ccxt.pro", reason=WHY)
    options = {"fetchCurrencies": False, "warnOnFetchOpenOrdersWithoutSymbol": False}
    exchange = pro.binanceusdm({"apiKey": KEY, "secret": SECRET, "options": options})
    exchange.enableRateLimit = False
    exchange.urls["api"] = redirected(exchange.urls["api"], venue)
    try:
        yield exchange
    finally:
        await exchange.close()


def redirected(urls: Any, venue: BinanceServer) -> Any:
    """The same addresses with the server's host in place of the venue's."""
    if isinstance(urls, dict):
        return {name: redirected(value, venue) for name, value in urls.items()}
    scheme, _, rest = urls.partition("://")
    base = venue.stream_url if scheme == "wss" else venue.url
    return base + "/" + rest.partition("/")[2]


@asynccontextmanager
async def python_binance(venue: BinanceServer) -> AsyncIterator[Any]:
    binance = pytest.importorskip("binance", reason=WHY)

    class Client(binance.AsyncClient):  # type: ignore[misc, name-defined]
        API_URL = venue.url + "/api"
        FUTURES_URL = venue.url + "/fapi"

    client = await Client.create(KEY, SECRET)
    try:
        yield client
    finally:
        await client.close_connection()


# --- ccxt ---


async def test_ccxt_reads_symbols_and_account(venue: BinanceServer) -> None:
    async with ccxt_client(venue) as exchange:
        markets = await exchange.load_markets()
        market = markets["BTC/USDT:USDT"]
        assert (market["precision"]["price"], market["precision"]["amount"]) == (0.1, 0.001)
        tickers = await exchange.fetch_bids_asks(["BTC/USDT:USDT"])
        assert tickers["BTC/USDT:USDT"]["ask"] == 50001
        assert (market["limits"]["cost"]["min"], market["active"]) == (50, True)
        assert (await exchange.fetch_balance())["USDT"]["total"] == 100000
        assert await exchange.fetch_positions() == []
        restrictions = await exchange.sapiGetAccountApiRestrictions()
        assert restrictions["enableWithdrawals"] is False
        venue.enable_withdrawals = True
        assert (await exchange.sapiGetAccountApiRestrictions())["enableWithdrawals"] is True


async def test_ccxt_trades_and_finds_what_it_did(venue: BinanceServer) -> None:
    async with ccxt_client(venue) as exchange:
        symbol = "BTC/USDT:USDT"
        words = {"clientOrderId": "entry-1", "timeInForce": "IOC"}
        entry = await exchange.create_order(symbol, "limit", "buy", 0.01, 50010, words)
        assert (entry["clientOrderId"], entry["status"], entry["filled"]) == (
            "entry-1",
            "closed",
            0.01,
        )
        again = await exchange.fetch_order(None, symbol, {"clientOrderId": "entry-1"})
        assert (again["id"], again["average"]) == (entry["id"], 50001)
        (trade,) = await exchange.fetch_my_trades(symbol)
        assert (trade["order"], trade["price"], trade["fee"]["currency"]) == (
            entry["id"],
            50001,
            "USDT",
        )
        (position,) = await exchange.fetch_positions()
        assert (position["side"], position["contracts"]) == ("long", 0.01)
        rest = await exchange.create_order(
            symbol, "limit", "sell", 0.01, 60000, {"clientOrderId": "exit-1", "reduceOnly": True}
        )
        assert [order["id"] for order in await exchange.fetch_open_orders(symbol)] == [rest["id"]]
        ended = await exchange.cancel_order(None, symbol, {"clientOrderId": "exit-1"})
        assert (ended["id"], ended["status"]) == (rest["id"], "canceled")
        out = await exchange.create_order(
            symbol, "market", "sell", 0.01, None, {"reduceOnly": True}
        )
        assert (out["status"], await exchange.fetch_positions()) == ("closed", [])
        assert venue.account.cash == Decimal(100000) - Decimal("0.01") - Decimal("0.500005")


async def test_a_stop_lives_in_an_id_space_of_its_own(venue: BinanceServer) -> None:
    ccxt = pytest.importorskip("ccxt", reason=WHY)
    async with ccxt_client(venue) as exchange:
        symbol = "BTC/USDT:USDT"
        await exchange.create_order(symbol, "market", "buy", 0.01)
        words = {"stopLossPrice": 49000, "clientOrderId": "stop-1", "reduceOnly": True}
        stop = await exchange.create_order(symbol, "market", "sell", 0.01, None, words)
        assert (stop["clientOrderId"], stop["triggerPrice"]) == ("stop-1", 49000)
        with pytest.raises(ccxt.OrderNotFound):
            await exchange.fetch_order(None, symbol, {"clientOrderId": "stop-1"})
        assert await exchange.fetch_open_orders(symbol) == []
        by_trigger = {"trigger": True}
        for scope in (symbol, None):
            (found,) = await exchange.fetch_open_orders(scope, None, None, by_trigger)
            assert (found["id"], found["clientOrderId"]) == (stop["id"], "stop-1")
        named = {"clientOrderId": "stop-1", **by_trigger}
        assert (await exchange.fetch_order(None, symbol, named))["status"] == "open"
        gone = await exchange.cancel_order(None, symbol, named)
        assert gone["info"]["code"] == "200"
        assert await exchange.fetch_open_orders(symbol, None, None, by_trigger) == []
        assert (await exchange.fetch_order(None, symbol, named))["status"] == "canceled"
        venue.serves_ended_stops = False
        with pytest.raises(ccxt.OrderNotFound):
            await exchange.fetch_order(None, symbol, named)


async def test_ccxt_hears_orders_and_quotes(venue: BinanceServer) -> None:
    async with ccxt_client(venue) as exchange:
        symbol = "BTC/USDT:USDT"
        await exchange.load_markets()
        watching = asyncio.ensure_future(exchange.watch_orders(symbol))
        quotes = asyncio.ensure_future(exchange.watch_bids_asks([symbol]))
        await until(lambda: len(venue.streams.open) == 2)
        await until(lambda: any("btcusdt@bookTicker" in s.tags for s in venue.streams.open))
        venue.quote("BTCUSDT", "50002", "50003")
        assert (await asyncio.wait_for(quotes, 3))[symbol]["bid"] == 50002
        words = {"clientOrderId": "entry-1"}
        await exchange.create_order(symbol, "limit", "buy", 0.01, 40000, words)
        (order,) = await asyncio.wait_for(watching, 3)
        assert (order["clientOrderId"], order["status"]) == ("entry-1", "open")


async def until(is_so: Any) -> None:
    for _ in range(300):
        if is_so():
            return
        await asyncio.sleep(0.01)
    pytest.fail("it did not become so within 3 s")


# --- python-binance ---


async def test_python_binance_trades_and_hears_of_it(
    venue: BinanceServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    binance = pytest.importorskip("binance", reason=WHY)
    # How long it may take to notice that it is closed.
    monkeypatch.setattr(binance.ws.reconnecting_websocket.ReconnectingWebsocket, "TIMEOUT", 0.2)

    class Sockets(binance.BinanceSocketManager):  # type: ignore[misc, name-defined]
        FSTREAM_URL = venue.stream_url + "/"

    async with python_binance(venue) as client:
        sockets = Sockets(client)
        names = ["btcusdt@bookTicker"]
        async with (
            sockets.futures_user_socket() as private,
            sockets.futures_multiplex_socket(names, category="public") as public,
        ):
            venue.quote("BTCUSDT", "50010", "50011", bid_size="3", ask_size="4")
            told = await public.recv()
            assert (told["stream"], told["data"]["b"], told["data"]["A"]) == (
                names[0],
                "50010",
                "4",
            )
            entry = await client.futures_create_order(
                symbol="BTCUSDT",
                side="BUY",
                type="MARKET",
                quantity="0.01",
                newOrderRespType="RESULT",
            )
            assert (entry["status"], entry["avgPrice"]) == ("FILLED", "50011.00000")
            expected = ["ORDER_TRADE_UPDATE NEW NEW", "TRADE_LITE", "ACCOUNT_UPDATE"]
            expected += ["ORDER_TRADE_UPDATE TRADE FILLED"]
            assert steps([await private.recv() for _ in expected]) == expected
            stop = await client.futures_create_order(
                symbol="BTCUSDT",
                side="SELL",
                type="STOP_MARKET",
                quantity="0.01",
                stopPrice="49000",
                reduceOnly="true",
                clientAlgoId="s1",
            )
            assert steps([await private.recv()]) == ["ALGO_UPDATE NEW"]
            assert [s["algoId"] for s in await client.futures_get_open_algo_orders()] == [
                stop["algoId"]
            ]
            (position,) = await client.futures_position_information()
            assert position["positionAmt"] == "0.01"
            await client.futures_cancel_algo_order(clientAlgoId="s1")
            assert steps([await private.recv()]) == ["ALGO_UPDATE CANCELED"]
            await client.futures_change_leverage(symbol="BTCUSDT", leverage=5)
            assert steps([await private.recv()]) == ["ACCOUNT_CONFIG_UPDATE"]
            assert (await client.futures_get_position_mode())["dualSidePosition"] is False
    assert [a.status for a in venue.requests if a.route == "unknown"] == []


# --- stops, by the messages of the private stream ---

CHILD = ["ORDER_TRADE_UPDATE NEW NEW", "TRADE_LITE", "ACCOUNT_UPDATE"]
CHILD += ["ORDER_TRADE_UPDATE TRADE FILLED"]
SEQUENCES = {
    TriggerSequence.STOP_FIRST: [
        *("ALGO_UPDATE TRIGGERING", "ALGO_UPDATE TRIGGERED"),
        *CHILD,
        "ALGO_UPDATE FINISHED",
    ],
    TriggerSequence.CHILD_FIRST: [
        *CHILD,
        *("ALGO_UPDATE TRIGGERING", "ALGO_UPDATE TRIGGERED", "ALGO_UPDATE FINISHED"),
    ],
    TriggerSequence.REJECTED: ["ALGO_UPDATE TRIGGERING", "ALGO_UPDATE REJECTED"],
    TriggerSequence.STUCK: ["ALGO_UPDATE TRIGGERING"],
}


@pytest.mark.parametrize("sequence", TriggerSequence)
@pytest.mark.parametrize("named", ["same", "foreign"])
async def test_a_triggered_stop_tells_it_in_the_chosen_sequence(
    venue: BinanceServer, sequence: TriggerSequence, named: str
) -> None:
    venue.switch(trigger_sequence=sequence.value, child_client_id=named, child_leads_seconds=0.1)
    await buy(venue)
    async with private_stream(venue) as socket:
        stop = await sell_stop(venue)
        assert steps(await heard(socket, 1)) == ["ALGO_UPDATE NEW"]
        venue.quote("BTCUSDT", "48990", "48991")
        messages = await heard(socket, len(SEQUENCES[sequence]))
    assert steps(messages) == SEQUENCES[sequence]
    by_step = dict(zip(steps(messages), messages, strict=True))
    status, asked, _ = await ask(venue, "GET", "/fapi/v1/algoOrder", clientAlgoId="s1")
    assert (status, asked["algoId"]) == (200, stop["algoId"])
    if sequence is TriggerSequence.STUCK:
        assert (asked["algoStatus"], asked["actualOrderId"]) == ("TRIGGERING", "")
        status, told, _ = await ask(venue, "DELETE", "/fapi/v1/algoOrder", clientAlgoId="s1")
        assert (status, told["code"]) == (400, -2011)
        return
    if sequence is TriggerSequence.REJECTED:
        assert by_step["ALGO_UPDATE REJECTED"]["o"]["rm"] == "Reduce Only reject"
        assert (asked["algoStatus"], asked["actualOrderId"]) == ("REJECTED", "")
        assert venue.account.position("BTCUSDT").quantity == Decimal("0.01")
        return
    child = by_step["ORDER_TRADE_UPDATE TRADE FILLED"]["o"]
    assert (child["c"] == "s1", child["i"] == stop["algoId"]) == (named == "same", False)
    assert by_step["ALGO_UPDATE TRIGGERING"]["o"]["ai"] == ""
    assert by_step["ALGO_UPDATE TRIGGERED"]["o"]["ai"] == str(child["i"])
    assert (asked["algoStatus"], asked["actualOrderId"]) == ("FINISHED", str(child["i"]))
    found = await ask(venue, "GET", "/fapi/v1/order", symbol="BTCUSDT", orderId=child["i"])
    assert (found[1]["clientOrderId"], found[1]["status"]) == (child["c"], "FILLED")
    assert venue.account.position("BTCUSDT").quantity == 0


async def test_a_stop_without_its_position_is_rejected_when_it_triggers(
    venue: BinanceServer,
) -> None:
    await buy(venue)
    await sell_stop(venue)
    await order(venue, side="SELL", type="MARKET", quantity="0.01", reduceOnly="true")
    async with private_stream(venue) as socket:
        venue.quote("BTCUSDT", "48990", "48991")
        expected = SEQUENCES[TriggerSequence.REJECTED]
        assert steps(await heard(socket, len(expected))) == expected
