"""Quotes of a venue on their way into the engine: what its feed has is taken in when the loop has
time for it, the newest of each symbol (RULES 50).

What is held is subscribed from the start, besides SYMBOLS, and so is every symbol that a signal
names: the signal itself finds no quote then and is refused.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from pointsman.config.quote_settings import QuoteSettings
from pointsman.domain.events import Event, SignalReceived
from pointsman.domain.market import Quote
from pointsman.engine.live_loop import LiveLoop
from pointsman.engine.supervision import Part
from pointsman.execution.books import Books
from pointsman.execution.execution_loop import ExecutionLoop
from pointsman.market import quote_recorder, venue_feed
from pointsman.market.live_rows import LiveRows
from pointsman.market.quote_recorder import QuoteRecorder
from pointsman.market.tape import Tape
from pointsman.market.venue_feed import VenueFeed
from pointsman.market.venue_quotes.sources import SOURCES
from pointsman.market.venue_quotes.stream import Login
from pointsman.service.clean_stop import Stop

FOLDER = "quotes"


class VenueQuotes:
    """The feed of one venue, as a run takes it in."""

    posted: Callable[[Sequence[Quote]], int] | None = None
    """No quotes come by HTTP."""

    def __init__(self, feed: VenueFeed) -> None:
        self._feed = feed
        self._has_looked = False

    def parts(self) -> list[Part]:
        """Its threads, as supervision sees them."""
        feed, recorder = self._feed, self._feed.recorder
        parts = [Part(venue_feed.THREAD_NAME, lambda: feed.is_alive, feed.start_again)]
        if recorder is not None:
            name = quote_recorder.THREAD_NAME
            parts.append(Part(name, lambda: recorder.is_alive, recorder.start))
        return parts

    def start(self, wake: Callable[[], None], rows: LiveRows | None) -> None:
        """Connect."""
        assert rows is not None, "a live feed has rows"
        self._feed.start(wake, rows)

    def stop(self) -> None:
        """Disconnect."""
        self._feed.stop()

    def note(self, event: Event) -> None:
        """Told of every turn."""
        if isinstance(event, SignalReceived):
            self._feed.want(event.signal.symbol)

    def take_news(self) -> Iterator[str]:
        """What is to be reported since the last time."""
        return self._feed.take_news()

    def take_quotes(self, live: LiveLoop) -> bool:
        """Take in what has come; whether there were quotes."""
        taken = self._feed.take()
        for quote in taken.quotes:
            live.feed(quote)
        for symbol, confirmed_ns in taken.confirmed.items():
            live.confirm(symbol, confirmed_ns)
        for change in taken.links:
            live.change_link(change)
        return bool(taken.quotes)

    def work(self, loop: ExecutionLoop, live: LiveLoop, _tape: Tape, _stop: Stop) -> None:
        """Take in what has come since the last instant."""
        if not self._has_looked:
            self._has_looked = True
            for symbol in held_symbols(loop.desk.books):
                self._feed.want(symbol)
        self.take_quotes(live)
        loop.release()


def held_symbols(books: Books) -> list[str]:
    """The symbols of all that is held or at work, of others' holdings too."""
    ours = [position.symbol for position in books.positions.values()]
    ours += [order.symbol for order in books.orders.values()]
    return list(dict.fromkeys([*ours, *(symbol for symbol, _ in books.externals)]))


def venue_quotes(wanted: QuoteSettings, database: Path) -> VenueQuotes:
    """The feed of a venue for the engine on this database."""
    recorder = None
    if wanted.is_recorded:
        database = database.resolve()
        recorder = QuoteRecorder(database.parent / FOLDER, database.stem, time.time_ns)
    return VenueQuotes(quote_feed(wanted, recorder))


def quote_feed(wanted: QuoteSettings, recorder: QuoteRecorder | None) -> VenueFeed:
    """The connection to a venue's quotes. `recorder`, where there is one, keeps them."""
    source = SOURCES[wanted.name]
    login = None
    if source.needs_login:
        assert wanted.key is not None, "it was checked"
        assert wanted.secret is not None, "it was checked"
        login = Login(wanted.key, wanted.secret)
    url = source.url(wanted.base_url, is_sandbox=wanted.is_sandbox)
    return VenueFeed(source, url, login, wanted.symbols, recorder)
