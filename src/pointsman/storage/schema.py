"""The file itself: created, recognised, brought up to date, or refused and left as it was.

Invariants:

* a database is made under another name and renamed when it is whole, so an empty or half-made file
  at the path is always damage, never ours;
* a file is looked at through a read-only connection until it is known to be sound and ours, so that
  a damaged or newer one is not changed by one byte;
* nobody opens the file but SQLite: closing it elsewhere in the process would drop SQLite's locks on
  it;
* the tables are made and changed only by the numbered SQL files in `migrations/`. The number of the
  newest one that a file has seen is its schema version, in `PRAGMA user_version`; those that are
  missing run in one transaction, all or none.

To change the tables: change the record, then add `migrations/NNNN_what_changes.sql` with the next
number (no BEGIN, COMMIT or PRAGMA in it), and its digest in tests/unit/test_schema.py. A column
that may not be NULL needs a DEFAULT for the rows that are there. A published file is never changed.
The same test holds the columns of each table to the fields of its record.
"""

import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path
from typing import Any, Literal

from pointsman.domain.life_cycle import FINAL
from pointsman.storage.errors import (
    CorruptDatabase,
    NewerSchema,
    StorageUnavailable,
    damaged,
    explained,
)
from pointsman.storage.syncing import sync

MIGRATIONS = tuple(sorted((Path(__file__).parent / "migrations").glob("*.sql")))
"""The numbered SQL files, oldest first; the number of the last is the version worked with."""

APPLICATION_ID = 0x706D616E
"""Marks a file as pointsman's, in `PRAGMA application_id` ("pman")."""

IS_NOT_FINAL = f"status NOT IN ({', '.join(repr(status.value) for status in sorted(FINAL))})"
IS_ENTRY = "role = 'entry'"
IS_UNCONFIRMED = "is_confirmed = 0"
IS_START = "kind = 'Started'"
"""Conditions of partial indexes. A query must use the same words for SQLite to see that the
index answers it."""

PAGE_BYTES = 8192
"""Of a new file. A turn is 0.5 to 3 KB in the journal: of SQLite's usual pages of 4 KB a third
would stay empty."""

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
    "instrument_steps",
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


def require_file(path: Path) -> None:
    """Make sure that there is a file at `path`. Raises StorageUnavailable."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise StorageUnavailable(
            f"{path} does not exist; `pointsman run` creates it, --db names another"
        ) from None
    except PermissionError as error:
        raise StorageUnavailable(
            f"{path} cannot be used by user {os.getuid()}; give that user access to its folder,"
            " or name another database with --db"
        ) from error
    except OSError as error:
        raise StorageUnavailable(
            f"{path} cannot be used ({error.strerror}); name another database with --db"
        ) from error
    if not stat.S_ISREG(mode):
        kind = "a folder" if stat.S_ISDIR(mode) else "not a regular file"
        raise StorageUnavailable(f"{path} is {kind}; name a database file with --db")


def prepare(path: Path) -> int:
    """Make sure that a sound database of the present schema is at `path`: create, migrate, or
    accept it. Gives the version that it had before.

    The caller holds the lock. Raises CorruptDatabase, NewerSchema or StorageUnavailable.
    """
    try:
        if not path.exists():
            _create(path)
            return newest_version()
        if (version := read_version(path)) != newest_version():
            _migrate(path, version)
        return version
    except sqlite3.Error as error:
        raise explained(error, path) from error
    except OSError as error:
        raise StorageUnavailable(
            f"{path} cannot be used ({error.strerror}); mend that, or name another database"
        ) from error


def newest_version() -> int:
    """The schema version that this code works with."""
    return len(MIGRATIONS)


def read_version(path: Path) -> int:
    """The schema version of the file at `path`. The file is not changed.

    Raises CorruptDatabase for a damaged or foreign file, NewerSchema for one that this version does
    not know.
    """
    if path.stat().st_size == 0:
        raise damaged(path, "it is empty")
    with closing(connect(path, "ro")) as connection:
        fault = _structural_fault(connection, path.stat().st_size)
        if fault is not None:
            raise damaged(path, fault)
        return version_of(connection, path)


def version_of(connection: sqlite3.Connection, path: Path) -> int:
    """As `read_version`, on an open connection and without looking for damage."""
    if _value(connection, "PRAGMA application_id") == APPLICATION_ID:
        version = int(_value(connection, "PRAGMA user_version"))
        if version > newest_version():
            raise NewerSchema(path, str(version))
        return version
    return _version_in_table(connection, path)


def _version_in_table(connection: sqlite3.Connection, path: Path) -> int:
    """The version of a file from before `PRAGMA user_version` was used. It stood in a table, and
    only 0001 was ever published."""
    tables = (
        "SELECT count(*) FROM sqlite_schema "
        "WHERE type = 'table' AND name IN ('alembic_version', 'lease', 'journal')"
    )
    if _value(connection, tables) != 3:
        raise CorruptDatabase(
            f"{path} is an SQLite database, but not one of pointsman's, and was not changed;"
            " name another database"
        )
    version = _value(connection, "SELECT group_concat(version_num) FROM alembic_version")
    if version != "0001":
        raise NewerSchema(path, str(version))
    return 1


def _value(connection: sqlite3.Connection, query: str) -> Any:
    cursor = connection.execute(query)
    cursor.row_factory = None
    return cursor.fetchone()[0]


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
    _migrate(fresh, 0)
    with closing(connect(fresh, "rw")) as connection:
        (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
        if mode != "wal":
            raise StorageUnavailable(
                f"{path} cannot be in WAL mode; its folder must be on a local disk"
            )
    fresh.rename(path)
    sync(path.parent)


def _migrate(path: Path, version: int) -> None:
    """Run the migrations after `version`, all in one transaction."""
    script = "\n".join(file.read_text("utf-8") for file in MIGRATIONS[version:])
    marks = f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {newest_version()};"
    # Closing rolls back what has not been committed.
    with closing(connect(path, "rw")) as connection:
        # Of no effect on a file that is there.
        connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
        connection.executescript(f"BEGIN IMMEDIATE;\n{script}\n{marks}\nCOMMIT;")
