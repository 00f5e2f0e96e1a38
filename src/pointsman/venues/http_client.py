"""HTTP and websockets for adapters, in the venue's thread.

Every answer is given as it came. Where there is none, what is certain is kept apart from the rest:

* `ConnectionFailed` only where no connection came about, so that nothing was sent;
* `NoAnswer` for everything else: cut off, too late, half a body.

Nothing is sent twice, since a second cancel would be refused because of the first. Nothing is sent
to another address than the one that was given: redirections are not followed, and no proxy is taken
from the environment, because requests carry keys. Numbers are never binary floats.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import aiohttp
import msgspec
from yarl import URL

from pointsman.outgoing import without_redirections, words_of
from pointsman.venues.adapter import ConnectionFailed, Incomplete, MaySend, NoAnswer, always
from pointsman.venues.outcome import Answer

IDLE_SECONDS = 30.0  # not money: seconds
"""For how long an idle connection is kept: shorter than what venues do, since a request on one that
the venue has just closed has an unknown outcome."""

PING_SECONDS = 15.0  # not money: seconds
"""How often a websocket is tested; it counts as lost when the answer takes half of that."""

FRAME_BYTES_MAX = 16 * 2**20

_DECODER = msgspec.json.Decoder(float_hook=Decimal)


class HttpClient:
    """Belongs to one asyncio loop. `timeout_ms` is how long a request may take as a whole.
    `may_send` is asked before each request but those that only read, when it is signed, its
    connection is there, and nothing is left to do but to write it."""

    def __init__(self, timeout_ms: int, may_send: MaySend = always) -> None:
        self._may_send = may_send
        self._timeout = aiohttp.ClientTimeout(total=timeout_ms / 1000)  # not money: seconds
        self._kept: aiohttp.ClientSession | None = None

    async def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        body: str | bytes | None = None,
    ) -> tuple[Answer, Mapping[str, str]]:
        """Send one request, and give the answer and its headers. Raises ConnectionFailed and
        NoAnswer."""
        try:
            async with self._session().request(
                method,
                URL(url, encoded=True),
                headers=headers,
                data=body,
                allow_redirects=False,
            ) as answer:
                received = await answer.read()
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise ConnectionFailed(_told(error)) from None
        except _MayNotSend:
            raise ConnectionFailed("another engine may send for this desk by now") from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise NoAnswer(_told(error)) from None
        return (
            Answer(
                status=answer.status,
                body=decoded(received),
                retry_after_ms=_retry_after_ms(answer.headers.get("Retry-After")),
            ),
            answer.headers,
        )

    @asynccontextmanager
    async def websocket(self, url: str) -> "AsyncIterator[Socket]":
        """A websocket for as long as it is used. Raises ConnectionFailed and NoAnswer."""
        try:
            connected = await self._session().ws_connect(
                URL(url, encoded=True),
                heartbeat=PING_SECONDS,
                max_msg_size=FRAME_BYTES_MAX,
            )
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise ConnectionFailed(_told(error)) from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise NoAnswer(_told(error)) from None
        async with connected:
            yield Socket(connected)

    async def close(self) -> None:
        """Let go of all connections."""
        if self._kept is not None:
            await self._kept.close()

    def _session(self) -> aiohttp.ClientSession:
        if self._kept is None:
            self._kept = aiohttp.ClientSession(
                timeout=self._timeout,
                trust_env=False,
                trace_configs=[without_redirections(), self._last_question()],
                # As many as there are requests, which the budget bounds: with fewer a stop waits
                # for the answers to questions, and is given up without having left.
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=IDLE_SECONDS),
            )
            # It would send a request other than a POST again after a connection broke, and there is
            # no public way to forbid that; the tests see it if this stops working.
            self._kept._retry_connection = False
        return self._kept

    def _last_question(self) -> aiohttp.TraceConfig:
        """Called when the headers are about to be written."""
        tracing = aiohttp.TraceConfig()

        async def ask(
            _session: object, _context: object, told: aiohttp.TraceRequestHeadersSentParams
        ) -> None:
            if told.method != "GET" and not self._may_send():
                raise _MayNotSend

        tracing.on_request_headers_sent.append(ask)
        return tracing


class _MayNotSend(Exception):
    """Raised where a request would be written."""


class Socket:
    """One websocket, with JSON in each frame, whether it comes as text or as bytes."""

    def __init__(self, connected: aiohttp.ClientWebSocketResponse) -> None:
        self._connected = connected

    async def receive(self) -> Any:
        """The next message. Raises Incomplete where the connection is lost, or where a frame is no
        JSON."""
        frame = await self._connected.receive()
        if frame.type not in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
            raise Incomplete(f"the stream ended: {self._connected.close_code or frame.type.name}")
        try:
            return _DECODER.decode(frame.data)
        except msgspec.DecodeError as error:
            raise Incomplete(f"the stream sent a message that is no JSON: {error}") from None

    async def send(self, message: Any) -> None:
        """Send one message as text. Raises Incomplete where the connection is lost."""
        try:
            await self._connected.send_str(msgspec.json.encode(message).decode())
        except OSError as error:
            raise Incomplete(f"the stream ended: {_told(error)}") from None


def decoded(body: bytes) -> Any:
    """A body as JSON; as text where it is none; None where it is empty."""
    try:
        return _DECODER.decode(body) if body else None
    except msgspec.DecodeError:
        return body.decode("utf-8", "replace")


def moved(address: str, origin: str) -> str:
    """An address with the scheme, host and port of `origin` in place of its own; as it is where
    `origin` is empty."""
    if not origin:
        return address
    to = urlsplit(origin)
    return urlunsplit(urlsplit(address)._replace(scheme=to.scheme, netloc=to.netloc))


def _retry_after_ms(said: str | None) -> int | None:
    """In seconds; a date, which the header may also be, says nothing here."""
    return int(said) * 1000 if said is not None and said.isascii() and said.isdigit() else None


def _told(error: BaseException) -> str:
    return f"{type(error).__name__}: {words_of(error)}".rstrip(": ")
