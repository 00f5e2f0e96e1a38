"""The desk: one door, in order of time, and only what the event changed."""

from decimal import Decimal, localcontext

import pytest

from pointsman.domain.accounts import Account
from pointsman.domain.commands import Command, Compare, Query, Submit
from pointsman.domain.events import (
    Compared,
    Event,
    FlattenRequested,
    Killed,
    OrderSent,
    Paused,
    ReportWord,
    RunEnded,
    SendRefused,
)
from pointsman.domain.orders import Fill, Order
from pointsman.domain.positions import Position, Trade
from pointsman.domain.reasons import Reason
from tests.desk_stories import (
    SECOND_NS,
    START_NS,
    VA,
    account,
    acknowledge,
    cancels,
    decide,
    enter,
    of_type,
    order_sent,
    pass_time,
    policy,
    ready_desk,
    report,
    send,
    signal,
    submits,
    tell,
    trade,
)
from tests.order_stories import kept_desk, loaded_again, start


def kinds(commands: tuple[Command, ...]) -> list[str]:
    return [
        command.order.role.value if isinstance(command, Submit) else type(command).__name__
        for command in commands
    ]


# -- time ------------------------------------------------------------------------------------------


def test_rule_1_time_never_runs_backwards_through_the_door() -> None:
    desk = ready_desk()
    desk.handle(OrderSent("of nobody"), START_NS)
    with pytest.raises(AssertionError):
        desk.handle(OrderSent("of nobody"), START_NS - 1)
    assert desk.now_ns == START_NS


def test_a_wake_up_is_handed_out_once_and_only_when_it_is_due() -> None:
    desk = ready_desk()
    (entry,) = submits(send(desk, signal("a")))
    order_sent(desk, entry.client_order_id)
    due_ns = desk.next_due_ns()
    assert due_ns is not None
    assert desk.due_timer(due_ns - 1) is None
    first = desk.due_timer(due_ns)
    assert first is not None
    assert first.due_ns == due_ns
    assert desk.due_timer(due_ns) != first


# -- what a step holds -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "event",
    [
        OrderSent("ABCDEF99E1"),
        SendRefused("ABCDEF99E1", Reason.KILLED),
        Compared(True, START_NS, 0, ""),
        Compared(False, START_NS, 3, "later"),
        FlattenRequested("nobody", "a person", "test"),
        FlattenRequested(None, "a person", "nothing is held"),
        Paused("nobody", "a person", "test"),
    ],
)
def test_a_step_that_changed_nothing_has_no_changes_and_no_commands(event: Event) -> None:
    step = tell(ready_desk(), event)
    assert (step.changes, step.commands, step.decision) == ((), (), None)


def test_a_step_tells_each_record_once_as_it_is_at_its_end() -> None:
    """One fill: an order that ends, a position that begins, a stop, an account, an execution."""
    desk = ready_desk()
    acknowledge(desk, step := send(desk, signal("a")))
    filled = trade(desk, submits(step)[0].client_order_id, "10", fee="0.2")
    records = filled.changes
    assert len(of_type(records, Fill)) == 1
    assert of_type(records, Trade) == []
    assert {order.client_order_id for order in of_type(records, Order)} == {
        "ABCDEF1E1",
        "ABCDEF1S1",
    }
    assert of_type(records, Account) == [account(desk)]
    assert of_type(records, Position) == [desk.books.positions[1]]
    assert tell(desk, OrderSent("of nobody")).changes == ()


def test_a_decision_comes_with_the_step_of_its_signal_alone() -> None:
    desk = ready_desk()
    step = send(desk, signal("a"))
    assert step.decision is not None
    assert (step.decision.reason, kinds(step.commands)) == (None, ["entry"])
    assert report(desk, "ABCDEF1E1", ReportWord.ACCEPTED).decision is None


# -- the order of commands -------------------------------------------------------------------------


