"""The live feed of a venue over real sockets: the newest quote wins, heartbeats confirm it, and
nothing is believed across a gap."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from pointsman.domain.market import Quote
from pointsman.market.live_rows import LiveRows
from tests.integration.feeds_under_test import MS_NS, Heard, heard, subscribed
from tests.venue_servers.alpaca import AlpacaServer
from tests.venue_servers.binance import BinanceServer
from tests.venue_servers.bybit import BybitServer
from tests.venue_servers.calls import Refusal
from tests.venue_servers.streams import QUOTES, Socket, StreamRoute

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


def shows(bid: int) -> Callable[[Heard], bool]:
    """Whether a quote with this bid has come."""
    return lambda feed: any(quote.bid == bid for quote in feed.quotes)


def price(server: BinanceServer | BybitServer, bid: int, name: str = "BTCUSDT") -> None:
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


@pytest.fixture
def bybit() -> Iterator[BybitServer]:
    with BybitServer() as venue:
        yield venue


@pytest.fixture
def alpaca() -> Iterator[AlpacaServer]:
    with AlpacaServer() as venue:
        yield venue


def test_bybit_s_book_is_known_at_once_followed_by_its_changes_and_sent_again(
    bybit: BybitServer,
) -> None:
    bybit.quote("BTCUSDT", "100.5", "100.6", bid_size=2, ask_size=3)
    with heard("bybit", bybit, BTC) as feed:
        (first,) = feed.until(lambda h: h.quotes)
        assert (first.bid, first.bid_size, first.ask_size) == (Decimal("100.5"), 2, 3)
        bybit.quote("BTCUSDT", "100.4", "100.6", bid_size=7, ask_size=3)
        second = feed.until(lambda h: len(h.quotes) == 2 and h.quotes[-1])
        assert (second.bid, second.bid_size, second.ask) == (Decimal("100.4"), 7, first.ask)
        again = feed.until(lambda h: len(h.quotes) == 3 and h.quotes[-1])
        assert again.bid == second.bid
        assert again.ts_ns >= second.ts_ns + 2500 * MS_NS
        assert feed.confirmed[BTC] > second.ts_ns + 2000 * MS_NS, "pings confirm it in between"


def test_a_message_of_bybit_that_is_lost_is_noticed_and_the_book_is_asked_for_anew(
    bybit: BybitServer,
) -> None:
    price(bybit, 100)
    with heard("bybit", bybit, BTC) as feed:
        feed.until(lambda h: h.quotes)
        bybit.streams.drop(1, QUOTES)
        price(bybit, 101)
        price(bybit, 102)
        last = feed.until(lambda h: len(h.quotes) > 1 and h.quotes[-1])
        assert (last.bid, last.ask) == (102, 103)
        assert (feed.links, feed.news) == ([], [])


def test_one_symbol_that_bybit_does_not_know_keeps_no_other_from_coming(
    bybit: BybitServer,
) -> None:
    price(bybit, 100)
    with heard("bybit", bybit, BTC, "NONE/USDT:USDT") as feed:
        feed.until(lambda h: h.quotes and h.news)
        assert feed.news[0].startswith("bybit refuses: error:handler not found,topic:orderbook.1.N")


def test_rule_4_a_side_that_is_empty_and_a_halt_make_invalid_quotes_at_alpaca(
    alpaca: AlpacaServer,
) -> None:
    with heard("alpaca", alpaca, "AAPL") as feed:
        feed.until(lambda _: subscribed(alpaca))
        alpaca.quote("AAPL", Decimal("193.71"), Decimal(0))
        alpaca.quote("AAPL", Decimal("193.71"), Decimal("193.73"))
        feed.until(lambda h: h.quotes and h.quotes[-1].is_valid)
        alpaca.halt("AAPL")
        feed.until(lambda h: not h.quotes[-1].is_valid)
        alpaca.quote("AAPL", Decimal("180.00"), Decimal("180.02"))
        feed.during(0.3)
        assert not feed.quotes[-1].is_valid
        alpaca.resume("AAPL")
        alpaca.quote("AAPL", Decimal("181.00"), Decimal("181.02"))
        feed.until(lambda h: h.quotes[-1].is_valid)
        assert feed.quotes[-1].bid == Decimal("181.00")


def test_a_wrong_key_and_a_second_connection_are_told_and_tried_again_later(
    alpaca: AlpacaServer,
) -> None:
    with heard("alpaca", alpaca, "AAPL", key="wrong") as feed:
        (down,) = feed.until(lambda h: h.links)
        assert down.detail == "alpaca refuses: 402 auth failed"
        assert feed.news == [down.detail]
    with heard("alpaca", alpaca, "AAPL") as first:
        first.until(lambda _: subscribed(alpaca))
        with heard("alpaca", alpaca, "AAPL") as second:
            (down,) = second.until(lambda h: h.links)
            assert down.detail == "alpaca refuses: 406 connection limit exceeded"
        assert first.links == []


def test_the_31st_symbol_of_alpaca_is_told_and_the_others_come(alpaca: AlpacaServer) -> None:
    alpaca.data.symbols = 1
    with heard("alpaca", alpaca, "AAPL") as feed:
        feed.until(lambda _: subscribed(alpaca))
        feed.feed.want("MSFT")
        feed.until(lambda h: h.news)
        assert feed.news == ["alpaca refuses: 405 symbol limit exceeded"]
        alpaca.quote("AAPL", Decimal(100), Decimal(101))
        feed.until(lambda h: h.quotes)
        assert feed.links == []


class Elsewhere(AlpacaServer):
    """Sends everybody to another server."""

    target = ""

    def stream_routes(self) -> Iterable[StreamRoute]:
        def redirect(_socket: Socket) -> None:
            raise Refusal(302, "", {"Location": f"{self.target}/v2/iex"})

        return [replace(route, on_open=redirect) for route in super().stream_routes()]


def test_rule_49_a_key_follows_no_redirect(alpaca: AlpacaServer) -> None:
    with Elsewhere() as elsewhere:
        elsewhere.target = alpaca.url
        with heard("alpaca", elsewhere, "AAPL") as feed:
            (down,) = feed.until(lambda h: h.links)
            assert down.detail == "no connection: it sends us to another address"
            feed.during(1)
        assert alpaca.requests == []


@pytest.mark.parametrize(
    ("name", "kind", "symbol", "theirs"),
    [
        ("binanceusdm", BinanceServer, BTC, "BTCUSDT"),
        ("bybit", BybitServer, BTC, "BTCUSDT"),
        ("alpaca", AlpacaServer, "AAPL", "AAPL"),
    ],
)
def test_rule_50_each_venue_is_connected_again_and_asked_for_the_same(
    name: str, kind: type[Any], symbol: str, theirs: str
) -> None:
    with kind() as server, heard(name, server, symbol) as feed:
        for bid in (100, 101, 102):
            feed.until(lambda _: subscribed(server))
            feed.links.clear()
            server.quote(theirs, Decimal(bid), Decimal(bid + 1))
            feed.until(shows(bid))
            server.streams.close(1001, QUOTES)
            feed.until(lambda h: len(h.links) == 2)
            assert [change.is_up for change in feed.links] == [False, True]
        assert feed.news == []


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_ends_by_a_fault_is_begun_again(
    server: BinanceServer, feed: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_rows: LiveRows, _quote: Quote) -> str:
        raise RuntimeError("a fault of ours")

    with monkeypatch.context() as patched:
        patched.setattr(LiveRows, "take", broken)
        price(server, 100)
        feed.until(lambda h: not h.feed.is_alive)
    feed.feed.start_again()
    feed.until(lambda _: subscribed(server))
    price(server, 101)
    feed.until(lambda h: h.quotes)
