"""The beat: it tells how late the loop is, and can begin again."""

import asyncio
import time

from pointsman.execution.ports import StorageStatus
from pointsman.reading.vitals import Vitals
from pointsman.service.loop_lag import LoopLag


def body() -> Vitals:
    return Vitals(lambda: 0, lambda: 0, StorageStatus, lambda: None)


async def test_a_loop_that_is_held_up_is_told_as_late() -> None:
    vitals = body()
    beat = LoopLag(vitals, lambda _name, _fault: None)
    beat.start()
    await asyncio.sleep(0.01)
    time.sleep(0.5)  # noqa: ASYNC251 - that is what is told
    assert vitals.lag_seconds > 0.3
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert vitals.lag_seconds > 0.3, "at its last beat"
    beat.stop()


async def test_a_fault_is_told_and_it_can_begin_again() -> None:
    vitals, told, beaten = body(), list[tuple[str, str]](), asyncio.Event()

    class Faulty(Vitals):
        def beat(self, late_seconds: float) -> None:
            if not told:
                raise LookupError("no such thing")
            super().beat(late_seconds)
            beaten.set()

    vitals.__class__ = Faulty
    ended = asyncio.Event()

    def blame(name: str, fault: str) -> None:
        told.append((name, fault))
        ended.set()

    beat = LoopLag(vitals, blame)
    beat.start()
    await asyncio.wait_for(ended.wait(), 30)
    assert (told, beat.is_alive) == ([("beat", "LookupError: no such thing")], False)
    beat.start_again()
    await asyncio.wait_for(beaten.wait(), 30)
    assert beat.is_alive
    beat.stop()
