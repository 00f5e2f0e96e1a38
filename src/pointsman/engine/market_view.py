"""The loop's view of the market: the newest quotes, the levels that they cross, and entries that
they put in doubt.

Quotes never go through the desk's door; only what follows from them does. What was seen is kept
until the loop takes it, in the order in which it was seen.
"""

from pointsman.domain.events import Level, Timer
from pointsman.domain.market import Quote
from pointsman.domain.positions import Position
from pointsman.execution.books import Books
from pointsman.market.quotes import QuoteTable
from pointsman.market.watch import LevelWatch


class MarketView:
    """What the loop knows of the market."""

    def __init__(self) -> None:
        self.quotes = QuoteTable()
        self._levels = LevelWatch()
        self._crossed: list[tuple[int, Level, Quote]] = []
        self._renewed: dict[str, None] = {}

    def on_quote(self, quote: Quote) -> None:
        """Take in a row."""
        self.quotes.update(quote)
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
        return [
            symbol
            for symbol in books.entries_by_symbol
            if symbol in renewed or self._is_stale(books, symbol, now_ns)
        ]

    def _is_stale(self, books: Books, symbol: str, now_ns: int) -> bool:
        stale_at_ns = self.stale_at_ns(books, symbol)
        return stale_at_ns is not None and now_ns >= stale_at_ns

    def stale_at_ns(self, books: Books, symbol: str) -> int | None:
        """When the newest quote of a symbol becomes too old for the working entry that is most
        particular; None where every entry is being withdrawn already."""
        newest = self.quotes.newest(symbol)
        orders = [books.orders[order_id] for order_id in books.entries_by_symbol[symbol]]
        limits = [
            books.policy.limits_of(order.va_id).max_latency_ns
            for order in orders
            if not order.is_cancel_pending
        ]
        return None if newest is None or not limits else newest.ts_ns + min(limits) + 1
