"""A paced run: the engine on a running clock, with requests, supervision and a log.

A simulated or recorded tape, or quotes and signals that arrive on standard input, drive one loop.
Beside it, on threads of their own, stand its parts: HTTP, the control server, the picture, the
watch on the kill latch, kill signals and the log; supervision looks at all of them. On a terminal
the dashboard runs as a child process, and its end is the end of the run.
"""

import queue
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from itertools import chain
from pathlib import Path

import msgspec

from pointsman.api.meters import Meters
from pointsman.api.ports import EnginePort
from pointsman.api.server import build_app, url_of
from pointsman.config.fields import LogLevel
from pointsman.config.settings import Settings
from pointsman.config.tokens import who_needs_a_token, with_tokens
from pointsman.domain.accounts import KillState, VenueAccount
from pointsman.domain.commands import Step
from pointsman.domain.events import Event, TaskDied
from pointsman.domain.timestamps import SECOND_NS
from pointsman.engine import gc_tuning
from pointsman.engine.assembly import Assembly, assemble
from pointsman.engine.controls import Controls
from pointsman.engine.joining import Join, health_of, watched
from pointsman.engine.latch_watch import why_killed
from pointsman.engine.live_feed import begin_live, said_at_start
from pointsman.engine.live_loop import Clock, LiveLoop
from pointsman.engine.live_view import LiveView, facts
from pointsman.engine.publisher import Publisher
from pointsman.engine.recorder import ThreadedRecorder
from pointsman.engine.requests import Kill
from pointsman.engine.snapshot import EngineSnapshot
from pointsman.engine.supervision import LOOK_SECONDS, Part, PartDied, Supervisor
from pointsman.engine.ticker import Ticker
from pointsman.execution.last_check import Hold
from pointsman.execution.ports import StorageStatus
from pointsman.reading.comparisons import Comparisons
from pointsman.reading.stored_picture import picture_to_follow
from pointsman.reading.vitals import Vitals
from pointsman.service.arrivals import Intake
from pointsman.service.clean_stop import Stop
from pointsman.service.desk_requests import answer_the_fleet
from pointsman.service.feeds import Feed
from pointsman.service.log import Log
from pointsman.service.loop_lag import NAME as LOOP_LAG
from pointsman.service.loop_lag import LoopLag
from pointsman.service.notifications import THREAD_NAME, Kind, Notifications, sender_to
from pointsman.service.readiness import Readiness
from pointsman.service.recorded_run import PreparedRun, open_run, prepare
from pointsman.service.shadow_days import ShadowDays
from pointsman.service.side_threads import Parts, take_port
from pointsman.service.start_notes import notes_on_tokens
from pointsman.service.storage_news import StorageNews
from pointsman.terminal.why import story_text

NIGHT_NS = 60 * SECOND_NS
"""A simulated market silent for longer has closed: the clock skips to its opening (RULES 6)."""
_SETTLE_NS = 5 * SECOND_NS
_BEFORE_OPENING_NS = 2 * SECOND_NS
_DEATHS_MAX = 100


class Plan(msgspec.Struct, frozen=True):
    """What to run, and how. `join` is set where the desk is owned already."""

    feed: Feed
    database: Path
    speed: int
    duration_ns: int | None
    join: Join | None = None


