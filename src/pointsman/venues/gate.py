"""Requests wait here until the budget lets them go, the most important class first.

One that waits for the weight of requests is waited for by all behind it; one that waits only for
the rate of its own stage, by those of that stage: a question does not wait for the next order.
"""

import asyncio
import heapq
from collections.abc import Callable, Iterable
from itertools import count
from typing import NamedTuple

from pointsman.venues.budget import Budget, RequestClass, RequestCost
from pointsman.venues.errors import VenueRefused
from pointsman.venues.outcome import Stage


class GateClosed(Exception):
    """Nothing leaves any more; who waited has not left."""


class _Waiting(NamedTuple):
    """Who waits, in the order in which they may leave."""

    request_class: RequestClass
    number: int
    cost: RequestCost
    waiter: asyncio.Future[None]


class RequestGate:
    """Belongs to one asyncio loop. `now_ns` gives the time that the budget is counted in; `fail`
    takes a fault of ours."""

    def __init__(
        self, budget: Budget, now_ns: Callable[[], int], fail: Callable[[BaseException], None]
    ) -> None:
        self.budget = budget
        self._now_ns = now_ns
        self._fail = fail
        self._waiting: dict[Stage, list[_Waiting]] = {stage: [] for stage in Stage}
        """A heap for each stage: who may leave first is at its top."""
        self._numbers = count()
        self._timer: asyncio.TimerHandle | None = None
        self._is_closed = False

    def is_open(self, cost: RequestCost) -> bool:
        """Whether a request could leave now, without waiting."""
        now_ns = self._now_ns()
        is_before = any(
            first.cost.stage is cost.stage or self.budget.weight_wait_ns(first.cost, now_ns)
            for first in self._firsts(Stage)
        )
        return not (self._is_closed or is_before or self.budget.wait_ns(cost, now_ns))

    async def enter(self, cost: RequestCost) -> None:
        """Wait until the request may leave, and spend what it costs. Raises GateClosed, and
        VenueRefused where it never could."""
        if self._is_closed:
            raise GateClosed
        if (least := self.budget.least_for(cost)) is not None:
            share = f"VENUE_REQUESTS_PER_MINUTE={self.budget.per_minute}"
            told = f"a single request weighs {cost.weight}, beside what is kept for exits"
            raise VenueRefused(f"{share} is too little: {told}; set {least} or more")
        if self.is_open(cost):
            self.budget.spend(cost, self._now_ns())
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting = _Waiting(cost.request_class, next(self._numbers), cost, waiter)
        heapq.heappush(self._waiting[cost.stage], waiting)
        self._let_go()
        await waiter

    def close(self) -> None:
        """Let nothing leave any more: who waits, and who comes, hears GateClosed."""
        self._is_closed = True
        for queue in self._waiting.values():
            for each in queue:
                if not each.waiter.done():
                    each.waiter.set_exception(GateClosed())
            queue.clear()

    def _firsts(self, stages: Iterable[Stage]) -> list[_Waiting]:
        """Who may leave first of each of these stages, in order."""
        queues = [self._waiting[stage] for stage in stages]
        for queue in queues:
            while queue and queue[0].waiter.done():
                heapq.heappop(queue)
        return sorted(queue[0] for queue in queues if queue)

    def _let_go(self) -> None:
        """Let everybody go who may, in order, and look again when the next one may."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        now_ns, waits_ns, stages = self._now_ns(), list[int](), set(Stage)
        while firsts := self._firsts(stages):
            first = firsts[0]
            if (wait_ns := self.budget.wait_ns(first.cost, now_ns)) == 0:
                self.budget.spend(first.cost, now_ns)
                first.waiter.set_result(None)
                continue
            waits_ns.append(wait_ns)
            if self.budget.weight_wait_ns(first.cost, now_ns):
                break
            stages.remove(first.cost.stage)
        if waits_ns:
            seconds = min(waits_ns) / 1e9  # not money: seconds
            self._timer = asyncio.get_running_loop().call_later(seconds, self._look_again)

    def _look_again(self) -> None:
        try:
            self._let_go()
        except Exception as error:  # noqa: BLE001 - raised again on the engine's thread
            self._fail(error)
