"""A clean stop: SIGINT, SIGTERM and a closed terminal only ask for one."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


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
