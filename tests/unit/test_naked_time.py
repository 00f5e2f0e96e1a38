"""Naked time, and time without a resting stop: what counts, from when to when (RULES 25, 63)."""

from pointsman.domain.accounts import Incident
from pointsman.domain.commands import Query
from pointsman.domain.events import Compared, ReportWord
from pointsman.domain.reasons import Reason
from tests.desk_stories import (
    MILLISECOND_NS,
    SECOND_NS,
    account,
    acknowledge,
    enter,
    incidents,
    of_type,
    order_sent,
    pass_time,
    report,
    send,
    signal,
    tell,
    trade,
)
from tests.order_stories import KeptDesk, held, kept_desk, loaded_again, shared_desk, start

DEADLINE_NS = 2 * SECOND_NS


def filled() -> KeptDesk:
    """An entry has just filled 10; its stop S1 has been sent."""
    desk = kept_desk()
    acknowledge(desk, send(desk, signal("a")))
    trade(desk, "ABCDEF1E1", "10")
    order_sent(desk, "ABCDEF1S1")
    return desk


def leaving() -> KeptDesk:
    """Two accounts hold; the first one's stop has been cancelled and its exit X1 accepted, a second
    ago."""
    desk, _ = shared_desk()
    send(desk, signal("out", "close", None))
    report(desk, "ABCDEF1S1", ReportWord.CANCELED, SECOND_NS)
    order_sent(desk, "ABCDEF1X1")
    report(desk, "ABCDEF1X1", ReportWord.ACCEPTED)
    return desk


def test_rule_63_a_stop_accepted_and_cancelled_in_one_instant_has_covered_nothing() -> None:
    desk = filled()
    since_ns = desk.now_ns
    report(desk, "ABCDEF1S1", ReportWord.ACCEPTED, 1500 * MILLISECOND_NS)
    report(desk, "ABCDEF1S1", ReportWord.CANCELED)
    position = held(desk)
    assert (position.naked_since_ns, position.stopless_since_ns) == (since_ns, since_ns)
    assert (account(desk).naked_total_ns, account(desk).stopless_total_ns) == (0, 0)
    told = [kind for step in pass_time(desk, 500 * MILLISECOND_NS) for kind in incidents(step)]
    assert told == [Reason.NAKED_POSITION], "the deadline counts from the fill"


def test_rule_63_once_the_deadline_has_acted_it_does_not_act_again_within_itself() -> None:
    desk = filled()
    told = [kind for step in pass_time(desk, DEADLINE_NS) for kind in incidents(step)]
    report(desk, "ABCDEF1S1", ReportWord.ACCEPTED, 100 * MILLISECOND_NS)
    report(desk, "ABCDEF1S1", ReportWord.CANCELED)
    told += [kind for step in pass_time(desk, SECOND_NS) for kind in incidents(step)]
    assert told == [Reason.NAKED_POSITION]


def test_rule_63_one_that_is_cancelled_later_has_and_the_time_begins_anew() -> None:
    desk = filled()
    report(desk, "ABCDEF1S1", ReportWord.ACCEPTED, 1500 * MILLISECOND_NS)
    report(desk, "ABCDEF1S1", ReportWord.CANCELED, 1)
    assert held(desk).naked_since_ns == desk.now_ns
    va = account(desk)
    assert (va.naked_max_ns, va.stopless_max_ns) == (1500 * MILLISECOND_NS,) * 2
    assert all(incidents(step) == [] for step in pass_time(desk, 500 * MILLISECOND_NS))


def test_rule_63_what_goes_on_is_added_up_once() -> None:
    desk = filled()
    report(desk, "ABCDEF1S1", ReportWord.ACCEPTED, 100 * MILLISECOND_NS)
    report(desk, "ABCDEF1S1", ReportWord.CANCELED)
    order_sent(desk, "ABCDEF1S2")
    report(desk, "ABCDEF1S2", ReportWord.ACCEPTED, 300 * MILLISECOND_NS)
    va = account(desk)
    whole_ns = 400 * MILLISECOND_NS
    assert (va.naked_max_ns, va.naked_total_ns) == (whole_ns, whole_ns)
    assert (va.venue_naked_max_ns, va.venue_naked_total_ns) == (whole_ns, whole_ns)
    assert (va.stopless_max_ns, va.stopless_total_ns) == (whole_ns, whole_ns)


