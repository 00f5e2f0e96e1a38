"""The table of keys: every key has one meaning, and every meaning a reader or a refusal."""

import pytest

from pointsman.domain.signal_keys import KEYS, KeyUse, find_key, is_harmless, looks_like_a_size
from pointsman.domain.signal_values import squeezed
from pointsman.domain.signals import Signal

FIELDS = {*Signal.__struct_fields__, "listing", "sized_by"}

TRADE_RELAY = """action side signal symbol ticker sym instrument pair quantity qty size contracts
shares amount notional cash dollars cost percentEquity percent_equity equityPercent riskPercent
risk_percent orderType order_type type limitPrice limit_price limit stopPrice stop_price stop
trailAmount trailPercent timeInForce time_in_force tif takeProfit take_profit tp stopLoss stop_loss
sl stopLossLimit stop_loss_limit price referencePrice close account accountId signalId signal_id id
alertId comment message note"""
TRADERSPOST = """ticker action sentiment signalPrice quantity quantityType price orderType
limitPrice stopPrice trailPrice trailAmount trailPercent takeProfit stopLoss timeInForce
extendedHours optionType intrinsicValue expiration strikePrice cancel delay test time
extras interval"""
TRADINGVIEW = """ticker action contracts price time market_position market_position_size
prev_market_position prev_market_position_size position_size order_id exchange interval
open high low close volume"""


@pytest.mark.parametrize("keys", [TRADE_RELAY, TRADERSPOST, TRADINGVIEW])
def test_rule_58_every_key_of_the_known_senders_stands_in_the_table(keys: str) -> None:
    assert [name for name in keys.split() if find_key(name) is None] == []


def test_every_key_stands_once_and_says_what_happens() -> None:
    names = [squeezed(name) for key in KEYS for name in key.names]
    assert sorted(set(names)) == sorted(names)
    for key in KEYS:
        assert (key.read is not None) == (key.field in FIELDS) == (key.use is KeyUse.READ), key
        assert key.meaning, key


@pytest.mark.parametrize("raw", [None, "", "None", False, "false", 0, "0", [], {}, "market"])
def test_a_refused_key_is_harmless_where_it_asks_for_nothing(raw: object) -> None:
    key = find_key("order_type")
    assert key is not None
    assert is_harmless(key, raw)


def test_what_looks_like_a_size_is_told_from_what_does_not() -> None:
    sized = [
        "lot_size",
        "usdAmount",
        "percentEquity",
        "position_size",
        "riskDollars",
        "numContracts",
    ]
    others = ["volume", "market_position_size", "comment", "close", "signalPrice"]
    assert [name for name in sized if not looks_like_a_size(name, find_key(name))] == []
    assert [
        name for name in others[:1] + others[2:] if looks_like_a_size(name, find_key(name))
    ] == []
