"""Vitals: whether the machinery is well, as numbers.

The driver's thread notes what it sees; any other may ask. A loop that is stuck shows as lag, since
its last beat grows old.
"""

import time
from collections.abc import Callable

from pointsman.domain.timestamps import MS_NS, iso
from pointsman.engine.snapshot import Document
from pointsman.execution.ports import StorageStatus

LAG_EVERY_SECONDS = 0.1  # not money: seconds


class Vitals:
    """The health of one run, from event time, the length of the last commit in nanoseconds (0
    before the first), how storage stands, and when the last comparison was. `quote_ns` is when the
    newest quote came."""

    def __init__(
        self,
        now_ns: Callable[[], int],
        commit_ns: Callable[[], int],
        standing: Callable[[], StorageStatus],
        compared_ns: Callable[[], int | None],
    ) -> None:
        self.quote_ns: int | None = None
        self._now_ns = now_ns
        self._commit_ns = commit_ns
        self._standing = standing
        self._compared_ns = compared_ns
        self._quotes = 0
        self._failing_since_ns: int | None = None
        self._lag_seconds = 0.0  # not money: seconds
        self._beat_at = time.monotonic()

    def note(self, quotes: int, now_ns: int) -> None:
        """Told after each instant: how many quotes there have been."""
        if quotes != self._quotes:
            self._quotes, self.quote_ns = quotes, now_ns
        if self._standing().failure is None:
            self._failing_since_ns = None
        elif self._failing_since_ns is None:
            self._failing_since_ns = now_ns

    def beat(self, late_seconds: float) -> None:
        """Told about every LAG_EVERY_SECONDS, and how much later than that."""
        self._lag_seconds = max(0.0, late_seconds)
        self._beat_at = time.monotonic()

    @property
    def lag_seconds(self) -> float:
        """How late the loop is: at its last beat, or since."""
        silent_seconds = time.monotonic() - self._beat_at - LAG_EVERY_SECONDS
        return max(self._lag_seconds, silent_seconds)

    def health(self) -> Document:
        """How it stands now."""
        now_ns = self._now_ns()
        commit_ns = self._commit_ns()
        lag_ms = 1000 * self.lag_seconds
        failing_ns = self._failing_since_ns
        return {
            "feed_age_ms": _age_ms(self.quote_ns, now_ns),
            "compared_ago_ms": _age_ms(self._compared_ns(), now_ns),
            "commit_ms": f"{commit_ns / MS_NS:.2f}" if commit_ns else None,
            "loop_lag_ms": f"{lag_ms:.1f}",
            "storage": "ok" if failing_ns is None else f"failing since {iso(failing_ns)}",
        }


def _age_ms(at_ns: int | None, now_ns: int) -> int | None:
    return None if at_ns is None else max(0, now_ns - at_ns) // MS_NS
