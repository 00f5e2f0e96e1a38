"""The quote table: the newest row, and the last one that may be traded on."""

from decimal import Decimal

import pytest

from pointsman.domain.market import Quote
from pointsman.market.quotes import QuoteTable


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
