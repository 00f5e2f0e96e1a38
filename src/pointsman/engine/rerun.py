"""Rerun: the turns that a recorded run has journaled already, made once more.

A recorded run follows from its files, settings and seed alone. So one that was interrupted
continues by being played again from its beginning, with nothing written, until its journal ends:
then desk, venue and market are exactly where they were, requests under way, timers and displayed
sizes included, and the rest of the run is that of the run without interruption (RULES 62).
Invariants:

* each turn must have the hash of its row in the journal; the first that has not ends the attempt
  before anything was written;
* while it is made again, what must be known for ever is looked up among these turns, since the
  database knows what comes later too.
"""

from collections.abc import Callable, Iterator
from typing import NoReturn

import msgspec

from pointsman.domain.client_order_ids import parse_client_order_id
from pointsman.domain.orders import Fill, KnownOrder, Order, Role
from pointsman.domain.positions import Funding, Trade
from pointsman.domain.signals import Decision, FirstDecision, SignalRecord
from pointsman.execution.ports import Archive, Entry, Recorder, Standing
from pointsman.storage.codec import Newest
from pointsman.storage.entries import Head, JournalRow, chained


class Diverged(Exception):
    """A turn came out otherwise than its row in the journal says: another version made it, or
    something from outside came between. Nothing was written."""

    def __init__(self, sequence: int, journaled: str, made: str) -> None:
        super().__init__(f"row {sequence} of the journal: {journaled}, made again: {made}")
        self.sequence = sequence


class Rerun:
    """A recorder, and an archive, that follow the journal to its end and then hand over to
    `recorder` and `archive`; `catch_up` is called in between, when nothing has been written."""

    def __init__(
        self,
        rows: Iterator[JournalRow],
        recorder: Recorder,
        archive: Archive,
        catch_up: Callable[[], None],
    ) -> None:
        self._rows = rows
        self._row = next(rows)
        self._head = Head(0, self._row[4])
        self._recorder = recorder
        self._archive = archive
        self._catch_up = catch_up
        self._made = Newest()
        self._last_made = 0
        self.is_caught_up = False

    # -- the recorder ------------------------------------------------------------------------------

    @property
    def standing(self) -> Standing:
        """How storage stands now; what the journal holds is durable."""
        now = self._recorder.standing
        if self.is_caught_up and now.durable > self._last_made:
            return now
        return msgspec.structs.replace(now, durable=self._last_made)

    def put(self, ticket: int, entry: Entry) -> None:
        """Take in a turn. Raises Diverged where it is not what the journal says."""
        if self.is_caught_up:
            self._recorder.put(ticket, entry)
            return
        ((sequence, _, kind, _, _, own_hash),), self._head = chained([entry], self._head)
        if own_hash != self._row[5]:
            raise Diverged(sequence, self._row[2], kind)
        self._last_made = ticket
        self._made.take(entry.changes)
        following = next(self._rows, None)
        if following is None:
            self._catch_up()
            self._made = Newest()
            self.is_caught_up = True
        else:
            self._row = following

    def end_early(self) -> NoReturn:
        """The run is over, and its journal is not: raises Diverged."""
        raise Diverged(self._row[0], self._row[2], "nothing")

    def settle(self) -> bool:
        return self._recorder.settle()

    def press(self) -> None:
        self._recorder.press()

    # -- the archive -------------------------------------------------------------------------------

    def first_decision(self, signal_id: str) -> FirstDecision | None:
        if self.is_caught_up:
            return self._archive.first_decision(signal_id)
        record = self._made.by_type[SignalRecord].get(signal_id)
        decision = self._made.by_type[Decision].get(signal_id)
        if not isinstance(record, SignalRecord) or not isinstance(decision, Decision):
            return None
        return FirstDecision(record, decision)

    def is_paid(self, funding_id: str) -> bool:
        if self.is_caught_up:
            return self._archive.is_paid(funding_id)
        paid = self._made.by_type[Funding].values()
        return any(isinstance(one, Funding) and one.funding_id == funding_id for one in paid)

    def known_order(self, client_order_id: str) -> KnownOrder | None:
        if self.is_caught_up:
            return self._archive.known_order(client_order_id)
        order = self._made.by_type[Order].get(client_order_id)
        if not isinstance(order, Order):
            return None
        fills = self._made.by_type[Fill].values()
        trades = self._made.by_type[Trade].values()
        attempts = dict.fromkeys(Role, 0)
        for other in self._made.by_type[Order].values():
            if isinstance(other, Order) and other.position_id == order.position_id:
                parts = parse_client_order_id(other.client_order_id)
                if parts is not None:
                    attempts[parts.role] = max(attempts[parts.role], parts.attempt)
        return KnownOrder(
            order=order,
            fill_keys=tuple(
                fill.key
                for fill in fills
                if isinstance(fill, Fill) and fill.client_order_id == client_order_id
            ),
            parts=sum(
                isinstance(trade, Trade) and trade.position_id == order.position_id
                for trade in trades
            ),
            stops_made=attempts[Role.STOP],
            exits_made=attempts[Role.EXIT],
        )