def test_rule_63_an_exit_at_work_covers_for_one_deadline_and_then_is_told_of() -> None:
    desk = leaving()
    assert held(desk).naked_since_ns is None
    assert held(desk).stopless_since_ns == desk.now_ns
    trade(desk, "ABCDEF1X1", "4", after_ns=SECOND_NS // 2)
    asked, unfilled = pass_time(desk, 3 * SECOND_NS // 2)
    assert (asked.commands, asked.changes) == ((Query("ABCDEF1X1", "XXX"),), ())
    (told,) = of_type(unfilled.changes, Incident)
    assert (told.kind, told.client_order_id) == (Reason.EXIT_UNFILLED, "ABCDEF1X1")
    assert (told.value, told.limit) == ("2", "2")
    assert held(desk).naked_since_ns == desk.now_ns
    assert all(incidents(step) == [] for step in pass_time(desk, 5 * SECOND_NS)), "it works on"
    assert account(desk).frozen_for is None
    trade(desk, "ABCDEF1X1", "6", after_ns=SECOND_NS)
    va = account(desk)
    assert (va.naked_max_ns, va.stopless_max_ns) == (6 * SECOND_NS, 8 * SECOND_NS)


def test_rule_63_an_exit_that_is_filled_in_time_is_nothing_to_tell() -> None:
    desk = leaving()
    trade(desk, "ABCDEF1X1", "10", after_ns=DEADLINE_NS - 1)
    assert pass_time(desk, SECOND_NS) == []
    assert (account(desk).naked_max_ns, account(desk).stopless_max_ns) == (0, DEADLINE_NS - 1)


def test_rule_63_a_stop_that_has_triggered_is_an_exit_from_then_on() -> None:
    desk = kept_desk()
    enter(desk, signal("a"))
    report(desk, "ABCDEF1S1", ReportWord.TRIGGERED, SECOND_NS)
    asked, unfilled = pass_time(desk, DEADLINE_NS)
    assert asked.commands == (Query("ABCDEF1S1", "XXX"),), "nobody may have told that it filled"
    assert incidents(unfilled) == [Reason.EXIT_UNFILLED]
    assert held(desk).naked_since_ns == desk.now_ns
    assert held(desk).stopless_since_ns == desk.now_ns - DEADLINE_NS


def test_rule_63_when_an_exit_that_worked_for_long_fails_the_deadline_acts_within_itself() -> None:
    desk = leaving()
    pass_time(desk, 3 * SECOND_NS)
    report(desk, "ABCDEF1X1", ReportWord.CANCELED, reason=Reason.NOT_FILLED)
    acted = [kind for step in pass_time(desk, DEADLINE_NS) for kind in incidents(step)]
    assert Reason.NAKED_POSITION in acted


def test_rule_63_a_start_does_not_lengthen_what_an_exit_covers() -> None:
    desk = leaving()
    accepted_ns = desk.now_ns
    again = loaded_again(desk)
    start(again, ("VA001", "VA002"), after_ns=SECOND_NS)
    tell(again, Compared(True, again.now_ns, 0, ""))
    report(again, "ABCDEF1X1", ReportWord.ACCEPTED)
    assert again.books.orders["ABCDEF1X1"].covers_until_ns == accepted_ns + DEADLINE_NS
    kinds = [kind for step in pass_time(again, SECOND_NS) for kind in incidents(step)]
    assert Reason.EXIT_UNFILLED in kinds
    report(again, "ABCDEF1X1", ReportWord.ACCEPTED)
    assert again.books.orders["ABCDEF1X1"].covers_until_ns is None
