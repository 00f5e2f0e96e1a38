"""An order at a real venue: the CPU that the way to its adapter and back adds to it.

A server on loopback, in a process of its own, answers at once. The engine's side hands an order
over and takes its report in, through the bridge, the budget, the adapter and its signature. The
yardstick sends a request of the same kind on the same machine, and reads its answer, by the bare
HTTP library.
"""

import asyncio
import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from unittest import mock

import aiohttp

from bench.table import Row
from pointsman.domain.commands import Submit
from pointsman.domain.events import OrderReport
from pointsman.domain.orders import Order, OrderType, Role
from pointsman.domain.policy import PositionMode
from pointsman.domain.sides import PositionSide, Side
from pointsman.engine.open_venue import ADAPTERS
from pointsman.venues.adapter import Access
from pointsman.venues.bridge import RealVenue
from tests.integration.sessions import ROOT

ORDERS = 600
GOAL_US = 150.0
POLL_SECONDS = 0.002
KEY, SECRET = "bench-key", "bench-secret"
MARKETS = {
    "binanceusdm": ("binance", "BTCUSDT", "BTC/USDT:USDT", "65000.0", "POST", "/fapi/v1/order"),
    "bybit": ("bybit", "BTCUSDT", "BTC/USDT:USDT", "65000.0", "POST", "/v5/order/create"),
    "alpaca": ("alpaca", "AAPL", "AAPL", "190.00", "POST", "/v2/orders"),
}


def measure() -> list[Row]:
    """The rows of the table."""
    return [_row(venue) for venue in MARKETS]


def _row(venue: str) -> Row:
    name, their_symbol, symbol, price, method, path = MARKETS[venue]
    with venue_server(name) as urls:
        control(urls[0], "quote", {"symbol": their_symbol, "bid": price, "ask": price})
        if name == "bybit":
            control(urls[0], "behave", {"orders_per_second": 10**6})
        access = Access(
            key=KEY,
            secret=SECRET,
            is_sandbox=True,
            position_mode=PositionMode.NET,
            symbols=(symbol,),
            url=urls[0],
            stream_url=urls[1],
        )
        with mock.patch("pointsman.venues.bybit.adapter.RATES", ()):  # 10 orders a second
            opened = RealVenue(
                ADAPTERS[venue](access), now_ns=time.time_ns(), requests_per_minute=None
            )
        try:
            whole, count = _orders_us(opened, symbol, Decimal(price))
        finally:
            opened.close()
        bare = asyncio.run(_bare_us(method, urls[0] + path))
    return Row(
        f"CPU of an order at {venue}: handed over, signed, sent, answered, taken in",
        f"{whole / bare:.2f}",
        f"{GOAL_US:g} us more",
        f"{whole:.0f} us",
        f"bare request: {bare:.0f} us; {count} orders",
        whole - bare <= GOAL_US,
    )


def _orders_us(venue: RealVenue, symbol: str, price: Decimal) -> tuple[float, int]:
    """Microseconds of CPU of this process for an order, one after the other; and how many the
    venue's own limit of requests let leave."""
    most = min(ORDERS, venue.opening.requests_per_minute // 2)
    limit = price / 2
    started = 0.0
    for number in range(1, most + 1):
        if number == 11:  # the first ones open connections
            started = time.process_time()
        venue.send(Submit(_entry(number, symbol, limit)), time.time_ns())
        while not (replies := venue.receive(time.time_ns())):
            time.sleep(POLL_SECONDS)
        assert isinstance(replies[0], OrderReport), replies
    return (time.process_time() - started) / (most - 10) * 1e6, most


def _entry(number: int, symbol: str, limit: Decimal) -> Order:
    """An order that nothing will fill."""
    return Order(
        client_order_id=f"BENCHA{number}E1",
        va_id="VA001",
        symbol=symbol,
        position_id=number,
        role=Role.ENTRY,
        order_type=OrderType.LIMIT_IOC,
        side=Side.BUY,
        position_side=PositionSide.LONG,
        quantity=Decimal(1),
        created_at_ns=0,
        limit_price=limit,
    )


async def _bare_us(method: str, url: str) -> float:
    body = {"symbol": "X", "side": "buy", "qty": "1", "type": "limit", "price": "1", "id": "B1"}
    async with aiohttp.ClientSession() as session:
        started = 0.0
        for number in range(ORDERS):
            if number == 10:
                started = time.process_time()
            async with session.request(method, url, json=body) as answer:
                json.loads(await answer.read())
            await asyncio.sleep(POLL_SECONDS)
    return (time.process_time() - started) / (ORDERS - 10) * 1e6


@contextmanager
def venue_server(name: str) -> Iterator[tuple[str, str, str]]:
    """The loopback venue as a process: its addresses for requests, account stream and quotes."""
    line = [sys.executable, "-m", "tests.venue_servers", name, "--port", "0"]
    process = subprocess.Popen(
        [*line, "--key", KEY, "--secret", SECRET], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        told = [process.stdout.readline().split()[-1] for _ in range(3)]
        yield (told[0], told[1], told[2])
    finally:
        process.kill()
        process.wait()


def control(url: str, what: str, values: dict[str, object]) -> None:
    data = json.dumps(values).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{url}/_control/{what}", data, headers)
    with urllib.request.urlopen(request) as answer:
        answer.read()
