"""The websockets of the venue servers: what leaves on them, in which order, and how they close."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiohttp import web

from tests.venue_servers.calls import Call, to_json
from tests.venue_servers.faults import Channel

if TYPE_CHECKING:
    from tests.venue_servers.base import VenueServer

ACCOUNT = "account"
QUOTES = "quotes"
"""The two channels of streams that controls tell apart."""


class Socket:
    """One websocket of a client. `tags` are what it subscribed to."""

    def __init__(self, web_socket: web.WebSocketResponse, channel: str, call: Call) -> None:
        self.channel = channel
        self.call = call
        self.tags: set[str] = set()
        self.is_authorized = False
        self.encode: Callable[[Any], str | bytes] = to_json
        self._web_socket = web_socket
        self._leaving: asyncio.Queue[tuple[float, Any]] = asyncio.Queue()

    def send(self, message: Any, delay_seconds: float = 0) -> None:
        """Text and bytes leave as they are, anything else as `encode` writes it."""
        data = message if isinstance(message, str | bytes) else self.encode(message)
        self._leaving.put_nowait((time.monotonic() + delay_seconds, data))

    def close_soon(self, code: int) -> None:
        """After what already waits to be sent."""
        self._leaving.put_nowait((0, code))

    async def write(self) -> None:
        """Sends what waits, in its order, until the socket is closed."""
        while True:
            due, data = await self._leaving.get()
            if (wait := due - time.monotonic()) > 0:
                await asyncio.sleep(wait)
            if isinstance(data, int):
                await self._web_socket.close(code=data)
                return
            with contextlib.suppress(ConnectionError):
                if isinstance(data, bytes):
                    await self._web_socket.send_bytes(data)
                else:
                    await self._web_socket.send_str(data)


@dataclass(kw_only=True)
class StreamRoute:
    path: str
    channel: str
    on_message: Callable[[Socket, str | bytes], None]
    on_open: Callable[[Socket], None] = lambda _: None
    """May raise a Refusal, which is then the answer instead of a websocket."""


class Streams:
    """The open websockets of a server, and what goes wrong on them. Call it from any thread."""

    def __init__(self, server: "VenueServer") -> None:
        self._server = server
        self.open: list[Socket] = []
        self.channels = {ACCOUNT: Channel(), QUOTES: Channel()}

    def push(
        self, channel: str, message: Any, to: Callable[[Socket], bool] = lambda _: True
    ) -> None:
        """Server side: to every socket of the channel that `to` admits."""
        through = self.channels[channel]
        for leaving in through.leaving(message):
            for socket in self.open:
                if socket.channel == channel and to(socket):
                    socket.send(leaving, through.delay_seconds)

    def close(self, code: int = 1001, channel: str = ACCOUNT) -> None:
        def now() -> None:
            for socket in self.open:
                if socket.channel == channel:
                    socket.close_soon(code)

        self._server.call(now)

    def silence(self, seconds: float, channel: str = ACCOUNT) -> None:
        """Messages of the next seconds are lost; the connection stays open."""
        self._set(channel, silent_until=time.monotonic() + float(seconds))

    def drop(self, n: int = 1, channel: str = ACCOUNT) -> None:
        """The next n messages are lost."""
        self._set(channel, drops=n)

    def repeat(self, n: int = 1, channel: str = ACCOUNT) -> None:
        """The next n messages come twice."""
        self._set(channel, repeats=n)

    def swap(self, channel: str = ACCOUNT) -> None:
        """The next message comes after the one that follows it."""
        self._set(channel, swaps=True)

    def delay(self, seconds: float, channel: str = ACCOUNT) -> None:
        """Every message from now on comes this much later, until `delay(0)`."""
        self._set(channel, delay_seconds=float(seconds))

    def _set(self, channel: str, **values: Any) -> None:
        for name, value in values.items():
            setattr(self.channels[channel], name, value)
