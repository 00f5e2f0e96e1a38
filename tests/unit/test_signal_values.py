"""Single values: numbers as programs write them, times, symbols with their exchange."""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.domain.signal_values import (
    exchange_of,
    held,
    parse_listing,
    read_number,
    read_time_ns,
    says_nothing,
)


@given(st.integers(1, 10**11), st.integers(0, 8))
def test_rule_59_the_noise_of_a_binary_float_never_survives(digits: int, places: int) -> None:
    meant = Decimal(digits).scaleb(-places)
    noisy = repr(float(meant) * 3 / 3)
    read = read_number(noisy)
    assert abs(read - meant) <= meant.scaleb(-15)
    if len(noisy.replace(".", "").strip("0")) > 15:
        assert read == meant


@pytest.mark.parametrize(
    ("text", "floor", "ceiling"),
    [
        ("0.3333333333333", "0.333333333333", "0.333333333334"),
        ("2", "2", "2"),
        ("0.000000000001", "0.000000000001", "0.000000000001"),
    ],
)
def test_what_has_more_than_twelve_decimals_is_rounded_the_way_that_is_asked(
    text: str, floor: str, ceiling: str
) -> None:
    assert held(Decimal(text), ROUND_FLOOR) == Decimal(floor)
    assert held(Decimal(text), ROUND_CEILING) == Decimal(ceiling)


def test_nothing_is_left_of_a_number_that_is_too_small() -> None:
    with pytest.raises(ValueError, match="12 decimals"):
        held(Decimal("1e-13"), ROUND_FLOOR)


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("1764538800.123", 1_764_538_800_123_000_000),
        ("1764538800.1234567", 1_764_538_800_123_456_700),
        ("1.7645388e9", 1_764_538_800_000_000_000),
        ("1764538800123.9", 1_764_538_800_123_900_000),
        ("2025-11-30T21:40:00.1234567899Z", 1_764_538_800_123_456_789),
    ],
)
def test_rule_59_a_time_is_cut_off_at_the_nanosecond(text: str, ns: int) -> None:
    assert read_time_ns(text) == ns


@pytest.mark.parametrize("text", ["1e40", "yesterday", "1764538800.", "-1.5", "1.5.5"])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(ValueError, match="write ISO-8601"):
        read_time_ns(text)


def test_the_exchange_stands_before_the_symbol() -> None:
    assert parse_listing("nse:infy") == ("INFY", "NSE")
    assert parse_listing("BTC/USDT:USDT") == ("BTC/USDT:USDT", None)
    assert (exchange_of("NYSE:INFY"), exchange_of("INFY")) == ("NYSE", None)


def test_an_empty_text_says_nothing() -> None:
    assert [says_nothing(raw) for raw in (None, " ", "None", "null", 0, "NaN")] == [
        True, True, True, True, False, False,
    ]  # fmt: skip
