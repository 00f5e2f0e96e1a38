"""The control server: it answers on its own threads, is bounded, and presses the latch whatever the
loop does (RULES 30, 34)."""

import json
import os
import select
import socket
import stat
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from pointsman.domain.accounts import Incident, KillState
from pointsman.domain.reasons import Reason
from pointsman.engine import controls
from pointsman.engine.control_client import NoEngine, ask, socket_path, watch
from pointsman.engine.controls import Controls
from pointsman.engine.kill_latch import KillLatch, LatchState, latch_path, read_latch
from pointsman.engine.live_view import LiveView
from pointsman.engine.publisher import Publisher
from pointsman.engine.request_handler import RequestHandler
from pointsman.engine.requests import Kill, Pause, Rearm, Request, Show
from pointsman.engine.snapshot import EngineSnapshot
from pointsman.service.control_server import CONNECTIONS_MAX, ControlServer
from tests import desk_stories as told
from tests.engine_stories import begin

KILL = Kill(reason="drill", by="ann")
REARM = Rearm(reason="over", by="ann")
PAUSE = Pause(va=None, reason="lunch", by="ann")


class Served:
    """A control server before a loop that works when the test lets it."""

    def __init__(self, folder: Path) -> None:
        self.database = folder / "t.db"
        self.story = begin()
        self.latch = KillLatch(latch_path(self.database))
        self.woken = threading.Event()
        self.handler = RequestHandler(
            self.story.loop, self.latch, lambda _va, _now: told.MIDNIGHT_NS, self.woken.set
        )
        self.publisher = Publisher()
        self.answers: list[dict[str, Any]] = []
        self.why = ""
        self.board = LiveView(
            EngineSnapshot(lambda _symbol: None, 1, lambda _symbol: 2),
            self.publisher,
            self.latch,
            lambda: 42,
            dict,
            {},
        )
        control = Controls(
            self.handler.queue, self.latch, lambda: 42, self.woken.set, lambda: self.why
        )
        self.server = ControlServer(self.database, control, self.board)
        self.server.start()

    def asking(self, request: Request) -> "threading.Thread":
        """Ask on another thread; what came back is in `answers`."""
        asking = threading.Thread(target=lambda: self.answers.append(ask(self.database, request)))
        asking.start()
        return asking

    def work(self) -> None:
        """What the loop does after an instant, once it has been woken."""
        assert self.woken.wait(5)
        self.woken.clear()
        self.handler.work()
        self.story.at()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    served = Served(tmp_path)
    yield served
    served.server.stop()


