"""The senders of the HTTP measurements: a process of their own, which speaks HTTP with as little
around it as can be, and prints what it saw as one line of JSON.

    python -m bench.http_load PORT TASK NUMBER NAME
"""

import asyncio
import json
import sys
import time
from collections.abc import Callable
from itertools import count
from typing import Any

SYMBOLS = 20
ACCOUNTS = 64
QUOTES_AT_ONCE = 20
PACE_EVERY_SECONDS = 0.001
PACED_CONNECTIONS = 16
CONNECTIONS = 32

Found = dict[str, Any]


class Connection:
    """One kept-alive connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """The status and the body of the answer."""
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        return int(head[9:12]), await self._reader.readexactly(length)

    async def timed_ns(self, request: bytes) -> int:
        """How long the answer took, which must be 200."""
        began_ns = time.perf_counter_ns()
        status, body = await self.ask(request)
        spent_ns = time.perf_counter_ns() - began_ns
        assert status == 200, body
        return spent_ns


async def connected(port: int) -> Connection:
    return Connection(*await asyncio.open_connection("127.0.0.1", port))


def posted(path: str, body: object) -> bytes:
    """The bytes of a POST."""
    content = json.dumps(body).encode()
    head = (
        f"POST /api/v1/{path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


PING = b"GET /api/v1/ping HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


def entry(name: str, number: int, symbol: str = "S") -> bytes:
    """An entry that every rule lets through, and that does not fill: nothing is offered. Of a
    symbol that nobody quotes, it is refused."""
    return posted(
        "signals",
        {
            "signal_id": f"{name}-{number}",
            "va_id": f"VA{number % ACCOUNTS:03}",
            # An account trades one symbol at a time, so each has one of its own.
            "symbol": f"{symbol}{number % ACCOUNTS % SYMBOLS}",
            "side": "buy",
            "quantity": "1",
            "price": "100.01",
        },
    )


def quotes(first: int, how_many: int) -> bytes:
    """Quotes of this moment, over the symbols in turn."""
    now_ns = time.time_ns()
    rows = [
        {
            "ts": now_ns,
            "symbol": f"S{number % SYMBOLS}",
            "bid": "99.99",
            "bid_size": "0",
            "ask": "100.01",
            "ask_size": "0",
        }
        for number in range(first, first + how_many)
    ]
    return posted("quotes", {"quotes": rows})


async def singles(port: int, number: int, name: str) -> Found:
    """Signals one after the other on one connection, each after a round trip to a no-op route."""
    connection = await connected(port)
    pings, signals = [], []
    for each in range(number):
        pings.append(await connection.timed_ns(PING))
        signals.append(await connection.timed_ns(entry(name, each)))
    return {"pings": pings, "signals": signals}


async def entries(port: int, number: int, name: str) -> Found:
    """Signals on 32 connections, each with one under way at any time: all are accepted."""
    return await _burst(port, [entry(name, each) for each in range(number)], b'"accepted"')


async def refusals(port: int, number: int, name: str) -> Found:
    """The same, and all are refused."""
    return await _burst(port, [entry(name, each, "X") for each in range(number)], b'"NO_QUOTE"')


async def _burst(port: int, requests: list[bytes], wanted: bytes) -> Found:
    connections = [await connected(port) for _ in range(CONNECTIONS)]
    waiting = iter(requests)

    async def send(connection: Connection) -> None:
        for request in waiting:
            _, body = await connection.ask(request)
            assert wanted in body, body

    began = time.perf_counter()
    await asyncio.gather(*map(send, connections))
    return {"seconds": time.perf_counter() - began}


async def feed(port: int, number: int, _name: str) -> Found:
    """So many quotes a second, until killed."""
    connection = await connected(port)
    started = time.monotonic()
    for each in count():
        await connection.timed_ns(quotes(each * QUOTES_AT_ONCE, QUOTES_AT_ONCE))
        due = started + (each + 1) * QUOTES_AT_ONCE / number
        await asyncio.sleep(max(0.0, due - time.monotonic()))
    return {}


async def kills(port: int, number: int, name: str) -> Found:
    """Kill and rearm, while 1,000 signals a second arrive. `held` are the times from the
    acknowledgement of each kill to its rearm."""
    load = asyncio.create_task(_paced(port, name))
    connection = await connected(port)
    spent, held = [], []
    await asyncio.sleep(0.5)
    for _ in range(number):
        spent.append(await connection.timed_ns(posted("kill", {"reason": "bench"})))
        acknowledged_ns = time.time_ns()
        await asyncio.sleep(0.02)
        held.append((acknowledged_ns, time.time_ns()))
        await connection.timed_ns(posted("rearm", {"reason": "bench"}))
        await asyncio.sleep(0.02)
    load.cancel()
    sent = await asyncio.gather(load, return_exceptions=True)
    assert isinstance(sent[0], asyncio.CancelledError), sent
    return {"kills": spent, "held": held}


async def _paced(port: int, name: str) -> None:
    """1,000 signals a second, over several connections."""
    numbers = count()
    started = time.monotonic()

    async def send() -> None:
        connection = await connected(port)
        for each in numbers:
            await asyncio.sleep(max(0.0, started + each * PACE_EVERY_SECONDS - time.monotonic()))
            status, body = await connection.ask(entry(name, each))
            assert status == 200, body

    await asyncio.gather(*(send() for _ in range(PACED_CONNECTIONS)))


TASKS: dict[str, Callable[[int, int, str], Any]] = {
    "singles": singles,
    "entries": entries,
    "refusals": refusals,
    "feed": feed,
    "kills": kills,
}

if __name__ == "__main__":
    port, task, number, name = sys.argv[1:]
    sys.stdout.write(json.dumps(asyncio.run(TASKS[task](int(port), int(number), name))))
