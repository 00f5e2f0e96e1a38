"""Exits: one order per position, first in first out, never a flip, and never blocked."""

from decimal import Decimal
from typing import Any

import pytest

from pointsman.domain.accounts import Incident
from pointsman.domain.events import ForeignFill, Killed, Paused, VenueFill
from pointsman.domain.market import Instrument
from pointsman.domain.orders import Role
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import PositionSide, Side
from pointsman.domain.signals import Action, Outcome
from pointsman.execution.desk import Desk
from tests.desk_stories import (
    START_NS,
    VA,
    account,
    decide,
    enter,
    of_type,
    order_sent,
    policy,
    quote,
    ready_desk,
    round_trip,
    send,
    signal,
    submits,
    tell,
    trade,
)

TWO = (VA, "VA002")


def holding(*quantities: str, side: str = "buy") -> Desk:
    """A desk whose VA001 holds positions of these sizes, in this order."""
    desk = ready_desk(accounts=TWO)
    for number, quantity in enumerate(quantities, 1):
        enter(desk, signal(f"s{number}", side, quantity))
    return desk


@pytest.mark.parametrize(
    ("side", "quantity", "fields", "parts", "clipped", "told"),
    [
        pytest.param("close", None, {}, [6, 4], None, [], id="close everything"),
        pytest.param("close", "6", {}, [6], None, [], id="close: first in, first out"),
        pytest.param("close", "7", {}, [6, 1], None, [], id="close: a part of the second"),
        pytest.param("close", "12", {}, [6, 4], 10, [], id="close more than there is"),
        pytest.param("sell", "7", {}, [6, 1], None, [], id="opposite, a part"),
        pytest.param("sell", "10", {}, [6, 4], None, [], id="opposite, all of it"),
        pytest.param("sell", "12", {}, [6, 4], 10, [Reason.CLIPPED], id="opposite, would flip"),
        pytest.param("sell", "12", {"reduce_only": True}, [6, 4], 10, [], id="reduce-only, more"),
        pytest.param("sell", "10.9", {}, [6, 4], None, [], id="less than a lot more is no more"),
        pytest.param(
            "close", None, {"notional": Decimal("799.91")}, [6, 1], None, [], id="by notional"
        ),
    ],
)
def test_rule_15_an_exit_is_one_order_per_position_first_in_first_out(
    side: str,
    quantity: str | None,
    fields: dict[str, Any],
    parts: list[int],
    clipped: int | None,
    told: list[Reason],
) -> None:
    desk = holding("6", "4")
    step = send(desk, signal("out", side, quantity, **fields))
    decision = step.decision
    assert decision is not None
    assert (decision.outcome, decision.action) == (Outcome.ACCEPTED, Action.EXIT)
    assert decision.quantity == sum(parts)
    assert decision.clipped_quantity == clipped
    assert decision.position_ids == (1, 2)[: len(parts)]
    exits = submits(step)
    assert [order.quantity for order in exits] == parts
    assert [order.position_id for order in exits] == [1, 2][: len(parts)]
    assert {order.signal_id for order in exits} == {"out"}
    assert [incident.kind for incident in of_type(step.changes, Incident)] == told


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


def test_rule_15_a_position_that_is_closing_is_passed_over() -> None:
    desk = holding("6", "4")
    assert decide(desk, signal("first", "close", "6")).position_ids == (1,)
    second = decide(desk, signal("second", "close", "9"))
    assert second.position_ids == (2,)
    assert second.quantity == second.clipped_quantity == 4


def test_rule_11_what_is_left_to_close_may_be_closed_however_small() -> None:
    tenths = Instrument("XXX", Decimal("0.01"), Decimal("0.1"), Decimal(1), Decimal(0), "USD")
    desk = ready_desk(policy(instruments={"XXX": tenths}))
    enter(desk, signal("a"))
    assert decide(desk, signal("most", "close", "9.5")).reason is None
    assert decide(desk, signal("less", "close", "0.4")).reason is Reason.BELOW_MINIMUM
    assert decide(desk, signal("rest", "close", "0.5")).reason is None


def test_rule_10_an_exit_of_another_symbol_is_locked_out() -> None:
    decision = decide(holding("10"), signal("out", "close", None, symbol="YYY"))
    assert decision.reason is Reason.SYMBOL_LOCKED


@pytest.mark.parametrize(("quantity", "reason"), [("0.9", Reason.BELOW_MINIMUM), ("1", None)])
def test_rule_11_a_part_that_the_venue_will_not_trade_is_below_minimum(
    quantity: str, reason: Reason | None
) -> None:
    assert decide(holding("10"), signal("out", "close", quantity)).reason is reason


def test_an_exit_by_notional_without_a_quote_is_valued_at_the_entry_price() -> None:
    """A part was asked for, so everything is not the answer when no quote has been seen."""
    desk = holding("10")
    by_value = signal("out", "close", None, notional=Decimal("500.30"))
    assert decide(desk, by_value, quote=None).quantity == 5


def test_rule_15_an_exit_of_everything_takes_along_what_the_entry_still_fills() -> None:
    desk = ready_desk()
    (order,) = submits(send(desk, signal("a")))
    order_sent(desk, order.client_order_id)
    trade(desk, order.client_order_id, "4")
    assert submits(send(desk, signal("out", "close", None)))[0].quantity == 4
    (more,) = submits(trade(desk, order.client_order_id, "6"))
    assert more.role is Role.EXIT
    assert more.quantity == 6


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
