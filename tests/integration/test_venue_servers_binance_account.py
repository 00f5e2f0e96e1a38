"""The Binance server tells an account what happens to it: what the market does, by which streams,
in the form of recorded messages, and when it runs as a process of its own."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.integration.signed_binance import (
    LIMIT,
    ask,
    ask_unsigned,
    buy,
    heard,
    order,
    private_stream,
    sell_stop,
    steps,
)
from tests.venue_servers import binance_messages as messages
from tests.venue_servers.binance import BinanceServer

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def venue() -> Iterator[BinanceServer]:
    with BinanceServer() as server:
        server.quote("BTCUSDT", "50000", "50001")
        yield server


# --- what the market does ---


async def test_orders_of_others_liquidations_and_funding_are_told(venue: BinanceServer) -> None:
    async with private_stream(venue) as socket:
        foreign = venue.foreign_order("BTCUSDT", "BUY", "0.02", client_id="web_1")
        assert (await heard(socket, 4))[-1]["o"]["i"] == foreign
        venue.funding("BTCUSDT", "-0.5")
        (told,) = await heard(socket, 1)
        assert (told["a"]["m"], told["a"]["B"][0]["bc"], told["a"]["P"]) == (
            "FUNDING_FEE",
            "-0.5",
            [],
        )
        liquidation = venue.liquidate("BTCUSDT")
        told = await heard(socket, 3)
        expected = ["ORDER_TRADE_UPDATE CALCULATED NEW", "ACCOUNT_UPDATE"]
        assert steps(told) == [*expected, "ORDER_TRADE_UPDATE CALCULATED FILLED"]
        assert told[2]["o"]["c"].startswith("autoclose-")
        venue.foreign_order("BTCUSDT", "SELL", "0.02")
        await heard(socket, 4)
        venue.liquidate("BTCUSDT", deleveraging=True)
        told = (await heard(socket, 3))[2]["o"]
        assert (told["X"], told["c"][:14]) == ("NEW_ADL", "adl_autoclose_")
    _, rows, _ = await ask(venue, "GET", "/fapi/v1/income", incomeType="FUNDING_FEE")
    assert [(row["symbol"], row["income"]) for row in rows] == [("BTCUSDT", "-0.5")]
    _, rows, _ = await ask(venue, "GET", "/fapi/v1/income", limit=1000)
    assert venue.account.cash == 100000 + sum(Decimal(row["income"]) for row in rows)
    _, trades, _ = await ask(venue, "GET", "/fapi/v1/userTrades", symbol="BTCUSDT")
    assert [trade["orderId"] for trade in trades][:2] == [foreign, liquidation]


async def test_a_halted_symbol_takes_orders_and_does_not_trade(venue: BinanceServer) -> None:
    venue.halt("BTCUSDT")
    _, rules, _ = await ask_unsigned(venue, "GET", "/fapi/v1/exchangeInfo")
    assert {s["symbol"]: s["status"] for s in rules["symbols"]}["BTCUSDT"] == "SETTLING"
    assert (await order(venue, **LIMIT | {"price": "50001"}))[1]["status"] == "NEW"
    venue.resume("BTCUSDT")
    assert venue.account.position("BTCUSDT").quantity == Decimal("0.01")


# --- streams ---


PRIVATE = ["/private/ws?listenKey={}", "/private/ws/{}", "/private/stream?listenKey={}", "/ws/{}"]


@pytest.mark.parametrize("path", PRIVATE)
async def test_the_private_stream_has_four_addresses_and_an_end(
    venue: BinanceServer, path: str
) -> None:
    async with private_stream(venue, path) as socket:
        await order(venue, **LIMIT)
        (told,) = await heard(socket, 1)
        assert steps([told.get("data", told)]) == ["ORDER_TRADE_UPDATE NEW NEW"]
        venue.expire_listen_key()
        (told,) = await heard(socket, 1)
        assert told.get("data", told)["e"] == "listenKeyExpired"
        await buy(venue)
        with pytest.raises(TimeoutError):
            await socket.receive(timeout=0.1)
    keep = await ask_unsigned(venue, "PUT", "/fapi/v1/listenKey")
    assert (keep[0], keep[1]["code"]) == (400, -1125)


async def test_a_listen_key_stays_the_same_until_it_ends(venue: BinanceServer) -> None:
    keys = []
    for method in ("POST", "POST", "PUT", "DELETE", "POST"):
        _, told, _ = await ask_unsigned(venue, method, "/fapi/v1/listenKey")
        keys.append(told.get("listenKey"))
    assert keys[0] == keys[1] == keys[2]
    assert keys[3] is None
    assert keys[4] not in (None, keys[0])


async def test_a_quote_goes_to_those_who_subscribed(venue: BinanceServer) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(venue.data_url + "/public/ws/0") as socket,
    ):
        said = [
            ("SUBSCRIBE", {"result": None, "id": 1}),
            ("LIST_SUBSCRIPTIONS", {"result": ["btcusdt@bookTicker"], "id": 1}),
        ]
        for method, expected in said:
            asked = {"method": method, "params": ["btcusdt@bookTicker"], "id": 1}
            await socket.send_json(asked)
            assert await heard(socket, 1) == [expected]
        venue.quote("ETHUSDT", "3000", "3001")
        venue.quote("BTCUSDT", "50005", "50006")
        (told,) = await heard(socket, 1)
        assert (told["s"], told["b"], told["e"]) == ("BTCUSDT", "50005", "bookTicker")
        await socket.send_json({"method": "UNSUBSCRIBE", "params": ["btcusdt@bookTicker"], "id": 2})
        await heard(socket, 1)
        venue.quote("BTCUSDT", "50006", "50007")
        await socket.send_str("nonsense")
        assert (await heard(socket, 1))[0]["code"] == 2


# --- recorded messages ---


async def test_messages_have_the_fields_of_recorded_ones(
    venue: BinanceServer, shared_data: Path
) -> None:
    folder = shared_data / "venue-messages" / "binance" / "futures"
    if not folder.is_dir():
        pytest.skip(f"no recorded messages at {folder}")
    told = await each_kind_of_message(venue)
    newer = {"pm", "gtd", "er", "cumQty"}  # documented after these messages were recorded
    different = {}
    for name, ours in told.items():
        (recorded,) = folder.glob(f"*/{name}.json")
        theirs = shape(json.loads(recorded.read_text()))
        missing, added = theirs - shape(ours), shape(ours) - theirs
        added = {path for path in added if path.rpartition(".")[2] not in newer}
        if missing or (added and "http_json" not in str(recorded)):
            different[name] = (missing, added)
    assert different == {}


async def each_kind_of_message(venue: BinanceServer) -> dict[str, Any]:
    async with private_stream(venue) as socket:
        _, placed = await order(venue, **LIMIT)
        await buy(venue)
        await sell_stop(venue)
        told = {
            "order_response": placed,
            "account_info_v2": (await ask(venue, "GET", "/fapi/v2/account"))[1],
            "balance": (await ask(venue, "GET", "/fapi/v2/balance"))[1],
            "open_algo_orders": (await ask(venue, "GET", "/fapi/v1/openAlgoOrders"))[1],
            "position_risk": (await ask(venue, "GET", "/fapi/v2/positionRisk"))[1],
            "book_ticker_stream": messages.book_ticker(
                "BTCUSDT", venue.account.quotes["BTCUSDT"], 1
            ),
        }
        names = ["order_update_new", None, "trade_lite", "account_update", "order_update_trade"]
        for name, message in zip([*names, "algo_update_new"], await heard(socket, 6), strict=True):
            if name:
                told[name] = message
        venue.liquidate("BTCUSDT")
        told["order_update_calculated"] = (await heard(socket, 3))[2]
        await ask(venue, "DELETE", "/fapi/v1/algoOrder", clientAlgoId="s1")
        told["algo_update_canceled"] = (await heard(socket, 1))[0]
    return told


def shape(value: Any, path: str = "") -> set[str]:
    """The paths of its fields; a list has the fields of its first entry."""
    if isinstance(value, list):
        return shape(value[0], path + "[]") if value else set()
    if not isinstance(value, dict):
        return set()
    paths = set()
    for name, inside in value.items():
        here = f"{path}.{name}"
        paths |= {here} | shape(inside, here)
    return paths


# --- as a process ---


def test_it_runs_as_a_process_with_controls() -> None:
    command = [sys.executable, "-m", "tests.venue_servers", "binance", "--secret", "secret"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1]
        asyncio.run(controlled(url))
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0


async def controlled(url: str) -> None:
    async with aiohttp.ClientSession() as session:

        async def control(name: str, **said: Any) -> int:
            async with session.post(f"{url}/_control/{name}", json=said) as answer:
                return answer.status

        assert await control("quote", symbol="BTCUSDT", bid="50000", ask=50000.1) == 200
        assert await control("quote", symbol="NONE", bid=1, ask=1) == 400
        assert await control("foreign", symbol="BTCUSDT", side="BUY", quantity="0.01") == 200
        assert await control("switch", enable_withdrawals=True) == 200
        assert await control("switch", gravity=False) == 400
        assert await control("funding", symbol="BTCUSDT", amount="1") == 200
        assert await control("liquidate", symbol="BTCUSDT") == 200
        async with session.get(f"{url}/_control/account") as answer:
            account = await answer.json()
    assert [fill["price"] for fill in account["fills"]] == ["50000.1", "50000"]
    assert account["positions"] == []
