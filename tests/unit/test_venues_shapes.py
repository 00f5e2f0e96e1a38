"""What a venue sends has to fit what it documents, and stays exact."""

from decimal import Decimal

import msgspec
import pytest

from pointsman.venues.adapter import Incomplete
from pointsman.venues.shapes import exact, read_as


class Row(msgspec.Struct, frozen=True):
    symbol: str
    amount: Decimal
    at_ms: int
    rest: list["Row"] = []


ROW = {"symbol": "BTCUSDT", "amount": "0.10", "at_ms": 1}


def test_numbers_stay_exact_and_what_is_not_read_does_not_matter() -> None:
    assert str(read_as(Row, {**ROW, "somethingNew": [1]}).amount) == "0.10"


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({k: v for k, v in ROW.items() if k != "amount"}, "amount"),
        ({**ROW, "amount": "much"}, "amount"),
        ({**ROW, "at_ms": "later"}, "at_ms"),
        ({**ROW, "symbol": None}, "symbol"),
        ([], "object"),
        ("<html>", "object"),
        (None, "object"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(body: object, told: str) -> None:
    with pytest.raises(Incomplete, match=told):
        read_as(Row, body)


def test_a_list_with_one_bad_row_is_no_list() -> None:
    with pytest.raises(Incomplete):
        read_as(list[Row], [ROW, {}])


@pytest.mark.parametrize(
    "amount", ["NaN", "sNaN", "Infinity", "-inf", "1e15", "0.0000000000001", "1e-30"]
)
def test_a_number_that_cannot_be_reckoned_with_exactly_is_refused(amount: str) -> None:
    bad = {**ROW, "amount": amount}
    for body in ([bad], [{**ROW, "rest": [bad]}]):
        with pytest.raises(Incomplete, match="amount="):
            read_as(list[Row], body)
    with pytest.raises(Incomplete, match="income="):
        exact(amount, "income")


@pytest.mark.parametrize("text", ["", "much", "1,5"])
def test_a_text_that_is_no_number_is_refused_by_name(text: str) -> None:
    with pytest.raises(Incomplete, match="income="):
        exact(text, "income")
    assert exact("-1.50", "income") == Decimal("-1.5")