async def run_paced(
    plan: Plan,
    settings: Settings,
    stop: Stop,
    log: Callable[[Callable[[], int]], Log],
    started: Callable[[VenueAccount], None],
    arrivals: Intake | None,
    running: Sequence[Part],
) -> None:
    """Run until the feed or the duration ends, or a stop is asked for. `log` is made with event
    time; `started` is given the account once the engine can be asked; `running` are parts that run.

    Raises SettingsError where others than this machine would be served without a token, what
    opening the database and the ledger can raise, OSError where the latch, the socket or the port
    of HTTP cannot be had, and PartDied.
    """
    wakers: list[Callable[[], None]] = []

    def wake() -> None:
        for each in wakers:
            each()

    tokens = with_tokens(settings, plan.database)
    who = who_needs_a_token(settings)
    settings = tokens.settings
    with ExitStack() as opened:
        listener = opened.enter_context(take_port(settings, plan.database))
        assembly, begun = open_run(
            lambda is_rerun: assemble(
                settings, plan.database, plan.feed.identity,
                wait=None, notify=wake, is_rerun=is_rerun, join=plan.join,
            ),
            plan.feed, plan.duration_ns, stop,
        )  # fmt: skip
        opened.callback(assembly.close)
        if assembly.is_behind or (assembly.has_ended and not plan.feed.is_lasting):
            return
        for said in notes_on_tokens(who, tokens):
            log(time.time_ns).say(said)
        session = _Session(
            plan, settings, assembly, begun, wake, log, listener, stop, arrivals, running
        )
        wakers.append(session.live.wake_soon)
        stop.hooks.append(session.live.wake_soon)
        await session.run(started)


