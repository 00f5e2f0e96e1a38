"""The words for the limits of rules and for the trading state, as data: one source for the
terminal, the dashboard and the page, which gets them as a document.

A limit stands in its words for `{}`. A unit that is not named is written as it is.
"""

from collections.abc import Mapping
from types import MappingProxyType

from pointsman.domain.accounts import TradingState
from pointsman.domain.reasons import Reason
from pointsman.reading.documents import Document

AT_MOST = frozenset(
    {
        Reason.EXPIRED,
        Reason.VENUE_DOWN,
        Reason.VENUE_BUSY,
        Reason.UNKNOWN_ORDER,
        Reason.HOLDING_DISPUTED,
        Reason.COOLDOWN,
        Reason.MAX_OPEN_POSITIONS,
        Reason.MAX_POSITION_SIZE,
        Reason.INSUFFICIENT_EQUITY,
        Reason.MAX_DAILY_LOSS,
        Reason.MAX_DRAWDOWN,
        Reason.MAX_TRADES_PER_DAY,
        Reason.MAX_ORDERS_PER_MINUTE,
        Reason.LATENCY,
        Reason.SPREAD,
        Reason.PRICE_DEVIATION,
        Reason.SLIPPAGE,
    }
)
"""Rules whose limit is the most that may be; a limit of zero is "none"."""

LIMITS: Mapping[Reason, str] = MappingProxyType(
    {
        Reason.SYMBOL_LOCKED: "only {}",
        Reason.OPPOSING_EXPOSURE: "unopposed ({})",
        Reason.NOTHING_TO_CLOSE: "more than {}",
        Reason.NO_QUOTE: "a quote",
        Reason.INVALID_QUOTE: "0 < bid ≤ ask",
        Reason.BELOW_MINIMUM: "at least {}",
    }
)
"""How the limit of every other rule is said, where it does not speak for itself."""

WITHOUT_LIMIT: Mapping[Reason, str] = MappingProxyType(
    {
        Reason.UNKNOWN_ACCOUNT: "a known account",
        Reason.SYMBOL_LOCKED: "any, none is held",
        Reason.ENTRIES_HELD: "all parts and files in place",
    }
)

UNITS: Mapping[str, str] = MappingProxyType(
    {"s left": "s", "s down": "s", "take-profit": "", "price": "", "seen": ""}
)
"""How a unit is written behind its number."""

SINGULAR: Mapping[str, str] = MappingProxyType(
    {"positions": "position", "orders": "order", "entries": "entry"}
)

PRICES = frozenset({"price", "take-profit"})
"""Units of what is a price, and so never rounded: it is compared with others."""

PLACES: Mapping[str, int] = MappingProxyType({"bps": 4})
"""Decimals with which a measured value is stored (RULES 11), and so always shown."""

TRADING: Mapping[TradingState, str] = MappingProxyType(
    {
        TradingState.ACTIVE: "entries and exits",
        TradingState.REDUCING: "paused: exits only",
        TradingState.HALTED: "killed: exits only",
    }
)


def words_document() -> Document:
    """All of it for the page, with the sentence of each reason."""
    return {
        "sentences": {reason.value: reason.sentence for reason in Reason},
        "at_most": sorted(AT_MOST),
        "limits": dict(LIMITS),
        "without_limit": dict(WITHOUT_LIMIT),
        "units": dict(UNITS),
        "singular": dict(SINGULAR),
        "prices": sorted(PRICES),
        "places": dict(PLACES),
    }
