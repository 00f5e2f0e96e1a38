"""A scratch database in memory: records that were decided again, to be read like any others."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from pointsman.storage.ahead import Ahead
from pointsman.storage.schema import MIGRATIONS

_LAST_TURN = """
    INSERT INTO journal (sequence, time_ns, kind, payload, previous_hash, hash)
    VALUES (1, ?, 'DecidedAgain', '', '', '')
"""


@contextmanager
def scratch(records: Ahead, last_ns: int) -> Iterator[sqlite3.Connection]:
    """A database that holds these records and has come to `last_ns`."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        for migration in MIGRATIONS:
            connection.executescript(migration.read_text("utf-8"))
        connection.row_factory = _as_dict
        connection.execute("BEGIN")
        for statement, rows in records.writes():
            connection.executemany(statement, rows)
        connection.execute(_LAST_TURN, (last_ns,))
        yield connection


def _as_dict(cursor: sqlite3.Cursor, row: tuple[Any, ...]) -> dict[str, Any]:
    return {column[0]: value for column, value in zip(cursor.description, row, strict=True)}
