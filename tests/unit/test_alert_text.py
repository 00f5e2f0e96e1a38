"""Alerts as the field sends them: what is not done here is named, an exit is an exit, and numbers
of machines are rounded towards less risk (RULES 58, 59)."""

from decimal import Decimal

import pytest

from pointsman.domain.signal_text import SignalProblem, signal_from_mapping
from pointsman.domain.signals import Remarks
from tests.unit.test_signal_text import BARE, FULL, problem_of, problem_with, read

# --- RULES 58: what an alert asks for and is not done here ----------------------------------------


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"orderType": "limit", "limitPrice": 140.12}, "orderType"),
        ({"order_type": "stop", "stopPrice": "213.5"}, "order_type"),
        ({"type": "stop_limit"}, "type"),
        ({"limitPrice": 140.12}, "limitPrice"),
        ({"stop": 213.5}, "stop"),
        ({"trailPercent": 0.5}, "trailPercent"),
        ({"trailing_stop_pct": 1}, "trailing_stop_pct"),
        ({"stopLossLimit": 1}, "stopLossLimit"),
        ({"takeProfit2": 1}, "takeProfit2"),
        ({"optionType": "call"}, "optionType"),
        ({"strikePrice": 1}, "strikePrice"),
        ({"percentEquity": "1"}, "percentEquity"),
        ({"percent_equity": "1", "quantity": None}, "percent_equity"),
        ({"timeInForce": "opg"}, "timeInForce"),
        ({"extendedHours": True}, "extendedHours"),
        ({"leverage": 10}, "leverage"),
        ({"test": True}, "test"),
        ({"cancel": "true"}, "cancel"),
        ({"delay": 5}, "delay"),
    ],
)
def test_rule_58_what_changes_an_order_and_is_not_done_here_is_refused_by_name(
    changes: dict[str, object], field: str
) -> None:
    assert problem_with(**changes).field == field


@pytest.mark.parametrize(
    "changes",
    [
        {"orderType": "Market"},
        {"type": "alert"},
        {"limitPrice": None},
        {"limitPrice": ""},
        {"trailPercent": 0},
        {"timeInForce": "GTC"},
        {"extendedHours": False},
        {"leverage": "1"},
        {"test": "false"},
        {"stopLossType": "stop"},
    ],
)
def test_a_value_that_changes_nothing_is_no_reason_to_refuse(changes: dict[str, object]) -> None:
    assert read(**changes).asks_the_same(BARE)


SIZE_LIKE = [
    {"quantity": ""},
    {"qty_pct": 50},
    {"lot_size": 1},
    {"position_size": "10"},
    {"usdAmount": 500},
    {"percentEquity": ""},
    {"riskDollars": 0},
]


@pytest.mark.parametrize("said", SIZE_LIKE, ids=str)
def test_rule_58_the_default_size_never_stands_in_for_one_that_was_said(
    said: dict[str, object],
) -> None:
    fields = {key: value for key, value in FULL.items() if key != "quantity"}
    with pytest.raises(SignalProblem) as caught:
        signal_from_mapping(fields | said, default_notional=Decimal(500))
    assert caught.value.field in said
    assert signal_from_mapping(fields | {"volume": "9000"}, default_notional=Decimal(500)).notional


def test_rule_58_unknown_keys_and_empty_ones_are_told() -> None:
    signal = read(comment="hello", strategy={"deep": [1]}, order_id="y", stop_loss="", tp="None")
    assert signal.remarks == Remarks(
        ignored=("comment", "strategy", "order_id"),
        unread=("stop_loss: it is empty", "tp: it is empty"),
    )
    assert signal.asks_the_same(BARE)
    assert read().remarks is None


EXITS: list[dict[str, object]] = [
    {"side": "exit"},
    {"side": "sell", "market_position": "flat"},
    {"side": "sell", "sentiment": "long"},
    {"side": "buy", "reduceOnly": True},
]
IN_THE_WAY: list[dict[str, object]] = [
    {"price": "abc"},
    {"price": "{{close}}"},
    {"price": "1e308"},
    {"stop_loss": {"type": "trailing_stop"}},
    {"stop_loss": "150", "stop_loss_percentage": "2"},
    {"take_profit": "NaN"},
    {"time": "yesterday"},
    {"time": "1e99"},
    {"ttl": -1},
    {"orderType": "limit", "limitPrice": 250},
    {"trailPercent": 1},
    {"market_position_size": "x"},
    {"optionType": "call"},
]


