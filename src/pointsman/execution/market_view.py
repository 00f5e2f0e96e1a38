"""The loop's view of the market: the newest quotes, the levels that they cross, and entries that
they put in doubt.

Quotes are not events of the desk; only what follows from them is. What was seen is kept
until the loop takes it, in the order in which it was seen. A quote keeps the stamp that it came
with, also one from the future: how far the sender's clock is ahead is measured, and every age is
corrected by it (RULES 12).
"""

from collections.abc import Callable, Iterator

import msgspec

from pointsman.domain.events import InstrumentLearned, Level
from pointsman.domain.market import Quote
from pointsman.domain.positions import Position
from pointsman.domain.timers import Timer
from pointsman.domain.timestamps import SECOND_NS, iso_seconds
from pointsman.execution.books import Books
from pointsman.execution.clock_offset import ClockOffset
from pointsman.execution.level_watch import LevelWatch
from pointsman.execution.ports import Hours
from pointsman.execution.quotes import QuoteTable
from pointsman.execution.skipped_rows import SkippedRows
from pointsman.execution.stale_watch import StaleWatch

replace = msgspec.structs.replace

AGE_BEYOND_LATENCY_NS = 60 * SECOND_NS
"""A live quote that is older by so much than any entry may use reaches no stop."""


class LiveSession(msgspec.Struct, frozen=True):
    """A session on live quotes: when it began by the wall clock, how far event time is ahead of
    that, and how old a quote may be that a stop acts on."""

    began_ns: int
    ahead_ns: int
    age_max_ns: int


HoursOf = Callable[[str], Hours]
"""The trading hours of each VA."""


