"""Figures: equity, drawdown, status and cover, the same for everything that shows them."""

from decimal import Decimal, localcontext
from typing import Any

import pytest
from msgspec.structs import replace

from pointsman.domain.accounts import Account, DeskRecord, KillState, KillSwitch
from pointsman.domain.positions import Lot, Position, PositionState
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import PositionSide
from pointsman.execution.figures import (
    AccountFigures,
    AccountStatus,
    Cover,
    account_figures,
    account_status,
    cover_of,
    daily_loss,
    drawdown,
    naked_ns,
    position_figures,
    shown_drawdown,
)
from tests.unit.stored_samples import TEN, position

NOW_NS = 1_000_000_000_000
SECOND_NS = 1_000_000_000
LONG = position(1)
SHORT = replace(position(2), side=PositionSide.SHORT)
BID, ASK = Decimal("158.00"), Decimal("158.10")
ENTRY = Decimal("158.39")


def touch_of_xxx(symbol: str, side: PositionSide) -> Decimal | None:
    """The market: XXX alone has a quote."""
    if symbol != "XXX":
        return None
    return BID if side is PositionSide.LONG else ASK


def figures_of(
    account: Account, *positions: Position, switch: KillSwitch | None = None
) -> AccountFigures:
    """The figures of an account in a market where XXX alone has a quote."""
    marked = position_figures(positions, touch_of_xxx)
    (figures,) = account_figures([account], marked, switch or KillSwitch(), NOW_NS)
    return figures


def holding(cash: Decimal, **fields: Any) -> Account:
    return replace(Account("VA001", Decimal(100_000), 0, **fields), cash=cash)


# -- equity ----------------------------------------------------------------------------------------


def test_rule_14_each_side_is_marked_at_the_touch_that_it_would_close_against() -> None:
    long, short = position_figures([LONG, SHORT], touch_of_xxx)
    assert (long.mark, long.unrealized) == (BID, Decimal("-3.90"))
    assert (short.mark, short.unrealized) == (ASK, Decimal("2.90"))


def test_rule_14_without_a_quote_a_position_counts_at_cost() -> None:
    other = replace(LONG, symbol="YYY")
    (marked,) = position_figures([other], touch_of_xxx)
    assert (marked.mark, marked.unrealized) == (None, 0)
    found = figures_of(holding(Decimal(100_000) - TEN * ENTRY), other)
    assert (found.unrealized, found.equity) == (0, 100_000)


def test_the_entry_price_is_the_shown_average_of_the_open_lots() -> None:
    held = replace(LONG, quantity=Decimal(3), lots=(Lot(Decimal(1), TEN), Lot(Decimal(2), ENTRY)))
    (marked,) = position_figures([held], touch_of_xxx)
    assert str(marked.entry_price) == "108.9266666667"


def test_rule_17_equity_is_cash_and_all_that_is_held_at_the_touch() -> None:
    """The two sides cost the same, so that cash is what it was before."""
    found = figures_of(holding(Decimal(100_000)), LONG, SHORT)
    assert found.unrealized == Decimal("-1.00")
    assert found.equity == Decimal("99999.00")


def test_an_account_has_the_figures_of_its_own_positions_only() -> None:
    dust = replace(position(3, PositionState.DUST), va_id="VA002")
    accounts = [holding(Decimal(0)), Account("VA002", TEN, 0), Account("VA003", TEN, 0)]
    marked = position_figures([LONG, dust, SHORT], touch_of_xxx)
    found = account_figures(accounts, marked, KillSwitch(), NOW_NS)
    assert [each.account.va_id for each in found] == ["VA001", "VA002", "VA003"]
    assert [each.unrealized for each in found] == [Decimal("-1.00"), Decimal("-3.90"), 0]
    assert [each.open_positions for each in found] == [2, int(dust.is_live), 0]


def test_rule_16_a_cooldown_and_its_streak_count_until_it_ends() -> None:
    cooling = Account("VA001", TEN, 0, loss_streak=3, cooldown_until_ns=NOW_NS + 1)
    found, ended = figures_of(cooling), figures_of(replace(cooling, cooldown_until_ns=NOW_NS))
    assert (found.is_cooling, found.loss_streak) == (True, 3)
    assert (ended.is_cooling, ended.loss_streak) == (False, 0)


def test_figures_are_exact_whatever_the_context() -> None:
    cash = Decimal("123456789.123456789012")
    with localcontext() as context:
        context.prec = 3
        found = figures_of(holding(cash), LONG)
    assert found.equity == cash + TEN * BID


