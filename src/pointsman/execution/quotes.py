"""The newest quote of each symbol, the last valid one, and the steps in which it is quoted.

Both are kept because they answer different questions: an entry is judged on the newest row, valid
or not, while the books stay marked at the last valid one (RULES 4).
"""

from decimal import Decimal

from msgspec.structs import replace

from pointsman.domain.market import Quote, letters_of
from pointsman.domain.money import ONE, step_of


class QuoteTable:
    """Per symbol the newest row, valid or not, and the last valid one."""

    def __init__(self) -> None:
        self._newest: dict[str, Quote] = {}
        self._last_valid: dict[str, Quote] = {}
        self._spelled: dict[str, str] = {}
        self._steps: dict[str, tuple[Decimal, Decimal]] = {}

    def update(self, quote: Quote) -> None:
        """Take in the next row. Rows come in time order: the newest is the one given last."""
        symbol = quote.symbol
        if symbol not in self._newest:
            self._spelled.setdefault(letters_of(symbol), symbol)
        self._newest[symbol] = quote
        if quote.is_valid:
            self._look_at_steps(quote)
            self._last_valid[symbol] = quote

    def update_newest(self, quote: Quote) -> None:
        """Take in a row that is too old to mark the books at: entries alone are judged on it."""
        if quote.symbol not in self._newest:
            self._spelled.setdefault(letters_of(quote.symbol), quote.symbol)
        self._newest[quote.symbol] = quote

    def confirm(self, symbol: str, confirmed_ns: int) -> bool:
        """The newest row of a symbol is so still at `confirmed_ns`; whether that is news."""
        newest = self._newest.get(symbol)
        if newest is None or confirmed_ns <= newest.fresh_ns:
            return False
        self._newest[symbol] = replace(newest, confirmed_ns=confirmed_ns)
        return True

    def _look_at_steps(self, quote: Quote) -> None:
        """Notice decimals that no valid row before had. Most rows repeat most of their numbers, and
        a file gives the same object for the same text: those are not looked at again."""
        before = self._last_valid.get(quote.symbol)
        if before is None:
            tick = lot = ONE
        else:
            tick, lot = self._steps[quote.symbol]
        if (
            before is None
            or (quote.bid is not before.bid and quote.bid % tick)
            or (quote.ask is not before.ask and quote.ask % tick)
            or (quote.bid_size is not before.bid_size and quote.bid_size % lot)
            or (quote.ask_size is not before.ask_size and quote.ask_size % lot)
        ):
            finer_tick = _finer(tick, quote.bid, quote.ask)
            finer_lot = _finer(lot, quote.bid_size, quote.ask_size)
            self._steps[quote.symbol] = (finer_tick, finer_lot)

    def newest(self, symbol: str) -> Quote | None:
        """The newest row of a symbol, valid or not; None before the first."""
        return self._newest.get(symbol)

    def last_valid(self, symbol: str) -> Quote | None:
        """The last valid row of a symbol; None before the first."""
        return self._last_valid.get(symbol)

    def other_spelling(self, symbol: str) -> str:
        """A symbol that has been seen and differs from one that has not in its spelling alone;
        empty where there is none."""
        return "" if symbol in self._newest else self._spelled.get(letters_of(symbol), "")

    def steps(self, symbol: str) -> tuple[Decimal, Decimal] | None:
        """The steps of the prices and of the sizes of a symbol, by the decimals of its valid rows
        so far: powers of ten, at most 1 (RULES 59)."""
        return self._steps.get(symbol)

    @property
    def symbols(self) -> list[str]:
        """What has been seen, in the order of the first row of each."""
        return list(self._newest)


def _finer(step: Decimal, *amounts: Decimal) -> Decimal:
    """The coarsest power of ten up to `step` that divides all amounts."""
    for amount in amounts:
        if amount % step:
            step = min(step, step_of(amount))
    return step
