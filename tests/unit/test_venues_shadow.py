"""A venue in shadow: orders go to paper, and the account is read for no book."""

import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from pointsman.domain.commands import Compare, Query, Submit
from pointsman.domain.events import LinkChanged, OrderReport, ReportWord, VenueLink
from pointsman.domain.policy import Abilities, PositionMode, ReduceOnlyMode
from pointsman.domain.venue_reports import AccountRead, Snapshot
from pointsman.execution.ports import VenueReply
from pointsman.venues.adapter import NoAnswer
from pointsman.venues.bridge import RealVenue
from pointsman.venues.catalogue import CATALOGUE
from pointsman.venues.read_only import ReadOnly
from pointsman.venues.shadow import READ_EVERY_NS, ShadowVenue, shadow_abilities
from tests.conformance.bench import LONG, entry, open_paper
from tests.scripted_adapter import GOOD, ScriptedAdapter
from tests.unit.test_bridge import NOW_NS, PATIENCE_SECONDS

HELD = AccountRead(holdings=(("XXX", Decimal(1)),), open_orders=0)


class Shadow:
    """A venue in shadow, and what its account is asked."""

    def __init__(self, folder: Path) -> None:
        self.adapter = ScriptedAdapter()
        account = RealVenue(ReadOnly(self.adapter), now_ns=NOW_NS, requests_per_minute=None)
        self.venue = ShadowVenue(account, open_paper(folder / "p.db"))
        self.now_ns = NOW_NS

    def hear(self, is_enough: Callable[[list[VenueReply]], object]) -> list[VenueReply]:
        heard: list[VenueReply] = []
        until = time.monotonic() + PATIENCE_SECONDS
        while not is_enough(heard):
            assert time.monotonic() < until, heard
            time.sleep(0.01)
            self.now_ns += 10**6
            heard += self.venue.receive(self.now_ns)
        return heard

    def compare(self) -> None:
        self.venue.send(Compare(""), self.now_ns)

    def readings(self) -> int:
        return sum(call.route == "GET /positions" for call in self.adapter.calls)


@pytest.fixture
def shadow(tmp_path: Path) -> Iterator[Shadow]:
    shadow = Shadow(tmp_path)
    yield shadow
    shadow.venue.close()
    assert shadow.adapter.is_closed


def read(heard: list[VenueReply]) -> list[VenueReply]:
    return [reply for reply in heard if isinstance(reply, AccountRead)]


def test_a_comparison_is_answered_by_paper_and_the_account_is_told_beside_it(
    shadow: Shadow,
) -> None:
    shadow.compare()
    heard = shadow.hear(lambda heard: len(heard) == 2)
    (snapshot,) = (reply for reply in heard if isinstance(reply, Snapshot))
    assert snapshot.holdings == ()
    assert read(heard) == [HELD]


def test_an_account_that_has_not_changed_is_told_once_and_read_once_a_minute(
    shadow: Shadow,
) -> None:
    shadow.compare()
    shadow.hear(read)
    for _ in range(3):
        shadow.compare()
    shadow.hear(lambda heard: len(heard) == 3)
    assert shadow.readings() == 1
    shadow.now_ns += READ_EVERY_NS
    shadow.compare()
    heard = shadow.hear(lambda heard: bool(heard) and shadow.readings() == 2)
    assert read(heard) == []


def test_a_reading_that_could_not_be_finished_tells_nothing_and_comes_again(
    shadow: Shadow,
) -> None:
    shadow.adapter.answers["GET /positions"].appendleft(NoAnswer("cut"))
    for _ in range(3):
        shadow.adapter.answers["GET /positions"].appendleft(NoAnswer("cut"))
    shadow.compare()
    shadow.hear(bool)
    shadow.hear(lambda _: shadow.venue._read_at_ns is None)
    shadow.adapter.answers["GET /positions"].clear()
    shadow.adapter.answers["GET /positions"].append(GOOD)
    shadow.compare()
    assert read(shadow.hear(read)) == [HELD]


def test_an_order_goes_to_paper_alone(shadow: Shadow) -> None:
    shadow.venue.send(Submit(entry("ABCDEF1E1", LONG, 1, "10")), shadow.now_ns)
    shadow.venue.send(Query("ABCDEF1E1", "XXX"), shadow.now_ns)
    shadow.hear(lambda heard: len(heard) >= 2)
    assert [call.route for call in shadow.adapter.calls] == ["GET /account"]


def test_the_links_of_the_account_are_told_and_its_orders_are_not(shadow: Shadow) -> None:
    down = LinkChanged(VenueLink.ACCOUNT_STREAM, False, NOW_NS, "gone")
    foreign = OrderReport("mine-by-hand", ReportWord.ACCEPTED, NOW_NS)
    for reply in (foreign, down, foreign):
        shadow.venue.account._put(reply)
    assert shadow.venue.next_due_ns() is not None
    assert shadow.hear(bool) == [down]


def test_what_the_account_forbids_is_forbidden_and_requests_live_as_on_paper() -> None:
    paper = CATALOGUE["paper"]
    for name, known in CATALOGUE.items():
        can = shadow_abilities(known, paper)
        assert can.entry_beside_stop is known.entry_beside_stop, name
        assert can.stop_beside_entry is known.stop_beside_entry, name
        assert can.max_stops_per_symbol == known.max_stops_per_symbol, name
        assert can.tells_triggered, name
        assert can.requests_end_with_session, name
        assert can.request_expiry_ns is None, name
        assert can.reduce_only is not ReduceOnlyMode.NONE, name
    assert shadow_abilities(CATALOGUE["alpaca"], paper).position_mode is PositionMode.NET
    assert shadow_abilities(CATALOGUE["alpaca"], paper).reduce_only is ReduceOnlyMode.REFUSE
    clips = Abilities(reduce_only=ReduceOnlyMode.CLIP, request_expiry_ns=5)
    assert shadow_abilities(clips, paper).reduce_only is ReduceOnlyMode.CLIP
