"""Wake-ups, levels and marks: what time and prices alone make true, and what comes too late."""

from decimal import Decimal

import pytest

from pointsman.domain.accounts import Incident, Mark
from pointsman.domain.commands import Query
from pointsman.domain.events import Level, LevelReached, Marked, ReportWord, TimerFired
from pointsman.domain.orders import Order, Role
from pointsman.domain.positions import Position
from pointsman.domain.reasons import Reason
from pointsman.domain.timers import Timer, TimerKind
from pointsman.execution.desk import Desk
from pointsman.execution.timers import is_overtaken
from tests.desk_stories import (
    MIDNIGHT_NS,
    SECOND_NS,
    START_NS,
    VA,
    account,
    acknowledge,
    cancels,
    enter,
    incidents,
    limits,
    marked,
    of_type,
    order_sent,
    pass_time,
    policy,
    quote,
    ready_desk,
    report,
    send,
    signal,
    stop_out,
    submits,
    tell,
    trade,
)

DEADLINE_NS = 2 * SECOND_NS


def naked() -> tuple[Desk, Order]:
    """A position whose stop was sent and is not confirmed."""
    desk = ready_desk()
    (entry,) = submits(send(desk, signal("a")))
    order_sent(desk, entry.client_order_id)
    (stop,) = submits(trade(desk, entry.client_order_id, "10"))
    order_sent(desk, stop.client_order_id)
    return desk, stop


def crossed(desk: Desk, position: Position) -> None:
    low = quote(desk.now_ns, bid="97.90", ask="97.92")
    step = tell(desk, LevelReached(position.position_id, Level.STOP, low))
    assert submits(step) == [], "the venue's stop comes first"


# -- cover -----------------------------------------------------------------------------------------


