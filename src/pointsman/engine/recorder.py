"""Recorders: how a turn becomes durable.

Both keep the same promise to the loop: `durable` is the last ticket that is on disk, and tickets
become durable in order. `Inline` commits when it is told to, on the caller's thread: for runs on
recorded time, which stands still meanwhile. `Threaded` hands turns to the writer thread, so that
the loop that watches the stops never waits.
"""

from collections.abc import Callable
from typing import Protocol

from pointsman.storage.entries import Entry
from pointsman.storage.errors import StorageFailed
from pointsman.storage.group_committer import GroupCommitter
from pointsman.storage.sqlite_manager import SqliteManager


class Recorder(Protocol):
    """Where turns are stored."""

    @property
    def durable(self) -> int:
        """The last ticket that is on disk."""

    @property
    def failure(self) -> StorageFailed | None:
        """Why storage does not work at present, if so."""

    def put(self, ticket: int, entry: Entry) -> None:
        """Queue a turn; tickets rise by one."""

    def settle(self) -> None:
        """Make all that was put durable before returning, as far as storage works."""

    def press(self) -> None:
        """Commands wait for what was put: make it durable, now or soon."""


class Inline:
    """Commits on the caller's thread. A failure is retried with `wait` between, as often as it
    allows: it is given the failure, and raises to give up."""

    def __init__(self, manager: SqliteManager, wait: Callable[[StorageFailed], None]) -> None:
        self._manager = manager
        self._wait = wait
        self._queued: list[Entry] = []
        self._last_put = 0
        self.durable = 0
        self.failure: StorageFailed | None = None

    def put(self, ticket: int, entry: Entry) -> None:
        self._queued.append(entry)
        self._last_put = ticket
        if len(self._queued) >= _INLINE_LEN_MAX:
            self.settle()

    def settle(self) -> None:
        while self._queued:
            try:
                self._manager.append(self._queued)
            except StorageFailed as failure:
                self._wait(failure)
            else:
                self._queued.clear()
        self.durable = self._last_put

    def press(self) -> None:
        self.settle()


_INLINE_LEN_MAX = 512
"""So many turns wait at most for a command that needs them durable."""


class Threaded:
    """Hands turns to a writer thread. `notify` is called, on the writer's thread, whenever
    `durable` or `failure` has changed."""

    def __init__(self, manager: SqliteManager, notify: Callable[[], None]) -> None:
        self.durable = 0
        self.failure: StorageFailed | None = None
        self._notify = notify
        self._committer = GroupCommitter(manager, self._on_durable, self._on_failure)

    def _on_durable(self, ticket: int) -> None:
        self.durable, self.failure = ticket, None
        self._notify()

    def _on_failure(self, failure: StorageFailed) -> None:
        self.failure = failure
        self._notify()

    def put(self, ticket: int, entry: Entry) -> None:
        self._committer.put(ticket, entry)

    def settle(self) -> None:
        self._committer.flush(_SETTLE_SECONDS)

    def press(self) -> None:
        """Nothing to do: the writer commits whatever has queued as soon as it can."""

    def stop(self) -> bool:
        """Commit what is left and end the writer; whether all became durable."""
        return self._committer.stop(_STOP_SECONDS)


_SETTLE_SECONDS = 5.0  # not money: seconds
_STOP_SECONDS = 8.0  # not money: seconds
