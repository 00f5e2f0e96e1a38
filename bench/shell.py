"""A live engine to measure: the real loop, desk, storage and writer thread, before a venue that
notes when an entry is handed to it and then says that it did not fill."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from decimal import Decimal
from pathlib import Path

from pointsman.config.settings import resolve_settings
from pointsman.domain.commands import Compare, MoveCash, Step, Submit
from pointsman.domain.events import CashConfirmed, Event, OrderReport, ReportWord, Started
from pointsman.domain.market import Instrument, Quote
from pointsman.domain.policy import Abilities
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import SignalSide
from pointsman.domain.signals import Signal
from pointsman.domain.venue_reports import Snapshot
from pointsman.engine import gc_tuning
from pointsman.engine.live_loop import Clock, LiveLoop, NoSource
from pointsman.engine.recorder import ThreadedRecorder
from pointsman.execution.archive import FinishedRecords
from pointsman.execution.desk import Desk
from pointsman.execution.execution_loop import ExecutionLoop
from pointsman.execution.ports import JournalEntry, VenueReply, VenueRequest
from pointsman.storage.sqlite_manager import SqliteManager

CODE = "BENCHX"
SYMBOLS = [f"S{number}" for number in range(100)]
BID, ASK = Decimal("99.99"), Decimal("100.01")


class NotingVenue:
    """A venue that answers at the next instant. `handed_ns` is when the entry of each signal was
    handed over."""

    def __init__(self) -> None:
        self.abilities = Abilities()
        self.instruments: dict[str, Instrument] = {}
        self.handed_ns: dict[str, int] = {}
        self._replies: list[VenueReply] = []
        self._now_ns = 0

    def send(self, request: VenueRequest, now_ns: int) -> None:
        self._now_ns = now_ns
        if isinstance(request, Submit):
            order = request.order
            self.handed_ns[order.signal_id or ""] = time.perf_counter_ns()
            order_id, venue_id = order.client_order_id, f"V{order.client_order_id}"
            word, reason = ReportWord.CANCELED, Reason.NOT_FILLED
            self._replies.append(OrderReport(order_id, word, now_ns, venue_id, reason=reason))
        elif isinstance(request, Compare):
            # Once entries are on their way only an answer that proves nothing is sure to be true.
            is_complete = not self.handed_ns
            self._replies.append(Snapshot(now_ns, now_ns, (), (), (), "", is_complete))
        elif isinstance(request, MoveCash):
            self._replies.append(CashConfirmed(request.ref))

    def on_quote(self, quote: Quote) -> None:
        """Nothing rests here that a quote could fill."""

    def remember(self, quote: Quote) -> None:
        """Nothing, for the same reason."""

    def next_due_ns(self) -> int | None:
        return self._now_ns if self._replies else None

    def receive(self, now_ns: int) -> list[VenueReply]:
        self._now_ns = now_ns
        replies, self._replies = self._replies, []
        return replies

    def is_under_way(self) -> bool:
        return bool(self._replies)

    def finish(self) -> None:
        """Nothing waits to leave."""

    def known_until_ns(self) -> int:
        return 0

    def close(self) -> None:
        self._replies.clear()


class Shell:
    """The running engine. `entries` are the turns since they were last taken."""

    def __init__(
        self,
        live: LiveLoop,
        loop: ExecutionLoop,
        clock: Clock,
        venue: NotingVenue,
        storage: ThreadedRecorder,
    ) -> None:
        self.live = live
        self.loop = loop
        self.clock = clock
        self.venue = venue
        self._storage = storage
        self._turns = 0
        self._entries: list[JournalEntry] = []

    def note(self, event: Event, step: Step) -> None:
        """Told of every turn."""
        if step.changes:
            self._turns += 1
            self._entries.append(JournalEntry(self.loop.now_ns, event, step.changes))

    def take_entries(self) -> list[JournalEntry]:
        """The turns since the last time."""
        entries, self._entries = self._entries, []
        return entries

    def quote(self, symbol: str) -> Quote:
        """A quote of this moment."""
        return Quote(symbol, self.clock.now_ns(), BID, Decimal(1000), ASK, Decimal(1000))

    async def settled(self) -> None:
        """Until nothing is under way to the venue, from it, or to the disk."""
        while (  # noqa: ASYNC110 - what is measured has no event to wait for
            self.venue.next_due_ns() is not None
            or not self.loop.is_idle
            or self._storage.standing.durable < self._turns
        ):
            await asyncio.sleep(0.0005)


def signal(signal_id: str, va_id: str, symbol: str) -> Signal:
    """An entry that every rule lets through, with a price, so that all of them are measured."""
    return Signal(signal_id, va_id, symbol, SignalSide.BUY, quantity=Decimal(10), price=ASK)


@asynccontextmanager
async def open_shell(folder: Path, va_ids: list[str]) -> AsyncIterator[Shell]:
    """A live engine with these accounts, ready to decide."""
    balances = ",".join(f"{va_id}:100000" for va_id in va_ids)
    # Open at any hour, and no entry is refused because this machine is slow.
    lenient = {
        "TRADING_WINDOW_START": "00:00",
        "TRADING_WINDOW_END": "24:00",
        "MAX_LATENCY_MS": "60000",
        "SUBMIT_TIMEOUT_SECONDS": "60",
    }
    settings = resolve_settings({"VIRTUAL_ACCOUNTS": balances, **lenient}, None, {}).settings
    policy, hours = settings.policy({}), settings.trading_hours()
    manager = SqliteManager(folder / "engine.db")
    manager.open()
    waking: list[LiveLoop] = []

    def wake() -> None:
        for each in waking:
            each.wake_soon()

    storage = ThreadedRecorder(manager, wake)
    venue = NotingVenue()
    loop = ExecutionLoop(
        Desk(policy, CODE), venue, storage, FinishedRecords(manager), lambda _va_id: hours
    )
    clock = Clock(time.time_ns())
    live = LiveLoop(loop, NoSource(loop), clock)
    waking.append(live)
    shell = Shell(live, loop, clock, venue, storage)
    loop.on_turn = shell.note
    loop.start(Started("bench", CODE, policy, settings.accounts), clock.now_ns())
    gc_tuning.keep_short()
    running = asyncio.create_task(live.run(lambda _now_ns: None))
    try:
        while not loop.is_ready:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.001)
        await shell.settled()
        yield shell
    finally:
        live.stop()
        with suppress(asyncio.CancelledError):
            await running
        storage.stop()
        manager.close()
