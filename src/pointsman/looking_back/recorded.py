"""What a database has recorded, read-only: the report, the settings that it ran under, its turns,
its decisions. The file is the same bytes afterwards (RULES 54)."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec

from pointsman.domain.events import Started
from pointsman.domain.signals import Decision
from pointsman.reading.newest_start import read_start
from pointsman.storage import reader
from pointsman.storage.reader import open_reader


class Recorded(msgspec.Struct, frozen=True):
    """A database at one moment."""

    connection: sqlite3.Connection
    started: Started | None

    def decisions(self) -> dict[str, Decision]:
        """The decision on each signal."""
        return {each.signal_id: each for each in reader.decisions(self.connection)}


@contextmanager
def recorded(path: Path) -> Iterator[Recorded]:
    """Open a database to look back. Raises StorageError."""
    with closing(open_reader(path)) as connection:
        yield Recorded(connection, read_start(connection))
