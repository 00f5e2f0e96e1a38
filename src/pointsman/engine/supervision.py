"""Supervision: no part of a running engine ends unnoticed.

Once a second every thread and task is looked at. One that has ended holds new risk from then on, is
named in the readiness, is reported in log and journal, and is started again where that is safe,
soon at first and later with longer waits; where it is not, the run comes to an end in order.
Invariants: what ended a thread reaches the log, whichever it was; a part counts as down until a
later look finds it alive.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from traceback import extract_tb
from typing import NamedTuple

LOOK_SECONDS = 1.0  # not money: seconds
LATE_SECONDS = 5.0  # not money: seconds
"""Supervision that has not looked for so long is down itself."""
WAIT_MAX_SECONDS = 60.0  # not money: seconds
"""The longest wait before a part is started again."""


class PartDied(Exception):
    """A part of the engine ended that cannot be started again: the run is over."""


class Part(NamedTuple):
    """One thread or task. `name` is that of its thread; `restart` None is for what cannot be
    started again."""

    name: str
    is_alive: Callable[[], bool]
    restart: Callable[[], None] | None


class _Fall(NamedTuple):
    """How often a part has ended lately, when last, and when it is to be started again; None once
    that has been tried."""

    times: int
    at: float
    retry_at: float | None


class Supervisor:
    """Looks at parts. `hold(why)` is called at every look with what is down, an empty text where
    nothing is; `tell(name, fault)` of each end, and `end` that the run must come to its end."""

    def __init__(
        self,
        parts: Sequence[Part],
        hold: Callable[[str], None],
        tell: Callable[[str, str], None],
        end: Callable[[], None],
    ) -> None:
        self.fatal = ""
        self._parts = parts
        self._hold = hold
        self._tell = tell
        self._end = end
        self._faults: dict[str, str] = {}
        self._falls: dict[str, _Fall] = {}
        self._down: dict[str, str] = {}
        self._looked_at = time.monotonic()

    def blame(self, name: str, fault: str) -> None:
        """Told what has ended a part."""
        self._faults[name] = fault

    def down(self) -> dict[str, str]:
        """What is down, and why; from any thread."""
        late = time.monotonic() - self._looked_at
        silent = {"supervision": f"has not looked for {late:.0f} s"} if late > LATE_SECONDS else {}
        return {**self._down, **silent}

    def look(self) -> None:
        """Look at every part once."""
        now = time.monotonic()
        for part in self._parts:
            if part.is_alive():
                self._down.pop(part.name, None)
            else:
                self._see_to(part, now)
        self._hold(self._why())
        self._looked_at = now

    def _see_to(self, part: Part, now: float) -> None:
        fall = self._falls.get(part.name)
        if fall is None or fall.retry_at is None:
            fall = self._note(part, fall, now)
        if part.restart is None:
            if not self.fatal:
                self.fatal = f"{part.name}: {self._down[part.name]}"
                self._end()
        elif fall.retry_at is not None and now >= fall.retry_at:
            self._falls[part.name] = fall._replace(retry_at=None)
            try:
                part.restart()
            except (OSError, RuntimeError) as error:
                self._faults[part.name] = f"cannot be started again: {error}"

    def _note(self, part: Part, before: _Fall | None, now: float) -> _Fall:
        """An end that was not known of yet."""
        is_again = before is not None and now - before.at < 2 * WAIT_MAX_SECONDS
        times = before.times + 1 if before is not None and is_again else 1
        wait_seconds = 0.0 if times == 1 else min(2.0**times, WAIT_MAX_SECONDS)
        never = part.restart is None
        fall = _Fall(times, now, float("inf") if never else now + wait_seconds)
        self._falls[part.name] = fall
        fault = self._faults.pop(part.name, "ended without an error")
        self._down[part.name] = fault
        self._hold(self._why())
        self._tell(part.name, fault)
        return fall

    def _why(self) -> str:
        return "; ".join(f"{name} is down: {fault}" for name, fault in self._down.items())

    @contextmanager
    def hearing(self, say: Callable[[str], None]) -> Iterator[None]:
        """Within this block what ends any thread is said, and known here."""
        names = {part.name for part in self._parts}

        def hear(args: threading.ExceptHookArgs) -> None:
            name = "a thread" if args.thread is None else args.thread.name
            fault = _told(args)
            if name in names:
                self.blame(name, fault)
            say(f"thread {name} ended by a fault: {fault}")

        before, threading.excepthook = threading.excepthook, hear
        try:
            yield
        finally:
            threading.excepthook = before


def _told(args: threading.ExceptHookArgs) -> str:
    frames = extract_tb(args.exc_traceback)
    where = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    return f"{args.exc_type.__name__}: {args.exc_value}{where}"
