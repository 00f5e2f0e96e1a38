"""Exits: never a flip, and never blocked. How much they close is in test_exit_sizing."""

from decimal import Decimal
from typing import Any

import pytest

from pointsman.domain.accounts import Incident
from pointsman.domain.events import ForeignFill, Killed, Paused, VenueFill
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import PositionSide, Side
from pointsman.domain.signals import Outcome
from pointsman.execution.desk import Desk
from tests.desk_stories import (
    START_NS,
    VA,
    account,
    decide,
    enter,
    of_type,
    quote,
    ready_desk,
    round_trip,
    send,
    signal,
    submits,
    tell,
)

TWO = (VA, "VA002")


def holding(*quantities: str, side: str = "buy") -> Desk:
    """A desk whose VA001 holds positions of these sizes, in this order."""
    desk = ready_desk(accounts=TWO)
    for number, quantity in enumerate(quantities, 1):
        enter(desk, signal(f"s{number}", side, quantity))
    return desk


def test_rule_10_a_clipped_signal_is_told_with_what_it_asked_and_got() -> None:
    step = send(holding("6"), signal("out", "sell", "12"))
    (incident,) = of_type(step.changes, Incident)
    assert (incident.kind, incident.va_id, incident.symbol) == (Reason.CLIPPED, VA, "XXX")
    assert (incident.value, incident.limit) == ("12", "6")


def test_rule_10_a_short_is_reduced_by_a_buy() -> None:
    desk = holding("6", side="sell")
    step = send(desk, signal("out", "buy", "9"))
    (leaving,) = submits(step)
    assert leaving.side is Side.BUY
    assert leaving.quantity == 6


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(signal("out", "close", None), id="close"),
        pytest.param(signal("out", "sell", reduce_only=True), id="reduce-only sell"),
        pytest.param(signal("out", "buy", reduce_only=True), id="reduce-only buy"),
    ],
)
def test_rule_10_nothing_to_close(sent: Any) -> None:
    decision = decide(ready_desk(), sent)
    assert (decision.outcome, decision.reason) == (Outcome.REFUSED, Reason.NOTHING_TO_CLOSE)
    assert decision.value == "0"


def test_rule_10_reduce_only_in_the_direction_of_the_position_never_opens() -> None:
    decision = decide(holding("6"), signal("out", "buy", reduce_only=True))
    assert decision.reason is Reason.NOTHING_TO_CLOSE


def test_rule_10_what_is_being_closed_is_not_closed_twice() -> None:
    desk = holding("10")
    assert decide(desk, signal("first", "close", "4")).quantity == 4
    second = decide(desk, signal("second", "sell", "8"))
    assert second.quantity == second.clipped_quantity == 6
    assert decide(desk, signal("third", "close", None)).reason is Reason.NOTHING_TO_CLOSE


def test_rule_10_an_exit_of_another_symbol_is_locked_out() -> None:
    decision = decide(holding("10"), signal("out", "close", None, symbol="YYY"))
    assert decision.reason is Reason.SYMBOL_LOCKED


def blocked_by_a_kill(desk: Desk) -> None:
    tell(desk, Killed(False, "ann", "enough"))


def blocked_by_a_pause(desk: Desk) -> None:
    tell(desk, Paused(None, "ann", "lunch"))


def blocked_by_a_freeze(desk: Desk) -> None:
    """The venue says what cannot be: a foreign fill that two VAs could have borne."""
    fill = VenueFill("T1", Decimal(1), Decimal(100), Decimal(0), desk.now_ns)
    enter(desk, signal("other", va_id="VA002"))
    tell(desk, ForeignFill("XXX", PositionSide.LONG, Side.SELL, fill, "somebody"))
    assert account(desk).frozen_for is Reason.EXTERNAL_ACTIVITY


def blocked_by_a_cooldown(desk: Desk) -> None:
    for number in range(3):
        round_trip(desk, f"loss {number}")


@pytest.mark.parametrize(
    "block",
    [blocked_by_a_kill, blocked_by_a_pause, blocked_by_a_freeze, blocked_by_a_cooldown],
    ids=lambda block: block.__name__,
)
def test_rule_19_exits_work_in_every_state(block: Any) -> None:
    desk = holding("10")
    block(desk)
    decision = decide(desk, signal("out", "close", None))
    assert decision.outcome is Outcome.ACCEPTED
    assert decision.quantity == 10


@pytest.mark.parametrize(
    "event",
    [
        pytest.param({"window": None}, id="outside the window"),
        pytest.param({"quote": None}, id="without a quote"),
        pytest.param({"quote": quote(START_NS, bid="NaN")}, id="on an invalid quote"),
        pytest.param({"quote": quote(START_NS, ask="120")}, id="on a wide spread"),
        pytest.param({"quote": quote(0)}, id="on a stale quote"),
    ],
)
def test_rule_4_exits_are_exempt_from_filters(event: dict[str, Any]) -> None:
    decision = decide(holding("10"), signal("out", "sell", price=Decimal(500)), **event)
    assert decision.outcome is Outcome.ACCEPTED
    assert decision.quantity == 10
