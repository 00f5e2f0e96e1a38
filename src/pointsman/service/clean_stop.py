"""A clean stop: SIGINT, SIGTERM and a closed terminal only ask for one.

Where something hangs, the process ends all the same, in time for what waits for it: the next
start recovers, as after any other death.
"""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SIGNAL_EXIT_BASE = 128
END_SECONDS = 9.0  # not money: seconds


class Stop:
    """Remembers whether an end was asked for, and by which signal, if by one."""

    def __init__(self) -> None:
        self.signum: int | None = None
        self.is_asked = False
        self.hooks: list[Callable[[], None]] = []

    def ask(self) -> None:
        """Come to a clean end."""
        self.is_asked = True
        for hook in self.hooks:
            hook()

    def on_signal(self, signum: int, _frame: FrameType | None) -> None:
        """As a signal handler."""
        self.signum = signum
        self.ask()


@contextmanager
def clean_stop() -> Iterator[Stop]:
    """Within this block the signals of SIGNALS only ask for an end."""
    stop = Stop()
    before = [signal.signal(name, stop.on_signal) for name in SIGNALS]
    try:
        yield stop
    finally:
        for name, handler in zip(SIGNALS, before, strict=True):
            signal.signal(name, handler)


@contextmanager
def ended_in_time(stop: Stop) -> Iterator[None]:
    """Within this block the process ends END_SECONDS after a signal has asked for it, whatever is
    under way then."""

    def end() -> None:
        os.write(2, b"pointsman: what was under way did not end in time; the next start recovers\n")
        os._exit(SIGNAL_EXIT_BASE + (stop.signum or 0))

    timer = threading.Timer(END_SECONDS, end)
    timer.daemon = True

    def begin() -> None:
        if stop.signum is not None and timer.ident is None:
            timer.start()

    stop.hooks.append(begin)
    try:
        yield
    finally:
        timer.cancel()
