"""Recall: what must be known for ever, and is not in the desk (RULES 32).

The first decision of a signal id and the record of a final order are looked up in storage when they
are asked for. What was decided a moment ago may not be durable yet: that is kept in memory until it
is, and not longer, since a decision with all its checks is large. Keys of fills and of
funding payments are small; the newest are kept.
"""

from collections import OrderedDict
from collections.abc import Iterable
from typing import TypeVar

from pointsman.domain.commands import Record
from pointsman.domain.orders import Fill, KnownOrder
from pointsman.domain.positions import Funding
from pointsman.domain.signals import Decision, FirstDecision, SignalRecord
from pointsman.execution.ports import Archive

_Value = TypeVar("_Value")

RECENT_MAX = 20_000
"""How many keys are kept; more than storage may have waiting."""


class FinishedRecords:
    """The archive, and what is too new for it."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._records: OrderedDict[str, tuple[int, SignalRecord]] = OrderedDict()
        self._decisions: OrderedDict[str, tuple[int, Decision]] = OrderedDict()
        self._fill_keys: OrderedDict[str, None] = OrderedDict()

    def __len__(self) -> int:
        """How many records and decisions are kept."""
        return len(self._records) + len(self._decisions)

    def note(self, changes: Iterable[Record], ticket: int) -> None:
        """Keep what the step of a ticket decided and booked. Tickets rise."""
        for record in changes:
            if isinstance(record, SignalRecord):
                _put(self._records, record.signal.signal_id, (ticket, record))
            elif isinstance(record, Decision):
                _put(self._decisions, record.signal_id, (ticket, record))
            elif isinstance(record, Fill):
                self.note_fill(record.key)
            elif isinstance(record, Funding):
                self.note_fill(_payment(record.funding_id))

    def forget(self, durable: int) -> None:
        """Let go of what is on disk: everything up to this ticket."""
        for kept in (self._records, self._decisions):
            while kept and next(iter(kept.values()))[0] <= durable:
                kept.popitem(last=False)

    def first_decision(self, signal_id: str) -> FirstDecision | None:
        """What was decided when this id came first; None for a new id."""
        _, record = self._records.get(signal_id, (0, None))
        _, decision = self._decisions.get(signal_id, (0, None))
        if decision is not None and record is not None:
            return FirstDecision(record, decision)
        first = self._archive.first_decision(signal_id)
        if first is not None and record is not None:
            return FirstDecision(record, first.decision)
        return first

    def note_fill(self, fill_key: str) -> None:
        """Keep that an execution was taken in which leaves no fill of ours."""
        _put(self._fill_keys, fill_key, None)
        if len(self._fill_keys) > RECENT_MAX:
            self._fill_keys.popitem(last=False)

    def is_booked(self, fill_key: str) -> bool:
        """Whether an execution was taken in a short while ago."""
        return fill_key in self._fill_keys

    def is_paid(self, funding_id: str) -> bool:
        """Whether a funding payment was taken in, lately or ever."""
        return _payment(funding_id) in self._fill_keys or self._archive.is_paid(funding_id)

    def known_order(self, client_order_id: str) -> KnownOrder | None:
        """What storage remembers of a final order. The caller makes what is pending durable
        first."""
        return self._archive.known_order(client_order_id)


def _payment(funding_id: str) -> str:
    """The key of a funding payment among those of fills."""
    return f"funding {funding_id}"


def _put(kept: OrderedDict[str, _Value], key: str, value: _Value) -> None:
    kept[key] = value
    kept.move_to_end(key)
