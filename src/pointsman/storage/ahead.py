"""What is durable in the journal and not yet in the tables (RULES 41).

The journal is the truth, and the tables follow it in transactions of their own. What they lack
meanwhile is kept here in memory, so that it is written to them, and found when it is looked up.
Invariants:

* one thread takes in turns and writes them to the tables; any other may look up meanwhile;
* a record leaves only once the tables hold it. So a look-up that asks here first and then the
  tables misses nothing, whatever is written in between.
"""

from collections.abc import Iterable, Iterator, Sequence

from pointsman.domain.client_order_ids import parse_client_order_id
from pointsman.domain.commands import Record
from pointsman.domain.orders import Fill, KnownOrder, Order, Role
from pointsman.domain.positions import Funding, Trade
from pointsman.storage.codec import CODECS, Newest, R, RecordKey, is_gone

Changes = tuple[Record, ...]
"""The records that one turn changed."""

Writes = list[tuple[str, Sequence[tuple[RecordKey, ...]]]]
"""Statements, each with the rows that it is executed for."""


class Ahead(Newest):
    """The newest state of each record in `turns` turns that the tables lack."""

    def __init__(self) -> None:
        super().__init__()
        self.turns = 0

    def take_turn(self, changes: Iterable[Record]) -> None:
        """Take in what the next turn changed."""
        self.take(changes)
        self.turns += 1

    def writes(self) -> Writes:
        """The statements that bring the tables to the last state of every changed record."""
        writes: Writes = []
        for kind, changed in self.by_type.items():
            if not changed:
                continue
            codec = CODECS[kind]
            kept = [codec.encode(record) for record in changed.values() if not is_gone(record)]
            gone = [(key,) for key, record in changed.items() if is_gone(record)]
            if kept:
                writes.append((codec.upsert, kept))
            if gone:
                writes.append((codec.delete, gone))
        return writes


def found(newest: Newest, kind: type[R], key: RecordKey) -> R | None:
    """The record of that key, if it is among them."""
    record = newest.by_type[kind].get(key)
    assert record is None or isinstance(record, kind)
    return record


def all_of(newest: Newest, kind: type[R]) -> Iterator[R]:
    """Its records of one type, as they are at this moment."""
    # `list` copies the values in one step, while another thread may be taking in more of them.
    return (record for record in list(newest.by_type[kind].values()) if isinstance(record, kind))


def is_paid(newest: Newest, funding_id: str) -> bool:
    """Whether a funding payment is among them."""
    return any(share.funding_id == funding_id for share in all_of(newest, Funding))


class Kin:
    """What is known around an order: the keys of its fills, and the trades and orders of its
    position. It may be put together from the tables and from what they lack; what both have counts
    once."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.fill_keys: dict[str, None] = {}
        self.trade_ids: set[str] = set()
        self.order_ids: set[str] = set()

    def take(
        self, fill_keys: Iterable[str], trade_ids: Iterable[str], order_ids: Iterable[str]
    ) -> None:
        """Take in what one place knows."""
        self.fill_keys.update(dict.fromkeys(fill_keys))
        self.trade_ids.update(trade_ids)
        self.order_ids.update(order_ids)

    def take_from(self, newest: Newest) -> None:
        """Take in what is among the newest records."""
        order_id, position_id = self.order.client_order_id, self.order.position_id
        self.take(
            (fill.key for fill in all_of(newest, Fill) if fill.client_order_id == order_id),
            (each.trade_id for each in all_of(newest, Trade) if each.position_id == position_id),
            (
                each.client_order_id
                for each in all_of(newest, Order)
                if each.position_id == position_id
            ),
        )

    def known(self) -> KnownOrder:
        """All of it, as it comes in with an event (RULES 32)."""
        attempts = dict.fromkeys(Role, 0)
        for parsed in map(parse_client_order_id, self.order_ids):
            if parsed is not None:
                attempts[parsed.role] = max(attempts[parsed.role], parsed.attempt)
        return KnownOrder(
            order=self.order,
            fill_keys=tuple(self.fill_keys),
            parts=len(self.trade_ids),
            stops_made=attempts[Role.STOP],
            exits_made=attempts[Role.EXIT],
        )
