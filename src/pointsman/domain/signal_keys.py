"""The keys of signals and alerts: one table that says what happens with each (RULES 58).

A key is looked up in lower case and without underscores. Invariants:

* a key that changes an order and is not done here is refused by name, never dropped;
* a key that nobody here knows is ignored, and the answer says so;
* a key that looks like a size is never replaced by a default size.

docs/alerts.md is generated from `KEYS`.
"""

import re
from collections.abc import Callable
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple

from pointsman.domain import signal_values as values
from pointsman.domain.signal_values import says_nothing, squeezed

Reader = Callable[[object], Any]


class KeyUse(StrEnum):
    """What happens with a key."""

    READ = "read"
    REFUSED = "refused"
    IGNORED = "ignored"


class AlertKey(NamedTuple):
    """One meaning and the names that senders give it. `field` is ours where it is read. A refused
    key is ignored where it holds one of `harmless`, or, if there are any, none of `refused_values`.
    `senders`: TV is TradingView (its placeholders under the usual names), TP TradersPost, TR
    trade-relay."""

    names: tuple[str, ...]
    senders: str
    use: KeyUse
    meaning: str
    field: str = ""
    read: Reader | None = None
    harmless: tuple[str, ...] = ()
    refused_values: tuple[str, ...] = ()
    is_size: bool = False


def _reads(names: str, senders: str, field: str, read: Reader, meaning: str) -> AlertKey:
    return AlertKey(tuple(names.split()), senders, KeyUse.READ, meaning, field, read)


def _refuses(names: str, senders: str, meaning: str, *, harmless: str = "", values: str = "",
             is_size: bool = False) -> AlertKey:  # fmt: skip
    return AlertKey(
        tuple(names.split()), senders, KeyUse.REFUSED, meaning, harmless=tuple(harmless.split()),
        refused_values=tuple(values.split()), is_size=is_size,
    )  # fmt: skip


def _ignores(names: str, senders: str, meaning: str) -> AlertKey:
    return AlertKey(tuple(names.split()), senders, KeyUse.IGNORED, meaning)


_ORDER_TYPES = "limit stop stop_limit stop-limit stoplimit stop_loss stop-loss stop_market trailing_stop trailing-stop trailing"  # noqa: E501

