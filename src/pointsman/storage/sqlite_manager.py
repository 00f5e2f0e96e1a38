"""The one writer: it opens the database, holds it alone, and stores whole turns or nothing.

Invariants:

* one process at a time, by a lock that the operating system releases when the process dies in any
  way;
* `append` is one transaction, durable when it returns (WAL, synchronous=FULL): journal rows,
  changed records and the head of the chain, or none of them; after a failure the same entries may
  be tried again;
* the chain head in memory moves only after the commit;
* reading uses a connection of its own, so it never waits for a commit. It sees what is committed;
* the WAL file is never truncated while open: a commit into a file that is already long is about 1.4
  times as fast.
"""

import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

from pointsman.domain.orders import KnownOrder
from pointsman.domain.signals import FirstDecision
from pointsman.domain.venue_reports import KnownOfVenue
from pointsman.execution.ports import Entry
from pointsman.storage import lock, queries, schema
from pointsman.storage.codec import CODECS, Key, Newest, is_gone
from pointsman.storage.entries import Head, JournalRow, RunIdentity, chain_start, chained
from pointsman.storage.errors import (
    CorruptDatabase,
    StorageFailed,
    StorageUnavailable,
    damaged,
    explained,
)
from pointsman.storage.file_identity import Identity, fault_of, identities
from pointsman.storage.queries import Loaded

_CACHE_KIB = 8 * 1024

_MOVE_HEAD = """
    UPDATE lease SET journal_sequence = ?, journal_hash = ?
    WHERE id = 1 AND journal_sequence = ? AND journal_hash = ?
"""
_ADD_TURN = """
    INSERT INTO journal (sequence, time_ns, kind, payload, previous_hash, hash)
    VALUES (?, ?, ?, ?, ?, ?)
"""
_TAKE_LEASE = """
    INSERT INTO lease (id, holder, acquired_at_ns, journal_sequence, journal_hash)
    VALUES (1, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE
    SET holder = excluded.holder, acquired_at_ns = excluded.acquired_at_ns
"""
_SET_RUN = """
    INSERT OR REPLACE INTO run
    (id, quotes_digest, signals_digest, instruments_digest, settings_digest, seed)
    VALUES (1, ?, ?, ?, ?, ?)
"""

_Writes = list[tuple[str, Sequence[tuple[Key, ...]]]]


