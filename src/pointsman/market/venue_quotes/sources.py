"""The venues whose quotes can be had live, by name."""

from collections.abc import Mapping
from types import MappingProxyType

from pointsman.market.venue_quotes import alpaca, binance, bybit
from pointsman.market.venue_quotes.stream import QuoteSource

SOURCES: Mapping[str, QuoteSource] = MappingProxyType(
    {source.name: source for source in (binance.SOURCE, bybit.SOURCE, alpaca.SOURCE)}
)
