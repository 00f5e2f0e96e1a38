"""The parts: started, stopped and started again by themselves."""

import http.client
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from fastapi import FastAPI

from pointsman.api.server import listen
from pointsman.domain.accounts import KillSwitch
from pointsman.engine.control_client import NoEngine, ask
from pointsman.engine.controls import Controls
from pointsman.engine.kill_latch import KillLatch, latch_path
from pointsman.engine.latch_watch import LatchWatch
from pointsman.engine.live_view import LiveView
from pointsman.engine.publisher import Publisher
from pointsman.engine.request_handler import RequestHandler
from pointsman.engine.requests import Kill, Show
from pointsman.engine.snapshot import EngineSnapshot
from pointsman.service.kill_signals import kill_signals_blocked
from pointsman.service.side_threads import Parts
from tests import desk_stories as told
from tests.engine_stories import begin

PATIENCE_SECONDS = 30.0


def _unheard(_request: Kill, _is_durable: bool) -> None:
    """No kill comes here; `tests/integration/test_kill_paths.py` sends real ones."""


class Body:
    """Parts around a loop that never turns."""

    def __init__(self, folder: Path) -> None:
        self.database = folder / "t.db"
        self.latch = latch = KillLatch(latch_path(self.database))
        handler = RequestHandler(
            begin().loop, latch, lambda _va, _now: told.MIDNIGHT_NS, lambda: None
        )
        board = LiveView(
            EngineSnapshot(lambda _symbol: None, 1, lambda _symbol: 2),
            Publisher(),
            latch,
            lambda: 42,
            dict,
            {},
        )
        controls = Controls(handler.queue, latch, lambda: 42, lambda: None, lambda: "")
        watch = LatchWatch(latch, None, KillSwitch, lambda: None)
        app = FastAPI()
        app.state.stopping = threading.Event()
        app.get("/here")(lambda: "yes")
        self.listener = listener = listen("127.0.0.1", 0)
        self.port = listener.getsockname()[1]
        self.parts = Parts(
            self.database, board, controls, lambda: watch.look(42), app, listener, _unheard
        )
        self.supervised = {part.name: part for part in self.parts.supervised()}

    def status_of_here(self) -> int:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                with closing(http.client.HTTPConnection("127.0.0.1", self.port)) as connection:
                    connection.request("GET", "/here")
                    return connection.getresponse().status
            except OSError:
                assert time.monotonic() < deadline

    def alive(self) -> dict[str, bool]:
        return {name: part.is_alive() for name, part in self.supervised.items()}


@pytest.fixture
def body(tmp_path: Path) -> Iterator[Body]:
    with kill_signals_blocked():
        body = Body(tmp_path)
        yield body
        body.listener.close()
        body.latch.close()


def test_all_live_from_start_to_stop_and_leave_nothing_behind(body: Body) -> None:
    assert set(body.alive()) == {"kill signals", "latch", "picture", "control", "http"}
    body.parts.start()
    assert all(body.alive().values())
    assert body.status_of_here() == 200
    assert ask(body.database, Show())["now_ns"] == 42
    body.parts.stop()
    give_up_at = time.monotonic() + 20
    while any(body.alive().values()):
        assert time.monotonic() < give_up_at, body.alive()
        time.sleep(0.01)
    with pytest.raises(NoEngine):
        ask(body.database, Show())


def test_http_that_has_ended_serves_again_on_the_same_port(body: Body) -> None:
    body.parts.start()
    again = body.supervised["http"].restart
    assert again is not None
    again()
    assert body.status_of_here() == 200
    body.parts.stop()


def test_rule_19_the_latch_is_looked_at_each_second(body: Body) -> None:
    assert body.parts._latch._every_seconds <= 1
