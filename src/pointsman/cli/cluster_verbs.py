"""`standby` and `restore`: a desk's database from its stream on NATS."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pointsman.cli.ending import complain, tell
from pointsman.cli.engine_endings import known_endings
from pointsman.cli.feed_options import NONE, read_market, read_signals, read_speed
from pointsman.cli.options import Options, takes_options
from pointsman.cli.status_verb import places

if TYPE_CHECKING:
    from pointsman.cluster.membership import Held
    from pointsman.config.settings import GivenSettings, Settings
    from pointsman.service.clean_stop import Stop

From = Annotated[
    str | None,
    typer.Option(
        "--from", metavar="URL", help="The NATS servers, as REPLICATE_TO, which it replaces."
    ),
]
DeskName = Annotated[
    str | None, typer.Option("--desk", metavar="NAME", help="The desk, as DESK, which it replaces.")
]


def register(app: typer.Typer) -> None:
    """Add the verbs. They are not listed: who has one machine has no use for them."""
    for verb in (standby, restore):
        app.command(verb.__name__, hidden=True)(takes_options(verb))


def restore(options: Options, servers: From = None, desk: DeskName = None) -> None:
    """Make the database of a desk from its stream alone, each row checked by its hash.

    A database that is a part of the stream already is brought up to its present end. No engine of
    the desk needs to run, and none is in the way.
    """
    from pointsman.cluster.following import restore as restore_to

    settings = given_settings(options, servers, desk).loaded().settings
    path = settings.database_path
    with known_endings():
        head = restore_to(settings, path)
    document = {"database": str(path), "desk": settings.desk, "rows": head.sequence}
    notes = [f"{head.sequence:,} rows of desk {settings.desk} are in {path}"]
    if _was_on_paper(path):
        notes.append(
            "this desk trades on the paper venue, whose books are a file on the machine where it"
            " ran: the database can be read, and no engine starts on it without that file"
        )
    tell(options, document, *notes)


def standby(
    options: Options,
    servers: From = None,
    desk: DeskName = None,
    market: Annotated[
        list[str] | None,
        typer.Option("--market", metavar="MARKET", help="Quotes, once it runs: as of `run`."),
    ] = None,
) -> None:
    """Follow a desk that runs elsewhere, and take it over when its engine is gone.

    The database is kept as the owner's is. When the owner has not renewed its lease for its whole
    length, or has stopped, the engine starts here as `run` starts it, headless.
    """
    from pointsman.cli.run import Wanted, run_wanted
    from pointsman.engine.joining import continuing
    from pointsman.market.layout import Layout
    from pointsman.service.clean_stop import SIGNAL_EXIT_BASE, clean_stop

    given = given_settings(options, servers, desk)
    kind, files = read_market(market or [], given.settings.venue)
    pace = read_speed(kind, None)
    wanted = Wanted(kind, files, read_signals(kind, pace, NONE), pace, Layout(), 0)
    settings = wanted.checked(given).settings
    _require_real_venue(settings)
    # All that a run needs is loaded while somebody else owns the desk, and not when it waits.
    import_module("pointsman.service.live_run")
    with known_endings(), clean_stop() as stop:
        held = _follow(settings, stop)
        if held is not None:
            try:
                join = continuing(settings, held)
                run_wanted(options, wanted, settings, None, True, stop, join)
            finally:
                held.connection.close()
    if stop.signum is not None:
        raise typer.Exit(SIGNAL_EXIT_BASE + stop.signum)


def given_settings(options: Options, servers: str | None, desk: str | None) -> "GivenSettings":
    """The settings, those that are given on the command line over all others. Raises SettingsError
    where no servers are given."""
    from pointsman.config.problems import SettingProblem, SettingsError
    from pointsman.config.settings import read_given

    env, env_file, flags = places(options.env_file, options.db)
    own = {"REPLICATE_TO": servers, "DESK": desk}
    flags = {**flags, **{name: text for name, text in own.items() if text is not None}}
    given = read_given(env, env_file, flags)
    if given.settings.replicate_to is None and "REPLICATE_TO" not in given.at_fault:
        remedy = "name the NATS servers, here or with --from nats://HOST:PORT"
        raise SettingsError([SettingProblem("REPLICATE_TO", "", remedy)])
    return given


def _require_real_venue(settings: "Settings") -> None:
    """Raises SettingsError."""
    from pointsman.config.known_venues import PAPER
    from pointsman.config.problems import SettingProblem, SettingsError

    if settings.venue == PAPER or settings.is_shadow:
        name, value = ("VENUE", PAPER) if settings.venue == PAPER else ("VENUE_SHADOW", "true")
        remedy = (
            "the books of the paper venue are a file of one machine, so no other can take over;"
            " a standby is for a desk at a real venue"
        )
        raise SettingsError([SettingProblem(name, value, remedy)])


def _follow(settings: "Settings", stop: "Stop") -> "Held | None":
    """Follow until the desk is owned. A database that holds rows of its own, because another engine
    has continued the desk, is set aside, and made again from the stream."""
    from pointsman.cluster.errors import WrongStream
    from pointsman.cluster.following import await_lease

    is_stopped: Callable[[], bool] = lambda: stop.is_asked  # noqa: E731
    path = settings.database_path
    try:
        return await_lease(settings, path, is_stopped, _say)
    except WrongStream as error:
        if not path.exists():
            raise
        _say(f"{error}; it is {set_aside(path, int(time.time()))} from now on")
        return await_lease(settings, path, is_stopped, _say)


def set_aside(database: Path, now: int) -> Path:
    """Give a database another name, with what belongs to it but its kill latch."""
    stamp = datetime.fromtimestamp(now, UTC).strftime("%Y%m%d-%H%M%S")
    aside = database.with_name(f"{database.name}.forked-{stamp}")
    for suffix in ("", "-wal", "-shm"):
        part = database.with_name(database.name + suffix)
        if part.exists():
            part.rename(aside.with_name(aside.name + suffix))
    return aside


def _say(text: str) -> None:
    complain(f"standby: {text}")


def _was_on_paper(database: Path) -> bool:
    from pointsman.storage import reader

    with reader.reading(database) as connection:
        desk = reader.desk(connection)
    return desk is not None and desk.traded_on.is_paper
