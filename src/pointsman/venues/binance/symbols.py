"""The contracts of Binance: how they are named there and here, and what can be traded of them.

`BTCUSDT` there is `BTC/USDT:USDT` here. Only perpetual contracts are traded; anything else that the
account may hold, such as `BTCUSDT_260327`, keeps the venue's name.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from pointsman.domain.market import Instrument
from pointsman.domain.money import parse_machine_decimal
from pointsman.domain.timestamps import SECOND_NS
from pointsman.venues.adapter import Incomplete
from pointsman.venues.binance.shapes import ExchangeInfo, SymbolRow
from pointsman.venues.budget import Rate
from pointsman.venues.contract_names import venue_symbol
from pointsman.venues.outcome import Stage

INTERVALS_NS = {"SECOND": SECOND_NS, "MINUTE": 60 * SECOND_NS}
PERPETUAL = ("PERPETUAL", "TRADIFI_PERPETUAL")
STOPS_PER_SYMBOL = 10
"""How many conditional orders may rest in one symbol, where the venue does not say it."""


def unified_names(info: ExchangeInfo) -> dict[str, str]:
    """Our name of every perpetual contract by the venue's, also of those that are halted."""
    return {row.symbol: _unified(row) for row in _perpetuals(info)}


def instruments_of(info: ExchangeInfo, wanted: Iterable[str]) -> dict[str, Instrument]:
    """What can be traded of every contract that is traded at present. One whose rules cannot be
    read is left out, or raises Incomplete where it is `wanted`."""
    wanted, found = set(wanted), {}
    for row in _perpetuals(info):
        if row.status == "TRADING":
            try:
                found[_unified(row)] = _instrument(row)
            except Incomplete:
                if _unified(row) in wanted:
                    raise
    return found


def requests_per_minute(info: ExchangeInfo) -> int:
    """The weight that one address may ask in a minute. Raises Incomplete."""
    for limit in info.rate_limits:
        if limit.rate_limit_type == "REQUEST_WEIGHT" and limit.interval == "MINUTE":
            return limit.limit // limit.interval_num
    raise Incomplete("exchangeInfo names no limit of REQUEST_WEIGHT")


def order_rates(info: ExchangeInfo) -> tuple[Rate, ...]:
    """How many orders an account may make in which time; cancels are not counted."""
    return tuple(
        Rate(Stage.CREATE, limit.limit, limit.interval_num * INTERVALS_NS[limit.interval])
        for limit in info.rate_limits
        if limit.rate_limit_type == "ORDERS" and limit.interval in INTERVALS_NS
    )


def stops_per_symbol(info: ExchangeInfo, symbols: Iterable[str]) -> int:
    """The least number of stops that may rest in any one of these symbols."""
    names = {venue_symbol(symbol) for symbol in symbols}
    limits = [
        each.get("limit")
        for row in info.symbols
        if row.symbol in names
        for each in row.filters
        if each.get("filterType") == "MAX_NUM_ALGO_ORDERS"
    ]
    return min((each for each in limits if isinstance(each, int)), default=STOPS_PER_SYMBOL)


def _perpetuals(info: ExchangeInfo) -> Iterable[SymbolRow]:
    return (row for row in info.symbols if row.contract_type in PERPETUAL)


def _unified(row: SymbolRow) -> str:
    return f"{row.base_asset}/{row.quote_asset}:{row.margin_asset}"


def _instrument(row: SymbolRow) -> Instrument:
    """Exits are market orders, which have steps and minima of their own: an order has to keep
    both."""
    filters: dict[str, dict[str, Any]] = {str(each.get("filterType")): each for each in row.filters}

    def number(kind: str, name: str) -> Decimal:
        return parse_machine_decimal(filters[kind][name])

    def both(name: str) -> tuple[Decimal, Decimal]:
        return number("LOT_SIZE", name), number("MARKET_LOT_SIZE", name)

    try:
        instrument = Instrument(
            symbol=_unified(row),
            tick=number("PRICE_FILTER", "tickSize"),
            lot=max(both("stepSize")),
            min_qty=max(both("minQty")),
            min_notional=number("MIN_NOTIONAL", "notional"),
            currency=row.quote_asset,
            max_market_quantity=min(both("maxQty")),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise Incomplete(f"the rules of {row.symbol} cannot be read: {error!r}") from None
    if not instrument.has_steps:
        raise Incomplete(f"the rules of {row.symbol} leave no order: {instrument}")
    return instrument
