"""The symbols of the Binance server, and how the venue describes one."""

from decimal import Decimal
from typing import Any

from tests.venue_servers.binance_messages import plain
from tests.venue_servers.records import Instrument


def instrument(symbol: str, tick: str, lot: str, largest: int, notional: int) -> Instrument:
    return Instrument(
        symbol=symbol,
        base=symbol.removesuffix("USDT"),
        quote="USDT",
        tick=Decimal(tick),
        lot=Decimal(lot),
        min_quantity=Decimal(lot),
        max_quantity=Decimal(largest),
        max_market_quantity=Decimal(largest) / 8,
        min_notional=Decimal(notional),
    )


PRICE_BAND = Decimal("1.05"), Decimal("0.95")
"""How far beyond the last price a limit may be, as parts of it: up for buyers, down for sellers."""

INSTRUMENTS = {
    rules.symbol: rules
    for rules in (
        instrument("BTCUSDT", "0.10", "0.001", 1000, 50),
        instrument("ETHUSDT", "0.01", "0.001", 10_000, 20),
        instrument("SOLUSDT", "0.0100", "0.01", 80_000, 5),
    )
}


def symbol_rules(rules: Instrument, status_word: str) -> dict[str, Any]:
    tick, lot = rules.tick, rules.lot
    return {
        "symbol": rules.symbol,
        "pair": rules.symbol,
        "contractType": "PERPETUAL",
        "deliveryDate": 4133404800000,
        "onboardDate": 1569398400000,
        "status": status_word,
        "maintMarginPercent": "2.5000",
        "requiredMarginPercent": "5.0000",
        "baseAsset": rules.base,
        "quoteAsset": rules.quote,
        "marginAsset": rules.quote,
        "pricePrecision": digits(tick),
        "quantityPrecision": digits(lot),
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "underlyingType": "COIN",
        "triggerProtect": "0.0500",
        "filters": [
            {
                "filterType": "PRICE_FILTER",
                "minPrice": plain(tick),
                "maxPrice": "4529764",
                "tickSize": plain(tick),
            },
            lot_filter("LOT_SIZE", rules, rules.max_quantity),
            lot_filter("MARKET_LOT_SIZE", rules, rules.max_market_quantity),
            {"filterType": "MAX_NUM_ORDERS", "limit": 200},
            {"filterType": "MAX_NUM_ALGO_ORDERS", "limit": 10},
            {"filterType": "MIN_NOTIONAL", "notional": plain(rules.min_notional)},
            {
                "filterType": "PERCENT_PRICE",
                "multiplierUp": plain(PRICE_BAND[0]),
                "multiplierDown": plain(PRICE_BAND[1]),
                "multiplierDecimal": "4",
            },
        ],
        "orderTypes": [
            "LIMIT",
            "MARKET",
            "STOP",
            "STOP_MARKET",
            "TAKE_PROFIT",
            "TAKE_PROFIT_MARKET",
            "TRAILING_STOP_MARKET",
        ],
        "timeInForce": ["GTC", "IOC", "FOK", "GTX", "GTD"],
    }


def lot_filter(name: str, rules: Instrument, largest: Decimal) -> dict[str, Any]:
    return {
        "filterType": name,
        "stepSize": plain(rules.lot),
        "minQty": plain(rules.min_quantity),
        "maxQty": plain(largest),
    }


def digits(step: Decimal) -> int:
    """Behind the point."""
    return max(0, -int(step.normalize().as_tuple().exponent))
