"""Live quotes of a venue: the CPU that one costs, from the socket into the engine's hands.

A server on loopback, in a process of its own, sends changes of a book as fast as they are taken; no
more than the recorder keeps, so that none is dropped. The yardstick takes the same messages from
the same socket and reads none of them.
"""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import aiohttp
from aiohttp import web
from pydantic import SecretStr

from bench.quote_server import quote_server, read_all
from bench.table import Row
from pointsman.execution.skipped_rows import SkippedRows
from pointsman.market.live_rows import LiveRows
from pointsman.market.quote_recorder import QuoteRecorder
from pointsman.market.venue_feed import VenueFeed
from pointsman.market.venue_quotes.sources import SOURCES
from pointsman.market.venue_quotes.stream import Login

QUOTES = 40_000
ROUNDS = 3
GOAL_US = 10.0
PATIENCE_SECONDS = 60.0
BTC = "BTC/USDT:USDT"
SYMBOLS = {"binanceusdm": BTC, "bybit": BTC, "alpaca": "AAPL"}
LAST_SIZE = 7
"""The size on the bid of the last quote, and of no other."""


def measure() -> list[Row]:
    """The rows of the table; the best of some rounds counts."""
    return [_row(name) for name in SYMBOLS]


def _row(name: str) -> Row:
    texts = _texts(name)
    bare = min(_cpu_us(name, texts, is_bare=True) for _ in range(ROUNDS))
    whole = min(_cpu_us(name, texts, is_bare=False) for _ in range(ROUNDS))
    return Row(
        f"CPU of a quote of {name}: received, read, recorded, taken",
        f"{whole / bare:.2f}",
        f"{GOAL_US:g} us more",
        f"{whole:.1f} us",
        f"received and no more: {bare:.1f} us",
        whole - bare <= GOAL_US,
    )


def _texts(name: str) -> list[str]:
    """What the venue sends: the answer to the request, then a book that changes."""
    now_ms = time.time_ns() // 1_000_000
    sizes = [*(f"1.{number % 1000}" for number in range(1, QUOTES)), str(LAST_SIZE)]
    if name == "binanceusdm":
        return ['{"result":null,"id":1}'] + [
            f'{{"e":"bookTicker","u":{number},"E":{now_ms},"T":{now_ms},"s":"BTCUSDT",'
            f'"b":"60000.{number % 9}0","B":"{size}","a":"60001.10","A":"3.5","st":1}}'
            for number, size in enumerate(sizes, 1)
        ]
    if name == "bybit":
        return ['{"success":true,"ret_msg":"","op":"subscribe","req_id":"subscribe1"}'] + [
            f'{{"topic":"orderbook.1.BTCUSDT","type":"{"delta" if number > 1 else "snapshot"}",'
            f'"ts":{now_ms},"data":{{"s":"BTCUSDT","b":[["60000.50","{size}"]],'
            f'"a":[["60001.10","3.5"]],"u":{number},"seq":{7 * number}}},"cts":{now_ms}}}'
            for number, size in enumerate(sizes, 1)
        ]
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
    return [
        '[{"T":"success","msg":"authenticated"}]',
        '[{"T":"subscription","quotes":["AAPL"]}]',
    ] + [
        f'[{{"T":"q","S":"AAPL","bx":"V","bp":193.{number % 90 + 10},"bs":{size},'
        f'"ax":"V","ap":194.73,"as":200,"c":["R"],"z":"C","t":"{stamp}.{number:09d}Z"}}]'
        for number, size in enumerate(sizes, 1)
    ]


def _cpu_us(name: str, texts: Sequence[str], *, is_bare: bool) -> float:
    """Microseconds of CPU of this process for each quote."""
    with quote_server(_send, texts) as address:
        url = f"{address}{SOURCES[name].path}"
        started = time.process_time()
        if is_bare:
            asyncio.run(_receive(url, len(texts)))
        else:
            _feed(name, url)
        return (time.process_time() - started) / QUOTES * 1e6


def _feed(name: str, url: str) -> None:
    """Until the last quote has been taken."""
    login = Login(SecretStr("key"), SecretStr("secret"))
    with TemporaryDirectory() as folder:
        recorder = QuoteRecorder(Path(folder), "t", time.time_ns)
        feed = VenueFeed(SOURCES[name], url, login, [SYMBOLS[name]], recorder)
        rows = LiveRows(time.time_ns, SkippedRows())
        feed.start(lambda: None, rows)
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        is_over = False
        while not is_over:
            if time.monotonic() > give_up_at:
                raise AssertionError(f"not all quotes have come: {list(feed.take_news())}")
            time.sleep(0.01)
            is_over = any(quote.bid_size == LAST_SIZE for quote in feed.take().quotes)
        feed.stop()


async def _receive(url: str, count: int) -> None:
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
        await socket.send_str("{}")
        for _ in range(count):
            await socket.receive()


async def _send(socket: web.WebSocketResponse, texts: Sequence[str]) -> None:
    for text in texts:
        await socket.send_str(text)
    await read_all(socket)
