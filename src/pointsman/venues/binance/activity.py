"""Which symbols of the account have been active, so that a comparison asks about these only.

Binance answers by symbol, and a question without one costs as much as forty. So a comparison asks
about the symbols in which something has happened, and about all of them once a minute. What
this leaves out is asked about at the latest then.
"""

import time
from collections.abc import Callable, Iterable

from pointsman.domain.timestamps import SECOND_NS

ALL_AFTER_NS = 60 * SECOND_NS


class Activity:
    """Belongs to one account; symbols are the venue's names. `now_ns` is monotonic."""

    def __init__(self, now_ns: Callable[[], int] = time.monotonic_ns) -> None:
        self._now_ns = now_ns
        self._touches: dict[str, int] = {}
        self._connections = 0
        self._active: set[str] = set()
        self._all_at_ns: int | None = None

    def touch(self, symbol: str) -> None:
        """Something has happened in a symbol, or may have."""
        self._touches[symbol] = self._touches.get(symbol, 0) + 1
        self._active.add(symbol)

    def touch_all(self) -> None:
        """Anything may have happened, since nothing was heard for a while."""
        self._connections += 1
        self._all_at_ns = None

    def touches(self, symbol: str) -> tuple[int, int]:
        """Changes whenever something happens in a symbol."""
        return self._connections, self._touches.get(symbol, 0)

    def now_ns(self) -> int:
        return self._now_ns()

    def is_minute_over(self, since_ns: int | None) -> bool:
        """Whether what was asked then is to be asked again; None for never."""
        return since_ns is None or self._now_ns() - since_ns >= ALL_AFTER_NS

    def active(self) -> set[str] | None:
        """The symbols to ask about; None where it is time for all of them."""
        return None if self.is_minute_over(self._all_at_ns) else set(self._active)

    def names(self) -> set[str]:
        """The symbols in which something has happened of late."""
        return set(self._active)

    def begin_with_all(self) -> tuple[int, dict[str, int]]:
        """All symbols are asked about from now on; hand this to `saw_all` afterwards."""
        return self._now_ns(), dict(self._touches)

    def saw_all(self, began: tuple[int, dict[str, int]], found: Iterable[str]) -> None:
        """Something stands in the symbols `found`. Active are these, and those in which something
        has happened since it was asked."""
        self._all_at_ns, before = began
        later = {name for name, count in self._touches.items() if count != before.get(name, 0)}
        self._active = later | set(found)