class SqliteManager:
    """The open database. `append` belongs to one thread at a time; all else to the thread that
    opened it. `commit_ns` is how long the last transaction took, 0 before the first; `on_commit`,
    where set, is called with it after each one, on the thread of `append`."""

    _writer: sqlite3.Connection
    _reader: sqlite3.Connection
    _head: Head

    def __init__(self, path: Path) -> None:
        # Resolved, so that two names of one file share one lock.
        self.path = path.resolve()
        self.commit_ns = 0
        self.on_commit: Callable[[int], None] | None = None
        self.files: dict[Path, Identity] = {}
        """The files that hold what is committed, as they were opened."""
        self._held = ExitStack()

    def _wal_path(self) -> Path:
        return self.path.with_name(f"{self.path.name}-wal")

    def open(self) -> None:
        """Take the database: lock it, create or migrate it, and check that it is whole.

        Raises DatabaseBusy, CorruptDatabase, NewerSchema or StorageUnavailable.
        """
        with ExitStack() as opening:
            opening.callback(os.close, lock.acquire(self.path))
            if self.path.exists():
                opening.callback(os.close, lock.hold_file(self.path))
                schema.prepare(self.path)
            else:
                schema.prepare(self.path)
                opening.callback(os.close, lock.hold_file(self.path))
            try:
                self._connect(opening)
                self._take_lease()
                self.files = identities((self.path, self._wal_path()))
            except sqlite3.Error as error:
                raise explained(error, self.path) from error
            self._held = opening.pop_all()

    def close(self) -> None:
        """Let go of the database."""
        self._held.close()

    def append(self, entries: Sequence[Entry]) -> None:
        """Store turns, in order, in one durable transaction.

        Raises StorageFailed when the disk or another program prevents it, or when the file at the
        path is not the one that is open, so that what is written to it would be lost; nothing of it
        is applied then, and the same entries may be tried again.
        """
        for path, opened in self.files.items():
            if fault := fault_of(path, opened):
                raise StorageFailed(OSError(fault))
        turns, head = chained(entries, self._head)
        writes = _record_writes(entries)
        began_ns = time.monotonic_ns()
        try:
            self._transact(turns, writes, head)
        except sqlite3.Error as error:
            raise StorageFailed(error) from error
        self.commit_ns = time.monotonic_ns() - began_ns
        self._head = head
        if self.on_commit is not None:
            self.on_commit(self.commit_ns)

    def load(self) -> Loaded:
        """Everything needed to start, as committed."""
        return queries.load(self._reader)

    def journal(self) -> Iterator[JournalRow]:
        """The committed rows of the journal, oldest first. What is read here meanwhile is of the
        moment at which the first of them was asked for."""
        return queries.journal(self._reader)

    def first_decision(self, signal_id: str) -> FirstDecision | None:
        """The first decision on a signal id, if it is committed (RULES 32)."""
        return queries.first_decision(self._reader, signal_id)

    def is_paid(self, funding_id: str) -> bool:
        """Whether what is committed holds a funding payment (RULES 32)."""
        return queries.is_paid(self._reader, funding_id)

    def known_order(self, client_order_id: str) -> KnownOrder | None:
        """What is committed of an order, final or not (RULES 32)."""
        return queries.known_order(self._reader, client_order_id)

    @property
    def head(self) -> Head:
        """The newest durable row of the journal; from any thread."""
        return self._head

    def known_of_venue(self) -> KnownOfVenue:
        """The newest that is committed of what the venue said."""
        return queries.known_of_venue(self._reader)

    def journal_hash(self, sequence: int) -> str | None:
        """The hash of a committed row of the journal, None where there is no such row."""
        return queries.journal_hash(self._reader, sequence)

    def run_identity(self) -> RunIdentity | None:
        """Which recorded run the database belongs to, if any (RULES 5)."""
        return queries.run_identity(self._reader)

    def set_run_identity(self, identity: RunIdentity) -> None:
        """Make a new database that of a recorded run: the chain of its journal starts from this
        identity.

        Raises StorageFailed as `append` does. The journal must still be empty.
        """
        assert self._head.sequence == 0, "the identity of a run is set before its first turn"
        head = Head(0, chain_start(identity))
        run = (
            identity.quotes_digest,
            identity.signals_digest,
            identity.instruments_digest,
            identity.settings_digest,
            identity.seed,
        )
        try:
            self._transact([], [(_SET_RUN, [run])], head)
        except sqlite3.Error as error:
            raise StorageFailed(error) from error
        self._head = head

    def _connect(self, opening: ExitStack) -> None:
        writer = schema.connect(self.path, "rw")
        opening.callback(writer.close)
        writer.execute("PRAGMA synchronous = FULL")
        writer.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        (mode,) = writer.execute("PRAGMA journal_mode = WAL").fetchone()
        if mode != "wal":
            raise StorageUnavailable(
                f"{self.path} cannot be in WAL mode; its folder must be on a local disk"
            )
        reader = schema.connect(self.path, "ro")
        opening.callback(reader.close)
        reader.execute("PRAGMA query_only = ON")
        self._writer, self._reader = writer, reader

    def _take_lease(self) -> None:
        head = queries.lease_head(self._reader)
        newest = self._newest_turn()
        if head is not None and head != newest:
            raise damaged(
                self.path,
                f"its newest journal row, {newest.sequence}, is not the one that the lease row "
                f"names, {head.sequence} (`pointsman journal check` says more)",
            )
        holder = f"{os.getpid()}@{os.uname().nodename}"
        self._writer.execute(_TAKE_LEASE, (holder, time.time_ns(), newest.sequence, newest.hash))
        self._head = newest

    def _newest_turn(self) -> Head:
        turns = queries.rows(self._reader, queries.LAST_TURN)
        if not turns:
            return Head(0, chain_start(self.run_identity()))
        ((sequence, _, own_hash),) = turns
        return Head(sequence, own_hash)

    def _transact(self, turns: list[JournalRow], writes: _Writes, head: Head) -> None:
        """One transaction. The head moves first: that shows whether an earlier try had been
        committed after all, though SQLite reported an error."""
        writer = self._writer
        writer.execute("BEGIN IMMEDIATE")
        try:
            before = (self._head.sequence, self._head.hash)
            moved = writer.execute(_MOVE_HEAD, (head.sequence, head.hash, *before)).rowcount
            if moved == 0:
                self._expect_head(head)
            else:
                writer.executemany(_ADD_TURN, turns)
                for statement, rows in writes:
                    writer.executemany(statement, rows)
            writer.execute("COMMIT")
        except BaseException:
            # After some errors SQLite has rolled back by itself, and after others it cannot now.
            with suppress(sqlite3.Error):
                writer.execute("ROLLBACK")
            raise

    def _expect_head(self, head: Head) -> None:
        found = queries.lease_head(self._writer)
        if found != head:
            raise CorruptDatabase(
                f"{self.path} was changed by another program while this one held it: "
                f"the journal was at {self._head.sequence}, the lease row now says {found}"
            )


def _record_writes(entries: Sequence[Entry]) -> _Writes:
    """The statements that bring the tables to the last state of every changed record."""
    newest = Newest()
    for entry in entries:
        newest.take(entry.changes)
    writes: _Writes = []
    for kind, changed in newest.by_type.items():
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
