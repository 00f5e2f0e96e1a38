"""The connection to the hostile venue: what of it is down, and what never leaves by it."""

import pytest

from pointsman.domain.commands import Cancel, Compare, Query, Submit
from pointsman.domain.events import ChargePaid, LinkChanged, NotSent, OrderReport, VenueLink
from pointsman.domain.orders import Role
from pointsman.domain.reasons import Reason
from pointsman.domain.venue_reports import Snapshot
from pointsman.execution.ports import VenueReply, VenueRequest
from pointsman.simulator.connection import Connection, symbol_of
from pointsman.simulator.faults import Fault
from pointsman.simulator.hostile_venue import HostileVenue
from tests.simulations import order, struck_by, venue
from tests.unit.test_matching import quote

SECOND_NS = 10**9
ENTRY = Submit(order(1, price="101"))
STOP = Submit(order(1, Role.STOP, trigger="99"))


def ready(**rates: float) -> HostileVenue:
    at = venue(struck_by({Fault(name): rate for name, rate in rates.items()}))
    at.matching.on_quote(quote("100", "100.01"), 0)
    return at


def heard(at: HostileVenue, kind: type, now_ns: int) -> list[VenueReply]:
    return [reply for reply in at.receive(now_ns) if isinstance(reply, kind)]


def test_a_process_hears_once_that_a_link_is_down_and_once_that_it_is_up() -> None:
    at = ready()
    at.cut_link(VenueLink.QUOTES, 5 * SECOND_NS)
    told = [
        [(one.link, one.is_up) for one in at.receive(second * SECOND_NS)]  # type: ignore[union-attr]
        for second in (1, 2, 5, 6)
    ]
    assert told == [[(VenueLink.QUOTES, False)], [], [(VenueLink.QUOTES, True)], []]


def test_a_process_that_starts_while_a_link_is_down_hears_so() -> None:
    at = ready()
    at.cut_link(VenueLink.ORDERS, 5 * SECOND_NS)
    at.receive(SECOND_NS)
    at.close()
    at.receive(2 * SECOND_NS)  # nobody listens
    at.open()
    assert len(heard(at, LinkChanged, 3 * SECOND_NS)) == 1


@pytest.mark.parametrize(
    ("link", "reason"),
    [(VenueLink.ORDERS, Reason.VENUE_DOWN), (VenueLink.BUDGET, Reason.VENUE_BUSY)],
)
@pytest.mark.parametrize("request_", [ENTRY, STOP, Cancel("ABCDEF1S1", "AAA")])
def test_while_requests_cannot_leave_orders_and_cancels_are_given_back(
    link: VenueLink, reason: Reason, request_: Submit | Cancel
) -> None:
    at = ready()
    at.cut_link(link, 20 * SECOND_NS)
    at.send(request_, SECOND_NS)
    [told] = heard(at, NotSent, 11 * SECOND_NS)
    assert isinstance(told, NotSent)
    assert (told.reason, told.is_cancel) == (reason, isinstance(request_, Cancel))
    at.receive(60 * SECOND_NS)
    assert at.ledger.orders == {}
    assert at.connection.given_back == set() if told.is_cancel else {told.client_order_id}


@pytest.mark.parametrize("request_", [Query("ABCDEF1E1", "AAA"), Compare("")])
def test_while_requests_cannot_leave_questions_are_lost(request_: VenueRequest) -> None:
    at = ready()
    at.cut_link(VenueLink.ORDERS, 2 * SECOND_NS)
    at.send(request_, SECOND_NS)
    assert [type(one) for one in at.receive(30 * SECOND_NS)] in ([], [LinkChanged])


def test_a_single_request_may_be_given_back_to_the_process_that_sent_it() -> None:
    at = ready(not_sent=1.0)
    at.send(ENTRY, 0)
    assert len(heard(at, NotSent, 10 * SECOND_NS)) == 1
    at.send(STOP, 10 * SECOND_NS)
    at.close()
    assert heard(at, NotSent, 30 * SECOND_NS) == []


def test_what_happens_while_the_account_stream_is_down_is_in_the_next_comparison_alone() -> None:
    at = ready()
    at.cut_link(VenueLink.ACCOUNT_STREAM, 5 * SECOND_NS)
    at.send(ENTRY, 0)
    at.payments.charge("AAA", None, at.matching.quotes["AAA"].bid, SECOND_NS)
    words = [one.kind.value for one in heard(at, OrderReport, 4 * SECOND_NS)]  # type: ignore[union-attr]
    assert words == ["ACCEPTED"], "the answer to the request, and nothing else"
    assert heard(at, LinkChanged, 5 * SECOND_NS) != []
    assert at.connection.owes_comparison
    at.send(Compare(""), 5 * SECOND_NS)
    [shown] = heard(at, Snapshot, 10 * SECOND_NS)
    assert isinstance(shown, Snapshot)
    assert sum(trade.fill.quantity for trade in shown.trades) == 5
    assert [type(paid) for paid in shown.charges] == [ChargePaid]
    at.send(Compare(shown.fills_cursor), 11 * SECOND_NS)
    [again] = heard(at, Snapshot, 20 * SECOND_NS)
    assert isinstance(again, Snapshot)
    assert (again.trades, again.charges) == ((), ())


def test_a_comparison_is_owed_until_it_is_asked_for() -> None:
    at = ready()
    at.cut_link(VenueLink.ACCOUNT_STREAM, SECOND_NS)
    owed = []
    for now_ns in (1, SECOND_NS):
        at.receive(now_ns)
        owed.append(at.connection.owes_comparison)
    at.send(Compare(""), SECOND_NS)
    assert [*owed, at.connection.owes_comparison] == [False, True, False]


def test_a_link_that_is_cut_twice_is_down_until_the_later_end() -> None:
    connection = Connection()
    connection.cut(VenueLink.ORDERS, 9)
    connection.cut(VenueLink.ORDERS, 5)
    assert (connection.is_down(VenueLink.ORDERS, 8), connection.stops(9)) == (True, False)


def test_a_request_is_about_a_symbol_or_about_all() -> None:
    assert [symbol_of(one) for one in (ENTRY, Cancel("X", "BBB"), Compare(""))] == [
        "AAA",
        "BBB",
        None,
    ]