KEYS: tuple[AlertKey, ...] = (
    _reads("action side signal", "TV TP TR", "side", values.read_side,
           "buy, long, sell, short, close, exit or flat; others are refused"),
    _reads("ticker symbol pair sym instrument", "TV TP TR", "listing", values.read_listing,
           "the symbol; an EXCHANGE: before it is taken off, and compared with that of the quotes"),
    _reads("exchange", "TV", "exchange", values.read_text,
           "the exchange, where the symbol does not name it"),
    _reads("quantity qty size contracts shares amount", "TV TP TR", "quantity",
           values.read_amount, "the size, in units"),
    _reads("quantityType", "TP", "sized_by", values.read_sized_by,
           "what quantity counts: fixed_quantity, dollar_amount or risk_percent; others are refused"),  # noqa: E501
    _reads("notional cash dollars cost", "TR", "notional", values.read_amount,
           "the size, in the account's currency"),
    _reads("riskPercentage riskPercent", "TR", "risk_percentage", values.read_percentage,
           "the size by risk: this part of equity is lost at the stop"),
    _reads("price referencePrice", "TV TP TR", "price", values.read_amount,
           "what the sender expects to pay; slippage is measured from it, it is no limit"),
    _reads("stopLoss sl stopLossPrice", "TP TR", "stop_loss", values.read_stop_loss,
           "the stop: a price, a text ending in %, or an object with percent or stopPrice"),
    _reads("stopLossPercentage stopLossPercent", "", "stop_loss_percentage",
           values.read_percentage, "the stop's distance from the entry, in percent"),
    _reads("takeProfit tp takeProfitPrice", "TP TR", "take_profit", values.read_take_profit,
           "the target: a price, a text ending in %, or an object with percent, limitPrice or stopPrice"),  # noqa: E501
    _reads("takeProfitPercentage takeProfitPercent", "", "take_profit_percentage",
           values.read_percentage, "the target's distance from the entry, in percent"),
    _reads("market_position sentiment", "TV TP", "market_position", values.read_position,
           "what the strategy holds after the order: long, short or flat, also bullish or bearish"),
    _reads("market_position_size", "TV", "market_position_size", values.read_size_held,
           "how much it holds then; sizes the opening part of a reversal"),
    _reads("reduceOnly", "", "reduce_only", values.read_truth, "true: never opens anything"),
    _reads("time ts", "TV TP", "ts_ns", values.read_time_ns,
           "when the alert was made; two alerts that differ in it are two signals"),
    _reads("ttl", "", "ttl_ns", values.read_duration_ns,
           "seconds after time during which it may be acted on"),
    _reads("va_id va account accountId", "TR", "va_id", values.read_identifier,
           "the virtual account; ?va= of the URL stands in for it"),
    _reads("signal_id alertId", "TR", "signal_id", values.read_signal_id,
           "makes the alert one signal for ever; without it the id follows from the body"),
    _refuses("orderType", "TP TR", "orders are market orders with a limit by MAX_SLIPPAGE_BPS",
             harmless="market"),
    _refuses("type", "TR", "as orderType, where it holds a type of order", values=_ORDER_TYPES),
    _refuses("limitPrice limit", "TP TR", "no limit orders"),
    _refuses("stopPrice stop", "TP TR", "no stop entries; the stop of a position is stopLoss"),
    _refuses("trailAmount trailPercent trailPrice trailingStop", "TP TR",
             "no trailing stops; every key with trail in it is refused"),
    _refuses("stopLossLimit", "TR", "a stop is a market order",
             ),
    _refuses("percentEquity equityPercent percentOfEquity quantityPercent qtyPercent qtyPct", "TR",
             "no size as a part of equity or of a position", is_size=True),
    _refuses("riskDollarAmount riskAmount riskDollars", "TP",
             "no size by an amount at risk; send riskPercent", is_size=True),
    _refuses("timeInForce tif", "TP TR", "an entry fills at once or is cancelled",
             harmless="day gtc ioc"),
    _refuses("extendedHours outsideRth", "TP", "the trading window is a setting"),
    _refuses("optionType intrinsicValue expiration strikePrice strikesAway strike optionSymbol",
             "TP", "no options"),
    _refuses("cancel cancelAll cancelAfter", "TP", "nothing is left working that could be cancelled"),  # noqa: E501
    _refuses("delay delaySeconds", "TP", "a signal is decided at once"),
    _refuses("test", "TP", "a test is not traded"),
    _refuses("leverage", "", "leverage is not set by a signal", harmless="1 1x"),
    _refuses("reverse positionSide closePosition closeAll", "",
             "say it with market_position, or with the action close"),
    _refuses("breakeven", "", "stops are not moved by a signal"),
    _ignores("prev_market_position prev_market_position_size position_size", "TV",
             "not used; position_size alone is no size"),
    _ignores("order_id id order_comment", "TV TR", "not used; they repeat, so they name no signal"),
    _ignores("interval open high low close volume timeframe timenow", "TV", "not used"),
    _ignores("signalPrice", "TP", "not used; price is"),
    _ignores("extras comment message note", "TV TP TR", "not used"),
)  # fmt: skip
"""Every key that is known. What stands in no row is ignored and told."""

_KNOWN = {squeezed(name): key for key in KEYS for name in key.names}

_REFUSED_WORDS = re.compile(r"trail|^breakeven|^takeprofit|^stoploss|^(?:tp|sl)[0-9]|^option")
_REFUSED_ALIKE = AlertKey((), "", KeyUse.REFUSED, "see docs/alerts.md", harmless=("stop", "limit"))
_SIZE_WORDS = re.compile(
    r"qty|quantity|size|contract|shares|lots|units|amount|percent|pct|risk|equity|notional|dollar"
)
_OFF = ("false", "0", "0.0", "no", "off")


_NAME_CHARS_MAX = 40


def find_key(name: str) -> AlertKey | None:
    """What is known of a key; of one that stands in no row, whether it speaks of a kind of order
    that is not done here."""
    return _find_short(name) if len(name) <= _NAME_CHARS_MAX else _find(name)


def _find(name: str) -> AlertKey | None:
    word = squeezed(name)
    known = _KNOWN.get(word)
    if known is None and _REFUSED_WORDS.search(word):
        return _REFUSED_ALIKE
    return known


_find_short = lru_cache(maxsize=1_024)(_find)
"""Senders use few keys, and these again and again."""


def is_harmless(key: AlertKey, raw: object) -> bool:
    """Whether a refused key holds a value that changes nothing."""
    if says_nothing(raw) or raw is False or raw in ([], {}):
        return True
    word = str(raw).strip().lower() if isinstance(raw, str | int) else ""
    if key.refused_values:
        return word not in key.refused_values
    return word in _OFF or word in key.harmless


def looks_like_a_size(name: str, key: AlertKey | None) -> bool:
    """Whether a key that is not read seems to size an order, so that no default may."""
    if key is not None and key.use is KeyUse.IGNORED:
        return squeezed(name) == "positionsize"
    return (key is not None and key.is_size) or _SIZE_WORDS.search(squeezed(name)) is not None
