"""One connection to quotes, over a real socket: heartbeats confirm what came on it, and nothing
else."""

import asyncio
import time
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha1

import aiohttp
import pytest

from pointsman.domain.market import Quote
from pointsman.market import venue_connection
from pointsman.market.venue_quotes.sources import SOURCES
from tests.integration.feeds_under_test import MS_NS, Heard, heard, subscribed
from tests.venue_servers.binance import BinanceServer
from tests.venue_servers.streams import QUOTES

BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"
NAME = "binanceusdm"


@pytest.fixture
def server() -> Iterator[BinanceServer]:
    with BinanceServer() as venue:
        yield venue


@pytest.fixture
def feed(server: BinanceServer) -> Iterator[Heard]:
    with heard(NAME, server, BTC) as hearing:
        hearing.until(lambda _: subscribed(server))
        yield hearing


def price(server: BinanceServer, bid: int, name: str = "BTCUSDT") -> None:
    server.quote(name, bid, bid + 1)


def test_rule_12_a_heartbeat_says_that_a_quiet_quote_is_fresh(
    server: BinanceServer, feed: Heard
) -> None:
    price(server, 100)
    (quote,) = feed.until(lambda h: h.quotes)
    feed.during(1.5)
    age_ms = (time.time_ns() - feed.confirmed[BTC]) // MS_NS
    assert 0 <= age_ms < 500
    assert feed.confirmed[BTC] > quote.ts_ns + 10**9
    assert feed.quotes == [quote], "a heartbeat is no quote"


def test_a_heartbeat_confirms_nothing_that_came_before_a_gap(
    server: BinanceServer, feed: Heard
) -> None:
    price(server, 100)
    feed.until(lambda h: h.confirmed)
    server.streams.close(1001, QUOTES)
    down, up = feed.until(lambda h: len(h.links) == 2 and h.links)
    assert [(change.link.value, change.is_up) for change in (down, up)] == [
        ("quotes", False),
        ("quotes", True),
    ]
    assert down.detail == "the venue has closed the connection (1001)"
    feed.confirmed.clear()
    feed.during(0.8)
    assert feed.confirmed == {}
    price(server, 101)
    feed.until(lambda h: h.confirmed)
    assert feed.quotes[-1].bid == 101


def test_a_connection_that_is_silent_is_made_again(server: BinanceServer) -> None:
    with heard(NAME, server, BTC, silence_seconds=1) as feed:
        feed.until(lambda _: subscribed(server))
        price(server, 100)
        feed.until(lambda h: h.confirmed)
        last = feed.until(lambda h: h.links)[0]
        assert last.detail == "no quote for 1 s, though it answers pings"
        assert feed.confirmed[BTC] < feed.quotes[-1].ts_ns + 1500 * MS_NS
        feed.until(lambda h: h.links[-1].is_up)


def test_where_markets_close_silence_confirms_nothing_and_ends_nothing(
    server: BinanceServer,
) -> None:
    with heard(NAME, server, BTC, silence_seconds=1, is_always_open=False) as feed:
        feed.until(lambda _: subscribed(server))
        price(server, 100)
        feed.during(2.5)
        assert feed.links == []
        assert feed.confirmed[BTC] < feed.quotes[-1].ts_ns + 1500 * MS_NS


def test_messages_that_are_late_make_their_confirmations_as_late(
    server: BinanceServer, feed: Heard
) -> None:
    server.streams.delay(1.0, QUOTES)
    price(server, 100)
    feed.until(lambda h: h.confirmed)
    assert time.time_ns() - feed.confirmed[BTC] > 1000 * MS_NS


def test_a_connection_that_does_not_answer_is_given_up(
    server: BinanceServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(venue_connection, "PONG_NS", 10**9)
    with heard(NAME, server, BTC) as feed:
        feed.until(lambda _: subscribed(server))
        server.call(time.sleep, 2.0)  # The whole server stands still.
        down = feed.until(lambda h: h.links)[0]
        assert down.detail == "no answer to a ping for 1 s"
        feed.until(lambda h: h.links[-1].is_up)


def test_a_symbol_without_any_quote_is_told(
    server: BinanceServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(venue_connection, "NO_QUOTE_NS", 10**9)
    with heard(NAME, server, BTC, "BTC/USDC:USDC") as feed:
        feed.until(lambda _: subscribed(server, 2))
        price(server, 100)
        feed.until(lambda h: h.news)
        assert feed.news == [
            "binanceusdm has sent no quote of BTC/USDC:USDC for 1 s: check its name"
        ]


PING_FRAME = b"\x89\x00"
HANDSHAKE = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: %s\r\n\r\n"
)


class Deaf:
    """Wants no quotes, and hears none."""

    def asked(self) -> list[str]:
        return []

    def heard_quote(self, quote: Quote) -> bool:
        raise AssertionError(quote)

    def heard_heartbeat(self, current: object, confirmed_ns: int) -> None: ...

    def heard_accepted(self) -> None: ...

    def say(self, told: str) -> None: ...


async def ping_and_hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A venue that pings over and over, and is gone before it has read an answer."""
    asked = await reader.readuntil(b"\r\n\r\n")
    key = asked.lower().partition(b"sec-websocket-key: ")[2].partition(b"\r\n")[0]
    start = asked.lower().index(key)
    key = asked[start : start + len(key)] + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    writer.write(HANDSHAKE % b64encode(sha1(key, usedforsecurity=False).digest()))
    writer.write(PING_FRAME * 10_000)
    writer.transport.abort()


async def test_an_answer_to_a_ping_that_cannot_leave_is_no_fault() -> None:
    server = await asyncio.start_server(ping_and_hang_up, "127.0.0.1", 0)
    url = "http://{}:{}/".format(*server.sockets[0].getsockname())
    async with (
        server,
        aiohttp.ClientSession() as session,
        session.ws_connect(url, autoping=False) as socket,
    ):
        why = await venue_connection.Connection(SOURCES[NAME], None, Deaf()).run(socket)
    assert "connection" in why
