"""What the tests of the Binance server ask it for themselves, signed as the venue documents it."""

import hashlib
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import aiohttp

from tests.venue_servers.binance import BinanceServer

KEY, SECRET = "key", "secret"


@asynccontextmanager
async def private_stream(
    venue: BinanceServer, path: str = "/private/ws?listenKey={}"
) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    key = (await ask(venue, "POST", "/fapi/v1/listenKey", signed=False))[1]["listenKey"]
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
    venue: BinanceServer, method: str, path: str, *, signed: bool = True, **said: Any
) -> tuple[int, Any, dict[str, str]]:
    """Signed by ourselves: status, body and headers."""
    if signed:
        said = {"timestamp": venue.now_ms(), **said}
    text = urlencode(said)
    if signed:
        text += "&signature=" + hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).hexdigest()
    place = {"data": text} if method == "POST" else {"params": text}
    headers = {"X-MBX-APIKEY": KEY, "Content-Type": "application/x-www-form-urlencoded"}
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, venue.url + path, headers=headers, **place) as answer,  # type: ignore[arg-type]
    ):
        return answer.status, await answer.json(), dict(answer.headers)


async def order(venue: BinanceServer, **said: Any) -> tuple[int, Any]:
    return (await ask(venue, "POST", "/fapi/v1/order", **{"symbol": "BTCUSDT", **said}))[:2]


async def buy(venue: BinanceServer, quantity: str = "0.01", **said: Any) -> Any:
    status, told = await order(venue, side="BUY", type="MARKET", quantity=quantity, **said)
    assert status == 200, told
    return told


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
