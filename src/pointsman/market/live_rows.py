"""Rows of a live feed: which are taken, and which symbols have gone without one (RULES 60).

What always holds:

* a row stamped more than a minute ahead of the clock is bad, and so is one that is earlier than the
  newest of its symbol; no other symbol hears of either;
* a stamp that is ahead of the clock holds back no stamp that is not: where the newest was more than
  a second ahead and a row is not, the newest counts as stamped when it came;
* no more than SYMBOLS_MAX symbols are known, but those of positions are always taken.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping

from pointsman.domain.market import Quote
from pointsman.domain.timestamps import SECOND_NS

AHEAD_MAX_NS = 60 * SECOND_NS
SYMBOLS_MAX = 10_000
"""So many symbols are kept; each costs some 3 kB for good."""

SKIPPED_MAX_NS = 10 * SECOND_NS
"""A symbol all of whose rows have been skipped for so long makes the feed not ready."""

QUIET_NS = 60 * SECOND_NS
"""Rows that were skipped longer ago say nothing of the feed as it is now."""

_TOLERANCE_NS = SECOND_NS
_NEWS_MAX = 20


class SkippedRows:
    """The symbols whose rows have been skipped since the last that was taken; from any thread. A
    row of which no symbol can be read counts for the symbol ""."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._since: dict[str, tuple[int, int, str]] = {}
        self._news: deque[str] = deque(maxlen=_NEWS_MAX)
        self._told = 0

    def skip(self, symbol: str, now_ns: int, why: str) -> None:
        """A row of `symbol` that came at `now_ns` was skipped."""
        with self._lock:
            first_ns, last_ns, _ = self._since.get(symbol, (now_ns, now_ns, ""))
            if now_ns - last_ns > QUIET_NS:
                first_ns = now_ns
            if symbol in self._since or len(self._since) < SYMBOLS_MAX:
                self._since[symbol] = (first_ns, now_ns, why)
            if self._told < _NEWS_MAX:
                self._told += 1
                self._news.append(f"{symbol}: {why}")

    def take(self, symbol: str) -> None:
        """A row of `symbol` was taken."""
        if self._since:
            with self._lock:
                self._since.pop(symbol, None)
                self._since.pop("", None)

    def why(self, now_ns: int) -> str:
        """Which symbol has had all its rows skipped for SKIPPED_MAX_NS, and why; empty for none."""
        with self._lock:
            for symbol, (first_ns, last_ns, why) in self._since.items():
                if last_ns - first_ns >= SKIPPED_MAX_NS and now_ns - last_ns <= QUIET_NS:
                    name = f"of {symbol} " if symbol else ""
                    seconds = (last_ns - first_ns) // SECOND_NS
                    return f"every row {name}has been skipped for {seconds} s: {why}"
        return ""

    def take_news(self) -> Iterator[str]:
        """The first rows that were skipped, each told once."""
        while self._news:
            yield self._news.popleft()


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