class MarketView:
    """What the loop knows of the market."""

    def __init__(self) -> None:
        self.quotes = QuoteTable()
        self.clock_offset = ClockOffset()
        self.skipped = SkippedRows()
        self._session: LiveSession | None = None
        self._levels = LevelWatch()
        self._crossed: list[tuple[int, Level, Quote]] = []
        self._renewed: dict[str, None] = {}
        self._stale = StaleWatch(self.quotes, self.clock_offset)

    def begin_live(self, session: LiveSession) -> None:
        """Say that quotes come live from here on."""
        self._session = session

    @property
    def ahead_ns(self) -> int:
        """How far event time was ahead of the wall clock at the start of a live session."""
        return 0 if self._session is None else self._session.ahead_ns

    def take_news(self) -> Iterator[str]:
        """What is to be reported of the stamps of quotes: the first rows that were skipped or too
        old for a stop, and clock offsets that were dropped. Each is reported once."""
        yield from self.skipped.take_news()
        yield from self.clock_offset.take_news()

    def is_held(self, symbol: str) -> bool:
        """Whether a position in this symbol is or was watched; from any thread."""
        return self._levels.is_watched(symbol)

    def on_quote(self, quote: Quote, now_ns: int) -> bool:
        """Take in a row that arrives at `now_ns`. Whether a stop may act on it: one that is too old
        is what entries are judged on, and nothing else."""
        self.clock_offset.note(quote.ts_ns, now_ns)
        self._renewed[quote.symbol] = None
        if self._session is not None and (too_old := self._why_too_old(quote, now_ns)):
            self.skipped.skip(quote.symbol, now_ns - self.ahead_ns, too_old, is_told_once=True)
            self.quotes.update_newest(quote)
            return False
        self.skipped.take(quote.symbol)
        self.quotes.update(quote)
        for position_id, level in self._levels.on_quote(quote):
            self._crossed.append((position_id, level, quote))
        return True

    def confirm(self, symbol: str, confirmed_ns: int) -> None:
        """A heartbeat of the feed says that the newest row of a symbol is so still. It is no row:
        no stop, no simulated venue and no clock offset learns anything from it (RULES 12)."""
        if self.quotes.confirm(symbol, confirmed_ns):
            self._renewed[symbol] = None

    def _why_too_old(self, quote: Quote, now_ns: int) -> str:
        """Why a live row is too old to act on, by its stamp as it is: an offset that one bad stamp
        has left must not keep a stop from acting. Empty where it is not."""
        session = self._session
        if session is None:
            return ""
        if quote.ts_ns < session.began_ns:
            return f"quote from {iso_seconds(quote.ts_ns)} is older than this run; stops ignore it"
        age_ns = now_ns - session.ahead_ns - quote.ts_ns
        if age_ns <= session.age_max_ns:
            return ""
        seconds = f"{age_ns // SECOND_NS} s old, at most {session.age_max_ns // SECOND_NS} s"
        return f"quote is {seconds}; stops ignore it"

    def known_quotes(self) -> Iterator[Quote]:
        """The last valid quote and the newest one of each symbol."""
        for symbol in self.quotes.symbols:
            both = (self.quotes.last_valid(symbol), self.quotes.newest(symbol))
            yield from dict.fromkeys(quote for quote in both if quote is not None)

    def in_event_time(self, quote: Quote, now_ns: int) -> Quote:
        """The row as a simulated venue acts on it: at its stamp in event time, but never in the
        future."""
        if self._session is None and quote.ts_ns <= now_ns:
            return quote
        stamp_ns = min(quote.ts_ns + self.ahead_ns, now_ns)
        return quote if stamp_ns == quote.ts_ns else replace(quote, ts_ns=stamp_ns)

    def mark(self, symbol: str | None) -> Quote | None:
        """The last valid quote of a symbol."""
        return None if symbol is None else self.quotes.last_valid(symbol)

    def learned_of(self, books: Books, symbol: str) -> InstrumentLearned | None:
        """What the desk is to know before it decides on a symbol: finer steps that the quotes have
        shown since, if they have (RULES 59)."""
        seen = self.quotes.steps(symbol)
        finer = books.instrument(symbol).finer_steps(*seen) if seen else None
        return None if finer is None else InstrumentLearned(symbol, finer.tick, finer.lot)

    def mark_for(self, books: Books, timer: Timer) -> Quote | None:
        """The last valid quote of what a wake-up is about."""
        order = books.orders.get(timer.key)
        if order is not None:
            return self.mark(order.symbol)
        position = books.positions.get(int(timer.key)) if timer.key.isdigit() else None
        return None if position is None else self.mark(position.symbol)

    def marks_of(self, books: Books) -> tuple[Quote, ...]:
        """The last valid quotes of all that is held."""
        accounts = (books.accounts[va_id] for va_id in books.holding_accounts)
        symbols = dict.fromkeys(account.leased_symbol for account in accounts)
        return tuple(mark for mark in map(self.mark, symbols) if mark is not None)

    def watch(self, position: Position) -> None:
        """Watch the levels of a position as it is now; those that were reached are not watched
        again."""
        if position.is_live:
            self._levels.set(
                position.position_id,
                position.symbol,
                position.side,
                None if position.crossed_at_ns is not None else position.stop_price,
                None if position.closing_all else position.take_profit,
            )
        else:
            self._levels.drop(position.position_id)

    @property
    def has_crossed(self) -> bool:
        """Whether a level was reached since the last time."""
        return bool(self._crossed)

    def take_crossed(self) -> list[tuple[int, Level, Quote]]:
        """The levels that were reached since the last time."""
        crossed, self._crossed = self._crossed, []
        return crossed

    def note_entry(self, symbol: str) -> None:
        """An entry in a symbol is new, or has changed."""
        self._stale.touch(symbol)

    def take_doubtful(self, books: Books, now_ns: int) -> list[str]:
        """The symbols whose working entries must be judged again: their quote changed, or became
        too old."""
        doubtful = self._touch_renewed(books)
        self._renewed.clear()
        if not books.entries_by_symbol:
            return []
        stale = self._stale.take_stale(books, now_ns)
        return [*doubtful, *(symbol for symbol in stale if symbol not in doubtful)]

    def next_stale_ns(self, books: Books, now_ns: int) -> int | None:
        """When a quote becomes too old next for an entry that works."""
        if not books.entries_by_symbol:
            return None
        self._touch_renewed(books)
        return self._stale.next_ns(books, now_ns)

    def _touch_renewed(self, books: Books) -> list[str]:
        """The symbols with entries whose quote has changed."""
        renewed = [symbol for symbol in self._renewed if symbol in books.entries_by_symbol]
        for symbol in renewed:
            self._stale.touch(symbol)
        return renewed
