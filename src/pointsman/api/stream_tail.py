"""The newest turns as the stream tells them: read and encoded once, however many streams there are.

Invariants: what is given is exactly what the journal holds after a number, in order and without a
gap; a stream that has fallen behind what is kept reads for itself. From any thread.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import NamedTuple

KEPT_LEN_MAX = 500
FRESH_SECONDS = 0.05
"""Where nothing was found so lately, nothing is looked for."""


class Told(NamedTuple):
    """One turn: its number in the journal, and its text."""

    sequence: int
    text: bytes


class StreamTail:
    """`read` gives the turns after a number, a bounded batch at a time."""

    def __init__(self, read: Callable[[int], list[Told]]) -> None:
        self._read = read
        self._kept: deque[Told] = deque(maxlen=KEPT_LEN_MAX)
        self._newest = -1
        self._looked_at = 0.0  # not money: seconds
        self._changing = threading.Lock()
        self._reading = threading.Lock()

    def known(self, after: int) -> list[Told] | None:
        """What is known to come after a number, without a look at the disk; None where it takes
        one."""
        with self._changing:
            if self._kept and after >= self._kept[0].sequence - 1:
                found = [each for each in self._kept if each.sequence > after]
                if found:
                    return found
            is_fresh = time.monotonic() < self._looked_at + FRESH_SECONDS
            return [] if after == self._newest and is_fresh else None

    def look(self, after: int) -> list[Told]:
        """What comes after a number, read where that is needed: by one thread at a time."""
        with self._reading:
            known = self.known(after)
            if known is not None:
                return known
            looked_at = time.monotonic()
            found = self._read(after)
            self._keep(after, found, looked_at)
            return found

    def _keep(self, after: int, found: Iterable[Told], looked_at: float) -> None:  # not money: s
        with self._changing:
            if after < self._newest:
                return  # It was behind what is kept.
            if after > self._newest:
                self._kept.clear()
            self._kept.extend(found)
            self._newest = self._kept[-1].sequence if self._kept else after
            self._looked_at = looked_at
