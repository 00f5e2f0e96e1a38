"""The writer thread: a group of turns is whatever queued during the last commit.

The loop that watches the stops never waits for the disk. Invariants (RULES 29, 30):

* turns become durable in the order in which they were put;
* a turn that something waits for is committed at once, one that nothing waits for with the next of
  those, or a little later: most turns have nobody waiting, and a commit costs more than they do;
* a group that fails is kept and tried again whole, until it is durable or `stop` gives up;
* where a copy of the journal is kept, a turn is durable when the manager says so of its copy too;
* the tables follow the journal when nothing has come for a moment, and where it never is quiet, as
  soon as the manager says that they must (RULES 41). What fails then is a failure like any other;
* the queue is bounded. While commits work a full one makes `put` wait for the next commit; while
  they fail it raises, so that the loop continues.
"""

import threading
from collections import deque
from collections.abc import Callable
from functools import partial

from pointsman.errors import PointsmanError
from pointsman.execution.ports import JournalEntry
from pointsman.storage.errors import StorageFailed, StorageQueueFull
from pointsman.storage.sqlite_manager import SqliteManager

GROUP_LEN_MAX = 512
LINGER_SECONDS = 0.01  # not money: seconds
"""So long a turn that nothing waits for may wait for company."""

QUIET_SECONDS = 0.03  # not money: seconds
"""After so long without a turn the tables are brought up to the journal."""

QUEUE_LEN_MAX = 16_384
RETRY_FIRST_SECONDS = 0.05  # not money: seconds
RETRY_LAST_SECONDS = 1.0  # not money: seconds


class GroupCommitter:
    """Owns the writing of an open database from its making until `stop`.

    Both callbacks run on the writer's thread. `on_durable(ticket)`: everything up to this ticket is
    on disk; after a failure it also says that storage works again, with the ticket of before where
    it was the tables that failed. `on_failure(error)`: commits have begun to fail.
    """

    def __init__(
        self,
        manager: SqliteManager,
        on_durable: Callable[[int], None],
        on_failure: Callable[[StorageFailed], None],
        queue_len_max: int = QUEUE_LEN_MAX,
    ) -> None:
        self._manager = manager
        self._on_durable = on_durable
        self._on_failure = on_failure
        self._queue_len_max = queue_len_max
        self._queue: deque[tuple[int, JournalEntry]] = deque()
        self._undone = 0
        self._is_pressed = False
        self._failure: StorageFailed | None = None
        self._failures = 0
        self._fault: Exception | None = None
        self._is_stopping = False
        self._gives_up = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="storage-writer", daemon=True)
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        """Whether the writer's thread runs."""
        return self._thread.is_alive()

    def put(self, ticket: int, entry: JournalEntry, *, is_awaited: bool = False) -> None:
        """Queue a turn, to be durable soon. Tickets rise. One that `is_awaited` is followed by
        `press`, which wakes the writer; it is not woken twice.

        Raises StorageQueueFull when commits fail and no more may wait. Where the thread has ended,
        raises what it ended by: a PointsmanError, such as that its copy is not ours to write any
        more, or StorageFailed for a fault of ours.
        """
        with self._changed:
            if not self._has_room():
                self._changed.wait_for(lambda: self._has_room() or self._failure is not None)
            if isinstance(self._fault, PointsmanError):
                raise self._fault
            if self._fault is not None:
                raise StorageFailed(self._fault)
            if not self._has_room():
                raise StorageQueueFull(f"{self._queue_len_max} turns wait; {self._failure}")
            assert not self._is_stopping, "nothing may be put after stop"
            self._queue.append((ticket, entry))
            self._undone += 1
            if (len(self._queue) == 1 and not is_awaited) or not self._has_room():
                self._changed.notify_all()

    def press(self) -> None:
        """Something waits for what was put: let it be durable as soon as can be."""
        with self._changed:
            if self._queue and not self._is_pressed:
                self._is_pressed = True
                self._changed.notify_all()

    def flush(self, timeout_seconds: float) -> bool:  # not money: seconds
        """Wait until all that was put is durable and its callback has run; whether that came
        true in time."""
        self.press()
        with self._changed:
            self._changed.wait_for(lambda: not self._undone or self._fault, timeout_seconds)
            return self._undone == 0

    def stop(self, timeout_seconds: float) -> bool:  # not money: seconds
        """Commit what is queued, bring the tables up to it and end the thread; whether all became
        durable. While commits fail it gives up after the timeout."""
        with self._changed:
            self._is_stopping = True
            self._changed.notify_all()
        self._thread.join(timeout_seconds)
        with self._changed:
            self._gives_up = True
            self._changed.notify_all()
        self._thread.join()
        return self._undone == 0

    def _has_room(self) -> bool:
        return len(self._queue) < self._queue_len_max

    def _run(self) -> None:
        try:
            self._write_until_stopped()
        except Exception as error:
            # A fault of our own: the waiting callers must hear of it, and nothing more may be put.
            failure = StorageFailed(error)
            with self._changed:
                self._failure, self._fault = failure, error
                self._changed.notify_all()
            self._on_failure(failure)
            raise

    def _write_until_stopped(self) -> None:
        durable = 0
        while (group := self._next_group()) is not None:
            if group:
                entries = [entry for _, entry in group]
                if not self._persist(partial(self._manager.append, entries)):
                    return
                if not self._persist(self._manager.replicate):
                    return
                durable = group[-1][0]
                self._on_durable(durable)
                with self._changed:
                    self._undone -= len(group)
                    self._changed.notify_all()
            if not group or self._manager.project_in_seconds == 0:
                failures = self._failures
                if not self._persist(self._manager.project):
                    return
                if failures != self._failures:
                    self._on_durable(durable)
        self._persist(self._manager.project)

    def _next_group(self) -> list[tuple[int, JournalEntry]] | None:
        """What is to be stored next; nothing where it is time for the tables, None at the end."""
        with self._changed:
            behind = self._manager.project_in_seconds
            quiet = None if behind is None else min(behind, QUIET_SECONDS)
            if not self._changed.wait_for(lambda: self._queue or self._is_stopping, quiet):
                return []
            if not self._queue:
                return None
            self._changed.wait_for(self._may_not_linger, LINGER_SECONDS)
            group = [self._queue.popleft() for _ in range(min(len(self._queue), GROUP_LEN_MAX))]
            # What did not fit into this group is committed at once.
            self._is_pressed = bool(self._queue)
            self._changed.notify_all()
            return group

    def _may_not_linger(self) -> bool:
        return self._is_pressed or self._is_stopping or not self._has_room()

    def _persist(self, write: Callable[[], None]) -> bool:
        """Try until it is done; False when asked to give up."""
        delay_seconds = RETRY_FIRST_SECONDS
        while True:
            try:
                write()
            except StorageFailed as failure:
                self._take_failure(failure)
            else:
                with self._changed:
                    self._failure = None
                return True
            with self._changed:
                if self._changed.wait_for(lambda: self._gives_up, delay_seconds):
                    return False
            delay_seconds = min(2 * delay_seconds, RETRY_LAST_SECONDS)

    def _take_failure(self, failure: StorageFailed) -> None:
        with self._changed:
            is_first = self._failure is None
            self._failure = failure
            self._changed.notify_all()
        if is_first:
            self._failures += 1
            self._on_failure(failure)
