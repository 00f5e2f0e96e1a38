"""The real venues that orders can go to: their names, hosts and symbols, as data.

An adapter takes its hosts from here, and a URL in the settings is held against them, so that a key
never goes to any other host. Sandbox and real money are kept apart: a host of one is foreign to the
other. What only supplies market data may be the same for both.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from pointsman.domain.policy import PositionMode

PAPER = "paper"
"""The venue of our own, which needs no key and no network."""

CCXT = "ccxt==4.5.90"
"""The one version that what leaves has been tried with; as in pyproject.toml."""

REAL_MONEY_SENTENCE = "yes, with real money"
"""What VENUE_LIVE must say, word for word (RULES 49)."""

_SHARE = r"[A-Z0-9]+(\.[A-Z0-9]+)?"
_LINEAR_FUTURE = r"[A-Z0-9]+/(?P<quote>[A-Z0-9]+):(?P=quote)"


class KnownVenue(msgspec.Struct, frozen=True, kw_only=True):
    """A venue that is known here. `module` is what has to be installed for it, and `package` how;
    both are empty for nothing. `quotes_need_key`: nobody sees quotes there without one.
    `symbol` is a regular expression of its symbols in the unified
    form, and `example` one of them."""

    name: str
    title: str
    sandbox_hosts: frozenset[str]
    live_hosts: frozenset[str]
    position_modes: tuple[PositionMode, ...]
    symbol: str
    example: str
    module: str = ""
    package: str = ""
    quotes_need_key: bool = False

    def hosts(self, *, is_sandbox: bool) -> frozenset[str]:
        """Where a key may go."""
        return self.sandbox_hosts if is_sandbox else self.live_hosts

    def trades(self, symbol: str) -> bool:
        """Whether a symbol has the form of this venue's."""
        return re.fullmatch(self.symbol, symbol) is not None


_ALL = (
    KnownVenue(
        name="binanceusdm",
        title="Binance USD-M futures",
        sandbox_hosts=frozenset(
            {
                "testnet.binancefuture.com",
                "stream.binancefuture.com",
                "fstream.binancefuture.com",
                "demo-fapi.binance.com",
                "demo-fstream.binance.com",
            }
        ),
        live_hosts=frozenset({"fapi.binance.com", "fstream.binance.com"}),
        position_modes=(PositionMode.NET, PositionMode.HEDGE),
        symbol=_LINEAR_FUTURE,
        example="BTC/USDT:USDT",
        module="ccxt",
        package=CCXT,
    ),
    KnownVenue(
        name="bybit",
        title="Bybit linear futures",
        sandbox_hosts=frozenset(
            {
                "api-testnet.bybit.com",
                "stream-testnet.bybit.com",
                "api-demo.bybit.com",
                "stream-demo.bybit.com",
            }
        ),
        live_hosts=frozenset({"api.bybit.com", "stream.bybit.com", "api.bytick.com"}),
        position_modes=(PositionMode.NET, PositionMode.HEDGE),
        symbol=_LINEAR_FUTURE,
        example="BTC/USDT:USDT",
        module="ccxt",
        package=CCXT,
    ),
    KnownVenue(
        name="alpaca",
        title="Alpaca, US stocks",
        sandbox_hosts=frozenset(
            {"paper-api.alpaca.markets", "data.alpaca.markets", "stream.data.alpaca.markets"}
        ),
        live_hosts=frozenset(
            {"api.alpaca.markets", "data.alpaca.markets", "stream.data.alpaca.markets"}
        ),
        position_modes=(PositionMode.NET,),
        symbol=_SHARE,
        example="AAPL",
        quotes_need_key=True,
    ),
)

KNOWN_VENUES: Mapping[str, KnownVenue] = MappingProxyType({venue.name: venue for venue in _ALL})
"""Every real venue, by the name that VENUE has for it."""
