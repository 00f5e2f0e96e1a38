"""The world: virtual time, in which one seed's bad day happens to the whole engine.

One thread, no clock, no sleep: the world says what time it is, to the market, the venue, the disk
and the engine's loop, and goes from one moment at which something is due to the next. First comes
the part with faults; then they are off, and within `SETTLE_NS` everything must have come to rest.
The same seed and code give the same run, step by step.
"""

import shutil
from contextlib import ExitStack, closing
from decimal import Decimal
from pathlib import Path

from msgspec.structs import replace

from pointsman.domain.accounts import KillState
from pointsman.domain.commands import Step
from pointsman.domain.events import Started
from pointsman.domain.market import Quote
from pointsman.domain.signals import Signal
from pointsman.domain.timestamps import MS_NS, SECOND_NS
from pointsman.engine.assembly import Blueprint, build
from pointsman.engine.stored_start import loaded_from
from pointsman.execution.desk import Desk
from pointsman.execution.outbox import StorageHeld
from pointsman.simulator import rest
from pointsman.simulator.broken import Broken, expect
from pointsman.simulator.cover_watch import CoverWatch
from pointsman.simulator.crashes import Boundary, Crash, CrashTrap
from pointsman.simulator.disk import Disk
from pointsman.simulator.faults import CRASHES, Fault, FaultPlan, Faults, draw_plan
from pointsman.simulator.feed import SimulatedFeed
from pointsman.simulator.hostile_venue import HostileVenue
from pointsman.simulator.invariants import Monitor
from pointsman.simulator.ledger import FEE_FAULTS, FeeMode
from pointsman.simulator.market_walk import LISTINGS, MarketWalk
from pointsman.simulator.person import Person
from pointsman.simulator.scenario import (
    BEGINS_NS,
    Scenario,
    SessionHours,
    draw_abilities,
    policy_of,
    stream,
)
from pointsman.simulator.strategies import Strategies
from pointsman.simulator.weather import Weather
from pointsman.storage.errors import DatabaseBusy
from pointsman.storage.reader import open_reader
from pointsman.storage.sqlite_manager import SqliteManager

SETTLE_NS = 180 * SECOND_NS
"""So long after the last fault everything is at rest."""
STILL_NS = 30 * SECOND_NS
"""So long the market stands still at the end."""
STUCK_MAX = 10_000
NEED_ENGINE = (Fault.SECOND_START, Fault.CLOCK_BACK, Fault.DISK_FULL, Fault.STORE_SLOW)


