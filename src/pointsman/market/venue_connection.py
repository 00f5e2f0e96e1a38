"""One connection to a venue's quotes, from its opening to its end: it asks, listens and pings.

Invariants:

* a heartbeat confirms only what came on this connection: nothing newer had been sent when it was
  asked for. How far the clock that stamps has come by then is what has passed here since the newest
  message arrived, so whatever delays the messages delays what is confirmed;
* after a gap nothing is known of a symbol before its next quote; where no message came at all for
  as long as the source says, nothing is confirmed;
* a message that cannot be read, and whatever the venue refuses, is reported.
"""

import asyncio
import time
from collections import deque
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Protocol

import aiohttp

from pointsman.domain.market import Quote
from pointsman.domain.timestamps import SECOND_NS
from pointsman.market.venue_quotes.stream import (
    Accepted,
    Ask,
    Heard,
    Login,
    Missed,
    Opened,
    Pong,
    QuoteSource,
    Refused,
    UnreadableMessage,
)
from pointsman.outgoing import words_of

PING_SECONDS = 0.25  # not money: seconds
"""Between two pings. A quiet quote is known to be fresh for this and one way there and back, less
than the default of MAX_LATENCY_MS; and pings and requests together stay below the 10 messages a
second at which Binance ends a connection."""
PONG_NS = 5 * SECOND_NS
"""A connection that has not answered a ping for so long is dead."""
NO_QUOTE_NS = 30 * SECOND_NS
"""A symbol that has had no quote for so long after it was asked for is reported."""
_PINGS_MAX = 64
_ASKS_MAX = 1_000
_ASKS_AT_ONCE = 2


class Listener(Protocol):
    """Where what comes is taken to."""

    def asked(self) -> Iterable[str]:
        """The symbols that are wanted by now."""

    def heard_quote(self, quote: Quote) -> bool:
        """A quote has come; whether it is taken for the newest of its symbol."""

    def heard_heartbeat(self, current: Mapping[str, Quote], confirmed_ns: int) -> None:
        """These quotes were the newest still at this time of the clock that stamps them."""

    def heard_accepted(self) -> None:
        """The venue gives the quotes that were asked for."""

    def say(self, told: str) -> None:
        """Something is to be reported."""


