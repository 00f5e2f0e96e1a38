"""Every SQLite error is explained to its user: which file, what is wrong, how to fix it."""

import sqlite3
from pathlib import Path

import pytest

from pointsman.storage.errors import (
    CorruptDatabase,
    StorageError,
    StorageFailed,
    StorageUnavailable,
    explained,
)


@pytest.mark.parametrize(
    ("code", "kind", "remedy"),
    [
        (sqlite3.SQLITE_NOTADB, CorruptDatabase, "restore a backup"),
        (sqlite3.SQLITE_CORRUPT, CorruptDatabase, "restore a backup"),
        (sqlite3.SQLITE_CORRUPT_INDEX, CorruptDatabase, "restore a backup"),
        (sqlite3.SQLITE_READONLY, StorageUnavailable, "readable and writable"),
        (sqlite3.SQLITE_CANTOPEN, StorageUnavailable, "readable and writable"),
        (sqlite3.SQLITE_BUSY, StorageUnavailable, "close that program"),
        (
            sqlite3.SQLITE_FULL,
            StorageUnavailable,
            "cannot be used (it went wrong); mend that, or name another",
        ),
    ],
)
def test_an_error_is_explained(code: int, kind: type[StorageError], remedy: str) -> None:
    error = sqlite3.OperationalError("it went wrong")
    error.sqlite_errorcode = code
    explanation = explained(error, Path("/data/trading.db"))
    assert type(explanation) is kind
    assert "/data/trading.db" in str(explanation)
    assert remedy in str(explanation)


def test_an_error_without_a_code_is_explained_too() -> None:
    assert "closed" in str(explained(sqlite3.ProgrammingError("closed"), Path("x.db")))


def test_a_failed_commit_keeps_its_cause() -> None:
    cause = sqlite3.OperationalError("database or disk is full")
    failure = StorageFailed(cause)
    assert failure.cause is cause
    assert str(failure) == "could not be stored: database or disk is full"
