"""The copy follows the journal, whatever becomes of the server; and never follows another's."""

import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pointsman.cluster.connection import Connection
from pointsman.cluster.errors import NotOwner, WrongStream
from pointsman.cluster.journal_stream import JournalStream
from pointsman.cluster.publisher import JournalPublisher
from pointsman.domain.events import Killed
from pointsman.execution.ports import JournalEntry
from pointsman.storage.entries import Head
from pointsman.storage.errors import StorageFailed
from pointsman.storage.sqlite_manager import SqliteManager
from tests.integration.cluster_nodes import until
from tests.integration.clusters import (
    SECONDS,
    connected,
    database,
    grow,
    made_rows,
    new_desk,
    rows_of,
    streamed,
)
from tests.nats_server import NEEDS_NATS, NatsServer

pytestmark = NEEDS_NATS


@pytest.fixture
def server(tmp_path: Path) -> Iterator[NatsServer]:
    with NatsServer(tmp_path / "nats") as started:
        yield started


@contextmanager
def publishing(
    connection: Connection,
    manager: SqliteManager,
    desk: str,
    *,
    is_sync: bool = True,
    may_publish: Callable[[], bool] = lambda: True,
) -> Iterator[JournalPublisher]:
    stream = JournalStream(connection, desk, 1)
    connection.ask(stream.open(), SECONDS)
    publisher = JournalPublisher(
        connection, stream, manager.path, manager.head, is_sync=is_sync, may_publish=may_publish
    )
    connection.begin(publisher.run())
    manager.replica = publisher
    yield publisher


def test_what_was_there_before_and_what_comes_is_copied(server: NatsServer, tmp_path: Path) -> None:
    desk, file = new_desk(), tmp_path / "t.db"
    with database(file, 600) as manager, connected(server.url) as connection:
        with publishing(connection, manager, desk) as publisher:
            grow(manager, 3)
            manager.replicate()
            assert publisher.lag() == (0, 0.0)
        assert streamed(connection, desk) == rows_of(file)


def test_in_sync_nothing_is_durable_without_its_copy(server: NatsServer, tmp_path: Path) -> None:
    desk, file = new_desk(), tmp_path / "t.db"
    with database(file, 2) as manager, connected(server.url) as connection:
        with publishing(connection, manager, desk) as publisher:
            manager.replicate()
            server.send(signal.SIGSTOP)
            grow(manager, 2)
            with pytest.raises(StorageFailed, match="copy"):
                manager.replicate()
            assert publisher.lag()[0] == 2
            assert publisher.lag()[1] > 0
            server.send(signal.SIGCONT)
            until(lambda: publisher.flush(1))
            manager.replicate()
        assert streamed(connection, desk) == rows_of(file)


def test_in_async_nobody_waits_and_the_lag_is_told(server: NatsServer, tmp_path: Path) -> None:
    desk, file = new_desk(), tmp_path / "t.db"
    with database(file, 2) as manager, connected(server.url) as connection:
        with publishing(connection, manager, desk, is_sync=False) as publisher:
            until(lambda: publisher.flush(1))
            server.kill()
            grow(manager, 700)
            manager.replicate()
            assert publisher.lag()[0] == 700
            server.start()
            until(lambda: publisher.lag()[0] == 0)
        assert streamed(connection, desk) == rows_of(file)


def test_a_stream_put_back_from_a_backup_is_filled_again(
    server: NatsServer, tmp_path: Path
) -> None:
    desk, file = new_desk(), tmp_path / "t.db"
    with database(file, 5) as manager, connected(server.url) as connection:
        with publishing(connection, manager, desk) as publisher:
            manager.replicate()
            server.kill()
            shutil.copytree(tmp_path / "nats", tmp_path / "backup")
            server.start()
            until(lambda: connection.is_connected)
            grow(manager, 5)
            until(lambda: _replicates(manager))
            server.kill()
            shutil.rmtree(tmp_path / "nats")
            shutil.copytree(tmp_path / "backup", tmp_path / "nats")
            server.start()
            grow(manager, 1)
            until(lambda: _replicates(manager))
            assert publisher.lag() == (0, 0.0)
        assert streamed(connection, desk) == rows_of(file)


def _replicates(manager: SqliteManager) -> bool:
    try:
        manager.replicate()
    except StorageFailed:
        return False
    return True


def test_what_another_has_written_ends_it(server: NatsServer, tmp_path: Path) -> None:
    desk = new_desk()
    with database(tmp_path / "t.db", 3) as manager, connected(server.url) as connection:
        with publishing(connection, manager, desk) as publisher:
            manager.replicate()
            other = JournalStream(connection, desk, 2)
            connection.ask(other.last(), SECONDS)
            connection.ask(other.publish(made_rows(1, 9, manager.head)), SECONDS)
            grow(manager, 1)
            with pytest.raises(NotOwner, match="another engine has written it"):
                until(lambda: _replicates(manager))
            assert isinstance(publisher.fault, NotOwner)
        assert len(streamed(connection, desk)) == 4


def test_an_engine_that_owns_nothing_writes_nothing(server: NatsServer, tmp_path: Path) -> None:
    desk = new_desk()
    with database(tmp_path / "t.db", 3) as manager, connected(server.url) as connection:
        with publishing(connection, manager, desk, may_publish=lambda: False) as publisher:
            until(lambda: publisher.fault is not None)
            with pytest.raises(NotOwner):
                manager.replicate()
        stream = JournalStream(connection, desk, 1)
        assert connection.ask(stream.last(), SECONDS) == Head(0, "")


def test_a_row_that_the_server_cannot_take_is_named(tmp_path: Path) -> None:
    small = tmp_path / "small.conf"
    small.write_text("max_payload: 3000\n")
    server = NatsServer(tmp_path / "nats", "-c", str(small))
    with (
        server,
        database(tmp_path / "t.db", 3) as manager,
        connected(server.url) as connection,
        publishing(connection, manager, new_desk()) as publisher,
    ):
        note = "long" * 1000
        manager.append([JournalEntry(9, Killed(False, "a test", note), ())])
        publisher.follow_soon(manager.head)
        until(lambda: publisher.fault is not None)
        assert isinstance(publisher.fault, WrongStream)
        assert "3000 bytes); raise their max_payload" in str(publisher.fault)