def raw(served: Served, request: bytes) -> dict[str, Any]:
    """Send bytes as they are, and read the answer."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(5)
        connection.connect(os.fspath(socket_path(served.database)))
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        answer: dict[str, Any] = json.loads(connection.makefile().readline())
        return answer


def test_the_socket_is_for_its_owner_alone_and_goes_with_the_server(served: Served) -> None:
    path = socket_path(served.database)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    served.server.stop()
    assert not path.exists()
    with pytest.raises(NoEngine, match="start one with `pointsman run"):
        ask(served.database, PAUSE)


def test_rule_34_a_kill_is_latched_while_the_loop_is_stuck(served: Served) -> None:
    answer = ask(served.database, KILL)
    assert answer == {"ok": True, "durable": True, "state": "halt"}
    assert read_latch(served.latch.path).by == "ann"
    assert ask(served.database, Show())["trading_state"] == "HALTED"
    assert served.woken.is_set(), "the loop is told, when it comes to it"


def test_rule_30_a_kill_that_cannot_be_synced_holds_and_says_so(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_given: object) -> int:
        raise OSError(28, "no space left on device")

    monkeypatch.setattr("pointsman.engine.kill_latch.os.pwrite", full)
    assert ask(served.database, KILL) == {"ok": True, "durable": False, "state": "halt"}
    assert served.latch.latched.state is KillState.HALT


def test_a_command_is_answered_by_the_loop(served: Served) -> None:
    asking = served.asking(PAUSE)
    served.work()
    asking.join(5)
    assert served.answers[0]["ok"]
    assert served.answers[0]["trading_state"] == "REDUCING"


def test_a_command_that_the_loop_does_not_take_is_withdrawn(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(controls, "ANSWER_SECONDS", 0.05)
    answer = ask(served.database, PAUSE)
    assert (answer["ok"], answer["exit"]) == (False, 1)
    assert "withdrawn" in answer["error"]
    served.handler.work()
    assert not served.story.loop.desk.books.kill_switch.is_paused


def test_rearm_opens_the_latch_after_its_event(served: Served) -> None:
    ask(served.database, KILL)
    served.work()
    asking = served.asking(REARM)
    served.work()
    asking.join(5)
    assert (served.answers[0]["ok"], served.answers[0]["trading_state"]) == (True, "ACTIVE")
    assert read_latch(served.latch.path).state is KillState.OFF


def test_a_press_while_it_is_being_rearmed_wins(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(served.database, KILL)
    served.work()
    asking = served.asking(REARM)
    assert served.woken.wait(5)
    release = KillLatch.release

    def press_then_release(latch: KillLatch, cleared: LatchState, press: int) -> bool:
        ask(served.database, KILL)
        return release(latch, cleared, press)

    monkeypatch.setattr(KillLatch, "release", press_then_release)
    served.handler.work()
    served.story.at()
    asking.join(5)
    assert (served.answers[0]["ok"], served.answers[0]["exit"]) == (False, 4)
    served.handler.work()
    assert served.story.loop.desk.books.kill_switch.state is KillState.HALT


def test_rearm_is_refused_while_something_else_says_killed(served: Served) -> None:
    served.why = "KILL_SWITCH_FILE x exists"
    answer = ask(served.database, REARM)
    assert (answer["exit"], answer["error"]) == (4, "KILL_SWITCH_FILE x exists")


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        (b"not json\n", "JSON is malformed"),
        (b'{"verb": "dance"}\n', "verbs: kill, rearm"),
        (b'{"verb": "pause"}\n', "va"),
        (b"{}\n", "verb"),
        (b"", "Input data was truncated"),
        (b'{"verb": "' + b"x" * 70_000, "at most 65536 bytes"),
    ],
)
def test_a_bad_request_is_told_what_would_do(served: Served, request_: bytes, says: str) -> None:
    answer = raw(served, request_)
    assert (answer["ok"], answer["exit"]) == (False, 2)
    assert says in answer["error"]


@pytest.fixture
def all_taken(served: Served) -> Iterator[None]:
    """Every connection that the server admits is open, and idle."""
    with ExitStack() as idle:
        for _ in range(CONNECTIONS_MAX):
            connection = idle.enter_context(socket.socket(socket.AF_UNIX))
            connection.connect(os.fspath(socket_path(served.database)))
        yield


@pytest.mark.usefixtures("all_taken")
def test_there_are_only_so_many_connections_at_once(served: Served) -> None:
    assert "16 connections are open" in ask(served.database, KILL)["error"]


@pytest.mark.usefixtures("all_taken")
def test_a_refusal_is_read_also_where_it_came_before_the_request_was_sent(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect = socket.socket.connect

    def slow(connection: socket.socket, path: str) -> None:
        connect(connection, path)
        hung_up = select.poll()
        hung_up.register(connection, select.POLLHUP)
        assert hung_up.poll(5_000)

    monkeypatch.setattr(socket.socket, "connect", slow)
    assert "16 connections are open" in ask(served.database, KILL)["error"]


def test_whoever_watches_is_sent_what_changes(served: Served) -> None:
    pictures = watch(served.database)
    assert next(pictures)["incidents"] == []
    served.publisher.put((Incident("I1", 5, Reason.CLIPPED),))
    served.board.refresh()
    assert any(picture["incidents"] for picture, _ in zip(pictures, range(3), strict=False))
    served.server.stop()
    assert list(pictures)[2:] == [], "the end of the engine ends it"


def test_rule_34_a_stale_socket_is_replaced(served: Served) -> None:
    path = socket_path(served.database)
    served.server.stop()
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(os.fspath(path))
    assert path.exists()
    again = Served(served.database.parent)
    assert ask(served.database, Show())["now_ns"] == 42
    again.server.stop()


def test_a_path_too_long_for_a_socket_has_one_in_a_private_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = tmp_path / ("d" * 120)
    deep.mkdir()
    short = Path("/tmp") / f"pm-{os.getpid()}"
    short.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(short))
    served = Served(deep)
    path = socket_path(served.database)
    assert path.parent.parent == short
    assert ask(served.database, Show())["now_ns"] == 42
    path.parent.chmod(0o777)
    with pytest.raises(NoEngine):
        ask(served.database, Show())
    with pytest.raises(PermissionError, match="belongs to somebody else"):
        Served(deep)
    served.server.stop()
    path.parent.rmdir()
    short.rmdir()
