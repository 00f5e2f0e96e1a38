"""The person at the desk of a simulated engine: looks now and then, resumes what is frozen, kills
at some time of some days, and rearms afterwards on most of them.

The kill is pressed on the real latch: on that of the running engine, or on the file alone while the
engine is down, as `pointsman kill` does it.
"""

from contextlib import closing
from pathlib import Path
from random import Random

from pointsman.domain.accounts import KillState
from pointsman.domain.commands import Step
from pointsman.domain.events import Rearmed, Resumed
from pointsman.domain.timestamps import SECOND_NS
from pointsman.engine.assembly import Assembly
from pointsman.engine.kill_latch import KillLatch, LatchState, latch_path
from pointsman.execution.outbox import StorageHeld

LOOK_NS = 20 * SECOND_NS
"""So often the person looks."""
KILLED_NS = 60 * SECOND_NS
"""So long a kill lasts before it is released."""


class Person:
    """Acts from `begins_ns` on, and kills within `lasting_ns` of it or not at all."""

    def __init__(self, random: Random, begins_ns: int, lasting_ns: int) -> None:
        self.next_look_ns = begins_ns + LOOK_NS
        self._random = random
        share = random.random()
        self._kill_ns = None if share > 0.3 else begins_ns + int(lasting_ns * share * 3)
        self._rearms = random.randrange(3) > 0

    def is_tempted(self, engine: Assembly, now_ns: int) -> bool:
        """Whether a kill is due because an entry works."""
        works = bool(engine.loop.desk.books.entries_by_symbol)
        return works and self._is_kill_due(engine, now_ns)

    def _is_kill_due(self, engine: Assembly, now_ns: int) -> bool:
        """Some kill at a look, and some as soon as an entry works."""
        if self._kill_ns is None or now_ns < self._kill_ns:
            return False
        return self._kill_ns % 2 == 0 or bool(engine.loop.desk.books.entries_by_symbol)

    def look(self, engine: Assembly, now_ns: int) -> None:
        """Look at what is frozen, and at the kill switch."""
        self.next_look_ns += LOOK_NS
        loop, books = engine.loop, engine.loop.desk.books
        if not loop.is_ready or loop.is_held:
            return
        for va_id in list(books.frozen):
            since_ns = books.accounts[va_id].frozen_at_ns or 0
            if (books.desk.compared_at_ns or 0) > since_ns:
                loop.turn(Resumed(va_id, "operator", "compared"))
            else:
                loop.compare_soon()
        switch = books.kill_switch
        if switch.state is not KillState.OFF:
            if self._rearms and now_ns > switch.changed_at_ns + KILLED_NS:
                _rearm(engine, now_ns)
        elif self._is_kill_due(engine, now_ns):
            engine.latch.press(self._kill(now_ns))

    def kill_without_engine(self, database: Path, now_ns: int) -> bool:
        """Press the latch file for the next start to see, if a kill is due; gives whether it
        was."""
        if self._kill_ns is None or now_ns < self._kill_ns:
            return False
        with closing(KillLatch(latch_path(database))) as latch:
            latch.press(self._kill(now_ns))
        return True

    def _kill(self, now_ns: int) -> LatchState:
        self._kill_ns = None
        state = KillState.FLATTEN if self._random.randrange(2) else KillState.HALT
        return LatchState(state, "operator", "a bad feeling", now_ns)


def _rearm(engine: Assembly, now_ns: int) -> None:
    """The latch opens once the release is durable, unless it was pressed meanwhile."""
    cleared = LatchState(KillState.OFF, "operator", "looked at it", now_ns)
    press = engine.latch.last_press.number
    engine.loop.turn(Rearmed(cleared.by, cleared.note))

    def release(step: Step | StorageHeld) -> None:
        if isinstance(step, Step):
            engine.latch.release(cleared, press)

    engine.loop.when_durable(release)
