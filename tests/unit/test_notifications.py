"""Notices: one a minute of each kind, none lost from the count, nothing that waits or gives away an
address."""

import json
import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue

import pytest
from pydantic import SecretStr

from pointsman.config.problems import SettingsError
from pointsman.domain.accounts import Incident
from pointsman.domain.commands import Step
from pointsman.domain.events import Killed
from pointsman.domain.reasons import Reason
from pointsman.service import notifications as told
from pointsman.service.notifications import Kind, Notifications, addresses_in, sender_to

PATIENCE_SECONDS = 20.0
SECRET = "hush-hush-secret"

loads_apprise = pytest.mark.filterwarnings("ignore::DeprecationWarning")
"""It imports all of its services, some of them by way of deprecated modules."""


class Desk:
    """Notices whose clock stands still, with what they sent and complained of."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        self.sent: Queue[tuple[str, str]] = Queue(100)
        self.complaints: Queue[str] = Queue(100)
        self.send: Callable[[str, str], list[int]] = self._take
        self.notices = Notifications("t.db", lambda *words: self.send(*words), self.complaints.put)
        monkeypatch.setattr("pointsman.service.notifications.time.monotonic", lambda: self.now)

    def _take(self, title: str, text: str) -> list[int]:
        self.sent.put((title, text))
        return []

    def next(self) -> tuple[str, str]:
        return self.sent.get(timeout=PATIENCE_SECONDS)

    def later(self, seconds: float) -> None:
        """Time goes on, and the thread looks again."""
        with self.notices._changed:
            self.now += seconds
            self.notices._changed.notify_all()


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    desk = Desk(monkeypatch)
    desk.notices.start()
    yield desk
    desk.notices.stop()
    assert not desk.notices.is_alive


def incident(kind: Reason = Reason.NAKED_POSITION, number: int = 1) -> Incident:
    return Incident(f"I{number}", 0, kind, "VA001", "XXX", "ABCDEF1E1", "2.5", "2", "no stop")


def test_an_incident_of_a_turn_is_told_with_all_that_is_known_of_it(desk: Desk) -> None:
    desk.notices.turn(Killed(False, "ann", "x"), Step((incident(),)))
    title, text = desk.next()
    assert title == "pointsman: NAKED_POSITION"
    assert text.splitlines() == [
        f"{Reason.NAKED_POSITION.sentence} (incident I1, 1970-01-01T00:00:00.000000Z)",
        "account: VA001",
        "symbol: XXX",
        "order: ABCDEF1E1",
        "value: 2.5",
        "limit: 2",
        "detail: no stop",
        "engine: t.db",
    ]


def test_of_a_kind_one_a_minute_goes_out_and_the_rest_is_counted(desk: Desk) -> None:
    desk.notices.say(Kind.STORAGE_FAILS, "first")
    assert desk.next()[1] == "first\nengine: t.db"
    for number in range(5):
        desk.notices.say(Kind.STORAGE_FAILS, f"again {number}")
    desk.later(told.EVERY_SECONDS - 1)
    desk.notices.say(Kind.STORAGE_WORKS, "another kind")
    assert desk.next()[0] == "pointsman: STORAGE_WORKS"
    assert desk.sent.empty()
    desk.later(1)
    expected = "again 4\n4 more of this kind were held back\nengine: t.db"
    assert desk.next() == ("pointsman: STORAGE_FAILS", expected)


def test_after_a_quiet_minute_the_next_is_told_at_once_and_alone(desk: Desk) -> None:
    desk.notices.say(Kind.ENGINE_STARTED, "one")
    desk.next()
    desk.later(told.EVERY_SECONDS)
    desk.notices.say(Kind.ENGINE_STARTED, "two")
    assert desk.next()[1] == "two\nengine: t.db"


def test_an_address_that_hangs_holds_up_neither_the_caller_nor_the_count(desk: Desk) -> None:
    is_open, is_reached = threading.Event(), threading.Event()

    def hang(title: str, text: str) -> list[int]:
        is_reached.set()
        is_open.wait(PATIENCE_SECONDS)
        return desk._take(title, text)

    desk.send = hang
    desk.notices.say(Kind.ENGINE_STARTED, "hangs")
    assert is_reached.wait(PATIENCE_SECONDS)
    began = time.perf_counter()
    for number in range(10_000):
        desk.notices.turn(Killed(False, "ann", "x"), Step((incident(number=number),)))
    assert time.perf_counter() - began < PATIENCE_SECONDS / 2
    assert len(desk.notices._waiting) == 1
    is_open.set()
    assert desk.next()[1].startswith("hangs")
    assert "9999 more of this kind were held back" in desk.next()[1]


def test_what_a_service_raises_is_complained_of_without_its_text_and_ends_nothing(
    desk: Desk,
) -> None:
    def burst(_title: str, _text: str) -> list[int]:
        raise ValueError(f"https://host/{SECRET}")

    desk.send = burst
    desk.notices.say(Kind.ENGINE_FAULT, "one")
    complaint = desk.complaints.get(timeout=PATIENCE_SECONDS)
    assert complaint == "notice ENGINE_FAULT was not delivered: ValueError"
    assert desk.notices.is_alive
    desk.send = desk._take
    desk.notices.say(Kind.ENGINE_STARTED, "two")
    assert desk.next()[1].startswith("two")


def test_failures_are_complained_of_once_a_minute(desk: Desk) -> None:
    desk.send = lambda title, text: [*desk._take(title, text), 2]
    for kind in (Kind.ENGINE_STARTED, Kind.STORAGE_FAILS, Kind.STORAGE_WORKS):
        desk.notices.say(kind, "x")
        desk.next()
    desk.later(told.EVERY_SECONDS)
    desk.notices.say(Kind.ENGINE_FAULT, "x")
    desk.next()
    desk.notices.stop()
    complaints = [desk.complaints.get_nowait() for _ in range(2)]
    assert complaints == [
        "notice ENGINE_STARTED was not delivered: address 2 did not accept it",
        "notice ENGINE_FAULT was not delivered: address 2 did not accept it"
        " (3 since the last report)",
    ]
    assert desk.complaints.empty()


def test_the_last_notice_goes_out_before_the_end(desk: Desk) -> None:
    desk.notices.say(Kind.ENGINE_FAULT, "the end")
    desk.notices.stop()
    assert desk.sent.get_nowait()[1] == "the end\nengine: t.db"


def test_without_addresses_there_is_nothing_to_do_and_nothing_wrong() -> None:
    notices = Notifications("t.db", sender_to(None), pytest.fail)
    notices.start()
    notices.say(Kind.ENGINE_STARTED, "x")
    assert notices.is_alive
    assert not notices._waiting
    notices.stop()


# --- addresses ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("json://a/b", ["json://a/b"]),
        ("json://a, slack://b\n tgram://c", ["json://a", "slack://b", "tgram://c"]),
        ("json://a,slack://b", ["json://a", "slack://b"]),
        ("mailto://u:p@h?to=a@b.c,d@e.f", ["mailto://u:p@h?to=a@b.c,d@e.f"]),
        ("json://a oops", ["json://a", "oops"]),
    ],
)
def test_addresses_are_separated_by_spaces_or_commas(text: str, addresses: list[str]) -> None:
    assert addresses_in(text) == addresses


@loads_apprise
def test_an_address_that_cannot_be_used_is_pointed_out_without_showing_it() -> None:
    with pytest.raises(SettingsError) as caught:
        sender_to(SecretStr(f"json://127.0.0.1/ slack://{SECRET}"))
    (problem,) = caught.value.problems
    assert problem.variable == "NOTIFY_URLS"
    assert "address 2 of 2" in problem.remedy
    assert SECRET not in str(caught.value)


def test_without_apprise_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(SettingsError, match="pip install apprise"):
        sender_to(SecretStr("json://127.0.0.1/"))


@pytest.fixture
def received() -> Iterator[tuple[str, list[dict[str, str]]]]:
    """A receiver on this machine: its address, and what it got."""
    bodies: list[dict[str, str]] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200 if self.path == "/good" else 500)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"json://127.0.0.1:{server.server_address[1]}", bodies
    server.shutdown()
    server.server_close()


@loads_apprise
def test_a_receiver_gets_title_and_text_and_who_does_not_take_it_is_numbered(
    received: tuple[str, list[dict[str, str]]], capfd: pytest.CaptureFixture[str]
) -> None:
    address, bodies = received
    send = sender_to(SecretStr(f"{address}/good, json://u:{SECRET}@127.0.0.1:1/{SECRET}"))
    assert send is not None
    before = pool_threads()
    assert send("pointsman: KILL_PRESSED", "a <b> & c") == [2]
    assert (bodies[0]["title"], bodies[0]["message"]) == ("pointsman: KILL_PRESSED", "a <b> & c")
    assert pool_threads() == before, "nothing that the end of the program would wait for"
    logging.getLogger("urllib3.connectionpool").warning("retrying %s", SECRET)
    assert capfd.readouterr() == ("", "")


def pool_threads() -> set[str]:
    return {each.name for each in threading.enumerate() if "ThreadPoolExecutor" in each.name}
