"""The contracts of Binance, and their rules in our words."""

from decimal import Decimal
from typing import Any

import pytest

from pointsman.domain.timestamps import SECOND_NS
from pointsman.venues.adapter import Incomplete
from pointsman.venues.binance import symbols
from pointsman.venues.binance.shapes import ExchangeInfo
from pointsman.venues.budget import Rate
from pointsman.venues.outcome import Stage
from pointsman.venues.shapes import read_as


def row(symbol: str, base: str, quote: str = "USDT", **changes: Any) -> dict[str, Any]:
    lot = {"stepSize": "0.001", "minQty": "0.001", "maxQty": "1000"}
    return {
        "symbol": symbol,
        "contractType": "PERPETUAL",
        "status": "TRADING",
        "baseAsset": base,
        "quoteAsset": quote,
        "marginAsset": quote,
        "filters": [
            {"filterType": "PRICE_FILTER", "tickSize": "0.10"},
            {"filterType": "LOT_SIZE", **lot},
            {"filterType": "MARKET_LOT_SIZE", **lot, "maxQty": "120", "minQty": "0.002"},
            {"filterType": "MAX_NUM_ALGO_ORDERS", "limit": 7},
            {"filterType": "MIN_NOTIONAL", "notional": "100"},
        ],
        **changes,
    }


def info(*rows: dict[str, Any], interval_num: int = 1) -> ExchangeInfo:
    limit = {
        "rateLimitType": "REQUEST_WEIGHT",
        "interval": "MINUTE",
        "intervalNum": interval_num,
        "limit": 2400,
    }
    orders = {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 300}
    return read_as(ExchangeInfo, {"symbols": rows, "rateLimits": [limit, orders]})


def test_only_perpetual_contracts_are_traded_and_halted_ones_are_known_by_name() -> None:
    told = info(
        row("BTCUSDT", "BTC"),
        row("ETHUSDC", "ETH", "USDC", status="SETTLING"),
        row("BTCUSDT_260327", "BTC", contractType="CURRENT_QUARTER"),
    )
    assert symbols.unified_names(told) == {
        "BTCUSDT": "BTC/USDT:USDT",
        "ETHUSDC": "ETH/USDC:USDC",
    }
    assert list(symbols.instruments_of(told, [])) == ["BTC/USDT:USDT"]


def test_an_order_has_to_keep_the_rules_of_limit_and_of_market_orders() -> None:
    instrument = symbols.instruments_of(info(row("BTCUSDT", "BTC")), [])["BTC/USDT:USDT"]
    assert (instrument.tick, instrument.lot) == (Decimal("0.1"), Decimal("0.001"))
    assert (instrument.min_qty, instrument.max_market_quantity) == (Decimal("0.002"), 120)
    assert (instrument.min_notional, instrument.currency) == (100, "USDT")


@pytest.mark.parametrize(
    "filters",
    [
        [],
        [{"filterType": "LOT_SIZE", "stepSize": None}],
        [{}],
        [*row("ETHUSDT", "ETH")["filters"], {"filterType": "PRICE_FILTER", "tickSize": "0"}],
    ],
)
def test_rules_that_cannot_be_read_are_not_guessed(filters: list[dict[str, Any]]) -> None:
    told = info(row("BTCUSDT", "BTC"), row("ETHUSDT", "ETH", filters=filters))
    assert list(symbols.instruments_of(told, ["BTC/USDT:USDT"])) == ["BTC/USDT:USDT"]
    with pytest.raises(Incomplete, match="the rules of ETHUSDT"):
        symbols.instruments_of(told, ["ETH/USDT:USDT"])


def test_the_limits_of_requests_and_of_stops_are_the_venues() -> None:
    told = info(row("BTCUSDT", "BTC"), row("ETHUSDT", "ETH", filters=[]), interval_num=2)
    assert symbols.requests_per_minute(told) == 1200
    assert symbols.order_rates(told) == (Rate(Stage.CREATE, 300, 10 * SECOND_NS),)
    assert symbols.stops_per_symbol(told, ["BTC/USDT:USDT"]) == 7
    assert symbols.stops_per_symbol(told, ["ETH/USDT:USDT"]) == symbols.STOPS_PER_SYMBOL
