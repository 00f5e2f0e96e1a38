"""The seam to a venue.

A venue takes commands and gives back messages; it decides nothing of ours. Nothing here waits:
`send` hands a command over and returns, `receive` gives what has arrived. So the same engine runs
on a simulated clock and on the wall clock, and every adapter is tested by one conformance suite.

Some venues tell of a funding payment in the words of an execution, with the whole position as its
quantity. An adapter tells it as `FundingPaid`, and never as a fill; and it says in which currency a
fee was taken, where that is not the currency of the price.

Silence is not an answer: an adapter never makes up a report. It says what the venue said, or
nothing, and the engine's own deadline turns silence into "unknown". An answer is reported to the
process that has asked, and to no later one. `NotSent` is for a request that certainly did not and
will not reach the venue; where that is not certain, the adapter is silent.
"""

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

import msgspec

from pointsman.domain.commands import Cancel, Compare, MoveCash, Query, Record, Submit
from pointsman.domain.events import (
    CancelRefused,
    CashConfirmed,
    ChargePaid,
    Event,
    FundingPaid,
    LinkChanged,
    NotSent,
    OrderAbsent,
    OrderReport,
    UnlistedCode,
)
from pointsman.domain.market import Instrument, Quote
from pointsman.domain.orders import KnownOrder
from pointsman.domain.policy import Abilities
from pointsman.domain.signals import FirstDecision, Window
from pointsman.domain.venue_reports import AccountRead, InstrumentsChanged, OrderFound, Snapshot

VenueRequest = Submit | Cancel | Query | Compare | MoveCash
"""What may be sent to a venue."""

VenueReply = (
    OrderReport
    | CancelRefused
    | NotSent
    | OrderAbsent
    | OrderFound
    | Snapshot
    | CashConfirmed
    | FundingPaid
    | ChargePaid
    | LinkChanged
    | UnlistedCode
    | InstrumentsChanged
    | AccountRead
)
"""What may come back, at any time. `mark` and `known` of an event are left empty; the engine fills
them in. Each link counts as up from the start on, until `LinkChanged` says otherwise."""


class Venue(Protocol):
    """One account at one venue."""

    @property
    def abilities(self) -> Abilities:
        """What the venue can do; the same for as long as it is open."""

    @property
    def instruments(self) -> Mapping[str, Instrument]:
        """What the venue trades, as it says itself; empty where it does not say. It is asked again
        once a day, and `InstrumentsChanged` says what is new."""

    def send(self, request: VenueRequest, now_ns: int) -> None:
        """Hand over a request at `now_ns`. Returns at once; what comes of it arrives through
        `receive`."""

    def next_due_ns(self) -> int | None:
        """When something will happen at the venue by itself next, if that is known: never in the
        past."""

    def receive(self, now_ns: int) -> list[VenueReply]:
        """All that has arrived up to and including `now_ns`, in the order in which it happened. The
        caller asks after each quote and whenever `next_due_ns` is reached."""

    def known_until_ns(self) -> int:
        """The time of the last thing that the venue's own books hold; 0 for an empty one."""

    def is_under_way(self) -> bool:
        """Whether an order or a cancel that was handed over has not come to its end yet: it has not
        left, nothing has answered it, or what has arrived waits to be received."""

    def finish(self) -> None:
        """The engine ends: let nothing leave any more. What was handed over and has not left
        comes back as not sent. Returns at once."""

    def close(self) -> None:
        """Let go of files and connections."""


@runtime_checkable
class QuoteListener(Protocol):
    """A venue that fills orders by the same quotes as the engine sees. A real venue has a market of
    its own and is no listener."""

    def on_quote(self, quote: Quote) -> bool:
        """Take in the next row of market data, and match what rests on it. Whether there is
        something to receive."""

    def remember(self, quote: Quote) -> None:
        """Take in the newest row of a symbol from before this start, once for each symbol."""


class JournalEntry(msgspec.Struct, frozen=True, gc=False):
    """One turn: when, the event, and the records that changed."""

    time_ns: int
    event: Event
    changes: tuple[Record, ...]


class StorageStatus(msgspec.Struct, frozen=True):
    """How storage stands at one moment: `durable` is the last ticket that is on disk, `failure` why
    it does not work at present, as text, `failures` how often it has begun to fail."""

    durable: int = 0
    failure: str | None = None
    failures: int = 0


class Recorder(Protocol):
    """Where turns are stored."""

    @property
    def standing(self) -> StorageStatus:
        """How storage stands now."""

    def put(self, ticket: int, entry: JournalEntry, is_awaited: bool, /) -> None:
        """Queue a turn; tickets rise by one. `is_awaited`: something waits for it, so that `press`
        follows soon."""

    def settle(self) -> bool:
        """Make all that was put durable before returning, if storage works; whether it is."""

    def press(self) -> None:
        """Commands wait for what was put: make it durable, now or soon."""


class Archive(Protocol):
    """Where finished records are looked up. Sees only what is durable."""

    def first_decision(self, signal_id: str) -> FirstDecision | None: ...

    def known_order(self, client_order_id: str) -> KnownOrder | None: ...

    def is_paid(self, funding_id: str) -> bool: ...


class Hours(Protocol):
    """The trading hours of a VA."""

    def window_at(self, now_ns: int) -> Window | None: ...

    def day_start_ns(self, now_ns: int) -> int: ...
