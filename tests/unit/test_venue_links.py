"""Links to the venue that go down and come up again (RULES 44, 45, 46)."""

import pytest

from pointsman.domain.accounts import Incident
from pointsman.domain.commands import Compare, Submit
from pointsman.domain.events import LinkChanged, SendRefused, UnlistedCode, VenueLink
from pointsman.domain.reasons import Reason
from pointsman.execution import last_check, venue_links
from tests.desk_stories import (
    ACCEPTED,
    SECOND_NS,
    check,
    decide,
    enter,
    incidents,
    quote,
    refusal,
    send,
    signal,
    submits,
    tell,
    trade,
)
from tests.engine_stories import CODE, begin
from tests.order_stories import KeptDesk, entered_desk, kept_desk, loaded_again, start

REFUSED_FOR = {
    VenueLink.ORDERS: Reason.VENUE_DOWN,
    VenueLink.ACCOUNT_STREAM: Reason.VENUE_DOWN,
    VenueLink.QUOTES: Reason.VENUE_DOWN,
    VenueLink.BUDGET: Reason.VENUE_BUSY,
}


def change(
    desk: KeptDesk, link: VenueLink, *, is_up: bool, after_ns: int = 0, detail: str = ""
) -> list[Reason]:
    """A link goes down or comes up; the incidents of that."""
    now_ns = desk.now_ns + after_ns
    return incidents(tell(desk, LinkChanged(link, is_up, now_ns, detail), after_ns))


@pytest.mark.parametrize("link", VenueLink)
def test_rule_46_while_a_link_is_down_entries_are_refused_with_the_seconds(link: VenueLink) -> None:
    desk = kept_desk()
    assert change(desk, link, is_up=False, detail="reset by peer") == [Reason.LINK_DOWN]
    refused = decide(desk, signal("a"), after_ns=12_500_000_000)
    assert refusal(refused) == (REFUSED_FOR[link], "12.5", "0")
    measured = check(refused, REFUSED_FOR[link])
    assert (measured.unit, measured.note) == (
        "s down",
        f"{venue_links.link_name(link)}: reset by peer",
    )
    assert change(desk, link, is_up=True) == [Reason.LINK_UP]
    assert refusal(decide(desk, signal("b"))) == ACCEPTED


def test_of_several_links_the_one_that_is_down_longest_is_measured_and_all_are_named() -> None:
    desk = kept_desk()
    change(desk, VenueLink.QUOTES, is_up=False)
    change(desk, VenueLink.BUDGET, is_up=False, after_ns=SECOND_NS, detail="429")
    change(desk, VenueLink.ORDERS, is_up=False, after_ns=SECOND_NS)
    decision = decide(desk, signal("a"), after_ns=SECOND_NS)
    down, busy = check(decision, Reason.VENUE_DOWN), check(decision, Reason.VENUE_BUSY)
    assert (down.value, down.note) == ("3", "orders; quotes")
    assert (busy.value, busy.note) == ("2", "budget: 429")


def test_a_link_that_is_told_to_be_what_it_is_changes_nothing() -> None:
    desk = kept_desk()
    assert change(desk, VenueLink.ORDERS, is_up=True) == []
    change(desk, VenueLink.ORDERS, is_up=False)
    assert change(desk, VenueLink.ORDERS, is_up=False, after_ns=SECOND_NS) == []
    assert desk.books.this_run.links_down[VenueLink.ORDERS].since_ns == desk.now_ns - SECOND_NS


def test_a_link_is_never_down_since_a_time_to_come() -> None:
    desk = kept_desk()
    tell(desk, LinkChanged(VenueLink.ORDERS, False, desk.now_ns + SECOND_NS))
    assert desk.books.this_run.links_down[VenueLink.ORDERS].since_ns == desk.now_ns


@pytest.mark.parametrize("link", VenueLink)
def test_rule_46_entries_at_work_stay_and_stops_and_exits_leave(link: VenueLink) -> None:
    desk = entered_desk()
    step = tell(desk, LinkChanged(link, False, desk.now_ns))
    assert step.commands == ()
    (stop,) = submits(trade(desk, "ABCDEF1E1", "10"))
    assert stop.quantity == 10
    (closing,) = submits(send(desk, signal("b", side="close", quantity=None)))
    assert closing.reduce_only


@pytest.mark.parametrize("link", VenueLink)
def test_rule_46_an_entry_that_waits_to_leave_when_a_link_goes_down_does_not(
    link: VenueLink,
) -> None:
    desk = kept_desk()
    (entry,) = submits(send(desk, signal("a")))
    change(desk, link, is_up=False)
    newest = quote(desk.now_ns)
    found = last_check.refusal(desk.books, entry, newest, desk.now_ns, 0)
    assert found is REFUSED_FOR[link]
    change(desk, link, is_up=True)
    assert last_check.refusal(desk.books, entry, newest, desk.now_ns, 0) is None


@pytest.mark.parametrize("link", VenueLink)
def test_rule_46_after_the_account_stream_is_back_a_comparison_is_asked_for(
    link: VenueLink,
) -> None:
    desk = kept_desk()
    enter(desk, signal("a"))
    change(desk, link, is_up=False)
    step = tell(desk, LinkChanged(link, True, desk.now_ns))
    expected = (Compare(""),) if link is VenueLink.ACCOUNT_STREAM else ()
    assert step.commands == expected


def test_each_start_begins_with_a_connection_of_its_own() -> None:
    desk = kept_desk()
    change(desk, VenueLink.ORDERS, is_up=False)
    again = loaded_again(desk)
    assert venue_links.refusal(again.books) is None
    start(desk, after_ns=1)
    assert venue_links.refusal(desk.books) is None, "where a journal is decided again on one desk"


@pytest.mark.parametrize("link", VenueLink)
def test_rule_46_an_entry_that_waits_to_be_durable_when_a_link_goes_down_is_denied(
    link: VenueLink,
) -> None:
    story = begin()
    story.memory.is_slow = True
    story.ask(signal("in"))
    story.say(LinkChanged(link, False, story.loop.now_ns))
    story.memory.heal()
    story.at()
    reason = Reason.VENUE_BUSY if link is VenueLink.BUDGET else Reason.VENUE_DOWN
    assert SendRefused(f"{CODE}1E1", reason) in story.events
    assert story.venue.take(Submit) == []


# -- codes that are in no table --------------------------------------------------------------------


def test_rule_44_a_code_that_is_in_no_table_is_an_incident_that_names_it() -> None:
    desk = entered_desk()
    before = dict(desk.books.orders)
    told = UnlistedCode("-4242", "what is this", desk.now_ns, "ABCDEF1E1")
    step = tell(desk, told)
    assert (step.commands, desk.books.orders) == ((), before)
    (incident,) = desk.kept.all(Incident)
    assert (incident.kind, incident.value) == (Reason.UNLISTED_CODE, "-4242")
    assert (incident.client_order_id, incident.va_id) == ("ABCDEF1E1", "VA001")
    assert incident.detail == "what is this"


def test_a_code_is_told_once_a_minute_of_each_order() -> None:
    desk = entered_desk()

    def told(code: str, order_id: str, after_ns: int = 0) -> bool:
        ts_ns = desk.now_ns + after_ns
        return bool(tell(desk, UnlistedCode(code, "", ts_ns, order_id), after_ns).changes)

    assert told("502", "")
    assert not told("502", "", 59 * SECOND_NS)
    assert told("502", "ABCDEF1E1")
    assert told("503", "")
    assert told("502", "", SECOND_NS)
    assert len(desk.books.this_run.unlisted_at_ns) == 3, "what is older is forgotten"
