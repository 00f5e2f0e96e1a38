"""Leaving: exits beside stops, with and without overlap, and exits that fail (RULES 21)."""

from decimal import Decimal

import pytest

from pointsman.domain.commands import Cancel, Query, Submit
from pointsman.domain.events import (
    CancelRefused,
    ForeignFill,
    OrderAbsent,
    ReportWord,
    VenueFill,
)
from pointsman.domain.orders import OrderType, Role
from pointsman.domain.policy import PositionMode, ReduceOnlyMode
from pointsman.domain.positions import Trade
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import PositionSide, Side
from pointsman.execution.overlap import may_overlap
from tests.desk_stories import (
    MILLISECOND_NS,
    SECOND_NS,
    VA,
    account,
    acknowledge,
    cancels,
    enter,
    incidents,
    of_type,
    order_sent,
    pass_time,
    policy,
    report,
    send,
    signal,
    submits,
    tell,
    trade,
)
from tests.order_stories import KeptDesk, fill_of, held, kept_desk, quantities, shared_desk

VAS = ("VA001", "VA002")
REFUSES = policy(reduce_only_mode=ReduceOnlyMode.REFUSE)
ENTRY, STOP, EXIT = "ABCDEF1E1", "ABCDEF1S1", "ABCDEF1X1"


def test_rule_21_a_sole_holder_exits_at_once_and_its_stop_goes_when_the_exit_is_final() -> None:
    desk = kept_desk()
    enter(desk, signal("a"))
    step = send(desk, signal("b", "close", None))
    (leaving,) = submits(step)
    assert (leaving.quantity, leaving.order_type) == (Decimal(10), OrderType.MARKET)
    assert cancels(step) == []
    acknowledge(desk, step)
    assert cancels(trade(desk, EXIT, "6", "101")) == []
    assert cancels(trade(desk, EXIT, "4", "101")) == [STOP]


@pytest.mark.parametrize("is_shared", [True, False], ids=["shared", "a venue that refuses"])
def test_rule_21_otherwise_the_stop_is_cancelled_and_confirmed_first(is_shared: bool) -> None:
    desk = shared_desk()[0] if is_shared else kept_desk(REFUSES)
    if not is_shared:
        enter(desk, signal("a"))
    asked = send(desk, signal("c", "close", None))
    assert (cancels(asked), submits(asked)) == ([STOP], [])
    assert held(desk).naked_since_ns is None, "it rests until the venue says otherwise"
    confirmed = report(desk, STOP, ReportWord.CANCELED, 20 * MILLISECOND_NS)
    (leaving,) = submits(confirmed)
    assert (leaving.quantity, leaving.role) == (Decimal(10), Role.EXIT)
    assert held(desk).naked_since_ns == desk.now_ns, "that time counts as naked"


def test_rule_21_a_stop_that_fills_instead_of_being_cancelled_needs_no_exit() -> None:
    desk, _ = shared_desk()
    send(desk, signal("c", "close", None))
    filled = trade(desk, STOP, "10", "97.9")
    assert submits(filled) == []
    assert [one.exit_reason for one in of_type(filled.changes, Trade)] == [Reason.STOP_LOSS]
    assert tell(desk, CancelRefused(STOP, Reason.NOT_FOUND, desk.now_ns)).commands == ()


def test_rule_21_a_cancel_with_an_unknown_outcome_is_asked_about_and_holds_the_exit() -> None:
    desk, _ = shared_desk()
    send(desk, signal("c", "close", None))
    steps = pass_time(desk, 5 * SECOND_NS)
    asked = [query.client_order_id for step in steps for query in of_type(step.commands, Query)]
    assert asked == [STOP]
    assert not any(submits(step) for step in steps)
    never = tell(desk, OrderAbsent(STOP, desk.now_ns + 10 * SECOND_NS), SECOND_NS)
    assert quantities(submits(never)) == [10]


@pytest.mark.parametrize("is_shared", [True, False])
def test_f32_a_partial_exit_leaves_a_stop_for_the_rest(is_shared: bool) -> None:
    desk = shared_desk()[0] if is_shared else kept_desk()
    if not is_shared:
        enter(desk, signal("a"))
    step = send(desk, signal("c", "close", "4"))
    if is_shared:
        step = report(desk, STOP, ReportWord.CANCELED)
        assert [(o.role, o.quantity) for o in submits(step)] == [
            (Role.EXIT, Decimal(4)),
            (Role.STOP, Decimal(6)),
        ]
        acknowledge(desk, step)
        assert submits(trade(desk, EXIT, "4", "101")) == []
    else:
        assert quantities(submits(step)) == [4]
        acknowledge(desk, step)
        filled = trade(desk, EXIT, "4", "101")
        assert (quantities(submits(filled)), cancels(filled)) == ([Decimal(6)], [])
        order_sent(desk, "ABCDEF1S2")
        assert cancels(report(desk, "ABCDEF1S2", ReportWord.ACCEPTED)) == [STOP]
        report(desk, STOP, ReportWord.CANCELED)
    assert quantities(desk.books.orders_of(1, Role.STOP)) == [6]
    assert (held(desk).quantity, held(desk).closing, held(desk).naked_since_ns) == (
        Decimal(6),
        Decimal(0),
        None,
    )


def test_f33_a_stop_that_filled_in_part_and_ended_is_followed_by_one_for_the_rest() -> None:
    desk = kept_desk()
    enter(desk, signal("a"))
    trade(desk, STOP, "3", "97.9")
    assert quantities(submits(report(desk, STOP, ReportWord.CANCELED))) == [7]


