"""The contracts of Binance: how they are named there and here, and what can be traded of them.

`BTCUSDT` there is `BTC/USDT:USDT` here. Only perpetual contracts are traded; anything else that the
account may hold, such as `BTCUSDT_260327`, keeps the venue's name.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from pointsman.domain.market import Instrument
from pointsman.venues.adapter import Incomplete
from pointsman.venues.binance.shapes import ExchangeInfo, SymbolRow

PERPETUAL = ("PERPETUAL", "TRADIFI_PERPETUAL")
STOPS_PER_SYMBOL = 10
"""How many conditional orders may rest in one symbol, where the venue does not say it."""


def venue_symbol(symbol: str) -> str:
    """BTCUSDT for BTC/USDT:USDT; a name of the venue stays as it is."""
    base, _, rest = symbol.partition("/")
    return base + rest.partition(":")[0]


def unified_names(info: ExchangeInfo) -> dict[str, str]:
    """Our name of every perpetual contract by the venue's, also of those that are halted."""
    return {row.symbol: _unified(row) for row in _perpetuals(info)}


def instruments(info: ExchangeInfo) -> dict[str, Instrument]:
    """What can be traded of every contract that is traded at present. Raises Incomplete."""
    return {_unified(row): _instrument(row) for row in _perpetuals(info) if _is_traded(row)}


def requests_per_minute(info: ExchangeInfo) -> int:
    """The weight that one address may ask in a minute. Raises Incomplete."""
    for limit in info.rate_limits:
        if limit.rate_limit_type == "REQUEST_WEIGHT" and limit.interval == "MINUTE":
            return limit.limit // limit.interval_num
    raise Incomplete("exchangeInfo names no limit of REQUEST_WEIGHT")


def stops_per_symbol(info: ExchangeInfo, symbols: Iterable[str]) -> int:
    """The least number of stops that may rest in any one of these symbols."""
    names = {venue_symbol(symbol) for symbol in symbols}
    limits = [
        int(each.get("limit", STOPS_PER_SYMBOL))
        for row in info.symbols
        if row.symbol in names
        for each in row.filters
        if each.get("filterType") == "MAX_NUM_ALGO_ORDERS"
    ]
    return min(limits, default=STOPS_PER_SYMBOL)


def _perpetuals(info: ExchangeInfo) -> Iterable[SymbolRow]:
    return (row for row in info.symbols if row.contract_type in PERPETUAL)


def _is_traded(row: SymbolRow) -> bool:
    return row.status == "TRADING"


def _unified(row: SymbolRow) -> str:
    return f"{row.base_asset}/{row.quote_asset}:{row.margin_asset}"


def _instrument(row: SymbolRow) -> Instrument:
    """Exits are market orders, which have steps and minima of their own: an order has to keep
    both."""
    filters: dict[str, dict[str, Any]] = {str(each.get("filterType")): each for each in row.filters}
    try:
        lot, market = filters["LOT_SIZE"], filters["MARKET_LOT_SIZE"]
        return Instrument(
            symbol=_unified(row),
            tick=Decimal(filters["PRICE_FILTER"]["tickSize"]),
            lot=max(Decimal(lot["stepSize"]), Decimal(market["stepSize"])),
            min_qty=max(Decimal(lot["minQty"]), Decimal(market["minQty"])),
            min_notional=Decimal(filters["MIN_NOTIONAL"]["notional"]),
            currency=row.quote_asset,
            max_market_quantity=min(Decimal(lot["maxQty"]), Decimal(market["maxQty"])),
        )
    except (KeyError, TypeError, ArithmeticError) as error:
        raise Incomplete(f"the rules of {row.symbol} cannot be read: {error!r}") from None
