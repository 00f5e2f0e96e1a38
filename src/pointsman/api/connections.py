"""Connections: how many there are, and how long one may keep the server waiting.

Beneath HTTP there is nothing but bytes that come slowly, or are never read. Invariants: a
connection that has not sent the whole head of a request in time is closed, and one that does not
read its answer too; their number is limited, and where more come, one that is held for a wrong
token, else one that waits or dawdles, makes room for the new one, so that a kill is never shut out
by callers that are slow or unknown.
"""

import asyncio
from asyncio.events import TimerHandle
from contextlib import suppress
from http import HTTPStatus
from typing import Any

import msgspec
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from pointsman.api.limits import HEADER_BYTES_MAX, HOLD
from pointsman.api.problems import MEDIA_TYPE, HttpProblem, problem_document

CONNECTIONS_MAX = 256
HEAD_SECONDS = 10.0
"""From the first byte of a request, or the connection, to the end of its head."""
READ_SECONDS = 10.0
"""How long an answer may wait for its reader."""
_HEAD_BYTES_MAX = 4 * HEADER_BYTES_MAX
"""Beyond these the head is not even kept."""


class Connection(HttpToolsProtocol):
    """One connection, on the server's loop."""

    _head_timer: TimerHandle | None = None
    _read_timer: TimerHandle | None = None
    _head_bytes = 0
    _is_in_body = False
    _gone: asyncio.Event
    is_held = False
    """Whether its caller waits for the answer to a wrong token."""
    since = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Room is made before it counts."""
        has_room = len(self.connections) < CONNECTIONS_MAX or _make_room(self.connections)
        super().connection_made(transport)
        self._gone = asyncio.Event()
        self.since = self.loop.time()
        if has_room:
            self._expect_head()
        else:
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Its timers go with it."""
        self._stop_timers()
        self._gone.set()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes of a head are counted as long as it is not whole."""
        if not self._is_in_body and self._head_timer is None:
            self._expect_head()
        super().data_received(data)
        if self._head_timer is None or self.transport.is_closing():
            return
        self._head_bytes += len(data)
        if self._head_bytes > _HEAD_BYTES_MAX:
            self._refuse(
                HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
                f"the head of a request has at most {HEADER_BYTES_MAX} bytes",
            )

    def on_message_begin(self) -> None:
        """Called by the parser."""
        if self._head_timer is None:
            self._expect_head()
        super().on_message_begin()
        self.scope["state"][HOLD] = self.hold

    def on_headers_complete(self) -> None:
        """Called by the parser."""
        self._is_in_body = True
        self._stop_head_timer()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Called by the parser."""
        self._is_in_body = False
        self.since = self.loop.time()
        super().on_message_complete()

    def pause_writing(self) -> None:
        """The reader is behind."""
        super().pause_writing()
        self._read_timer = self.loop.call_later(READ_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """The reader has caught up."""
        if self._read_timer is not None:
            self._read_timer.cancel()
            self._read_timer = None
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - the library's signature
        """What the parser could not read."""
        self._refuse(HTTPStatus.BAD_REQUEST, "this is not valid HTTP/1.1")

    async def hold(self, seconds: float) -> None:
        """Let the caller of this request wait; not once it has gone."""
        self.is_held = True
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._gone.wait()
        finally:
            self.is_held = False

    @property
    def keeps_waiting(self) -> bool:
        """Whether the server waits for it: for the rest of a request, the next one, or until it
        reads."""
        return self.flow.write_paused or not self._is_answering

    @property
    def _is_answering(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete and not self._is_in_body

    def _expect_head(self) -> None:
        self._head_bytes = 0
        self._head_timer = self.loop.call_later(HEAD_SECONDS, self._head_is_late)

    def _head_is_late(self) -> None:
        self._head_timer = None
        if self._is_answering:
            self.transport.abort()
            return
        self._refuse(HTTPStatus.REQUEST_TIMEOUT, f"no complete request within {HEAD_SECONDS:g} s")

    def _refuse(self, status: HTTPStatus, detail: str) -> None:
        """Answer without the application, which has no request yet, and hang up."""
        self._stop_timers()
        body = msgspec.json.encode(problem_document(HttpProblem(status, detail)))
        head = (
            f"HTTP/1.1 {status.value} {status.phrase}\r\ncontent-type: {MEDIA_TYPE}\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode("ascii") + body)
        self.transport.close()

    def _stop_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _stop_timers(self) -> None:
        self._stop_head_timer()
        if self._read_timer is not None:
            self._read_timer.cancel()
            self._read_timer = None


def _make_room(connections: set[Any]) -> bool:
    """Hang up on the connection that is held for longest, else on that which has kept the server
    waiting for longest; one whose whole request is being answered stays. Whether there was one."""
    able = [each for each in connections if each.is_held]
    able = able or [each for each in connections if each.keeps_waiting]
    if not able:
        return False
    slowest = min(able, key=lambda each: each.since)
    connections.discard(slowest)
    slowest.transport.abort()
    return True