def test_rule_21_a_newcomer_ends_the_overlap_before_its_own_entry_leaves() -> None:
    desk = kept_desk(accounts=VAS)
    enter(desk, signal("a"))
    acknowledge(desk, send(desk, signal("b", "close", None)))
    step = send(desk, signal("c", va_id="VA002"))
    assert [type(command) for command in step.commands] == [Cancel, Submit]
    assert cancels(step) == [STOP]


def test_rule_21_a_newcomer_ends_the_overlap_of_two_stops_as_well() -> None:
    """A stop being replaced: the old one may not rest beside the new one any more."""
    desk = kept_desk(accounts=VAS)
    enter(desk, signal("a"))
    acknowledge(desk, send(desk, signal("b", "close", "4")))
    assert quantities(submits(trade(desk, EXIT, "4", "101"))) == [6]
    step = send(desk, signal("c", va_id="VA002"))
    assert cancels(step) == [STOP]


def test_rule_21_a_newcomer_takes_back_an_exit_whose_stop_has_triggered() -> None:
    desk = kept_desk(accounts=VAS)
    enter(desk, signal("a"))
    acknowledge(desk, send(desk, signal("b", "close", None)))
    report(desk, STOP, ReportWord.TRIGGERED)
    step = send(desk, signal("c", va_id="VA002"))
    assert cancels(step) == [EXIT]
    taken_back = report(desk, EXIT, ReportWord.CANCELED)
    assert taken_back.commands == (), "the stop does the work"


def test_a_triggered_stop_is_an_exit_already() -> None:
    desk = kept_desk()
    enter(desk, signal("a"))
    report(desk, STOP, ReportWord.TRIGGERED)
    step = send(desk, signal("b", "close", None))
    assert (submits(step), cancels(step)) == ([], [])
    assert quantities(submits(report(desk, STOP, ReportWord.CANCELED))) == [10], "it gave up"


def test_f44_an_exit_and_a_stop_that_race_take_from_what_else_the_account_holds() -> None:
    """RULES 21: an overfill is what is beyond what the *VA* held; within it, the books follow the
    venue, first in first out."""
    desk = kept_desk()
    enter(desk, signal("a"))
    enter(desk, signal("b"))
    acknowledge(desk, send(desk, signal("c", "close", "10")))
    trade(desk, EXIT, "10", "99")
    step = trade(desk, STOP, "10", "98")
    assert incidents(step) == []
    assert desk.books.open_positions(VA) == []
    assert [(one.trade_id, one.pnl) for one in desk.kept.all(Trade)] == [
        ("1.0", Decimal(-10)),
        ("2.0", Decimal(-20)),
    ]


def test_f44_a_stop_that_takes_more_than_its_own_takes_the_rest_from_the_others() -> None:
    desk = kept_desk()
    enter(desk, signal("a"))
    enter(desk, signal("b"))
    acknowledge(desk, send(desk, signal("c", "close", "10")))
    trade(desk, EXIT, "6", "99")
    assert incidents(trade(desk, STOP, "10", "98", fee="0.5")) == []
    assert [held.quantity for held in desk.books.open_positions(VA)] == [4]
    assert [one.fees for one in desk.kept.all(Trade)] == [Decimal("0.5")], "its own bears the fee"


@pytest.mark.parametrize("is_late", [False, True], ids=["while it works", "recalled"])
def test_rule_21_what_fills_beyond_the_account_is_booked_and_freezes_everybody(
    is_late: bool,
) -> None:
    desk, _ = shared_desk()
    send(desk, signal("c", "close", None))
    acknowledge(desk, report(desk, STOP, ReportWord.CANCELED))
    trade(desk, EXIT, "10", "99")
    if is_late:
        step = tell(desk, fill_of(desk, EXIT, "again", "2", "99", fee="0.01"))
    else:
        step = tell(desk, fill_of(desk, STOP, "race", "10", "98", fee="0.01"))
    assert Reason.OVERFILL in incidents(step)
    assert [account(desk, va).frozen_for for va in VAS] == [Reason.OVERFILL] * 2
    beyond = 2 if is_late else 10
    shrunk = quantities([order for order in submits(step) if order.position_id == 2])
    assert shrunk == ([8] if is_late else []), "the other's stop shrinks to what the venue has left"
    assert is_late or "ABCDEF2S1" in cancels(step)
    va = account(desk)
    assert va.cash - beyond * (99 if is_late else 98) == va.balance


# -- foreign holdings ------------------------------------------------------------------------------


def test_in_net_mode_a_short_and_the_foreign_holding_beside_it_never_overlap() -> None:
    """EXTERNAL is one signed holding there, under whichever side it is asked for (RULES 28)."""
    desk = kept_desk(policy(position_mode=PositionMode.NET))
    enter(desk, signal("a", "sell"))
    assert may_overlap(desk.books, held(desk))
    somebody_sells(desk, "3")
    assert not may_overlap(desk.books, held(desk))
    assert cancels(send(desk, signal("b", "close", None))) == [STOP]


def somebody_sells(desk: KeptDesk, quantity: str) -> None:
    fill = VenueFill("f1", Decimal(quantity), Decimal(100), Decimal(0), desk.now_ns)
    tell(desk, ForeignFill("XXX", PositionSide.LONG, Side.SELL, fill, "somebody"))