class Connection:
    """What came on one connection, and what was asked on it."""

    def __init__(self, source: QuoteSource, login: Login | None, listener: Listener) -> None:
        self.has_quoted = False
        self.is_refused = False
        self._source = source
        self._stream = source.stream(login)
        self._listener = listener
        self._is_open = False
        self._why = ""
        self._asked_ns: dict[str, int] = {}
        self._unheard: dict[str, int] = {}
        self._current: dict[str, Quote] = {}
        self._newest = (0, 0)
        self._heard_ns = time.monotonic_ns()
        self._pings: deque[tuple[str, int]] = deque(maxlen=_PINGS_MAX)
        self._ping_number = 0
        self._asks: deque[str] = deque(maxlen=_ASKS_MAX)

    async def run(self, socket: aiohttp.ClientWebSocketResponse) -> str:
        """Until it ends; why it has ended."""
        opening = self._stream.opening()
        self._asks.extend(opening)
        self._is_open = not opening
        tasks = [asyncio.create_task(work) for work in (self._listen(socket), self._send(socket))]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            for ended in await asyncio.gather(*tasks, return_exceptions=True):
                if isinstance(ended, Exception):
                    raise ended
        return self._why or f"the venue has closed the connection ({socket.close_code})"

    # -- what is heard -----------------------------------------------------------------------------

    async def _listen(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        while not self.is_refused:
            message = await socket.receive()
            if message.type is aiohttp.WSMsgType.TEXT:
                self._hear(message.data)
            elif message.type is aiohttp.WSMsgType.PONG:
                self._answered(bytes(message.data).decode("latin-1"))
            elif message.type is aiohttp.WSMsgType.PING:
                with suppress(aiohttp.ClientError, OSError):  # what is read next says why
                    await socket.pong(message.data)
            elif message.type is not aiohttp.WSMsgType.BINARY:
                self._why = self._why or _fault_of(socket)
                return

    def _hear(self, text: str) -> None:
        try:
            heard = self._stream.read(text)
        except UnreadableMessage as problem:
            # It may have been about any symbol.
            self._current.clear()
            self._listener.say(f"a message of {self._source.name} cannot be read: {problem}")
            return
        for each in heard:
            if isinstance(each, Quote):
                self._take(each)
            else:
                self._note(each)

    def _take(self, quote: Quote) -> None:
        now_ns = time.monotonic_ns()
        self.has_quoted = True
        self._newest = (quote.ts_ns, now_ns)
        self._heard_ns = now_ns
        self._unheard.pop(quote.symbol, None)
        if self._listener.heard_quote(quote):
            self._current[quote.symbol] = quote
        else:
            self._current.pop(quote.symbol, None)

    def _note(self, heard: Heard) -> None:
        if isinstance(heard, Pong):
            self._answered(heard.number)
        elif isinstance(heard, Opened):
            self._is_open = True
        elif isinstance(heard, Accepted):
            self._listener.heard_accepted()
        elif isinstance(heard, Ask):
            self._asks.extend(heard.texts)
        elif isinstance(heard, Missed):
            self._current.pop(heard.symbol, None)
        elif isinstance(heard, Refused):
            told = f"{self._source.name} refuses: {heard.told}"
            self._listener.say(told)
            if heard.ends_connection:
                self.is_refused, self._why = True, told

    def _answered(self, number: str) -> None:
        """A ping was answered: what is known was so when it was sent."""
        sent_ns = next((at_ns for each, at_ns in self._pings if each == number), None)
        if sent_ns is None:
            return
        while self._pings.popleft()[0] != number:
            pass
        stamp_ns, received_ns = self._newest
        is_silent = sent_ns - self._heard_ns > self._source.silence_seconds * SECOND_NS
        if self._current and not is_silent:
            self._listener.heard_heartbeat(self._current, stamp_ns + sent_ns - received_ns)

    # -- what is sent ------------------------------------------------------------------------------

    async def _send(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """Ask and ping, until the connection is to end."""
        with suppress(aiohttp.ClientError, OSError):  # it has ended: the listening side says so
            while not self._why:
                now_ns = time.monotonic_ns()
                self._ask_for_new(now_ns)
                for _ in range(min(_ASKS_AT_ONCE, len(self._asks))):
                    await socket.send_str(self._asks.popleft())
                if self._is_open:
                    await self._ping(socket)
                self._report_unheard(now_ns)
                await asyncio.sleep(PING_SECONDS)
                self._why = self._fault(time.monotonic_ns())
        await socket.close()

    def _ask_for_new(self, now_ns: int) -> None:
        if not self._is_open:
            return
        new = [symbol for symbol in self._listener.asked() if symbol not in self._asked_ns]
        if new:
            self._asks.extend(self._stream.subscribe(new))
            self._asked_ns |= dict.fromkeys(new, now_ns)
            self._unheard |= dict.fromkeys(new, now_ns)
        elif not self._asked_ns:
            self._listener.heard_accepted()  # There is nothing to wait for.

    async def _ping(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._ping_number += 1
        number = str(self._ping_number)
        text = self._stream.ping(number)
        self._pings.append((number, time.monotonic_ns()))
        if text:
            await socket.send_str(text)
        else:
            await socket.ping(number.encode())

    def _fault(self, now_ns: int) -> str:
        """Why the connection is given up; empty where it is not."""
        if self._pings and now_ns - self._pings[0][1] > PONG_NS:
            return f"no answer to a ping for {PONG_NS // SECOND_NS} s"
        silent_s = (now_ns - self._heard_ns) // SECOND_NS
        is_silent = silent_s >= self._source.silence_seconds
        if is_silent and self._source.is_always_open and self._asked_ns:
            return f"no quote for {silent_s} s, though it answers pings"
        return ""

    def _report_unheard(self, now_ns: int) -> None:
        for symbol, asked_ns in list(self._unheard.items()):
            if now_ns - asked_ns > NO_QUOTE_NS and self._source.is_always_open:
                del self._unheard[symbol]
                seconds = NO_QUOTE_NS // SECOND_NS
                told = f"{self._source.name} has sent no quote of {symbol} for {seconds} s"
                self._listener.say(f"{told}: check its name")


def _fault_of(socket: aiohttp.ClientWebSocketResponse) -> str:
    problem = socket.exception()
    return "" if problem is None else f"the connection broke: {words_of(problem)}"
