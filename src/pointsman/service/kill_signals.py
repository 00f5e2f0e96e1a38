"""Kill by a process signal: SIGUSR1 halts, SIGUSR2 closes everything too.

A thread of its own waits for them and presses the same switch as every other way, so a press holds
also while the loop is stuck (RULES 34). Invariants: within `kill_signals_blocked`, entered
before any thread is started, they reach that thread alone; one that comes before it listens is kept
for it.
"""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pointsman.engine.requests import Kill

KILL_SIGNALS = {signal.SIGUSR1: False, signal.SIGUSR2: True}
"""Each signal, and whether it also flattens."""

THREAD_NAME = "kill signals"


@contextmanager
def kill_signals_blocked() -> Iterator[None]:
    """Within this block the signals wait for a listener. One that came after that is dropped
    at the end, when there is no engine left to kill."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, KILL_SIGNALS)
    try:
        yield
    finally:
        while signal.sigpending() & KILL_SIGNALS.keys():
            signal.sigwait(KILL_SIGNALS)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def let_through() -> None:
    """In a child process: let the signals do what they usually do."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, KILL_SIGNALS)


class KillSignals:
    """Listens from `start` to `stop`. `press` is called on its thread."""

    def __init__(self, press: Callable[[Kill], object]) -> None:
        self._press = press
        self._is_stopping = False
        self._thread: threading.Thread | None = None

    @property
    def is_alive(self) -> bool:
        """Whether it listens."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Begin to listen, or begin again after a fault."""
        self._thread = threading.Thread(target=self._run, name=THREAD_NAME, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Listen no more."""
        self._is_stopping = True
        if self._thread is not None and self._thread.ident is not None and self.is_alive:
            signal.pthread_kill(self._thread.ident, signal.SIGUSR1)
            self._thread.join()

    def _run(self) -> None:
        while True:
            signum = signal.Signals(signal.sigwait(KILL_SIGNALS))
            if self._is_stopping:
                return
            request = Kill(
                flatten=KILL_SIGNALS[signum],
                reason=f"{signum.name} was sent",
                by=f"process signal {signum.name}",
            )
            self._press(request)