class _Session:
    """One run, opened: the loop, and all that stands around it."""

    def __init__(
        self,
        plan: Plan,
        settings: Settings,
        assembly: Assembly,
        begun: PreparedRun | None,
        wake: Callable[[], None],
        log: Callable[[Callable[[], int]], Log],
        listener: socket.socket,
        stop: Stop,
        arrivals: Intake | None,
        running: Sequence[Part],
    ) -> None:
        self._plan = plan
        self._loop = loop = assembly.loop
        self._assembly = assembly
        self._stop = stop
        self._arrivals = arrivals
        self._died: queue.Queue[TaskDied] = queue.Queue(_DEATHS_MAX)
        sender = sender_to(settings.notify_urls)
        self._notices = Notifications(str(plan.database), sender, self._warn)
        self._meters = Meters(settings.venue_shown, time.time)
        assembly.manager.on_commit = self._meters.committed
        self._publisher = Publisher()
        self._comparisons = Comparisons()
        self._requests = assembly.request_handler
        self._log = log(lambda: loop.now_ns)
        self._storage_news = StorageNews(self._log.say, self._notices.say)
        self._days = ShadowDays(settings, time.time_ns(), self._log, self._notices)
        loop.on_turn = self._on_turn
        # Before the first turn: what changes from then on is published.
        picture = picture_to_follow(plan.database, settings, loop)
        self._begun = begun or prepare(plan.feed, assembly, plan.duration_ns)
        self._clock = Clock(max(self._begun.start_ns, loop.now_ns), plan.speed)
        self.live = LiveLoop(
            loop, self._begun.playback, self._clock, is_virtual=not plan.feed.is_open
        )
        self._rows = begin_live(assembly, self._clock) if plan.feed.is_open else None
        self._measure(settings)
        self._url = url_of(listener)
        self._parts = self._around(settings, picture, wake, listener)
        self._beat = LoopLag(self._vitals, lambda *fault: self._supervisor.blame(*fault))
        self._supervisor = self._supervise(running)
        self._begin()

    def _begin(self) -> None:
        """Start the loop, last of all: a position without a stop waits for the driver from here."""
        is_open = self._plan.feed.is_open
        start_ns = self._clock.now_ns() if is_open else self._begun.start_ns
        for told in said_at_start(self._assembly, start_ns) if is_open else ():
            self._warn(told)
        self._assembly.start(start_ns)
        self._say_start()
        self._readiness.resume(self._loop.now_ns)
        gc_tuning.keep_short()

    def _measure(self, settings: Settings) -> None:
        """How it is, and whether it is ready."""
        assembly = self._assembly

        def standing() -> StorageStatus:
            return assembly.recorder.standing

        def compared_ns() -> int | None:
            return self._requests.compared_ns

        self._vitals = Vitals(
            self._clock.now_ns, lambda: assembly.manager.commit_ns, standing, compared_ns
        )
        self._readiness = Readiness(
            settings,
            self._loop,
            self._vitals,
            standing,
            compared_ns,
            lambda: self._supervisor.down(),
            assembly.lost,
        )

    def _around(
        self,
        settings: Settings,
        picture: EngineSnapshot,
        wake: Callable[[], None],
        listener: socket.socket,
    ) -> Parts:
        """What stands around the loop, each on a thread of its own."""
        plan, latch, now_ns = self._plan, self._assembly.latch, self._clock.now_ns
        known = facts(str(plan.database), "engine", str(plan.speed), plan.feed.name, settings)
        board = LiveView(
            picture,
            self._publisher,
            latch,
            now_ns,
            lambda: {
                **self._vitals.health(),
                **self._readiness.document(),
                **health_of(self._assembly.membership),
            },
            {**known, "http": self._url},
        )
        kill_file = settings.kill_switch_file
        controls = Controls(
            self._requests.queue, latch, now_ns, wake, lambda: why_killed(kill_file)
        )
        answer_the_fleet(self._assembly.membership, controls, board)
        app = build_app(
            EnginePort(
                plan.database,
                settings,
                board,
                controls,
                self.live.offer,
                self.live.offer_malformed,
                None if self._arrivals is None else self._arrivals.posted,
                self._readiness.causes,
                self._comparisons.documents,
                lambda story: story_text(story, settings.trading_timezone),
                lambda line: self._log.say((LogLevel.ERROR, line, {})),
                self._meters,
                self._rows,
            )
        )

        def look_at_latch() -> None:
            self._assembly.look(now_ns())

        return Parts(plan.database, board, controls, look_at_latch, app, listener, self._say_kill)

    async def run(self, started: Callable[[VenueAccount], None]) -> None:
        """Drive until the end. Raises PartDied where a part of it ended that cannot be replaced."""
        with self._supervisor.hearing(lambda told: self._log.say((LogLevel.ERROR, told, {}))):
            self._notices.start()
            try:
                await self._run(started)
            except BaseException as fault:
                self._log.say((LogLevel.ERROR, f"stopped by a fault: {fault!r}", {}))
                self._notices.say(Kind.ENGINE_FAULT, f"stopped by a fault: {fault!r}")
                raise
            finally:
                self._notices.stop()
        self._log.say((LogLevel.INFO, "stopped", {"database": str(self._plan.database)}))

    async def _run(self, started: Callable[[VenueAccount], None]) -> None:
        supervising = Ticker("supervision", LOOK_SECONDS, self._supervisor.look)
        try:
            self._parts.start()
            self._log.say((LogLevel.INFO, "http listens", {"url": self._url}))
            started(self._loop.desk.books.desk.traded_on)
            if (arrivals := self._arrivals) is not None:
                self.live.take_quotes = lambda: arrivals.take_quotes(self.live)
                arrivals.start(self.live.wake_soon, self._rows)
            self._beat.start()
            supervising.start()
            await self.live.run(lambda now_ns: self._on_step(now_ns, supervising))
            self._assembly.require_membership()
            if self._supervisor.fatal:
                told = "the next start recovers what was under way"
                raise PartDied(f"{self._supervisor.fatal}; {told}")
            if self._plan.feed.is_lasting or not self._stop.is_asked:
                self._begun.playback.end()
            self._days.tell(self._loop.now_ns)
        finally:
            supervising.stop()
            self._beat.stop()
            self._parts.stop()
            if self._arrivals is not None:
                self._arrivals.stop()
        self._assembly.files.require_all()

    def _on_step(self, now_ns: int, supervising: Ticker) -> None:
        self._assembly.work()
        if self._arrivals is not None:
            self._arrivals.work(self._loop, self.live, self._begun.tape, self._stop)
        self._vitals.note(self._loop.quotes_seen, now_ns)
        self._days.look(now_ns)
        self._storage_news.look(self._assembly.recorder.standing)
        news = () if self._arrivals is None else self._arrivals.take_news()
        for told in chain(self._loop.view.take_news(), news):
            self._warn(told)
        while not self._died.empty():
            self._loop.turn(self._died.get_nowait())
        if not supervising.is_alive:
            raise PartDied("supervision has ended")
        if self._plan.feed.is_lasting:
            self._skip_night(now_ns)
        last_ns = self._begun.last_ns
        if self._stop.is_asked or (last_ns is not None and now_ns >= last_ns):
            self.live.stop()

    def _supervise(self, running: Sequence[Part]) -> Supervisor:
        """The supervisor of all that runs beside the driver."""
        recorder, arrivals, loop = self._assembly.recorder, self._arrivals, self._loop
        assert isinstance(recorder, ThreadedRecorder), "a paced run has a writer thread"
        parts = [
            *running,
            *self._parts.supervised(),
            *watched(self._assembly.membership),
            Part("storage-writer", lambda: recorder.is_alive, None),
            Part(THREAD_NAME, lambda: self._notices.is_alive, self._notices.start),
            Part(LOOP_LAG, lambda: self._beat.is_alive, self._beat.start_again),
        ]
        if arrivals is not None:
            parts += arrivals.parts()
        return Supervisor(
            parts,
            lambda why: loop.hold(Hold.PART_DOWN, bool(why), why),
            self._say_death,
            self._stop.ask,
        )

    def _say_death(self, name: str, fault: str) -> None:
        """Told on the supervisor's thread that a part has ended."""
        self._log.say((LogLevel.ERROR, f"{name} is down: {fault}; no entry leaves", {}))
        with suppress(queue.Full):
            self._died.put_nowait(TaskDied(name, fault))
        self.live.wake_soon()

    def _warn(self, told: str) -> None:
        self._log.say((LogLevel.WARNING, told, {}))

    def _say_kill(self, request: Kill, is_durable: bool) -> None:
        lasts = "" if is_durable else ", in memory only: the latch file cannot be written"
        self._log.say((LogLevel.WARNING, f"killed{lasts}", {"by": request.by}))

    def _on_turn(self, event: Event, step: Step) -> None:
        self._requests.note(event)
        if self._arrivals is not None:
            self._arrivals.note(event)
        self._comparisons.note(event)
        if step.changes:
            self._publisher.put(step.changes)
        self._meters.turn(event, step)
        self._notices.turn(event, step)
        self._log.turn(event, step)
        self._days.turn(step, self._loop.now_ns)

    def _skip_night(self, now_ns: int) -> None:
        """After the close of a simulated market comes the next opening, at once."""
        next_ns = self._begun.tape.next_quote_ns()
        if next_ns is None or self._vitals.quote_ns is None:
            return
        is_settled = now_ns >= self._vitals.quote_ns + _SETTLE_NS
        if is_settled and next_ns > now_ns + NIGHT_NS:
            self._readiness.resume(next_ns - _BEFORE_OPENING_NS)
            self._clock.skip_to(next_ns - _BEFORE_OPENING_NS)
            self._loop.advance(next_ns - _BEFORE_OPENING_NS)
            self._log.say((LogLevel.INFO, "market closed; continuing at its next opening", {}))

    def _say_start(self) -> None:
        books = self._loop.desk.books
        state = books.kill_switch.trading_state.value
        given = {
            "venue": books.desk.traded_on.label,
            "market": self._plan.feed.name,
            "speed": self._plan.speed,
            "database": str(self._plan.database),
            "accounts": len(books.accounts),
            "positions": len(books.positions),
            "state": state,
        }
        self._log.say((LogLevel.INFO, "started", given))
        self._notices.say(Kind.ENGINE_STARTED, f"started on {self._plan.feed.name}, {state}")
        latched = self._assembly.latch.latched
        if latched.state is not KillState.OFF:
            why = {"by": latched.by, "reason": latched.note}
            self._log.say((LogLevel.WARNING, f"the kill latch is set: {latched.state.value}", why))
