"""A ticker: a thread that does one thing again and again, until it is told to stop.

What always holds: a fault ends the thread and is raised in it, so that it reaches the thread hook
of the process; whoever looks at `is_alive` sees that it has ended, and `start` begins anew.
"""

import threading
from collections.abc import Callable

STOP_SECONDS = 1.0  # not money: seconds


class Ticker:
    """Calls `work` every so many seconds, from `start` to `stop`."""

    def __init__(self, name: str, every_seconds: float, work: Callable[[], None]) -> None:
        self._name = name
        self._every_seconds = every_seconds
        self._work = work
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def is_alive(self) -> bool:
        """Whether it goes on working."""
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
