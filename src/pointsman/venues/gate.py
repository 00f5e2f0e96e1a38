"""Requests wait here until the budget lets them go, the most important class first."""

import asyncio
import heapq
from collections.abc import Callable
from itertools import count

from pointsman.venues.budget import Budget, RequestClass

Waiting = tuple[RequestClass, int, int, asyncio.Future[None]]
"""Class, number of arrival, weight, and who waits."""


class RequestGate:
    """Belongs to one asyncio loop. `now_ns` gives the time that the budget is counted in."""

    def __init__(self, budget: Budget, now_ns: Callable[[], int]) -> None:
        self.budget = budget
        self._now_ns = now_ns
        self._waiting: list[Waiting] = []
        self._numbers = count()
        self._timer: asyncio.TimerHandle | None = None

    def is_open(self, request_class: RequestClass, weight: int = 1) -> bool:
        """Whether a request could leave now, without waiting."""
        return not self._waiting and not self.budget.wait_ns(request_class, weight, self._now_ns())

    async def enter(self, request_class: RequestClass, weight: int = 1) -> None:
        """Wait until the request may leave, and spend its weight."""
        if self.is_open(request_class, weight):
            self.budget.spend(weight, self._now_ns())
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (request_class, next(self._numbers), weight, waiter))
        self._let_go()
        await waiter

    def _let_go(self) -> None:
        """Let everybody go who may, in order, and look again when the next one may."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._waiting:
            request_class, _, weight, waiter = self._waiting[0]
            if waiter.done():
                heapq.heappop(self._waiting)
                continue
            wait_ns = self.budget.wait_ns(request_class, weight, self._now_ns())
            if wait_ns > 0:
                seconds = wait_ns / 1e9  # not money: seconds
                self._timer = asyncio.get_running_loop().call_later(seconds, self._let_go)
                return
            heapq.heappop(self._waiting)
            self.budget.spend(weight, self._now_ns())
            waiter.set_result(None)
