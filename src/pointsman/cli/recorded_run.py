"""A run on recorded quotes: from files to a report.

At `--speed max` recorded time goes as fast as the machine; otherwise it is paced by the clock. What
is decided is the same. The report is computed from the database alone, so an interrupted run that
is continued, or a finished one that is asked again, gives the same one (RULES 5).
"""

import asyncio
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

import msgspec

from pointsman.cli.compose import Assembly, assemble, instruments_digest
from pointsman.cli.report import build_report
from pointsman.config.settings import Settings
from pointsman.engine.live_loop import Clock, LiveLoop
from pointsman.engine.playback import Playback
from pointsman.market.recorded import RecordedMarket
from pointsman.market.signal_file import BadSignal, SignalFile, SignalLine
from pointsman.market.tape import Tape
from pointsman.storage.entries import RunIdentity
from pointsman.storage.errors import StorageFailed
from pointsman.storage.reader import open_reader

SECOND_NS = 10**9
STORAGE_WAIT_SECONDS = 30
STORAGE_RETRY_SECONDS = 1
SIGNALS_SOURCE = "signals"


class RecordedRun(msgspec.Struct, frozen=True):
    """What to run. `speed` None is as fast as it goes; `duration_ns` None is to the end of the
    data."""

    market: tuple[Path, ...]
    columns: dict[str, str]
    signals: Path | None
    database: Path | None
    speed: int | None
    duration_ns: int | None
    seed: int


class Outcome(msgspec.Struct, frozen=True):
    """How a run went: its report, where its files are, and the signal that stopped it, if one
    did."""

    report: dict[str, Any]
    database: Path
    bad_rows: tuple[str, ...]
    stopped_by: int | None


class Stop:
    """Remembers that SIGINT or SIGTERM asked for a clean end."""

    def __init__(self) -> None:
        self.signum: int | None = None
        self.hooks: list[Callable[[], None]] = []

    def ask(self, signum: int, _frame: FrameType | None) -> None:
        self.signum = signum
        for hook in self.hooks:
            hook()


@contextmanager
def clean_stop() -> Iterator[Stop]:
    """Within this block SIGINT and SIGTERM only ask for an end."""
    stop = Stop()
    names = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(name, stop.ask) for name in names]
    try:
        yield stop
    finally:
        for name, handler in zip(names, before, strict=True):
            signal.signal(name, handler)


def fresh_folder() -> Path:
    """A new folder for the files of one run, under `runs/`."""
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    for attempt in range(1, 1000):
        folder = Path("runs") / (stamp if attempt == 1 else f"{stamp}-{attempt}")
        with suppress(FileExistsError):
            folder.mkdir(parents=True)
            return folder
    raise FileExistsError(f"runs/{stamp}: a thousand runs within one second")


def run_recorded(
    run: RecordedRun, settings: Settings, progress: Callable[[int, int, int], None]
) -> Outcome:
    """Run, continue, or only report. `progress` is told event time, quotes and decisions now and
    then.

    Raises what opening the files, the database or the ledger can raise, and StorageFailed when
    storage did not work for STORAGE_WAIT_SECONDS.
    """
    market = RecordedMarket(run.market, run.columns)
    signals = None if run.signals is None else SignalFile(run.signals)
    identity = RunIdentity(
        market.digest(),
        "" if signals is None else signals.digest(),
        instruments_digest(settings),
        settings.digest(),
        str(run.seed),
    )
    database = run.database if run.database is not None else fresh_folder() / "trading.db"
    lines = iter(()) if signals is None else signals.lines()
    with clean_stop() as stop:
        if run.speed is None:
            _run_fast(run, settings, database, identity, market, lines, stop, progress)
        else:
            paced = _run_paced(run, settings, database, identity, market, lines, stop, progress)
            asyncio.run(paced)
    with closing(open_reader(database)) as connection:
        report = build_report(connection)
    bad_rows = tuple(
        f"{row.file}:{row.line}: {row.field}={row.value!r}: {row.remedy}"
        for row in market.first_bad_rows
    )
    return Outcome(report, database, bad_rows, stop.signum)


def _begin(
    run: RecordedRun,
    assembly: Assembly,
    market: RecordedMarket,
    lines: Iterator[SignalLine | BadSignal],
) -> tuple[Playback, int, int | None]:
    """Set the tape going: at its own start, or where the books of an earlier run stopped. Gives the
    playback, its first instant, and the last one if the duration is limited."""
    tape = Tape(market.quotes(), lines, assembly.signals_from(SIGNALS_SOURCE))
    playback = Playback(assembly.loop, tape, SIGNALS_SOURCE, lambda: market.bad_rows)
    times = (tape.next_quote_ns(), tape.next_signal_ns())
    # A second before the data: the start is compared with the venue before the first signal.
    first_ns = min((at_ns for at_ns in times if at_ns), default=SECOND_NS) - SECOND_NS
    start_ns = max(first_ns, assembly.resume_ns)
    playback.skip_quotes_until(assembly.resume_ns)
    assembly.loop.start(assembly.started, start_ns)
    return playback, start_ns, None if run.duration_ns is None else first_ns + run.duration_ns


def _run_fast(
    run: RecordedRun,
    settings: Settings,
    database: Path,
    identity: RunIdentity,
    market: RecordedMarket,
    lines: Iterator[SignalLine | BadSignal],
    stop: Stop,
    progress: Callable[[int, int, int], None],
) -> None:
    assembly = assemble(settings, database, identity, wait=_wait_for_storage(stop))
    try:
        if assembly.has_ended:
            return
        playback, _, last_ns = _begin(run, assembly, market, lines)
        loop = assembly.loop
        while stop.signum is None and (due_ns := playback.next_ns()) is not None:
            if last_ns is not None and due_ns > last_ns:
                break
            playback.step(due_ns)
            progress(loop.now_ns, loop.quotes_seen, loop.signals_seen)
        if stop.signum is None:
            playback.end()
    finally:
        assembly.close()


async def _run_paced(
    run: RecordedRun,
    settings: Settings,
    database: Path,
    identity: RunIdentity,
    market: RecordedMarket,
    lines: Iterator[SignalLine | BadSignal],
    stop: Stop,
    progress: Callable[[int, int, int], None],
) -> None:
    wakers: list[Callable[[], None]] = []

    def wake_all() -> None:
        for wake in wakers:
            wake()

    assembly = assemble(settings, database, identity, wait=None, notify=wake_all)
    try:
        if assembly.has_ended:
            return
        playback, start_ns, last_ns = _begin(run, assembly, market, lines)
        loop = assembly.loop
        live = LiveLoop(loop, playback, Clock(start_ns, run.speed or 1))
        wakers.append(live.wake_soon)
        stop.hooks.append(live.stop)

        def on_step(now_ns: int) -> None:
            progress(now_ns, loop.quotes_seen, loop.signals_seen)
            if last_ns is not None and now_ns >= last_ns:
                live.stop()

        await live.run(on_step)
        if stop.signum is None:
            playback.end()
    finally:
        assembly.close()


def _wait_for_storage(stop: Stop) -> Callable[[StorageFailed], None]:
    """Recorded time stands still while storage fails: say so, wait, try again, and give up after a
    while."""
    since: list[float] = []

    def wait(failure: StorageFailed) -> None:
        now = time.monotonic()
        if not since:
            since.append(now)
            sys.stderr.write(f"storage failed, trying again: {failure.cause}\n")
        if stop.signum is not None or now - since[0] > STORAGE_WAIT_SECONDS:
            raise failure
        time.sleep(STORAGE_RETRY_SECONDS)

    return wait
