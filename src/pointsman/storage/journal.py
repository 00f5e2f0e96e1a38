"""The journal as evidence: is the chain unbroken, and do the tables hold what it says?

`verify_chain` finds any changed or added row of the journal, a changed identity of the run, a row
that is missing in the midst or among those that the tables hold, and a changed mark of how far they
have come; `fold` any row of a record table that differs from the changes recorded up to that mark.
Rows after it are not in the tables yet (RULES 41), and the next start projects them. Not covered,
because nothing is decided by them: `lease.holder` and `lease.acquired_at_ns`. A journal
and tables that were forged together, with all hashes recomputed, are a consistent other history;
only deciding it again can tell.

Bytes that are not valid text are carried as they are, so that damage is named instead of stopping
the check.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from pointsman.domain.commands import Record
from pointsman.domain.events import Event
from pointsman.storage.ahead import Changes
from pointsman.storage.codec import CODECS, Newest, RecordCodec, RecordKey, is_gone
from pointsman.storage.entries import (
    Head,
    JournalRow,
    RowReader,
    RunIdentity,
    chain_start,
    changes_of_tail,
    row_hash,
)
from pointsman.storage.errors import damaged, explained
from pointsman.storage.queries import (
    JOURNAL,
    LAST_TURN,
    TURNS_AFTER,
    path_of,
    projected,
    reader_after,
    run_identity,
)
from pointsman.storage.thinning import may_be_gone


class ChainFault(msgspec.Struct, frozen=True):
    """The first bad row of the journal, and what is wrong with it."""

    sequence: int
    what: str


class Difference(msgspec.Struct, frozen=True):
    """The first place where a table is not what the journal says. `column` None: the whole row
    is missing on one side, and the other side's value is the word "row"."""

    table: str
    key: Any
    column: str | None
    journal: Any
    stored: Any


class Turn(msgspec.Struct, frozen=True):
    """One journaled turn. `event` is None where this version cannot read what another wrote."""

    sequence: int
    time_ns: int
    kind: str
    event: Event | None
    changes: tuple[Record, ...]


def verify_chain(connection: sqlite3.Connection) -> ChainFault | None:
    """The first bad row of the journal, or None. Raises CorruptDatabase where the file cannot be
    read."""
    with _as_stored(connection) as cursor:
        reached = projected(connection)
        previous, count, is_met = _start(run_identity(connection)), 0, False
        for row in cursor.execute(JOURNAL):
            is_met = is_met or reached == Head(count, previous)
            count += 1
            fault = row_fault(row, count, previous)
            if fault is not None:
                return fault
            previous = row[-1]
        if reached is None:
            return None if count == 0 else ChainFault(count, "the lease row is missing")
        if not is_met and reached != Head(count, previous):
            return ChainFault(
                count,
                "no row has the number and hash of the one that the lease row says the tables"
                f" have come to, {reached.sequence}",
            )
    return None


def _start(identity: RunIdentity | None) -> str:
    try:
        return chain_start(identity)
    except UnicodeEncodeError:
        return ""


def row_fault(row: tuple[Any, ...], expected: int, previous: str) -> ChainFault | None:
    """What is wrong with a row that should have this number and follow a row of this hash."""
    sequence, time_ns, kind, payload, previous_hash, own_hash = row
    if sequence != expected:
        return ChainFault(expected, f"the row is missing: the next one is {sequence}")
    if previous_hash != previous:
        before = "the row before" if sequence > 1 else "the start of this run's journal"
        return ChainFault(sequence, f"previous_hash is not the hash of {before}")
    try:
        content = payload.encode("utf-8", "surrogateescape")
        is_right = row_hash(previous_hash, sequence, time_ns, kind, content) == own_hash
    except (AttributeError, TypeError, UnicodeEncodeError):
        is_right = False
    return None if is_right else ChainFault(sequence, "the hash is not that of the row's content")


def changes_behind(
    path: Path, head: Head, rows: Iterable[JournalRow], reader: RowReader
) -> Iterator[Changes]:
    """What each row changed. Raises CorruptDatabase where they do not follow `head`."""
    for row in rows:
        sequence = head.sequence + 1
        if fault := row_fault(row, sequence, head.hash):
            raise damaged(path, f"row {sequence} of its journal: {fault.what}")
        yield changes_of_tail(path, reader, row)
        head = Head(sequence, row[-1])


def fold(connection: sqlite3.Connection) -> Difference | None:
    """The first difference between the tables and the changes recorded up to the row that they
    have come to, or None.

    Holds the last state of every record in memory. Raises CorruptDatabase where the file cannot be
    read.
    """
    newest = Newest()
    with _as_stored(connection) as cursor:
        reached = projected(connection)
        newest_turn = cursor.execute(LAST_TURN).fetchone()
        now_ns = 0 if newest_turn is None else newest_turn[1]
        reader = RowReader()
        for row in cursor.execute(TURNS_AFTER, (0,)):
            sequence, _, _, payload = row
            try:
                changes = reader.changes(row)
                if reached is None or sequence <= reached.sequence:
                    newest.take(changes)
            except (msgspec.MsgspecError, TypeError, UnicodeEncodeError):
                return Difference("journal", sequence, "payload", payload, None)
        for kind, folded in newest.by_type.items():
            kept = {key: record for key, record in folded.items() if not is_gone(record)}
            difference = _table_difference(cursor, CODECS[kind], kept, now_ns)
            if difference is not None:
                return difference
    return None


def _table_difference(
    cursor: sqlite3.Cursor, codec: RecordCodec[Any], folded: dict[RecordKey, Record], now_ns: int
) -> Difference | None:
    for row in cursor.execute(codec.select_stored):
        key = codec.key_of_row(row)
        record = folded.pop(key, None)
        if record is None:
            return Difference(codec.table, key, None, None, "row")
        for name, expected, stored in zip(codec.names, codec.encode(record), row, strict=True):
            if expected != stored and not codec.reads_alike(name, stored, expected):
                return Difference(codec.table, key, name, expected, stored)
    for key, record in folded.items():
        if not may_be_gone(record, now_ns):
            return Difference(codec.table, key, None, "row", None)
    return None


def turns(connection: sqlite3.Connection, after: int = 0) -> Iterator[Turn]:
    """The journaled turns from the one after `after` on, oldest first. The chain should be
    verified before."""
    cursor = connection.cursor()
    cursor.row_factory = None
    reader = None
    for row in cursor.execute(TURNS_AFTER, (after,)):
        sequence, time_ns, kind, _ = row
        reader = reader or reader_after(connection, sequence - 1)
        event, changes = reader.turn(row)
        yield Turn(sequence=sequence, time_ns=time_ns, kind=kind, event=event, changes=changes)


@contextmanager
def _as_stored(connection: sqlite3.Connection) -> Iterator[sqlite3.Cursor]:
    """A cursor of plain tuples that reads any text; what it raises is explained."""
    usual = connection.text_factory
    connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
    cursor = connection.cursor()
    cursor.row_factory = None
    try:
        yield cursor
    except sqlite3.Error as error:
        raise explained(error, path_of(connection)) from error
    finally:
        connection.text_factory = usual
