"""How many requests may leave, and which leave first (RULES 45).

A venue counts the weight of requests in a minute, and often orders by themselves in a few seconds,
and shuts out who exceeds either. One budget is kept for each account; time comes in as an argument.
Invariants:

* exits and stops may spend all of it, cancels all but what is kept for these, and so on: a class
  never spends what is kept for those above it;
* no more orders, cancels or questions leave in any stretch of time than the venue takes in it;
* after a "slow down" of the venue nothing leaves until its time is over, whatever is left;
* the venue's own count, where it tells it, wins over ours when it is higher. It is of all programs
  that share its limit, so it is held against that limit, never against our share of it.

Worked example: 1,200 a minute fill up at 20 a second. With 240 kept for exits and stops and 120
more for cancels, an entry of weight 1 leaves while at least 421 are left; at 300 a cancel leaves,
an entry does not; at 240 only exits and stops do. Of 10 orders a second an entry is one of the
first 7, and the other 3 are left to exits and stops.
"""

from collections import deque
from enum import IntEnum

import msgspec

from pointsman.domain.timestamps import SECOND_NS
from pointsman.venues.outcome import Stage

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


class Rate(msgspec.Struct, frozen=True, gc=False):
    """A venue takes at most `count` requests of a stage within any `period_ns`."""

    stage: Stage
    count: int
    period_ns: int


class RequestCost(msgspec.Struct, frozen=True, gc=False):
    """What a request spends: `weight` of the minute's, by a class, and one of its stage's rates."""

    request_class: RequestClass
    stage: Stage
    weight: int = 1


class Budget:
    """The requests of one account. `venue_per_minute` is the weight that the venue allows in a
    minute; `per_minute`, our share of it, is never more. `rates` are the venue's limits of requests
    of one kind."""

    def __init__(
        self,
        venue_per_minute: int,
        now_ns: int,
        *,
        share: int | None = None,
        rates: tuple[Rate, ...] = (),
    ) -> None:
        self.per_minute = min(venue_per_minute, share or venue_per_minute)
        self._ours = _Allowance(self.per_minute, now_ns)
        self._venues = _Allowance(venue_per_minute, now_ns)
        self._rates = tuple(_RateCount(rate) for rate in rates)
        self._slow_until_ns = 0

    def left(self, now_ns: int) -> int:
        """How much weight could be spent now, by the most important class; from any thread."""
        return min(self._ours.left(now_ns), self._venues.left(now_ns))

    def wait_ns(self, cost: RequestCost, now_ns: int) -> int:
        """How long a request has to wait; 0 where it may leave now."""
        return max(self.weight_wait_ns(cost, now_ns), self.rate_wait_ns(cost, now_ns))

    def weight_wait_ns(self, cost: RequestCost, now_ns: int) -> int:
        """How long it has to wait for what all requests share: their weight, and the end of a
        slow-down."""
        kept_percent = KEPT_PERCENT[cost.request_class]
        return max(
            self._slow_until_ns - now_ns,
            self._ours.wait_ns(cost.weight, kept_percent, now_ns),
            self._venues.wait_ns(cost.weight, kept_percent, now_ns),
            0,
        )

    def rate_wait_ns(self, cost: RequestCost, now_ns: int) -> int:
        """How long it has to wait for others of its own stage."""
        kept_percent = KEPT_PERCENT[cost.request_class]
        waits = (each.wait_ns(kept_percent, now_ns) for each in self._rates_of(cost.stage))
        return max(waits, default=0)

    def least_for(self, cost: RequestCost) -> int | None:
        """How much a minute would have to have for a request to leave at all; None where it
        has."""
        kept_percent = KEPT_PERCENT[cost.request_class]
        if self.per_minute * kept_percent // 100 + cost.weight <= self.per_minute:
            return None
        return -(-cost.weight * 100 // (100 - kept_percent))

    def spend(self, cost: RequestCost, now_ns: int) -> None:
        """Take what a request costs that leaves."""
        self._ours.spend(cost.weight, now_ns)
        self._venues.spend(cost.weight, now_ns)
        for rate in self._rates_of(cost.stage):
            rate.count(now_ns)

    def note_used(self, used: int, now_ns: int) -> None:
        """The venue says how much was used within its minute, by all who share its limit."""
        self._venues.note_used(used, now_ns)

    def slow_down(self, until_ns: int) -> None:
        """The venue wants nothing before `until_ns`."""
        self._slow_until_ns = max(self._slow_until_ns, until_ns)

    def slow_until_ns(self, now_ns: int) -> int | None:
        """Until when the venue wants nothing; None where it does not say so."""
        return self._slow_until_ns if now_ns < self._slow_until_ns else None

    def _rates_of(self, stage: Stage) -> tuple["_RateCount", ...]:
        return tuple(each for each in self._rates if each.rate.stage is stage)


class _Allowance:
    """A weight that may be spent in a minute; it fills up evenly."""

    def __init__(self, per_minute: int, now_ns: int) -> None:
        self._per_minute = per_minute
        self._left_ns = MINUTE_NS * per_minute
        self._at_ns = now_ns

    def left(self, now_ns: int) -> int:
        grown_ns = self._left_ns + max(0, now_ns - self._at_ns) * self._per_minute
        return min(grown_ns // MINUTE_NS, self._per_minute)

    def wait_ns(self, weight: int, kept_percent: int, now_ns: int) -> int:
        """How long until `weight` is there beside what is kept."""
        self._pass_to(now_ns)
        kept = self._per_minute * kept_percent // 100
        lacking_ns = (kept + weight) * MINUTE_NS - self._left_ns
        return 0 if lacking_ns <= 0 else -(-lacking_ns // self._per_minute)

    def spend(self, weight: int, now_ns: int) -> None:
        self._pass_to(now_ns)
        self._left_ns -= weight * MINUTE_NS

    def note_used(self, used: int, now_ns: int) -> None:
        """No more is left than where `used` of it is gone."""
        self._pass_to(now_ns)
        self._left_ns = min(self._left_ns, (self._per_minute - used) * MINUTE_NS)

    def _pass_to(self, now_ns: int) -> None:
        if now_ns > self._at_ns:
            grown_ns = self._left_ns + (now_ns - self._at_ns) * self._per_minute
            self._left_ns = min(grown_ns, MINUTE_NS * self._per_minute)
            self._at_ns = now_ns


class _RateCount:
    """When the last requests that a rate counts have left, as many as it allows."""

    def __init__(self, rate: Rate) -> None:
        self.rate = rate
        self._left_at_ns: deque[int] = deque(maxlen=rate.count)

    def wait_ns(self, kept_percent: int, now_ns: int) -> int:
        """How long until there is one beside what is kept; one at least is for every class."""
        may_be = max(1, self.rate.count - self.rate.count * kept_percent // 100)
        if len(self._left_at_ns) < may_be:
            return 0
        return max(0, self._left_at_ns[-may_be] + self.rate.period_ns - now_ns)

    def count(self, now_ns: int) -> None:
        self._left_at_ns.append(now_ns)
