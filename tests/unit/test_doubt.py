"""Silence proves nothing: an order without an answer is unknown, asked about, never resent."""

from decimal import Decimal

from pointsman.domain.commands import Query, Step
from pointsman.domain.events import (
    CancelRefused,
    Compared,
    EntryBreach,
    OrderAbsent,
    OrderAdopted,
    ReportWord,
)
from pointsman.domain.life_cycle import OrderStatus
from pointsman.domain.orders import Order, OrderType, Role
from pointsman.domain.policy import Abilities
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import PositionSide, Side
from tests.desk_stories import (
    SECOND_NS,
    VA,
    account,
    acknowledge,
    cancels,
    decide,
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
from tests.order_stories import entered_desk, kept_desk

ENTRY, STOP = "ABCDEF1E1", "ABCDEF1S1"


def queries(*steps: Step) -> list[str]:
    return [query.client_order_id for step in steps for query in of_type(step.commands, Query)]


def test_f01_f05_an_entry_without_an_answer_is_unknown_and_asked_about_never_resent() -> None:
    """RULES 26: and while it is unknown its VA takes no new risk."""
    desk = kept_desk()
    order_sent(desk, submits(send(desk, signal("a")))[0].client_order_id)
    (silent,) = pass_time(desk, 5 * SECOND_NS)
    assert queries(silent) == [ENTRY]
    assert incidents(silent) == [Reason.UNKNOWN_OUTCOME]
    assert desk.kept.order(ENTRY).shown_status is OrderStatus.UNKNOWN
    assert decide(desk, signal("b")).reason is Reason.UNKNOWN_ORDER
    later = pass_time(desk, 60 * SECOND_NS)
    assert queries(*later) == [ENTRY] * 12, "every SUBMIT_TIMEOUT_SECONDS, for ever"
    assert not any(submits(step) for step in later)
    found = report(desk, ENTRY, ReportWord.ACCEPTED)
    assert found.commands == ()
    assert desk.kept.order(ENTRY).shown_status is OrderStatus.ACCEPTED
    assert queries(*pass_time(desk, 60 * SECOND_NS)) == []


def test_an_unknown_order_is_asked_about_no_faster_for_being_missed_by_comparisons() -> None:
    desk = kept_desk()
    order_sent(desk, submits(send(desk, signal("a")))[0].client_order_id)
    asked = 0
    for _ in range(24):
        steps = pass_time(desk, 5 * SECOND_NS)
        steps.append(tell(desk, Compared(True, desk.now_ns, 0, "", (ENTRY,))))
        asked += len(queries(*steps))
    assert asked <= 2 * 24


def test_absence_counts_only_when_asked_after_the_last_moment_of_arrival() -> None:
    """RULES 26, I17: a "no such order" before ORDER_SETTLE_SECONDS proves nothing."""
    desk = kept_desk()
    order_sent(desk, submits(send(desk, signal("a")))[0].client_order_id)
    sent_ns = desk.now_ns
    early = tell(desk, OrderAbsent(ENTRY, sent_ns + 10 * SECOND_NS - 1), SECOND_NS)
    assert early.commands == ()
    assert desk.kept.order(ENTRY).is_unknown
    assert queries(*pass_time(desk, 5 * SECOND_NS)) == [ENTRY]
    late = tell(desk, OrderAbsent(ENTRY, sent_ns + 10 * SECOND_NS), 5 * SECOND_NS)
    assert incidents(late) == [Reason.NEVER_ARRIVED]
    assert submits(late) == [], "an entry is not sent again"
    ended = desk.kept.order(ENTRY)
    assert (ended.status, ended.end_reason) == (OrderStatus.REJECTED, Reason.NEVER_ARRIVED)
    assert account(desk).leased_symbol is None


def test_rule_67_where_requests_expire_absence_counts_from_when_this_one_has() -> None:
    """The venue takes nothing that is older: there is no need to wait for ORDER_SETTLE_SECONDS."""
    expires = Abilities(request_expiry_ns=6 * SECOND_NS)
    desk = kept_desk(policy(abilities=expires))
    order_sent(desk, submits(send(desk, signal("a")))[0].client_order_id)
    sent_ns = desk.now_ns
    assert queries(*pass_time(desk, 5 * SECOND_NS)) == [ENTRY]
    tell(desk, OrderAbsent(ENTRY, sent_ns + 6 * SECOND_NS - 1))
    assert desk.kept.order(ENTRY).is_unknown
    assert queries(*pass_time(desk, SECOND_NS)) == [ENTRY], "as soon as the answer counts"
    tell(desk, OrderAbsent(ENTRY, sent_ns + 6 * SECOND_NS))
    assert desk.kept.order(ENTRY).end_reason is Reason.NEVER_ARRIVED


def test_rule_26_it_is_asked_about_as_soon_as_no_such_order_counts() -> None:
    """However the questions before fell: naked time waits for this one."""
    desk = kept_desk()
    order_sent(desk, submits(send(desk, signal("a")))[0].client_order_id)
    pass_time(desk, 7 * SECOND_NS)
    tell(desk, Compared(True, desk.now_ns, 0, "", (ENTRY,)))
    assert queries(*pass_time(desk, 3 * SECOND_NS - 1)) == []
    assert queries(*pass_time(desk, 1)) == [ENTRY]


def test_a_stop_that_never_arrived_is_replaced_under_a_new_id() -> None:
    desk = entered_desk()
    acknowledge(desk, trade(desk, ENTRY, "10"))
    report(desk, STOP, ReportWord.CANCELED)
    sent_ns = desk.now_ns
    order_sent(desk, "ABCDEF1S2")
    step = tell(desk, OrderAbsent("ABCDEF1S2", sent_ns + 10 * SECOND_NS), SECOND_NS)
    assert [order.client_order_id for order in submits(step)] == ["ABCDEF1S3"]
    assert account(desk).frozen_for is None


def test_an_order_that_the_venue_had_accepted_and_forgot_ends_and_freezes() -> None:
    desk = entered_desk()
    acknowledge(desk, trade(desk, ENTRY, "4", "100.00"))
    acknowledge(desk, trade(desk, ENTRY, "4", "101.00"))
    step = tell(desk, OrderAbsent(ENTRY, desk.now_ns + 10 * SECOND_NS), SECOND_NS)
    assert incidents(step) == [Reason.STRANGE_REPORT]
    assert account(desk).frozen_for is Reason.STRANGE_REPORT
    assert desk.kept.order(ENTRY).status is OrderStatus.CANCELED
    assert desk.books.positions[1].stop_price == Decimal("98.49"), "as at any end of an entry"


def test_rule_43_an_accepted_order_older_than_what_the_venue_keeps_ends_and_freezes_nothing() -> (
    None
):
    """A stop that rested for a week and was cancelled while nobody listened."""
    kept_ns = 3 * 86_400 * SECOND_NS
    desk = kept_desk(policy(abilities=Abilities(keeps_ended_orders_ns=kept_ns)))
    acknowledge(desk, send(desk, signal("a")))
    acknowledge(desk, trade(desk, ENTRY, "10"))
    sent_ns = desk.kept.order(STOP).left_at_ns
    step = tell(desk, OrderAbsent(STOP, sent_ns + kept_ns + 1), SECOND_NS)
    assert incidents(step) == [Reason.NOT_FOUND]
    assert account(desk).frozen_for is None
    ended = desk.kept.order(STOP)
    assert (ended.status, ended.end_reason) == (OrderStatus.CANCELED, Reason.NOT_FOUND)
    assert [order.client_order_id for order in submits(step)] == ["ABCDEF1S2"]


def test_a_cancel_without_an_answer_is_asked_about() -> None:
    """RULES 21: a cancel with unknown outcome; "it rests" clears the doubt, and it is cancelled
    again (RULES 27)."""
    desk = entered_desk()
    tell(desk, EntryBreach("XXX", None))
    assert desk.kept.order(ENTRY).shown_status is OrderStatus.PENDING_CANCEL
    (silent,) = [step for step in pass_time(desk, 5 * SECOND_NS) if step.commands]
    assert queries(silent) == [ENTRY]
    assert desk.kept.order(ENTRY).shown_status is OrderStatus.UNKNOWN
    assert cancels(report(desk, ENTRY, ReportWord.ACCEPTED)) == [ENTRY]


def test_f42_a_cancel_that_is_refused_is_followed_by_a_question() -> None:
    desk = entered_desk()
    tell(desk, EntryBreach("XXX", None))
    step = tell(desk, CancelRefused(ENTRY, Reason.NOT_FOUND, desk.now_ns))
    assert queries(step) == [ENTRY]
    report(desk, ENTRY, ReportWord.CANCELED)
    assert tell(desk, CancelRefused(ENTRY, Reason.NOT_FOUND, desk.now_ns)).changes == ()


def test_a_venue_that_refuses_a_cancel_of_what_it_shows_open_is_not_asked_in_circles() -> None:
    desk = entered_desk()
    tell(desk, EntryBreach("XXX", None))
    assert queries(tell(desk, CancelRefused(ENTRY, Reason.NOT_FOUND, desk.now_ns))) == [ENTRY]
    report(desk, ENTRY, ReportWord.ACCEPTED)
    tell(desk, EntryBreach("XXX", None))
    step = tell(desk, CancelRefused(ENTRY, Reason.NOT_FOUND, desk.now_ns))
    assert desk.kept.order(ENTRY).is_unknown
    assert step.commands == ()
    assert [queries(later) for later in pass_time(desk, 5 * SECOND_NS) if queries(later)] == [
        [ENTRY]
    ]


def test_an_entry_that_is_withdrawn_before_it_left_is_not_unknown() -> None:
    """It waits for storage; nothing was sent, so nothing is silent."""
    desk = kept_desk()
    send(desk, signal("a"))
    tell(desk, EntryBreach("XXX", None))
    pass_time(desk, 6 * SECOND_NS)
    assert not desk.kept.order(ENTRY).is_unknown


def test_rule_27_any_report_clears_both_marks() -> None:
    desk = entered_desk()
    tell(desk, EntryBreach("XXX", None))
    trade(desk, ENTRY, "4")
    order = desk.kept.order(ENTRY)
    assert (order.is_cancel_pending, order.is_unknown) == (False, False)
    assert order.shown_status is OrderStatus.PARTIALLY_FILLED


# -- adoption --------------------------------------------------------------------------------------


def test_rule_30_a_stop_that_only_the_venue_knows_is_ours_again_and_its_number_is_used() -> None:
    desk = kept_desk()
    enter(desk, signal("a"))
    known = desk.kept.order(STOP)
    adopted = Order(
        "ABCDEF1S7", VA, "XXX", 1, Role.STOP, OrderType.STOP, Side.SELL, PositionSide.LONG,
        Decimal(10), 0, trigger_price=known.trigger_price, is_unknown=True,
    )  # fmt: skip
    step = tell(desk, OrderAdopted(adopted))
    assert incidents(step) == [Reason.MISMATCH]
    assert desk.books.positions[1].stops_made == 7
    assert desk.kept.order("ABCDEF1S7").sent_at_ns == desk.now_ns, "so that it is asked about"
    assert cancels(step) == ["ABCDEF1S7"], "the position was covered without it"
    assert tell(desk, OrderAdopted(adopted)).changes == ()
    report(desk, STOP, ReportWord.CANCELED)
    (replaced,) = desk.books.orders_of(1, Role.STOP)[-1:]
    assert replaced.client_order_id == "ABCDEF1S8"
