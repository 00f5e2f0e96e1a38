"""Signals from text: many spellings of one meaning, and no guess where there are two."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.domain.sides import MarketPosition, SignalSide
from pointsman.domain.signal_text import (
    TEXT_BYTES_MAX,
    SignalProblem,
    parse_signal,
    parse_symbol,
    signal_from_mapping,
)
from pointsman.domain.signals import Signal

FULL = {"signal_id": "s1", "va_id": "VA001", "symbol": "AAPL", "side": "buy", "quantity": "10"}
BARE = Signal("s1", "VA001", "AAPL", SignalSide.BUY, quantity=Decimal(10))


def read(**changes: object) -> Signal:
    """The full signal with some keys changed; a key of None is left out."""
    fields = {key: value for key, value in (FULL | changes).items() if value is not None}
    return parse_signal(json.dumps(fields))


def problem_of(text: str | bytes) -> SignalProblem:
    with pytest.raises(SignalProblem) as caught:
        parse_signal(text)
    return caught.value


def problem_with(**changes: object) -> SignalProblem:
    with pytest.raises(SignalProblem) as caught:
        read(**changes)
    return caught.value


# --- forgiving in spelling ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "aliases"),
    [
        ("side", ["action", "signal", "SIDE", "Action"]),
        ("symbol", ["ticker", "pair", "Ticker"]),
        ("quantity", ["qty", "size", "contracts", "amount", "QTY"]),
        ("va_id", ["va", "account", "vaId", "VA_ID"]),
        ("signal_id", ["signalId", "alertId", "alert_id", "SIGNALID"]),
    ],
)
def test_one_field_has_many_names(name: str, aliases: list[str]) -> None:
    for alias in aliases:
        assert read(**{name: None, alias: FULL[name]}) == BARE, alias


@pytest.mark.parametrize(
    ("word", "side", "reduce_only"),
    [
        ("buy", SignalSide.BUY, False),
        ("LONG", SignalSide.BUY, False),
        ("sell", SignalSide.SELL, False),
        (" Short ", SignalSide.SELL, False),
        ("close", SignalSide.CLOSE, True),
        ("exit", SignalSide.CLOSE, True),
        ("flat", SignalSide.CLOSE, True),
    ],
)
def test_rule_10_actions_and_what_they_imply(
    word: str, side: SignalSide, reduce_only: bool
) -> None:
    signal = read(action=word, side=None)
    assert (signal.side, signal.reduce_only) == (side, reduce_only)


@pytest.mark.parametrize("key", ["market_position", "marketPosition", "sentiment"])
def test_rule_10_flat_implies_reduce_only_and_alone_means_close(key: str) -> None:
    beside = read(side="sell", **{key: "flat"})
    assert (beside.side, beside.reduce_only) == (SignalSide.SELL, True)
    alone = read(side=None, quantity=None, **{key: "Flat"})
    assert (alone.side, alone.reduce_only, alone.quantity) == (SignalSide.CLOSE, True, None)
    assert not read(**{key: "long"}).reduce_only


@pytest.mark.parametrize(
    ("text", "symbol"),
    [
        ("aapl", "AAPL"),
        (" BRK.B ", "BRK.B"),
        ("NASDAQ:AAPL", "AAPL"),
        ("FX_IDC:eurusd", "EURUSD"),
        ("BTC/USDT", "BTC/USDT"),
        ("btc/usdt:usdt", "BTC/USDT:USDT"),
        ("BINANCE:BTC/USDT:USDT", "BTC/USDT:USDT"),
    ],
)
def test_the_exchange_is_stripped_and_the_settle_currency_kept(text: str, symbol: str) -> None:
    assert parse_symbol(text) == symbol
    assert read(symbol=text).symbol == symbol


@pytest.mark.parametrize("text", ["", "  ", "NASDAQ:", "A B", "A" * 65, "ÄPFEL", "A\nB", "A\x00"])
def test_a_symbol_that_is_none(text: str) -> None:
    assert problem_with(symbol=text).field == "symbol"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"price": "158.39"}, {"price": Decimal("158.39")}),
        ({"price": 158}, {"price": Decimal(158)}),
        ({"stopLoss": "150"}, {"stop_loss": Decimal(150)}),
        ({"sl": "2.5%"}, {"stop_loss_percentage": Decimal("2.5")}),
        ({"sl": " 2 % "}, {"stop_loss_percentage": Decimal(2)}),
        ({"stop_loss_percentage": "2"}, {"stop_loss_percentage": Decimal(2)}),
        ({"stopLoss": {"percent": 2}}, {"stop_loss_percentage": Decimal(2)}),
        ({"stopLoss": {"type": "stop", "stopPrice": 150}}, {"stop_loss": Decimal(150)}),
        ({"tp": "170"}, {"take_profit": Decimal(170)}),
        ({"takeProfit": "5%"}, {"take_profit_percentage": Decimal(5)}),
        ({"takeProfit": {"limitPrice": "170"}}, {"take_profit": Decimal(170)}),
        ({"takeProfit": {"percent": "5", "limitPrice": None}}, {"take_profit_percentage": 5}),
        ({"ts": "2018-01-02T14:30:00.5Z"}, {"ts_ns": 1_514_903_400_500_000_000}),
        ({"time": 1514903400}, {"ts_ns": 1_514_903_400_000_000_000}),
        ({"ttl": "1.5"}, {"ttl_ns": 1_500_000_000}),
        ({"time": 1764538800.123}, {"ts_ns": 1_764_538_800_123_000_000}),
        ({"time": "1764538800123.4"}, {"ts_ns": 1_764_538_800_123_400_000}),
        ({"time": "2018-01-02T14:30:00.1234567891Z"}, {"ts_ns": 1_514_903_400_123_456_789}),
        ({"price": "1e-05"}, {"price": Decimal("0.00001")}),
        ({"price": "1E2"}, {"price": Decimal(100)}),
        ({"sentiment": "Bullish"}, {"market_position": MarketPosition.LONG}),
        (
            {"market_position": "long", "market_position_size": "10"},
            {"market_position": MarketPosition.LONG, "market_position_size": Decimal(10)},
        ),
        ({"market_position_size": -4}, {"market_position_size": Decimal(4)}),
        ({"symbol": "nse:infy"}, {"symbol": "INFY", "exchange": "NSE"}),
        ({"exchange": "nse"}, {"exchange": "NSE"}),
        ({"reduceOnly": True}, {"reduce_only": True}),
        ({"reduce_only": "FALSE"}, {"reduce_only": False}),
        ({"va_id": 7}, {"va_id": "7"}),
        ({"quantity": None, "notional": "500"}, {"quantity": None, "notional": Decimal(500)}),
        ({"quantity": None, "risk_percentage": "1%"}, {"quantity": None, "risk_percentage": 1}),
        ({"quantityType": "fixed_quantity"}, {}),
        ({"quantityType": "dollar_amount"}, {"quantity": None, "notional": Decimal(10)}),
        ({"quantityType": "risk_percent"}, {"quantity": None, "risk_percentage": Decimal(10)}),
    ],
)
def test_rules_9_and_37_what_fields_mean(
    changes: dict[str, object], expected: dict[str, Any]
) -> None:
    signal = read(**changes)
    changed = {name: getattr(signal, name) for name in expected}
    assert changed == expected
    for name in set(BARE.__struct_fields__) - set(expected) - {"remarks"}:
        assert getattr(signal, name) == getattr(BARE, name), name


def test_rule_37_id_and_order_id_are_no_signal_id() -> None:
    assert problem_with(signal_id=None, id="a", order_id="b").field == "signal_id"


def test_defaults_stand_in_for_what_is_missing() -> None:
    text = '{"ticker": "AAPL", "action": "buy"}'
    signal = parse_signal(
        text, default_va_id="VA1", default_notional=Decimal(500), default_signal_id="h"
    )
    assert signal == Signal("h", "VA1", "AAPL", SignalSide.BUY, notional=Decimal(500))


def test_defaults_do_not_override_what_is_said() -> None:
    signal = parse_signal(
        json.dumps(FULL), default_va_id="VA9", default_notional=Decimal(1), default_signal_id="h"
    )
    assert signal == BARE


@pytest.mark.parametrize("changes", [{"side": "exit"}, {"side": "sell", "reduce_only": True}])
def test_the_default_size_never_sizes_an_exit(changes: dict[str, object]) -> None:
    fields = {**FULL, **changes, "quantity": None}
    signal = signal_from_mapping(fields, default_notional=Decimal(500))
    assert (signal.quantity, signal.notional) == (None, None)


def test_bytes_with_a_byte_order_mark_are_read() -> None:
    assert parse_signal(b"\xef\xbb\xbf" + json.dumps(FULL).encode()) == BARE


def test_two_spellings_that_agree_are_one() -> None:
    assert read(qty=10, size="10.0", action="long", stop_loss="2%", sl="2.0%") == read(sl="2%")


# --- strict in meaning ----------------------------------------------------------------------------

NUMBERS_REFUSED = [
    "0",
    "0.000",
    "-1",
    "1e308",
    "1e12",
    "1e-99",
    "9" * 40,
    "0." + "1" * 80,
    "NaN",
    "Infinity",
    "-Infinity",
]


@pytest.mark.parametrize("key", ["quantity", "price", "stop_loss", "take_profit", "ttl"])
@pytest.mark.parametrize("number", NUMBERS_REFUSED)
def test_a_number_that_is_not_plain_and_positive(key: str, number: str) -> None:
    others = json.dumps({name: value for name, value in FULL.items() if name != key})[1:-1]
    for written in (number, f'"{number}"'):
        problem = problem_of(f'{{{others}, "{key}": {written}}}')
        assert problem.field == key
        assert problem.value[:20] == number[:20]
        assert problem.remedy


@pytest.mark.parametrize("value", [True, False, "", "ten", "1,000", "10 000", "٣", [1], {}, "0x10"])
def test_a_quantity_that_is_no_number(value: object) -> None:
    assert problem_with(quantity=value).field == "quantity"


def test_digits_beyond_all_limits_are_refused_unread() -> None:
    problem = problem_of(json.dumps(FULL)[:-4] + "9" * 10_000 + '"}')
    assert problem.field == "quantity"
    assert len(problem.value) <= 64


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"action": "sell"}, "action"),
        ({"qty": "11"}, "qty"),
        ({"ticker": "MSFT"}, "ticker"),
        ({"alertId": "s2"}, "alertId"),
        ({"account": "VA002"}, "account"),
        ({"ts": 1514903400, "time": 1514903401}, "time"),
        ({"stop_loss": "150", "stop_loss_percentage": "2"}, "stop_loss"),
        ({"stop_loss": "150", "sl": "2%"}, "stop_loss"),
        ({"tp": "170", "takeProfit": {"percent": 5}}, "take_profit"),
        ({"notional": "500"}, "notional"),
        ({"risk_percentage": "1"}, "risk_percentage"),
        ({"quantityType": "dollar_amount", "notional": "500"}, "notional"),
    ],
)
def test_two_meanings_are_a_problem(changes: dict[str, object], field: str) -> None:
    assert problem_with(**changes).field == field


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"side": "cancel"}, "side"),
        ({"side": "add"}, "side"),
        ({"side": ""}, "side"),
        ({"side": 1}, "side"),
        ({"side": None}, "side"),
        ({"side": None, "sentiment": "long"}, "side"),
        ({"symbol": None}, "symbol"),
        ({"symbol": {}}, "symbol"),
        ({"va_id": None}, "va_id"),
        ({"va_id": ""}, "va_id"),
        ({"va_id": True}, "va_id"),
        ({"signal_id": "x" * 129}, "signal_id"),
        ({"signal_id": " x"}, "signal_id"),
        ({"signal_id": "a\tb"}, "signal_id"),
        ({"signal_id": "ü"}, "signal_id"),
        ({"signal_id": "\ud800"}, "signal_id"),
        ({"quantity": None}, "quantity"),
        ({"quantityType": "percent_of_equity"}, "quantityType"),
        ({"quantity": "101", "quantityType": "risk_percent"}, "risk_percentage"),
        ({"quantity": None, "risk_percentage": "100.1"}, "risk_percentage"),
        ({"ts": "yesterday"}, "ts"),
        ({"ts": "1e99"}, "ts"),
        ({"ts": "1514903400."}, "ts"),
        ({"signal_id": "mine/open"}, "signal_id"),
        ({"market_position": "sideways"}, "market_position"),
        ({"market_position_size": "all"}, "market_position_size"),
        ({"ts": True}, "ts"),
        ({"ttl": "1000000001"}, "ttl"),
        ({"ttl": "0.0000000001"}, "ttl"),
        ({"reduce_only": 1}, "reduce_only"),
        ({"reduce_only": "yes"}, "reduce_only"),
        ({"stopLoss": {}}, "stopLoss"),
        ({"stopLoss": {"percent": 0}}, "stopLoss"),
        ({"stopLoss": {"percent": 2, "stopPrice": 150}}, "stopLoss"),
        ({"stopLoss": {"stopPrice": 150, "stop_price": 151}}, "stopLoss"),
        ({"stopLoss": {"type": "trailing_stop", "trailPercent": 2}}, "stopLoss"),
        ({"stopLoss": {"type": "trailing_stop", "percent": 2}}, "stopLoss"),
        ({"stopLoss": {"amount": 5}}, "stopLoss"),
        ({"stopLoss": {"limitPrice": 150}}, "stopLoss"),
        ({"sl": "-2%"}, "sl"),
        ({"stop_loss": "2%", "stop_loss_percentage": "2"}, "stop_loss_percentage"),
        ({"sl": "%"}, "sl"),
        ({"stop_loss": [150]}, "stop_loss"),
    ],
)
def test_what_we_cannot_do_is_said_and_not_ignored(changes: dict[str, object], field: str) -> None:
    problem = problem_with(**changes)
    assert problem.field == field
    assert problem.remedy


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("", "body"),
        ("buy AAPL", "body"),
        ("[]", "body"),
        ("3", "body"),
        ("null", "body"),
        ('"buy"', "body"),
        ("{} {}", "body"),
        ('{"side": "buy"', "body"),
        (b"\xff\xfe", "body"),
        ("[" * 60_000, "body"),
        ('{"a":' * 10_000, "body"),
        (" " * TEXT_BYTES_MAX + "{}", "body"),
        ('{"side": "buy", "side": "buy"}', "side"),
        ('{"comment": {"x": 1, "x": 2}}', "x"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_body_that_is_no_object(text: str | bytes, field: str) -> None:
    assert problem_of(text).field == field


def test_a_problem_names_the_key_as_it_was_sent() -> None:
    problem = problem_with(quantity=None, Qty="five lots")
    assert (problem.field, problem.value) == ("Qty", "five lots")
    assert str(problem).startswith("Qty = 'five lots': write a plain decimal number")


def test_what_is_shown_is_short_and_printable() -> None:
    problem = problem_with(side="\x1b[31m" + "ü" * 500)
    assert problem.value.isascii()
    assert problem.value.isprintable()


# --- properties -----------------------------------------------------------------------------------

MONEY = st.decimals(Decimal("0.000000000001"), Decimal("999999999999"), places=12)


@given(MONEY, st.booleans())
def test_a_number_arrives_exactly_as_it_was_sent(amount: Decimal, as_text: bool) -> None:
    number = f'"{amount:f}"' if as_text else f"{amount:f}"
    others = json.dumps(FULL)[1:-1]
    signal = parse_signal(f'{{{others}, "price": {number}}}')
    assert signal.price is not None
    # A number of 16 or 17 digits that is within the noise of a short one is that one.
    noise = Decimal(0) if len(amount.normalize().as_tuple().digits) not in (16, 17) else amount
    assert abs(signal.price - amount) <= noise.scaleb(-14)


KEYS = st.sampled_from(["side", "sl", "tp", "qty", "price", "ts", "ttl", "va", "SYMBOL", "x"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(KEYS | st.sampled_from(sorted(FULL)), JSON))
def test_anything_is_a_signal_or_a_problem_and_nothing_else(changes: dict[str, object]) -> None:
    try:
        signal = parse_signal(json.dumps(FULL | changes))
    except SignalProblem:
        return
    sizes = [signal.quantity, signal.notional, signal.risk_percentage]
    sizes_given = len(sizes) - sizes.count(None)
    assert sizes_given == 1 or (sizes_given == 0 and signal.reduce_only)


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_no_bytes_break_the_reader(body: bytes) -> None:
    with pytest.raises(SignalProblem):
        parse_signal(body)