@pytest.mark.parametrize("way", EXITS, ids=str)
@pytest.mark.parametrize("more", IN_THE_WAY, ids=str)
def test_rule_58_an_exit_is_done_whatever_else_stands_in_it(
    way: dict[str, object], more: dict[str, object]
) -> None:
    signal = read(**(way | more))
    assert (signal.reduce_only, signal.quantity) == (True, Decimal(10))
    assert signal.remarks is not None
    assert signal.remarks.unread


@pytest.mark.parametrize("way", EXITS, ids=str)
@pytest.mark.parametrize(
    "size",
    [
        {"quantity": ""},
        {"quantity": "{{strategy.order.contracts}}"},
        {"quantity": "all"},
        {"quantity": 50, "quantityType": "percent_of_position"},
        {"quantity": None, "percentEquity": 50},
        {"quantity": None, "riskPercent": 1},
        {"quantity": 1, "quantityType": "risk_percent"},
    ],
    ids=str,
)
def test_rule_58_an_exit_whose_size_cannot_be_used_closes_everything(
    way: dict[str, object], size: dict[str, object]
) -> None:
    signal = read(**(way | size))
    sizes = (signal.quantity, signal.notional, signal.risk_percentage)
    assert (signal.reduce_only, *sizes) == (True, None, None, None)
    assert signal.remarks is not None
    assert signal.remarks.unread


def test_rule_64_an_exit_may_be_sized_in_money() -> None:
    for sized in ({"quantity": None, "notional": "500"}, {"quantityType": "dollar_amount"}):
        signal = read(side="close", **sized)
        assert signal.quantity is None
        assert signal.notional is not None


# --- RULES 59: numbers of machines ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "side", "sent", "meant"),
    [
        ("price", "buy", "193.7200000000002", "193.72"),
        ("price", "sell", "193.71999999999997", "193.72"),
        ("quantity", "buy", "0.30000000000000004", "0.3"),
        ("quantity", "buy", "0.3333333333333333", "0.333333333333"),
        ("price", "buy", "0.6666666666666666", "0.666666666666"),
        ("price", "sell", "0.6666666666666666", "0.666666666667"),
        ("stop_loss", "buy", "0.3333333333333333", "0.333333333334"),
        ("stop_loss", "sell", "0.3333333333333333", "0.333333333333"),
        ("take_profit", "buy", "0.6666666666666666", "0.666666666666"),
        ("take_profit", "sell", "0.6666666666666666", "0.666666666667"),
    ],
)
def test_rule_59_float_noise_is_rounded_towards_less_risk_and_told(
    key: str, side: str, sent: str, meant: str
) -> None:
    signal = read(**{"side": side, key: sent})
    assert getattr(signal, key) == Decimal(meant)
    assert signal.remarks == Remarks(rounded=(f"{key}: {sent} -> {meant}",))


def test_curly_quotation_marks_are_named() -> None:
    assert "curly" in problem_of("{“action”: “buy”}").remedy


@pytest.mark.parametrize(
    ("word", "path"), [("kill", "/api/v1/kill"), ("flatten", "/api/v1/flatten")]
)
def test_an_action_that_is_done_elsewhere_says_where(word: str, path: str) -> None:
    assert path in problem_with(side=None, action=word).remedy


# --- from Python ----------------------------------------------------------------------------------


def test_a_mapping_takes_decimals_and_integers() -> None:
    fields = {**FULL, "quantity": Decimal("1E+1"), "price": 158, "reduce_only": False}
    signal = signal_from_mapping(fields)
    assert (signal.quantity, signal.price) == (Decimal(10), Decimal(158))


@pytest.mark.parametrize(
    "value",
    [
        158.39,
        float("nan"),
        Decimal("NaN"),
        Decimal("sNaN"),
        Decimal("Infinity"),
        Decimal("1E+999999"),
        Decimal("1E-999999"),
        10**5_000,
        b"1",
        object(),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_mapping_takes_no_float_and_no_number_beyond_reason(value: object) -> None:
    with pytest.raises(SignalProblem) as caught:
        signal_from_mapping({**FULL, "price": value})
    assert caught.value.field == "price"


def test_a_symbol_may_be_called_none() -> None:
    assert read(symbol="NONE").symbol == "NONE"
