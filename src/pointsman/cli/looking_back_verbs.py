"""`report` and `whatif`: what a run was, and what it might have been under other limits."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pointsman.cli.ending import complain, fail, tell
from pointsman.cli.options import Options, database_of, flag, path_option, takes_options
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
from pointsman.cli.status_verb import places

if TYPE_CHECKING:
    from pointsman.config.settings import Settings
    from pointsman.looking_back.changes import Changes, Period
    from pointsman.looking_back.run_again import Tape
    from pointsman.looking_back.whatif import WhatIf
    from pointsman.reading.documents import Document

Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="A setting that is other; repeatable."),
]
Sweep = Annotated[
    str | None,
    typer.Option("--sweep", metavar="NAME=A,B,C", help="One setting, a run for each value."),
]
From = Annotated[
    str | None, typer.Option("--from", metavar="TIME", help="Changes hold from here on (UTC).")
]
To = Annotated[str | None, typer.Option("--to", metavar="TIME", help="And up to here.")]
Market = Annotated[
    list[str] | None,
    typer.Option(
        "--market",
        metavar="FILE",
        help="Recorded quotes: run them and the signals again, as a whole; repeatable.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.command("report")(takes_options(report))
    app.command("whatif")(takes_options(whatif))


def report(
    options: Options,
    html: Annotated[
        Path | None, path_option("--html", "FILE", "Write it as a page that needs nothing else.")
    ] = None,
) -> None:
    """What a run came to: its report, also as one HTML file with plots."""
    from pointsman.service.recorded_run import report_on

    database = database_of(options)
    if html is None:
        _tell_report(options, report_on(database))
        return
    from pointsman.looking_back.again import CannotDecide
    from pointsman.looking_back.report_page import report_data, report_page

    try:
        page = report_page(report_data(database, _settings(options, {}, is_run=False)))
    except CannotDecide as error:
        fail(str(error))
    html.write_text(page, encoding="utf-8")
    tell(options, {"html": str(html), "bytes": len(page.encode())}, f"written to {html}")


def _tell_report(options: Options, document: "Document") -> None:
    from pointsman.terminal.summary import summary
    from pointsman.terminal.text import console, print_json

    if options.as_json:
        print_json(document)
    else:
        console().print(summary(document))


def whatif(
    options: Options,
    sets: Set = None,
    sweep: Sweep = None,
    since: From = None,
    until: To = None,
    market: Market = None,
    signals: Annotated[
        Path | None,
        path_option("--signals", "FILE", "With --market: signals, instead of the database's."),
    ] = None,
    columns: ColumnNames = None,
    vendor: FormatName = None,
    symbol: FixedSymbol = None,
    size: FixedSize = None,
    separator: Separator = None,
    decimal_comma: DecimalComma = False,
    no_header: NoHeader = None,
    has_equity: Annotated[bool, flag("With --json: equity over time too.", "--equity")] = False,
) -> None:
    """How a run would have gone under other limits. The database stays as it is.

    Recorded events are decided again; with --market the recorded quotes and signals run again
    through the whole engine and the paper venue.
    """
    from pointsman.looking_back.again import CannotDecide
    from pointsman.looking_back.changes import read_pairs, read_period
    from pointsman.looking_back.run_again import Tape
    from pointsman.looking_back.whatif import whatif_document
    from pointsman.market.lines import UnreadableFile
    from pointsman.terminal.text import console, print_json

    given = read_pairs(sets or [], "--set")
    swept = read_pairs([sweep] if sweep else [], "--sweep")
    changes = _changes(options, given, swept, is_run=bool(market))
    period = read_period(since, until)
    if signals is not None and not market:
        raise typer.BadParameter("it needs --market FILE too", param_hint="--signals")
    try:
        if market:
            layout = layout_of(vendor, columns, symbol, size, separator, decimal_comma, no_header)
            tape = Tape(tuple(map(Path, market)), layout, signals)
            found = _run_again(options, changes, tape, period)
        else:
            found = _decide_again(options, changes, period)
    except (CannotDecide, UnreadableFile) as error:
        fail(str(error))
    if options.as_json:
        print_json(whatif_document(found, has_equity=has_equity))
    else:
        from pointsman.looking_back.shown import draw

        console().print(draw(found))


def _changes(
    options: Options, given: dict[str, str], swept: dict[str, str], *, is_run: bool
) -> "list[Changes]":
    """One set of changes for each run. Raises SettingsError."""
    from pointsman.looking_back.changes import Changes

    sets = [given] if given else []
    for name, values in swept.items():
        sets = [{**given, name: value.strip()} for value in values.split(",") if value.strip()]
    return [Changes(each, _settings(options, each, is_run=is_run)) for each in sets]


def _settings(options: Options, values: dict[str, str], *, is_run: bool) -> "Settings":
    """The settings in force with these changes. A run is on paper, whatever is traded otherwise."""
    from pointsman.config.settings import read_given

    env, env_file, overrides = places(options.env_file, options.db)
    settings = read_given(env, env_file, {**overrides, **values}).loaded().settings
    if not is_run:
        return settings
    mode = settings.position_mode.value
    on_paper = {"VENUE": "paper", "PAPER_POSITION_MODE": mode, "KILL_SWITCH_FILE": ""}
    return read_given(env, env_file, {**overrides, **values, **on_paper}).loaded().settings


def _decide_again(options: Options, changes: "list[Changes]", period: "Period") -> "WhatIf":
    from pointsman.looking_back.changes import require_first_level
    from pointsman.looking_back.whatif import decide_again

    require_first_level([name for each in changes for name in each.values])
    fee_bps, database = _settings(options, {}, is_run=False).paper_fee_bps, database_of(options)
    if changes:
        _say_other_version(database)
    return decide_again(database, changes, fee_bps, period)


def _say_other_version(database: Path) -> None:
    """Another version may decide otherwise by itself."""
    from pointsman.looking_back.recorded import recorded
    from pointsman.version import __version__

    with recorded(database) as then:
        started = then.started
    if started is not None and started.version != __version__:
        complain(
            f"this run was recorded by version {started.version}, and is decided again by"
            f" {__version__}: some of what differs may come of that"
        )


def _run_again(
    options: Options, changes: "list[Changes]", tape: "Tape", period: "Period"
) -> "WhatIf":
    from pointsman.looking_back.run_again import run_again
    from pointsman.service.clean_stop import SIGNAL_EXIT_BASE, clean_stop

    unchanged = _settings(options, {}, is_run=True)
    database = database_of(options)
    known = database if database.exists() else None
    if known is None and tape.signals is None:
        fail(f"{database} does not exist; name the signals with --signals, or the database")
    _say_difference(known, unchanged)
    with clean_stop() as stop:
        found = run_again(known, changes, unchanged, tape, period, stop)
    if stop.signum is not None:
        raise typer.Exit(SIGNAL_EXIT_BASE + stop.signum)
    return found


def _say_difference(database: Path | None, settings: "Settings") -> None:
    """Settings in force that are not those of the recorded run: then its runs differ by them
    too."""
    from pointsman.looking_back.recorded import recorded

    if database is None:
        return
    with recorded(database) as then:
        started = then.started
    if started is not None and started.settings_digest != settings.digest():
        complain(
            "the settings in force are not those of the recorded run: what differs comes of both;"
            " `pointsman config show` lists them"
        )
