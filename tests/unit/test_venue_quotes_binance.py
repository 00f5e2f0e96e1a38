"""What Binance's messages about quotes mean, from texts alone."""

import gzip
import json
from decimal import Decimal
from pathlib import Path

import pytest

from pointsman.domain.market import Quote
from pointsman.market.venue_quotes.binance import BinanceQuotes, venue_symbol
from pointsman.market.venue_quotes.stream import Accepted, Refused, UnreadableMessage

BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"


def ticker(number: int, bid: str = "60000.10", ask: str = "60000.20", name: str = "BTCUSDT") -> str:
    told = {"e": "bookTicker", "u": number, "s": name, "b": bid, "B": "1.250", "a": ask, "A": "3"}
    return json.dumps({**told, "T": 1767623402115, "E": 1767623402117, "st": 1, "ps": name})


def asked() -> BinanceQuotes:
    stream = BinanceQuotes()
    stream.subscribe([BTC])
    return stream


@pytest.mark.parametrize(
    ("symbol", "name"),
    [
        (BTC, "BTCUSDT"),
        ("1000SHIB/USDC:USDC", "1000SHIBUSDC"),
        ("BTCUSDT", None),
        ("BTC/USDT", None),
        ("BTC/USD:BTC", None),
        ("AAPL", None),
    ],
)
def test_symbols_are_those_of_linear_futures(symbol: str, name: str | None) -> None:
    assert venue_symbol(symbol) == name


def test_one_request_asks_for_all_that_is_wanted() -> None:
    stream = BinanceQuotes()
    assert (stream.opening(), stream.ping("1")) == ((), "")
    (first,), (second,) = stream.subscribe([BTC, ETH]), stream.subscribe(["BNB/USDT:USDT"])
    names = ["btcusdt@bookTicker", "ethusdt@bookTicker"]
    assert json.loads(first) == {"method": "SUBSCRIBE", "params": names, "id": 1}
    assert json.loads(second)["id"] == 2
    assert stream.read('{"result":null,"id":1}') == (Accepted(),)


def test_a_change_of_the_book_is_a_quote_in_exact_numbers_at_the_engine_s_stamp() -> None:
    (quote,) = asked().read(ticker(1))
    assert quote == Quote(
        symbol=BTC,
        ts_ns=1767623402115 * 10**6,
        bid=Decimal("60000.10"),
        bid_size=Decimal("1.250"),
        ask=Decimal("60000.20"),
        ask_size=Decimal(3),
    )
    assert str(quote.bid) == "60000.10"


def test_what_is_repeated_or_overtaken_is_left_out() -> None:
    stream = asked()
    given = [bool(stream.read(ticker(number))) for number in (5, 5, 7, 6, 8)]
    assert given == [True, False, True, False, True]


def test_rule_4_an_empty_side_is_an_invalid_quote_and_is_given_all_the_same() -> None:
    (quote,) = asked().read(ticker(1, bid="0"))
    assert isinstance(quote, Quote)
    assert not quote.is_valid


@pytest.mark.parametrize(
    "text",
    [
        ticker(1, name="ETHUSDT"),
        '{"e":"aggTrade","s":"BTCUSDT","p":"1"}',
        '{"e":"serverShutdown","E":1}',
    ],
)
def test_what_was_not_asked_for_means_nothing(text: str) -> None:
    assert asked().read(text) == ()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"code":2,"msg":"Invalid request: unknown method"}', "2: Invalid request: unknown"),
        ('{"error":{"code":3,"msg":"Invalid JSON"},"id":1}', 'error: {"code":3'),
    ],
)
def test_a_refusal_is_told_in_the_venue_s_words(text: str, told: str) -> None:
    (refused,) = asked().read(text)
    assert isinstance(refused, Refused)
    assert refused.told.startswith(told)


@pytest.mark.parametrize("text", ["", "<html>", "[]", ticker(1, bid="NO"), '{"e":"bookTicker"'])
def test_what_cannot_be_read_is_said(text: str) -> None:
    with pytest.raises(UnreadableMessage):
        asked().read(text)


def test_a_recorded_session_of_the_venue_is_read_whole(shared_data: Path) -> None:
    """Half a minute of four symbols, as the venue sent it on a combined stream in 2021."""
    path = shared_data / "ws-captures" / "BINANCE_FUTURES.ws.1.0.txt.gz"
    stream = BinanceQuotes()
    stream.subscribe([f"{coin}/USDT:USDT" for coin in ("SUSHI", "AKRO", "KEEP", "CTK")])
    given: list[Quote] = []
    sent = 0
    for line in gzip.decompress(path.read_bytes()).decode().splitlines():
        _, _, text = line.partition(": ")
        if '@bookTicker","data":' in text:
            sent += 1
            (quote,) = stream.read(json.dumps(json.loads(text)["data"]))
            assert isinstance(quote, Quote)
            given.append(quote)
    assert sent == len(given) == 613
    assert all(quote.is_valid for quote in given)
    for symbol in {quote.symbol for quote in given}:
        stamps = [quote.ts_ns for quote in given if quote.symbol == symbol]
        assert stamps == sorted(stamps)
