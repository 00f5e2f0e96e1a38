"""An account in shadow: it is read, and whatever an engine would do there is done on paper.

The desk gets what the account can do and trades, and its links; orders, money and comparisons go to
a paper venue with books of its own. Invariants:

* nothing but comparisons is ever asked of the account, through an adapter that can make no order
  (`read_only`);
* of what it answers only this goes further: links, codes that are in no table, instruments, and
  what it holds, as an `AccountRead` that no book takes in. Its fills, orders and payments are
  dropped;
* it is read at a comparison of the desk, READ_EVERY_NS after the last time at the earliest.
"""

from collections.abc import Mapping

import msgspec

from pointsman.domain.commands import Compare
from pointsman.domain.events import LinkChanged, UnlistedCode
from pointsman.domain.market import Instrument, Quote
from pointsman.domain.policy import Abilities, ReduceOnlyMode
from pointsman.domain.timestamps import SECOND_NS
from pointsman.domain.venue_reports import AccountRead, InstrumentsChanged, Snapshot
from pointsman.execution.ports import VenueReply, VenueRequest
from pointsman.venues.bridge import RealVenue
from pointsman.venues.paper.venue import PaperVenue

READ_EVERY_NS = 60 * SECOND_NS
"""The account is read this often, so that a second engine at it is left most of its budget."""


class ShadowVenue:
    """An account that is read, and the paper venue in its place (`execution.ports.Venue`)."""

    def __init__(self, account: RealVenue, paper: PaperVenue) -> None:
        self.account = account
        self.paper = paper
        self._read_at_ns: int | None = None
        self._cursor = ""
        self._told: AccountRead | None = None

    @property
    def abilities(self) -> Abilities:
        return shadow_abilities(self.account.abilities, self.paper.abilities)

    @property
    def instruments(self) -> Mapping[str, Instrument]:
        return self.account.instruments

    def send(self, request: VenueRequest, now_ns: int) -> None:
        self.paper.send(request, now_ns)
        if isinstance(request, Compare) and self._is_due(now_ns):
            self._read_at_ns = now_ns
            self.account.send(Compare(self._cursor), now_ns)

    def _is_due(self, now_ns: int) -> bool:
        return self._read_at_ns is None or now_ns >= self._read_at_ns + READ_EVERY_NS

    def next_due_ns(self) -> int | None:
        due = (self.paper.next_due_ns(), self.account.next_due_ns())
        return min((at_ns for at_ns in due if at_ns is not None), default=None)

    def receive(self, now_ns: int) -> list[VenueReply]:
        replies = self.paper.receive(now_ns)
        for reply in self.account.receive(now_ns):
            if isinstance(reply, LinkChanged | UnlistedCode | InstrumentsChanged):
                replies.append(reply)
            elif isinstance(reply, Snapshot):
                replies += self._read(reply)
        return replies

    def _read(self, snapshot: Snapshot) -> list[VenueReply]:
        """What there is to tell of an answer: what the account holds, where that is news."""
        if not snapshot.is_complete:
            self._read_at_ns = None  # asked again at the next comparison
            return []
        self._cursor = snapshot.fills_cursor
        held = ((each.symbol, each.quantity) for each in snapshot.holdings if each.quantity)
        found = AccountRead(holdings=tuple(sorted(held)), open_orders=len(snapshot.open_orders))
        if found == self._told:
            return []
        self._told = found
        return [found]

    def on_quote(self, quote: Quote) -> bool:
        """Fill what rests on paper by the next row."""
        return self.paper.on_quote(quote)

    def remember(self, quote: Quote) -> None:
        """Take in the newest row from before this start."""
        self.paper.remember(quote)

    def known_until_ns(self) -> int:
        return self.paper.known_until_ns()

    def is_under_way(self) -> bool:
        return self.paper.is_under_way()

    def finish(self) -> None:
        self.paper.finish()

    def close(self) -> None:
        try:
            self.account.close()
        finally:
            self.paper.close()


def shadow_abilities(account: Abilities, paper: Abilities) -> Abilities:
    """What a desk may do in shadow: what the account forbids is forbidden; how requests live and
    what is reported is the paper venue's. An account without reduce-only counts as one that refuses
    what is too large: the paper venue has the flag."""
    reduce_only = account.reduce_only
    return msgspec.structs.replace(
        account,
        reduce_only=ReduceOnlyMode.REFUSE if reduce_only is ReduceOnlyMode.NONE else reduce_only,
        tells_triggered=paper.tells_triggered,
        requests_end_with_session=paper.requests_end_with_session,
        request_expiry_ns=paper.request_expiry_ns,
        keeps_ended_orders_ns=paper.keeps_ended_orders_ns,
    )
