"""What the tests of the Binance server ask it for themselves, signed as the venue documents it."""

import hashlib
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import aiohttp
from yarl import URL

from tests.venue_servers.binance import BinanceServer

KEY, SECRET = "key", "secret"


@asynccontextmanager
async def private_stream(
    venue: BinanceServer, path: str = "/private/ws?listenKey={}"
) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    key = (await ask_unsigned(venue, "POST", "/fapi/v1/listenKey"))[1]["listenKey"]
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(venue.stream_url + path.format(key)) as socket,
    ):
        yield socket


async def heard(socket: aiohttp.ClientWebSocketResponse, n: int) -> list[Any]:
    return [await socket.receive_json(timeout=3) for _ in range(n)]


def steps(messages: list[Any]) -> list[str]:
    """Each message as its kind and its status."""
    told = []
    for message in messages:
        inside = message.get("o", message)
        parts = [message["e"], inside.get("x", ""), inside.get("X", "")]
        told.append(" ".join(part for part in parts if part))
    return told


async def ask(
    venue: BinanceServer, method: str, path: str, **said: Any
) -> tuple[int, Any, dict[str, str]]:
    """Signed: status, body and headers of the answer."""
    text = urlencode({"timestamp": venue.now_ms(), **said})
    signature = hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).hexdigest()
    return await ask_unsigned(venue, method, path, f"{text}&signature={signature}")


async def ask_unsigned(
    venue: BinanceServer, method: str, path: str, text: str = ""
) -> tuple[int, Any, dict[str, str]]:
    headers = {"X-MBX-APIKEY": KEY, "Content-Type": "application/x-www-form-urlencoded"}
    is_form = method == "POST"
    url = URL(venue.url + path + ("" if is_form else f"?{text}"), encoded=True)
    data = text if is_form else None
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, url, headers=headers, data=data) as answer,
    ):
        return answer.status, await answer.json(), dict(answer.headers)


async def order(venue: BinanceServer, **said: Any) -> tuple[int, Any]:
    return (await ask(venue, "POST", "/fapi/v1/order", **{"symbol": "BTCUSDT", **said}))[:2]


async def buy(venue: BinanceServer, quantity: str = "0.01", **said: Any) -> Any:
    status, told = await order(venue, side="BUY", type="MARKET", quantity=quantity, **said)
    assert status == 200, told
    return told


LIMIT = {"side": "BUY", "type": "LIMIT", "quantity": "0.01", "price": "49000", "timeInForce": "GTC"}
STOP = {
    "algoType": "CONDITIONAL",
    "symbol": "BTCUSDT",
    "side": "SELL",
    "type": "STOP_MARKET",
    "quantity": "0.01",
    "triggerPrice": "49000",
    "clientAlgoId": "s1",
}


async def sell_stop(venue: BinanceServer, **said: Any) -> Any:
    asked = {**STOP, "reduceOnly": "true", **said}
    status, told, _ = await ask(venue, "POST", "/fapi/v1/algoOrder", **asked)
    assert status == 200, told
    return told
