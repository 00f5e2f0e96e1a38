"""What can go wrong with the database, so that a caller can choose what to catch by looking.

StorageError
 +-- StorageUnavailable   it cannot be opened: no such folder, read-only, held by a foreign program
 +-- DatabaseBusy         another instance holds it
 +-- CorruptDatabase      it is damaged, or is not ours; it has been left as it was
 +-- NewerSchema          a newer version wrote it; it has been left as it was
 +-- StorageFailed        a commit failed; nothing of it was applied, it may be tried again
 +-- StorageQueueFull     commits keep failing, and the queue of what waits for them is full
"""

import sqlite3
from pathlib import Path

from pointsman.errors import PointsmanError


class StorageError(PointsmanError):
    """The base of all of them."""


class StorageUnavailable(StorageError):
    """The database cannot be opened. The text names the path and how to fix it."""


class DatabaseBusy(StorageError):
    """Another instance holds the database; `holder_pid` is its process id, None if unknown."""

    def __init__(self, path: Path, holder_pid: int | None) -> None:
        holder = f"process {holder_pid}"
        if holder_pid is None:
            holder = "another process (perhaps under another name)"
        super().__init__(
            f"{path} is in use by {holder}; stop it first, or use another one with --db PATH"
        )
        self.holder_pid = holder_pid


class CorruptDatabase(StorageError):
    """The file is damaged or not ours."""


class NewerSchema(StorageError):
    """The file has a schema that this version does not know."""

    def __init__(self, path: Path, version: str) -> None:
        super().__init__(
            f"{path} has schema {version}, made by a newer version; install that version to use it"
        )


class StorageFailed(StorageError):
    """A commit failed for `cause`. Nothing of it was applied; the same may be tried again."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(f"could not be stored: {cause}")
        self.cause = cause


class StorageQueueFull(StorageError):
    """Commits keep failing and no more may be queued for them."""


_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_NO_ACCESS = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}
_HELD = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def explained(error: sqlite3.Error, path: Path) -> StorageError:
    """What an SQLite error on opening or reading `path` means to its user."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_NOTADB:
        return CorruptDatabase(
            f"{path} is not an SQLite database and was not changed;"
            " name another file, or restore a backup"
        )
    if code in _DAMAGE:
        return damaged(path, str(error))
    if code in _NO_ACCESS:
        return StorageUnavailable(
            f"{path} cannot be opened for use ({error}); "
            "make the file and its folder readable and writable"
        )
    if code in _HELD:
        return StorageUnavailable(
            f"{path} is locked by another program ({error}); close that program"
        )
    return StorageUnavailable(
        f"{path} cannot be used ({error}); mend that, or name another database"
    )


def damaged(path: Path, what: str) -> CorruptDatabase:
    """The error for a damaged file: what was found, and what a person can do."""
    return CorruptDatabase(
        f"{path} is damaged: {what}; it was not changed: restore a backup, or name another database"
    )