def test_rule_22_at_half_the_deadline_an_unconfirmed_stop_is_asked_about() -> None:
    desk, stop = naked()
    assert pass_time(desk, DEADLINE_NS // 2 - 1) == []
    (step,) = pass_time(desk, 1)
    assert of_type(step.commands, Query) == [Query(stop.client_order_id, "XXX")]


def test_rule_22_a_confirmed_stop_is_not_asked_about() -> None:
    desk, stop = naked()
    report(desk, stop.client_order_id, ReportWord.ACCEPTED)
    assert pass_time(desk, DEADLINE_NS) == []
    assert account(desk).frozen_for is None


def test_i7_at_the_deadline_a_naked_position_is_exited_and_its_va_frozen() -> None:
    desk, _ = naked()
    assert all(not submits(step) for step in pass_time(desk, DEADLINE_NS - 1))
    (step,) = pass_time(desk, 1)
    (leaving,) = submits(step)
    assert (leaving.role, leaving.quantity) == (Role.EXIT, Decimal(10))
    assert leaving.exit_reason is Reason.UNPROTECTED
    (told,) = of_type(step.changes, Incident)
    assert (told.kind, told.va_id, told.value, told.limit) == (
        Reason.NAKED_POSITION,
        VA,
        "2",
        "2",
    )
    assert account(desk).frozen_for is Reason.NAKED_POSITION


def test_a_wake_up_for_an_earlier_nakedness_changes_nothing() -> None:
    desk, stop = naked()
    report(desk, stop.client_order_id, ReportWord.ACCEPTED, SECOND_NS)
    report(desk, stop.client_order_id, ReportWord.CANCELED, SECOND_NS - 1)
    assert desk.books.positions[1].naked_since_ns == desk.now_ns, "naked again"
    assert pass_time(desk, 1) == []


def test_wake_ups_for_a_position_that_is_gone_are_left_out() -> None:
    desk = ready_desk()
    position = enter(desk, signal("a"))
    crossed(desk, position)
    stop_out(desk, position, "97.90")
    assert pass_time(desk, 10 * SECOND_NS) == []


@pytest.mark.parametrize("kind", TimerKind)
def test_a_wake_up_that_was_overtaken_is_left_out_and_told_all_the_same_changes_nothing(
    kind: TimerKind,
) -> None:
    desk, stop = naked()
    report(desk, stop.client_order_id, ReportWord.ACCEPTED)
    position = desk.books.positions[1]
    stop_out(desk, position, "99")
    of_orders = (TimerKind.SUBMIT_TIMEOUT, TimerKind.QUERY_RETRY)
    key = VA if kind in (TimerKind.COOLDOWN_END, TimerKind.OPENING_DEADLINE) else "1"
    key = stop.client_order_id if kind in of_orders else key
    timer = Timer(desk.now_ns, kind, key, START_NS)
    assert is_overtaken(desk.books, timer)
    step = tell(desk, TimerFired(timer))
    assert (step.changes, step.commands) == ((), ())


# -- levels ----------------------------------------------------------------------------------------


def test_rule_24_a_target_is_exited_at_market_at_once() -> None:
    desk = ready_desk()
    position = enter(desk, signal("a", take_profit=Decimal(104)))
    high = quote(desk.now_ns, bid="104", ask="104.02")
    reached = LevelReached(position.position_id, Level.TAKE_PROFIT, high)
    (leaving,) = submits(tell(desk, reached))
    assert (leaving.quantity, leaving.exit_reason) == (Decimal(10), Reason.TAKE_PROFIT)
    again = tell(desk, reached)
    assert (again.changes, again.commands) == ((), ()), "one exit, however often it is reached"


def test_rule_24_a_level_of_a_position_that_is_gone_changes_nothing() -> None:
    desk = ready_desk()
    position = enter(desk, signal("a", take_profit=Decimal(104)))
    stop_out(desk, position, "98")
    for level in Level:
        step = tell(desk, LevelReached(position.position_id, level, quote(desk.now_ns)))
        assert (step.changes, step.commands) == ((), ())


def test_a_crossed_stop_that_the_venue_does_not_act_on_is_exited_at_the_deadline() -> None:
    desk = ready_desk()
    position = enter(desk, signal("a"))
    crossed(desk, position)
    assert not any(submits(step) for step in pass_time(desk, DEADLINE_NS - 1))
    leaving = [order for step in pass_time(desk, 1) for order in submits(step)]
    assert [order.exit_reason for order in leaving] == [Reason.STOP_CROSSED]


def test_a_stop_crossed_again_is_measured_from_the_first_time() -> None:
    desk = ready_desk()
    position = enter(desk, signal("a"))
    crossed(desk, position)
    pass_time(desk, SECOND_NS)
    crossed(desk, position)
    assert any(submits(step) for step in pass_time(desk, SECOND_NS))


def test_a_triggered_stop_is_left_to_trade_and_the_next_crossing_is_watched_again() -> None:
    desk = ready_desk()
    position = enter(desk, signal("a"))
    crossed(desk, position)
    (stop,) = desk.books.orders_of(position.position_id, Role.STOP)
    report(desk, stop.client_order_id, ReportWord.TRIGGERED)
    trade(desk, stop.client_order_id, "4", "97.90")
    assert not any(submits(step) for step in pass_time(desk, DEADLINE_NS))
    acknowledge(desk, report(desk, stop.client_order_id, ReportWord.CANCELED))
    crossed(desk, desk.books.positions[position.position_id])
    leaving = [order for step in pass_time(desk, DEADLINE_NS) for order in submits(step)]
    assert [(order.quantity, order.exit_reason) for order in leaving] == [
        (Decimal(6), Reason.STOP_CROSSED)
    ]


def test_a_crossing_on_which_the_stop_acted_in_vain_is_over() -> None:
    """It triggered, and ended unfilled; the price is back, and the next stop rests."""
    desk = ready_desk()
    position = enter(desk, signal("a"))
    crossed(desk, position)
    (stop,) = desk.books.orders_of(position.position_id, Role.STOP)
    report(desk, stop.client_order_id, ReportWord.TRIGGERED)
    acknowledge(desk, report(desk, stop.client_order_id, ReportWord.CANCELED))
    assert desk.books.positions[position.position_id].crossed_at_ns is None
    assert not any(submits(step) for step in pass_time(desk, DEADLINE_NS))


def test_a_triggered_stop_for_a_part_does_not_stand_for_the_rest() -> None:
    desk = ready_desk()
    (entry,) = submits(send(desk, signal("a")))
    order_sent(desk, entry.client_order_id)
    acknowledge(desk, trade(desk, entry.client_order_id, "4"))
    acknowledge(desk, trade(desk, entry.client_order_id, "6"))
    first, second = desk.books.orders_of(1, Role.STOP)
    crossed(desk, desk.books.positions[1])
    report(desk, first.client_order_id, ReportWord.TRIGGERED)
    trade(desk, first.client_order_id, "1", "97.90")
    fired = pass_time(desk, DEADLINE_NS)
    assert [order.exit_reason for step in fired for order in submits(step)] == [Reason.STOP_CROSSED]
    assert second.client_order_id not in [one for step in fired for one in cancels(step)], (
        "the venue clips and nobody else holds: it rests until the exit is final"
    )


# -- exits that are tried again --------------------------------------------------------------------


def test_an_exit_that_was_rejected_is_tried_again_after_a_while() -> None:
    desk = ready_desk()
    enter(desk, signal("a"))
    (leaving,) = submits(send(desk, signal("out", "close", None)))
    order_sent(desk, leaving.client_order_id)
    told = report(desk, leaving.client_order_id, ReportWord.REJECTED, reason=Reason.VENUE_REJECTED)
    assert submits(told) == []
    retried = [order for step in pass_time(desk, DEADLINE_NS) for order in submits(step)]
    assert [(order.role, order.quantity) for order in retried] == [(Role.EXIT, Decimal(10))]
    assert retried[0].client_order_id != leaving.client_order_id


def test_a_wake_up_for_an_exit_that_is_over_is_left_out() -> None:
    desk = ready_desk()
    position = enter(desk, signal("a"))
    (leaving,) = submits(send(desk, signal("out", "close", None)))
    order_sent(desk, leaving.client_order_id)
    report(desk, leaving.client_order_id, ReportWord.REJECTED, reason=Reason.VENUE_REJECTED)
    stop_out(desk, position, "98")
    assert pass_time(desk, DEADLINE_NS) == []


# -- marks -----------------------------------------------------------------------------------------


def test_rule_17_each_second_samples_everybody_that_holds_something() -> None:
    desk = ready_desk(accounts=(VA, "VA002", "VA003"))
    enter(desk, signal("a"))
    enter(desk, signal("b", va_id="VA002", symbol="YYY"))
    high = [quote(desk.now_ns, bid="101", ask="101.01"), quote(desk.now_ns, "102", "103", "YYY")]
    marked(desk, *high)
    peaks = [account(desk, va_id).peak_equity for va_id in (VA, "VA002", "VA003")]
    assert peaks == [100_010, 100_020, 100_000]
    marked(desk, quote(desk.now_ns, bid="95", ask="95.01"))
    assert account(desk).max_drawdown == Decimal("0.0005999400")
    assert account(desk, "VA002").max_drawdown == 0, "its symbol has no quote: it is not sampled"


def test_rule_17_a_short_is_marked_at_the_ask() -> None:
    desk = ready_desk()
    enter(desk, signal("a", "sell"))
    marked(desk, quote(desk.now_ns, bid="98", ask="99"))
    assert account(desk).peak_equity == 100_010


def test_a_second_that_changes_nothing_need_not_be_remembered() -> None:
    desk = ready_desk()
    enter(desk, signal("a"))
    high = quote(desk.now_ns, bid="101", ask="101.01")
    first = tell(desk, Marked((high,), MIDNIGHT_NS))
    assert of_type(first.changes, Mark) == [Mark("XXX", high.ts_ns, high.bid, high.ask)]
    assert tell(desk, Marked((high,), MIDNIGHT_NS), SECOND_NS).changes == ()


def test_rule_16_the_end_of_a_cooldown_is_an_event() -> None:
    desk = ready_desk(policy(limits(max_loss_cooldown=1)))
    stop_out(desk, enter(desk, signal("a")), "98")
    assert incidents(send(desk, signal("b"))) == []
    *_, last = pass_time(desk, 300 * SECOND_NS)
    assert account(desk) in last.changes
    assert account(desk).cooldown_until_ns is None
    assert desk.next_due_ns() is None
    assert desk.now_ns == START_NS + 300 * SECOND_NS


def test_a_wake_up_is_taken_once_and_not_before_it_is_due() -> None:
    desk, _ = naked()
    due_ns = desk.next_due_ns()
    assert due_ns == desk.now_ns + DEADLINE_NS // 2
    assert desk.due_timer(due_ns - 1) is None
    timer = desk.due_timer(due_ns)
    assert timer is not None
    assert timer.kind is TimerKind.COVER_QUERY
    assert desk.handle(TimerFired(timer), due_ns).commands
    assert desk.due_timer(due_ns) is None
