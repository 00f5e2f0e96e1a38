"""The hand-over of changed records from the loop to those that show them.

The loop appends what a turn changed and never waits; a reader on another thread takes all that has
gathered (RULES 34). Invariants:

* records are taken in the order in which they changed;
* what waits is bounded: where the reader does not come, it is folded to the newest record of each
  key. What has come and gone meanwhile is left out, for its only trace in a picture is a count, and
  the counts are kept.
"""

from collections import deque
from collections.abc import Iterable, Sequence

import msgspec

from pointsman.domain.accounts import Account, DeskRecord, Incident, KillSwitch
from pointsman.domain.commands import Record
from pointsman.domain.life_cycle import OrderStatus
from pointsman.domain.orders import Fill, Order
from pointsman.domain.positions import Position, PositionState, Trade
from pointsman.domain.signals import Decision, Outcome, SignalRecord

BATCHES_MAX = 2_000
"""How many turns wait before they are folded."""
DECISIONS_KEPT = 50
INCIDENTS_KEPT = 20
"""How many of the newest are shown."""


class Counts(msgspec.Struct, frozen=True):
    """How much there has been."""

    signals: int = 0
    accepted: int = 0
    refused: int = 0
    fills: int = 0
    trades: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.signals + other.signals,
            self.accepted + other.accepted,
            self.refused + other.refused,
            self.fills + other.fills,
            self.trades + other.trades,
        )


class ChangeBatch(msgspec.Struct, frozen=True):
    """Changed records, oldest first; how many others there were that are not in it; and the ids of
    orders that began in it and still matter."""

    records: tuple[Record, ...]
    gone: Counts = Counts()
    began: frozenset[str] = frozenset()


def count(records: Iterable[Record]) -> Counts:
    """How many signals, decisions, fills and trades are among changed records. A decision is made
    once for each signal."""
    accepted = refused = fills = trades = 0
    for record in records:
        if isinstance(record, Decision):
            accepted += record.outcome is Outcome.ACCEPTED
            refused += record.outcome is Outcome.REFUSED
        elif isinstance(record, Fill):
            fills += 1
        elif isinstance(record, Trade):
            trades += 1
    return Counts(accepted + refused, accepted, refused, fills, trades)


class Publisher:
    """What waits for the reader. `put` belongs to the loop's thread, `take` to the reader's."""

    def __init__(self) -> None:
        self._batches: deque[ChangeBatch] = deque(maxlen=2 * BATCHES_MAX)

    def put(self, changes: tuple[Record, ...]) -> None:
        """Hand over what a turn changed."""
        self._batches.append(ChangeBatch(changes))
        if len(self._batches) >= BATCHES_MAX:
            self._batches.append(fold(self.take()))

    def take(self) -> list[ChangeBatch]:
        """All that has gathered, oldest first."""
        batches: list[ChangeBatch] = []
        while self._batches:
            try:
                batches.append(self._batches.popleft())
            except IndexError:  # the other thread has just taken it
                break
        return batches


def fold(batches: Sequence[ChangeBatch]) -> ChangeBatch:
    """The newest record of each key, and the counts of what is left out. An order that began and
    ended in these batches was never known to the reader; nor was the position that it opened."""
    newest: dict[tuple[type, object], Record] = {}
    decisions: deque[Decision] = deque(maxlen=DECISIONS_KEPT)
    signals: dict[str, SignalRecord] = {}
    incidents: deque[Incident] = deque(maxlen=INCIDENTS_KEPT)
    began = {order_id for batch in batches for order_id in batch.began}
    every = Counts()
    for batch in batches:
        every += batch.gone + count(batch.records)
        for record in batch.records:
            if isinstance(record, Decision):
                decisions.append(record)
            elif isinstance(record, SignalRecord):
                signals[record.signal.signal_id] = record
            elif isinstance(record, Incident):
                incidents.append(record)
            elif (key := _key(record)) is not None:
                newest[key] = record
            if isinstance(record, Order) and record.status is OrderStatus.INITIALIZED:
                began.add(record.client_order_id)
    kept = [record for record in newest.values() if not _is_gone(record, began)]
    orders = {record.client_order_id for record in kept if isinstance(record, Order)}
    entries = {record.entry_order_id for record in kept if isinstance(record, Position)}
    shown = count(decisions)
    gone = Counts(
        every.signals - shown.signals,
        every.accepted - shown.accepted,
        every.refused - shown.refused,
        every.fills,
        every.trades,
    )
    asked = [signals[each.signal_id] for each in decisions if each.signal_id in signals]
    still = frozenset(began & (orders | entries))
    return ChangeBatch((*kept, *asked, *decisions, *incidents), gone, still)


def _is_gone(record: Record, began: set[str]) -> bool:
    if isinstance(record, Order):
        return record.is_final and record.client_order_id in began
    if isinstance(record, Position):
        return record.state is PositionState.CLOSED and record.entry_order_id in began
    return False


def _key(record: Record) -> tuple[type, object] | None:
    """What tells a record that changes from others of its kind; None for one that is not shown."""
    match record:
        case Account():
            return Account, record.va_id
        case Position():
            return Position, record.position_id
        case Order():
            return Order, record.client_order_id
        case KillSwitch() | DeskRecord():
            return type(record), 1
        case _:
            return None
