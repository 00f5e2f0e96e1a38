"""A desk on a real NATS server, without an engine: a database, and what it is in the cluster."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path

from pointsman.cluster.connection import Connection
from pointsman.cluster.journal_stream import JournalStream
from pointsman.config.settings import Settings, resolve_settings
from pointsman.storage import queries
from pointsman.storage.blocks import Block
from pointsman.storage.entries import Head, JournalRow, chain_start, chained
from pointsman.storage.reader import open_as_stored
from pointsman.storage.sqlite_manager import SqliteManager
from tests.unit.stored_samples import turn

DESKS = count()
SECONDS = 5.0


def new_desk() -> str:
    """A name that no other test has on this server."""
    return f"desk-{next(DESKS)}"


def settings_for(url: str, desk: str, **more: str) -> Settings:
    given = {"REPLICATE_TO": url, "DESK": desk, "LEASE_SECONDS": "2", **more}
    return resolve_settings(given, None, {}).settings


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    with closing(Connection(url, "a test")) as connection:
        yield connection


@contextmanager
def database(path: Path, turns: int = 0) -> Iterator[SqliteManager]:
    """An open database with so many more turns."""
    manager = SqliteManager(path)
    manager.open()
    try:
        grow(manager, turns)
        yield manager
    finally:
        manager.close()


def grow(manager: SqliteManager, turns: int) -> None:
    first = manager.head.sequence + 1
    if turns:
        manager.append([turn(number) for number in range(first, first + turns)])


def rows_of(path: Path) -> list[JournalRow]:
    """The whole journal of a database."""
    with closing(open_as_stored(path)) as journal:
        return list(queries.journal(journal))


def made_rows(turns: int, start: int = 1, before: Head | None = None) -> list[JournalRow]:
    """Rows of a journal that nobody stored, behind `before`."""
    head = before or Head(0, chain_start(None))
    made, _ = chained([turn(start + number) for number in range(turns)], head, Block())
    return made


def streamed(connection: Connection, desk: str) -> list[JournalRow]:
    """All rows of the desk's stream."""
    stream = JournalStream(connection, desk, 0)
    end = connection.ask(stream.last(), SECONDS)
    return [connection.ask(stream.row(number), SECONDS) for number in range(1, end.sequence + 1)]