# -- losses ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("equity", "peak", "ratio", "shown"),
    [
        ("75", "100", "0.25", "0.2500000000"),
        ("100", "100", "0", "0E-10"),
        ("2", "3", None, "0.3333333333"),
        ("-5", "0", "0", "0"),
    ],
)
def test_rule_17_drawdown_is_how_far_equity_is_below_its_peak(
    equity: str, peak: str, ratio: str | None, shown: str
) -> None:
    if ratio is not None:
        assert drawdown(Decimal(equity), Decimal(peak)) == Decimal(ratio)
    assert str(shown_drawdown(Decimal(equity), Decimal(peak))) == shown


def test_rule_17_equity_above_the_stored_peak_is_the_peak() -> None:
    below = figures_of(holding(Decimal(75), peak_equity=Decimal(100)))
    above = figures_of(holding(Decimal(125), peak_equity=Decimal(100)))
    assert (below.drawdown, above.drawdown) == (Decimal("0.25"), 0)


@pytest.mark.parametrize(
    "measured",
    [
        Account("V", TEN, 0, day_start_equity=Decimal(1000), day_deposits=Decimal(-100)),
        DeskRecord("ABCDEF", day_start_equity=Decimal(1000), day_deposits=Decimal(-100)),
    ],
)
def test_rule_17_the_daily_loss_leaves_out_money_that_was_moved(
    measured: Account | DeskRecord,
) -> None:
    assert daily_loss(measured, Decimal(850)) == 50


# -- status ----------------------------------------------------------------------------------------

ALL_AT_ONCE: dict[str, Any] = {
    "is_paused": True,
    "frozen_for": Reason.OVERFILL,
    "cooldown_until_ns": NOW_NS + 212 * SECOND_NS - 1,
    "stopped_by": Reason.MAX_DRAWDOWN,
}
PAUSED = KillSwitch(is_paused=True, changed_by="ann", note="lunch")
NOT_PAUSED = {**ALL_AT_ONCE, "is_paused": False}
NOT_FROZEN = {**NOT_PAUSED, "frozen_for": None}
NOT_COOLING = {**NOT_FROZEN, "cooldown_until_ns": NOW_NS}


@pytest.mark.parametrize(
    ("switch", "fields", "status", "words"),
    [
        (
            replace(PAUSED, state=KillState.HALT),
            ALL_AT_ONCE,
            AccountStatus.KILLED,
            "killed (halt), by ann: lunch",
        ),
        (PAUSED, ALL_AT_ONCE, AccountStatus.PAUSED, "all paused by ann: lunch"),
        (KillSwitch(), ALL_AT_ONCE, AccountStatus.PAUSED, "paused by a person"),
        (KillSwitch(), NOT_PAUSED, AccountStatus.FROZEN, "frozen: OVERFILL"),
        (KillSwitch(), NOT_FROZEN, AccountStatus.COOLDOWN, "cooldown, 212 s left"),
        (KillSwitch(), NOT_COOLING, AccountStatus.STOPPED, "stopped: MAX_DRAWDOWN"),
        (KillSwitch(), {}, AccountStatus.ACTIVE, "active"),
    ],
)
def test_rule_11_the_status_is_the_first_reason_that_would_refuse_an_entry(
    switch: KillSwitch, fields: dict[str, Any], status: AccountStatus, words: str
) -> None:
    account = Account("VA001", TEN, 0, **fields)
    assert account_status(account, switch, NOW_NS) is status
    found = figures_of(account, switch=switch)
    assert (found.status, found.status_text) == (status, words)


# -- cover -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("since_ns", "fields", "cover", "lasted_ns"),
    [
        (None, {}, Cover.COVERED, 0),
        (NOW_NS - 2, {}, Cover.UNCONFIRMED, 2),
        (NOW_NS - 3, {}, Cover.NAKED, 3),
        (NOW_NS + 1, {}, Cover.UNCONFIRMED, 0),
        (None, {"closing_all": True}, Cover.EXITING, 0),
        (NOW_NS - 2, {"closing": Decimal(1)}, Cover.EXITING, 2),
        (NOW_NS - 3, {"closing_all": True}, Cover.NAKED, 3),
    ],
)
def test_a_position_without_its_stops_is_naked_after_the_deadline(
    since_ns: int | None, fields: dict[str, Any], cover: Cover, lasted_ns: int
) -> None:
    held = replace(LONG, naked_since_ns=since_ns, **fields)
    assert cover_of(held, NOW_NS, deadline_ns=2) is cover
    assert naked_ns(held, NOW_NS) == lasted_ns
