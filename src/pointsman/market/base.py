"""The seam to a source of market data.

A source gives quotes in time order and says how much it gave, how much it had to skip, and which
data it is. It never mends, invents or drops a quote because of its prices: whether one may be
traded on is `Quote.is_valid` (RULES 4), and every row is a new quote, changed or not (RULES 3).
"""

from collections.abc import Iterator
from typing import Protocol

from pointsman.domain.market import Quote


class Market(Protocol):
    """One stream of quotes over any number of symbols."""

    rows: int
    """Quotes given so far."""
    bad_rows: int
    """Rows skipped so far, since they could not be read."""

    def quotes(self) -> Iterator[Quote]:
        """The quotes from the first on, in time order."""

    def digest(self) -> str:
        """What identifies the data (RULES 5): equal digests give equal quotes."""