class World:
    """One seed's run in `folder`."""

    def __init__(self, scenario: Scenario, seed: int, folder: Path) -> None:
        self.now_ns = BEGINS_NS
        self.signals = 0
        self._scenario = scenario
        self._random = stream(seed, "world")
        self.database = folder / "simulated.db"
        shutil.copyfile(scenario.template, self.database)
        self._ends_ns = BEGINS_NS + scenario.lasting_ns
        random = stream(seed, "faults")
        plan = draw_plan(random, scenario.faults, scenario.lasting_ns)
        self._timed = [(BEGINS_NS + after_ns, fault) for after_ns, fault in plan.times][::-1]
        self.faults = Faults(random, plan)
        self.trap = CrashTrap()
        instruments = {each.instrument.symbol: each.instrument for each in LISTINGS}
        # The engine learns from the venue what that can do, and what it trades.
        self._settings = policy_of(scenario.policy, self._random)
        at_venue = self._settings.at_venue(draw_abilities(stream(seed, "abilities")))
        self.policy = replace(at_venue, instruments=instruments)
        self.venue = HostileVenue(
            stream(seed, "venue"), self.faults, self.trap, self.policy, instruments,
            has_trade_ids=Fault.NO_TRADE_ID not in plan.rates, fee_mode=_fee_mode(plan),
        )  # fmt: skip
        # With fees in coins, or broken lots, each account is left with dust as a rule.
        leaves_dust = self.venue.fee_mode is FeeMode.BASE or Fault.BROKEN_LOT in plan.rates
        residues = len(scenario.accounts) if leaves_dust else 0
        self.cover = CoverWatch(self.venue.ledger, instruments, residues)
        self.monitor = Monitor(self.policy, self.venue, self.faults, self.cover)
        self.venue.on_send = self.monitor.on_send
        self._walk = MarketWalk(stream(seed, "market"))
        names = [va_id for va_id, _ in scenario.accounts]
        self._strategies = Strategies(stream(seed, "signals"), names, scenario.lasting_ns)
        self._arrivals = [BEGINS_NS + after_ns for after_ns in self._strategies.times][::-1]
        self._code = "".join(self._random.choice("ABCDEFGHJKLMNPQRSTUVWXYZ") for _ in range(6))
        self._waiting: list[Signal] = []
        self._untold: dict[int, Signal] = {}
        self._hours = SessionHours(self._draw_break())
        self._feed = SimulatedFeed(self._random)
        self._weather = Weather(random, self.faults, self.venue, self._feed, self.trap)
        self._next_quote_ns = BEGINS_NS
        self._person = Person(self._random, BEGINS_NS, scenario.lasting_ns)
        self._restart_ns: int | None = BEGINS_NS
        self._dies_in_recovery = False
        self._crash_told_as = Fault.CRASH_IN_RECOVERY
        self._is_clock_back = False
        self._stuck = 0
        self._is_still = False

    def _draw_break(self) -> tuple[int, int] | None:
        if self._random.randrange(3):
            return None
        closes_ns = BEGINS_NS + self._scenario.lasting_ns // 2
        return closes_ns, closes_ns + 300 * SECOND_NS

    # -- the run -----------------------------------------------------------------------------------

    def run(self) -> None:
        """Live through it. Raises Broken, or what the engine raises of its own."""
        try:
            self._run_until(self._ends_ns)
            self._calm()
            self._run_until(self._ends_ns + SETTLE_NS)
            self._is_still = True
            self._run_until(self._ends_ns + SETTLE_NS + STILL_NS)
            self._look_at_rest()
            self._start_again()
        finally:
            self._drop_engine()

    def _run_until(self, end_ns: int) -> None:
        while (due_ns := self._next_ns()) <= end_ns:
            self._stuck = self._stuck + 1 if due_ns <= self.now_ns else 0
            expect(self._stuck < STUCK_MAX, "I21", "time stands still")
            self.now_ns = max(self.now_ns, due_ns)
            self._step()
        self.now_ns = end_ns

    def _next_ns(self) -> int:
        due: list[int] = [self._next_quote_ns]
        if (venue_ns := self.venue.next_due_ns()) is not None:
            due.append(venue_ns + self.venue.lag_ns)
        if self._arrivals:
            due.append(self._arrivals[-1])
        if self._timed:
            due.append(self._timed[-1][0])
        if self._restart_ns is None:
            due.append(self._person.next_look_ns)
            lag_ns = self.venue.lag_ns
            of_engine = (self._loop.next_due_ns(), self._disk.next_due_ns())
            due += [at_ns + lag_ns for at_ns in of_engine if at_ns is not None]
        else:
            due.append(self._restart_ns)
        return min(due)

    def _step(self) -> None:
        """One moment."""
        now_ns = self.now_ns
        while self._timed and self._timed[-1][0] <= now_ns:
            self._strike(self._timed.pop()[1])
        quotes = self._move_market() if now_ns >= self._next_quote_ns else []
        while self._arrivals and self._arrivals[-1] <= now_ns:
            self._arrivals.pop()
            self._waiting.append(self._strategies.next_signal(self.venue.matching.quotes))
        try:
            if self._restart_ns is not None and now_ns >= self._restart_ns:
                self._start_engine()
            if self._restart_ns is None:
                self._turn_engine(quotes)
            else:
                self.venue.receive(now_ns)
        except Crash:
            self._die()
        bids = {symbol: quote.bid for symbol, quote in self.venue.matching.quotes.items()}
        self.cover.look(now_ns, bids)
        if self._restart_ns is None:
            self.monitor.at_instant(now_ns)

    def _turn_engine(self, quotes: list[Quote]) -> None:
        loop, now_ns = self._loop, self.now_ns - self.venue.lag_ns
        self._disk.tick(now_ns)
        for quote in quotes:
            self.monitor.entries.fed[quote.symbol] = quote
            loop.on_quote(quote, now_ns)
        loop.instant(now_ns)
        is_tempted = self._person.is_tempted(self._engine, self.now_ns)
        if loop.is_ready and not loop.is_held:
            waiting, self._waiting = self._waiting, []
            for signal in waiting:
                self._submit(signal)
        if is_tempted or self.now_ns >= self._person.next_look_ns:
            self._person.look(self._engine, self.now_ns)
        if quotes:
            self._engine.watch.look(now_ns)
        self._engine.request_handler.work()
        loop.release()

    def _submit(self, signal: Signal) -> None:
        self.signals += 1
        number = self.signals
        self._untold[number] = signal

        def answer(step: Step | StorageHeld) -> None:
            del self._untold[number]
            if isinstance(step, StorageHeld):
                self._waiting.append(signal)
            elif step.decision is not None:
                self.monitor.told(step.decision)

        self._loop.signal(signal, answer)

    # -- the engine's lives ------------------------------------------------------------------------

    def _start_engine(self) -> None:
        """A life begins: by the same assembly as every other one."""
        is_day = not self.faults.are_off
        was_killed = is_day and self._person.kill_without_engine(self.database, self.now_ns)
        self._engine = engine = build(self._blueprint())
        self._restart_ns = None
        now_ns = self._clock_at_start(engine.resume_ns)
        self._loop, disk = engine.loop, self._disk
        books = self._loop.desk.books
        disk.tick(now_ns)
        self._loop.on_turn = lambda event, step: self.monitor.on_turn(
            self._loop.now_ns, event, step
        )
        self.monitor.is_storage_failing = lambda: disk.standing.failure is not None
        connection = open_reader(self.database)
        self.monitor.reload(books, engine.manager, connection)
        rest.journal_holds(connection)
        rest.each_adds_up(books, connection)
        connection.close()
        if self._dies_in_recovery:
            self._dies_in_recovery = False
            self._crash_told_as = Fault.CRASH_IN_RECOVERY
            self.trap.arm(self._random.choice(list(Boundary)), self._random.randrange(3))
        engine.start(now_ns)
        is_killed = books.kill_switch.state is not KillState.OFF
        expect(is_killed or not was_killed, "I15", "a kill before the start did not bind it")

    def _blueprint(self) -> Blueprint:
        """What each life is built from: the real desk, loop and store, with a hostile venue and a
        disk that fails."""

        def open_recorder(manager: SqliteManager, _closing: ExitStack) -> Disk:
            self._disk = Disk(manager, self.trap, 0)
            return self._disk

        return Blueprint(
            database=self.database,
            policy=self._settings,
            hours=lambda _va_id: self._hours,
            started=lambda code, _venue: Started(
                "simulated", code, self._settings, self._scenario.accounts
            ),
            new_code=lambda: self._code,
            open_venue=lambda _wanted: self.venue.open(),
            open_recorder=open_recorder,
            wake=lambda: None,
        )

    def _clock_at_start(self, last_ns: int) -> int:
        """What the machine's clock says, but never before what the books hold: as every start has
        it (RULES 1). From here on the engine's time goes by as fast as any."""
        back_ns = 0
        if self._is_clock_back:
            back_ns = self._random.randrange(1, 3_600) * SECOND_NS
            self._is_clock_back = False
        now_ns = max(self.now_ns - back_ns, last_ns, self.venue.known_until_ns())
        self.venue.lag_ns = self.monitor.lag_ns = self.now_ns - now_ns
        return now_ns

    def _die(self) -> None:
        """The process is gone; a supervisor starts it again after a while."""
        down_ns = self._random.choice((200 * MS_NS, SECOND_NS, 5 * SECOND_NS, 30 * SECOND_NS))
        self._drop_engine()
        self._restart_ns = self.now_ns + down_ns
        self.faults.note(self._crash_told_as, self.now_ns, self._restart_ns)

    def _drop_engine(self) -> None:
        if self._restart_ns is None:
            self._engine.close()
            self._waiting = [*self._untold.values(), *self._waiting]
            self._untold.clear()
            self._restart_ns = self.now_ns

    # -- what happens to it ------------------------------------------------------------------------

    def _move_market(self) -> list[Quote]:
        """The next second: the venue sees the market, the engine what its feed makes of it."""
        self._next_quote_ns += SECOND_NS
        quotes = self._walk.quotes(self.now_ns, is_still=self._is_still)
        for quote in quotes:
            self.venue.matching.on_quote(quote, self.now_ns)
        return self._feed.told(quotes, self.now_ns)

    def _strike(self, fault: Fault) -> None:
        """A trouble that comes at a moment of its own."""
        if fault in CRASHES:
            self._crash_told_as = fault
        is_alive = self._restart_ns is None
        if fault is Fault.CRASH_IN_RECOVERY:
            self._dies_in_recovery = True
            if is_alive:
                self._die()
        elif fault is Fault.CLOCK_BACK and is_alive:
            self._is_clock_back, self._crash_told_as = True, fault
            self._die()
        elif fault is Fault.SECOND_START and is_alive:
            self._start_second()
        elif fault in (Fault.DISK_FULL, Fault.STORE_SLOW) and is_alive:
            self._spoil_disk(fault)
        elif fault not in NEED_ENGINE:
            self._weather.strike(fault, self.now_ns)

    def _start_second(self) -> None:
        """Another instance on the same database is refused (F66)."""
        self.faults.note(Fault.SECOND_START, self.now_ns, self.now_ns)
        try:
            SqliteManager(self.database).open()
        except DatabaseBusy:
            return
        raise Broken("I2", "a second instance could open the database")

    def _spoil_disk(self, fault: Fault) -> None:
        until_ns = self.now_ns + self._random.randrange(1, 40) * SECOND_NS
        if fault is Fault.DISK_FULL:
            self._disk.full_until_ns = until_ns - self.venue.lag_ns
        else:
            self._disk.slow_until_ns = until_ns - self.venue.lag_ns
            self._disk.delay_ns = self._random.randrange(10, 1_500) * MS_NS
        self.faults.note(fault, self.now_ns, until_ns)

    # -- coming to rest ----------------------------------------------------------------------------

    def _calm(self) -> None:
        """No further fault; those that last come to their end."""
        self.faults.are_off = True
        self._timed.clear()
        self._arrivals.clear()
        self.trap.disarm()
        self._feed.mend(self.venue.matching.delisted)
        self._dies_in_recovery = False
        self.venue.matching.halted_until_ns.clear()

    def _look_at_rest(self) -> None:
        expect(self._restart_ns is None, "I21", "the engine is down")
        loop, ledger = self._loop, self.venue.ledger
        books = loop.desk.books
        expect(not loop.is_held and loop.is_idle, "I21", "storage is held")
        expect(not self._waiting and not self._untold, "I22", ("without an answer", self._untold))
        self._disk.settle()
        rest.orders_agree(books, ledger)
        rest.holdings_agree(books, ledger)
        rest.covered(books, self.cover.naked)
        rest.killed_for_good(books)
        self.monitor.locks_hold()
        start = sum((balance for _, balance in self._scenario.accounts), Decimal(0))
        with closing(open_reader(self.database)) as connection:
            rest.money_agrees(books, ledger, start, connection)
            rest.each_adds_up(books, connection)
            rest.journal_holds(connection)
            rest.traced(connection)
        loaded = Desk.load(self.policy, loaded_from(self._engine.manager.load()), 0)
        rest.loads_alike(books, loaded.books)
        expect(books.desk.mismatch_cycles == 0, "I20", "comparisons still find differences")

    def _start_again(self) -> None:
        """I19, I20: two more starts with nothing changed at the venue send nothing, and leave the
        books as they were."""
        before = rest.standing(self._loop.desk.books)
        sent = self.monitor.sent
        for _ in range(2):
            self._drop_engine()
            self._run_until(self.now_ns + 30 * SECOND_NS)
            expect(self.monitor.sent == sent, "I19", "a start with nothing changed sent something")
            after = rest.standing(self._loop.desk.books)
            expect(
                after == before, "I19", ("a start changed the books", rest.changed(before, after))
            )


def _fee_mode(plan: FaultPlan) -> FeeMode:
    """What fees of coins are taken from in this run."""
    found = (mode for mode, fault in FEE_FAULTS.items() if fault in plan.rates)
    return next(found, FeeMode.MONEY)
