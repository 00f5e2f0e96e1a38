"""What keeps an account at Bybit from being opened, and what it says can be traded."""

from decimal import Decimal
from typing import Any

import pytest

from pointsman.domain.market import Instrument
from pointsman.domain.policy import PositionMode
from pointsman.venues.adapter import Incomplete
from pointsman.venues.bybit.account import (
    check_account,
    check_key,
    check_mode,
    check_secret,
    check_symbols,
    instruments_of,
)
from pointsman.venues.errors import VenueRefused

NET, HEDGE = PositionMode.NET, PositionMode.HEDGE
MAY = {"ContractTrade": ["Order", "Position"], "Wallet": ["AccountTransfer"]}
BTC: dict[str, Any] = {
    "symbol": "BTCUSDT",
    "contractType": "LinearPerpetual",
    "status": "Trading",
    "baseCoin": "BTC",
    "quoteCoin": "USDT",
    "settleCoin": "USDT",
    "priceFilter": {"minPrice": "0.10", "maxPrice": "1999999.80", "tickSize": "0.10"},
    "lotSizeFilter": {
        "maxOrderQty": "1190.000",
        "minOrderQty": "0.001",
        "qtyStep": "0.001",
        "maxMktOrderQty": "500.000",
        "minNotionalValue": "5",
    },
}


def test_a_key_pair_is_refused_and_not_shown() -> None:
    check_secret("abcdef")
    with pytest.raises(VenueRefused, match="system-generated") as told:
        check_secret("-----BEGIN PRIVATE KEY-----\nabcdef\n-----END PRIVATE KEY-----")
    assert "abcdef" not in str(told.value)


def test_a_key_that_trades_and_cannot_withdraw_is_taken() -> None:
    check_key({"readOnly": 0, "permissions": MAY})


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ({"readOnly": 0, "permissions": MAY | {"Wallet": ["Withdraw"]}}, "may withdraw money"),
        ({"readOnly": 1, "permissions": MAY}, "may only read"),
        ({"permissions": MAY}, "may only read"),
        ({"readOnly": 0, "permissions": MAY | {"ContractTrade": ["Order"]}}, "lacks Position"),
        ({"readOnly": 0, "permissions": {}}, "lacks Order, Position"),
    ],
)
def test_any_other_key_is_refused(key: Any, said: str) -> None:
    with pytest.raises(VenueRefused, match=said):
        check_key(key)


def test_a_key_of_which_nothing_is_said_is_not_judged() -> None:
    with pytest.raises(Incomplete):
        check_key({"readOnly": 0})


@pytest.mark.parametrize("status", [3, 4, 5, 6])
def test_unified_accounts_of_all_kinds_are_taken(status: int) -> None:
    check_account({"unifiedMarginStatus": status})


@pytest.mark.parametrize("account", [{"unifiedMarginStatus": 1}, {}])
def test_a_classic_account_is_refused(account: Any) -> None:
    with pytest.raises(VenueRefused, match="no unified trading account"):
        check_account(account)


@pytest.mark.parametrize(
    ("indexes", "wanted", "said"),
    [
        ([0], NET, None),
        ([1, 2], HEDGE, None),
        ([1, 2], NET, "in mode hedge, the settings say net: set VENUE_POSITION_MODE=hedge"),
        ([0], HEDGE, "in mode net, the settings say hedge: set VENUE_POSITION_MODE=net"),
    ],
)
def test_the_position_mode_has_to_be_that_of_the_settings(
    indexes: list[int], wanted: PositionMode, said: str | None
) -> None:
    rows = [{"positionIdx": index} for index in indexes]
    if said is None:
        check_mode("BTC/USDT:USDT", rows, wanted)
        return
    with pytest.raises(VenueRefused, match=said):
        check_mode("BTC/USDT:USDT", rows, wanted)


@pytest.mark.parametrize("rows", [[], [{}], [{"positionIdx": 7}]])
def test_a_position_mode_is_never_guessed(rows: list[Any]) -> None:
    for wanted in PositionMode:
        with pytest.raises(Incomplete):
            check_mode("BTC/USDT:USDT", rows, wanted)


def test_instruments_come_with_their_steps_minima_and_largest_market_order() -> None:
    assert instruments_of([BTC]) == {
        "BTC/USDT:USDT": Instrument(
            symbol="BTC/USDT:USDT",
            tick=Decimal("0.1"),
            lot=Decimal("0.001"),
            min_qty=Decimal("0.001"),
            min_notional=Decimal(5),
            currency="USDT",
            max_market_quantity=Decimal(500),
        )
    }


@pytest.mark.parametrize(
    "change",
    [
        {"contractType": "LinearFutures", "symbol": "BTCUSDT-26DEC26"},
        {"quoteCoin": "USDC", "settleCoin": "USDC", "symbol": "BTCPERP"},
        {"status": "PreLaunch"},
        {"baseCoin": "XBT"},
        {"priceFilter": {"tickSize": "0"}},
        {"lotSizeFilter": BTC["lotSizeFilter"] | {"qtyStep": "0"}},
        {"lotSizeFilter": BTC["lotSizeFilter"] | {"maxMktOrderQty": "0"}},
    ],
)
def test_other_contracts_are_not_offered(change: dict[str, Any]) -> None:
    assert instruments_of([BTC | change]) == {}


@pytest.mark.parametrize("field", ["priceFilter", "lotSizeFilter", "baseCoin"])
def test_a_contract_without_its_steps_is_not_guessed(field: str) -> None:
    with pytest.raises(Incomplete):
        instruments_of([{name: value for name, value in BTC.items() if name != field}])


@pytest.mark.parametrize(
    ("symbol", "said"),
    [("BTCUSDT", "write BTC/USDT:USDT"), ("BTC/USDT", "write BTC/USDT:USDT"), ("AAPL", "AAPL")],
)
def test_a_symbol_that_cannot_be_traded_is_refused_with_what_to_write(
    symbol: str, said: str
) -> None:
    with pytest.raises(VenueRefused, match=said):
        check_symbols([symbol], instruments_of([BTC]))
    check_symbols(["BTC/USDT:USDT"], instruments_of([BTC]))
