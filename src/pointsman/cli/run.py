"""`pointsman run`: the engine, from flags to exit code.

What a person sees goes to standard error while it runs; at the end comes a summary, or with --json
the report, on standard output. On a terminal a paced run shows the dashboard instead, and its log
goes to a file beside the database.
"""

import json
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pointsman.cli.dashboard_verb import is_dumb
from pointsman.cli.ending import complain, fail
from pointsman.cli.engine_endings import known_endings
from pointsman.cli.feed_options import (
    ARRIVING,
    DEMO,
    HTTP,
    NONE,
    SIM,
    STANDARD_INPUT,
    VENUES,
    read_market,
    read_signals,
    read_speed,
)
from pointsman.cli.options import Options, flag, settings_given, takes_options, whole_option
from pointsman.cli.quote_options import (
    ColumnNames,
    DecimalComma,
    FixedSize,
    FixedSymbol,
    FormatName,
    NoHeader,
    Separator,
    layout_of,
)
from pointsman.domain.timestamps import SECOND_NS
from pointsman.engine.exit_codes import ExitCode

if TYPE_CHECKING:
    from pointsman.config.settings import GivenSettings, LoadedSettings, Settings
    from pointsman.domain.accounts import VenueAccount
    from pointsman.engine.joining import Join
    from pointsman.market.layout import Layout
    from pointsman.service.arrivals import Intake
    from pointsman.service.clean_stop import Stop
    from pointsman.service.feeds import Feed
    from pointsman.service.log import Log

PROGRESS_TTY_SECONDS = 0.2  # not money: seconds
PROGRESS_LINE_SECONDS = 5.0  # not money: seconds


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("run")(takes_options(run))


def run(
    options: Options,
    market: Annotated[
        list[str] | None,
        typer.Option(
            "--market",
            metavar="MARKET",
            help="Quotes: sim, simulated (the default); FILE, recorded (repeatable); -, on standard"
            " input; http, by POST /api/v1/quotes; venue, live from where orders go (the default"
            " where VENUE is a real one); or the name of a venue, live for the paper venue.",
        ),
    ] = None,
    signals: Annotated[
        str | None,
        typer.Option(
            "--signals",
            metavar="demo|none|FILE|-",
            help="Signals, JSON Lines. Default: demo with the simulated market, else none.",
        ),
    ] = None,
    speed: Annotated[
        str | None,
        typer.Option(
            "--speed",
            metavar="N|max",
            help="Multiple of real time. Default: max for files, else 1.",
        ),
    ] = None,
    duration: Annotated[
        int | None, whole_option("--duration", "SECONDS", "Stop after this time of the market.", 1)
    ] = None,
    columns: ColumnNames = None,
    vendor: FormatName = None,
    symbol: FixedSymbol = None,
    size: FixedSize = None,
    separator: Separator = None,
    decimal_comma: DecimalComma = False,
    no_header: NoHeader = None,
    seed: Annotated[int, whole_option("--seed", "N", "Random seed.", -(2**63), 2**63 - 1)] = 0,
    headless: Annotated[bool, flag("Log lines, no dashboard.", "--headless")] = False,
) -> None:
    """Run the engine: simulated market, recorded quotes, or quotes as they come.

    A paced run listens to process signals: SIGINT and SIGTERM end it cleanly, SIGUSR1 presses the
    kill switch, SIGUSR2 presses it and closes everything.
    """
    from pointsman.service.clean_stop import SIGNAL_EXIT_BASE, clean_stop

    given = settings_given(options)
    kind, files = read_market(market or [], given.settings.venue)
    pace = read_speed(kind, speed)
    layout = layout_of(vendor, columns, symbol, size, separator, decimal_comma, no_header)
    wanted = Wanted(kind, files, read_signals(kind, pace, signals), pace, layout, seed)
    loaded = wanted.checked(given)
    for warning in loaded.warnings:
        typer.echo(f"warning: {warning}", err=True)
    with known_endings(), clean_stop() as stop:
        run_wanted(options, wanted, loaded.settings, duration, headless, stop)
    if stop.signum is not None:
        raise typer.Exit(SIGNAL_EXIT_BASE + stop.signum)


