"""Blocks of rows of the journal: what the rows before say already is left out.

A block is `BLOCK_ROWS` rows. Of an account, order or position that a row of the same block holds, a
later row holds only what has changed: `{"type":"OrderChanged","status":…}`. The order is the one
that the event of the row names, where no other `client_order_id` is given. Of a fill that a report
brings, what report and order say already is left out: `{"type":"FillChanged","key":…}`.
Invariants:

* what a row says follows from the rows of its block alone. So a reader may begin anywhere, and
  reads fewer than `BLOCK_ROWS` rows before;
* what is left out follows from those rows alone too, by what they say and not by which objects
  hold it: a run that is made again gives the same bytes;
* a record that stands in full is always right, whatever was before.
"""

from collections.abc import Callable
from itertools import compress
from operator import is_not
from types import NoneType
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import astuple

from pointsman.domain.accounts import Account, DeskRecord
from pointsman.domain.commands import Record
from pointsman.domain.events import Event, VenueFill
from pointsman.domain.market import Quote
from pointsman.domain.orders import Fill, Order
from pointsman.domain.positions import Position
from pointsman.storage.codec import CODECS, RecordKey

BLOCK_ROWS = 256

_ENCODER = msgspec.json.Encoder()
_TEXT_FOLLOWS = frozenset((int, str, bool, NoneType))
"""Values that are written alike where they are equal; an amount of 0 may be 0.00 too."""

_Values = tuple[Any, ...]
"""The fields of a record, in their order."""


def first_of_block(sequence: int) -> int:
    """The number of the first row of the block that a row is in."""
    return (sequence - 1) // BLOCK_ROWS * BLOCK_ROWS + 1


class _Form:
    """How a kind of record is written once it has changed: by the fields that have."""

    def __init__(self, kind: type[msgspec.Struct]) -> None:
        self.kind = kind
        self.tag = f"{kind.__name__}Changed"
        self.names = kind.__struct_fields__
        self.places = range(len(self.names))
        self.key = CODECS[kind].key
        self.key_of = CODECS[kind].key_of
        fields: list[Any] = [
            (field.name, field.type | UnsetType, UNSET) for field in msgspec.structs.fields(kind)
        ]
        self.changed = msgspec.defstruct(self.tag, fields, frozen=True, gc=False, tag=True)


_FORMS: dict[type[msgspec.Struct], _Form] = {
    kind: _Form(kind) for kind in (Account, DeskRecord, Fill, Order, Position)
}
CHANGED: dict[type[msgspec.Struct], type[msgspec.Struct]] = {
    kind: form.changed for kind, form in _FORMS.items()
}
"""The records that are stored as what changed, and by which type."""
_READ_AS = {form.changed: form for form in _FORMS.values()}


class Reported(msgspec.Struct, frozen=True):
    """What the event of a row says of an order, and of an execution of it."""

    client_order_id: str = ""
    fill: VenueFill | None = None


def reported_by(event: Event) -> Reported:
    """What an event says of an order."""
    return Reported(getattr(event, "client_order_id", ""), getattr(event, "fill", None))


