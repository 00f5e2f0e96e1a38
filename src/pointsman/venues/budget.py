"""How many requests may leave, and which leave first (RULES 45).

A venue counts the weight of requests in a minute and shuts out who exceeds it. One budget is kept
for each account; time comes in as an argument. Invariants:

* exits and stops may spend all of it, cancels all but what is kept for these, and so on: a class
  never spends what is kept for those above it;
* after a "slow down" of the venue nothing leaves until its time is over, whatever is left;
* the venue's own count, where it tells it, wins over ours when it is higher.

Worked example: 1,200 a minute fill up at 20 a second. With 240 kept for exits and stops and 120
more for cancels, an entry of weight 1 leaves while at least 361 are left; at 300 a cancel leaves,
an entry does not; at 240 only exits and stops do.
"""

from enum import IntEnum

from pointsman.domain.timestamps import SECOND_NS

MINUTE_NS = 60 * SECOND_NS


class RequestClass(IntEnum):
    """What a request is for, the most important first."""

    EXIT_OR_STOP = 0
    CANCEL = 1
    QUERY = 2
    ENTRY_OR_COMPARISON = 3


KEPT_PERCENT = {
    RequestClass.EXIT_OR_STOP: 0,
    RequestClass.CANCEL: 20,
    RequestClass.QUERY: 30,
    RequestClass.ENTRY_OR_COMPARISON: 35,
}
"""How much of the budget a class leaves for those above it."""


class Budget:
    """The requests of one account. `per_minute` is the weight that may be spent in a minute."""

    def __init__(self, per_minute: int, now_ns: int) -> None:
        self.per_minute = per_minute
        self._left_ns = MINUTE_NS * per_minute
        self._at_ns = now_ns
        self._slow_until_ns = 0

    def left(self, now_ns: int) -> int:
        """How much weight could be spent now, by the most important class; from any thread."""
        grown_ns = self._left_ns + max(0, now_ns - self._at_ns) * self.per_minute
        return min(grown_ns // MINUTE_NS, self.per_minute)

    def wait_ns(self, request_class: RequestClass, weight: int, now_ns: int) -> int:
        """How long a request of this weight has to wait; 0 where it may leave now."""
        self._pass_to(now_ns)
        if now_ns < self._slow_until_ns:
            return self._slow_until_ns - now_ns
        kept = self.per_minute * KEPT_PERCENT[request_class] // 100
        lacking_ns = (kept + weight) * MINUTE_NS - self._left_ns
        return 0 if lacking_ns <= 0 else -(-lacking_ns // self.per_minute)

    def spend(self, weight: int, now_ns: int) -> None:
        """Take the weight of a request that leaves."""
        self._pass_to(now_ns)
        self._left_ns -= weight * MINUTE_NS

    def note_used(self, used: int, now_ns: int) -> None:
        """The venue says how much was used within its minute."""
        self._pass_to(now_ns)
        self._left_ns = min(self._left_ns, (self.per_minute - used) * MINUTE_NS)

    def slow_down(self, until_ns: int) -> None:
        """The venue wants nothing before `until_ns`."""
        self._slow_until_ns = max(self._slow_until_ns, until_ns)

    def slow_until_ns(self, now_ns: int) -> int | None:
        """Until when the venue wants nothing; None where it does not say so."""
        return self._slow_until_ns if now_ns < self._slow_until_ns else None

    def _pass_to(self, now_ns: int) -> None:
        if now_ns > self._at_ns:
            grown_ns = self._left_ns + (now_ns - self._at_ns) * self.per_minute
            self._left_ns = min(grown_ns, MINUTE_NS * self.per_minute)
            self._at_ns = now_ns
