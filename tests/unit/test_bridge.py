"""Between the engine's thread and the venue's: nothing waits, nothing important is dropped, and a
fault of ours comes out where it stops the engine."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator

import pytest

from pointsman.domain.commands import Compare, Submit
from pointsman.domain.events import LinkChanged, NotSent, OrderReport, ReportWord, VenueLink
from pointsman.domain.timestamps import SECOND_NS
from pointsman.execution.ports import VenueReply
from pointsman.venues import bridge
from pointsman.venues.adapter import ConnectionFailed
from pointsman.venues.bridge import EngineTime, RealVenue
from pointsman.venues.errors import VenueRefused, VenueUnreachable
from pointsman.venues.outcome import Answer
from tests.conformance.bench import LONG, entry, stop
from tests.scripted_adapter import GOOD, ScriptedAdapter

PATIENCE_SECONDS = 30.0
NOW_NS = 1_700_000_000 * SECOND_NS


class Engine:
    """The engine's side of a venue."""

    def __init__(self) -> None:
        self.adapter = ScriptedAdapter()
        self.is_woken = threading.Event()
        self.venue = RealVenue(self.adapter, now_ns=NOW_NS, requests_per_minute=None)

    def receive(self, is_enough: Callable[[list[VenueReply]], bool]) -> list[VenueReply]:
        taken: list[VenueReply] = []
        until = time.monotonic() + PATIENCE_SECONDS
        while not is_enough(taken):
            assert time.monotonic() < until, taken
            self.is_woken.wait(0.05)
            self.is_woken.clear()
            taken += self.venue.receive(NOW_NS)
        return taken


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = Engine()
    engine.venue.start(engine.is_woken.set)
    yield engine
    engine.venue.close()
    assert engine.adapter.is_closed


def test_an_order_goes_over_and_its_report_comes_back(engine: Engine) -> None:
    assert engine.venue.next_due_ns() is None
    engine.venue.send(Submit(entry("ABCDEF1E1", LONG, 1, "10")), NOW_NS)
    (report,) = engine.receive(bool)
    assert isinstance(report, OrderReport)
    assert report.kind is ReportWord.ACCEPTED
    assert engine.venue.next_due_ns() is None


def test_handing_over_never_waits_for_the_venue(engine: Engine) -> None:
    engine.adapter.delays["POST /order"] = 3.0
    began = time.monotonic()
    for number in range(50):
        engine.venue.send(Submit(stop(f"ABCDEF{number}S1", LONG, 1, "9")), NOW_NS)
    assert time.monotonic() - began < 3.0
    assert len(engine.receive(lambda taken: len(taken) == 50)) == 50


def test_beyond_the_bound_entries_are_given_back_and_stops_are_not(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bridge, "REQUESTS_MAX", 0)
    engine.venue.send(Submit(stop("ABCDEF1S1", LONG, 1, "9")), NOW_NS)
    engine.venue.send(Submit(entry("ABCDEF2E1", LONG, 1, "10")), NOW_NS)
    engine.venue.send(Compare(""), NOW_NS)
    engine.venue.send(Submit(stop("ABCDEF3S1", LONG, 1, "9")), NOW_NS)
    taken = engine.receive(lambda taken: len(taken) >= 3)
    assert {(type(reply), getattr(reply, "client_order_id", "")) for reply in taken} == {
        (OrderReport, "ABCDEF1S1"),
        (NotSent, "ABCDEF2E1"),
        (OrderReport, "ABCDEF3S1"),
    }


def test_an_engine_that_lags_loses_the_stream_and_says_so(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bridge, "REPLIES_MAX", 10)
    report = OrderReport("ABCDEF1E1", ReportWord.ACCEPTED, 1)
    for _ in range(30):
        engine.venue._put(report)
    taken = engine.venue.receive(NOW_NS)
    assert taken[:10] == [report] * 10
    links = [(r.link, r.is_up) for r in taken[10:] if isinstance(r, LinkChanged)]
    assert links == [(VenueLink.ACCOUNT_STREAM, False), (VenueLink.ACCOUNT_STREAM, True)]
    assert len(taken) == 12


def test_a_fault_on_the_venues_thread_stops_the_engine() -> None:
    engine = Engine()
    engine.adapter.connections = deque([[[], KeyError("px")]])
    engine.venue.start(engine.is_woken.set)
    with pytest.raises(KeyError, match="px"):
        engine.receive(lambda taken: len(taken) > 1)
    assert engine.venue.next_due_ns() is not None
    engine.venue.close()


def test_a_fault_in_a_request_stops_the_engine(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine.adapter, "submit", lambda _order: 1 / 0)
    engine.venue.send(Submit(entry("ABCDEF1E1", LONG, 1, "10")), NOW_NS)
    with pytest.raises(ZeroDivisionError):
        engine.receive(bool)


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (Answer(status=401, body="no such key"), VenueRefused, "no such key"),
        (Answer(status=500, body="oops"), VenueUnreachable, "oops"),
        (ConnectionFailed("connection refused"), VenueUnreachable, "connection refused"),
    ],
)
def test_an_account_that_cannot_be_opened_says_why(
    answer: Answer | Exception,
    error: type[Exception],
    words: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    adapter = ScriptedAdapter()
    adapter.answers["GET /account"] = deque([answer])
    with pytest.raises(error, match=words):
        RealVenue(adapter, now_ns=NOW_NS, requests_per_minute=None)
    assert adapter.is_closed
    monkeypatch.setattr(bridge, "OPEN_SECONDS", 0.05)
    adapter.answers["GET /account"] = deque([GOOD])
    adapter.delays["GET /account"] = 5.0
    with pytest.raises(VenueUnreachable, match="has not answered"):
        RealVenue(adapter, now_ns=NOW_NS, requests_per_minute=None)


def test_the_time_of_the_engine_goes_on_and_never_falls() -> None:
    clock = EngineTime(NOW_NS)
    first = clock.now_ns()
    clock.set(NOW_NS - SECOND_NS)
    second = clock.now_ns()
    clock.set(NOW_NS + 100 * SECOND_NS)
    assert NOW_NS <= first <= second < NOW_NS + 100 * SECOND_NS <= clock.now_ns()
