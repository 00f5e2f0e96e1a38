"""Engines that take a lease from each other, on virtual time: the real code, in a bad world.

Each engine has a clock of its own, minutes away from the others and some percent faster or slower.
It stands still for any time at any point where it waits; requests and answers are late, by any
time, or lost; engines are killed and come back. What is recorded is who sent when, by true time.
"""

import asyncio
import random
import selectors
from collections.abc import Coroutine
from contextvars import ContextVar
from typing import Any, TypeVar

from pointsman.cluster.bucket import Changed
from pointsman.cluster.lease import LeaseRecord, SeenLease, Tenure
from pointsman.cluster.ownership import Ownership, Taking

T = TypeVar("T")
LENGTH_NS = 2_000_000_000
ENGINES = 3
DRIFT_MAX = 0.04
OFFSET_SECONDS_MAX = 300.0

STANDS_STILL: ContextVar[random.Random | None] = ContextVar("STANDS_STILL", default=None)


class Leaping(selectors.DefaultSelector):
    """Does not wait until the next timer: it is that time at once."""

    def __init__(self, loop: "VirtualLoop") -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> Any:
        self._loop.now += timeout or 0.0
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """An asyncio loop whose time goes from one timer to the next. A timer of an engine may go off
    late, by any time: the engine stood still."""

    def __init__(self) -> None:
        super().__init__(Leaping(self))
        self.now = 0.0

    def time(self) -> float:
        return self.now

    def call_at(  # type: ignore[override]
        self, when: float, callback: Any, *args: Any, context: Any = None
    ) -> Any:
        if (chance := STANDS_STILL.get()) is not None:
            when += pause(chance)
        return super().call_at(when, callback, *args, context=context)


def pause(chance: random.Random) -> float:
    """Mostly none, sometimes some seconds, now and then a minute."""
    kind = chance.random()
    if kind < 0.97:
        return 0.0
    return chance.uniform(0, 5) if kind < 0.995 else chance.uniform(0, 60)


class World:
    """One lease in one store, engines around it, and what they sent."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.loop = VirtualLoop()
        self.sent: list[tuple[float, int]] = []
        self.owners = 0
        self._lease: SeenLease | None = None
        self._revisions = 0

    def run(self, seconds: float) -> None:
        """Let the engines live for so long."""
        asyncio.set_event_loop(self.loop)
        try:
            lives = [self.loop.create_task(self._engine(number)) for number in range(ENGINES)]
            self.loop.run_until_complete(asyncio.sleep(seconds))
            assert not any(life.done() for life in lives)
            left = asyncio.all_tasks(self.loop)
            for task in left:
                task.cancel()
            self.loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        finally:
            asyncio.set_event_loop(None)
            self.loop.close()

    # -- the store, as one engine reaches it -------------------------------------------------------

    async def read(self) -> SeenLease | None:
        await self._travel()
        found = self._lease
        await self._travel()
        return found

    async def write(self, record: LeaseRecord, revision: int) -> int:
        await self._travel()
        # It arrives although the asker may have given up.
        there = 0 if self._lease is None else self._lease.revision
        if there == revision:
            self._revisions += 1
            self._lease = SeenLease(record, self._revisions)
        written = self._revisions
        await self._travel()
        if there != revision:
            raise Changed
        return written

    async def _travel(self) -> None:
        """In a task of its own, which stands still with no engine."""
        STANDS_STILL.set(None)
        kind = self.chance.random()
        if kind < 0.03:
            raise TimeoutError
        late = self.chance.uniform(0, 30) if kind > 0.98 else self.chance.uniform(0, 0.05)
        await asyncio.sleep(late)

    # -- an engine ---------------------------------------------------------------------------------

    async def _engine(self, number: int) -> None:
        STANDS_STILL.set(self.chance)
        rate = 1 + self.chance.uniform(-DRIFT_MAX, DRIFT_MAX)
        offset = self.chance.uniform(-OFFSET_SECONDS_MAX, OFFSET_SECONDS_MAX)

        def now_ns() -> int:
            return int((self.loop.time() * rate + offset + OFFSET_SECONDS_MAX) * 1e9)

        lives = 0
        while True:
            lives += 1
            await self._live(f"{number}-{lives}", now_ns)
            await asyncio.sleep(self.chance.uniform(0, 3))

    async def _live(self, token: str, now_ns: Any) -> None:
        store: Any = Reached(self)
        wanted = LeaseRecord(desk="main", holder=token, token=token, epoch=0, length_ns=LENGTH_NS)
        taking = Taking(store, wanted, now_ns)
        tenure: Tenure | None = None
        while tenure is None:
            await asyncio.sleep(0.1)
            try:
                tenure = await taking.take(0)
            except TimeoutError:
                continue
        self.owners += 1
        ownership = Ownership(store, tenure, now_ns)
        keeping = asyncio.ensure_future(ownership.keep())
        sending = asyncio.ensure_future(self._send(ownership))
        try:
            await asyncio.wait((keeping,), timeout=self.chance.uniform(1, 30))
            if self.chance.random() < 0.3:
                await ownership.release()
        finally:
            keeping.cancel()
            sending.cancel()

    async def _send(self, ownership: Ownership) -> None:
        while True:
            if ownership.may_send():
                self.sent.append((self.loop.time(), ownership.tenure.record.epoch))
            await asyncio.sleep(self.chance.uniform(0.01, 0.2))


class Reached:
    """The store over a network: a request that was sent arrives, also when its sender has given
    up, is killed or stands still."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def read(self) -> SeenLease | None:
        return await arriving(self._world.read())

    async def write(self, record: LeaseRecord, revision: int) -> int:
        return await arriving(self._world.write(record, revision))


async def arriving(work: Coroutine[Any, Any, T]) -> T:
    asked = asyncio.ensure_future(work)
    asked.add_done_callback(lambda done: done.cancelled() or done.exception())
    return await asyncio.shield(asked)


def refuted(sent: list[tuple[float, int]]) -> tuple[float, int] | None:
    """The first time that an engine sent although a later owner had sent before."""
    newest = 0
    for at, epoch in sent:
        if epoch < newest:
            return at, epoch
        newest = epoch
    return None
