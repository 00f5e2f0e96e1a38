"""The file itself: created, recognised, brought up to date, or refused and left as it was.

What always holds:

* a database is made under another name and renamed when it is whole, so an empty or half-made file
  at the path is always damage, never ours;
* a file is looked at through a read-only connection until it is known to be sound and ours, so that
  a damaged or newer one is not changed by one byte;
* nobody opens the file but SQLite: closing it elsewhere in the process would drop SQLite's locks on
  it;
* SQLAlchemy and Alembic are loaded only where something must be created or migrated.
"""

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Literal

from pointsman.domain.life_cycle import FINAL
from pointsman.storage.errors import (
    CorruptDatabase,
    NewerSchema,
    StorageError,
    StorageUnavailable,
    damaged,
    explained,
)
from pointsman.storage.syncing import sync

REVISIONS = ("0001",)
"""The schemas that this version knows, oldest first; the last is what it works with."""

MIGRATIONS = Path(__file__).parent / "migrations"

IS_NOT_FINAL = f"status NOT IN ({', '.join(repr(status.value) for status in sorted(FINAL))})"
IS_ENTRY = "role = 'entry'"
IS_UNCONFIRMED = "is_confirmed = 0"
"""Conditions of partial indexes. A query must use the same words for SQLite to see that the
index answers it."""

CHECKED_WHOLE_BYTES_MAX = 64 * 1024 * 1024
"""Up to this size every page is checked at each start (some 0.1 s). Beyond, only the tables that
a start loads whole; `journal check` looks at everything."""

BUSY_TIMEOUT_SECONDS = 0.25  # not money: seconds
"""How long SQLite waits for a foreign program that has locked the file."""

_LOADED_WHOLE = (
    "virtual_accounts",
    "positions",
    "kill_switch",
    "desk",
    "cursors",
    "marks",
    "lease",
    "run",
)


def connect(path: Path, mode: Literal["ro", "rw"]) -> sqlite3.Connection:
    """A connection to an existing file at an absolute path, in autocommit mode, for any thread."""
    return sqlite3.connect(
        f"{path.as_uri()}?mode={mode}",
        uri=True,
        isolation_level=None,
        timeout=BUSY_TIMEOUT_SECONDS,
        check_same_thread=False,
    )


def prepare(path: Path) -> None:
    """Make sure that a sound database of the present schema is at `path`: create, migrate, or
    accept it.

    The caller holds the lock. Raises CorruptDatabase, NewerSchema or StorageUnavailable.
    """
    try:
        if not path.exists():
            _create(path)
        elif read_revision(path) != REVISIONS[-1]:
            _migrate(path)
    except sqlite3.Error as error:
        raise explained(error, path) from error
    except OSError as error:
        raise StorageUnavailable(f"{path} cannot be used: {error.strerror}") from error


def read_revision(path: Path) -> str | None:
    """The schema of the file at `path`, None for one from before the first. The file is not
    changed.

    Raises CorruptDatabase for a damaged or foreign file, NewerSchema for one that this version does
    not know.
    """
    if path.stat().st_size == 0:
        raise damaged(path, "it is empty")
    with closing(connect(path, "ro")) as connection:
        fault = _structural_fault(connection, path.stat().st_size)
        if fault is not None:
            raise damaged(path, fault)
        return revision_of(connection, path)


def revision_of(connection: sqlite3.Connection, path: Path) -> str | None:
    """As `read_revision`, on an open connection and without looking for damage."""
    tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name = 'alembic_version'"
    if connection.execute(tables).fetchone() is None:
        raise CorruptDatabase(
            f"{path} is an SQLite database, but not one of pointsman's; it has been left as it is. "
            "Name another database"
        )
    cursor = connection.execute("SELECT version_num FROM alembic_version")
    cursor.row_factory = None
    revisions = [str(row[0]) for row in cursor]
    if not revisions:
        return None
    if len(revisions) > 1 or revisions[0] not in REVISIONS:
        raise NewerSchema(path, ", ".join(revisions))
    return revisions[0]


def _structural_fault(connection: sqlite3.Connection, size_bytes: int) -> str | None:
    if size_bytes <= CHECKED_WHOLE_BYTES_MAX:
        return _quick_check(connection, "PRAGMA quick_check(1)")
    for table in _LOADED_WHOLE:
        fault = _quick_check(connection, f"PRAGMA quick_check({table})")
        if fault is not None:
            return fault
    return None


def _quick_check(connection: sqlite3.Connection, pragma: str) -> str | None:
    (verdict,) = connection.execute(pragma).fetchone()
    return None if verdict == "ok" else str(verdict)


def _create(path: Path) -> None:
    for suffix in ("-wal", "-journal"):
        log = path.with_name(path.name + suffix)
        if log.exists() and log.stat().st_size > 0:
            raise damaged(
                path, f"the file is missing, but {log.name} beside it holds its newest changes"
            )
    fresh = path.with_name(f"{path.name}.new")
    for suffix in ("", "-wal", "-shm", "-journal"):
        fresh.with_name(fresh.name + suffix).unlink(missing_ok=True)
    # SQLite gives the -wal and -shm files the mode of the database, so it is enough to set it here.
    os.close(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    _migrate(fresh)
    with closing(connect(fresh, "rw")) as connection:
        (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
        if mode != "wal":
            raise StorageUnavailable(
                f"{path} cannot be in WAL mode; its folder must be on a local disk"
            )
    fresh.rename(path)
    sync(path.parent)


def _migrate(path: Path) -> None:
    """Run the migrations that are missing, all in one transaction."""
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import create_engine
    from sqlalchemy.exc import DBAPIError
    from sqlalchemy.pool import NullPool

    config = Config()
    config.set_main_option("path_separator", "os")
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    engine = create_engine("sqlite://", creator=lambda: connect(path, "rw"), poolclass=NullPool)
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()
    except DBAPIError as error:
        raise _explained_cause(error.orig, path) from error


def _explained_cause(cause: BaseException | None, path: Path) -> StorageError:
    if isinstance(cause, sqlite3.Error):
        return explained(cause, path)
    return StorageUnavailable(f"{path} cannot be migrated: {cause}")