class Block:
    """What the rows of a block have said so far, as the next one builds on it."""

    def __init__(self) -> None:
        self._first = 0
        self._reported = Reported()
        self._records: dict[tuple[str, RecordKey], _Values] = {}
        self._quotes: dict[str, tuple[Quote | None, bytes]] = {}

    def enter(self, sequence: int) -> None:
        """The next row is this one: of an earlier block nothing is known."""
        first = first_of_block(sequence)
        if first != self._first:
            self._first = first
            self._records.clear()
            self._quotes.clear()

    def copy(self) -> "Block":
        """The same, to go on from."""
        copied = Block()
        copied._first = self._first
        copied._records = self._records.copy()
        copied._quotes = self._quotes.copy()
        return copied

    def take_report(self, reported: Reported) -> None:
        """The event of the row says this."""
        self._reported = reported

    def text_of(self, record: Record, in_full: Callable[[msgspec.Struct], bytes]) -> bytes:
        """How a record is written, where `in_full` writes all of it."""
        form = _FORMS.get(type(record))
        if form is None:
            return in_full(record)
        key, new = form.key_of(record), astuple(record)
        old = self._replace(form, key, new)
        if old is None:
            return in_full(record)
        written: dict[str, Any] = {"type": form.tag}
        if form.kind is not Order or key != self._reported.client_order_id:
            for name in form.key:
                written[name] = getattr(record, name)
        for place in compress(form.places, map(is_not, old, new)):
            before, after = old[place], new[place]
            if before != after or not _is_written_alike(before, after):
                written[form.names[place]] = after
        return _ENCODER.encode(written)

    def restored(self, stored: msgspec.Struct) -> Any:
        """The record that was written so. Raises msgspec.ValidationError for a change of a record
        that no row of the block holds."""
        form = _READ_AS.get(type(stored))
        if form is None:
            form = _FORMS.get(type(stored))
            if form is not None:
                self._replace(form, form.key_of(stored), astuple(stored))
            return stored
        key: Any = form.key_of(stored)
        key = self._reported.client_order_id if key is UNSET else key
        old = self._replace(form, key, ())
        if old is None:
            raise msgspec.ValidationError(f"{form.kind.__name__} {key} changed before it was")
        new = [
            before if after is UNSET else after
            for before, after in zip(old, astuple(stored), strict=True)
        ]
        self._replace(form, key, tuple(new))
        return form.kind(*new)

    def _replace(self, form: _Form, key: RecordKey, new: _Values) -> _Values | None:
        """What a record is written against, in the place of which the next one will be written
        against `new`; None where all of it is written."""
        if form.kind is Fill:
            return self._fill_as_reported()
        place = (form.tag, key)
        old = self._records.get(place)
        self._records[place] = new
        return old

    def _fill_as_reported(self) -> _Values | None:
        """The fields of the fill that the row's report brings, but for its key and when it was
        booked; None where the block does not hold its order."""
        reported = self._reported
        fill, order = reported.fill, self._records.get((_ORDER_TAG, reported.client_order_id))
        if order is None or fill is None:
            return None
        said = dict(zip(_FORMS[Order].names, order, strict=True))
        return astuple(
            Fill(
                key="",
                client_order_id=said["client_order_id"],
                va_id=said["va_id"],
                symbol=said["symbol"],
                position_id=said["position_id"],
                side=said["side"],
                quantity=fill.quantity,
                price=fill.price,
                fee=fill.fee,
                trade_id=fill.trade_id,
                venue_ts_ns=fill.ts_ns,
                booked_at_ns=0,
            )
        )

    def text_of_quote(self, quote: Quote) -> tuple[bytes, bool]:
        """How a quote is written in full, and whether it is written like the newest of its symbol;
        from now on it is that."""
        known, text = self._quotes.get(quote.symbol, (None, b""))
        if quote is known:
            return text, True
        own = _ENCODER.encode(quote)
        self._quotes[quote.symbol] = (quote, own)
        return own, own == text

    def note(self, symbol: str, text: bytes) -> None:
        """The newest quote of a symbol is written so."""
        self._quotes[symbol] = (None, text)

    def newest(self, symbol: str) -> bytes:
        """How the newest quote of a symbol is written. Raises msgspec.ValidationError where no row
        of the block holds one."""
        if symbol not in self._quotes:
            raise msgspec.ValidationError(f"no quote of {symbol} before")
        return self._quotes[symbol][1]


_ORDER_TAG = _FORMS[Order].tag


def _is_written_alike(one: object, other: object) -> bool:
    """Whether equal values are written alike."""
    return type(other) in _TEXT_FOLLOWS or _ENCODER.encode(one) == _ENCODER.encode(other)
