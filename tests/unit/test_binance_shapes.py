"""What Binance sends, as records."""

import pytest

from pointsman.venues.adapter import Incomplete
from pointsman.venues.binance.shapes import AccountUpdate
from pointsman.venues.shapes import read_as


def test_an_account_update_may_be_about_money_only() -> None:
    assert read_as(AccountUpdate, {"m": "DEPOSIT", "B": []}).positions == []


@pytest.mark.parametrize("amount", ["NaN", "1e15"])
def test_an_account_update_with_a_number_that_is_none_is_refused(amount: str) -> None:
    with pytest.raises(Incomplete):
        read_as(AccountUpdate, {"m": "ORDER", "P": [{"s": "BTCUSDT", "pa": amount, "ps": "BOTH"}]})
