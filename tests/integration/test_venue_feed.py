"""The live feed of a venue over real sockets: the newest quote wins, heartbeats confirm it, and
nothing is believed across a gap."""

import time
from collections.abc import Iterator
from decimal import Decimal

import pytest

from tests.integration.feeds_under_test import Heard, heard, subscribed
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


def test_rule_50_the_newest_of_each_symbol_wins_and_nothing_waits(
    server: BinanceServer, feed: Heard
) -> None:
    feed.feed.want(ETH)
    feed.until(lambda _: subscribed(server, 2))
    for bid in range(100, 150):
        price(server, bid)
    price(server, 9, "ETHUSDT")
    feed.during(0.5)
    assert [quote.bid for quote in feed.quotes if quote.symbol == ETH] == [9]
    ours = [quote.bid for quote in feed.quotes if quote.symbol == BTC]
    assert ours[-1] == 149
    assert ours == sorted(ours)


def test_an_engine_that_does_not_look_is_woken_once(server: BinanceServer, feed: Heard) -> None:
    feed.take()
    before = feed.wakes
    for bid in range(100, 120):
        price(server, bid)
    time.sleep(0.6)
    assert feed.wakes == before + 1
    feed.take()
    assert [quote.bid for quote in feed.quotes] == [119]


def test_a_repeated_or_overtaken_message_moves_nothing_back(
    server: BinanceServer, feed: Heard
) -> None:
    server.streams.repeat(1, QUOTES)
    price(server, 100)
    server.streams.swap(QUOTES)
    price(server, 101)
    price(server, 102)
    feed.during(0.5)
    assert feed.quotes[-1].bid == 102
    assert [quote.bid for quote in feed.quotes] == sorted(quote.bid for quote in feed.quotes)
    assert list(feed.skipped.take_news()) == []


def test_rule_60_stamps_far_ahead_are_skipped_and_confirm_nothing(
    server: BinanceServer, feed: Heard
) -> None:
    price(server, 100)
    feed.until(lambda h: h.confirmed)
    server.clock_ahead_ms = 120_000
    price(server, 101)
    (told,) = feed.until(lambda h: list(h.skipped.take_news()))
    assert "more than a minute ahead" in told
    feed.confirmed.clear()
    feed.during(0.8)
    assert (feed.confirmed, [quote.bid for quote in feed.quotes]) == ({}, [Decimal(100)])


def test_rule_46_a_venue_that_is_away_is_down_until_it_is_back() -> None:
    with BinanceServer() as server:
        port, url = server.port, server.data_url
    with heard(NAME, server, BTC, url=f"{url}/public/ws/0") as feed:
        (down,) = feed.until(lambda h: h.links)
        assert down.detail.startswith("no connection: Cannot connect to host 127.0.0.1")
        with BinanceServer(port=port) as back:
            feed.until(lambda h: h.links[-1].is_up)
            price(back, 100)
            feed.until(lambda h: h.quotes)


def test_symbols_that_are_none_or_too_many_are_told_once(server: BinanceServer) -> None:
    with heard(NAME, server, BTC, "AAPL", symbols_max=1) as feed:
        for symbol in (ETH, "AAPL", ETH, BTC):
            feed.feed.want(symbol)
        feed.until(lambda h: len(h.news) == 2)
        assert feed.news == [
            "AAPL is no symbol of binanceusdm: it has no quotes",
            "binanceusdm gives quotes of at most 1 symbols: none of ETH/USDT:USDT; name those that"
            " you want in SYMBOLS",
        ]


def test_rule_49_a_base_url_replaces_scheme_host_and_port_and_keeps_the_path(
    server: BinanceServer, feed: Heard
) -> None:
    opened = [arrived.path for arrived in server.requests if arrived.route.startswith("stream")]
    assert opened == ["/public/ws/0"]
    source = feed.feed.source
    assert source.url("", is_sandbox=False) == "wss://fstream.binance.com/public/ws/0"
    assert source.url("", is_sandbox=True) == "wss://demo-fstream.binance.com/public/ws/0"
