"""The router: one symbol per VA, one direction, exits that pass everywhere and never flip."""

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from pointsman.domain.events import ForeignFill, VenueFill
from pointsman.domain.policy import PositionMode, default_instrument
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import EntrySides, PositionSide, Side
from pointsman.domain.signals import Action, Outcome
from pointsman.execution.desk import Desk
from pointsman.execution.signal_router import route
from tests.desk_stories import (
    SECOND_NS,
    START_NS,
    VA,
    decide,
    enter,
    limits,
    policy,
    ready_desk,
    send,
    signal,
    stop_out,
    tell,
)

TWO = (VA, "VA002")
NET = policy(position_mode=PositionMode.NET)


def holding(*quantities: str, side: str = "buy") -> Desk:
    """A desk whose VA001 holds positions of these sizes, in this order."""
    desk = ready_desk(accounts=TWO)
    for number, quantity in enumerate(quantities, 1):
        enter(desk, signal(f"s{number}", side, quantity))
    return desk


# -- who, and when ---------------------------------------------------------------------------------


@pytest.mark.parametrize("side", ["buy", "sell", "close"])
def test_rule_11_an_unknown_account_comes_first_and_is_still_decided(side: str) -> None:
    desk = ready_desk()
    late = signal("a", side, va_id="VA999", ts_ns=START_NS - 2, ttl_ns=1)
    decision = decide(desk, late)
    assert (decision.outcome, decision.reason) == (Outcome.REFUSED, Reason.UNKNOWN_ACCOUNT)
    assert decision.value == "VA999"
    assert [check.rule for check in decision.checks] == [Reason.UNKNOWN_ACCOUNT, Reason.EXPIRED]
    assert "VA999" not in desk.books.accounts


@pytest.mark.parametrize(
    ("age_ns", "reason", "value"),
    [
        pytest.param(30 * SECOND_NS, None, "30", id="exactly its ttl"),
        pytest.param(30 * SECOND_NS + 1, Reason.EXPIRED, "30.000000001", id="a nanosecond more"),
        pytest.param(-SECOND_NS, None, "-1", id="from a clock ahead of ours"),
    ],
)
@pytest.mark.parametrize("side", ["buy", "close"])
def test_rule_11_a_signal_expires_just_after_its_ttl(
    side: str, age_ns: int, reason: Reason | None, value: str
) -> None:
    desk = holding("5")
    decision = decide(
        desk, signal("a", side, "5", ts_ns=desk.now_ns - age_ns, ttl_ns=30 * SECOND_NS)
    )
    assert decision.reason is reason
    (expiry,) = [check for check in decision.checks if check.rule is Reason.EXPIRED]
    assert (expiry.value, expiry.limit, expiry.unit) == (value, "30", "s")


@pytest.mark.parametrize("fields", [{"ts_ns": 0}, {"ttl_ns": 1}], ids=["no ttl", "no stamp"])
def test_rule_11_a_signal_without_stamp_and_ttl_does_not_expire(fields: dict[str, Any]) -> None:
    decision = decide(ready_desk(), signal("a", **fields))
    assert Reason.EXPIRED not in {check.rule for check in decision.checks}
    assert decision.reason is None


def test_rule_11_expired_comes_before_locked_before_opposing_before_side() -> None:
    desk = ready_desk(policy(limits(entry_sides=EntrySides.LONG), position_mode=PositionMode.NET))
    send(desk, signal("a"))
    late = signal("b", "sell", symbol="YYY", ts_ns=START_NS - 2, ttl_ns=1)
    routed = route(desk.books, late, START_NS)
    assert [check.rule for check in routed.checks] == [
        Reason.UNKNOWN_ACCOUNT,
        Reason.EXPIRED,
        Reason.SYMBOL_LOCKED,
        Reason.OPPOSING_EXPOSURE,
        Reason.SIDE_NOT_ALLOWED,
    ]
    assert [check.passed for check in routed.checks] == [True, False, False, True, False]


# -- several accounts ------------------------------------------------------------------------------


def test_i10_two_vas_may_hold_the_same_symbol() -> None:
    desk = ready_desk(accounts=TWO)
    assert decide(desk, signal("a")).reason is None
    assert decide(desk, signal("b", va_id="VA002")).reason is None


