"""Quotes of Binance USDⓈ-M futures: the best bid and ask at each change (`bookTicker`).

The stream says only what changes, without a snapshot at its beginning. `u` rises with every change
of a book, so a message that is repeated or overtaken is known by it, and left out. The stamp is the
one of the matching engine (`T`): what the venue needs to publish a change is part of its age. A
stream that does not exist is accepted all the same, and gives nothing.
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
    Heard,
    Login,
    QuoteSource,
    Refused,
    UnreadableMessage,
)

NAME = "binanceusdm"
SYMBOLS_MAX = 200


class _Message(msgspec.Struct, gc=False):
    """A change of a book, or the answer to a request: `id` is there."""

    e: str = ""
    s: str = ""
    u: int = 0
    T: int = 0
    b: Decimal = ZERO
    B: Decimal = ZERO
    a: Decimal = ZERO
    A: Decimal = ZERO
    id: int | None = None
    code: int | None = None
    msg: str = ""
    error: msgspec.Raw = msgspec.Raw()


_decode = msgspec.json.Decoder(_Message).decode


def venue_symbol(symbol: str) -> str | None:
    """BTCUSDT for BTC/USDT:USDT."""
    if not KNOWN_VENUES[NAME].trades(symbol):
        return None
    return symbol.partition(":")[0].replace("/", "")


class BinanceQuotes:
    """One connection."""

    def __init__(self, _login: Login | None = None) -> None:
        self._symbols: dict[str, str] = {}
        self._updates: dict[str, int] = {}
        self._requests = 0

    def opening(self) -> Sequence[str]:
        return ()

    def subscribe(self, symbols: Sequence[str]) -> Sequence[str]:
        ours = {venue_symbol(symbol) or "": symbol for symbol in symbols}
        self._symbols |= ours
        self._requests += 1
        asked = {
            "method": "SUBSCRIBE",
            "params": [f"{name.lower()}@bookTicker" for name in ours],
            "id": self._requests,
        }
        return (msgspec.json.encode(asked).decode(),)

    def ping(self, number: str) -> str:  # noqa: ARG002 - it answers pings of the websocket
        return ""

    def read(self, text: str) -> Sequence[Heard]:
        try:
            message = _decode(text)
        except msgspec.MsgspecError as problem:
            raise UnreadableMessage(f"{problem}: {text[:200]}") from problem
        if message.e == "bookTicker":
            return self._quote(message)
        if message.code is not None or bytes(message.error):
            told = message.msg or bytes(message.error).decode()
            return (Refused(told=f"{message.code or 'error'}: {told}"),)
        return (Accepted(),) if message.id is not None else ()

    def _quote(self, message: _Message) -> Sequence[Heard]:
        symbol = self._symbols.get(message.s)
        if symbol is None or message.u <= self._updates.get(symbol, -1):
            return ()
        self._updates[symbol] = message.u
        return (
            Quote(
                symbol=symbol,
                ts_ns=message.T * MS_NS,
                bid=message.b,
                bid_size=message.B,
                ask=message.a,
                ask_size=message.A,
            ),
        )


SOURCE = QuoteSource(
    name=NAME,
    host="wss://fstream.binance.com",
    sandbox_host="wss://demo-fstream.binance.com",
    path="/public/ws/0",
    symbols_max=SYMBOLS_MAX,
    silence_seconds=60,
    is_always_open=True,
    needs_login=False,
    venue_symbol=venue_symbol,
    stream=BinanceQuotes,
)
