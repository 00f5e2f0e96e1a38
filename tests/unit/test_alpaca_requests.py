"""What leaves for Alpaca, byte for byte but for the order of fields."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from pointsman.domain.orders import Order
from pointsman.domain.policy import PositionMode
from pointsman.domain.sides import PositionSide
from pointsman.venues.adapter import Access, Call
from pointsman.venues.alpaca import requests
from pointsman.venues.alpaca.adapter import make_adapter
from tests.conformance import bench

LONG, SHORT = PositionSide.LONG, PositionSide.SHORT


def order(make: Any, side: PositionSide, *terms: Any) -> Order:
    made: Order = make("ABCDEF1E1", side, *terms, symbol="BRK.B")
    return made


def body(side: str, kind: str, lasts: str, **prices: str) -> dict[str, str]:
    return {
        "symbol": "BRK.B",
        "side": side,
        "qty": "10",
        "client_order_id": "ABCDEF1E1",
        "type": kind,
        "time_in_force": lasts,
        **prices,
    }


ORDERS = [
    (order(bench.entry, LONG, 10, "100.10"), body("buy", "limit", "ioc", limit_price="100.10")),
    (order(bench.entry, SHORT, 10, "0.5"), body("sell", "limit", "ioc", limit_price="0.5")),
    (order(bench.stop, LONG, 10, "95"), body("sell", "stop", "gtc", stop_price="95")),
    (order(bench.stop, SHORT, 10, "1E+2"), body("buy", "stop", "gtc", stop_price="100")),
    (order(bench.market_exit, LONG, "10"), body("sell", "market", "day")),
    (order(bench.market_exit, SHORT, "1E+1"), body("buy", "market", "day")),
]

ASKED = [
    (requests.cancel("a-b"), "DELETE", "/v2/orders/a-b"),
    (
        requests.order_by_client_id("ABCDEF1E1"),
        "GET",
        "/v2/orders:by_client_order_id?client_order_id=ABCDEF1E1",
    ),
    (requests.order_by_id("a-b"), "GET", "/v2/orders/a-b"),
    (
        requests.open_orders("2026-11-30T15:00:00.000001Z"),
        "GET",
        "/v2/orders?status=open&limit=500&direction=asc&nested=false"
        "&after=2026-11-30T15%3A00%3A00.000001Z",
    ),
    (
        requests.activities("FILL", page_token="2026::a"),
        "GET",
        "/v2/account/activities/FILL?direction=asc&page_size=100&page_token=2026%3A%3Aa",
    ),
    (
        requests.activities("FEE", after="2026-11-30"),
        "GET",
        "/v2/account/activities/FEE?direction=asc&page_size=100&after=2026-11-30",
    ),
    (requests.POSITIONS, "GET", "/v2/positions"),
    (requests.ACCOUNT, "GET", "/v2/account"),
]


class Wire:
    """What arrived at a server that answers everything alike."""

    def __init__(self, **headers: str) -> None:
        self.arrived: list[tuple[str, str, str, str | None]] = []
        self.keys: set[tuple[str | None, str | None]] = set()
        self._headers = headers

    async def answer(self, request: web.Request) -> web.Response:
        said = request.headers
        self.keys.add((said.get("APCA-API-KEY-ID"), said.get("APCA-API-SECRET-KEY")))
        text = await request.text()
        kind = said.get("Content-Type")
        self.arrived.append((request.method, request.raw_path, text, kind))
        return web.Response(status=429, text="{}", headers=self._headers)


@asynccontextmanager
async def connected(wire: Wire) -> AsyncIterator[Any]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", wire.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    access = Access(
        key="K",
        secret="S",
        is_sandbox=True,
        position_mode=PositionMode.NET,
        symbols=("AAPL",),
        url=f"http://127.0.0.1:{runner.addresses[0][1]}",
    )
    adapter = make_adapter(access)
    try:
        yield adapter
    finally:
        await adapter.close()
        await runner.cleanup()


@pytest.mark.parametrize(("sent", "wanted"), ORDERS)
async def test_an_order_leaves_as(sent: Order, wanted: dict[str, str]) -> None:
    wire = Wire()
    async with connected(wire) as adapter:
        await adapter.call(adapter.submit(sent))
    ((method, path, text, kind),) = wire.arrived
    assert (method, path, kind) == ("POST", "/v2/orders", "application/json")
    assert json.loads(text) == wanted
    assert wire.keys == {("K", "S")}


@pytest.mark.parametrize(("call", "method", "path"), ASKED)
async def test_a_question_leaves_as(call: Call, method: str, path: str) -> None:
    wire = Wire()
    async with connected(wire) as adapter:
        await adapter.call(call)
    assert [row[:3] for row in wire.arrived] == [(method, path, "")]


LIMITS = [
    (
        {"X-RateLimit-Limit": "200", "X-RateLimit-Remaining": "50"},
        (150, None),
    ),
    ({"X-RateLimit-Limit": "soon", "X-RateLimit-Remaining": "50"}, (None, None)),
    ({"Retry-After": "7"}, (None, 7000)),
    (
        {"X-RateLimit-Reset": "1767225605", "Date": "Thu, 01 Jan 2026 00:00:00 GMT"},
        (None, 5000),
    ),
    (
        {"X-RateLimit-Reset": "1767225599", "Date": "Thu, 01 Jan 2026 00:00:00 GMT"},
        (None, 1000),
    ),
    (
        {"X-RateLimit-Reset": "1767225605", "Date": "yesterday"},
        (None, None),
    ),
]


@pytest.mark.parametrize(("headers", "said"), LIMITS)
async def test_an_answer_says_what_is_used_and_how_long_to_wait(
    headers: dict[str, str], said: tuple[int | None, int | None]
) -> None:
    async with connected(Wire(**headers)) as adapter:
        answer = await adapter.call(requests.ACCOUNT)
    assert (answer.used, answer.retry_after_ms) == said


async def test_requests_do_not_wait_for_each_other() -> None:
    arrived = asyncio.Semaphore(0)

    class Waiting(Wire):
        async def answer(self, request: web.Request) -> web.Response:
            arrived.release()
            if request.method == "GET":
                await asyncio.sleep(60)
            return await super().answer(request)

    async with connected(Waiting()) as adapter:
        slow = [asyncio.create_task(adapter.call(requests.ACCOUNT)) for _ in range(20)]
        for _ in slow:
            await arrived.acquire()
        await adapter.call(requests.cancel("1"))
        for task in slow:
            task.cancel()
        await asyncio.gather(*slow, return_exceptions=True)
