"""The wire to the hostile venue: each fault of it, by itself."""

import pytest

from pointsman.domain.commands import Cancel, Compare, Query, Submit
from pointsman.domain.events import CancelRefused, NotSent, OrderAbsent, OrderReport, ReportWord
from pointsman.domain.orders import Role
from pointsman.domain.policy import Abilities
from pointsman.domain.venue_reports import OrderFound, Snapshot
from pointsman.execution.ports import VenueReply, VenueRequest
from pointsman.simulator.faults import Fault
from pointsman.simulator.hostile_venue import (
    FLIGHT_NS_MAX,
    LATE_NS_MAX,
    SETTLED_NS,
    HostileVenue,
)
from tests.simulations import order, policy, struck_by, venue
from tests.unit.test_matching import quote

SECOND_NS = 10**9


def asked(at: HostileVenue, request: VenueRequest, now_ns: int = 0) -> list[VenueReply]:
    at.send(request, now_ns)
    return at.receive(now_ns + 30 * SECOND_NS)


def ready(**rates: float) -> HostileVenue:
    at = venue(struck_by({Fault(name): rate for name, rate in rates.items()}))
    at.matching.on_quote(quote("100", "100.01"), 0)
    return at


def words(replies: list[VenueReply]) -> list[ReportWord]:
    return [reply.kind for reply in replies if isinstance(reply, OrderReport)]


def test_on_a_good_day_everything_arrives_in_order_and_soon() -> None:
    at = ready()
    at.send(Submit(order(1, price="101")), 0)
    due_ns = at.next_due_ns()
    assert due_ns is not None
    assert 0 < due_ns < FLIGHT_NS_MAX
    heard = words(at.receive(SECOND_NS))
    assert heard[0] is ReportWord.ACCEPTED
    assert set(heard[1:]) == {ReportWord.TRADE}
    [found] = asked(at, Query(order(1).client_order_id, "AAA"))
    assert isinstance(found, OrderFound)
    assert found.order.filled == 5


@pytest.mark.parametrize("fault", [Fault.REQUEST_LOST, Fault.BAN])
def test_a_request_that_is_lost_leaves_no_trace(fault: Fault) -> None:
    at = ready(request_lost=1.0 if fault is Fault.REQUEST_LOST else 0.0)
    if fault is Fault.BAN:
        at.ban(SECOND_NS)
    assert asked(at, Submit(order(1, price="101"))) == []
    assert at.ledger.orders == {}


def test_f01_an_order_can_be_taken_although_no_answer_comes() -> None:
    at = ready(report_lost=1.0)
    assert asked(at, Submit(order(1, price="101"))) == []
    assert at.ledger.orders[order(1).client_order_id].filled == 5


def test_f13_reports_come_twice_f11_and_fills_before_the_acceptance() -> None:
    twice = words(asked(ready(report_duplicated=1.0), Submit(order(1, price="101"))))
    once = words(asked(ready(), Submit(order(1, price="101"))))
    assert len(twice) > len(once)
    early = words(asked(ready(fill_before_ack=1.0), Submit(order(1, price="101"))))
    assert (early[0], early[-1]) == (ReportWord.TRADE, ReportWord.ACCEPTED)


def test_f20_after_a_cut_the_newest_reports_are_said_again() -> None:
    at = ready()
    at.cut(5 * SECOND_NS)
    at.send(Submit(order(1, price="101")), 0)
    assert at.receive(4 * SECOND_NS) == []
    assert words(at.receive(6 * SECOND_NS))[0] is ReportWord.ACCEPTED


def test_f06_a_young_order_may_not_be_found_an_old_one_always_is() -> None:
    at = ready(query_empty=1.0)
    order_id = order(1).client_order_id
    at.send(Submit(order(1, price="101")), 0)
    at.receive(SECOND_NS)
    at.send(Query(order_id, "AAA"), SECOND_NS)
    [absent] = at.receive(2 * SECOND_NS)
    assert absent == OrderAbsent(order_id, SECOND_NS)
    at.send(Query(order_id, "AAA"), SETTLED_NS + SECOND_NS)
    assert isinstance(at.receive(SETTLED_NS + 2 * SECOND_NS)[0], OrderFound)


