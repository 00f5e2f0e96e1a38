"""A run as fast as it goes, on recorded or simulated time: from a feed to a report.

The report is computed from the database alone, so an interrupted run that is continued, or a
finished one that is asked again, gives the same one (RULES 5). A paced run decides the same; it is
in `live_run`.
"""

import sys
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from pointsman.config.settings import Settings
from pointsman.domain.commands import Step
from pointsman.domain.events import Event
from pointsman.domain.timestamps import SECOND_NS
from pointsman.engine import gc_tuning
from pointsman.engine.assembly import Assembly, assemble
from pointsman.engine.playback import Playback
from pointsman.engine.rerun import Diverged
from pointsman.market.tape import Tape
from pointsman.reading.report import build_report
from pointsman.service.clean_stop import Stop
from pointsman.service.feeds import Feed
from pointsman.storage.errors import StorageFailed
from pointsman.storage.reader import open_reader

STORAGE_WAIT_SECONDS = 30
STORAGE_RETRY_SECONDS = 1

Progress = Callable[[int, int, int], None]
"""Told event time, quotes and signals so far, now and then."""


class PreparedRun(msgspec.Struct):
    """A feed that is ready to go: the time of its first instant, and of the last one where the
    duration is limited."""

    playback: Playback
    tape: Tape
    start_ns: int
    last_ns: int | None


def fresh_folder() -> Path:
    """A new folder for the files of one run, under `runs/`."""
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    for attempt in range(1, 1000):
        folder = Path("runs") / (stamp if attempt == 1 else f"{stamp}-{attempt}")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        except OSError as error:
            raise OSError(
                f"the folder {folder} of this run cannot be made here ({error.strerror}); name a"
                " database in a folder that can be written, with --db PATH"
            ) from error
        return folder
    raise FileExistsError(f"runs/{stamp}: a thousand runs within one second")


def prepare(feed: Feed, assembly: Assembly, duration_ns: int | None) -> PreparedRun:
    """Make a feed ready to go: from its own start, or where the books of an earlier run stopped.
    The duration of a run that is continued counts from its own start, that of a lasting one from
    now. `Assembly.start` begins the run."""
    tape = feed.tape(assembly.resume_ns, assembly.signals_from(feed.source))
    playback = Playback(assembly.loop, tape, feed.source, feed.bad_rows)
    begins_ns = feed.begins_ns
    if begins_ns is None:
        times = (tape.next_quote_ns(), tape.next_signal_ns())
        # A second before the data: the start is compared with the venue before the first signal.
        begins_ns = min((at_ns for at_ns in times if at_ns), default=SECOND_NS) - SECOND_NS
    start_ns = max(begins_ns, assembly.resume_ns)
    playback.skip_quotes_until(max(feed.begins_ns or 0, assembly.resume_ns))
    counted_ns = start_ns if feed.is_lasting else begins_ns
    last_ns = None if duration_ns is None else counted_ns + duration_ns
    return PreparedRun(playback, tape, start_ns, last_ns)


def open_run(
    assembled: Callable[[bool], Assembly], feed: Feed, duration_ns: int | None, stop: Stop
) -> tuple[Assembly, PreparedRun | None]:
    """Open a run. One that was interrupted is made again, up to where its journal ends, and has
    begun then. Where that does not give what the journal says, it continues from its records; and
    so does a market without an end."""
    assembly = assembled(not feed.is_lasting)
    rerun = assembly.rerun
    if rerun is None:
        return assembly, None
    try:
        begun = prepare(feed, assembly, duration_ns)
        assembly.loop.start(assembly.started, begun.start_ns)
        while not rerun.is_caught_up and not stop.is_asked:
            due_ns = begun.playback.next_ns()
            if due_ns is None:
                rerun.end_early()
            else:
                begun.playback.step(due_ns)
                begun.playback.take_quiet_quotes(_last_ns(feed, begun))
                begun.playback.pass_empty_time(begun.last_ns)
    except Diverged as diverged:
        assembly.close()
        sys.stderr.write(f"continuing from the stored records: {diverged}\n")
        return assembled(False), None
    except BaseException:
        assembly.close()
        raise
    return assembly, begun


def _last_ns(feed: Feed, begun: PreparedRun) -> int | None:
    """The last instant of a run as fast as it goes; None for the end of its data."""
    return feed.first_close_ns if begun.last_ns is None else begun.last_ns


def run_fast(
    feed: Feed,
    settings: Settings,
    database: Path,
    duration_ns: int | None,
    stop: Stop,
    progress: Progress,
    on_turn: Callable[[Event, Step], None] | None = None,
) -> None:
    """Run to the end of the data, of the duration, or of the first session of a market that has no
    end. `on_turn`, where given, is called after each turn.

    Raises what opening the database and the ledger can raise, and StorageFailed when storage did
    not work for STORAGE_WAIT_SECONDS.
    """
    wait = _wait_for_storage(stop)
    assembly, begun = open_run(
        lambda is_rerun: assemble(settings, database, feed.identity, wait=wait, is_rerun=is_rerun),
        feed,
        duration_ns,
        stop,
    )
    with closing(assembly):
        if assembly.has_ended or assembly.is_behind:
            return
        begun = begun or prepare(feed, assembly, duration_ns)
        assembly.loop.on_turn = on_turn
        assembly.start(begun.start_ns)
        gc_tuning.keep_short()
        last_ns = _last_ns(feed, begun)
        loop, playback = assembly.loop, begun.playback
        with assembly.watching(lambda: loop.now_ns) as obey_latch:
            while not stop.is_asked and (due_ns := playback.next_ns()) is not None:
                if last_ns is not None and due_ns > last_ns:
                    break
                playback.step(due_ns)
                playback.take_quiet_quotes(last_ns)
                playback.pass_empty_time(last_ns)
                obey_latch()
                progress(loop.now_ns, loop.quotes_seen, loop.signals_seen)
        if not stop.is_asked:
            playback.end()


def report_on(database: Path) -> dict[str, Any]:
    """The report of a database."""
    with closing(open_reader(database)) as connection:
        return build_report(connection)


def _wait_for_storage(stop: Stop) -> Callable[[StorageFailed], None]:
    """Recorded time stands still while storage fails: say so, wait, try again, and give up after a
    while. A failure long after the one before is a new one."""
    since = last = float("-inf")  # not money: seconds

    def wait(failure: StorageFailed) -> None:
        nonlocal since, last
        now = time.monotonic()
        if now - last > STORAGE_WAIT_SECONDS:
            since = now
            sys.stderr.write(f"storage failed, trying again: {failure.cause}\n")
        if stop.is_asked or now - since > STORAGE_WAIT_SECONDS:
            raise failure
        time.sleep(STORAGE_RETRY_SECONDS)
        last = time.monotonic()

    return wait
