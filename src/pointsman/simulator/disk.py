"""The disk: a recorder on the real storage code, with syncing simulated.

Turns wait in memory and become durable in groups, by the real commit on a file in memory. What a
crash leaves is exactly what was committed before it: the queue dies with the process. The disk may
be full for a while, so that every commit fails, or slow, so that a commit takes its time while the
loop continues. The tables follow every few commits, so that most crashes find them behind the
journal.
"""

import sqlite3

from pointsman.domain.timestamps import SECOND_NS
from pointsman.execution.ports import JournalEntry, StorageStatus
from pointsman.simulator.crashes import Boundary, CrashTrap
from pointsman.storage.errors import StorageFailed, StorageQueueFull
from pointsman.storage.sqlite_manager import SqliteManager

GROUP_NS = SECOND_NS
"""A turn that nothing waits for becomes durable so long after it at the latest."""
RETRY_NS = SECOND_NS
QUEUE_LEN_MAX = 16_384
COMMITS_AHEAD_MAX = 5
"""The tables are behind the journal by this many commits at most."""


class Disk:
    """A `pointsman.engine.recorder.Recorder` on virtual time; `now_ns` is moved by `tick`."""

    def __init__(self, manager: SqliteManager, trap: CrashTrap, now_ns: int) -> None:
        self.standing = StorageStatus()
        self.full_until_ns = 0
        self.slow_until_ns = 0
        self.delay_ns = 0
        self._manager = manager
        self._trap = trap
        self._now_ns = now_ns
        self._queued: list[JournalEntry] = []
        self._last_put = 0
        self._due_ns: int | None = None
        self._ahead = 0

    def put(self, ticket: int, entry: JournalEntry, _is_awaited: bool = False) -> None:
        if len(self._queued) == QUEUE_LEN_MAX:
            raise StorageQueueFull(f"{QUEUE_LEN_MAX} turns wait")
        self._queued.append(entry)
        self._last_put = ticket
        self._due_by(self._now_ns + GROUP_NS)

    def press(self) -> None:
        if not self._queued or self.standing.failure is not None:
            return
        if self._now_ns < self.slow_until_ns:
            self._due_by(self._now_ns + self.delay_ns)
        else:
            self._commit()

    def settle(self) -> bool:
        if self._queued and self.standing.failure is None:
            self._commit()
        return self.standing.failure is None

    def next_due_ns(self) -> int | None:
        """When something becomes durable, or is tried again."""
        return self._due_ns

    def tick(self, now_ns: int) -> None:
        """Time has come as far: do what is due."""
        self._now_ns = now_ns
        if self._due_ns is not None and now_ns >= self._due_ns:
            self._commit()

    def _due_by(self, at_ns: int) -> None:
        if self._due_ns is None or at_ns < self._due_ns:
            self._due_ns = at_ns

    def _commit(self) -> None:
        self._due_ns = None
        if self._now_ns < self.full_until_ns:
            self._fail()
            return
        if self._queued:
            self._trap.passes(Boundary.BEFORE_COMMIT)
            self._manager.append(self._queued)
            self._trap.passes(Boundary.AFTER_COMMIT)
            self._queued.clear()
            self._ahead += 1
        self.standing = StorageStatus(self._last_put, None, self.standing.failures)
        if self._ahead >= COMMITS_AHEAD_MAX:
            self._trap.passes(Boundary.BEFORE_PROJECTION)
            self._manager.project()
            self._ahead = 0
            self._trap.passes(Boundary.AFTER_PROJECTION)

    def _fail(self) -> None:
        self._due_ns = self._now_ns + RETRY_NS
        if self.standing.failure is None:
            failure = StorageFailed(sqlite3.OperationalError("database or disk is full"))
            before = self.standing
            self.standing = StorageStatus(before.durable, str(failure.cause), before.failures + 1)
