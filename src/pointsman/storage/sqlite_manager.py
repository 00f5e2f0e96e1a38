"""The one writer: it opens the database, holds it alone, and stores whole turns or nothing.

Invariants:

* one process at a time, by a lock that the operating system releases when the process dies in any
  way;
* the journal is the truth, and the tables follow it (RULES 41). `append` is one insert of journal
  rows, durable when it returns (WAL, synchronous=FULL); `project` brings the tables to the last
  state of every record, in a transaction of its own, and says in it how far they have come. Either
  stores all or nothing, and may be tried again after a failure;
* `project` does not wait for the disk: what a power cut takes of it the next start makes again from
  the journal. Pages are moved from the log to the file then, never while something waits;
* the chain head in memory, and what the rows up to it have said, move only after the commit;
* reading uses a connection of its own, so it never waits for a commit. It sees what is durable,
  projected or not;
* the WAL file is never truncated while open: a commit into a file that is already long is about 1.4
  times as fast.
"""

import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from pointsman.domain.accounts import EquityPoint
from pointsman.domain.orders import KnownOrder, Order
from pointsman.domain.signals import Decision, FirstDecision, SignalRecord
from pointsman.domain.venue_reports import KnownOfVenue
from pointsman.execution.ports import JournalEntry
from pointsman.storage import lock, queries, schema
from pointsman.storage.ahead import Ahead, Changes, Kin, all_of, found, is_paid
from pointsman.storage.blocks import Block
from pointsman.storage.entries import (
    Head,
    JournalRow,
    RowReader,
    RunIdentity,
    chain_start,
    chained,
    stored,
)
from pointsman.storage.errors import (
    CorruptDatabase,
    StorageFailed,
    StorageUnavailable,
    damaged,
    explained,
)
from pointsman.storage.file_identity import Identity, fault_of, identities
from pointsman.storage.journal import changes_behind
from pointsman.storage.queries import StoredRecords
from pointsman.storage.reader import reading
from pointsman.storage.replica import Replica
from pointsman.storage.thinning import Thinning
from pointsman.storage.venue_checks import CheckedPromise, statements

_CACHE_KIB = 8 * 1024

_MARK = "UPDATE lease SET projected_sequence = ?, projected_hash = ? WHERE id = 1"
_MARK_FROM = f"{_MARK} AND projected_sequence = ? AND projected_hash = ?"
_ADD_TURN = """
    INSERT INTO journal (sequence, time_ns, kind, payload, previous_hash, hash)
    VALUES (?, ?, ?, ?, ?, ?)
"""
_TAKE_LEASE = """
    INSERT INTO lease (id, holder, acquired_at_ns, projected_sequence, projected_hash)
    VALUES (1, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE
    SET holder = excluded.holder, acquired_at_ns = excluded.acquired_at_ns
"""
_SET_RUN = """
    INSERT OR REPLACE INTO run
    (id, quotes_digest, signals_digest, instruments_digest, settings_digest, seed)
    VALUES (1, ?, ?, ?, ?, ?)
"""

PROJECT_TURNS_MAX = 512
PROJECT_SECONDS_MAX = 0.25  # not money: seconds
"""The tables are behind the journal by this many turns at most, and for this long."""

_SYNCED = ("PRAGMA synchronous = FULL", "PRAGMA wal_autocheckpoint = 0")
"""How the journal is written."""
_FOLLOWING = ("PRAGMA synchronous = NORMAL", "PRAGMA wal_autocheckpoint = 1000")
"""How the tables are: the log is moved to the file then, once it has that many pages."""
_NOT_SYNCED = ("PRAGMA synchronous = OFF", "PRAGMA wal_autocheckpoint = 1000")


