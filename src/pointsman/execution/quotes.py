"""The newest quote of each symbol, the last valid one, and the steps in which it is quoted.

Both are kept because they answer different questions: an entry is judged on the newest row, valid
or not, while the books stay marked at the last valid one (RULES 4).
"""

from decimal import Decimal, InvalidOperation

from msgspec.structs import replace

from pointsman.domain.market import Quote, letters_of
from pointsman.domain.money import ONE, ZERO, step_of
from pointsman.domain.spelling import is_misspelled


class _Known:
    """What is known of one symbol. The steps are those of all its valid rows so far."""

    __slots__ = ("last_valid", "lot", "newest", "tick")

    def __init__(self, newest: Quote) -> None:
        self.newest = newest
        self.last_valid: Quote | None = None
        self.tick = ONE
        self.lot = ONE

    def take_valid(self, quote: Quote) -> None:
        """Take in the next valid row, whatever decimals it has."""
        self.last_valid = quote
        self.tick = _finer(self.tick, quote.bid, quote.ask)
        self.lot = _finer(self.lot, quote.bid_size, quote.ask_size)


class QuoteTable:
    """Per symbol the newest row, valid or not, and the last valid one."""

    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}
        self._spelled: dict[str, str] = {}

    def update(self, quote: Quote) -> None:
        """Take in the next row. Rows come in time order: the newest is the one given last."""
        known = self._known.get(quote.symbol)
        if known is None:
            known = self._first(quote)
        known.newest = quote
        before = known.last_valid
        if before is None:
            if quote.is_valid:
                known.take_valid(quote)
            return
        # Almost every row is valid and shows no decimals that no valid row before had: no remainder
        # says so, and that an amount is finite. Most rows repeat most of their numbers, and a file
        # gives the same object for the same text: those are not divided again.
        bid, ask, bid_size, ask_size = quote.bid, quote.ask, quote.bid_size, quote.ask_size
        try:
            if not (
                (bid is not before.bid and bid % known.tick)
                or (ask is not before.ask and ask % known.tick)
                or (bid_size is not before.bid_size and bid_size % known.lot)
                or (ask_size is not before.ask_size and ask_size % known.lot)
            ) and (ZERO < bid <= ask and bid_size >= ZERO and ask_size >= ZERO):
                known.last_valid = quote
            elif quote.is_valid:
                known.take_valid(quote)
        except InvalidOperation:
            return  # infinite, or not a number

    def update_newest(self, quote: Quote) -> None:
        """Take in a row that is too old to mark the books at: entries alone are judged on it."""
        known = self._known.get(quote.symbol) or self._first(quote)
        known.newest = quote

    def _first(self, quote: Quote) -> _Known:
        self._spelled.setdefault(letters_of(quote.symbol), quote.symbol)
        known = self._known[quote.symbol] = _Known(quote)
        return known

    def confirm(self, symbol: str, confirmed_ns: int) -> bool:
        """The newest row of a symbol is so still at `confirmed_ns`; whether that is news."""
        known = self._known.get(symbol)
        if known is None or confirmed_ns <= known.newest.fresh_ns:
            return False
        known.newest = replace(known.newest, confirmed_ns=confirmed_ns)
        return True

    def newest(self, symbol: str) -> Quote | None:
        """The newest row of a symbol, valid or not; None before the first."""
        known = self._known.get(symbol)
        return None if known is None else known.newest

    def last_valid(self, symbol: str) -> Quote | None:
        """The last valid row of a symbol; None before the first."""
        known = self._known.get(symbol)
        return None if known is None else known.last_valid

    def other_spelling(self, symbol: str) -> str:
        """A symbol that has been seen, for one that has not: where only the spelling differs, else
        one that this is a misspelling of; empty where there is none."""
        if symbol in self._known:
            return ""
        letters = letters_of(symbol)
        if (same := self._spelled.get(letters)) is not None:
            return same
        near = (known for seen, known in self._spelled.items() if is_misspelled(letters, seen))
        return next(near, "")

    def steps(self, symbol: str) -> tuple[Decimal, Decimal] | None:
        """The steps of the prices and of the sizes of a symbol, by the decimals of its valid rows
        so far: powers of ten, at most 1 (RULES 59)."""
        known = self._known.get(symbol)
        return None if known is None or known.last_valid is None else (known.tick, known.lot)

    @property
    def symbols(self) -> list[str]:
        """What has been seen, in the order of the first row of each."""
        return list(self._known)


def _finer(step: Decimal, *amounts: Decimal) -> Decimal:
    """The coarsest power of ten up to `step` that divides all amounts."""
    for amount in amounts:
        if amount % step:
            step = min(step, step_of(amount))
    return step
