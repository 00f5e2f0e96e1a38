"""What Binance sends has to fit what it documents, and stays exact."""

from decimal import Decimal

import pytest

from pointsman.venues.adapter import Incomplete
from pointsman.venues.binance.shapes import AccountUpdate, PositionRow, read_as

ROW = {"symbol": "BTCUSDT", "positionSide": "BOTH", "positionAmt": "0.10", "updateTime": 1}


def test_numbers_stay_exact_and_what_is_not_read_does_not_matter() -> None:
    told = read_as(PositionRow, {**ROW, "somethingNew": [1]})
    assert told.position_amt == Decimal("0.10")


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({k: v for k, v in ROW.items() if k != "positionAmt"}, "positionAmt"),
        ({**ROW, "positionAmt": "much"}, "positionAmt"),
        ({**ROW, "updateTime": "later"}, "updateTime"),
        ({**ROW, "symbol": None}, "symbol"),
        ([], "object"),
        ("<html>", "object"),
        (None, "object"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(body: object, told: str) -> None:
    with pytest.raises(Incomplete, match=told):
        read_as(PositionRow, body)


def test_a_list_with_one_bad_row_is_no_list() -> None:
    with pytest.raises(Incomplete):
        read_as(list[PositionRow], [ROW, {}])


def test_an_account_update_may_be_about_money_only() -> None:
    assert read_as(AccountUpdate, {"m": "DEPOSIT", "B": []}).positions == []


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "-inf", "1e15", "0.0000000000001"])
def test_a_number_that_cannot_be_reckoned_with_exactly_is_refused(amount: str) -> None:
    with pytest.raises(Incomplete):
        read_as(PositionRow, {**ROW, "positionAmt": amount})
    update = {"m": "ORDER", "P": [{"s": "BTCUSDT", "pa": amount, "ps": "BOTH"}]}
    with pytest.raises(Incomplete):
        read_as(AccountUpdate, update)
