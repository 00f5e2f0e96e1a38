"""Requests that certainly did not reach the venue: denied, tried again, and never at the speed of
the wire (RULES 44)."""

from decimal import Decimal

import pytest

from pointsman.domain.commands import Step, Submit
from pointsman.domain.events import (
    LinkChanged,
    NotSent,
    Paused,
    ReportWord,
    Resumed,
    TimerFired,
    VenueLink,
)
from pointsman.domain.life_cycle import OrderStatus
from pointsman.domain.orders import Order, Role
from pointsman.domain.reasons import Reason
from tests.desk_stories import (
    MILLISECOND_NS,
    SECOND_NS,
    account,
    acknowledge,
    cancels,
    enter,
    incidents,
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
from tests.engine_stories import accepted, begin, traded
from tests.order_stories import KeptDesk, dump, entered_desk, kept_desk, loaded_again, start

ENTRY, STOP, EXIT = "ABCDEF1E1", "ABCDEF1S1", "ABCDEF1X1"
SLOW = policy(protection_deadline_ns=60 * SECOND_NS)
"""A policy under which no deadline comes into the story."""


def not_sent(desk: KeptDesk, order_id: str, after_ns: int = 0, *, is_cancel: bool = False) -> Step:
    """The connection was refused."""
    ts_ns = desk.now_ns + after_ns
    told = NotSent(order_id, is_cancel, Reason.VENUE_DOWN, ts_ns, "connection refused")
    return tell(desk, told, after_ns)


def filled_desk() -> tuple[KeptDesk, str]:
    """An entry has filled and its first stop has left; the stop's id."""
    desk = kept_desk(SLOW)
    acknowledge(desk, send(desk, signal("a")))
    (stop,) = submits(trade(desk, ENTRY, "10"))
    order_sent(desk, stop.client_order_id)
    return desk, stop.client_order_id


def retries(desk: KeptDesk, first_id: str, times: int) -> list[tuple[int, str]]:
    """Each order that leaves is given back at once: after how many ms the next one leaves, and its
    id."""
    found, order_id, since_ns = [], first_id, desk.now_ns
    for _ in range(times):
        step = not_sent(desk, order_id)
        while not submits(step):
            due_ns = desk.next_due_ns()
            assert due_ns is not None
            timer = desk.due_timer(due_ns)
            assert timer is not None
            step = desk.handle(TimerFired(timer), due_ns)
        (order,) = submits(step)
        order_id = order.client_order_id
        order_sent(desk, order_id)
        found.append(((desk.now_ns - since_ns) // MILLISECOND_NS, order_id))
        since_ns = desk.now_ns
    return found


# -- orders ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_silent", [False, True], ids=["submitted", "unknown"])
def test_rule_44_an_entry_that_did_not_reach_the_venue_is_denied_and_not_sent_again(
    is_silent: bool,
) -> None:
    desk = kept_desk()
    send(desk, signal("a"))
    order_sent(desk, ENTRY)
    if is_silent:
        pass_time(desk, 5 * SECOND_NS)
        assert desk.books.orders[ENTRY].is_unknown
    step = not_sent(desk, ENTRY)
    ended = desk.kept.order(ENTRY)
    assert (ended.status, ended.end_reason) == (OrderStatus.DENIED, Reason.VENUE_DOWN)
    assert (step.commands, incidents(step)) == ((), [Reason.NOT_SENT])
    assert account(desk).leased_symbol is None
    assert account(desk).exposure == 0
    assert dump(loaded_again(desk).books) == dump(desk.books)


@pytest.mark.parametrize("word", [ReportWord.ACCEPTED, ReportWord.TRIGGERED])
def test_rule_44_after_a_report_of_the_venue_it_is_a_contradiction_and_changes_nothing(
    word: ReportWord,
) -> None:
    desk, stop = filled_desk()
    report(desk, stop, word)
    before = dump(desk.books)["orders"][stop]
    step = not_sent(desk, stop)
    assert incidents(step) == [Reason.STRANGE_REPORT]
    assert (step.commands, desk.books.orders[stop]) == ((), before)
    assert account(desk).frozen_for is None


def test_of_an_order_that_has_ended_nothing_is_concluded() -> None:
    desk = entered_desk()
    report(desk, ENTRY, ReportWord.EXPIRED)
    step = not_sent(desk, ENTRY)
    assert (step.changes, step.commands) == ((), ())


def test_rule_44_a_report_of_an_order_that_never_left_freezes_its_account() -> None:
    """The connection was wrong about it: the comparison says what is true."""
    desk = kept_desk()
    send(desk, signal("a"))
    order_sent(desk, ENTRY)
    not_sent(desk, ENTRY)
    step = trade(desk, ENTRY, "10")
    assert incidents(step) == [Reason.STRANGE_REPORT]
    assert account(desk).frozen_for is Reason.STRANGE_REPORT


# -- stops and exits -------------------------------------------------------------------------------


def test_rule_44_the_next_stop_leaves_at_once_and_further_ones_ever_later() -> None:
    desk, stop = filled_desk()
    waits = retries(desk, stop, times=7)
    assert [after_ms for after_ms, _ in waits] == [0, 250, 500, 1000, 2000, 2000, 2000]
    assert [order_id for _, order_id in waits] == [f"ABCDEF1S{n}" for n in range(2, 9)]
    assert desk.kept.incidents() == [Reason.NOT_SENT], "the series is told once"


def test_an_exit_waits_by_itself_whatever_became_of_the_stops() -> None:
    """So a deadline is not missed by what the stops wait for (RULES 25)."""
    desk = kept_desk()
    acknowledge(desk, send(desk, signal("a")))
    (stop,) = submits(trade(desk, ENTRY, "10"))
    stops: list[Order] = [stop]
    started_ns = desk.now_ns
    while desk.books.positions[1].closing_reason is None:
        for order in stops:
            order_sent(desk, order.client_order_id)
            stops = submits(not_sent(desk, order.client_order_id)) or []
        if not stops:
            due_ns = desk.next_due_ns()
            assert due_ns is not None
            timer = desk.due_timer(due_ns)
            assert timer is not None
            stops = submits(desk.handle(TimerFired(timer), due_ns))
    (exit_order,) = stops
    assert exit_order.role is Role.EXIT
    assert desk.now_ns - started_ns == desk.books.policy.protection_deadline_ns
    order_sent(desk, EXIT)
    assert [order_id for _, order_id in retries(desk, EXIT, 2)] == ["ABCDEF1X2", "ABCDEF1X3"]


def test_a_word_of_the_venue_ends_the_series() -> None:
    desk, stop = filled_desk()
    (_, second), (_, third) = retries(desk, stop, times=2)
    assert second != third
    report(desk, third, ReportWord.ACCEPTED)
    step = report(desk, third, ReportWord.CANCELED)
    (fourth,) = submits(step)
    order_sent(desk, fourth.client_order_id)
    assert retries(desk, fourth.client_order_id, times=1)[0][0] == 0


@pytest.mark.parametrize(
    ("link", "is_tried"),
    [
        (VenueLink.ORDERS, True),
        (VenueLink.BUDGET, True),
        (VenueLink.QUOTES, False),
    ],
)
def test_rule_45_what_waits_is_tried_when_requests_can_leave_again(
    link: VenueLink, is_tried: bool
) -> None:
    desk, stop = filled_desk()
    tell(desk, LinkChanged(link, False, desk.now_ns))
    ((_, second),) = retries(desk, stop, times=1)
    assert submits(not_sent(desk, second)) == []
    step = tell(desk, LinkChanged(link, True, desk.now_ns))
    assert bool(submits(step)) is is_tried


def test_rule_29_a_start_forgets_the_waits_and_sends_at_the_first_comparison() -> None:
    desk, stop = filled_desk()
    ((_, second),) = retries(desk, stop, times=1)
    not_sent(desk, second)
    again = loaded_again(desk)
    start(again, after_ns=1)
    assert not again.books.this_run.pacing.is_counted((1, "stop"))


def test_rules_30_and_44_while_storage_fails_the_next_stop_leaves_all_the_same() -> None:
    story = begin()
    story.ask(signal("in"))
    (entry,) = story.venue.take(Submit)
    story.say(accepted(entry.order))
    story.memory.fail()
    story.say(traded(entry.order, "4"))
    (stop,) = story.venue.take(Submit)
    story.say(NotSent(stop.order.client_order_id, False, Reason.VENUE_BUSY, story.loop.now_ns))
    (again,) = story.venue.take(Submit)
    assert (again.order.role, again.order.quantity) == (Role.STOP, stop.order.quantity)
    assert again.order.client_order_id != stop.order.client_order_id
    story.memory.heal()
    story.at()
    assert story.order(stop.order.client_order_id).status is OrderStatus.DENIED


# -- cancels ---------------------------------------------------------------------------------------


def test_rule_44_a_cancel_that_did_not_leave_is_asked_for_again_and_not_pending_meanwhile() -> None:
    """The signal wants out, nothing may overlap: the stop has to be cancelled first."""
    desk = kept_desk(SLOW, accounts=("VA001", "VA002"))
    enter(desk, signal("a"))
    enter(desk, signal("b", va_id="VA002"))
    step = send(desk, signal("c", side="close", quantity=None))
    assert cancels(step) == [STOP]
    assert cancels(not_sent(desk, STOP, is_cancel=True)) == [STOP], "again, at once"
    step = not_sent(desk, STOP, is_cancel=True)
    assert (cancels(step), desk.books.orders[STOP].is_cancel_pending) == ([], False)
    assert pass_time(desk, 249 * MILLISECOND_NS) == []
    steps = pass_time(desk, MILLISECOND_NS)
    assert [cancels(one) for one in steps if one.commands] == [[STOP]]
    assert desk.kept.incidents() == [Reason.NOT_SENT]
    (exit_order,) = submits(report(desk, STOP, ReportWord.CANCELED))
    assert (exit_order.role, exit_order.quantity) == (Role.EXIT, Decimal(10))


def test_f74_the_cancel_of_an_entry_that_was_given_up_is_asked_for_again() -> None:
    """By a pause that has ended since."""
    desk = entered_desk()
    assert cancels(tell(desk, Paused("VA001", "a person", "test"))) == [ENTRY]
    tell(desk, Resumed("VA001", "a person", "test"))
    assert cancels(not_sent(desk, ENTRY, is_cancel=True)) == [ENTRY]
    assert cancels(not_sent(desk, ENTRY, is_cancel=True)) == []
    steps = pass_time(desk, 250 * MILLISECOND_NS)
    assert [cancels(one) for one in steps] == [[ENTRY]]


def test_a_cancel_that_was_answered_meanwhile_is_not_asked_for_again() -> None:
    desk = entered_desk()
    step = not_sent(desk, ENTRY, is_cancel=True)
    assert (step.changes, step.commands) == ((), ())
    assert [type(one) for one in send(desk, signal("b")).commands] == [Submit]
