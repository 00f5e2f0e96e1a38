"""How far the clock of whoever stamps the quotes is ahead of ours (RULES 12)."""

from collections import deque

SECOND_NS = 10**9
OFFSET_SECONDS = 600


class ClockOffset:
    """How far the sender's clock is ahead of ours: the least receipt - stamp of the last 10
    minutes, where that is negative. Kept by whole seconds, each the least from then on."""

    def __init__(self) -> None:
        self._least: deque[tuple[int, int]] = deque(maxlen=OFFSET_SECONDS)

    def note(self, stamp_ns: int, received_ns: int) -> None:
        """Take in the stamp of a quote that has just been received."""
        early_ns = received_ns - stamp_ns
        if early_ns >= 0:
            return
        second = received_ns // SECOND_NS
        while self._least and self._least[-1][1] >= early_ns:
            self._least.pop()
        if not self._least or self._least[-1][0] < second:
            self._least.append((second, early_ns))

    def at(self, now_ns: int) -> int:
        """The offset in nanoseconds, never positive."""
        while self._least and self._least[0][0] <= now_ns // SECOND_NS - OFFSET_SECONDS:
            self._least.popleft()
        return self._least[0][1] if self._least else 0
