"""The loopback Bybit, asked by ccxt: so that it is known to speak the venue's protocol and not one
of our own. What ccxt does not ask, or would hide, is in test_venue_servers_bybit_by_hand.py.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from typing import Any

import pytest

from tests.venue_servers.bybit import BybitServer

SYMBOL = "BTC/USDT:USDT"


@pytest.fixture
def venue() -> Iterator[BybitServer]:
    with BybitServer(key="K", secret="S") as server:
        server.quote("BTCUSDT", "59999.9", "60000", bid_size=50, ask_size=50)
        yield server


def on_loopback(value: Any, venue: BybitServer) -> Any:
    """The same addresses on another host."""
    if isinstance(value, dict):
        return {name: on_loopback(inner, venue) for name, inner in value.items()}
    if not isinstance(value, str) or "//" not in value:
        return value
    base = venue.stream_url if value.startswith("wss:") else venue.url
    return base + "".join(f"/{part}" for part in value.split("/")[3:])


@pytest.fixture
async def exchange(venue: BybitServer) -> AsyncIterator[Any]:
    pro = pytest.importorskip("ccxt.pro", reason="ccxt is not installed: requirements-venues.txt")
    client = pro.bybit({"apiKey": "K", "secret": "S", "number": str, "enableRateLimit": False})
    client.urls["api"] = on_loopback(client.urls["api"], venue)
    client.options |= {
        "defaultType": "swap",
        "defaultSettle": "USDT",
        "fetchMarkets": {"types": ["linear"]},
        "enableUnifiedMargin": False,
        "enableUnifiedAccount": True,
        "watchPositions": {"fetchPositionsSnapshot": False, "awaitPositionsSnapshot": False},
    }
    client.has["fetchCurrencies"] = False
    await client.load_markets()
    yield client
    await client.close()


async def test_ccxt_reads_account_symbols_and_prices(exchange: Any, venue: BybitServer) -> None:
    market = exchange.market(SYMBOL)
    assert market["linear"]
    assert market["precision"] == {"amount": "0.001", "price": "0.1"}
    assert market["limits"]["amount"] == {"min": "0.001", "max": "1190"}
    assert abs(await exchange.fetch_time() - venue.now_ms()) < 1000
    ticker = await exchange.fetch_ticker(SYMBOL)
    assert (ticker["bid"], ticker["ask"]) == ("59999.9", "60000")
    balance = await exchange.fetch_balance()
    assert balance["USDT"]["total"] == "100000"
    key = await exchange.private_get_v5_user_query_api()
    assert key["result"]["permissions"]["Wallet"] == []
    venue.change_key(can_withdraw=True)
    key = await exchange.private_get_v5_user_query_api()
    assert "Withdraw" in key["result"]["permissions"]["Wallet"]


async def test_ccxt_walks_an_entry_and_its_stop_through_the_trigger(
    exchange: Any, venue: BybitServer
) -> None:
    entry = await exchange.create_order(
        SYMBOL, "limit", "buy", 0.01, 60000, {"timeInForce": "IOC", "clientOrderId": "E1"}
    )
    assert entry["clientOrderId"] == "E1"
    (position,) = await exchange.fetch_positions([SYMBOL])
    assert (position["side"], position["contracts"], position["entryPrice"]) == (
        "long",
        "0.01",
        "60000",
    )
    stop = await exchange.create_order(
        SYMBOL, "market", "sell", 0.01, None, {"stopLossPrice": 59000, "clientOrderId": "S1"}
    )
    (resting,) = await exchange.fetch_open_orders(SYMBOL, None, None, {"trigger": True})
    assert (resting["id"], resting["info"]["orderStatus"]) == (stop["id"], "Untriggered")
    assert (resting["triggerPrice"], resting["reduceOnly"]) == ("59000", True)
    assert not await exchange.fetch_open_orders(SYMBOL, None, None, {"orderFilter": "Order"})

    venue.quote("BTCUSDT", "58990", "58991")
    found = await exchange.private_get_v5_order_realtime(
        {"category": "linear", "orderLinkId": "S1"}
    )
    (row,) = found["result"]["list"]
    assert (row["orderId"], row["orderStatus"], row["avgPrice"]) == (stop["id"], "Filled", "58990")
    assert not [p for p in await exchange.fetch_positions() if p["contracts"] != "0"]
    trades = await exchange.fetch_my_trades(SYMBOL)
    assert [(t["order"], t["price"]) for t in trades] == [
        (entry["id"], "60000"),
        (stop["id"], "58990"),
    ]
    assert [t["fee"]["cost"] for t in trades] == ["0.33", "0.324445"]


async def test_ccxt_cancels_and_amends(exchange: Any) -> None:
    order = await exchange.create_order(SYMBOL, "limit", "buy", 0.01, 50000)
    await exchange.edit_order(order["id"], SYMBOL, "limit", "buy", 0.02, 51000)
    (found,) = await exchange.fetch_open_orders(SYMBOL)
    assert (found["id"], found["amount"], found["price"]) == (order["id"], "0.02", "51000")
    await exchange.cancel_order(order["id"], SYMBOL)
    (ended,) = await exchange.fetch_canceled_orders(SYMBOL)
    assert ended["info"]["cancelType"] == "CancelByUser"
    with pytest.raises(Exception, match="110001"):
        await exchange.cancel_order(order["id"], SYMBOL)


async def test_ccxt_hears_orders_executions_positions_and_quotes(
    exchange: Any, venue: BybitServer
) -> None:
    asked = (
        exchange.watch_orders(SYMBOL),
        exchange.watch_my_trades(SYMBOL),
        exchange.watch_positions([SYMBOL]),
        exchange.watch_balance(),
    )
    watched = [asyncio.ensure_future(question) for question in asked]
    async with asyncio.timeout(5):
        while len(topics(venue)) < 4:  # noqa: ASYNC110 - the server is on another thread
            await asyncio.sleep(0.01)
    book = await exchange.watch_bids_asks([SYMBOL])
    assert book[SYMBOL]["bid"] == "59999.9"
    ticker = await exchange.watch_ticker(SYMBOL)
    assert ticker["ask"] == "60000"
    await exchange.create_order(SYMBOL, "market", "sell", 0.01, None, {"clientOrderId": "E2"})
    async with asyncio.timeout(5):
        orders, trades, positions, balance = await asyncio.gather(*watched)
    assert (orders[0]["clientOrderId"], orders[0]["status"]) == ("E2", "closed")
    assert (trades[0]["price"], trades[0]["side"]) == ("59999.9", "sell")
    assert (positions[0]["side"], positions[0]["contracts"]) == ("short", "0.01")
    assert Decimal(balance["USDT"]["total"]) < 100_000


def topics(venue: BybitServer) -> set[str]:
    return {topic for socket in venue.streams.open for topic in socket.tags}
