"""The yardstick for what is durable: the same rows and bytes as the engine's, written with nothing
around them.

Rows are encoded before the clock starts. The database has the engine's schema and settings (WAL,
synchronous=FULL), and its WAL file is grown by some writing first, as the engine's is.
"""

import csv
import gzip
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path

from pointsman.execution.ports import JournalEntry
from pointsman.storage import schema
from pointsman.storage.blocks import Block
from pointsman.storage.codec import CODECS, Newest, is_gone
from pointsman.storage.entries import Head, chain_start, chained

ADD_TURN = "INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?)"
ADD_ROW = "INSERT INTO cursors VALUES (?, ?)"

Writes = list[tuple[str, list[tuple[object, ...]]]]


class BareDatabase:
    """A database that is written to and nothing else."""

    def __init__(self, path: Path) -> None:
        schema.prepare(path)
        self._connection = schema.connect(path, "rw")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute(f"PRAGMA cache_size = -{8 * 1024}")
        self._head, self._block = Head(0, chain_start(None)), Block()
        self._lines = 0

    def close(self) -> None:
        self._connection.close()

    def writes_of(self, entries: Sequence[JournalEntry]) -> Writes:
        """All rows of turns as statements: the journal, and the last state of each record."""
        turns, self._head = chained(entries, self._head, self._block)
        newest = Newest()
        for entry in entries:
            newest.take(entry.changes)
        writes: Writes = [(ADD_TURN, [*turns])]
        for kind, changed in newest.by_type.items():
            rows = [CODECS[kind].encode(record) for record in changed.values()]
            assert not any(map(is_gone, changed.values())), "nothing of this run is deleted"
            if rows:
                writes.append((CODECS[kind].upsert, [*rows]))
        return writes

    def commit_ns(self, writes: Writes) -> int:
        """How long one durable transaction takes."""
        connection = self._connection
        began_ns = time.perf_counter_ns()
        connection.execute("BEGIN IMMEDIATE")
        for statement, rows in writes:
            connection.executemany(statement, rows)
        connection.execute("COMMIT")
        return time.perf_counter_ns() - began_ns

    def one_row_ns(self) -> int:
        """How long the smallest durable transaction takes."""
        self._lines += 1
        return self.commit_ns([(ADD_ROW, [(str(self._lines), self._lines)])])


def read_seconds(market: Path) -> float:
    """The CPU time of reading recorded quotes with the csv module and keeping the newest row of
    each symbol, as text."""
    newest: dict[str, list[str]] = {}
    began = time.process_time()
    with gzip.open(market, "rt") if market.suffix == ".gz" else market.open() as file:
        for row in csv.reader(file):
            newest[row[1]] = row
    return time.process_time() - began


def copy_seconds(database: Path, into: Path, batch: int) -> float:
    """The CPU time of writing all rows of a database to an empty one, so many in a transaction.

    Reading them is not counted.
    """
    source = sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)
    target = sqlite3.connect(into, isolation_level=None)
    spent = 0.0
    try:
        target.execute("PRAGMA journal_mode = WAL")
        target.execute("PRAGMA synchronous = FULL")
        schema_texts = source.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL")
        for (text,) in schema_texts.fetchall():
            target.execute(text)
        names = source.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
        for (name,) in names:
            rows = source.execute(f"SELECT * FROM {name}").fetchall()
            if rows:
                spent += _write_seconds(target, name, rows, batch)
    finally:
        source.close()
        target.close()
    return spent


def _write_seconds(
    target: sqlite3.Connection, name: str, rows: list[tuple[object, ...]], batch: int
) -> float:
    statement = f"INSERT INTO {name} VALUES ({', '.join('?' for _ in rows[0])})"
    began = time.process_time()
    for first in range(0, len(rows), batch):
        target.execute("BEGIN IMMEDIATE")
        target.executemany(statement, rows[first : first + batch])
        target.execute("COMMIT")
    return time.process_time() - began
