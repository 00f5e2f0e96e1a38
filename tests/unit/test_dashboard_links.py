"""Pictures come from the engine, or from its database with the reason; and stories from there."""

import os
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from rich.console import Console

from pointsman.config.settings import resolve_settings
from pointsman.dashboard import links
from pointsman.dashboard.links import Link, PictureUpdate, Unreachable, follow, link_to
from pointsman.dashboard.panels.kind import Lists
from pointsman.engine import control_client
from pointsman.engine.kill_latch import latch_path, read_latch
from pointsman.engine.requests import Kill, Reconcile
from pointsman.storage import lock
from pointsman.storage.errors import StorageUnavailable
from pointsman.terminal.condition import EngineState
from tests.dashboard_pictures import Document, picture
from tests.story_database import lived_day

ENGINE = picture(market="engine")
STORED = picture(source="database")


def followed(
    watches: list[Iterator[Document] | Unreachable], last: Document | Exception, news: int
) -> list[PictureUpdate]:
    """The first so many news of a link that is watched again and again."""
    told: list[PictureUpdate] = []
    is_over = Event()

    def tell(each: PictureUpdate) -> None:
        told.append(each)
        if len(told) == news:
            is_over.set()

    def watch() -> Iterator[Document]:
        found = watches.pop(0)
        if isinstance(found, Unreachable):
            raise found
        return found

    def stored() -> Document:
        if isinstance(last, Exception):
            raise last
        return last

    def lists(_now_ns: int) -> Lists:
        return Lists()

    link = Link(watch, lambda _: {}, stored, lambda _: None, lists, lambda *_: {}, "UTC")
    follow(link, tell, is_over)
    return told


def test_a_lost_engine_is_replaced_by_its_database_and_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(links, "RETRY_SECONDS", 0)
    watches: list[Iterator[Document] | Unreachable]
    dead = Unreachable("nothing holds it", EngineState.NOT_RUNNING)
    watches = [iter([ENGINE]), dead, iter([ENGINE])]
    assert followed(watches, STORED, 4) == [
        PictureUpdate(ENGINE),
        PictureUpdate(STORED, "the connection has ended", state=EngineState.UNREACHABLE),
        PictureUpdate(STORED, "nothing holds it", state=EngineState.NOT_RUNNING),
        PictureUpdate(ENGINE),
    ]


def test_without_a_database_the_reason_is_told() -> None:
    news = followed([Unreachable("engine not running")], StorageUnavailable("it is gone"), 1)
    assert news == [
        PictureUpdate(None, "engine not running", "it is gone", EngineState.UNREACHABLE)
    ]


@pytest.fixture
def link(tmp_path: Path) -> Link:
    """The link to a stored day that no engine runs on."""
    path = lived_day().store(tmp_path / "trading.db")
    return link_to(resolve_settings({"DATABASE_PATH": str(path)}, None, {}).settings)


def test_without_an_engine_a_link_still_reads(link: Link) -> None:
    with pytest.raises(Unreachable, match="no process holds the database") as lost:
        next(link.watch())
    assert lost.value.state is EngineState.NOT_RUNNING
    with pytest.raises(Unreachable, match="pointsman run"):
        link.ask(Reconcile())
    last = link.last()
    assert last["source"] == "database"
    assert [row["va_id"] for row in last["accounts"]] == ["VA001", "VA002"]
    assert link.zone == "America/New_York"


def test_an_engine_that_holds_its_database_without_a_socket_is_not_called_dead(
    link: Link, tmp_path: Path
) -> None:
    held = lock.acquire((tmp_path / "trading.db").resolve())
    with pytest.raises(Unreachable, match=f"process {os.getpid()} has no control socket") as lost:
        next(link.watch())
    os.close(held)
    assert lost.value.state is EngineState.UNREACHABLE, "it has no socket: that is all one knows"


def test_a_kill_needs_no_engine_on_the_same_machine(link: Link, tmp_path: Path) -> None:
    answer = link.ask(Kill(flatten=True, reason="drill", by="ann, dashboard"))
    assert "the next engine to start will start killed" in answer["told"]
    found = read_latch(latch_path(tmp_path / "trading.db"))
    assert (found.state, found.by, found.note) == ("flatten", "ann, dashboard", "drill")
    assert link.last()["kill"]["state"] == "flatten", "and it is seen"


def test_a_story_is_told_for_a_known_signal(link: Link) -> None:
    console = Console(width=80, record=True, file=StringIO())
    console.print(link.story("loser"))
    assert "STOP_LOSS" in console.export_text()
    assert link.story("unheard of") is None


def test_an_engine_with_too_many_watchers_is_not_taken_for_a_picture(
    link: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_database: Path) -> Iterator[dict[str, Any]]:
        yield {"ok": False, "error": "16 connections are open"}

    monkeypatch.setattr(control_client, "watch", refused)
    with pytest.raises(Unreachable, match="16 connections"):
        next(link.watch())
