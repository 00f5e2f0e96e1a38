"""The quote table: the newest row, and the last one that may be traded on."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.domain.market import Quote
from pointsman.execution.quotes import QuoteTable

prices = st.decimals("0.00001", "1000000", places=5)


def quote(bid: str, ask: str, *, ts_ns: int = 1, symbol: str = "AAPL", size: str = "100") -> Quote:
    return Quote(symbol, ts_ns, Decimal(bid), Decimal(size), Decimal(ask), Decimal(100))


def test_nothing_is_known_of_a_symbol_before_its_first_row() -> None:
    table = QuoteTable()
    table.update(quote("10", "11", symbol="MSFT"))
    assert table.newest("AAPL") is None
    assert table.last_valid("AAPL") is None


def test_rule_3_an_unchanged_row_is_a_new_quote() -> None:
    table = QuoteTable()
    first, again = quote("10", "11", ts_ns=1), quote("10", "11", ts_ns=2)
    table.update(first)
    table.update(again)
    assert table.newest("AAPL") is again
    assert table.last_valid("AAPL") is again


@pytest.mark.parametrize(
    "invalid",
    [
        quote("0", "11"),
        quote("10", "0"),
        quote("-1", "11"),
        quote("12", "11"),
        quote("NaN", "11"),
        quote("10", "NaN"),
        quote("10", "Infinity"),
        quote("10", "11", size="-1"),
        quote("10", "11", size="NaN"),
    ],
    ids=str,
)
def test_rule_4_an_invalid_row_is_the_newest_and_leaves_the_last_valid(invalid: Quote) -> None:
    table = QuoteTable()
    valid = quote("10", "11")
    table.update(valid)
    table.update(invalid)
    assert table.newest("AAPL") is invalid
    assert table.last_valid("AAPL") is valid


def test_a_locked_or_wide_market_is_valid() -> None:
    table = QuoteTable()
    for valid in (quote("10", "10"), quote("1", "100"), quote("10", "11", size="0")):
        table.update(valid)
        assert table.last_valid("AAPL") is valid


def test_rule_59_steps_are_those_of_the_most_decimals_so_far_and_only_become_finer() -> None:
    table = QuoteTable()
    assert table.steps("AAPL") is None
    for bid, size, steps in (
        ("158.3", "300", ("0.1", "1")),
        ("158.3900", "2.50", ("0.01", "0.1")),
        ("NaN", "0.0001", ("0.01", "0.1")),
        ("158", "1000", ("0.01", "0.1")),
        ("158.0000100000000002", "1", ("0.00001", "0.1")),
        ("0.000000000001", "1", ("0.000000000001", "0.1")),
    ):
        table.update(quote(bid, "159", size=size))
        assert table.steps("AAPL") == tuple(map(Decimal, steps))


@given(st.lists(st.tuples(prices, prices, prices), min_size=1))
def test_rule_59_every_amount_is_a_whole_number_of_the_steps(
    rows: list[tuple[Decimal, Decimal, Decimal]],
) -> None:
    table = QuoteTable()
    for bid, more, size in rows:
        table.update(Quote("AAPL", 1, bid, size, bid + more, size))
        steps = table.steps("AAPL")
        assert steps is not None
        assert all(amount % steps[0] == 0 for amount in (bid, bid + more))
        assert size % steps[1] == 0


def test_a_symbol_is_known_in_another_spelling_where_only_that_has_quotes() -> None:
    table = QuoteTable()
    table.update(quote("10", "11", symbol="BTC/USDT"))
    assert table.other_spelling("BTCUSDT") == "BTC/USDT"
    assert table.other_spelling("BTC-USDT") == "BTC/USDT"
    assert table.other_spelling("BTC/USDT") == ""
    assert table.other_spelling("BTCUSD") == "BTC/USDT"
    assert table.other_spelling("ETHUSDT") == ""
