"""When the quote behind a working entry becomes too old, without a look at all entries each time.

For each symbol with entries the moment is worked out when something changes that it follows from:
the newest quote, the entries, the sender's clock. Invariants: `next_ns` is exact, provided
that `touch` was called for every symbol whose quote or entries have changed.
"""

from heapq import heappop, heappush

from pointsman.execution.books import Books
from pointsman.execution.clock_offset import ClockOffset
from pointsman.execution.quotes import QuoteTable


class StaleWatch:
    """The moments at which entries must be judged again for the age of their quote."""

    def __init__(self, quotes: QuoteTable, clock_offset: ClockOffset) -> None:
        self._quotes = quotes
        self._clock_offset = clock_offset
        self._offset_ns = 0
        self._touched: dict[str, None] = {}
        self._due: dict[str, int] = {}
        self._heap: list[tuple[int, str]] = []
        self._judged: dict[str, int] = {}

    def touch(self, symbol: str) -> None:
        """The newest quote of a symbol, or an entry in it, has changed."""
        self._touched[symbol] = None

    def next_ns(self, books: Books, now_ns: int) -> int | None:
        """The next moment at which a quote is too old for the working entry that is most
        particular; None where every entry is being withdrawn already, and once they have been
        judged for it: a moment that is past is not reported again and again."""
        offset_ns = self._clock_offset.at(now_ns)
        if offset_ns != self._offset_ns:
            self._offset_ns = offset_ns
            self._touched.update(dict.fromkeys(books.entries_by_symbol))
        for symbol in self._touched:
            self._work_out(books, symbol)
        self._touched.clear()
        while self._heap and self._due.get(self._heap[0][1]) != self._heap[0][0]:
            heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def take_stale(self, books: Books, now_ns: int) -> list[str]:
        """The symbols whose moment has come. Each is reported once, until its quote changes."""
        stale: list[str] = []
        while (due_ns := self.next_ns(books, now_ns)) is not None and due_ns <= now_ns:
            _, symbol = heappop(self._heap)
            self._judged[symbol] = self._due.pop(symbol)
            stale.append(symbol)
        return stale

    def _work_out(self, books: Books, symbol: str) -> None:
        due_ns = self._stale_at_ns(books, symbol)
        if due_ns is None or due_ns == self._judged.get(symbol):
            self._due.pop(symbol, None)
        elif due_ns != self._due.get(symbol):
            self._due[symbol] = due_ns
            heappush(self._heap, (due_ns, symbol))

    def _stale_at_ns(self, books: Books, symbol: str) -> int | None:
        newest = self._quotes.newest(symbol)
        orders = [books.orders[order_id] for order_id in books.entries_by_symbol.get(symbol, ())]
        limits = [
            books.policy.limits_of(order.va_id).max_latency_ns
            for order in orders
            if not order.is_cancel_pending
        ]
        if newest is None or not limits:
            return None
        return newest.fresh_ns + self._offset_ns + min(limits) + 1
