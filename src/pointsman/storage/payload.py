"""What a row of the journal holds of a turn, as JSON that a person can read: each thing once.

Invariants:

* a field that has its default is left out. The same values always make the same text: a default is
  left out by what it says, whichever object holds it;
* a signal or quote that the event holds stands there in full; where the same turn holds it once
  more, `{"same":"quote"}` names the field of the event. No text of a string or of another value
  can look like that: inside strings quotation marks are escaped, and nothing of ours has a field
  `same`;
* what was written before any of this reads as ever.

So the default of a field that is journaled must never change: rows that left it out would say
something else. A test holds them to values that mean "nothing", but for a few that it names.
"""

from collections.abc import Iterator
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Any, get_args

import msgspec

from pointsman.domain.commands import Record
from pointsman.domain.events import Event
from pointsman.domain.signals import Decision

_ENCODER = msgspec.json.Encoder()
_SHARED = ("signal", "quote", "mark")
_ZERO, _RECORD = b'":"0"', b'":{'
"""What stands in a text that holds a default of `left_out`: an amount, or where a record begins."""
_SAME = '{"same":"%s"}'


class _Fields(msgspec.Struct, frozen=True):
    """The fields of an event that its turn may hold once more."""

    signal: msgspec.Raw = msgspec.Raw(b"")
    quote: msgspec.Raw = msgspec.Raw(b"")
    mark: msgspec.Raw = msgspec.Raw(b"")


class _Shell(msgspec.Struct, frozen=True):
    event: _Fields


_SHELLS = msgspec.json.Decoder(_Shell)


def payload_of(event: Event, changes: tuple[Record, ...]) -> bytes:
    """The payload of a turn."""
    texts = b",".join([_without_defaults(record) for record in changes])
    payload = b'{"event":%b,"changes":[%b]}' % (_without_defaults(event), texts)
    names = _shared_by(type(event))
    if len(names) < 2 and Decision not in map(type, changes):
        return payload  # Nothing but a decision holds a quote.
    seen = set()
    for name in names:
        value = getattr(event, name)
        if value is None:
            continue
        text = _ENCODER.encode(value)
        end = payload.find(text) + len(text)
        if text not in seen and payload.find(text, end) > 0:
            payload = payload[:end] + payload[end:].replace(text, (_SAME % name).encode())
        seen.add(text)
    return payload


@cache
def _shared_by(kind: type[Event]) -> tuple[str, ...]:
    """The fields of an event that its turn may hold once more."""
    return tuple(name for name in _SHARED if name in kind.__struct_fields__)


def whole(payload: str) -> str:
    """The payload with each thing where the turn had it. Raises msgspec.DecodeError for what no
    version of ours wrote."""
    if '{"same":"' not in payload:
        return payload
    fields = _SHELLS.decode(payload).event
    for name in _SHARED:
        payload = payload.replace(_SAME % name, bytes(getattr(fields, name)).decode())
    return payload


def _without_defaults(value: msgspec.Struct) -> bytes:
    text = _ENCODER.encode(value)
    defaults = left_out(type(value))
    if defaults and (_ZERO in text or _RECORD in text):
        for default in defaults:
            if default in text:
                text = text.replace(default, b"")
    return text


@cache
def left_out(kind: type[msgspec.Struct]) -> tuple[bytes, ...]:
    """How defaults stand in the text of a type that the encoder leaves out only where it meets the
    very object: amounts, and records."""
    return tuple(
        b',"%b":%b' % (field.name.encode(), _ENCODER.encode(field.default))
        for struct in structs_of(kind)
        if struct.__struct_config__.omit_defaults
        for field in msgspec.structs.fields(struct)
        if isinstance(field.default, Decimal | msgspec.Struct)
    )


def structs_of(kind: Any) -> Iterator[type[msgspec.Struct]]:
    """A type of record and all that its fields can hold, but for enums and plain values."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        yield kind
        for field in msgspec.structs.fields(kind):
            yield from structs_of(field.type)
    elif not (isinstance(kind, type) and issubclass(kind, Enum)):
        for each in get_args(kind):
            yield from structs_of(each)
