"""Which keys and accounts of Binance are refused, and what to do about it."""

from collections.abc import Callable
from functools import partial

import pytest

from pointsman.domain.policy import PositionMode
from pointsman.venues.adapter import Incomplete
from pointsman.venues.binance import account
from pointsman.venues.errors import VenueRefused

Check = Callable[[object], None]

HEDGE = partial(account.check_mode, wanted=PositionMode.HEDGE)
NET = partial(account.check_mode, wanted=PositionMode.NET)


@pytest.mark.parametrize(
    ("check", "answer"),
    [
        (account.check_key, {"enableWithdrawals": False, "enableFutures": True}),
        (NET, {"dualSidePosition": False}),
        (HEDGE, {"dualSidePosition": True}),
        (account.check_margin, {"multiAssetsMargin": False}),
        (account.check_account, {"canTrade": True}),
        (account.check_account, {}),
    ],
)
def test_an_account_that_is_as_it_should_be_is_taken(check: Check, answer: object) -> None:
    check(answer)


@pytest.mark.parametrize(
    ("check", "answer", "told"),
    [
        (account.check_key, {"enableWithdrawals": True, "enableFutures": True}, "may withdraw"),
        (account.check_key, {"enableWithdrawals": False, "enableFutures": False}, "Enable Futures"),
        (NET, {"dualSidePosition": True}, "set VENUE_POSITION_MODE=hedge"),
        (HEDGE, {"dualSidePosition": False}, "set VENUE_POSITION_MODE=net"),
        (account.check_margin, {"multiAssetsMargin": True}, "multi-assets mode"),
        (account.check_account, {"canTrade": False}, "may not trade"),
    ],
)
def test_what_is_refused_says_what_to_do(check: Check, answer: object, told: str) -> None:
    with pytest.raises(VenueRefused, match=told):
        check(answer)


@pytest.mark.parametrize("check", [account.check_key, NET, account.check_margin])
@pytest.mark.parametrize("answer", [{}, [], None, {"dualSidePosition": "false"}])
def test_an_answer_that_does_not_say_it_proves_nothing(check: Check, answer: object) -> None:
    with pytest.raises(Incomplete, match="does not say"):
        check(answer)


@pytest.mark.parametrize(
    ("balances", "name"), [([{"accountAlias": "SgsR"}], "SgsR"), ([], ""), ({}, "")]
)
def test_an_account_is_named_by_its_alias(balances: object, name: str) -> None:
    assert account.account_name(balances) == name
