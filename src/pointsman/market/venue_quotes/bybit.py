"""Quotes of Bybit's linear futures: the first level of the book (`orderbook.1`).

That topic and not `tickers`, because it is sent ten times as often, numbers its changes, so that a
gap is known, and is sent again after three seconds without a change. A book begins with a snapshot;
each change has the next number and leaves one level on a side, else something is missing: then
nothing is known of the symbol, and it is subscribed again for a snapshot. The stamp is the one of
the message (`ts`), also of a snapshot that is sent again: it says that the book is so still.

A request is refused whole for one topic that does not exist: then each is asked for alone.
"""

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from pointsman.config.known_venues import KNOWN_VENUES
from pointsman.domain.market import Quote
from pointsman.domain.money import ZERO
from pointsman.domain.timestamps import MS_NS
from pointsman.market.venue_quotes.stream import (
    Accepted,
    Ask,
    Heard,
    Login,
    Missed,
    Pong,
    QuoteSource,
    Refused,
    UnreadableMessage,
)

NAME = "bybit"
SYMBOLS_MAX = 200
_TOPIC = "orderbook.1."

Level = tuple[Decimal, Decimal]
NOBODY: tuple[Level, ...] = ((ZERO, ZERO),)


class _Change(msgspec.Struct, gc=False):
    """Levels that are new or have changed; a size of 0 takes one away."""

    s: str = ""
    b: list[Level] = []
    a: list[Level] = []
    u: int = 0


class _Message(msgspec.Struct, gc=False):
    """A book, or a change of it, where there is a topic; else the answer to a request."""

    topic: str = ""
    type: str = ""
    ts: int = 0
    data: _Change | None = None
    op: str = ""
    success: bool = True
    ret_msg: str = ""
    req_id: str = ""


class _Book(msgspec.Struct):
    """The level on each side, its size by its price, as of the change of this number."""

    number: int
    ts_ms: int
    bids: dict[Decimal, Decimal]
    asks: dict[Decimal, Decimal]


_decode = msgspec.json.Decoder(_Message).decode


def venue_symbol(symbol: str) -> str | None:
    """BTCUSDT for BTC/USDT:USDT, and BTCPERP for BTC/USDC:USDC."""
    if not KNOWN_VENUES[NAME].trades(symbol):
        return None
    base, _, quote = symbol.partition(":")[0].partition("/")
    return f"{base}PERP" if quote == "USDC" else f"{base}{quote}"


class BybitQuotes:
    """One connection."""

    def __init__(self, _login: Login | None = None) -> None:
        self._symbols: dict[str, str] = {}
        self._books: dict[str, _Book] = {}
        self._asked: dict[str, list[str]] = {}
        self._requests = 0

    def opening(self) -> Sequence[str]:
        return ()

    def subscribe(self, symbols: Sequence[str]) -> Sequence[str]:
        names = {venue_symbol(symbol) or "": symbol for symbol in symbols}
        self._symbols |= names
        return (self._request("subscribe", list(names)),)

    def ping(self, number: str) -> str:
        return msgspec.json.encode({"req_id": number, "op": "ping"}).decode()

    def read(self, text: str) -> Sequence[Heard]:
        try:
            message = _decode(text)
        except msgspec.MsgspecError as problem:
            raise UnreadableMessage(f"{problem}: {text[:200]}") from problem
        if message.data is not None and message.topic.startswith(_TOPIC):
            return self._heard(message, message.data)
        if message.op in ("ping", "pong") or message.ret_msg == "pong":
            return (Pong(number=message.req_id),)
        if message.op not in ("subscribe", "unsubscribe"):
            return () if message.success else (Refused(told=message.ret_msg),)
        return self._answered(message)

    def _answered(self, message: _Message) -> Sequence[Heard]:
        names = self._asked.pop(message.req_id, [])
        if message.success:
            return (Accepted(),) if message.op == "subscribe" else ()
        if len(names) > 1:
            return (Ask(texts=tuple(self._request("subscribe", [name]) for name in names)),)
        return (Refused(told=message.ret_msg),)

    def _request(self, operation: str, names: list[str]) -> str:
        self._requests += 1
        number = f"{operation}{self._requests}"
        self._asked[number] = names
        topics = [f"{_TOPIC}{name}" for name in names]
        asked = {"req_id": number, "op": operation, "args": topics}
        return msgspec.json.encode(asked).decode()

    def _heard(self, message: _Message, data: _Change) -> Sequence[Heard]:
        symbol = self._symbols.get(data.s)
        if symbol is None:
            return ()
        book = self._books.get(data.s)
        if message.type == "snapshot":
            if book is not None and data.u < book.number and message.ts <= book.ts_ms:
                return ()  # It was overtaken. One that is newer begins a new count.
            book = self._books[data.s] = _Book(number=data.u, ts_ms=message.ts, bids={}, asks={})
        elif book is None:
            return ()  # The snapshot that was asked for is still to come.
        elif data.u <= book.number and message.ts <= book.ts_ms:
            return ()  # It is repeated.
        elif data.u != book.number + 1:
            return self._missed(symbol, data.s)
        _change(book.bids, data.b)
        _change(book.asks, data.a)
        if max(len(book.bids), len(book.asks)) > 1:
            return self._missed(symbol, data.s)
        book.number, book.ts_ms = data.u, message.ts
        return (_quote(symbol, book),)

    def _missed(self, symbol: str, name: str) -> Sequence[Heard]:
        del self._books[name]
        again = (self._request("unsubscribe", [name]), self._request("subscribe", [name]))
        return (Missed(symbol=symbol), Ask(texts=again))


def _change(side: dict[Decimal, Decimal], levels: Sequence[Level]) -> None:
    for price, size in levels:
        if size:
            side[price] = size
        else:
            side.pop(price, None)


def _quote(symbol: str, book: _Book) -> Quote:
    """A side without anybody has price and size 0."""
    ((bid, bid_size),) = book.bids.items() or NOBODY
    ((ask, ask_size),) = book.asks.items() or NOBODY
    return Quote(
        symbol=symbol,
        ts_ns=book.ts_ms * MS_NS,
        bid=bid,
        bid_size=bid_size,
        ask=ask,
        ask_size=ask_size,
    )


SOURCE = QuoteSource(
    name=NAME,
    host="wss://stream.bybit.com",
    sandbox_host="wss://stream-testnet.bybit.com",
    path="/v5/public/linear",
    symbols_max=SYMBOLS_MAX,
    silence_seconds=10,
    is_always_open=True,
    needs_login=False,
    venue_symbol=venue_symbol,
    stream=BybitQuotes,
)
