"""Between the engine's thread and the venue's: nothing waits, nothing important is dropped, and a
fault of ours comes out where it stops the engine."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator

import pytest

from pointsman.domain.commands import Compare, Submit
from pointsman.domain.events import LinkChanged, NotSent, OrderReport, ReportWord, VenueLink
from pointsman.domain.policy import Abilities
from pointsman.domain.reasons import Reason
from pointsman.domain.timestamps import SECOND_NS
from pointsman.execution.ports import VenueReply
from pointsman.venues import bridge
from pointsman.venues.adapter import ConnectionFailed, Opening
from pointsman.venues.bridge import EngineTime, RealVenue
from pointsman.venues.dispatcher import ORDER_WAIT_NS
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


def test_an_engine_that_lags_still_hears_what_nothing_says_again(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fault: a link that came up meanwhile stayed down for ever, and the stream counted as up
    although it was not."""
    monkeypatch.setattr(bridge, "REPLIES_MAX", 10)
    report = OrderReport("ABCDEF1E1", ReportWord.ACCEPTED, 1)
    once: list[VenueReply] = [
        LinkChanged(VenueLink.ORDERS, True, 1),
        NotSent("ABCDEF1S1", is_cancel=False, reason=Reason.VENUE_BUSY, ts_ns=1),
        LinkChanged(VenueLink.ACCOUNT_STREAM, False, 1, "gone"),
    ]
    for reply in (*[report] * 11, *once, report):
        engine.venue._put(reply)
    taken = engine.venue.receive(NOW_NS)
    assert taken[-3:] == once
    engine.venue._put(LinkChanged(VenueLink.ACCOUNT_STREAM, True, 2))
    assert len(engine.venue.receive(NOW_NS)) == 1


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


def test_what_a_library_leaves_behind_is_logged_and_stops_nothing(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    loop = engine.venue._asyncio
    told = {"message": "Unclosed connection", "exception": OSError("reset")}
    loop.call_soon_threadsafe(loop.call_exception_handler, told)
    loop.call_soon_threadsafe(lambda: 1 / 0)
    engine.venue.send(Submit(entry("ABCDEF1E1", LONG, 1, "10")), NOW_NS)
    (report,) = engine.receive(bool)
    assert isinstance(report, OrderReport)
    assert "Unclosed connection: reset" in caplog.text


def test_what_is_on_its_way_when_the_engine_ends_is_answered_and_the_rest_given_back(
    engine: Engine,
) -> None:
    """A stop has left and has no answer yet; another one waits for the budget."""
    engine.adapter.delays["POST /order"] = 0.2
    engine.venue.send(Submit(stop("ABCDEF1S1", LONG, 1, "9")), NOW_NS)
    wait_until(lambda: bool(engine.adapter.calls[1:]))
    engine.venue.budget.slow_down(NOW_NS + 3600 * SECOND_NS)
    engine.venue.send(Submit(stop("ABCDEF2S1", LONG, 1, "9")), NOW_NS)
    engine.venue.finish()
    assert engine.venue.is_under_way()
    taken = engine.receive(lambda taken: len(taken) == 2)
    assert {(type(reply), getattr(reply, "client_order_id", "")) for reply in taken} == {
        (NotSent, "ABCDEF2S1"),
        (OrderReport, "ABCDEF1S1"),
    }
    wait_until(lambda: not engine.venue.is_under_way())


def test_a_close_right_after_handing_over_loses_nothing_silently() -> None:
    engine = Engine()
    engine.venue.send(Submit(stop("ABCDEF1S1", LONG, 1, "9")), NOW_NS)
    engine.venue.close()
    (told,) = engine.venue.receive(NOW_NS)
    assert isinstance(told, NotSent | OrderReport)


def wait_until(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.001)


def test_rule_26_a_request_may_arrive_as_late_as_it_may_leave_and_the_venue_takes_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def opened(_adapter: ScriptedAdapter, _read: object) -> Opening:
        return Opening(
            abilities=Abilities(request_expiry_ns=5 * SECOND_NS),
            instruments={},
            requests_per_minute=1200,
            account="a",
        )

    monkeypatch.setattr(ScriptedAdapter, "open", opened)
    venue = RealVenue(ScriptedAdapter(), now_ns=NOW_NS, requests_per_minute=None)
    venue.close()
    assert venue.abilities.request_expiry_ns == 5 * SECOND_NS + ORDER_WAIT_NS


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
