"""A ticker: a thread that repeats one task until it is stopped.

Invariants: a fault ends the thread and is raised in it, so that it reaches the thread hook
of the process; `is_alive` then says that it has ended, and `start` starts it again.
"""

import threading
from collections.abc import Callable

STOP_SECONDS = 1.0  # not money: seconds


class Ticker:
    """Calls `work` at an interval in seconds, from `start` to `stop`."""

    def __init__(self, name: str, every_seconds: float, work: Callable[[], None]) -> None:
        self._name = name
        self._every_seconds = every_seconds
        self._work = work
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def is_alive(self) -> bool:
        """Whether it is still working."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Begin, or begin again after a fault."""
        self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End; what is under way may take STOP_SECONDS."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(STOP_SECONDS)

    def _run(self) -> None:
        while not self._stopping.wait(self._every_seconds):
            self._work()
