"""One turn as it is journaled, and the chain that makes its record evidence.

Each row's hash covers its own content and the hash of the row before it; the first builds on
`chain_start`, which covers the identity of a recorded run. So no row of the journal, nor what run
it belongs to, can be changed, added or taken away without breaking the chain at that row.
"""

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Union

import msgspec

from pointsman.domain.commands import Record
from pointsman.domain.events import Event
from pointsman.execution.ports import JournalEntry
from pointsman.storage.blocks import CHANGED, Block
from pointsman.storage.errors import damaged
from pointsman.storage.payload import payload_of, tagged, whole


class RunIdentity(msgspec.Struct, frozen=True, gc=False):
    """What makes two recorded runs the same (RULES 5): digests of what went in, and the seed as
    text."""

    quotes_digest: str
    signals_digest: str
    instruments_digest: str
    settings_digest: str
    seed: str


class Head(msgspec.Struct, frozen=True, gc=False):
    """The newest row of the chain. Sequence 0 is the start of an empty one."""

    sequence: int
    hash: str


JournalRow = tuple[int, int, str, str, str, str]
"""sequence, time_ns, kind, payload, previous_hash, hash; hashes in hexadecimal digits."""

StoredTurn = tuple[int, int, str, str]
"""What a row says, without its hashes: sequence, time_ns, kind, payload."""


_Stored: Any = Union[(Record, *CHANGED.values())]


class _Payload(msgspec.Struct, frozen=True, gc=False):
    """What a row of the journal holds; the event stays raw until it is asked for."""

    event: msgspec.Raw
    changes: tuple[_Stored, ...]


_ENCODER = msgspec.json.Encoder()
_PAYLOADS = msgspec.json.Decoder(_Payload)
_HEADS = msgspec.json.Decoder(tuple[str, int, int, str])
_ANY_EVENT: Any = Union[tuple(Event.__subclasses__())]  # noqa: UP007 - made from what there is
_EVENTS: msgspec.json.Decoder[Event] = msgspec.json.Decoder(_ANY_EVENT)


def chain_start(identity: RunIdentity | None) -> str:
    """What stands for the hash of the row before the first."""
    return sha256(_ENCODER.encode(identity)).hexdigest()


def row_hash(
    previous_hash: object, sequence: object, time_ns: object, kind: object, payload: bytes
) -> str:
    """The hash of one row."""
    return sha256(hashed_text(previous_hash, sequence, time_ns, kind, payload)).hexdigest()


def hashed_text(
    previous_hash: object, sequence: object, time_ns: object, kind: object, payload: bytes
) -> bytes:
    """What the hash of a row covers: all of it. The head is a JSON list, which says itself where it
    ends; the payload follows."""
    return _ENCODER.encode((previous_hash, sequence, time_ns, kind)) + payload


def row_of_text(text: bytes) -> JournalRow:
    """The row whose hash covers this text, which need not be true of anything yet. Raises
    msgspec.DecodeError and UnicodeDecodeError for what is not such a text."""
    head, mark, payload = text.partition(b"]")
    previous, sequence, time_ns, kind = _HEADS.decode(head + mark)
    own = sha256(text).hexdigest()
    return (sequence, time_ns, kind, payload.decode(), previous, own)


def stored(row: JournalRow) -> tuple[int, int, str, str, bytes, bytes]:
    """A row as its table holds it: hashes as they are."""
    return (*row[:4], bytes.fromhex(row[4]), bytes.fromhex(row[5]))


def chained(
    entries: Sequence[JournalEntry], head: Head, block: Block
) -> tuple[list[JournalRow], Head]:
    """The journal rows of entries that follow `head`, and the new head. `block` is what the rows up
    to `head` have said, and afterwards what these have said too."""
    sequence, previous = head.sequence, head.hash
    rows: list[JournalRow] = []
    for entry in entries:
        sequence += 1
        block.enter(sequence)
        kind = type(entry.event).__name__
        payload = payload_of(entry.time_ns, entry.event, entry.changes, block)
        new = row_hash(previous, sequence, entry.time_ns, kind, payload)
        rows.append((sequence, entry.time_ns, kind, payload.decode(), previous, new))
        previous = new
    return rows, Head(sequence, previous)


class RowReader:
    """Reads rows of the journal in their order, from the first of any block, or from the one after
    those that have said `block`; it is kept up to the last row that was read."""

    def __init__(self, block: Block | None = None) -> None:
        self.block = block or Block()

    def changes(self, row: StoredTurn) -> tuple[Record, ...]:
        """The changed records of the next row. Raises msgspec.DecodeError for what no version of
        ours wrote."""
        return self._read(row)[1]

    def turn(self, row: StoredTurn) -> tuple[Event | None, tuple[Record, ...]]:
        """The event and the changed records of the next row; None for an event that another version
        wrote differently. Raises msgspec.DecodeError as `changes` does."""
        event, changes = self._read(row)
        try:
            return _EVENTS.decode(tagged(row[2], event)), changes
        except msgspec.MsgspecError:
            return None, changes

    def _read(self, row: StoredTurn) -> tuple[bytes, tuple[Record, ...]]:
        sequence, time_ns, _, payload = row
        self.block.enter(sequence)
        read = _PAYLOADS.decode(whole(time_ns, payload, self.block))
        return bytes(read.event), tuple([self.block.restored(stored) for stored in read.changes])


def changes_of_tail(path: Path, rows: RowReader, row: JournalRow) -> tuple[Record, ...]:
    """The changed records of the next row, which the tables lack, or that is needed to read one of
    those: without them the file cannot be used. Raises CorruptDatabase."""
    try:
        return rows.changes(row[:4])
    except (msgspec.MsgspecError, UnicodeEncodeError) as error:
        raise damaged(path, f"row {row[0]} of its journal cannot be read") from error


def event_of(time_ns: int, kind: str, payload: str) -> Event:
    """The event of a row, where it holds no quote. Raises msgspec.DecodeError for one that another
    version wrote differently."""
    read = _PAYLOADS.decode(whole(time_ns, payload, Block()))
    return _EVENTS.decode(tagged(kind, bytes(read.event)))
