"""Rows of a live feed that were skipped: of which symbols, since when, and why (RULES 60).

A feed all of whose rows are skipped looks alive and is not: readiness names its cause here.
"""

from collections import deque
from collections.abc import Iterator

from pointsman.domain.timestamps import SECOND_NS

SYMBOLS_MAX = 10_000
"""The most symbols that are kept; each costs some 3 kB for good."""

SKIPPED_MAX_NS = 10 * SECOND_NS
"""A symbol all of whose rows have been skipped for this long makes the feed not ready."""

QUIET_NS = 60 * SECOND_NS
"""Rows that were skipped longer ago say nothing of the feed as it is now."""

_NEWS_MAX = 20


class SkippedRows:
    """The symbols whose rows have been skipped since the last one that was taken. A row of which no
    symbol can be read counts for the symbol "". Other threads may call it: each change is a single
    operation on a dictionary, and a reader copies it first."""

    def __init__(self) -> None:
        self._since: dict[str, tuple[int, int, str]] = {}
        self._news: deque[str] = deque(maxlen=_NEWS_MAX)
        self._told = 0

    def skip(self, symbol: str, now_ns: int, why: str, *, is_told_once: bool = False) -> None:
        """A row of `symbol` that came at `now_ns` was skipped. With `is_told_once` it is reported
        only where the row before of that symbol was taken."""
        is_news = not (is_told_once and symbol in self._since)
        first_ns, last_ns, _ = self._since.get(symbol, (now_ns, now_ns, ""))
        if now_ns - last_ns > QUIET_NS:
            first_ns = now_ns
        if symbol in self._since or len(self._since) < SYMBOLS_MAX:
            self._since[symbol] = (first_ns, now_ns, why)
        if is_news and self._told < _NEWS_MAX:
            self._told += 1
            self._news.append(f"{symbol}: {why}")

    def take(self, symbol: str) -> None:
        """A row of `symbol` was taken."""
        if self._since:
            self._since.pop(symbol, None)
            self._since.pop("", None)

    def why(self, now_ns: int) -> str:
        """Which symbol has had all its rows skipped for SKIPPED_MAX_NS, and why; empty for none."""
        for symbol, (first_ns, last_ns, why) in list(self._since.items()):
            if last_ns - first_ns >= SKIPPED_MAX_NS and now_ns - last_ns <= QUIET_NS:
                name = f"of {symbol} " if symbol else ""
                seconds = (last_ns - first_ns) // SECOND_NS
                return f"every row {name}has been skipped for {seconds} s: {why}"
        return ""

    def take_news(self) -> Iterator[str]:
        """The first rows that were skipped, each reported once."""
        while self._news:
            yield self._news.popleft()
