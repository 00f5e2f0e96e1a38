"""What Bybit's messages about the book mean, from texts alone."""

import json
from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.domain.market import Quote
from pointsman.market.venue_quotes.bybit import BybitQuotes, venue_symbol
from pointsman.market.venue_quotes.stream import (
    Accepted,
    Ask,
    Heard,
    Missed,
    Pong,
    Refused,
    UnreadableMessage,
)

BTC = "BTC/USDT:USDT"
Level = tuple[str, str]
EMPTY: tuple[Level, ...] = ()


def book(
    how: str,
    number: int,
    bids: Sequence[Level] = EMPTY,
    asks: Sequence[Level] = EMPTY,
    ts: int | None = None,
) -> str:
    data = {"s": "BTCUSDT", "b": bids, "a": asks, "u": number, "seq": 7 * number}
    stamp = 1_767_623_400_000 + number if ts is None else ts
    return json.dumps(
        {"topic": "orderbook.1.BTCUSDT", "type": how, "ts": stamp, "cts": stamp - 3, "data": data}
    )


FIRST = book("snapshot", 10, [("100", "2")], [("101", "3")])


def opened() -> BybitQuotes:
    stream = BybitQuotes()
    stream.subscribe([BTC])
    stream.read(FIRST)
    return stream


def best(heard: Sequence[Heard]) -> tuple[str, ...]:
    (quote,) = heard
    assert isinstance(quote, Quote)
    return tuple(map(str, (quote.bid, quote.bid_size, quote.ask, quote.ask_size)))


@pytest.mark.parametrize(
    ("symbol", "name"),
    [
        (BTC, "BTCUSDT"),
        ("BTC/USDC:USDC", "BTCPERP"),
        ("1000PEPE/USDT:USDT", "1000PEPEUSDT"),
        ("BTCUSDT", None),
        ("BTC/USDT", None),
    ],
)
def test_symbols_are_those_of_linear_futures(symbol: str, name: str | None) -> None:
    assert venue_symbol(symbol) == name


def test_a_request_that_is_refused_whole_is_made_again_for_each_symbol_alone() -> None:
    stream = BybitQuotes()
    (text,) = stream.subscribe([BTC, "NONE/USDT:USDT"])
    asked = json.loads(text)
    assert asked["args"] == ["orderbook.1.BTCUSDT", "orderbook.1.NONEUSDT"]

    def answer(request: dict[str, Any], told: str) -> tuple[Heard, ...]:
        told_back = {"success": not told, "ret_msg": told, "op": "subscribe"}
        return tuple(stream.read(json.dumps({**told_back, "req_id": request["req_id"]})))

    (again,) = answer(asked, "error:handler not found,topic:orderbook.1.NONEUSDT")
    assert isinstance(again, Ask)
    one, other = map(json.loads, again.texts)
    assert (one["args"], other["args"]) == (["orderbook.1.BTCUSDT"], ["orderbook.1.NONEUSDT"])
    assert answer(one, "") == (Accepted(),)
    assert answer(other, "error: none") == (Refused(told="error: none"),)


@pytest.mark.parametrize(
    "text",
    [
        '{"success":true,"ret_msg":"pong","conn_id":"c","req_id":"12","op":"ping"}',
        '{"op":"pong","args":["1767623400000"],"conn_id":"c","req_id":"12"}',
    ],
)
def test_a_pong_has_the_number_of_its_ping_in_both_forms(text: str) -> None:
    stream = BybitQuotes()
    assert json.loads(stream.ping("12")) == {"op": "ping", "req_id": "12"}
    assert stream.read(text) == (Pong(number="12"),)


def test_a_snapshot_is_the_book_and_changes_follow_it() -> None:
    stream = opened()
    assert best(stream.read(book("delta", 11, [("100", "5")]))) == ("100", "5", "101", "3")
    changed = book("delta", 12, [("100", "0"), ("99.5", "1.25")], [("101", "4")])
    assert best(stream.read(changed)) == ("99.5", "1.25", "101", "4")
    assert best(stream.read(book("delta", 13, [("99.5", "0")]))) == ("0", "0", "101", "4")
    whole = book("snapshot", 1, [("7", "1")], [("8", "1")], ts=1_767_623_500_000)
    assert best(stream.read(whole)) == ("7", "1", "8", "1"), "a service that was started anew"


