"""Rows of a live feed: which are taken, and which symbols have gone without one (RULES 60).

Invariants:

* a row stamped more than a minute ahead of the clock is bad, and so is one that is earlier than the
  newest of its symbol; no other symbol hears of either;
* a stamp that is ahead of the clock holds back no stamp that is not: where the newest was more than
  a second ahead and a row is not, the newest counts as stamped when it came;
* no more than SYMBOLS_MAX symbols are known, but those of positions are always taken.
"""

from collections.abc import Callable, Mapping

from pointsman.domain.market import Quote
from pointsman.domain.timestamps import SECOND_NS
from pointsman.execution.skipped_rows import SYMBOLS_MAX, SkippedRows

AHEAD_MAX_NS = 60 * SECOND_NS
_TOLERANCE_NS = SECOND_NS


class LiveRows:
    """The door for rows of one live feed. `clock_ns` is the clock that stamps are held against.
    `newest` are the stamps that an earlier run had seen; `is_held` says whether a symbol must be
    taken however many there are."""

    def __init__(
        self,
        clock_ns: Callable[[], int],
        skipped: SkippedRows,
        newest: Mapping[str, int] | None = None,
        is_held: Callable[[str], bool] = lambda _symbol: False,
    ) -> None:
        now_ns = clock_ns()
        self.clock_ns = clock_ns
        self.skipped = skipped
        self._is_held = is_held
        # Stamps beyond the clock are those of a clock that has been put back since.
        known = {symbol: min(ts_ns, now_ns) for symbol, ts_ns in (newest or {}).items()}
        self._newest = {symbol: (ts_ns, ts_ns) for symbol, ts_ns in known.items()}

    def problem(self, quote: Quote, now_ns: int) -> str:
        """What speaks against a row that comes at `now_ns`, and what to do; empty for nothing."""
        if quote.ts_ns > now_ns + AHEAD_MAX_NS:
            return "it is more than a minute ahead of the engine's clock; set the sender's clock"
        known = self._newest.get(quote.symbol)
        if known is None:
            if len(self._newest) >= SYMBOLS_MAX and not self._is_held(quote.symbol):
                return f"{SYMBOLS_MAX} symbols are known already, and no more are kept; send fewer"
        elif quote.ts_ns < (known[0] if quote.ts_ns <= now_ns + _TOLERANCE_NS else known[1]):
            return "a newer quote of its symbol was taken before; send quotes in order"
        return ""

    def note(self, quote: Quote, now_ns: int) -> None:
        """A row that came at `now_ns` is taken."""
        is_ahead = quote.ts_ns > now_ns + _TOLERANCE_NS
        self._newest[quote.symbol] = (now_ns if is_ahead else quote.ts_ns, quote.ts_ns)

    def take(self, quote: Quote) -> str:
        """Take a row that comes now; or what speaks against it: then it is skipped."""
        now_ns = self.clock_ns()
        problem = self.problem(quote, now_ns)
        if problem:
            self.skipped.skip(quote.symbol, now_ns, problem)
        else:
            self.note(quote, now_ns)
        return problem
