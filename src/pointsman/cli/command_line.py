"""The command line: every verb, and its arguments.

A verb loads what it needs when it is called, so that `--help` answers at once. Standard output
holds the answer and nothing else; problems go to standard error.
"""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from pointsman.cli import (
    cluster_verbs,
    control_verbs,
    database_verbs,
    fleet_verbs,
    looking_back_verbs,
    run,
    service_verbs,
    signal_verb,
    simulate,
    status_verb,
    venue_verbs,
)
from pointsman.cli import dashboard_verb as dashboard
from pointsman.cli.ending import fail, note_unknown_account
from pointsman.cli.options import (
    Options,
    database_of,
    flag,
    path_alone,
    read_settings,
    settings_given,
    takes_options,
    usable_settings,
    whole_option,
)
from pointsman.cli.verb_help import group
from pointsman.config.problems import SettingsError
from pointsman.engine.exit_codes import ExitCode

if TYPE_CHECKING:
    from pointsman.reading.lists import ListFilter

_SHOWN_LIMIT = 50

Va = Annotated[str | None, typer.Option("--va", metavar="ID", help="Only this account.")]
Limit = Annotated[int, whole_option("--limit", "N", "How many of the newest.", 1)]

app = group(
    "A governed execution loop between trading strategies and venues.",
    name="pointsman",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
journal = group("Check the journal.", no_args_is_help=True)
config = group("The settings.", no_args_is_help=True)
accounts = group("The virtual accounts.", invoke_without_command=True)
venue = group("The venues that orders can go to.", no_args_is_help=True)
database = group("Copy and migrate the database.", no_args_is_help=True)
fleet = group("All desks of a cluster at once.", no_args_is_help=True)
notify = group("What is sent to NOTIFY_URLS.", no_args_is_help=True)


def _tell_version(is_asked: bool) -> None:
    from pointsman.version import __version__

    if is_asked:
        typer.echo(__version__)
        raise typer.Exit


Version = Annotated[
    bool,
    typer.Option(
        "--version", metavar="", help="Print the version.", callback=_tell_version, is_eager=True
    ),
]


@app.callback()
@takes_options
def _before_the_verb(_options: Options, _version: Version = False) -> None:
    """A governed execution loop between trading strategies and venues."""


@journal.callback()
@takes_options
def _before_the_journal_verb(_options: Options) -> None:
    """Check the journal."""


@database.callback()
@takes_options
def _before_the_database_verb(_options: Options) -> None:
    """Copy and migrate the database."""


@venue.callback()
@takes_options
def _before_the_venue_verb(_options: Options) -> None:
    """The venues that orders can go to."""


@notify.callback()
@takes_options
def _before_the_notify_verb(_options: Options) -> None:
    """What is sent to NOTIFY_URLS."""


@config.callback()
@takes_options
def _before_the_config_verb(_options: Options) -> None:
    """The settings."""


# -- what is -------------------------------------------------------------------------------------


@app.command()
@takes_options
def status(options: Options) -> None:
    """Whether it may trade, whether it runs, and what it holds."""
    status_verb.show(path_alone(options), as_json=options.as_json)


def _show(verb: str, options: Options, wanted: "ListFilter") -> None:
    import msgspec

    from pointsman.reading.lists import LISTS
    from pointsman.reading.price_decimals import read_price_decimals
    from pointsman.storage.reader import reading
    from pointsman.terminal.status import engine_touches
    from pointsman.terminal.text import console, print_json
    from pointsman.terminal.views import VIEWS, listing

    read, path = LISTS[verb], database_of(options)
    if verb in ("accounts", "positions"):
        wanted = msgspec.structs.replace(wanted, touches=engine_touches(path))
    with reading(path) as connection:
        rows = read.rows(connection, wanted)
        price_decimals = read_price_decimals(connection)
        if not rows and not options.as_json:
            note_unknown_account(connection, wanted.va_id)
    if options.as_json:
        print_json([read.document(row) for row in rows])
    else:
        console().print(listing(VIEWS[verb], rows, wanted, price_decimals))


def _add_list(verb: str, text: str) -> None:
    def show(options: Options, va: Va = None, limit: Limit = _SHOWN_LIMIT) -> None:
        from pointsman.reading.lists import ListFilter

        _show(verb, options, ListFilter(va, limit))

    show.__doc__ = text
    app.command(verb)(takes_options(show))


@accounts.callback()
@takes_options
def show_accounts(options: Options, context: typer.Context, va: Va = None) -> None:
    """The virtual accounts: what they are worth and may do."""
    from pointsman.reading.lists import ListFilter

    if context.invoked_subcommand is None:
        _show("accounts", options, ListFilter(va))


@app.command()
@takes_options
def orders(
    options: Options,
    va: Va = None,
    limit: Limit = _SHOWN_LIMIT,
    open_only: Annotated[bool, flag("Only orders that may still fill.", "--open")] = False,
) -> None:
    """The orders, with what became of them."""
    from pointsman.reading.lists import ListFilter

    _show("orders", options, ListFilter(va, limit, open_only))


_add_list("positions", "The open positions, and whether their stops are confirmed.")
_add_list("fills", "The executions, with price and fee.")
_add_list("trades", "The closed positions, with their results.")
_add_list("incidents", "The incidents that need attention.")


# -- why, and whether it holds -------------------------------------------------------------------


@app.command()
@takes_options
def why(
    options: Options,
    signal_id: Annotated[
        str, typer.Argument(metavar="SIGNAL_ID", help="The signal's id, or a client order id.")
    ],
) -> None:
    """The story of a signal, or of the one behind an order: rules with their numbers, orders,
    fills."""
    from pointsman.reading.story import near_ids, read_story, signal_of_order, story_document
    from pointsman.storage.reader import reading
    from pointsman.terminal.text import console, print_json
    from pointsman.terminal.why import draw_story

    settings = usable_settings(options)
    with reading(settings.database_path) as connection:
        story = read_story(connection, signal_id)
        if story is None and (of_order := signal_of_order(connection, signal_id)) is not None:
            story = read_story(connection, of_order)
        near = [] if story is not None else near_ids(connection, signal_id)
    if story is None:
        hint = f"nearest: {', '.join(near)}" if near else "`pointsman signals` lists the newest"
        path = settings.database_path
        fail(f"no signal or order {signal_id!r} in {path}; {hint}")
    if options.as_json:
        print_json(story_document(story))
    else:
        console().print(draw_story(story, settings.trading_timezone))


@journal.command("check")
@takes_options
def check_journal(options: Options) -> None:
    """Verify the chain, compare it with the tables, and decide all of it again."""
    from contextlib import closing

    from pointsman.cli.journal_check import examine, verdict_document, verdict_lines
    from pointsman.storage.reader import open_as_stored
    from pointsman.terminal.text import print_json
    from pointsman.version import __version__

    with closing(open_as_stored(database_of(options))) as connection:
        connection.execute("BEGIN")
        verdict = examine(connection, __version__)
    if options.as_json:
        print_json(verdict_document(verdict))
    else:
        sys.stdout.write("\n".join(verdict_lines(verdict)) + "\n")
    if verdict.fault is not None:
        raise typer.Exit(ExitCode.MISMATCH)


# -- settings ------------------------------------------------------------------------------------


@config.command("check")
@takes_options
def check_settings(options: Options) -> None:
    """Whether the settings can be used; all that is wrong at once."""
    from pointsman.cli.config_view import access_notes, problems_document
    from pointsman.service.preflight import checked
    from pointsman.terminal.text import print_json

    try:
        given = settings_given(options)
        loaded = checked(given, given.settings.database_path, is_served=True)
    except SettingsError as error:
        if not options.as_json:
            raise
        print_json(problems_document(error.problems, error.warnings))
        raise typer.Exit(ExitCode.SETTINGS) from error
    if options.as_json:
        print_json(problems_document((), loaded.warnings, access_notes(loaded.settings)))
        return
    for warning in loaded.warnings:
        sys.stdout.write(f"warning: {warning}\n")
    for note in access_notes(loaded.settings):
        sys.stdout.write(f"{note}\n")
    sys.stdout.write("the settings are sound\n")


@config.command("show")
@takes_options
def show_settings(options: Options) -> None:
    """Every setting that is in force, and where it came from; secrets are masked."""
    from pointsman.cli.config_view import draw_settings, settings_document
    from pointsman.terminal.text import console, print_json

    settings = read_settings(options).settings
    if options.as_json:
        print_json(settings_document(settings))
    else:
        console().print(draw_settings(settings))


app.add_typer(journal, name="journal")
app.add_typer(config, name="config")
app.add_typer(accounts, name="accounts")
app.add_typer(database, name="db")
app.add_typer(venue, name="venue")
app.add_typer(notify, name="notify")
app.add_typer(fleet, name="fleet", hidden=True)
control_verbs.register(app)
control_verbs.register_accounts(accounts)
database_verbs.register(database)
service_verbs.register(app, notify)
signal_verb.register(app)
venue_verbs.register(venue)
simulate.register(app)
looking_back_verbs.register(app)
run.register(app)
dashboard.register(app)
cluster_verbs.register(app)
fleet_verbs.register(fleet)
