"""The newest quote of each symbol, as the dashboard and HTTP show it: what entries are judged on
now, so that a refusal for latency or spread is no surprise. From any thread."""

from typing import Any

from pointsman.domain.market import Quote
from pointsman.domain.money import plain, stored_bps
from pointsman.domain.timestamps import MS_NS
from pointsman.execution.execution_loop import ExecutionLoop

SYMBOLS_MAX = 40
"""Of this many symbols at most: those that are held first, then those seen first."""


def quotes_shown(loop: ExecutionLoop, now_ns: int) -> list[dict[str, Any]]:
    """A document for each symbol. `age_ms` is by the stamp alone: of a sender whose clock is ahead
    it is less than what is judged."""
    quotes, view = loop.view.quotes, loop.view
    symbols = sorted(quotes.symbols, key=lambda symbol: not view.is_held(symbol))
    decimals = loop.desk.books.policy.instrument
    return [
        _document(quote, decimals(symbol).price_decimals, now_ns)
        for symbol in symbols[:SYMBOLS_MAX]
        if (quote := quotes.newest(symbol)) is not None
    ]


def _document(quote: Quote, price_decimals: int, now_ns: int) -> dict[str, Any]:
    is_valid = quote.is_valid
    return {
        "symbol": quote.symbol,
        "bid": plain(quote.bid) if is_valid else None,
        "ask": plain(quote.ask) if is_valid else None,
        "spread_bps": plain(stored_bps(quote.spread_bps)) if is_valid else None,
        "age_ms": max(0, now_ns - quote.fresh_ns) // MS_NS,
        "price_decimals": price_decimals,
    }
