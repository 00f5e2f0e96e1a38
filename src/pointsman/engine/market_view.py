"""The loop's view of the market: the newest quotes, the levels that they cross, and entries that
they put in doubt.

Quotes never go through the desk's door; only what follows from them does. What was seen is kept
until the loop takes it, in the order in which it was seen. A quote keeps the stamp that it came
with, also one from the future: how far the sender's clock is ahead is measured, and every age is
corrected by it (RULES 12).
"""

from collections import deque

from pointsman.domain.events import Level, Timer
from pointsman.domain.market import Quote
from pointsman.domain.positions import Position
from pointsman.execution.books import Books
from pointsman.market.quotes import QuoteTable
from pointsman.market.watch import LevelWatch

SECOND_NS = 10**9
OFFSET_SECONDS = 600


class ClockOffset:
    """How far the sender's clock is ahead of ours: the least receipt - stamp of the last 10
    minutes, where that is negative. Kept by whole seconds, each the least from then on."""

    def __init__(self) -> None:
        self._least: deque[tuple[int, int]] = deque(maxlen=OFFSET_SECONDS)

    def note(self, stamp_ns: int, received_ns: int) -> None:
        """Take in the stamp of a quote that has just been received."""
        early_ns = received_ns - stamp_ns
        if early_ns >= 0:
            return
        second = received_ns // SECOND_NS
        while self._least and self._least[-1][1] >= early_ns:
            self._least.pop()
        if not self._least or self._least[-1][0] < second:
            self._least.append((second, early_ns))

    def at(self, now_ns: int) -> int:
        """The offset in nanoseconds, never positive."""
        while self._least and self._least[0][0] <= now_ns // SECOND_NS - OFFSET_SECONDS:
            self._least.popleft()
        return self._least[0][1] if self._least else 0


class MarketView:
    """What the loop knows of the market."""

    def __init__(self) -> None:
        self.quotes = QuoteTable()
        self.clock_offset = ClockOffset()
        self._levels = LevelWatch()
        self._crossed: list[tuple[int, Level, Quote]] = []
        self._renewed: dict[str, None] = {}
        self._judged_stale_ns: dict[str, int] = {}

    def on_quote(self, quote: Quote, now_ns: int) -> None:
        """Take in a row that arrives at `now_ns`."""
        self.quotes.update(quote)
        self.clock_offset.note(quote.ts_ns, now_ns)
        self._renewed[quote.symbol] = None
        for position_id, level in self._levels.on_quote(quote):
            self._crossed.append((position_id, level, quote))

    def mark(self, symbol: str | None) -> Quote | None:
        """The last valid quote of a symbol."""
        return None if symbol is None else self.quotes.last_valid(symbol)

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

    def take_crossed(self) -> list[tuple[int, Level, Quote]]:
        """The levels that were reached since the last time."""
        crossed, self._crossed = self._crossed, []
        return crossed

    def take_doubtful(self, books: Books, now_ns: int) -> list[str]:
        """The symbols whose working entries must be judged again: their quote changed, or became
        too old."""
        renewed, self._renewed = self._renewed, {}
        if not books.entries_by_symbol:
            return []
        return [
            symbol
            for symbol in books.entries_by_symbol
            if symbol in renewed or self._is_stale(books, symbol, now_ns)
        ]

    def _is_stale(self, books: Books, symbol: str, now_ns: int) -> bool:
        stale_at_ns = self.stale_at_ns(books, symbol, now_ns)
        if stale_at_ns is None or now_ns < stale_at_ns:
            return False
        self._judged_stale_ns[symbol] = stale_at_ns
        return True

    def stale_at_ns(self, books: Books, symbol: str, now_ns: int) -> int | None:
        """When the newest quote of a symbol becomes too old for the working entry that is most
        particular; None where every entry is being withdrawn already, and once they have been
        judged for it: a moment that is past is not told again and again."""
        newest = self.quotes.newest(symbol)
        orders = [books.orders[order_id] for order_id in books.entries_by_symbol[symbol]]
        limits = [
            books.policy.limits_of(order.va_id).max_latency_ns
            for order in orders
            if not order.is_cancel_pending
        ]
        if newest is None or not limits:
            return None
        stale_at_ns = newest.ts_ns + self.clock_offset.at(now_ns) + min(limits) + 1
        return None if stale_at_ns == self._judged_stale_ns.get(symbol) else stale_at_ns
