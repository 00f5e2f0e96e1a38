"""`pointsman run`: the engine, from flags to exit code.

What a person sees goes to standard error while it runs; at the end comes a summary, or with --json
the report, on standard output.
"""

import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from pointsman.cli.options import Options, read_settings, takes_options

PROGRESS_TTY_SECONDS = 0.2  # not money: seconds
PROGRESS_LINE_SECONDS = 5.0  # not money: seconds
SECOND_NS = 10**9
SIGNAL_EXIT_BASE = 128


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("run")(takes_options(run))


def run(
    options: Options,
    market: Annotated[
        list[str] | None,
        typer.Option("--market", metavar="FILE", help="Quotes; repeatable."),
    ] = None,
    signals: Annotated[
        str, typer.Option("--signals", metavar="none|FILE", help="Signals, JSON Lines.")
    ] = "none",
    speed: Annotated[
        str,
        typer.Option("--speed", metavar="N|max", help="Times real time."),
    ] = "max",
    duration: Annotated[
        int | None, typer.Option("--duration", min=1, metavar="SECONDS", help="Of event time.")
    ] = None,
    columns: Annotated[
        list[str] | None,
        typer.Option("--column", metavar="OURS=THEIRS", help="Name of a column; repeatable."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Of the run.")] = 0,
    headless: Annotated[bool, typer.Option("--headless", help="Plain lines only.")] = False,
) -> None:
    """Run the engine on recorded quotes."""
    from pointsman.cli.recorded_run import RecordedRun, run_recorded

    files, names, pace = _files(market), _columns(columns or []), _speed(speed)
    signal_file = None if signals == "none" else _file("--signals", signals)
    loaded = read_settings(options)
    for warning in loaded.warnings:
        typer.echo(f"warning: {warning}", err=True)
    is_named = "DATABASE_PATH" in loaded.settings.sources
    plan = RecordedRun(
        market=files,
        columns=names,
        signals=signal_file,
        database=loaded.settings.database_path if is_named else None,
        speed=pace,
        duration_ns=None if duration is None else duration * SECOND_NS,
        seed=seed,
    )
    progress = Progress(is_live=sys.stderr.isatty() and not headless)
    began = time.monotonic()
    outcome = run_recorded(plan, loaded.settings, progress.show)
    progress.end()
    _tell(options, outcome.report, outcome.bad_rows, time.monotonic() - began)
    typer.echo(f"database: {outcome.database}", err=True)
    if outcome.stopped_by is not None:
        raise typer.Exit(SIGNAL_EXIT_BASE + outcome.stopped_by)


def _tell(
    options: Options, report: dict[str, Any], bad_rows: tuple[str, ...], seconds: float
) -> None:
    from pointsman.cli.render import console
    from pointsman.cli.summary import summary

    for row in bad_rows:
        typer.echo(f"skipped {row}", err=True)
    if options.as_json:
        typer.echo(json.dumps({**report, "wall_seconds": round(seconds, 3)}))
    else:
        console().print(summary(report))


class Progress:
    """What is seen while it runs: one line that is rewritten on a terminal, else a line now and
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


def _files(market: list[str] | None) -> tuple[Path, ...]:
    if not market:
        raise typer.BadParameter("name at least one file of recorded quotes", param_hint="--market")
    return tuple(_file("--market", name) for name in market)


def _file(flag: str, name: str) -> Path:
    path = Path(name)
    if not path.is_file():
        raise typer.BadParameter(f"{name}: no such file", param_hint=flag)
    return path


def _columns(pairs: list[str]) -> dict[str, str]:
    columns = {}
    for pair in pairs:
        ours, found, theirs = pair.partition("=")
        if not found or not ours or not theirs:
            raise typer.BadParameter(f"{pair}: write it as ts=ts_utc", param_hint="--column")
        columns[ours] = theirs
    return columns


def _speed(text: str) -> int | None:
    if text == "max":
        return None
    if not text.isdigit() or not 1 <= int(text) <= 100_000:
        raise typer.BadParameter(
            f"{text}: write max, or a whole number from 1 to 100000", param_hint="--speed"
        )
    return int(text)
