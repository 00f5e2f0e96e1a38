"""A paced run: the engine on a clock that runs by itself, steered, watched and logged.

A simulated or recorded tape, or quotes and signals that arrive on standard input, drive one loop.
Beside it, on threads of their own: the control server, the picture, the watch on the kill latch,
and the log. On a terminal the dashboard runs as a child process, and its end is the end of the run.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path

import msgspec

from pointsman.cli.arrivals import Arrivals
from pointsman.cli.clean_stop import Stop
from pointsman.cli.compose import Assembly, assemble, trading_hours
from pointsman.cli.control_server import ControlServer
from pointsman.cli.feeds import SECOND_NS, Feed
from pointsman.cli.log_lines import Log
from pointsman.cli.recorded_run import begin
from pointsman.config.fields import LogLevel
from pointsman.config.settings import Settings
from pointsman.domain.accounts import KillState
from pointsman.domain.commands import Step
from pointsman.domain.events import Event, Started
from pointsman.engine.controls import Controls
from pointsman.engine.latch import KillLatch, latch_path
from pointsman.engine.latch_watch import LatchWatch, read_kill_file
from pointsman.engine.live_loop import Clock, LiveLoop
from pointsman.engine.picture import Picture
from pointsman.engine.publisher import Publisher
from pointsman.engine.steering import Steering
from pointsman.reading.board import Board, facts
from pointsman.reading.stored_picture import stored_counts, stored_records
from pointsman.reading.vitals import LAG_EVERY_SECONDS, Vitals
from pointsman.storage.reader import open_reader

NIGHT_NS = 60 * SECOND_NS
"""A simulated market that is silent for longer than this has closed: the clock goes on to its next
opening (RULES 6)."""
_SETTLE_NS = 5 * SECOND_NS
_BEFORE_OPENING_NS = 2 * SECOND_NS


class Plan(msgspec.Struct, frozen=True):
    """What to run, and how."""

    feed: Feed
    database: Path
    speed: int
    duration_ns: int | None


async def run_paced(
    plan: Plan,
    settings: Settings,
    stop: Stop,
    log: Callable[[Callable[[], int]], Log],
    started: Callable[[], None],
    arrivals: Arrivals | None,
) -> None:
    """Run until the feed or the duration ends, or a stop is asked for. `log` is made with event
    time; `started` is called when the engine can be asked.

    Raises what opening the database and the ledger can raise, and OSError where the latch or the
    socket cannot be made.
    """
    wakers: list[Callable[[], None]] = []

    def wake() -> None:
        for each in wakers:
            each()

    with ExitStack() as opened:
        assembly = assemble(settings, plan.database, plan.feed.identity, wait=None, notify=wake)
        opened.callback(assembly.close)
        if assembly.has_ended and not plan.feed.is_lasting:
            return
        session = _Session(plan, settings, assembly, wake, log)
        opened.callback(session.close)
        wakers.append(session.live.wake_soon)
        stop.hooks.append(session.live.wake_soon)
        await session.run(stop, started, arrivals)


class _Session:
    """One run, opened: the loop, and all that stands around it."""

    def __init__(
        self,
        plan: Plan,
        settings: Settings,
        assembly: Assembly,
        wake: Callable[[], None],
        log: Callable[[Callable[[], int]], Log],
    ) -> None:
        self._plan = plan
        self._loop = loop = assembly.loop
        self._assembly = assembly
        self._is_failing = False
        self._closing = ExitStack()
        self._latch = latch = KillLatch(latch_path(plan.database))
        self._closing.callback(latch.close)
        latch.listen(lambda is_set: setattr(loop, "is_killed_outside", is_set))
        self._publisher = Publisher()
        hours = trading_hours(settings)
        self._steering = Steering(
            loop, latch, lambda va_id, now_ns: hours(va_id).day_start_ns(now_ns), wake
        )
        self._log = log(lambda: loop.now_ns)
        loop.on_turn = self._on_turn
        picture = _picture_of(assembly, plan.database, settings)
        self._begun = begin(plan.feed, assembly, plan.duration_ns)
        self._clock = Clock(self._begun.start_ns, plan.speed)
        self.live = LiveLoop(
            loop, self._begun.playback, self._clock, is_virtual=not plan.feed.is_open
        )
        self._vitals = Vitals(
            self._clock.now_ns,
            lambda: assembly.manager.commit_ns,
            lambda: assembly.recorder.standing,
            lambda: self._steering.compared_ns,
        )
        speed = str(plan.speed)
        known = facts(str(plan.database), "engine", speed, plan.feed.name, settings)
        board = Board(
            picture, self._publisher, latch, self._clock.now_ns, self._vitals.health, known
        )
        kill_file = settings.kill_switch_file
        self._watch = LatchWatch(
            latch, kill_file, lambda: loop.desk.books.kill_switch, self._clock.now_ns, wake
        )
        controls = Controls(
            self._steering, latch, self._clock.now_ns, wake, lambda: _why_killed(kill_file)
        )
        self._server = ControlServer(plan.database, controls, board)

    def close(self) -> None:
        """Let go of the latch."""
        self._closing.close()

    async def run(self, stop: Stop, started: Callable[[], None], arrivals: Arrivals | None) -> None:
        """Drive until the end."""
        # Before the watch: it would latch what the stored kill switch says, over the person's word.
        self._steering.rearm_at_start()
        self._watch.start()
        self._steering.work()
        self._server.start()
        started()
        if arrivals is not None:
            arrivals.start(self.live.wake_soon)
        beating = asyncio.create_task(self._beat())
        loop, last_ns = self._loop, self._begun.last_ns

        def on_step(now_ns: int) -> None:
            self._steering.work()
            if arrivals is not None:
                arrivals.work(loop, self.live, stop)
            self._vitals.note(loop.quotes_seen, now_ns)
            self._say_storage()
            if self._plan.feed.is_lasting:
                self._skip_night(now_ns)
            if stop.is_asked or (last_ns is not None and now_ns >= last_ns):
                self.live.stop()

        try:
            await self.live.run(on_step)
            if self._plan.feed.is_lasting or not stop.is_asked:
                self._begun.playback.end()
        except BaseException as fault:
            self._log.say((LogLevel.ERROR, f"stopped by a fault: {fault!r}", {}))
            raise
        finally:
            beating.cancel()
            self._server.stop()
            self._watch.stop()
        self._log.say((LogLevel.INFO, "stopped", {"database": str(self._plan.database)}))

    def _on_turn(self, event: Event, step: Step) -> None:
        self._steering.note(event)
        if isinstance(event, Started):
            self._say_start()
        if step.changes:
            self._publisher.put(step.changes)
        self._log.turn(event, step)

    async def _beat(self) -> None:
        while True:
            expected = time.monotonic() + LAG_EVERY_SECONDS
            await asyncio.sleep(LAG_EVERY_SECONDS)
            self._vitals.beat(time.monotonic() - expected)

    def _skip_night(self, now_ns: int) -> None:
        """After the close of a simulated market comes the next opening, at once."""
        next_ns = self._begun.tape.next_quote_ns()
        if next_ns is None or self._vitals.quote_ns is None:
            return
        is_settled = now_ns >= self._vitals.quote_ns + _SETTLE_NS
        if is_settled and next_ns > now_ns + NIGHT_NS:
            self._clock.skip_to(next_ns - _BEFORE_OPENING_NS)
            self._loop.advance(next_ns - _BEFORE_OPENING_NS)
            self._log.say((LogLevel.INFO, "the market has closed; on to its next opening", {}))

    def _say_storage(self) -> None:
        """Say once that storage has begun to fail, and once that it works again."""
        failure = self._assembly.recorder.standing.failure
        if (failure is not None) is self._is_failing:
            return
        self._is_failing = failure is not None
        if failure is None:
            self._log.say((LogLevel.WARNING, "storage works again", {}))
        else:
            self._log.say((LogLevel.ERROR, f"storage fails: {failure.cause}", {}))

    def _say_start(self) -> None:
        books = self._loop.desk.books
        state = books.kill_switch.trading_state.value
        given = {
            "market": self._plan.feed.name,
            "speed": self._plan.speed,
            "database": str(self._plan.database),
            "accounts": len(books.accounts),
            "positions": len(books.positions),
            "state": state,
        }
        self._log.say((LogLevel.INFO, "started", given))
        latched = self._latch.latched
        if latched.state is not KillState.OFF:
            why = {"by": latched.by, "reason": latched.note}
            self._log.say((LogLevel.WARNING, f"the kill latch is set: {latched.state.value}", why))


def _picture_of(assembly: Assembly, database: Path, settings: Settings) -> Picture:
    """The picture that the stored records give; what changes from now on is published."""
    picture = Picture(
        assembly.loop.view.quotes.last_valid, int(settings.protection_deadline_seconds * SECOND_NS)
    )
    with closing(open_reader(database)) as connection:
        picture.load(stored_records(connection), stored_counts(connection))
    return picture


def _why_killed(kill_file: Path | None) -> str:
    if read_kill_file(kill_file) is None:
        return ""
    return f"KILL_SWITCH_FILE {kill_file} exists; remove it first, then rearm"
