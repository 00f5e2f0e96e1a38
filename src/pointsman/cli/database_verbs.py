"""`db backup` and `db migrate`: the database as a file."""

import errno
import os
import sqlite3
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Annotated

import typer

from pointsman.cli.ending import fail, tell
from pointsman.cli.options import Options, database_of, takes_options
from pointsman.storage.syncing import sync

TRIES = 1000
"""How often a moment is looked for at which the paper venue stands still; it mostly does."""


def register(database: typer.Typer) -> None:
    """Add the verbs under `db`."""
    for verb in (backup, migrate):
        database.command(verb.__name__)(takes_options(verb))


def backup(
    options: Options,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="The copy; must not exist yet.", readable=False)
    ],
) -> None:
    """Copy the database to a new file, also while an engine runs. The books of the paper venue are
    copied beside it, as of the same moment, so that an engine starts on the copy."""
    source = database_of(options)
    try:
        made = back_up(source, file)
    except FileExistsError as error:
        fail(f"{error.filename} exists; name a new file")
    except OSError as error:
        fail(f"{file} cannot be written: {error.strerror}")
    except sqlite3.Error as error:
        fail(f"{file} could not be made: {error}")
    else:
        files = [str(each) for each, _ in made]
        document = {"database": str(source), "backup": str(file), "bytes": made[0][1]}
        tell(
            options,
            {**document, "files": files},
            *(f"copied to {each}: {size:,} bytes" for each, size in made),
        )


def back_up(source: Path, file: Path) -> list[tuple[Path, int]]:
    """Copy a database, the paper venue's books and a pressed kill latch, all as of one moment, for
    the owner alone, on the disk when it returns. Gives the files with their sizes.

    A latch that is there already is of another database: what was pressed or released there would
    kill or rearm an engine on the copy. So it is refused like every other file that is there.

    Raises FileExistsError or another OSError, sqlite3.Error, or what `open_as_stored` raises; then
    there is no new file.
    """
    from pointsman.engine.kill_latch import KillLatch, latch_path, read_latch
    from pointsman.engine.open_venue import ledger_path
    from pointsman.storage.reader import open_as_stored

    with ExitStack() as opened, ExitStack() as undoing:
        if latch_path(file).exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(latch_path(file)))
        reader = opened.enter_context(closing(open_as_stored(source)))
        copies = {file: reader}
        ledger = ledger_path(source.resolve())
        if ledger.exists():
            copies[ledger_path(file)] = opened.enter_context(closing(_read_only(ledger)))
            watch = opened.enter_context(closing(_read_only(ledger)))
            _stop_time(reader, copies[ledger_path(file)], watch)
        for copy, original in copies.items():
            os.close(os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            undoing.callback(copy.unlink, missing_ok=True)
            _copy(original, copy)
        made = [*copies]
        latched = read_latch(latch_path(source))
        if latched.is_set:
            made.append(latch_path(file))
            undoing.callback(latch_path(file).unlink, missing_ok=True)
            with closing(KillLatch(latch_path(file))) as latch:
                latch.press(latched)
        sync(file.resolve().parent)
        undoing.pop_all()
    return [(each, each.stat().st_size) for each in made]


def _read_only(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, isolation_level=None)


def _stop_time(
    database: sqlite3.Connection, ledger: sqlite3.Connection, watch: sqlite3.Connection
) -> None:
    """Have both connections see one moment: between the two beginnings nothing was committed to the
    ledger, as `watch`, a connection of its own, can tell."""
    for _ in range(TRIES):
        before = watch.execute("PRAGMA data_version").fetchone()
        for connection in (ledger, database):
            connection.execute("BEGIN")
            connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        if watch.execute("PRAGMA data_version").fetchone() == before:
            return
        for connection in (ledger, database):
            connection.execute("ROLLBACK")
    raise sqlite3.OperationalError("the paper venue changed all the time; try again")


def _copy(original: sqlite3.Connection, file: Path) -> None:
    with closing(sqlite3.connect(file)) as copy:
        original.backup(copy)
        (verdict,) = copy.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise sqlite3.DatabaseError(f"the copy failed its check: {verdict}")
    sync(file)


def migrate(options: Options) -> None:
    """Bring the database up to the schema of this version. A start does it as well."""
    from pointsman.storage import lock, schema

    path = database_of(options).resolve()
    schema.require_file(path)
    with ExitStack() as held:
        held.callback(os.close, lock.acquire(path))
        held.callback(os.close, lock.hold_file(path))
        before = schema.prepare(path)
    newest = schema.newest_version()
    done = f"{path}: schema {before} is now {newest}"
    document = {"database": str(path), "before": before, "schema": newest}
    tell(options, document, f"{path} has schema {newest} already" if before == newest else done)
