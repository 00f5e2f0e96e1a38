"""Stamps: the order in time of rows that come from a file (RULES 60).

Each symbol has its own order: a row that is earlier than the one before of its symbol is bad, and a
row of another symbol that stands a little late in the file is put where it belongs. No stamp far
ahead of the rest becomes the time of anything: it is a bad row, and those after it are used.

Worked example, a row a line: AAPL 10:00:00, AAPL 10:00:02, MSFT 10:00:01, AAPL of the year 2062,
AAPL 10:00:03. All are used in the order of their stamps but the fourth, which most of the rows
after it contradict.
"""

from bisect import insort
from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice

from pointsman.domain.market import Quote
from pointsman.domain.timestamps import SECOND_NS

DAY_NS = 86_400 * SECOND_NS
LAST_AHEAD_MAX_NS = 31 * DAY_NS
"""The last row of a file has none after it that could contradict it: it may be so far ahead."""

ROWS_AROUND = 256
"""This many rows are looked at around one that is far ahead, and this many may stand between where
a row stands in its file and where it belongs."""

Row = tuple[int, Quote, str]
"""The number of a line, the quote in it, and its stamp as it is written there."""

Skip = Callable[[Row, str], None]
"""Told of a row that is bad for its stamp, and what to do."""


def in_time_order(rows: Iterator[Row], skip: Skip) -> Iterator[Quote]:
    """The quotes of one file by their stamps, at equal stamps as they stand in it."""
    newest: dict[str, int] = {}
    waiting: deque[tuple[int, int, Quote]] = deque(maxlen=ROWS_AROUND + 1)
    given_ns = 0
    for row in _without_far_ahead(rows, skip):
        line, quote, _ = row
        if quote.ts_ns < newest.get(quote.symbol, 0):
            skip(row, "sort the file by time: it is earlier than the row before")
            continue
        if quote.ts_ns < given_ns:
            late = f"it is earlier than rows that stand more than {ROWS_AROUND} lines before it"
            skip(row, f"sort the file by time: {late}")
            continue
        newest[quote.symbol] = quote.ts_ns
        if waiting and quote.ts_ns < waiting[-1][0]:
            insort(waiting, (quote.ts_ns, line, quote))
        else:
            waiting.append((quote.ts_ns, line, quote))
        if len(waiting) > ROWS_AROUND:
            given_ns, _, earliest = waiting.popleft()
            yield earliest
    for _, _, quote in waiting:
        yield quote


def _without_far_ahead(rows: Iterator[Row], skip: Skip) -> Iterator[Row]:
    """The rows but for those whose stamp is more than a day ahead of the rows around them. After a
    weekend the rows that follow are as late as the first, so it is not ahead of them."""
    following: deque[Row] = deque(maxlen=ROWS_AROUND)
    newest_ns: int | None = None
    while (row := following.popleft() if following else next(rows, None)) is not None:
        stamp_ns = row[1].ts_ns
        if newest_ns is None or stamp_ns > newest_ns + DAY_NS:
            following.extend(islice(rows, ROWS_AROUND - len(following)))
            if _is_far_ahead(stamp_ns, newest_ns, following):
                skip(row, "it is more than a day ahead of the rows around it; correct it")
                continue
        if newest_ns is None or stamp_ns > newest_ns:
            newest_ns = stamp_ns
        yield row


def _is_far_ahead(stamp_ns: int, newest_ns: int | None, following: deque[Row]) -> bool:
    """Whether most of the rows that follow lie more than a day before a stamp; where none follows,
    whether those before do by far."""
    if not following:
        return newest_ns is not None and stamp_ns > newest_ns + LAST_AHEAD_MAX_NS
    earlier = sum(later.ts_ns < stamp_ns - DAY_NS for _, later, _ in following)
    return 2 * earlier > len(following)
