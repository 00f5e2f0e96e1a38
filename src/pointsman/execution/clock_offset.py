"""How far the clock that stamps the quotes is ahead of ours (RULES 12, 68).

Invariants: the offset is the least receipt - stamp of the last 10 minutes; one that every
stamp has contradicted by more than a second for 30 s is dropped, and what those stamps say takes
its place. While it is contradicted, for a second and longer, it is doubtful, and no entry is
judged on it.
"""

from collections import deque
from collections.abc import Iterator

from pointsman.domain.timestamps import SECOND_NS

OFFSET_SECONDS = 600
CONTRADICTED_NS = SECOND_NS
"""A stamp contradicts the offset where it is earlier by more than this."""

DROPPED_AFTER_NS = 30 * SECOND_NS
DOUBTFUL_AFTER_NS = SECOND_NS


class ClockOffset:
    """How far the sender's clock is ahead of ours, where it is. Kept by whole seconds, each the
    least from then on."""

    def __init__(self) -> None:
        self._least: deque[tuple[int, int]] = deque(maxlen=OFFSET_SECONDS)
        self._since_ns: int | None = None
        self._last_ns = 0
        self._contradicting: deque[tuple[int, int]] = deque(maxlen=OFFSET_SECONDS)
        self._news: deque[str] = deque(maxlen=OFFSET_SECONDS)

    def note(self, stamp_ns: int, received_ns: int) -> None:
        """Take in the stamp of a quote that has just been received."""
        early_ns = received_ns - stamp_ns
        if early_ns >= 0 and not self._least and self._since_ns is None:
            return  # as with every row of a file: neither is there an offset nor does this give one
        offset_ns = self.at(received_ns)
        if early_ns <= offset_ns + CONTRADICTED_NS or offset_ns == 0:
            self._since_ns = None
            self._contradicting.clear()
        else:
            self._contradict(early_ns, offset_ns, received_ns)
        _note(self._least, early_ns, received_ns)

    def _contradict(self, early_ns: int, offset_ns: int, received_ns: int) -> None:
        self._last_ns = received_ns
        if self._since_ns is None:
            self._since_ns = received_ns
        _note(self._contradicting, early_ns, received_ns)
        if received_ns - self._since_ns < DROPPED_AFTER_NS:
            return
        self._least = self._contradicting
        self._contradicting = deque(maxlen=OFFSET_SECONDS)
        self._since_ns = None
        before, after = (f"{ns / SECOND_NS:.3f} s" for ns in (offset_ns, self.at(received_ns)))
        self._news.append(f"clock offset {before} contradicted for 30 s: measured again, {after}")

    @property
    def is_doubtful(self) -> bool:
        """Whether every stamp of the last second or longer contradicts the offset."""
        since_ns = self._since_ns
        return since_ns is not None and self._last_ns - since_ns >= DOUBTFUL_AFTER_NS

    @property
    def doubt(self) -> str:
        """What makes it doubtful, in words."""
        seconds = (self._last_ns - (self._since_ns or self._last_ns)) // SECOND_NS
        return f"all stamps of {seconds} s contradict the clock offset: it is measured again"

    def take_news(self) -> Iterator[str]:
        """The offsets that were dropped since the last time."""
        while self._news:
            yield self._news.popleft()

    def at(self, now_ns: int) -> int:
        """The offset in nanoseconds, never positive."""
        while self._least and self._least[0][0] <= now_ns // SECOND_NS - OFFSET_SECONDS:
            self._least.popleft()
        return self._least[0][1] if self._least else 0


def _note(least: deque[tuple[int, int]], early_ns: int, received_ns: int) -> None:
    """Keep a receipt - stamp that is negative, and drop those before it that are no less."""
    if early_ns >= 0:
        return
    second = received_ns // SECOND_NS
    while least and least[-1][1] >= early_ns:
        least.pop()
    if not least or least[-1][0] < second:
        least.append((second, early_ns))
