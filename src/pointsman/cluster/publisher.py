"""Copies the journal to its stream, as it grows.

What is sent is read back from the database, so it is what is durable there and nothing else; and
what was left behind by an earlier process, or while no server answered, goes the same way.
Invariants:

* rows are added in their order, each once; a stream that does not end in a row of this journal is
  never written to;
* with `is_sync` a turn counts as durable only when its row is acknowledged;
* after any doubt the stream is asked where it ends, and the copy continues from there.
"""

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import nats.errors

from pointsman.cluster.connection import FAULTS, Connection
from pointsman.cluster.errors import ClusterError, NotOwner, NotReplicated, WrongStream
from pointsman.cluster.journal_stream import JournalStream, Refused
from pointsman.storage import queries
from pointsman.storage.entries import Head, JournalRow
from pointsman.storage.errors import StorageFailed
from pointsman.storage.reader import open_as_stored

ROWS_AT_ONCE = 256
ACK_SECONDS = 1.0  # not money: seconds
"""How long a turn waits for its acknowledgement before storage counts as failing."""
RETRY_SECONDS = 0.25  # not money: seconds


class JournalPublisher:
    """Follows the journal of one open database (`storage.replica.Replica`), which ends at `head`
    now. `may_publish` says whether this engine still owns the desk."""

    def __init__(
        self,
        connection: Connection,
        stream: JournalStream,
        database: Path,
        head: Head,
        *,
        is_sync: bool,
        may_publish: Callable[[], bool],
    ) -> None:
        self.fault: ClusterError | None = None
        self._connection = connection
        self._stream = stream
        self._database = database
        self._is_sync = is_sync
        self._may_publish = may_publish
        self._acked = 0
        self._head = head.sequence
        self._complete_at = time.monotonic()
        self.failure = ""
        self._changed = threading.Condition()
        self._wake = asyncio.Event()

    # -- the engine's threads ----------------------------------------------------------------------

    def follow(self, head: Head) -> None:
        self.require()
        self.follow_soon(head)
        if self._is_sync and not self.flush(ACK_SECONDS):
            self.require()
            why = self.failure or f"no acknowledgement within {ACK_SECONDS:g} s"
            raise StorageFailed(NotReplicated(f"the journal's copy: {why}"))

    def follow_soon(self, head: Head) -> None:
        """Have the copy follow up to there, without waiting for it."""
        with self._changed:
            self._head = head.sequence
        self._connection.soon(self._wake.set)

    def flush(self, seconds: float) -> bool:  # not money: seconds
        """Wait until the copy is complete; whether that came true in time."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._acked >= self._head or self.fault is not None, seconds
            )
            return self._acked >= self._head

    def require(self) -> None:
        """Raises what has ended the copying, if anything has."""
        if self.fault is not None:
            raise self.fault

    def lag(self) -> tuple[int, float]:  # not money: seconds
        """How many rows the copy lacks, and for how many seconds it has lacked any."""
        rows = max(0, self._head - self._acked)
        return rows, time.monotonic() - self._complete_at if rows else 0.0  # not money: seconds

    # -- the connection's thread -------------------------------------------------------------------

    async def run(self) -> None:
        """Copy until the connection is closed, from where the stream ends."""
        with closing(open_as_stored(self._database)) as journal:
            try:
                await self._find_end(journal)
                while True:
                    self._wake.clear()
                    await self._catch_up(journal)
                    await self._wake.wait()
            except ClusterError as error:
                self._end(error)
            except nats.errors.MaxPayloadError:
                told = f"row {self._acked + 1} or one behind it is larger than the servers take"
                self._end(WrongStream(f"{told} ({self._limit()} bytes); raise their max_payload"))
            except Exception as error:
                self._end(ClusterError(f"the copying of the journal broke: {error!r}"))
                raise

    async def _catch_up(self, journal: sqlite3.Connection) -> None:
        while self._acked < self._head:
            if not self._may_publish():
                raise NotOwner("the lease of the desk is over; its journal is another's to write")
            try:
                await self._publish(journal)
            except (Refused, *FAULTS) as doubt:
                if isinstance(doubt, nats.errors.MaxPayloadError):
                    raise
                self.failure = str(doubt) or type(doubt).__name__
                await asyncio.sleep(0 if isinstance(doubt, Refused) else RETRY_SECONDS)
                await self._find_end(journal)

    async def _publish(self, journal: sqlite3.Connection) -> None:
        rows: list[JournalRow] = queries.rows_after(journal, self._acked, ROWS_AT_ONCE)
        await self._stream.publish(rows)
        self._note(rows[-1][0])

    async def _find_end(self, journal: sqlite3.Connection) -> None:
        """Ask where the stream ends, until a server answers. Raises WrongStream and NotOwner."""
        while True:
            try:
                end = await self._stream.last()
                break
            except FAULTS as error:
                self.failure = str(error) or type(error).__name__
                await asyncio.sleep(RETRY_SECONDS)
        if end.sequence and queries.journal_hash(journal, end.sequence) != end.hash:
            raise NotOwner(
                f"stream {self._stream.name} ends with row {end.sequence}, which this journal does"
                " not hold: another engine has written it"
            )
        self._note(end.sequence)

    def _note(self, acked: int) -> None:
        with self._changed:
            self._acked = acked
            if acked >= self._head:
                self._complete_at = time.monotonic()
                self.failure = ""
            self._changed.notify_all()

    def _end(self, error: ClusterError) -> None:
        with self._changed:
            self.fault = error
            self._changed.notify_all()

    def _limit(self) -> int:
        return int(self._connection.client.max_payload)
