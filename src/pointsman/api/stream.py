"""What happens, as it happens: the journal as server-sent events.

Each event is one stored turn and its id the journal's sequence number, so nothing is sent that is
not durable, and a client that comes back with the last id that it saw continues exactly there, also
after a restart of the engine. Invariants: rows are read in bounded batches and sent before the next
are read, so a slow reader holds up nobody and nothing gathers for it; the number of streams at once
is limited.
"""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from contextlib import closing
from http import HTTPStatus
from itertools import islice
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Header, Query
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool
from starlette.types import Receive, Send
from starlette.types import Scope as ASGIScope

from pointsman.api.access import Needs, Scope
from pointsman.api.admission import PREFIX
from pointsman.api.ports import EnginePort
from pointsman.api.problems import HttpProblem, documented, only_known
from pointsman.api.stream_tail import StreamTail, Told
from pointsman.domain.timestamps import iso
from pointsman.reading.documents import Document, to_document
from pointsman.storage import queries
from pointsman.storage.errors import StorageError
from pointsman.storage.journal import Turn, turns
from pointsman.storage.reader import open_as_stored

STREAMS_MAX = 32
BATCH_LEN = 100
LOOK_SECONDS = 0.1
HEARTBEAT_SECONDS = 10.0
LATE_SECONDS = 1.0
"""How long after a notice the database is read: what it announces is durable a little later."""
RETRY_SECONDS = 5
MEDIA_TYPE = "text/event-stream"

_ID = r"[0-9]{1,18}"
_Last = Annotated[
    str | None,
    Query(pattern=f"^{_ID}$", description="Continue after this id; 0 starts from the beginning."),
]
_LastHeader = Annotated[
    str | None,
    Header(alias="Last-Event-ID", pattern=f"^{_ID}$", description="The same; it takes precedence."),
]


def stream_routes(engine: EnginePort, stopping: threading.Event) -> APIRouter:
    """The route of the stream. Streams end when `stopping` is set."""
    known = [Depends(Needs(Scope.READ)), Depends(only_known)]
    routes = APIRouter(prefix=PREFIX, tags=["read"], dependencies=known)
    streams: set[_Stream] = set()
    tail = StreamTail(lambda after: _batch(engine, after))

    @routes.get(
        "/stream",
        response_class=StreamingResponse,
        responses={
            200: {"content": {MEDIA_TYPE: {"schema": {"type": "string"}}}},
            **documented(HTTPStatus.SERVICE_UNAVAILABLE),
        },
    )
    async def stream(
        last_event_id: _Last = None, last_event_id_header: _LastHeader = None
    ) -> StreamingResponse:
        """Every stored turn from now on, or after an id: `id` its sequence number, `event` its
        kind, `data` {sequence, time, kind, event, changes}."""
        after = await run_in_threadpool(_start, engine, last_event_id_header or last_event_id)
        if len(streams) >= STREAMS_MAX:
            text = f"{STREAMS_MAX} streams are open, the maximum; close one"
            retry = {"Retry-After": str(RETRY_SECONDS)}
            raise HttpProblem(HTTPStatus.TOO_MANY_REQUESTS, text, retry)
        return _Stream(_events(engine, tail, after, stopping), streams)

    return routes


class _Stream(StreamingResponse):
    """An answer that counts as open until it ends, however it ends."""

    def __init__(self, events: AsyncIterator[bytes], streams: "set[_Stream]") -> None:
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        super().__init__(events, media_type=MEDIA_TYPE, headers=headers)
        self._streams = streams
        streams.add(self)

    async def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._streams.discard(self)


def _start(engine: EnginePort, asked: str | None) -> int:
    """The sequence number after which a stream begins. Raises Problem 422 for one that is yet to
    come, 503 where the database cannot be read."""
    try:
        with closing(open_as_stored(engine.database)) as connection:
            newest = queries.rows(connection, queries.LAST_TURN)
    except StorageError as error:
        raise HttpProblem(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "the database cannot be read now; the log of the engine says why",
            {"Retry-After": str(RETRY_SECONDS)},
        ) from error
    last = newest[0][0] if newest else 0
    if asked is None:
        return last
    if int(asked) > last:
        text = f"last_event_id: the newest id is {last}; this one is of another database"
        raise HttpProblem(HTTPStatus.UNPROCESSABLE_ENTITY, text, field="last_event_id")
    return int(asked)


async def _events(
    engine: EnginePort, tail: StreamTail, after: int, stopping: threading.Event
) -> AsyncIterator[bytes]:
    """The text of the stream, a batch at a time."""
    clock = asyncio.get_running_loop().time
    yield b"retry: 2000\n\n"
    number, look_until, beat_at = -1, 0.0, clock() + HEARTBEAT_SECONDS
    while not stopping.is_set():
        now, newest = clock(), engine.board.number
        if newest != number:
            number, look_until = newest, now + LATE_SECONDS
        is_beat = now >= beat_at
        if now < look_until or is_beat:
            known = tail.known(after)
            batch = await run_in_threadpool(tail.look, after) if known is None else known
            if batch:
                batch = batch[:BATCH_LEN]
                after = batch[-1].sequence
                yield b"".join(each.text for each in batch)
            elif is_beat:
                yield b": alive\n\n"
            if batch or is_beat:
                beat_at = clock() + HEARTBEAT_SECONDS
            if len(batch) == BATCH_LEN:
                look_until = clock() + LATE_SECONDS
                continue
        await asyncio.sleep(LOOK_SECONDS)


def _batch(engine: EnginePort, after: int) -> list[Told]:
    """The next turns; none while the database cannot be read."""
    try:
        with closing(open_as_stored(engine.database)) as connection:
            return [_told(turn) for turn in islice(turns(connection, after), BATCH_LEN)]
    except (StorageError, sqlite3.Error) as error:
        engine.complain(f"HTTP could not read the journal: {error}")
        return []


def _told(turn: Turn) -> Told:
    data = msgspec.json.encode(turn_document(turn))
    text = b"id: %d\nevent: %s\ndata: %s\n\n" % (turn.sequence, turn.kind.encode(), data)
    return Told(turn.sequence, text)


def turn_document(turn: Turn) -> Document:
    """One turn for programs. `event` is null where another version wrote it in its own way."""
    return {
        "sequence": turn.sequence,
        "time": iso(turn.time_ns),
        "kind": turn.kind,
        "event": to_document(turn.event),
        "changes": [
            {"record": type(record).__name__, **to_document(record)} for record in turn.changes
        ],
    }
