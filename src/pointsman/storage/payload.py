"""What a row of the journal holds of a turn, as JSON that a person can read: each thing once.

Invariants:

* a field that has its default is left out. The same values always make the same text: a default is
  left out by what it says, whichever object holds it;
* a signal or quote that the event holds stands there in full; where the same turn holds it once
  more, `{"same":"quote"}` names the field of the event. Where the event's quote is the newest that
  a row of the same block holds of its symbol, `{"before":"ABC"}` stands for it. No text of a string
  or of another value can look like that: inside strings quotation marks are escaped, and nothing of
  ours has a field `same` or `before`;
* the type of an event is the `kind` of its row, and is left out;
* in changes, a moment that is the row's `time_ns` is written `"now"`, from 2001 on. Only fields
  that end in `_ns` are, and they hold numbers. An event keeps its own: it is what others said;
* what a record held in a row before is left out as `blocks.py` says;
* what was written before any of this reads as ever.

So the default of a field that is journaled must never change: rows that left it out would say
something else. A test holds them to values that mean "nothing", but for a few that it names.
"""

import re
from collections.abc import Iterator
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Any, get_args

import msgspec

from pointsman.domain.commands import Record
from pointsman.domain.events import Event
from pointsman.domain.signals import Decision
from pointsman.storage.blocks import Block, Reported, reported_by
from pointsman.storage.measured import as_lists, shortened

_ENCODER = msgspec.json.Encoder()
_SHARED = ("signal", "quote", "mark")
_QUOTES = ("quote", "mark")
_ZERO, _RECORD = b'":"0"', b'":{'
"""What stands in a text that holds a default of `left_out`: an amount, or where a record begins."""
_SAME = '{"same":"%s"}'
_BEFORE = re.compile(r'\{"before":("(?:[^"\\]|\\.)*")\}')
_CHANGES = b',"changes":['
_NOW = b'_ns":"now"'
_ALL_DIGITS_FROM_NS = 10**18
"""From here on, in 2001, a moment has as many digits as any number here: none begins like it."""


class _Fields(msgspec.Struct, frozen=True):
    """The fields of an event that its turn may hold once more."""

    signal: msgspec.Raw = msgspec.Raw(b"")
    quote: msgspec.Raw = msgspec.Raw(b"")
    mark: msgspec.Raw = msgspec.Raw(b"")


class _Shell(msgspec.Struct, frozen=True):
    event: msgspec.Raw


class _Symbol(msgspec.Struct, frozen=True):
    symbol: str


_SHELLS = msgspec.json.Decoder(_Shell)
_FIELDS = msgspec.json.Decoder(_Fields)
_REPORTED = msgspec.json.Decoder(Reported)
_SYMBOLS = msgspec.json.Decoder(_Symbol)
_STRINGS = msgspec.json.Decoder(str)


def payload_of(time_ns: int, event: Event, changes: tuple[Record, ...], block: Block) -> bytes:
    """The payload of a turn, whose row is the next one of `block`."""
    block.take_report(reported_by(event))
    texts = b",".join([block.text_of(record, _without_defaults) for record in changes])
    payload = b'{"event":%b%b%b]}' % (_untagged(event), _CHANGES, texts)
    names = _shared_by(type(event))
    if names:
        # Nothing but a decision holds a quote once more.
        is_shared = len(names) > 1 or Decision in map(type, changes)
        payload = _said_once(payload, event, names, block, is_shared=is_shared)
    if time_ns >= _ALL_DIGITS_FROM_NS:
        event_text, changed, rest = payload.partition(_CHANGES)
        payload = event_text + changed + rest.replace(b'_ns":%d' % time_ns, _NOW)
    return payload


def _said_once(
    payload: bytes, event: Event, names: tuple[str, ...], block: Block, *, is_shared: bool
) -> bytes:
    """The payload without a second copy of what the event holds, or a row before."""
    seen = set()
    for name in names:
        value = getattr(event, name)
        if value is None:
            continue
        if name in _QUOTES:
            text, is_newest = block.text_of_quote(value)
        else:
            text, is_newest = _ENCODER.encode(value), False
        if text in seen:
            continue
        seen.add(text)
        start = payload.find(text)
        end = start + len(text)
        if is_shared and payload.find(text, end) > 0:
            payload = payload[:end] + payload[end:].replace(text, (_SAME % name).encode())
        if is_newest:
            payload = b"%b%b%b" % (payload[:start], _before(value.symbol), payload[end:])
    return payload


def _before(symbol: str) -> bytes:
    return b'{"before":%b}' % _ENCODER.encode(symbol)


@cache
def _shared_by(kind: type[Event]) -> tuple[str, ...]:
    """The fields of an event that its turn may hold once more."""
    return tuple(name for name in _SHARED if name in kind.__struct_fields__)


def whole(time_ns: int, payload: str, block: Block) -> str:
    """The payload with each thing where the turn had it, but for what its records held in rows
    before. Raises msgspec.DecodeError for what no version of ours wrote."""
    payload = as_lists(payload.replace(_NOW.decode(), f'_ns":{time_ns}'))
    payload = _BEFORE.sub(lambda found: block.newest(_STRINGS.decode(found[1])).decode(), payload)
    event = _SHELLS.decode(payload).event
    block.take_report(_reported(event))
    fields = _FIELDS.decode(event)
    if '{"same":"' in payload:
        for name in _SHARED:
            payload = payload.replace(_SAME % name, bytes(getattr(fields, name)).decode())
    for name in _QUOTES:
        text = bytes(getattr(fields, name))
        if text.startswith(b'{"symbol":'):
            block.note(_SYMBOLS.decode(text).symbol, text)
    return payload


def _reported(event: bytes) -> Reported:
    """What an event says of an order; nothing where another version wrote it differently."""
    try:
        return _REPORTED.decode(event)
    except msgspec.MsgspecError:
        return Reported()


def _untagged(event: Event) -> bytes:
    """The text of an event without its type, which is the `kind` of the row."""
    text, kind = _without_defaults(event), type(event).__name__
    return b"{" + text[len(kind) + len('{"type":""') :].removeprefix(b",")


def tagged(kind: str, event: bytes) -> bytes:
    """The text of an event with its type, where it is left out."""
    if event.startswith(b'{"type":'):
        return event
    comma = b"" if event == b"{}" else b","
    return b'{"type":%b%b%b' % (_ENCODER.encode(kind), comma, event[1:])


def _without_defaults(value: msgspec.Struct) -> bytes:
    text = _ENCODER.encode(value)
    defaults = left_out(type(value))
    if defaults and (_ZERO in text or _RECORD in text):
        for default in defaults:
            if default in text:
                text = text.replace(default, b"")
    return shortened(text) if type(value) is Decision else text


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
