"""The live driver: the loop on a running clock, beside other tasks of one asyncio loop.

Time is integer nanoseconds from a start plus monotonic time since, times the speed: a stepped wall
clock moves nothing (RULES 1). Whatever arrives wakes the driver; otherwise it sleeps until the next
thing is due. Every turn is made by the driver's own task, so that a broken rule of ours ends it and
nothing continues afterwards.
"""

import asyncio
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import NamedTuple, Protocol

from pointsman.domain.commands import Step
from pointsman.domain.events import LinkChanged, SignalMalformed
from pointsman.domain.market import Quote
from pointsman.domain.signals import Decision, Signal
from pointsman.domain.timestamps import SECOND_NS
from pointsman.errors import PointsmanError
from pointsman.execution.execution_loop import ExecutionLoop
from pointsman.execution.last_check import Hold
from pointsman.execution.outbox import StorageHeld

SLEEP_MAX_NS = SECOND_NS
SIGNALS_AT_ONCE = 2
REPLIES_AT_ONCE = 2
LEAVING_AT_ONCE = 4
"""How much one step does at most before quotes are looked at again: what arrived waits no longer
than so much takes, however much else waits."""

GATHERED_STEPS_MAX = 8
"""For this many steps what was decided waits to be stored with what the next signals lead to, while
some wait: a group of several costs little more than one."""

INBOX_LEN_MAX = 4096
LAST_COMMANDS_SECONDS = 4.0  # not money: seconds
"""How long a stop waits for what was decided to become durable, leave and arrive."""

LAST_ANSWERS_SECONDS = 1.0  # not money: seconds
"""How long it waits after that to hear what of it did not leave."""

SETTLE_SECONDS = 1.0  # not money: seconds
"""How long the time of a virtual source stands still at most."""


class InboxFull(PointsmanError):
    """Too many signals wait to be decided; send the signal again later."""


class Offered(NamedTuple):
    """A signal that waits to be decided, what it came by, and who waits for the decision. A caller
    who cancels the future in time withdraws the signal: it is never decided."""

    signal: Signal
    source: str
    decided: Future[Step]


class Clock:
    """Event time: `start_ns` and then `speed` times as fast as the monotonic clock."""

    def __init__(self, start_ns: int, speed: int = 1) -> None:
        self._start_ns = start_ns
        self._speed = speed
        self._began_ns = time.monotonic_ns()

    def now_ns(self) -> int:
        return self._start_ns + (time.monotonic_ns() - self._began_ns) * self._speed

    def begin(self, now_ns: int) -> None:
        """Let it be `now_ns`, and run on from there; before anybody has looked at it."""
        self._start_ns, self._began_ns = now_ns, time.monotonic_ns()

    def skip_to(self, now_ns: int) -> None:
        """Let it be `now_ns`, if that is still to come."""
        self._start_ns += max(0, now_ns - self.now_ns())

    def wait_seconds(self, until_ns: int) -> float:
        """How long to sleep until event time has come as far; zero or less when it has."""
        left_ns = min(until_ns - self.now_ns(), SLEEP_MAX_NS * self._speed)
        return left_ns / self._speed / 1e9  # not money: seconds


class LoopSource(Protocol):
    """What drives the loop besides itself: a tape, or nothing."""

    def next_ns(self) -> int | None:
        """When the next instant is; None at the end."""

    def step(self, now_ns: int) -> None:
        """Do all that is due at `now_ns`."""


