"""The newest quote of each symbol, and the last valid one.

Both are kept because they answer different questions: an entry is judged on the newest row, valid
or not, while the books stay marked at the last valid one (RULES 4).
"""

from pointsman.domain.market import Quote


class QuoteTable:
    """Per symbol the newest row, valid or not, and the last valid one."""

    def __init__(self) -> None:
        self._newest: dict[str, Quote] = {}
        self._last_valid: dict[str, Quote] = {}

    def update(self, quote: Quote) -> None:
        """Take in the next row. Rows come in time order: the newest is the one given last."""
        self._newest[quote.symbol] = quote
        if quote.is_valid:
            self._last_valid[quote.symbol] = quote

    def update_newest(self, quote: Quote) -> None:
        """Take in a row that is too old to mark the books at: entries alone are judged on it."""
        self._newest[quote.symbol] = quote

    def newest(self, symbol: str) -> Quote | None:
        """The newest row of a symbol, valid or not; None before the first."""
        return self._newest.get(symbol)

    def last_valid(self, symbol: str) -> Quote | None:
        """The last valid row of a symbol; None before the first."""
        return self._last_valid.get(symbol)

    @property
    def symbols(self) -> list[str]:
        """What has been seen, in the order of the first row of each."""
        return list(self._newest)