def test_a_request_may_arrive_when_it_counts_as_lost_already() -> None:
    at = ready(request_late=1.0)
    at.send(Submit(order(1, price="101")), 0)
    at.receive(SECOND_NS // 2)
    assert at.ledger.orders == {}
    at.receive(LATE_NS_MAX + SECOND_NS)
    assert at.ledger.orders[order(1).client_order_id].filled == 5


def test_a_cancel_may_be_refused_though_the_order_is_open() -> None:
    at = ready(cancel_refused=1.0)
    asked(at, Submit(order(1, price="101")))
    stop = order(1, Role.STOP, trigger="99")
    asked(at, Submit(stop), SECOND_NS)
    [refused] = asked(at, Cancel(stop.client_order_id, "AAA"), 60 * SECOND_NS)
    assert isinstance(refused, CancelRefused)
    assert at.ledger.orders[stop.client_order_id].is_open


def test_f09_an_answer_that_is_cut_off_lacks_executions_and_does_not_add_up() -> None:
    at = ready(query_cut=1.0)
    asked(at, Submit(order(1, price="101")))
    [found] = asked(at, Query(order(1).client_order_id, "AAA"), 60 * SECOND_NS)
    assert isinstance(found, OrderFound)
    assert sum(fill.quantity for fill in found.fills) < found.order.filled


def test_f72_an_engine_whose_clock_is_behind_is_answered_by_its_own_time() -> None:
    at = ready()
    at.lag_ns = 10 * SECOND_NS
    at.send(Query("ABCDEF9S1", "AAA"), 0)
    due_ns = at.next_due_ns()
    assert due_ns is not None
    assert 0 < due_ns < SECOND_NS
    assert at.receive(due_ns) == []
    assert at.receive(SECOND_NS) == [OrderAbsent("ABCDEF9S1", 0)]
    assert at.denied_ns["ABCDEF9S1"] > 10 * SECOND_NS


def test_a_cancel_of_what_is_not_there_is_refused() -> None:
    [refused] = asked(ready(), Cancel("ABCDEF9S1", "AAA"))
    assert isinstance(refused, CancelRefused)


def test_i17_a_part_of_an_answer_says_that_it_is_one_and_a_stale_one_says_of_when() -> None:
    part = asked(ready(compare_partial=1.0), Compare(""))[0]
    assert isinstance(part, Snapshot)
    assert not part.is_complete
    at = ready(compare_stale=1.0)
    fresh = asked(at, Compare(""))[0]
    asked(at, Submit(order(1, price="101")), 40 * SECOND_NS)
    stale = asked(at, Compare(""), 80 * SECOND_NS)[0]
    assert isinstance(fresh, Snapshot)
    assert isinstance(stale, Snapshot)
    assert (stale.taken_at_ns, stale.trades) == (fresh.taken_at_ns, ())
    assert stale.asked_at_ns == 80 * SECOND_NS


def test_what_has_arrived_at_an_engine_that_died_is_lost() -> None:
    at = ready()
    at.cut(SECOND_NS)
    at.send(Submit(order(1, price="101")), 0)
    at.close()
    assert at.receive(SECOND_NS // 2) == []
    assert at.known_until_ns() > 0


def test_what_a_process_has_asked_no_later_one_hears() -> None:
    at = ready()
    at.send(Compare(""), 0)
    at.send(Submit(order(1, price="101")), 0)
    at.close()
    heard = at.receive(SECOND_NS)
    assert ReportWord.ACCEPTED in words(heard), "what happened is said to whoever listens"
    assert not any(isinstance(reply, Snapshot) for reply in heard)
    assert any(isinstance(reply, Snapshot) for reply in asked(at, Compare(""), SECOND_NS))


@pytest.mark.parametrize("expiry_ns", [None, 6 * SECOND_NS])
def test_rule_43_a_request_that_has_expired_is_never_taken(expiry_ns: int | None) -> None:
    """Each of these arrives late by up to 25 s; of those refused some hear it, and some nothing."""
    expires = policy().at_venue(Abilities(request_expiry_ns=expiry_ns))
    at = venue(struck_by({Fault.REQUEST_LATE: 1.0}), expires)
    at.matching.on_quote(quote("100", "100.01"), 0)
    wanted = [order(number, price="101") for number in range(1, 41)]
    for each in wanted:
        at.send(Submit(each), 0)
    replies = at.receive(60 * SECOND_NS)
    taken = [
        at.ledger.orders[o.client_order_id].ts_ns
        for o in wanted
        if o.client_order_id in at.ledger.orders
    ]
    refused = [reply.client_order_id for reply in replies if isinstance(reply, NotSent)]
    if expiry_ns is None:
        assert (len(taken), refused) == (40, [])
        return
    assert 0 < len(taken) < 40
    assert max(taken) <= expiry_ns
    assert 0 < len(refused) < 40 - len(taken)
    assert not set(refused) & set(at.ledger.orders)
