"""`db backup` and `db migrate`: the database as a file."""

import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from pointsman.cli.exits import ExitCode
from pointsman.cli.options import Options, read_settings, takes_options


def register(database: typer.Typer) -> None:
    """Add the verbs under `db`."""
    for verb in (backup, migrate):
        database.command(verb.__name__)(takes_options(verb))


def backup(
    options: Options,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The copy; must not exist yet.")],
) -> None:
    """Copy the database to a new file, also while an engine runs."""
    from pointsman.cli.render import print_json

    source = read_settings(options).settings.database_path
    try:
        size = copy_database(source, file)
    except FileExistsError:
        _fail(f"{file} exists; name a new file")
    except OSError as error:
        _fail(f"{file} cannot be written: {error.strerror}")
    except sqlite3.Error as error:
        _fail(f"{file} could not be made: {error}")
    else:
        if options.as_json:
            print_json({"database": str(source), "backup": str(file), "bytes": size})
        else:
            typer.echo(f"copied {source} to {file}: {size:,} bytes")


def copy_database(source: Path, file: Path) -> int:
    """Copy as of one moment, for the owner alone, on the disk when it returns. Gives its size.

    Raises FileExistsError or another OSError, sqlite3.Error, or what `open_reader` raises; then
    there is no new file.
    """
    from pointsman.storage.reader import open_reader

    with closing(open_reader(source)) as reader:
        os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        try:
            with closing(sqlite3.connect(file)) as copy:
                reader.backup(copy)
                (verdict,) = copy.execute("PRAGMA quick_check(1)").fetchone()
                if verdict != "ok":
                    raise sqlite3.DatabaseError(f"the copy is not sound: {verdict}")
            _sync(file)
            _sync(file.resolve().parent)
        except BaseException:
            file.unlink(missing_ok=True)
            raise
    return file.stat().st_size


def migrate(options: Options) -> None:
    """Bring the database up to the schema of this version. A start does it as well."""
    from pointsman.cli.render import print_json
    from pointsman.storage import lock, schema
    from pointsman.storage.errors import StorageUnavailable

    path = read_settings(options).settings.database_path.resolve()
    if not path.exists():
        raise StorageUnavailable(f"{path} does not exist; `pointsman run` makes it")
    held = lock.acquire(path)
    try:
        before = schema.read_revision(path)
        schema.prepare(path)
    finally:
        os.close(held)
    newest = schema.REVISIONS[-1]
    if options.as_json:
        print_json({"database": str(path), "before": before, "schema": newest})
    elif before == newest:
        typer.echo(f"{path} has schema {newest} already")
    else:
        typer.echo(f"{path}: schema {before or 'none'} is now {newest}")


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _fail(text: str) -> None:
    sys.stderr.write(f"pointsman: {text}\n")
    raise typer.Exit(ExitCode.FAILURE)