class Wanted:
    """The flags of a run, checked. `speed` None is as fast as it goes."""

    def __init__(
        self,
        kind: str,
        files: tuple[Path, ...],
        signals: str,
        speed: int | None,
        layout: "Layout",
        seed: int,
    ) -> None:
        self.kind = kind
        self.files = files
        self.signals = signals
        self.speed = speed
        self.layout = layout
        self.seed = seed

    @property
    def is_lasting(self) -> bool:
        """Whether its database is used again and again."""
        return self.kind in ARRIVING or (self.kind == SIM and self.speed is not None)

    def database(self, settings: "Settings") -> Path | None:
        """The path of its database; None for one in a new folder of this run."""
        is_named = self.is_lasting or "DATABASE_PATH" in settings.sources
        return settings.database_path if is_named else None

    def checked(self, given: "GivenSettings") -> "LoadedSettings":
        """The settings, for such a run. Raises SettingsError with every problem at once."""
        from pointsman.service.preflight import checked

        return checked(
            given,
            self.database(given.settings),
            is_served=self.speed is not None,
            quotes_of=self.kind if self.kind in VENUES else "",
        )

    def feed(self, settings: "Settings") -> "Feed":
        """What drives it."""
        from pointsman.service import feeds

        words = (NONE, DEMO, STANDARD_INPUT)
        signals = None if self.signals in words else Path(self.signals)
        if self.kind == SIM:
            return feeds.simulated_feed(
                self.seed, self.signals == DEMO, signals, self.is_lasting, settings
            )
        if self.kind in ARRIVING:
            return feeds.arriving_feed(ARRIVING[self.kind], signals, time.time_ns())
        return feeds.recorded_feed(self.files, self.layout, signals, self.seed, settings)

    def arrivals(self, settings: "Settings", database: Path) -> "Intake | None":
        """What comes on standard input, by HTTP, or from a venue."""
        from pointsman.market.recorded import RecordedMarket
        from pointsman.service.arrivals import Arrivals, standard_input

        if self.kind in VENUES:
            from pointsman.config.quote_settings import quote_settings
            from pointsman.service.venue_quotes import venue_quotes

            return venue_quotes(quote_settings(settings, self.kind), database)
        if self.kind == STANDARD_INPUT:
            return Arrivals(standard_input(), RecordedMarket((), self.layout), complain)
        if self.kind == HTTP:
            return Arrivals(None, None, complain)
        if self.signals == STANDARD_INPUT:
            return Arrivals(standard_input(), None, complain)
        return None


def run_wanted(
    options: Options,
    wanted: Wanted,
    settings: "Settings",
    duration: int | None,
    headless: bool,
    stop: "Stop",
    join: "Join | None" = None,
) -> None:
    """Run to the end, and say how it was. `join` is given where the desk is owned already."""
    from pointsman.service.recorded_run import fresh_folder, report_on
    from pointsman.service.start_notes import notes_before, notes_on_instruments

    feed = wanted.feed(settings)
    database = wanted.database(settings) or fresh_folder() / "trading.db"
    for told in notes_before(feed, settings, database, time.time_ns()):
        complain(told)
    duration_ns = None if duration is None else duration * SECOND_NS
    began = time.monotonic()
    is_broken = False
    if wanted.speed is None:
        from pointsman.service.recorded_run import run_fast

        progress = Progress(is_live=sys.stderr.isatty() and not headless)
        run_fast(feed, settings, database, duration_ns, stop, progress.show)
        progress.end()
    else:
        is_terminal = sys.stdout.isatty() and not is_dumb()
        is_shown = is_terminal and not headless and not options.as_json
        is_broken = _run_paced(wanted, feed, settings, database, duration_ns, is_shown, stop, join)
    for row in feed.told_bad_rows():
        typer.echo(f"skipped {row}", err=True)
    if not wanted.is_lasting or options.as_json or stop.signum is None:
        _tell(options, report_on(database), time.monotonic() - began, wanted.is_lasting)
    for told in () if wanted.is_lasting else notes_on_instruments(settings, database):
        complain(told)
    typer.echo(f"database: {database}", err=True)
    # A run that was stopped may not have come to the first row or signal yet.
    unused = "" if stop.is_asked else feed.unused() or _nothing_seen(wanted, database)
    if unused:
        fail(unused)
    if is_broken:
        raise typer.Exit(ExitCode.FAILURE)