class SqliteManager:
    """The open database. `append` and `project` belong to one thread at a time; all else to the
    thread that opened it. `commit_ns` is how long the last `append` took, 0 before the first;
    `on_commit`, where set, is called with it after each one, on its thread. Without `is_synced`
    nothing waits for the disk: a killed process loses nothing, a power cut may take everything
    (RULES 42)."""

    _writer: sqlite3.Connection
    _reader: sqlite3.Connection
    _head: Head
    _block: Block
    _reached: Head

    def __init__(self, path: Path, *, is_synced: bool = True) -> None:
        # Resolved, so that two names of one file share one lock.
        self.path = path.resolve()
        self.commit_ns = 0
        self.on_commit: Callable[[int], None] | None = None
        self.replica: Replica | None = None
        """What keeps a copy of the journal elsewhere, where anything does."""
        self.files: dict[Path, Identity] = {}
        """The files that hold what is committed, as they were opened."""
        self.is_synced = is_synced
        self._ahead = Ahead()
        self._thinning = Thinning()
        self._ahead_since = 0.0  # not money: seconds
        self._manner: tuple[str, ...] = ()
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
                self._ahead = self._tail()
                self._take_lease()
                self.files = identities((self.path, self._wal_path()))
                self.project()
            except sqlite3.Error as error:
                raise explained(error, self.path) from error
            except StorageFailed as failure:
                raise StorageUnavailable(
                    f"{self.path}: its tables cannot be brought up to its journal"
                    f" ({failure.cause}); mend that, or name another database"
                ) from failure
            self._held = opening.pop_all()

    def close(self) -> None:
        """Let go of the database. What was not projected is at the next opening."""
        self._held.close()

    def append(self, entries: Sequence[JournalEntry]) -> None:
        """Store turns, in order, in one durable transaction: that of the journal.

        Raises StorageFailed when the disk or another program prevents it, or when the file at the
        path is not the one that is open, so that what is written to it would be lost; nothing of it
        is applied then, and the same entries may be tried again.
        """
        block = self._block.copy()
        turns, head = chained(entries, self._head, block)
        self._add(turns, head, block, [entry.changes for entry in entries])

    def adopt(self, rows: Sequence[JournalRow]) -> None:
        """Store rows that another engine has written, as `append` does. Raises CorruptDatabase
        where they do not follow."""
        reader = RowReader(self._block.copy())
        changes = [*changes_behind(self.path, self._head, rows, reader)]
        self._add(rows, Head(rows[-1][0], rows[-1][-1]), reader.block, changes)

    def _add(
        self, turns: Sequence[JournalRow], head: Head, block: Block, changes: Sequence[Changes]
    ) -> None:
        began_ns = time.monotonic_ns()
        with self._transaction(_SYNCED) as writer:
            newest = writer.execute(queries.LAST_TURN).fetchone()
            at = self._head.sequence if newest is None else newest[0]
            if at == head.sequence and newest[2] == head.hash:
                pass  # an earlier try was committed after all
            elif at != self._head.sequence or (newest and newest[2] != self._head.hash):
                raise self._changed_by_another(f"it now ends with row {at}, which is another")
            else:
                writer.executemany(_ADD_TURN, map(stored, turns))
        self.commit_ns = time.monotonic_ns() - began_ns
        if not self._ahead.turns:
            self._ahead_since = time.monotonic()
        for changed in changes:
            self._ahead.take_turn(changed)
        self._head, self._block = head, block
        if self.on_commit is not None:
            self.on_commit(self.commit_ns)

    def replicate(self) -> None:
        """Have a copy follow, where one is kept. Raises what `Replica.follow` does."""
        if self.replica is not None:
            self.replica.follow(self._head)

    def project(self) -> None:
        """Bring the tables up to the journal, in one transaction. Raises StorageFailed as `append`
        does."""
        if not self._ahead.turns:
            return
        with self._transaction(_FOLLOWING) as writer:
            for statement, rows in self._ahead.writes():
                writer.executemany(statement, rows)
            self._thinning.thin(writer, all_of(self._ahead, EquityPoint))
            head, reached = self._head, self._reached
            marks = (head.sequence, head.hash, reached.sequence, reached.hash)
            if writer.execute(_MARK_FROM, marks).rowcount == 0:
                self._require_own_mark()
                writer.execute(_MARK, (head.sequence, head.hash))
        self._reached = head
        # Only now: a look-up asks it first and then the tables.
        self._ahead = Ahead()

    @property
    def project_in_seconds(self) -> float | None:  # not money: seconds
        """How long `project` may still wait; None where nothing is to be projected."""
        if not self._ahead.turns:
            return None
        if self._ahead.turns >= PROJECT_TURNS_MAX:
            return 0
        return max(0, self._ahead_since + PROJECT_SECONDS_MAX - time.monotonic())

    def load(self) -> StoredRecords:
        """Everything needed to start, as it is durable."""
        with self._whole() as connection:
            return queries.load(connection)

    def journal(self) -> Iterator[JournalRow]:
        """The committed rows of the journal, oldest first. What is read here meanwhile is of the
        moment at which the first of them was asked for."""
        return queries.journal(self._reader)

    def first_decision(self, signal_id: str) -> FirstDecision | None:
        """The first decision on a signal id, if it is durable (RULES 32)."""
        ahead = self._ahead
        decision = found(ahead, Decision, signal_id)
        record = found(ahead, SignalRecord, signal_id)
        record = record or queries.signal_of(self._reader, signal_id)
        if record is None:
            return None  # One turn decides and remembers a signal.
        decision = decision or queries.decision_of(self._reader, signal_id)
        return None if decision is None else FirstDecision(record, decision)

    def is_paid(self, funding_id: str) -> bool:
        """Whether what is durable holds a funding payment (RULES 32)."""
        return is_paid(self._ahead, funding_id) or queries.is_paid(self._reader, funding_id)

    def known_order(self, client_order_id: str) -> KnownOrder | None:
        """What is durable of an order, final or not (RULES 32)."""
        ahead = self._ahead
        order = found(ahead, Order, client_order_id)
        order = order or queries.order_of(self._reader, client_order_id)
        if order is None:
            return None
        kin, later = Kin(order), Kin(order)
        later.take_from(ahead)
        queries.take_kin(self._reader, kin)
        kin.take(later.fill_keys, later.trade_ids, later.order_ids)
        return kin.known()

    @property
    def head(self) -> Head:
        """The newest durable row of the journal; from any thread."""
        return self._head

    def known_of_venue(self) -> KnownOfVenue:
        """The newest that is durable of what the venue said."""
        with self._whole() as connection:
            return queries.known_of_venue(connection)

    @contextmanager
    def _whole(self) -> Iterator[sqlite3.Connection]:
        """A connection that reads all that is durable."""
        if not self._ahead.turns:
            yield self._reader
            return
        with reading(self.path) as connection:
            yield connection

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
        with self._transaction(_SYNCED) as writer:
            writer.execute(_SET_RUN, run)
            writer.execute(_MARK, (head.sequence, head.hash))
        self._head = self._reached = head

    def set_venue_check(self, check: Sequence[CheckedPromise]) -> None:
        """Keep a check of the venue in the place of the one before. Raises StorageFailed."""
        with self._transaction(_SYNCED) as writer:
            for statement, rows in statements(check):
                writer.executemany(statement, rows)

    def _connect(self, opening: ExitStack) -> None:
        writer = schema.connect(self.path, "rw")
        opening.callback(writer.close)
        self._write_as(writer, _SYNCED)
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

    def _tail(self) -> Ahead:
        """What the tables lack of the journal that an earlier process left (RULES 41). The file is
        not changed."""
        self._head = queries.newest_turn(self._reader)
        start = Head(0, chain_start(self.run_identity()))
        self._reached = queries.projected(self._reader) or start
        reached, ahead = self._reached, Ahead()
        if reached != start and self.journal_hash(reached.sequence) != reached.hash:
            raise damaged(
                self.path,
                f"its journal does not hold row {reached.sequence} as the lease row names it"
                " (`pointsman journal check` says more)",
            )
        reader = queries.reader_after(self._reader, reached.sequence)
        tail = queries.tail(self._reader)
        for changes in changes_behind(self.path, reached, tail, reader):
            ahead.take_turn(changes)
        self._block = reader.block
        return ahead

    def _take_lease(self) -> None:
        holder = f"{os.getpid()}@{os.uname().nodename}"
        reached = self._reached
        taken = (holder, time.time_ns(), reached.sequence, reached.hash)
        self._writer.execute(_TAKE_LEASE, taken)

    @contextmanager
    def _transaction(self, manner: tuple[str, ...]) -> Iterator[sqlite3.Connection]:
        """All of the block, or nothing. Raises StorageFailed for what SQLite says, and for a file
        that is no longer at its path."""
        for path, opened in self.files.items():
            if fault := fault_of(path, opened):
                raise StorageFailed(OSError(fault))
        writer = self._writer
        try:
            self._write_as(writer, manner)
            writer.execute("BEGIN IMMEDIATE")
            try:
                yield writer
                writer.execute("COMMIT")
            except BaseException:
                # After some errors SQLite has rolled back by itself; after others it cannot now.
                with suppress(sqlite3.Error):
                    writer.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            raise StorageFailed(error) from error

    def _write_as(self, writer: sqlite3.Connection, manner: tuple[str, ...]) -> None:
        manner = manner if self.is_synced else _NOT_SYNCED
        if manner != self._manner:
            self._manner = ()
            for pragma in manner:
                writer.execute(pragma)
            self._manner = manner

    def _require_own_mark(self) -> None:
        """The tables are where an earlier try of ours left them, that was committed after all."""
        found = self._writer.execute(queries.PROJECTED).fetchone()
        ours = self._writer.execute(queries.JOURNAL_HASH, found[:1]).fetchone() if found else None
        if ours is None or ours[0] != found[1]:
            raise self._changed_by_another(f"the lease row says that the tables are at {found}")

    def _changed_by_another(self, how: str) -> CorruptDatabase:
        return CorruptDatabase(
            f"{self.path} was changed by another program while this one held it: "
            f"the journal was at {self._head.sequence}, {how}"
        )
