"""Accounts: the balance, cooldowns and streaks; and what the kill switch lets the desk do."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from pointsman.domain.accounts import Account, KillState, KillSwitch, Mark, TradingState
from pointsman.domain.sides import PositionSide

NEW = Account("VA001", Decimal(100), 0)


@pytest.mark.parametrize(
    ("now_ns", "is_cooling", "streak"), [(99, True, 3), (100, False, 0), (101, False, 0)]
)
def test_rule_16_a_cooldown_ends_at_its_end_and_the_streak_with_it(
    now_ns: int, is_cooling: bool, streak: int
) -> None:
    account = replace(NEW, loss_streak=3, cooldown_until_ns=100)
    assert account.is_cooling(now_ns) is is_cooling
    assert account.streak_at(now_ns) == streak


def test_rule_16_without_a_cooldown_the_streak_stands() -> None:
    account = replace(NEW, loss_streak=2)
    assert not account.is_cooling(10**18)
    assert account.streak_at(10**18) == 2


def test_rule_14_the_balance_is_what_was_put_in_and_what_was_realized() -> None:
    account = replace(NEW, deposits=Decimal("-20"), realized=Decimal("1.25"))
    assert account.balance == Decimal("81.25")


@pytest.mark.parametrize(
    ("state", "is_paused", "expected"),
    [
        (KillState.OFF, False, TradingState.ACTIVE),
        (KillState.OFF, True, TradingState.REDUCING),
        (KillState.HALT, False, TradingState.HALTED),
        (KillState.HALT, True, TradingState.HALTED),
        (KillState.FLATTEN, False, TradingState.HALTED),
        (KillState.FLATTEN, True, TradingState.HALTED),
    ],
)
def test_rule_19_the_trading_state(
    state: KillState, is_paused: bool, expected: TradingState
) -> None:
    assert KillSwitch(state, is_paused).trading_state is expected


def test_rule_14_a_long_closes_against_the_bid_of_a_mark_and_a_short_against_its_ask() -> None:
    mark = Mark("XXX", 0, Decimal(99), Decimal(101))
    assert [mark.closing_touch(side) for side in PositionSide] == [99, 101]