def _nothing_seen(wanted: Wanted, database: Path) -> str:
    """What to say of a recorded run that had ended before, without one quote."""
    from pointsman.service.recorded_run import report_on

    if not wanted.files or report_on(database)["quotes"]:
        return ""
    return "no usable row in the files"


def _run_paced(
    wanted: Wanted,
    feed: "Feed",
    settings: "Settings",
    database: Path,
    duration_ns: int | None,
    is_shown: bool,
    stop: "Stop",
    join: "Join | None",
) -> bool:
    """Run to the end; whether standard input could not be read to its own."""
    import asyncio

    from pointsman.engine.supervision import Part
    from pointsman.service import log as log_lines
    from pointsman.service.arrivals import Arrivals
    from pointsman.service.clean_stop import ended_in_time
    from pointsman.service.dashboard_process import open_log, show_dashboard
    from pointsman.service.kill_signals import kill_signals_blocked
    from pointsman.service.live_run import Plan, run_paced
    from pointsman.service.log import LineWriter, Log

    with kill_signals_blocked(), ended_in_time(stop), ExitStack() as opened:
        stream = opened.enter_context(open_log(database)) if is_shown else sys.stderr
        writer = LineWriter(stream)
        opened.callback(writer.stop)

        def log(now_ns: Callable[[], int]) -> Log:
            return Log(writer.put, settings.log_format, settings.log_level, now_ns)

        def started(account: "VenueAccount") -> None:
            if not account.is_paper:
                # One thread at a time may write to a text stream: lines were lost.
                say = _say_on_terminal if is_shown else writer.put
                _say_account(account, settings, log(time.time_ns), say)
            if is_shown:
                opened.callback(show_dashboard(database, stop))

        plan = Plan(feed, database, wanted.speed or 1, duration_ns, join)
        arrivals = wanted.arrivals(settings, database)
        parts = [Part(log_lines.THREAD_NAME, lambda: writer.is_alive, writer.start)]
        asyncio.run(run_paced(plan, settings, stop, log, started, arrivals, parts))
    return isinstance(arrivals, Arrivals) and arrivals.is_broken


def _say_on_terminal(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def _say_account(
    account: "VenueAccount", settings: "Settings", log: "Log", say: Callable[[str], None]
) -> None:
    """Whose money it is that is traded with, and what limits it: a line of the log where that is
    for programs, else lines for a person."""
    from pointsman.config.fields import LogFormat, LogLevel
    from pointsman.terminal.text import console
    from pointsman.terminal.venue_start import draw_start, limits_in_force

    if settings.log_format is LogFormat.JSON:
        log.say((LogLevel.WARNING, f"trading on {account.label}", dict(limits_in_force(settings))))
    else:
        drawing = console(is_error=True)
        with drawing.capture() as drawn:
            drawing.print(draw_start(account, settings))
        say(drawn.get().rstrip("\n"))


def _tell(options: Options, report: dict[str, Any], seconds: float, is_lasting: bool) -> None:
    from pointsman.terminal.summary import summary
    from pointsman.terminal.text import console

    timed = {**report, "wall_seconds": round(seconds, 3)}
    if options.as_json:
        typer.echo(json.dumps(timed))
    else:
        # The database of a lasting run holds what earlier ones did too: in other seconds.
        console().print(summary(report if is_lasting else timed))
        if is_lasting:
            typer.echo(
                "Quotes are of this run; all other figures are since the database was created."
            )


class Progress:
    """What is seen of a fast run: one line that is rewritten on a terminal, else a line now and
    then."""

    def __init__(self, is_live: bool) -> None:
        self._is_live = is_live
        self._every = PROGRESS_TTY_SECONDS if is_live else PROGRESS_LINE_SECONDS
        self._next = time.monotonic() + self._every
        self._is_open = False

    def show(self, now_ns: int, quotes: int, signals: int) -> None:
        """Told after every instant; mostly says nothing."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + self._every
        at = datetime.fromtimestamp(now_ns // SECOND_NS, UTC).strftime("%Y-%m-%d %H:%M:%S")
        line = f"{at} UTC  quotes {quotes:>9,}  signals {signals:>7,}"
        if self._is_live:
            sys.stderr.write(f"\r\x1b[2K{line}")
            self._is_open = True
        else:
            sys.stderr.write(f"{line}\n")
        sys.stderr.flush()

    def end(self) -> None:
        """Leave the terminal as it was."""
        if self._is_open:
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()