def test_rule_21_cancels_go_before_exits() -> None:
    """Two positions of one VA are flattened, the entry of one still at work: what it fills is not
    to be sold by a stop, so the exits wait for the stops."""
    desk = ready_desk()
    enter(desk, signal("a"))
    acknowledge(desk, step := send(desk, signal("b")))
    acknowledge(desk, trade(desk, submits(step)[0].client_order_id, "4"))
    step = tell(desk, Killed(True, "a person", "test"))
    assert kinds(step.commands) == ["Cancel", "Cancel", "Cancel"]
    assert cancels(step) == ["ABCDEF1S1", "ABCDEF2E1", "ABCDEF2S1"]
    step = report(desk, "ABCDEF2E1", ReportWord.CANCELED)
    assert kinds(step.commands) == ["exit"], "nothing is at work that its stop could sell"
    assert kinds(report(desk, "ABCDEF1S1", ReportWord.CANCELED).commands) == ["exit"]


def test_rule_23_an_exit_goes_before_the_question_what_the_venue_holds() -> None:
    desk = ready_desk()
    acknowledge(desk, step := send(desk, signal("a")))
    trade(desk, submits(step)[0].client_order_id, "10")
    step = report(desk, "ABCDEF1S1", ReportWord.REJECTED, reason=Reason.BAD_PRICE)
    assert kinds(step.commands) == ["exit", "Compare"]


def test_a_signal_that_closes_and_frees_nothing_sends_no_entry_with_it() -> None:
    desk = ready_desk()
    enter(desk, signal("a"))
    assert kinds(send(desk, signal("b", "sell", "25")).commands) == ["exit"], "never a flip"


# -- a start ---------------------------------------------------------------------------------------


def test_rule_26_after_a_restart_all_in_flight_is_in_doubt_and_nothing_is_sent_again() -> None:
    desk = kept_desk()
    acknowledge(desk, step := send(desk, signal("a")))
    trade(desk, submits(step)[0].client_order_id, "4")
    again = loaded_again(desk)
    started = start(again, after_ns=SECOND_NS)
    assert started.commands[-1] == Compare("")
    assert submits(started) == []
    assert {order.is_unknown for order in again.books.orders.values()} == {True}
    asked = [command for one in pass_time(again, 5 * SECOND_NS) for command in one.commands]
    assert asked == [Query("ABCDEF1E1", "XXX"), Query("ABCDEF1S1", "XXX")]


def test_before_the_first_comparison_nothing_is_sent_and_after_it_what_must_be_true_is() -> None:
    desk = kept_desk()
    acknowledge(desk, step := send(desk, signal("a")))
    trade(desk, submits(step)[0].client_order_id, "4")
    again = loaded_again(desk)
    start(again)
    assert report(again, "ABCDEF1S1", ReportWord.CANCELED).commands == (), "naked, but not ready"
    ready = tell(again, Compared(True, again.now_ns, 1, ""))
    assert [(order.client_order_id, order.quantity) for order in submits(ready)] == [
        ("ABCDEF1S2", Decimal(4))
    ]


# -- the doors -------------------------------------------------------------------------------------


def test_a_desk_decides_the_same_events_the_same_way() -> None:
    def story() -> list[object]:
        desk = ready_desk(policy(), accounts=(VA, "VA002"))
        acknowledge(desk, first := send(desk, signal("a")))
        filled = trade(desk, submits(first)[0].client_order_id, "7", "100.03", fee="0.07")
        closed = send(desk, signal("x", "close", None), SECOND_NS)
        return [first, filled, closed, *pass_time(desk, 20 * SECOND_NS)]

    assert story() == story()


def test_a_run_ends_with_what_it_has_read() -> None:
    desk = ready_desk()
    tell(desk, RunEnded(1000, 2, ()))
    assert (desk.books.desk.quotes, desk.books.desk.bad_quotes) == (1000, 2)
    assert desk.books.desk.ended_at_ns == desk.now_ns


def test_rule_14_money_is_counted_exactly_whatever_the_surroundings_round_to() -> None:
    desk = ready_desk()
    with localcontext() as context:
        context.prec = 4
        enter(desk, signal("a"), price="100.0599", fee="0.0000001")
    assert account(desk).cash == Decimal("100000") - Decimal("1000.599") - Decimal("0.0000001")
    assert decide(desk, signal("b")).reason is None
