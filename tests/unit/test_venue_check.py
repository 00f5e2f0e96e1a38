"""The certificate: kept where a venue does what is promised, and where it does not the promise that
was broken is named, and the account left flat."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from pointsman.domain.commands import Cancel, Query, Submit
from pointsman.domain.events import OrderReport, ReportWord
from pointsman.domain.market import Quote
from pointsman.domain.orders import Role
from pointsman.domain.venue_reports import Snapshot
from pointsman.engine.venue_check import Promise, Walk
from pointsman.engine.venue_conversation import Line
from pointsman.execution.ports import VenueReply, VenueRequest
from pointsman.venues.paper.venue import PaperVenue
from tests.conformance.bench import INSTRUMENTS, open_paper, row

replace = msgspec.structs.replace

MS_NS = 1_000_000
CODE = "CHECKA"
Filter = Callable[[VenueReply], VenueReply | None]
"""What a test does to each reply; None loses it."""


class Market:
    """A paper venue, its market, and what stands between it and the walk."""

    def __init__(self, path: Path) -> None:
        self.paper: PaperVenue = open_paper(path)
        self.abilities = self.paper.abilities
        self.instruments = self.paper.instruments
        self.now = 1_000 * MS_NS
        self.change: Filter = lambda reply: reply
        self.swallow: Callable[[VenueRequest], bool] = lambda _request: False
        self.next_due_ns = self.paper.next_due_ns
        self.known_until_ns = self.paper.known_until_ns
        self.is_under_way = self.paper.is_under_way
        self.finish = self.paper.finish
        self.close = self.paper.close

    def send(self, request: VenueRequest, now_ns: int) -> None:
        if not self.swallow(request):
            self.paper.send(request, now_ns)

    def receive(self, now_ns: int) -> list[VenueReply]:
        changed = [self.change(reply) for reply in self.paper.receive(now_ns)]
        return [reply for reply in changed if reply is not None]

    def quote(self) -> Quote:
        return row(self.now, "100.00", "100.02")

    def pass_time(self) -> None:
        self.now += 50 * MS_NS
        self.paper.on_quote(self.quote())

    def line(self) -> Line:
        return Line(
            venue=self,
            now_ns=lambda: self.now,
            pass_time=self.pass_time,
            newest_quote=self.quote,
        )

    def walk(self) -> Walk:
        return Walk(self.line(), INSTRUMENTS["XXX"], CODE)


@pytest.fixture
def market(tmp_path: Path) -> Market:
    market = Market(tmp_path / "paper.db")
    market.pass_time()
    return market


def test_the_paper_venue_keeps_every_promise(market: Market) -> None:
    told: list[Promise] = []
    verdicts = market.walk().run(lambda verdict: told.append(verdict.promise))
    assert [(one.promise, one.is_kept, one.detail) for one in verdicts if not one.is_kept] == []
    assert told == list(Promise)
    assert market.paper.ledger.open_orders == {}
    assert market.paper.ledger.holdings() == ()


def lose_stops_from_lists(reply: VenueReply) -> VenueReply:
    return replace(reply, open_orders=()) if isinstance(reply, Snapshot) else reply


def never_acknowledge(reply: VenueReply) -> VenueReply | None:
    is_word = isinstance(reply, OrderReport) and reply.kind is ReportWord.ACCEPTED
    return None if is_word else reply


def lose_ends_of_stops(reply: VenueReply) -> VenueReply | None:
    is_stop = isinstance(reply, OrderReport) and "S" in reply.client_order_id[6:]
    is_end = isinstance(reply, OrderReport) and reply.kind is ReportWord.CANCELED
    return None if is_stop and is_end else reply


def shrink_stops(reply: VenueReply) -> VenueReply:
    if not isinstance(reply, Snapshot):
        return reply
    return replace(
        reply,
        open_orders=tuple(replace(one, quantity=one.quantity / 2) for one in reply.open_orders),
    )


def tell_half_of_a_fill(reply: VenueReply) -> VenueReply:
    if isinstance(reply, OrderReport) and reply.fill is not None:
        return replace(reply, fill=replace(reply.fill, quantity=reply.fill.quantity / 2))
    return reply


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        (never_acknowledge, Promise.ENTRY_ACCEPTED),
        (tell_half_of_a_fill, Promise.ENTRY_FILLED),
        (lose_stops_from_lists, Promise.STOP_RESTS),
        (shrink_stops, Promise.STOP_RESTS),
        (lose_ends_of_stops, Promise.CANCEL_CONFIRMED),
    ],
)
def test_the_promise_that_a_venue_breaks_is_named(
    market: Market, change: Filter, broken: Promise
) -> None:
    market.change = change
    verdicts = market.walk().run()
    assert next(one.promise for one in verdicts if not one.is_kept) is broken
    assert verdicts[-1].promise is Promise.FLAT_AFTER


def test_whatever_was_broken_the_walk_ends_flat(market: Market) -> None:
    market.swallow = lambda request: isinstance(request, Query)
    verdicts = market.walk().run()
    assert [one.promise for one in verdicts if not one.is_kept] == [Promise.ENTRY_FILLED]
    assert verdicts[-1].promise is Promise.FLAT_AFTER
    assert market.paper.ledger.holdings() == ()
    assert market.paper.ledger.open_orders == {}


def test_what_is_held_is_exited_although_a_cancel_is_not_confirmed(market: Market) -> None:
    market.swallow = lambda request: isinstance(request, Cancel)
    verdicts = market.walk().run()
    assert verdicts[-2].promise is Promise.CANCEL_CONFIRMED
    assert market.paper.ledger.holdings() == ()
    assert not verdicts[-1].is_kept
    assert verdicts[-1].detail == (
        "0 held, 1 orders open; cancel of CHECKA2S1: not ended within 15 s; close it at the venue "
        "by hand"
    )


def test_an_account_is_flat_by_its_own_words_though_nothing_is_heard_of_the_exit(
    market: Market,
) -> None:
    market.swallow = lambda request: isinstance(request, Query)

    def lose_exits(reply: VenueReply) -> VenueReply | None:
        is_exit = isinstance(reply, OrderReport) and "X" in reply.client_order_id[6:]
        return None if is_exit else reply

    market.change = lose_exits
    last = market.walk().run()[-1]
    assert (last.promise, last.is_kept, last.detail) == (Promise.FLAT_AFTER, True, "")
    assert market.paper.ledger.holdings() == ()


def test_an_account_that_cannot_be_left_flat_is_said_to_be_so(market: Market) -> None:
    def refuses(request: VenueRequest) -> bool:
        is_exit = isinstance(request, Submit) and request.order.role is Role.EXIT
        return is_exit or isinstance(request, Query)

    market.swallow = refuses
    last = market.walk().run()[-1]
    assert (last.promise, last.is_kept) == (Promise.FLAT_AFTER, False)
    assert "close it at the venue by hand" in last.detail


def test_an_account_that_holds_the_symbol_is_not_touched(market: Market) -> None:
    first = market.walk()
    market.swallow = lambda request: (
        isinstance(request, Query)
        or (isinstance(request, Submit) and request.order.role is Role.EXIT)
    )
    first.run()
    market.swallow = lambda _request: False
    sent: list[VenueRequest] = []

    def note(request: VenueRequest) -> bool:
        sent.append(request)
        return False

    market.swallow = note
    (verdict,) = market.walk().run()
    assert (verdict.promise, verdict.is_kept) == (Promise.FLAT_BEFORE, False)
    assert not any(isinstance(request, Submit | Cancel) for request in sent)
