"""Quotes of US stocks at Alpaca: the best bid and ask of IEX, which is what a free account sees.

IEX is one exchange of many: before the open and in thin shares a side is often without anybody,
price and size 0, which makes an invalid quote (RULES 4). While trading in a share is halted there
is no market, whatever is quoted: its quotes are given with prices of 0 until it is resumed. One
connection of an account is open at a time, and it gives 30 symbols; a second one is refused with
406, a 31st symbol with 405. Numbers are JSON numbers and are read as they are written.
"""

from collections.abc import Sequence
from decimal import Decimal

import msgspec
from msgspec.structs import replace

from pointsman.config.known_venues import KNOWN_VENUES
from pointsman.domain.market import Quote
from pointsman.domain.money import ZERO
from pointsman.domain.timestamps import parse_ts
from pointsman.market.venue_quotes.stream import (
    Accepted,
    Heard,
    Login,
    Opened,
    QuoteSource,
    Refused,
    UnreadableMessage,
)

NAME = "alpaca"
SYMBOLS_MAX = 30

_ENDING = frozenset({401, 402, 403, 404, 406, 409, 500})
"""Errors after which nothing comes on a connection."""
_RESUMED = frozenset({"T", "3"})
"""Status codes that say that a share trades again: on the tapes of Nasdaq, and of the others."""
_HALTED = frozenset({"H", "P", "2"})
"""Those that say that it does not: halted, or paused for volatility."""


class _Message(msgspec.Struct, gc=False):
    """A quote (`q`), a trading status (`s`), or what the connection says of itself."""

    T: str
    S: str = ""
    bp: Decimal = ZERO
    bs: Decimal = ZERO
    ap: Decimal = ZERO
    size: Decimal = msgspec.field(name="as", default=ZERO)
    t: str = ""
    sc: str = ""
    msg: str = ""
    code: int = 0


_decode = msgspec.json.Decoder(list[_Message]).decode


def venue_symbol(symbol: str) -> str | None:
    """The same, where it is a share."""
    return symbol if KNOWN_VENUES[NAME].trades(symbol) else None


class AlpacaQuotes:
    """One connection."""

    def __init__(self, login: Login | None = None) -> None:
        assert login is not None, "this venue gives nothing without a key"
        self._login = login
        self._last: dict[str, Quote] = {}
        self._halted: set[str] = set()

    def opening(self) -> Sequence[str]:
        key, secret = self._login.key, self._login.secret
        asked = {
            "action": "auth",
            "key": key.get_secret_value(),
            "secret": secret.get_secret_value(),
        }
        return (msgspec.json.encode(asked).decode(),)

    def subscribe(self, symbols: Sequence[str]) -> Sequence[str]:
        asked = {"action": "subscribe", "quotes": list(symbols), "statuses": list(symbols)}
        return (msgspec.json.encode(asked).decode(),)

    def ping(self, number: str) -> str:  # noqa: ARG002 - it answers pings of the websocket
        return ""

    def read(self, text: str) -> Sequence[Heard]:
        try:
            return [heard for message in _decode(text) for heard in self._heard(message)]
        except (msgspec.MsgspecError, ValueError) as problem:
            raise UnreadableMessage(f"{problem}: {text[:200]}") from problem

    def _heard(self, message: _Message) -> Sequence[Heard]:
        if message.T == "q":
            return (self._quote(message),)
        if message.T == "s":
            return self._status(message)
        if message.T == "subscription":
            return (Accepted(),)
        if message.T == "success":
            return (Opened(),) if message.msg == "authenticated" else ()
        if message.T == "error":
            is_end = message.code in _ENDING
            told = f"{message.code} {message.msg}"
            return (Refused(told=told, ends_connection=is_end),)
        return ()

    def _quote(self, message: _Message) -> Quote:
        quote = Quote(
            symbol=message.S,
            ts_ns=parse_ts(message.t),
            bid=message.bp,
            bid_size=message.bs,
            ask=message.ap,
            ask_size=message.size,
        )
        self._last[message.S] = quote
        return _without_market(quote) if message.S in self._halted else quote

    def _status(self, message: _Message) -> Sequence[Heard]:
        """A halt makes what was quoted invalid at once; the next quote after it is a market."""
        if message.sc in _RESUMED:
            self._halted.discard(message.S)
        elif message.sc in _HALTED and message.S not in self._halted:
            self._halted.add(message.S)
            if (last := self._last.get(message.S)) is not None:
                stamp_ns = max(parse_ts(message.t), last.ts_ns)
                return (replace(_without_market(last), ts_ns=stamp_ns),)
        return ()


def _without_market(quote: Quote) -> Quote:
    return replace(quote, bid=ZERO, bid_size=ZERO, ask=ZERO, ask_size=ZERO)


SOURCE = QuoteSource(
    name=NAME,
    host="wss://stream.data.alpaca.markets",
    sandbox_host="wss://stream.data.alpaca.markets",
    path="/v2/iex",
    symbols_max=SYMBOLS_MAX,
    silence_seconds=30,
    is_always_open=False,
    needs_login=True,
    venue_symbol=venue_symbol,
    stream=AlpacaQuotes,
)