def test_a_snapshot_that_is_sent_again_says_that_the_book_is_so_still() -> None:
    stream = opened()
    later = 1_767_623_403_010
    (quote,) = stream.read(book("snapshot", 10, [("100", "2")], [("101", "3")], ts=later))
    assert isinstance(quote, Quote)
    assert quote.ts_ns == later * 10**6


@pytest.mark.parametrize(
    "text",
    [
        FIRST.replace("BTCUSDT", "ETHUSDT"),
        book("delta", 10, [("100", "9")]),
        book("snapshot", 9, [("90", "2")], [("91", "3")]),
        '{"success":true,"op":"unsubscribe","req_id":"unsubscribe9"}',
        '{"topic":"tickers.BTCUSDT","type":"snapshot","ts":1}',
    ],
)
def test_what_was_not_asked_for_or_is_repeated_or_overtaken_means_nothing(text: str) -> None:
    stream = opened()
    assert stream.read(text) == ()
    assert best(stream.read(book("delta", 11, [("100", "4")]))) == ("100", "4", "101", "3")


@pytest.mark.parametrize(
    "text",
    [
        book("delta", 12, [("100", "9")]),
        book("delta", 11, [("99", "9")]),
        book("delta", 3, [("100", "9")], ts=1_767_623_500_000),
    ],
    ids=["a number is missing", "two levels", "numbers from anew"],
)
def test_where_a_message_is_missing_the_book_is_asked_for_anew(text: str) -> None:
    stream = opened()
    missed, ask = stream.read(text)
    assert missed == Missed(symbol=BTC)
    assert isinstance(ask, Ask)
    requests = [json.loads(each) for each in ask.texts]
    assert [each["op"] for each in requests] == ["unsubscribe", "subscribe"]
    assert stream.read(book("delta", 13, [("100", "1")])) == (), "before the snapshot"
    whole = book("snapshot", 20, [("98", "1")], [("99", "1")])
    assert best(stream.read(whole)) == ("98", "1", "99", "1")


@pytest.mark.parametrize("text", ["", "<html>", "[1]", book("delta", 11, [("x", "1")])])
def test_what_cannot_be_read_is_said(text: str) -> None:
    with pytest.raises(UnreadableMessage):
        opened().read(text)


PRICES = st.integers(1, 5)
BOOKS = st.lists(st.tuples(PRICES, PRICES, PRICES, PRICES), min_size=1, max_size=12)


@given(BOOKS, st.data())
def test_whatever_is_lost_or_repeated_a_quote_is_one_that_the_venue_had(
    books: list[tuple[int, int, int, int]], data: st.DataObject
) -> None:
    """The venue's own messages, some of them lost or twice: each quote is the book at its stamp,
    and the last message of an unbroken end is known."""
    stream = BybitQuotes()
    stream.subscribe([BTC])
    texts = [book("snapshot", 1, *sides(books[0]))]
    for number, (old, new) in enumerate(pairwise(books), 2):
        bids, asks = (change(*pair) for pair in zip(sides(old), sides(new), strict=True))
        texts.append(book("delta", number, bids, asks))
    times = [data.draw(st.integers(0, 2)) for _ in texts]
    given_quotes = [
        heard
        for text, count in zip(texts, times, strict=True)
        for _ in range(count)
        for heard in stream.read(text)
        if isinstance(heard, Quote)
    ]
    for quote in given_quotes:
        number = quote.ts_ns // 10**6 - 1_767_623_400_000
        bid, bid_size, ask, ask_size = books[number - 1]
        assert (quote.bid, quote.bid_size) == (bid, bid_size)
        assert (quote.ask, quote.ask_size) == (Decimal(10 + ask), ask_size)
    if all(times):
        assert len(given_quotes) >= len(texts)


def sides(each: tuple[int, int, int, int]) -> tuple[list[Level], list[Level]]:
    bid, bid_size, ask, ask_size = each
    return [(str(bid), str(bid_size))], [(str(10 + ask), str(ask_size))]


def change(old: list[Level], new: list[Level]) -> list[Level]:
    gone = [(price, "0") for price, _ in old if price not in dict(new)]
    return [] if old == new else gone + new
