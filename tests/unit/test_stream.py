"""The stream: every stored turn once, in order, from where a reader left off."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pointsman.api import stream
from pointsman.api.stream_tail import StreamTail
from pointsman.domain.commands import Record
from pointsman.domain.events import Paused
from pointsman.execution.ports import JournalEntry
from pointsman.storage.journal import turns
from pointsman.storage.reader import open_reader
from pointsman.storage.sqlite_manager import SqliteManager
from tests.http_stories import READ, TOKENS, Served


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with Served(tmp_path, TOKENS) as served:
        yield served


def stored(served: Served) -> list[tuple[int, str]]:
    with closing(open_reader(served.database)) as connection:
        return [(turn.sequence, turn.kind) for turn in turns(connection)]


def events(text: bytes) -> list[tuple[int, str, dict[str, Any]]]:
    """The events of a stream's text: id, event, data."""
    told = []
    for block in text.decode().split("\n\n"):
        fields = dict(
            line.split(": ", 1) for line in block.splitlines() if not line.startswith(":")
        )
        if "id" in fields:
            told.append((int(fields["id"]), fields["event"], json.loads(fields["data"])))
    return told


def told_by(
    served: Served, after: int, stopping: threading.Event | None = None
) -> AsyncIterator[bytes]:
    """A stream of its own."""
    tail = StreamTail(lambda after: stream._batch(served.engine, after))
    return stream._events(served.engine, tail, after, stopping or threading.Event())


async def read(
    text: AsyncIterator[bytes], count: int, most: int = 1_000
) -> list[tuple[int, str, dict[str, Any]]]:
    """The next `count` events, of which `most` come at once."""
    found: list[tuple[int, str, dict[str, Any]]] = []
    async with asyncio.timeout(5):
        while len(found) < count:
            batch = events(await anext(text))
            assert len(batch) <= most
            found += batch
    return found


async def test_it_goes_on_after_any_id_in_bounded_batches(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "BATCH_LEN", 4)
    everything = stored(served)
    for after in (0, 1, 7, len(everything) - 1):
        text = told_by(served, after)
        told = await read(text, len(everything) - after, most=4)
        assert [(number, kind) for number, kind, _ in told] == everything[after:]


async def test_an_event_tells_the_turn_and_the_records_that_changed(served: Served) -> None:
    text = told_by(served, 2)
    ((sequence, kind, data), *_) = await read(text, 1)
    assert (sequence, kind) == (3, data["kind"])
    assert list(data) == ["sequence", "time", "kind", "event", "changes"]
    assert data["time"].startswith("2018-01-02T14:30:0")
    assert all("record" in change for change in data["changes"])


async def test_what_is_stored_later_is_told_when_it_is_stored_and_silence_is_filled(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "HEARTBEAT_SECONDS", 0.3)
    monkeypatch.setattr(stream, "LATE_SECONDS", 0.1)
    last = len(stored(served))
    text = told_by(served, last)
    assert await anext(text) == b"retry: 2000\n\n"
    assert await asyncio.wait_for(anext(text), 5) == b": alive\n\n"
    paused = Paused("VA001", "ann", "lunch")
    changed: tuple[Record, ...] = ()
    manager = SqliteManager(served.database)
    manager.open()
    manager.append([JournalEntry(10**18, paused, changed)])
    manager.close()
    ((sequence, kind, data),) = await read(text, 1)
    assert (sequence, kind, data["event"]["note"]) == (last + 1, "Paused", "lunch")


async def test_it_ends_with_the_server(served: Served) -> None:
    stopping = threading.Event()
    text = told_by(served, 0, stopping)
    await anext(text)
    stopping.set()
    rest = [chunk async for chunk in text]
    assert len(rest) <= 1


@pytest.mark.parametrize(
    ("header", "query", "status"),
    [("999999", None, 422), (None, "999999", 422), ("x", None, 422), (None, "-1", 422)],
)
def test_an_id_that_was_never_given_is_refused(
    served: Served, header: str | None, query: str | None, status: int
) -> None:
    headers = {} if header is None else {"Last-Event-ID": header}
    params = {} if query is None else {"last_event_id": query}
    answer = served.client(READ).get("/stream", headers=headers, params=params)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_only_so_many_stream_at_once_and_one_that_ends_makes_room(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "STREAMS_MAX", 0)
    refused = served.client(READ).get("/stream")
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "5")
    monkeypatch.setattr(stream, "STREAMS_MAX", 1)
    served.app.state.stopping.set()
    for _ in range(3):
        assert served.client(READ).get("/stream").status_code == 200
