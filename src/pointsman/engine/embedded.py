"""The engine for use from Python: open it, feed it quotes, submit signals, get decisions.

    async with open_engine(settings) as engine:
        engine.feed(quote)
        decision = await engine.submit({"signal_id": "a-1", "va_id": "VA001", ...})

A decision is returned once it is durable, never before.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, closing
from pathlib import Path

from pointsman.config.settings import Settings
from pointsman.domain.market import Quote
from pointsman.domain.signal_text import signal_from_mapping
from pointsman.domain.signals import Decision, Signal
from pointsman.engine.assembly import assemble
from pointsman.engine.live_feed import begin_live, said_at_start
from pointsman.engine.live_loop import Clock, LiveLoop, NoSource
from pointsman.errors import PointsmanError
from pointsman.market.live_rows import LiveRows

_log = logging.getLogger(__name__)


class EngineStopped(PointsmanError):
    """The engine has ended, by a fault where there is a `__cause__`. Open it again: starting is
    recovering."""


class Engine:
    """A running engine. Its methods belong to the asyncio loop that opened it."""

    def __init__(self, live: LiveLoop, running: asyncio.Task[None], rows: LiveRows) -> None:
        self._rows = rows
        self._live = live
        self._running = running

    def feed(self, quote: Quote) -> bool:
        """Take in a row of market data, now. False where it was skipped, with a warning in the log:
        its stamp is more than a minute ahead of the clock or older than one of its symbol before,
        or too many symbols are known. Raises EngineStopped."""
        if self._running.done():
            raise self._stopped()
        problem = self._rows.take(quote)
        if problem:
            _log.warning("skipped a quote of %s at %d: %s", quote.symbol, quote.ts_ns, problem)
            return False
        self._live.feed(quote)
        return True

    async def submit(self, signal: Signal | Mapping[str, object]) -> Decision:
        """Decide a signal; returns once the decision is durable. A mapping is read as an alert is,
        forgiving in spelling.

        Raises SignalProblem for one that cannot be read, StorageHeld while storage does not work,
        InboxFull when too many wait, EngineStopped when the engine ends.
        """
        known = signal if isinstance(signal, Signal) else signal_from_mapping(signal)
        deciding = asyncio.ensure_future(self._live.submit(known))
        try:
            await asyncio.wait((deciding, self._running), return_when=asyncio.FIRST_COMPLETED)
            if not deciding.done():
                raise self._stopped()
            return deciding.result()
        finally:
            deciding.cancel()

    def _stopped(self) -> EngineStopped:
        stopped = EngineStopped("the engine has stopped; open it again")
        stopped.__cause__ = _fault(self._running)
        return stopped


def _fault(running: asyncio.Task[None]) -> BaseException | None:
    return None if running.cancelled() else running.exception()


@asynccontextmanager
async def open_engine(settings: Settings, database: Path | None = None) -> AsyncIterator[Engine]:
    """Open a live engine on the paper venue, fed by `Engine.feed`; it ends with the block.

    It obeys the kill latch of the database like every engine: `pointsman kill` stops its entries,
    also when it was pressed before the start.

    Raises what opening the database and the ledger can raise, and EngineStopped at the end where
    the engine had ended by a fault.
    """
    wakers: list[Callable[[], None]] = []

    def wake_all() -> None:
        for wake in wakers:
            wake()

    path = settings.database_path if database is None else database
    with closing(assemble(settings, path, None, wait=None, notify=wake_all)) as assembly:
        start_ns = max(time.time_ns(), assembly.resume_ns)
        loop, clock = assembly.loop, Clock(start_ns)
        live = LiveLoop(loop, NoSource(loop), clock)
        wakers.append(live.wake_soon)
        rows = begin_live(assembly, clock)
        for told in said_at_start(assembly, clock.now_ns()):
            _log.warning("%s", told)
        assembly.start(clock.now_ns())
        with assembly.watching(clock.now_ns) as obey_latch:
            running = asyncio.create_task(live.run(lambda _now_ns: obey_latch()))
            try:
                yield Engine(live, running, rows)
            finally:
                live.stop()
                await asyncio.wait((running,))
                fault = _fault(running)
        if fault is not None:
            raise EngineStopped("the engine had stopped because of an internal error") from fault