# -- directions ------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_filled", [True, False], ids=["held", "in flight"])
@pytest.mark.parametrize(
    ("mode", "side", "reason"),
    [
        (PositionMode.HEDGE, "sell", None),
        (PositionMode.NET, "sell", Reason.OPPOSING_EXPOSURE),
        (PositionMode.NET, "buy", None),
    ],
)
def test_rule_11_another_vas_exposure_opposes_only_where_the_venue_nets(
    mode: PositionMode, side: str, reason: Reason | None, is_filled: bool
) -> None:
    desk = ready_desk(policy(position_mode=mode), TWO)
    if is_filled:
        enter(desk, signal("a"))
    else:
        send(desk, signal("a"))
    decision = decide(desk, signal("b", side, va_id="VA002"))
    assert decision.reason is reason
    if reason:
        assert (decision.value, decision.limit) == ("short", "net")


def test_rule_11_exposure_that_is_gone_opposes_no_more() -> None:
    desk = ready_desk(NET, TWO)
    stop_out(desk, enter(desk, signal("a")), "98")
    assert decide(desk, signal("b", "sell", va_id="VA002")).reason is None


@pytest.mark.parametrize("mode", PositionMode)
def test_rule_11_an_own_entry_in_flight_the_other_way_always_opposes(mode: PositionMode) -> None:
    desk = ready_desk(policy(position_mode=mode))
    send(desk, signal("a"))
    assert decide(desk, signal("b", "sell")).reason is Reason.OPPOSING_EXPOSURE


@pytest.mark.parametrize(
    ("mode", "side", "reason"),
    [
        (PositionMode.NET, "buy", Reason.OPPOSING_EXPOSURE),
        (PositionMode.NET, "sell", None),
        (PositionMode.HEDGE, "buy", None),
    ],
)
def test_rule_28_foreign_exposure_opposes_where_the_venue_nets(
    mode: PositionMode, side: str, reason: Reason | None
) -> None:
    desk = ready_desk(policy(position_mode=mode))
    fill = VenueFill("T1", Decimal(7), Decimal(100), Decimal(0), START_NS)
    position_side = PositionSide.LONG if mode is PositionMode.NET else PositionSide.SHORT
    tell(desk, ForeignFill("XXX", position_side, Side.SELL, fill, "somebody"))
    assert decide(desk, signal("a", side)).reason is reason


def test_rule_28_foreign_exposure_that_is_gone_opposes_no_more() -> None:
    desk = ready_desk(NET)
    for trade_id, side in (("T1", Side.SELL), ("T2", Side.BUY)):
        fill = VenueFill(trade_id, Decimal(7), Decimal(100), Decimal(0), START_NS)
        tell(desk, ForeignFill("XXX", PositionSide.LONG, side, fill, "somebody"))
    assert decide(desk, signal("a")).reason is None


@pytest.mark.parametrize(
    ("allowed", "side", "reason"),
    [
        (EntrySides.BOTH, "buy", None),
        (EntrySides.BOTH, "sell", None),
        (EntrySides.LONG, "buy", None),
        (EntrySides.LONG, "sell", Reason.SIDE_NOT_ALLOWED),
        (EntrySides.SHORT, "buy", Reason.SIDE_NOT_ALLOWED),
        (EntrySides.SHORT, "sell", None),
    ],
)
def test_rule_10_entry_sides_of_a_va(allowed: EntrySides, side: str, reason: Reason | None) -> None:
    own = {VA: limits(entry_sides=allowed)}
    desk = ready_desk(policy(limits_by_va=own), TWO)
    assert decide(desk, signal("a", side)).reason is reason
    assert decide(desk, signal("b", side, va_id="VA002")).reason is None, "of this VA only"


@pytest.mark.parametrize(("side", "reason"), [("buy", None), ("sell", Reason.SIDE_NOT_ALLOWED)])
def test_what_the_venue_does_not_lend_is_not_sold_short(side: str, reason: Reason | None) -> None:
    instrument = replace(default_instrument("XXX"), may_short=False)
    desk = ready_desk(policy(instruments={"XXX": instrument}))
    assert decide(desk, signal("a", side)).reason is reason


def test_rule_10_entry_sides_do_not_stand_in_the_way_of_an_exit() -> None:
    desk = ready_desk(policy(limits(entry_sides=EntrySides.LONG)))
    enter(desk, signal("a"))
    assert decide(desk, signal("b", "sell")).action is Action.EXIT
