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

from pointsman.domain.orders import KnownOrder, Order
from pointsman.domain.signals import Decision, FirstDecision, SignalRecord
from pointsman.execution.ports import Archive, JournalEntry, Recorder, StorageStatus
from pointsman.storage.ahead import Kin, found, is_paid
from pointsman.storage.blocks import Block
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
        self._head, self._block = Head(0, self._row[4]), Block()
        self._recorder = recorder
        self._archive = archive
        self._catch_up = catch_up
        self._made = Newest()
        self._last_made = 0
        self.is_caught_up = False

    # -- the recorder ------------------------------------------------------------------------------

    @property
    def standing(self) -> StorageStatus:
        """How storage stands now; what the journal holds is durable."""
        now = self._recorder.standing
        if self.is_caught_up and now.durable > self._last_made:
            return now
        return msgspec.structs.replace(now, durable=self._last_made)

    def put(self, ticket: int, entry: JournalEntry, is_awaited: bool = False) -> None:
        """Take in a turn. Raises Diverged where it is not what the journal says."""
        if self.is_caught_up:
            self._recorder.put(ticket, entry, is_awaited)
            return
        (row,), self._head = chained([entry], self._head, self._block)
        sequence, _, kind, _, _, own_hash = row
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
        record = found(self._made, SignalRecord, signal_id)
        decision = found(self._made, Decision, signal_id)
        return None if record is None or decision is None else FirstDecision(record, decision)

    def is_paid(self, funding_id: str) -> bool:
        if self.is_caught_up:
            return self._archive.is_paid(funding_id)
        return is_paid(self._made, funding_id)

    def known_order(self, client_order_id: str) -> KnownOrder | None:
        if self.is_caught_up:
            return self._archive.known_order(client_order_id)
        order = found(self._made, Order, client_order_id)
        if order is None:
            return None
        kin = Kin(order)
        kin.take_from(self._made)
        return kin.known()
