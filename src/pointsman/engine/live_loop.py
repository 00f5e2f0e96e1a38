"""The live driver: the loop on a clock that runs by itself, beside other tasks of one asyncio loop.

Time is integer nanoseconds from a start plus monotonic time since, times the speed: a stepped wall
clock moves nothing (RULES 1). Whatever arrives wakes the driver; otherwise it sleeps until the next
thing is due.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from pointsman.domain.commands import Step
from pointsman.domain.market import Quote
from pointsman.domain.signals import Decision, Signal
from pointsman.engine.execution_loop import ExecutionLoop

SLEEP_MAX_NS = 10**9


class Clock:
    """Event time: `start_ns` and then `speed` times as fast as the monotonic clock."""

    def __init__(self, start_ns: int, speed: int = 1) -> None:
        self._start_ns = start_ns
        self._speed = speed
        self._began_ns = time.monotonic_ns()

    def now_ns(self) -> int:
        return self._start_ns + (time.monotonic_ns() - self._began_ns) * self._speed

    def wait_seconds(self, until_ns: int) -> float:
        """How long to sleep until event time has come as far; zero or less when it has."""
        left_ns = min(until_ns - self.now_ns(), SLEEP_MAX_NS * self._speed)
        return left_ns / self._speed / 1e9  # not money: seconds


class Source(Protocol):
    """What drives the loop besides itself: a tape, or nothing."""

    def next_ns(self) -> int | None:
        """When the next instant is; None at the end."""

    def step(self, now_ns: int) -> None:
        """Do all that is due at `now_ns`."""


class LiveLoop:
    """Runs an ExecutionLoop on a clock. All methods belong to the asyncio loop's thread, but for
    `wake_soon`."""

    def __init__(self, loop: ExecutionLoop, source: Source, clock: Clock) -> None:
        self._loop = loop
        self._source = source
        self._clock = clock
        self._woken = asyncio.Event()
        self._ready = asyncio.Event()
        self._asyncio = asyncio.get_running_loop()
        self._is_stopping = False

    def wake_soon(self) -> None:
        """Have the driver look again; from any thread."""
        with suppress(RuntimeError):  # the asyncio loop is closed already: nothing is left to wake
            self._asyncio.call_soon_threadsafe(self._woken.set)

    def stop(self) -> None:
        """Come to an end after the present instant: nothing new is sent."""
        self._is_stopping = True
        self._woken.set()

    async def run(self, on_step: Callable[[int], None]) -> None:
        """Drive until the source ends or `stop`. `on_step` is told the time after each instant."""
        while not self._is_stopping and (due_ns := self._source.next_ns()) is not None:
            seconds = self._clock.wait_seconds(due_ns)
            if seconds > 0:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._woken.wait(), seconds)
            else:
                await asyncio.sleep(0)
            self._woken.clear()
            now_ns = self._clock.now_ns()
            # What is due is done at its own time, also when the clock has gone on since.
            self._source.step(due_ns if due_ns <= now_ns else max(now_ns, self._loop.now_ns))
            if self._loop.is_ready:
                self._ready.set()
            on_step(self._loop.now_ns)
        while not self._loop.is_idle:
            await asyncio.sleep(0.001)  # not money: seconds
            self._loop.release()

    async def submit(self, signal: Signal) -> Decision:
        """Decide a signal now; returns once the decision is durable. Waits for the first comparison
        with the venue. Raises StorageHeld."""
        await self._ready.wait()
        decided: asyncio.Future[Step] = self._asyncio.create_future()

        def answer(step: Step) -> None:
            if not decided.done():
                decided.set_result(step)

        self._loop.advance(self._clock.now_ns())
        self._loop.signal(signal, answer)
        self._loop.release()
        self._woken.set()
        step = await decided
        assert step.decision is not None, "a signal always gets its decision"
        return step.decision

    def feed(self, quote: Quote) -> None:
        """Take in a row of market data, now."""
        self._loop.on_quote(quote, self._clock.now_ns())
        self._woken.set()


class NoTape:
    """A source for a loop that is fed from outside: only what the loop itself has due."""

    def __init__(self, loop: ExecutionLoop) -> None:
        self._loop = loop

    def next_ns(self) -> int | None:
        due_ns = self._loop.next_due_ns()
        return self._loop.now_ns + SLEEP_MAX_NS if due_ns is None else due_ns

    def step(self, now_ns: int) -> None:
        self._loop.instant(now_ns)
        self._loop.release()