class LiveLoop:
    """Runs an ExecutionLoop on a clock. All methods belong to the asyncio loop's thread, but for
    `wake_soon`, `offer` and `offer_malformed`.

    With `is_virtual` the world of the source is not this one: event time stands still until what
    was decided is durable, so that neither the disk nor the pace changes what is decided.
    """

    def __init__(
        self, loop: ExecutionLoop, source: LoopSource, clock: Clock, *, is_virtual: bool = False
    ) -> None:
        self._is_virtual = is_virtual
        self._loop = loop
        self._source = source
        self._clock = clock
        self._inbox: queue.Queue[Offered | SignalMalformed] = queue.Queue(INBOX_LEN_MAX)
        self._asyncio = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._is_woken = False
        self._is_wake_on_its_way = False
        self._sleeper: asyncio.Future[None] | None = None
        self._steps_gathered = 0
        self._is_stopping = False
        self.take_quotes: Callable[[], bool] = lambda: False
        """Takes in the quotes that have come by another way; whether there were any."""

    def wake_soon(self) -> None:
        """Have the driver look again; from any thread. What comes while another thread's wake-up is
        on its way is seen with it: that ends its way before the driver looks."""
        if threading.get_ident() == self._thread:
            self._wake()
        elif not self._is_wake_on_its_way:
            self._is_wake_on_its_way = True
            with suppress(RuntimeError):  # the asyncio loop is closed: nothing is left to wake
                self._asyncio.call_soon_threadsafe(self._arrive)

    def _arrive(self) -> None:
        self._is_wake_on_its_way = False
        self._wake()

    def stop(self) -> None:
        """Come to an end after the present instant: no entry leaves any more, and what protects or
        reduces leaves first."""
        self._is_stopping = True
        self._loop.hold(Hold.STOPPING, True)
        self._wake()

    async def run(self, on_step: Callable[[int], None]) -> None:
        """Drive until the source ends or `stop`. `on_step` is called with the time after each
        instant."""
        if self._is_virtual:
            await self._settle()
        while not self._is_stopping:
            due_ns = self._source.next_ns()
            if due_ns is None and self._loop.is_idle:
                break
            await self._sleep(due_ns)
            self._step(due_ns)
            if self._is_virtual:
                await self._settle()
            on_step(self._loop.now_ns)
        self._end_gathering()
        await self._let_leave(LAST_COMMANDS_SECONDS)
        if not self._is_virtual:
            self._loop.venue.finish()
            await self._let_leave(LAST_ANSWERS_SECONDS)

    async def _let_leave(self, seconds: float) -> None:  # not money: seconds
        """Go on without the source until nothing is under way, or the time is over."""
        give_up_at = time.monotonic() + seconds
        while self._is_under_way() and time.monotonic() < give_up_at:
            await asyncio.sleep(0.001)  # not money: seconds
            if not self._is_virtual:
                self._loop.instant(max(self._clock.now_ns(), self._loop.now_ns))
            self._loop.release()

    def _is_under_way(self) -> bool:
        """Whether something waits to leave or, where time does not stand still, to arrive: an entry
        that was sent still fills, and its stop is confirmed before the end."""
        if self._is_virtual or not self._loop.is_idle:
            return not self._loop.is_idle
        books = self._loop.desk.books
        working = (books.orders[each] for ids in books.entries_by_symbol.values() for each in ids)
        return self._loop.venue.is_under_way() or any(not entry.is_unknown for entry in working)

    async def _sleep(self, due_ns: int | None) -> None:
        """Until something is due or arrives; with nothing due, until something is durable."""
        seconds = 1.0 if due_ns is None else self._clock.wait_seconds(due_ns)
        if seconds <= 0 or self._has_signals() or self._loop.has_more:
            await asyncio.sleep(0)
            self._is_woken = False
        else:
            self._end_gathering()
            await self._rest(seconds)

    def _wake(self) -> None:
        self._is_woken = True
        if self._sleeper is not None and not self._sleeper.done():
            self._sleeper.set_result(None)

    async def _rest(self, seconds: float) -> None:  # not money: seconds
        """Until somebody has called `_wake` since the last rest, or the time is over."""
        if not self._is_woken:
            self._sleeper = self._asyncio.create_future()
            alarm = self._asyncio.call_later(seconds, self._wake)
            try:
                await self._sleeper
            finally:
                alarm.cancel()
                self._sleeper = None
        else:
            await asyncio.sleep(0)
        self._is_woken = False

    def _step(self, due_ns: int | None) -> None:
        now_ns = max(self._clock.now_ns(), self._loop.now_ns)
        self._gather()
        if due_ns is None:
            # The source is at its end; only what waits to be durable has to leave.
            self._loop.release(LEAVING_AT_ONCE)
        elif due_ns <= now_ns:
            # What is due is done at its own time, also when the clock has gone on since.
            self._source.step(due_ns)
        elif self._is_virtual and self._inbox.empty():
            self._loop.release()
        else:
            self._source.step(now_ns)
            self._take_signals()

    def _gather(self) -> None:
        """Let what was decided wait a little, while further signals wait to be decided."""
        may_wait = self._has_signals() and not self._is_virtual
        may_wait = may_wait and self._steps_gathered < GATHERED_STEPS_MAX
        self._steps_gathered = self._steps_gathered + 1 if may_wait else 0
        self._loop.is_gathering = may_wait

    def _end_gathering(self) -> None:
        """Nothing is decided for a while."""
        if self._loop.is_gathering:
            self._loop.is_gathering = False
            self._loop.release(LEAVING_AT_ONCE)

    def _has_signals(self) -> bool:
        """Whether a signal waits that can be decided now."""
        return self._loop.is_ready and not self._inbox.empty()

    async def _settle(self) -> None:
        """Wait until all that was decided has left, unless storage fails or hangs."""
        give_up_at = time.monotonic() + SETTLE_SECONDS
        while not (self._loop.is_idle or self._loop.is_held) and time.monotonic() < give_up_at:
            await self._rest(SETTLE_SECONDS)
            self._loop.release()

    def _take_signals(self) -> None:
        """Decide the oldest few that wait; the others have their turn after what has become due by
        then. A quote that was acknowledged before a signal was sent is in force for it: those that
        wait are taken in first, after the signals have been counted."""
        count = min(SIGNALS_AT_ONCE, self._inbox.qsize())
        if count and self._loop.is_ready and self.take_quotes():
            self._source.step(self._loop.now_ns)
        for _ in range(count):
            if not self._loop.is_ready or self._loop.has_replies:
                break
            self._take(self._inbox.get_nowait())
        if not self._has_signals():
            self._loop.is_gathering = False
        self._loop.release(LEAVING_AT_ONCE)

    def _take(self, offered: Offered | SignalMalformed) -> None:
        if isinstance(offered, SignalMalformed):
            if not self._loop.is_held:
                self._loop.turn(offered)
            return
        signal, source, decided = offered
        if not decided.set_running_or_notify_cancel():
            return  # The caller has withdrawn it before anything was decided.
        try:
            self._loop.signal(signal, _telling(decided), source)
        except StorageHeld as held:
            decided.set_exception(held)

    async def submit(self, signal: Signal) -> Decision:
        """Decide a signal; returns once the decision is durable. It is decided when all that is due
        before it has been done, and not before the first comparison with the venue. Does not return
        when `run` has ended: wait for both.

        Raises StorageHeld or InboxFull; then the same signal may be sent again.
        """
        offered, heard = self.offer(signal, ""), asyncio.Event()
        # The driver decides it on this thread.
        offered.add_done_callback(lambda _offered: heard.set())
        try:
            await heard.wait()
        finally:
            offered.cancel()
        step = offered.result()
        assert step.decision is not None, "a signal always gets its decision"
        return step.decision

    def offer(self, signal: Signal, source: str) -> Future[Step]:
        """Have a signal decided, as `submit` does; from any thread. `source` is what it came by.
        The step says whether the id came before.

        Raises InboxFull. The future may end with StorageHeld.
        """
        decided: Future[Step] = Future()
        try:
            self._inbox.put_nowait(Offered(signal, source, decided))
        except queue.Full:
            text = f"{INBOX_LEN_MAX} signals wait to be decided; send this one again"
            raise InboxFull(text) from None
        self.wake_soon()
        return decided

    def offer_malformed(self, event: SignalMalformed) -> None:
        """Have a signal counted that could not be read; from any thread. Where too many wait, or
        storage fails, it is not: its sender has been answered already."""
        with suppress(queue.Full):
            self._inbox.put_nowait(event)
            self.wake_soon()

    def feed(self, quote: Quote) -> None:
        """Take in a row of market data, now."""
        self._loop.on_quote(quote, self._clock.now_ns())
        self._wake()

    def confirm(self, symbol: str, confirmed_ns: int) -> None:
        """A heartbeat of the feed: the newest row of a symbol is so still (RULES 12)."""
        self._loop.view.confirm(symbol, confirmed_ns)
        self._wake()

    def change_link(self, change: LinkChanged) -> None:
        """The connection for quotes goes down, or is up again."""
        self._loop.advance(self._clock.now_ns())
        self._loop.intake.change_link(change, self._loop.now_ns)
        self._wake()


def _telling(decided: Future[Step]) -> Callable[[Step | StorageHeld], None]:
    def answer(step: Step | StorageHeld) -> None:
        if isinstance(step, StorageHeld):
            decided.set_exception(step)
        else:
            decided.set_result(step)

    return answer


class NoSource:
    """A source for a loop that is fed from outside: only what the loop itself has due."""

    def __init__(self, loop: ExecutionLoop) -> None:
        self._loop = loop

    def next_ns(self) -> int | None:
        due_ns = self._loop.next_due_ns()
        return self._loop.now_ns + SLEEP_MAX_NS if due_ns is None else due_ns

    def step(self, now_ns: int) -> None:
        self._loop.instant(now_ns, REPLIES_AT_ONCE)
        self._loop.release(LEAVING_AT_ONCE)
