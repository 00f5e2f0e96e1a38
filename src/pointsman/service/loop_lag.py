"""The beat: a task of the loop that tells the vitals ten times a second how late it was called.

A loop that is stuck cannot beat, and that is how it shows.
"""

import asyncio
import time
from collections.abc import Callable

from pointsman.reading.vitals import LAG_EVERY_SECONDS, Vitals

NAME = "beat"


class LoopLag:
    """The beat of the asyncio loop on which it is made. `blame` is called with a fault that has
    ended it."""

    def __init__(self, vitals: Vitals, blame: Callable[[str, str], None]) -> None:
        self._vitals = vitals
        self._blame = blame
        self._asyncio = asyncio.get_running_loop()
        self._task: asyncio.Task[None] | None = None

    @property
    def is_alive(self) -> bool:
        """Whether it beats; from any thread."""
        return self._task is not None and not self._task.done()

    def start(self) -> None:
        """Begin. Belongs to the loop's thread."""
        self._task = asyncio.create_task(self._run(), name=NAME)
        self._task.add_done_callback(self._ended)

    def start_again(self) -> None:
        """Begin again after a fault; from any thread."""
        self._asyncio.call_soon_threadsafe(self.start)

    def stop(self) -> None:
        """End."""
        if self._task is not None:
            self._task.cancel()

    def _ended(self, task: asyncio.Task[None]) -> None:
        fault = None if task.cancelled() else task.exception()
        if fault is not None:
            self._blame(NAME, f"{type(fault).__name__}: {fault}")

    async def _run(self) -> None:
        while True:
            expected = time.monotonic() + LAG_EVERY_SECONDS
            await asyncio.sleep(LAG_EVERY_SECONDS)
            self._vitals.beat(time.monotonic() - expected)
