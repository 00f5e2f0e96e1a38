"""When stops and exits may be more than what is held: only where nothing else could be sold."""

from typing import Any

import pytest

from pointsman.domain.events import ReportWord
from pointsman.domain.policy import Abilities, PositionMode, ReduceOnlyMode
from pointsman.domain.reasons import Reason
from pointsman.execution.overlap import may_overlap
from tests.desk_stories import (
    cancels,
    check,
    decide,
    enter,
    incidents,
    policy,
    refusal,
    report,
    send,
    signal,
    submits,
    trade,
)
from tests.order_stories import KeptDesk, kept_desk

STOP, EXIT, SECOND = "ABCDEF1S1", "ABCDEF1X1", "ABCDEF2E1"


def entered(**rules: Any) -> KeptDesk:
    desk = kept_desk(policy(**rules), accounts=("VA001", "VA002"))
    enter(desk, signal("a"))
    return desk


def test_alone_at_a_venue_that_clips_they_may() -> None:
    desk = entered()
    assert may_overlap(desk.books, desk.books.positions[1])
    step = send(desk, signal("close", "close", None))
    assert [order.client_order_id for order in submits(step)] == [EXIT]
    assert cancels(step) == []


def test_where_the_venue_refuses_what_is_too_much_they_may_not() -> None:
    desk = entered(reduce_only_mode=ReduceOnlyMode.REFUSE)
    assert not may_overlap(desk.books, desk.books.positions[1])


@pytest.mark.parametrize("va_id", ["VA001", "VA002"])
def test_rule_21_while_an_entry_works_there_the_stop_goes_first(va_id: str) -> None:
    """Of this account too: what it fills before we hear of it a stop could sell."""
    desk = entered()
    send(desk, signal("b", va_id=va_id))
    assert not may_overlap(desk.books, desk.books.positions[1])
    step = send(desk, signal("close", "close", "10"))
    assert (submits(step), cancels(step)) == ([], [STOP])
    step = report(desk, STOP, ReportWord.CANCELED)
    assert [order.client_order_id for order in submits(step)] == [EXIT]
    report(desk, SECOND, ReportWord.CANCELED)
    assert may_overlap(desk.books, desk.books.positions[1])


@pytest.mark.parametrize("va_id", ["VA001", "VA002"])
def test_rule_21_an_entry_that_comes_later_has_the_stop_cancelled_before_it_leaves(
    va_id: str,
) -> None:
    desk = entered()
    send(desk, signal("close", "close", "10"))
    step = send(desk, signal("b", va_id=va_id))
    assert cancels(step) == [STOP]
    assert [order.client_order_id for order in submits(step)] == [SECOND]


@pytest.mark.parametrize("va_id", ["VA001", "VA002"])
@pytest.mark.parametrize("has_exited", [False, True])
def test_an_entry_that_could_overtake_the_cancel_of_a_stop_is_refused_until_that_is_confirmed(
    va_id: str, has_exited: bool
) -> None:
    """The fault: the entry fills, the stop sells that too, and we hear of the entry's fill last."""
    desk = entered(abilities=Abilities(takes_requests_in_order=False))
    assert decide(desk, signal("b", va_id="VA002")).reason is None, "a stop alone is in no way"
    report(desk, SECOND, ReportWord.CANCELED)
    send(desk, signal("close", "close", "10"))
    if has_exited:
        trade(desk, EXIT, "10", "99")
    decision = decide(desk, signal("c", va_id=va_id))
    in_the_way = STOP if has_exited else EXIT
    assert refusal(decision) == (Reason.VENUE_FORBIDS, in_the_way, "nothing")
    assert "could sell the entry" in check(decision, Reason.VENUE_FORBIDS).note
    if not has_exited:
        trade(desk, EXIT, "10", "99")
    report(desk, STOP, ReportWord.CANCELED)
    assert decide(desk, signal("d", va_id=va_id)).reason is None


def test_what_closes_the_other_side_of_an_account_is_in_nobodys_way() -> None:
    in_no_order = Abilities(takes_requests_in_order=False)
    desk = entered(abilities=in_no_order, position_mode=PositionMode.HEDGE)
    send(desk, signal("close", "close", "10"))
    assert decide(desk, signal("b", "sell", va_id="VA002")).reason is None


def test_a_late_fill_of_an_entry_is_never_sold_by_a_stop_that_raced_with_an_exit() -> None:
    """The fault: exit and stop overlap, the stop sells what the entry has filled, and we hear of
    that fill last. Now the stop is gone before the exit leaves."""
    desk = entered()
    send(desk, signal("b"))
    send(desk, signal("close", "close", "10"))
    report(desk, STOP, ReportWord.CANCELED)
    told = [*incidents(trade(desk, EXIT, "10", "99")), *incidents(trade(desk, SECOND, "10"))]
    assert Reason.OVERFILL not in told
    (left,) = desk.books.open_positions("VA001")
    assert (left.position_id, left.quantity) == (2, 10)


def test_an_entry_on_the_other_side_of_a_hedged_account_is_in_nobodys_way() -> None:
    desk = entered(position_mode=PositionMode.HEDGE)
    send(desk, signal("b", "sell", va_id="VA002"))
    assert may_overlap(desk.books, desk.books.positions[1])
