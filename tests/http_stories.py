"""The HTTP application without a port: for tests that ask it in process.

A `Served` stands on the small day of `tests.story_database`, stored in a real database, and on a
real loop of `tests.engine_stories`, whose commands are carried out on a thread of its own as long
as it is not stuck. What is offered to be decided is kept and never decided.
"""

import asyncio
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import closing
from pathlib import Path
from typing import Any, Self

import httpx
from fastapi import FastAPI

from pointsman.api.limits import Rate, RequestLimits
from pointsman.api.meters import Meters
from pointsman.api.ports import EnginePort
from pointsman.api.server import build_app
from pointsman.config.settings import resolve_settings
from pointsman.domain.commands import Step
from pointsman.domain.events import Event, SignalMalformed
from pointsman.domain.signals import Signal
from pointsman.engine.controls import Controls
from pointsman.engine.kill_latch import KillLatch, latch_path
from pointsman.engine.live_view import LiveView
from pointsman.engine.publisher import Publisher
from pointsman.engine.request_handler import RequestHandler
from pointsman.engine.snapshot import EngineSnapshot
from pointsman.execution.outbox import StorageHeld
from pointsman.reading.comparisons import Comparisons
from pointsman.reading.stored_picture import stored_counts, stored_records
from pointsman.storage.reader import open_reader
from pointsman.terminal.why import story_text
from tests import desk_stories as told
from tests import engine_stories, story_database

READ, SIGNAL, CONTROL = "read-0123456789abcdef", "signal-0123456789", "control-0123456789"
TOKENS = {"READ_TOKEN": READ, "SIGNAL_TOKEN": SIGNAL, "CONTROL_TOKEN": CONTROL}
_NO_END = Rate(10**9, 10**9)
UNLIMITED = RequestLimits(_NO_END, _NO_END, _NO_END, _NO_END, _NO_END)
"""As many requests as a test likes."""


class Served:
    """An application, and what stands behind it. Used with `with`."""

    def __init__(
        self,
        folder: Path,
        settings: Mapping[str, str] | None = None,
        limits: RequestLimits | None = None,
        *,
        is_stuck: bool = False,
    ) -> None:
        self.database = story_database.lived_day().store(folder / "t.db")
        self.story = engine_stories.begin()
        self.latch = KillLatch(latch_path(self.database))
        self.offered: list[Signal] = []
        self.malformed: list[SignalMalformed] = []
        self.complaints: list[str] = []
        self.comparisons = Comparisons()
        self.unready: dict[str, str] = {}
        self.publisher = Publisher()
        self._woken = threading.Event()
        handler = RequestHandler(
            self.story.loop, self.latch, lambda _va, _now: told.MIDNIGHT_NS, self._woken.set
        )

        def noted(event: Event, _step: Step) -> None:
            handler.note(event)
            self.comparisons.note(event)

        self.story.loop.on_turn = noted
        self.board = LiveView(self._picture(), self.publisher, self.latch, self._now_ns, dict, {})
        given = {"VIRTUAL_ACCOUNTS": "VA001:100000", **(settings or {})}
        loaded = resolve_settings(given, None, {})
        self.engine = EnginePort(
            self.database,
            loaded.settings,
            self.board,
            Controls(handler.queue, self.latch, self._now_ns, self._woken.set, str),
            self._offer,
            self.malformed.append,
            None,
            lambda: self.unready,
            self.comparisons.documents,
            lambda story: story_text(story, "UTC"),
            self.complaints.append,
            Meters("paper", lambda: 0.0),
        )
        self.app: FastAPI = build_app(self.engine, limits or RequestLimits())
        self._runner = asyncio.Runner()
        self._working = threading.Thread(target=self._work, args=(handler,), daemon=True)
        self._has_ended = is_stuck
        self._working.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_fault: object) -> None:
        self._has_ended = True
        self._woken.set()
        self._working.join(5)
        self._runner.close()
        self.latch.close()

    def client(self, token: str | None = None, address: str = "127.0.0.1") -> "Asking":
        """Somebody who asks from an address, with a token if they have one."""
        return Asking(self.app, self._runner, token, address)

    def _now_ns(self) -> int:
        return self.story.loop.now_ns

    def _picture(self) -> EngineSnapshot:
        picture = EngineSnapshot(lambda _symbol: None, 1, lambda _symbol: 2)
        with closing(open_reader(self.database)) as connection:
            picture.load(stored_records(connection), stored_counts(connection))
        return picture

    def _offer(self, signal: Signal, _source: str) -> Future[Step]:
        self.offered.append(signal)
        future: Future[Step] = Future()
        future.set_exception(StorageHeld("nothing is decided here"))
        return future

    def _work(self, handler: RequestHandler) -> None:
        while not self._has_ended:
            self._woken.wait()
            self._woken.clear()
            handler.work()
            # The venue answers every comparison: there is nothing.
            self.story.say(engine_stories.snapshot(at_ns=self.story.loop.now_ns))
            handler.work()
            self.story.at()


class Asking:
    """Somebody who asks, one request after the other."""

    def __init__(
        self, app: FastAPI, runner: asyncio.Runner, token: str | None, address: str
    ) -> None:
        self._runner = runner
        transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=(address, 50_000))
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        self._client = httpx.AsyncClient(
            transport=transport, base_url="http://127.0.0.1:8080", headers=headers
        )

    def get(self, path: str, **given: Any) -> httpx.Response:
        """GET below /api/v1, or of any path that begins with two slashes."""
        return self.ask("GET", path, **given)

    def post(self, path: str, **given: Any) -> httpx.Response:
        """POST, likewise."""
        return self.ask("POST", path, **given)

    def ask(self, method: str, path: str, **given: Any) -> httpx.Response:
        """Any method, likewise."""
        whole = path[1:] if path.startswith("//") else f"/api/v1{path}"
        return self._runner.run(self._client.request(method, whole, **given))
