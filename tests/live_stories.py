"""Stories under the live driver, on a clock that is moved by hand."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pointsman.engine.live_loop import Clock, LiveLoop, NoSource
from tests.engine_stories import Story, begin


class HandClock(Clock):
    """Goes on only when it is moved; whoever waits for it waits to be woken."""

    def __init__(self, start_ns: int) -> None:
        super().__init__(start_ns)
        self.at_ns = start_ns

    def now_ns(self) -> int:
        return self.at_ns

    def wait_seconds(self, until_ns: int) -> float:
        return 60.0 if until_ns > self.at_ns else 0.0


class Live:
    """A story under a live driver on a clock that is moved by hand."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.clock = HandClock(story.loop.now_ns)
        self.live = LiveLoop(story.loop, NoSource(story.loop), self.clock)
        self.running = asyncio.create_task(self.live.run(lambda _now_ns: None))

    async def rest(self) -> None:
        """Let all tasks run until they wait."""
        for _ in range(20):
            await asyncio.sleep(0)

    async def move(self, after_ns: int = 0) -> None:
        """Move the clock, and let the driver see it."""
        self.clock.at_ns += after_ns
        self.live.wake_soon()
        await self.rest()


@asynccontextmanager
async def running(story: Story | None = None) -> AsyncIterator[Live]:
    live = Live(story or begin())
    try:
        await live.rest()
        yield live
    finally:
        live.live.stop()
        await asyncio.wait((live.running,))
