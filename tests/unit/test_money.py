"""Exact decimals: what is read, how it is rounded, and that nothing is lost."""

from collections.abc import Callable
from decimal import Decimal, InvalidOperation, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.domain.money import (
    ceil_to,
    exact,
    floor_to,
    is_multiple,
    parse_decimal,
    parse_machine_decimal,
    plain,
    shown_average,
    shown_ratio,
    stored_bps,
)

MOST = Decimal("999999999999.999999999999")

amounts = st.decimals(min_value=-MOST, max_value=MOST, places=12)
steps = st.sampled_from([Decimal(text) for text in ("0.01", "0.25", "0.000001", "1", "3", "100")])


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("158.39", "158.39"),
        ("-0.5", "-0.5"),
        ("+7", "7"),
        (".5", "0.5"),
        ("5.", "5"),
        ("007", "7"),
        ("999999999999.999999999999", "999999999999.999999999999"),
    ],
)
def test_a_plain_decimal_is_read_exactly(text: str, amount: str) -> None:
    assert parse_decimal(text) == Decimal(amount)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param(".", id="only a point"),
        pytest.param("1e308", id="scientific"),
        pytest.param("1E5", id="scientific, upper case"),
        pytest.param("NaN", id="not a number"),
        pytest.param("sNaN", id="signalling"),
        pytest.param("Infinity", id="infinite"),
        pytest.param("-inf", id="infinite, short"),
        pytest.param(" 1", id="blank before"),
        pytest.param("1\n", id="line end after"),
        pytest.param("1_000", id="underscore"),
        pytest.param("1,5", id="comma"),
        pytest.param("--1", id="two signs"),
        pytest.param("0x10", id="hexadecimal"),
        pytest.param("\u0661\u0662", id="digits of another script"),
        pytest.param("1" * 13, id="13 digits before the point"),
        pytest.param("0." + "1" * 13, id="13 digits after the point"),
        pytest.param("1" * 40, id="40 digits"),
    ],
)
def test_anything_else_is_refused_with_what_would_do(text: str) -> None:
    with pytest.raises(ValueError, match="write a plain decimal number, at most 12 digits"):
        parse_decimal(text)


@given(amounts)
def test_what_is_written_reads_back_the_same(amount: Decimal) -> None:
    assert parse_decimal(plain(amount)) == amount


@pytest.mark.parametrize("text", ["1E+3", "1E-12", "0E+2", "-0.00"])
def test_an_amount_is_written_without_an_exponent(text: str) -> None:
    assert "E" not in plain(Decimal(text))
    assert Decimal(plain(Decimal(text))) == Decimal(text)


@given(amounts, steps)
def test_floor_and_ceil_enclose_the_amount_within_one_step(amount: Decimal, step: Decimal) -> None:
    with exact():
        low, high = floor_to(amount, step), ceil_to(amount, step)
        assert is_multiple(low, step)
        assert is_multiple(high, step)
        assert low <= amount <= high
        assert high - low == (0 if is_multiple(amount, step) else step)


@given(st.lists(st.tuples(amounts, amounts, amounts), max_size=20))
def test_sums_of_products_of_accepted_inputs_lose_nothing(
    terms: list[tuple[Decimal, Decimal, Decimal]],
) -> None:
    with exact():
        total = sum((price * quantity - fee for price, quantity, fee in terms), Decimal(0))
    exactly = sum((Fraction(p) * Fraction(q) - Fraction(f) for p, q, f in terms), Fraction(0))
    assert Fraction(total) == exactly


def test_exact_holds_whatever_context_the_thread_has() -> None:
    with localcontext(prec=3), exact():
        assert Decimal("123456.789") + Decimal("0.001") == Decimal("123456.790")


def test_under_exact_nonsense_raises_and_never_spreads() -> None:
    with exact(), pytest.raises(InvalidOperation):
        _ = Decimal("Infinity") - Decimal("Infinity")


@pytest.mark.parametrize(
    ("rounded", "text", "expected"),
    [
        pytest.param(stored_bps, "1.00005", "1.0000", id="bps: a half goes to the even, down"),
        pytest.param(stored_bps, "1.00015", "1.0002", id="bps: a half goes to the even, up"),
        pytest.param(stored_bps, "-1.00005", "-1.0000", id="bps: below zero too"),
        pytest.param(stored_bps, "3", "3.0000", id="bps: always 4 places"),
        pytest.param(shown_ratio, "0.12345678905", "0.1234567890", id="ratio: 10 places"),
    ],
)
def test_rules_11_and_14_how_stored_numbers_are_rounded(
    rounded: Callable[[Decimal], Decimal], text: str, expected: str
) -> None:
    assert plain(rounded(Decimal(text))) == expected


def test_rule_14_an_average_is_shown_to_10_places_and_of_nothing_is_zero() -> None:
    assert plain(shown_average(Decimal(200), Decimal(3))) == "66.6666666667"
    assert shown_average(Decimal(200), Decimal(0)) == 0


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("158.390", "158.390"),
        ("123456789012.123456789012", "123456789012.123456789012"),
        ("193.7200000000002", "193.72"),
        ("1581.1329999999998", "1581.133"),
        ("0.30000000000000004", "0.3"),
        ("1.234e-05", "0.00001234"),
        ("1E+9", "1000000000"),
        ("-2.5e-3", "-0.0025"),
        ("0.1234567890123", "0.123456789012"),
        ("1e-300", "0"),
    ],
)
def test_rule_59_a_number_of_a_program_loses_the_noise_of_a_float(text: str, number: str) -> None:
    assert plain(parse_machine_decimal(text)) == number


@pytest.mark.parametrize(
    "text", ["", "1e13", "1e999", "9" * 13, "1.5.2", "1,5", "0x10", "NaN", "1e"]
)
def test_a_number_of_a_program_is_a_number(text: str) -> None:
    with pytest.raises(ValueError, match="plain decimal"):
        parse_machine_decimal(text)


@given(st.floats(1e-9, 999_999_999_999))
def test_what_a_float_says_is_read_to_its_15_digits(number: float) -> None:
    read = parse_machine_decimal(repr(number))
    assert abs(read - Decimal(number)) <= max(Decimal(number) * Decimal("1e-14"), Decimal("1e-12"))
