"""Builders for tests of the ways in over HTTP: the application before an engine that is played."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import httpx

from pointsman.api.ports import EnginePort
from pointsman.api.server import build_app
from pointsman.config.settings import resolve_settings
from pointsman.domain.commands import Step
from pointsman.domain.events import SignalMalformed
from pointsman.domain.market import Quote
from pointsman.domain.signals import Action, Decision, Outcome, Signal
from pointsman.engine.live_loop import InboxFull

NOW_NS = 1_767_609_000 * 10**9
FULL = {"signal_id": "s1", "va_id": "VA001", "symbol": "AAPL", "side": "buy", "quantity": "10"}

Play = Callable[[Signal, Future[Step]], None]
"""What the engine does with a signal that is offered."""


def accepts(signal: Signal, future: Future[Step]) -> None:
    """Accept it at once."""
    future.set_running_or_notify_cancel()
    future.set_result(Step(decision=accepted(signal)))


def leaves_waiting(_signal: Signal, _future: Future[Step]) -> None:
    """Do nothing."""


def is_deciding(_signal: Signal, future: Future[Step]) -> None:
    """Begin to decide it, and never end."""
    future.set_running_or_notify_cancel()


def has_no_room(_signal: Signal, _future: Future[Step]) -> None:
    raise InboxFull("4096 signals wait to be decided; send this one again")


def accepted(signal: Signal) -> Decision:
    return Decision(
        signal.signal_id,
        signal.va_id,
        signal.symbol,
        Outcome.ACCEPTED,
        NOW_NS,
        action=Action.ENTRY,
        quantity=signal.quantity,
    )


class Played:
    """An engine that is played. `offered` are the signals that it was given, with their sources,
    `malformed` what it was told of others; `wall_ns` is the wall clock."""

    def __init__(
        self,
        play: Play = accepts,
        feed: Callable[[Sequence[Quote]], int] | None = None,
        database: Path = Path("none.db"),
        **names: str,
    ) -> None:
        self.offered: list[tuple[Signal, str]] = []
        self.malformed: list[SignalMalformed] = []
        self.futures: list[Future[Step]] = []
        self.wall_ns = NOW_NS
        self.play = play
        self.feed = feed
        self.database = database
        self.settings = resolve_settings(names, None, {}).settings

    def offer(self, signal: Signal, source: str) -> Future[Step]:
        future: Future[Step] = Future()
        self.play(signal, future)
        self.offered.append((signal, source))
        self.futures.append(future)
        return future

    def engine(self) -> EnginePort:
        """What the routes know of it."""
        ways: dict[str, Any] = dict.fromkeys(EnginePort._fields) | {
            "database": self.database,
            "settings": self.settings,
            "offer": self.offer,
            "offer_malformed": self.malformed.append,
            "feed": self.feed,
            "complain": print,
            "unready": lambda: {"venue": "not compared yet"},
        }
        return EnginePort(**ways)

    def client(self) -> httpx.AsyncClient:
        """A client of the application, which has a memory of its own."""
        app = build_app(self.engine(), wall_ns=lambda: self.wall_ns)
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://127.0.0.1", timeout=20
        )


async def post(
    played: Played, path: str, content: str | bytes, headers: Mapping[str, str] | None = None
) -> httpx.Response:
    """Post once, to an application that has just been made."""
    async with played.client() as client:
        return await client.post(path, content=content, headers=dict(headers or {}))
