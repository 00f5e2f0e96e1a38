"""Quotes of a venue, live, on a thread of their own (RULES 50).

The engine takes the newest quote of each symbol, however many came before it: there is no queue, so
an engine that is behind never acts on one that was overtaken. A connection that ends is made again,
soon at first and then with longer waits; in between the link counts as down (RULES 46), and what
was known before it is confirmed by nothing that comes after it.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress

import aiohttp
import msgspec

from pointsman.domain.events import LinkChanged, VenueLink
from pointsman.domain.market import Quote
from pointsman.market.live_rows import LiveRows
from pointsman.market.quote_recorder import QuoteRecorder
from pointsman.market.venue_connection import Connection
from pointsman.market.venue_quotes.stream import Login, QuoteSource
from pointsman.outgoing import without_redirections, words_of

THREAD_NAME = "venue quotes"
CONNECT_SECONDS = 10.0  # not money: seconds
CLOSE_SECONDS = 1.0  # not money: seconds
FIRST_WAIT_SECONDS = 0.25  # not money: seconds
WAIT_SECONDS_MAX = 5.0  # not money: seconds
REFUSED_WAIT_SECONDS = 30.0  # not money: seconds
"""After a venue has refused to be asked, as for one connection too many."""

MESSAGE_BYTES_MAX = 1 << 20
_NEWS_MAX = 100
_LINKS_MAX = 1_000
_REFUSED_MAX = 1_000
"""How many symbols that cannot be had are remembered, so that each is reported once."""


class Taken(msgspec.Struct, frozen=True):
    """What has come since the last time. `confirmed` says of symbols until when their newest quote
    was so; apply it after the quotes."""

    quotes: list[Quote]
    confirmed: dict[str, int]
    links: list[LinkChanged]


class VenueFeed:
    """The quotes of one venue, from `url`. `symbols` are asked for from the start, and `recorder`,
    where there is one, keeps every quote that is taken."""

    def __init__(
        self,
        source: QuoteSource,
        url: str,
        login: Login | None,
        symbols: Iterable[str],
        recorder: QuoteRecorder | None,
    ) -> None:
        self.source = source
        self.recorder = recorder
        self._url = url
        self._login = login
        self._asked: dict[str, None] = {}
        self._refused: dict[str, None] = {}
        self._quotes: dict[str, Quote] = {}
        self._confirmed: dict[str, int] = {}
        self._links: deque[LinkChanged] = deque(maxlen=_LINKS_MAX)
        self._news: deque[str] = deque(maxlen=_NEWS_MAX)
        self._said = ""
        self._is_up = True
        self._is_woken = False
        self._is_stopping = False
        self._wake: Callable[[], None] = lambda: None
        self._rows: LiveRows | None = None
        self._asyncio: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._thread: threading.Thread | None = None
        for symbol in symbols:
            self.want(symbol)

    # -- any thread --------------------------------------------------------------------------------

    @property
    def is_alive(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def start(self, wake: Callable[[], None], rows: LiveRows) -> None:
        """Begin. `rows` decides which quotes are taken, and `wake` has the engine look; both are
        called from the feed's thread."""
        self._wake, self._rows = wake, rows
        if self.recorder is not None:
            self.recorder.start()
        self.start_again()

    def start_again(self) -> None:
        """Begin again after the thread has ended by a fault."""
        self._thread = threading.Thread(target=self._run, name=THREAD_NAME, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Close the connection, and write what is to be recorded still."""
        self._is_stopping = True
        if self._asyncio is not None and self._stop is not None:
            with suppress(RuntimeError):  # its loop is closed: it has ended already
                self._asyncio.call_soon_threadsafe(self._stop.set)
        if self._thread is not None:
            self._thread.join(2 * CLOSE_SECONDS)
        if self.recorder is not None:
            self.recorder.stop()

    def want(self, symbol: str) -> None:
        """Have quotes of a symbol from now on, where the venue has it."""
        if symbol in self._asked or symbol in self._refused:
            return
        if problem := self._why_refused(symbol):
            if len(self._refused) < _REFUSED_MAX:
                self._refused[symbol] = None
            self.say(problem)
        else:
            self._asked[symbol] = None

    def _why_refused(self, symbol: str) -> str:
        """Why quotes of a further symbol cannot be had; empty where they can."""
        name, most = self.source.name, self.source.symbols_max
        if self.source.venue_symbol(symbol) is None:
            return f"{symbol} is no symbol of {name}: it has no quotes"
        if len(self._asked) < most:
            return ""
        told = f"{name} gives quotes of at most {most} symbols: none of {symbol}"
        return f"{told}; name those that you want in SYMBOLS"

    def say(self, told: str) -> None:
        """Have something reported, where it is not what was said last."""
        if told != self._said:
            self._said = told
            self._news.append(told)

    def take_news(self) -> Iterator[str]:
        """What is to be reported since the last time."""
        while self._news:
            yield self._news.popleft()
        if self.recorder is not None:
            yield from self.recorder.take_news()

    def take(self) -> Taken:
        """What has come since the last time; on the engine's thread."""
        self._is_woken = False
        # Before the quotes: what a heartbeat confirms is among them, or was taken before.
        confirmed, self._confirmed = self._confirmed, {}
        quotes = [
            quote
            for symbol in list(self._quotes)
            if (quote := self._quotes.pop(symbol, None)) is not None
        ]
        links = [self._links.popleft() for _ in range(len(self._links))]
        return Taken(quotes=quotes, confirmed=confirmed, links=links)

    # -- the feed's thread -------------------------------------------------------------------------

    def _run(self) -> None:
        asyncio.run(self._until_stopped())

    async def _until_stopped(self) -> None:
        self._asyncio, self._stop = asyncio.get_running_loop(), asyncio.Event()
        if self._is_stopping:  # told before there was a loop to tell it to
            return
        talking = asyncio.create_task(self._talk())
        stopping = asyncio.create_task(self._stop.wait())
        await asyncio.wait((talking, stopping), return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if not talking.done():
            talking.cancel()
            with suppress(asyncio.CancelledError):
                await talking
        else:
            talking.result()

    async def _talk(self) -> None:
        wait = FIRST_WAIT_SECONDS
        timeout = aiohttp.ClientTimeout(total=None, connect=CONNECT_SECONDS)
        tracing = [without_redirections()]
        async with aiohttp.ClientSession(timeout=timeout, trace_configs=tracing) as session:
            while True:
                connection = Connection(self.source, self._login, self)
                why = await self._connected(session, connection)
                self._change_link(False, why)
                wait = (
                    FIRST_WAIT_SECONDS if connection.has_quoted else min(2 * wait, WAIT_SECONDS_MAX)
                )
                if connection.is_refused:
                    wait = REFUSED_WAIT_SECONDS
                await asyncio.sleep(wait)

    async def _connected(self, session: aiohttp.ClientSession, connection: Connection) -> str:
        """One connection from its beginning to its end; why it has ended."""
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                socket = await session.ws_connect(
                    self._url,
                    autoping=False,
                    max_msg_size=MESSAGE_BYTES_MAX,
                    timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_SECONDS),
                )
        except (aiohttp.ClientError, OSError, TimeoutError) as problem:
            return f"no connection: {words_of(problem) or type(problem).__name__}"
        try:
            async with socket:
                return await connection.run(socket)
        except (aiohttp.ClientError, OSError) as problem:
            return f"the connection broke: {words_of(problem)}"

    def heard_quote(self, quote: Quote) -> bool:
        """Take a quote that has just come; whether it counts."""
        assert self._rows is not None, "it has been started"
        if self._rows.take(quote):
            return False  # It is reported with the rows that were skipped.
        if self.recorder is not None:
            self.recorder.put(quote)
        self._quotes[quote.symbol] = quote
        self._wake_once()
        return True

    def heard_heartbeat(self, current: Mapping[str, Quote], confirmed_ns: int) -> None:
        """These quotes are the newest still at this time of the venue's clock."""
        self._confirmed = dict.fromkeys(current, confirmed_ns)
        if self.recorder is not None:
            for quote in current.values():
                self.recorder.confirm(quote, confirmed_ns)
        self._wake_once()

    def heard_accepted(self) -> None:
        """The venue gives the quotes that were asked for."""
        self._change_link(True, "")

    def asked(self) -> list[str]:
        """The symbols that are wanted, in order."""
        return list(self._asked)

    def _change_link(self, is_up: bool, why: str) -> None:
        if is_up is self._is_up:
            return
        assert self._rows is not None, "it has been started"
        self._is_up = is_up
        self._links.append(LinkChanged(VenueLink.QUOTES, is_up, self._rows.clock_ns(), why))
        self._wake_once()

    def _wake_once(self) -> None:
        if not self._is_woken:
            self._is_woken = True
            self._wake()
