"""The seam to a venue.

A venue takes commands and gives back messages; it decides nothing of ours. Nothing here waits:
`send` hands a command over and returns, `receive` gives what has arrived. So the same engine runs
on a simulated clock and on the wall clock, and every adapter is tested by one conformance suite.

Some venues tell of a funding payment in the words of an execution, with the whole position as its
quantity. An adapter tells it as `FundingPaid`, and never as a fill; and it says in which currency a
fee was taken, where that is not the currency of the price.

Silence is not an answer: an adapter never makes up a report. It says what the venue said, or
nothing, and the engine's own deadline turns silence into "unknown". An answer is told to the
process that has asked, and to no later one.
"""

from typing import Protocol

from pointsman.domain.commands import Cancel, Compare, MoveCash, Query, Submit
from pointsman.domain.events import (
    CancelRefused,
    CashConfirmed,
    FundingPaid,
    OrderAbsent,
    OrderReport,
)
from pointsman.domain.market import Quote
from pointsman.domain.policy import Abilities
from pointsman.domain.venue_truth import OrderFound, Snapshot

Request = Submit | Cancel | Query | Compare | MoveCash
"""What may be sent to a venue."""

Reply = (
    OrderReport | CancelRefused | OrderAbsent | OrderFound | Snapshot | CashConfirmed | FundingPaid
)
"""What may come back. `mark` and `known` of an event are left empty; the engine fills them in."""


class Venue(Protocol):
    """One account at one venue."""

    @property
    def abilities(self) -> Abilities:
        """What the venue can do; the same for as long as it is open."""

    def send(self, request: Request, now_ns: int) -> None:
        """Hand over a request at `now_ns`. Returns at once; what comes of it arrives through
        `receive`."""

    def on_quote(self, quote: Quote) -> None:
        """Take in the next row of market data. A simulated venue matches on it; a real one ignores
        it."""

    def remember(self, quote: Quote) -> None:
        """Take in the newest row of a symbol from before this start, once for each symbol; a real
        venue ignores it."""

    def next_due_ns(self) -> int | None:
        """When something will happen at the venue by itself next, if that is known: never in the
        past."""

    def receive(self, now_ns: int) -> list[Reply]:
        """All that has arrived up to and including `now_ns`, in the order in which it happened. The
        caller asks after each `on_quote` and whenever `next_due_ns` is reached."""

    def known_until_ns(self) -> int:
        """The time of the last thing that the venue's own books hold; 0 for an empty one."""

    def close(self) -> None:
        """Let go of files and connections."""
