"""Recorders: how a turn becomes durable.

Both keep the same promise to the loop: turns become durable in the order of their tickets, and
`standing` says in one reading how far they have come and whether storage works. The tables follow
what is durable (RULES 41). `InlineRecorder` commits when asked to, on the caller's thread: for runs
on recorded time, which stands still meanwhile. `ThreadedRecorder` hands turns to the writer thread,
so that the loop that watches the stops never waits.
"""

from collections.abc import Callable
from contextlib import ExitStack

from pointsman.execution.ports import JournalEntry, Recorder, StorageStatus
from pointsman.storage.errors import StorageFailed
from pointsman.storage.group_committer import GroupCommitter
from pointsman.storage.sqlite_manager import SqliteManager


class InlineRecorder:
    """Commits on the caller's thread. A failure is retried with `wait` between, as often as it
    allows: it is given the failure, and raises to give up."""

    def __init__(self, manager: SqliteManager, wait: Callable[[StorageFailed], None]) -> None:
        self.standing = StorageStatus()
        self._manager = manager
        self._wait = wait
        self._queued: list[JournalEntry] = []
        self._last_put = 0

    def put(self, ticket: int, entry: JournalEntry, _is_awaited: bool = False) -> None:
        self._queued.append(entry)
        self._last_put = ticket
        if len(self._queued) >= _INLINE_LEN_MAX:
            self.settle()

    def settle(self) -> bool:
        while self._queued:
            self._persist(self._append)
        if self._manager.project_in_seconds == 0:
            self._persist(self._manager.project)
        return True

    def press(self) -> None:
        self.settle()

    def close(self) -> None:
        """Commit what is left, and bring the tables up to it."""
        self.settle()
        self._persist(self._manager.project)

    def _append(self) -> None:
        self._manager.append(self._queued)
        self._queued.clear()
        self.standing = StorageStatus(self._last_put)

    def _persist(self, write: Callable[[], None]) -> None:
        while True:
            try:
                write()
            except StorageFailed as failure:
                self._wait(failure)
            else:
                return


_INLINE_LEN_MAX = 512
"""How many turns may wait for a command that needs them durable."""


class ThreadedRecorder:
    """Hands turns to a writer thread. `notify` is called, on the writer's thread, whenever
    `standing` has changed."""

    def __init__(self, manager: SqliteManager, notify: Callable[[], None]) -> None:
        # Only the writer's thread replaces it, and always whole.
        self.standing = StorageStatus()
        self._notify = notify
        self._committer = GroupCommitter(manager, self._on_durable, self._on_failure)

    def _on_durable(self, ticket: int) -> None:
        self.standing = StorageStatus(ticket, None, self.standing.failures)
        self._notify()

    def _on_failure(self, failure: StorageFailed) -> None:
        before = self.standing
        self.standing = StorageStatus(before.durable, str(failure.cause), before.failures + 1)
        self._notify()

    def put(self, ticket: int, entry: JournalEntry, is_awaited: bool = False) -> None:
        self._committer.put(ticket, entry, is_awaited=is_awaited)

    def settle(self) -> bool:
        return self.standing.failure is None and self._committer.flush(_SETTLE_SECONDS)

    @property
    def is_alive(self) -> bool:
        """Whether the writer's thread runs."""
        return self._committer.is_alive

    def press(self) -> None:
        self._committer.press()

    def stop(self) -> bool:
        """Commit what is left and end the writer; whether all became durable."""
        return self._committer.stop(_STOP_SECONDS)


_SETTLE_SECONDS = 1.0  # not money: seconds
"""So long the loop may stand still for what must be looked up; far more than a commit takes."""

_STOP_SECONDS = 3.0  # not money: seconds


def open_recorder(
    manager: SqliteManager,
    closing: ExitStack,
    wait: Callable[[StorageFailed], None] | None,
    notify: Callable[[], None],
) -> Recorder:
    """The recorder of an engine: `InlineRecorder` where there is a `wait`, else `ThreadedRecorder`.
    Its end is registered on `closing`."""
    if wait is not None:
        inline = InlineRecorder(manager, wait)
        closing.callback(inline.close)
        return inline
    threaded = ThreadedRecorder(manager, notify)
    closing.callback(threaded.stop)
    return threaded
