"""A whole engine at a real venue while quotes stream in: how soon the stop of an entry arrives
there after the entry has filled, and what memory that takes, with ccxt.

The venue is a server on loopback in a process of its own, and so is what sends the quotes. The
time is the venue's: from the moment at which it takes the entry, which it fills at once, to the
moment at which it takes the stop. The yardstick is a bare request to it meanwhile.
"""

import asyncio
import json
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from bench.quote_server import quote_server, read_all
from bench.scratch import scratch_folder
from bench.table import Row, percentile
from bench.venue_orders import KEY, SECRET, control, venue_server
from pointsman.domain.client_order_ids import CODE_LENGTH
from pointsman.domain.orders import Role
from pointsman.storage import reader
from tests.integration.http_engines import HttpEngine, http_engine

ENTRIES = 200
QUOTES_PER_SECOND = 2_000
GOAL_MS = 5.0
GOAL_MB = 160
PATIENCE_SECONDS = 60.0
TICK_SECONDS = 0.005
SYMBOLS = {"BTCUSDT": 60_000, "ETHUSDT": 2_000, "SOLUSDT": 100}
SETTINGS = {
    "VENUE": "binanceusdm",
    "VENUE_KEY": KEY,
    "VENUE_SECRET": SECRET,
    "SYMBOLS": "BTC/USDT:USDT,ETH/USDT:USDT,SOL/USDT:USDT",
    "VIRTUAL_ACCOUNTS": "VA001:50000",
    "TRADING_WINDOW_START": "00:00",
    "TRADING_WINDOW_END": "24:00",
    "MAX_LOSS_COOLDOWN": "0",
}


def measure() -> list[Row]:
    """The rows of the table."""
    with (
        scratch_folder() as folder,
        venue_server("binance") as urls,
        quote_server(_send) as quotes_url,
    ):
        for symbol, price in SYMBOLS.items():
            control(urls[0], "quote", {"symbol": symbol, "bid": price, "ask": price + 1})
        control(urls[0], "switch", {"weight_limit": 10**6, "order_limit": 10**6})
        addresses = {
            "VENUE_URL": urls[0],
            "VENUE_STREAM_URL": urls[1],
            "VENUE_DATA_URL": quotes_url,
        }
        with http_engine(folder, {**SETTINGS, **addresses}, flags=()) as engine:
            bare = [_trade(engine, urls[0], number) for number in range(ENTRIES)]
            most_mb = _most_memory_mb(engine.process.pid)
            engine.end()
            handed = list(_handed_over_ms(engine.database))
        waits = sorted(_waits_ms(urls[0]))
    p99 = percentile(waits, 0.99)
    what = f"{QUOTES_PER_SECOND:,} quotes a second: an entry fills, its stop is at the venue"
    return [
        Row(
            f"{what}, p50 / p99",
            f"{p99 / percentile(bare, 0.99):.2f}",
            "",
            f"{percentile(waits, 0.5):.1f} / {p99:.1f} ms",
            f"bare request: {percentile(bare, 0.5):.1f} / {percentile(bare, 0.99):.1f} ms; "
            f"{len(waits)} entries",
            None,
        ),
        Row(
            "of that by its own stamps: the fill is taken in, the stop is handed over, p50 / p99",
            f"{percentile(handed, 0.99) / percentile(bare, 0.99):.2f}",
            f"p99 {GOAL_MS:g} ms",
            f"{percentile(handed, 0.5):.1f} / {percentile(handed, 0.99):.1f} ms",
            "the same",
            percentile(handed, 0.99) <= GOAL_MS,
        ),
        Row(
            "memory of that engine, with ccxt, at most",
            f"{most_mb / GOAL_MB:.2f}" if most_mb else "",
            f"{GOAL_MB} MB",
            f"{most_mb:.0f} MB" if most_mb else "not told here",
            "the goal",
            most_mb <= GOAL_MB if most_mb else None,
        ),
    ]


def _trade(engine: HttpEngine, venue: str, number: int) -> float:
    """Enter, until the stop rests, and close again; the time of a bare request in between, in
    milliseconds."""
    words = {"va_id": "VA001", "symbol": "BTC/USDT:USDT"}
    _signal(engine, f"e{number}", {**words, "side": "buy", "quantity": "0.01"})
    _until(lambda: [each["cover"] for each in _positions(engine)] == ["covered"])
    began = time.perf_counter()
    _read(f"{venue}/fapi/v1/time")
    bare_ms = (time.perf_counter() - began) * 1000
    _signal(engine, f"x{number}", {**words, "side": "close"})
    _until(lambda: not _positions(engine))
    return bare_ms


def _waits_ms(venue: str) -> Iterator[float]:
    """From each entry to its stop, as they came to the venue."""
    entries: dict[str, float] = {}
    for request in _read(f"{venue}/_control/requests"):
        body = dict(parse_qsl(request["body"]))
        if request["route"] == "create":
            entries[body["newClientOrderId"]] = request["at"]
        elif request["route"] == "stop":
            code, stop = body["clientAlgoId"][:CODE_LENGTH], body["clientAlgoId"][CODE_LENGTH:]
            yield (request["at"] - entries[code + stop.replace("S", "E")]) * 1000


def _handed_over_ms(database: Path) -> Iterator[float]:
    """From each fill of an entry to when its stop, durable by then, left for the adapter."""
    with closing(reader.open_reader(database)) as db:
        for order in reader.orders(db, limit=10 * ENTRIES):
            if order.role is Role.STOP and order.sent_at_ns is not None:
                yield (order.sent_at_ns - order.created_at_ns) / 1e6


def _signal(engine: HttpEngine, name: str, fields: dict[str, str]) -> None:
    """Sent again, under another id, while the engine does not accept: it may have no quote yet."""
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    for attempt in count():
        said = engine.post("/api/v1/signals", {"signal_id": f"{name}-{attempt}", **fields})
        if said.document["outcome"] == "accepted":
            return
        assert time.monotonic() < give_up_at, said
        time.sleep(0.05)


def _positions(engine: HttpEngine) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = _read(f"{engine.url}/api/v1/positions")
    return found


def _until(is_so: Callable[[], bool]) -> None:
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < give_up_at, "the engine does not go on"
        time.sleep(0.01)


def _read(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=PATIENCE_SECONDS) as answer:
        return json.loads(answer.read())


async def _send(socket: web.WebSocketResponse) -> None:
    """Quotes of all symbols, paced."""
    await socket.send_str('{"result":null,"id":1}')
    reading = asyncio.create_task(read_all(socket))
    number, due = 0, time.monotonic()
    with suppress(ConnectionError):
        while True:
            for _ in range(int(QUOTES_PER_SECOND * TICK_SECONDS)):
                number += 1
                await socket.send_str(_quote(number))
            due += TICK_SECONDS
            await asyncio.sleep(max(0.0, due - time.monotonic()))
    reading.cancel()


def _quote(number: int) -> str:
    symbol = list(SYMBOLS)[number % len(SYMBOLS)]
    price, now_ms = SYMBOLS[symbol], time.time_ns() // 1_000_000
    return (
        f'{{"e":"bookTicker","u":{number},"E":{now_ms},"T":{now_ms},"s":"{symbol}",'
        f'"b":"{price}.00","B":"{number % 97 + 1}","a":"{price + 1}.00","A":"3.5","st":1}}'
    )


def _most_memory_mb(pid: int) -> float:
    """The most that a process has held; 0 where the system does not tell."""
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        return 0.0
    lines = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
    return int(lines["VmHWM"].split()[0]) / 1024
