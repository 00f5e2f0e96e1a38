"""How much an exit closes, and of which positions: first in, first out, in whole lots."""

from decimal import Decimal
from typing import Any

import pytest

from pointsman.domain.accounts import Incident
from pointsman.domain.events import ReportWord
from pointsman.domain.market import Instrument
from pointsman.domain.orders import Role
from pointsman.domain.reasons import Reason
from pointsman.domain.signals import Action, Outcome
from tests.desk_stories import (
    acknowledge,
    cancels,
    decide,
    enter,
    of_type,
    order_sent,
    policy,
    ready_desk,
    report,
    send,
    signal,
    submits,
    trade,
)
from tests.unit.test_signal_router_exits import holding


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
    acknowledge(desk, trade(desk, order.client_order_id, "4"))
    step = send(desk, signal("out", "close", None))
    assert (cancels(step), submits(step)) == ([order.client_order_id, "ABCDEF1S1"], [])
    (first,) = submits(report(desk, "ABCDEF1S1", ReportWord.CANCELED))
    (more,) = submits(trade(desk, order.client_order_id, "6"))
    assert [(each.role, each.quantity) for each in (first, more)] == [
        (Role.EXIT, 4),
        (Role.EXIT, 6),
    ]
