"""What the end of an order means for its position: failed exits, refused stops."""

from decimal import Decimal

import pytest

from pointsman.domain.commands import Compare
from pointsman.domain.events import Level, LevelReached, ReportWord
from pointsman.domain.orders import Role
from pointsman.domain.policy import ReduceOnlyMode
from pointsman.domain.reasons import Reason
from tests.desk_stories import (
    SECOND_NS,
    account,
    acknowledge,
    enter,
    incidents,
    of_type,
    order_sent,
    pass_time,
    policy,
    quote,
    report,
    send,
    signal,
    submits,
    tell,
    trade,
)
from tests.order_stories import KeptDesk, kept_desk

REFUSES = policy(reduce_only_mode=ReduceOnlyMode.REFUSE)
ENTRY, STOP, EXIT = "ABCDEF1E1", "ABCDEF1S1", "ABCDEF1X1"


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        (ReportWord.REJECTED, Reason.REDUCE_ONLY),
        (ReportWord.CANCELED, Reason.REDUCE_ONLY),
        (ReportWord.EXPIRED, None),
    ],
)
def test_f21_f45_f49_an_exit_that_comes_to_nothing_is_compared_and_retried_after_a_pause(
    word: ReportWord, reason: Reason | None
) -> None:
    desk = kept_desk()
    enter(desk, signal("a"))
    acknowledge(desk, send(desk, signal("b", "close", None)))
    failed = report(desk, EXIT, word, reason=reason)
    assert submits(failed) == []
    assert of_type(failed.commands, Compare)
    steps = pass_time(desk, 2 * SECOND_NS)
    again = [order.client_order_id for step in steps for order in submits(step)]
    assert again == ["ABCDEF1X2"]


def test_f45_no_endless_loop_when_neither_stop_nor_exit_is_taken() -> None:
    """The venue refuses whatever reduces: one exit a pause, and nothing in between."""
    desk = kept_desk(REFUSES)
    enter(desk, signal("a"))
    send(desk, signal("b", "close", None))
    waiting = submits(report(desk, STOP, ReportWord.CANCELED))
    sent = 0
    for _ in range(40):
        while waiting:
            sent += len(waiting)
            order = waiting.pop(0)
            order_sent(desk, order.client_order_id)
            refused = report(
                desk, order.client_order_id, ReportWord.REJECTED, reason=Reason.REDUCE_ONLY
            )
            waiting += submits(refused)
        for step in pass_time(desk, SECOND_NS // 2):
            waiting += submits(step)
    assert 5 <= sent <= 2 + 10 + 1, "20 s: an exit each 2 s"


def test_an_exit_that_was_refused_leaves_the_position_covered_while_it_waits() -> None:
    desk = kept_desk(REFUSES)
    enter(desk, signal("a"))
    send(desk, signal("b", "close", None))
    acknowledge(desk, report(desk, STOP, ReportWord.CANCELED))
    refused = report(desk, EXIT, ReportWord.REJECTED, reason=Reason.VENUE_REJECTED)
    assert [(o.role, o.quantity) for o in submits(refused)] == [(Role.STOP, Decimal(10))]
    assert incidents(refused) == [Reason.EXIT_REJECTED]


def test_f27_a_stop_refused_because_it_would_trigger_means_exit_and_no_further_stop() -> None:
    desk = kept_desk()
    acknowledge(desk, send(desk, signal("a")))
    trade(desk, ENTRY, "10")
    order_sent(desk, STOP)
    step = report(desk, STOP, ReportWord.REJECTED, reason=Reason.WOULD_TRIGGER)
    assert [(o.role, o.exit_reason) for o in submits(step)] == [(Role.EXIT, Reason.STOP_CROSSED)]
    assert incidents(step) == []
    assert account(desk).frozen_for is None
    assert order_sent(desk, EXIT).commands == ()


def test_f28_a_stop_refused_for_another_reason_means_exit_and_a_freeze() -> None:
    desk = kept_desk()
    acknowledge(desk, send(desk, signal("a")))
    trade(desk, ENTRY, "10")
    order_sent(desk, STOP)
    step = report(desk, STOP, ReportWord.REJECTED, reason=Reason.BAD_PRICE)
    assert [(o.role, o.exit_reason) for o in submits(step)] == [(Role.EXIT, Reason.STOP_REJECTED)]
    assert incidents(step) == [Reason.STOP_REJECTED]
    assert account(desk).frozen_for is Reason.STOP_REJECTED
    assert of_type(step.commands, Compare)


def at_rest() -> KeptDesk:
    """A long position of 10 whose stop the venue has confirmed."""
    desk = kept_desk()
    enter(desk, signal("a"))
    return desk


@pytest.mark.parametrize("word", [ReportWord.REJECTED, ReportWord.EXPIRED])
def test_a_stop_that_the_venue_gives_up_at_its_trigger_means_exit_and_a_freeze(
    word: ReportWord,
) -> None:
    """Some look at margin, or at what is left to reduce, only then."""
    desk = at_rest()
    report(desk, STOP, ReportWord.TRIGGERED)
    step = report(desk, STOP, word, reason=Reason.REDUCE_ONLY)
    assert [(o.role, o.exit_reason) for o in submits(step)] == [(Role.EXIT, Reason.STOP_REJECTED)]
    assert incidents(step) == [Reason.STOP_REJECTED]
    assert account(desk).frozen_for is Reason.STOP_REJECTED


def test_where_no_trigger_is_told_the_price_seen_beyond_the_stop_says_as_much() -> None:
    desk = at_rest()
    beyond = quote(desk.now_ns, "97.00", "97.02")
    tell(desk, LevelReached(1, Level.STOP, beyond))
    step = report(desk, STOP, ReportWord.EXPIRED)
    assert [(o.role, o.exit_reason) for o in submits(step)] == [(Role.EXIT, Reason.STOP_REJECTED)]
    assert account(desk).frozen_for is Reason.STOP_REJECTED


def test_a_stop_that_ends_far_from_its_trigger_is_replaced_at_once() -> None:
    step = report(desk := at_rest(), STOP, ReportWord.EXPIRED)
    assert [(o.role, o.quantity) for o in submits(step)] == [(Role.STOP, Decimal(10))]
    assert account(desk).frozen_for is None


def test_what_a_triggered_stop_left_unfilled_is_seen_to_without_a_freeze() -> None:
    desk = at_rest()
    report(desk, STOP, ReportWord.TRIGGERED)
    trade(desk, STOP, "4", "98")
    step = report(desk, STOP, ReportWord.EXPIRED)
    assert [order.quantity for order in submits(step)] == [Decimal(6)]
    assert account(desk).frozen_for is None
