"""A database that is made from a stream alone: the same rows, the same records."""

import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from pointsman.cluster import following
from pointsman.cluster.errors import WrongStream
from pointsman.cluster.following import await_lease, restore
from pointsman.cluster.journal_stream import JournalStream
from pointsman.cluster.membership import Held, epoch_of, join, member
from pointsman.engine.joining import continuing
from pointsman.storage import reader
from pointsman.storage.codec import CODECS
from pointsman.storage.journal import fold, verify_chain
from pointsman.storage.sqlite_manager import SqliteManager
from tests.integration.clusters import (
    SECONDS,
    connected,
    database,
    grow,
    made_rows,
    new_desk,
    rows_of,
    settings_for,
)
from tests.integration.linear_engine import trading
from tests.nats_server import NEEDS_NATS, PATIENCE_SECONDS, NatsServer
from tests.optional import NEEDS_CCXT
from tests.unit.stored_samples import history, turn
from tests.venue_servers.bybit import BybitServer

pytestmark = NEEDS_NATS


def tables_of(path: Path) -> dict[str, list[dict[str, object]]]:
    with closing(reader.open_reader(path)) as connection:
        return {
            codec.table: connection.execute(codec.select).fetchall() for codec in CODECS.values()
        }


@NEEDS_CCXT
async def test_what_is_restored_is_what_the_engine_had(nats: NatsServer, tmp_path: Path) -> None:
    desk, copy = new_desk(), tmp_path / "copy.db"
    given = {"REPLICATE_TO": nats.url, "DESK": desk}
    with BybitServer(key="K", secret="S") as venue:
        async with trading(venue, tmp_path, **given) as engine:
            await engine.hold()
            restore(settings_for(nats.url, desk), copy)
            await engine.close()
            await engine.hold()
    own = tmp_path / "t.db"
    assert restore(settings_for(nats.url, desk), copy).sequence == len(rows_of(own))
    assert rows_of(copy) == rows_of(own)
    assert tables_of(copy) == tables_of(own)
    with closing(reader.open_reader(copy)) as connection:
        assert verify_chain(connection) is None
        assert fold(connection) is None


def test_every_kind_of_record_is_restored(nats: NatsServer, tmp_path: Path) -> None:
    settings = settings_for(nats.url, new_desk())
    own, copy = tmp_path / "t.db", tmp_path / "copy.db"
    with database(own) as manager:
        manager.append(history())
        join(settings, manager, 0).close()
        manager.project()
    restore(settings, copy)
    assert rows_of(copy) == rows_of(own)
    assert tables_of(copy) == tables_of(own)


def test_a_desk_without_a_stream_and_a_database_of_another_are_refused(
    nats: NatsServer, tmp_path: Path
) -> None:
    settings = settings_for(nats.url, new_desk())
    with pytest.raises(WrongStream, match="nothing is in it yet"):
        restore(settings, tmp_path / "none.db")
    assert not (tmp_path / "none.db").exists()
    with connected(nats.url) as connection:
        stream = JournalStream(connection, settings.desk, 0)
        assert not connection.ask(stream.is_there(), SECONDS), "a misspelt name leaves nothing"
    with database(tmp_path / "t.db", 3) as manager:
        join(settings, manager, 0).close()
    with database(tmp_path / "other.db") as other:
        other.append([turn(77)])
    with pytest.raises(WrongStream, match=r"other\.db holds rows that are not in"):
        restore(settings, tmp_path / "other.db")
    with database(tmp_path / "ahead.db", 3) as ahead:
        grow(ahead, 1)
    with pytest.raises(WrongStream, match=r"ahead\.db holds rows"):
        restore(settings, tmp_path / "ahead.db")


def test_of_two_that_wait_one_gets_the_desk_with_all_of_its_rows(
    nats: NatsServer, tmp_path: Path
) -> None:
    settings = settings_for(nats.url, new_desk())
    said: list[str] = []
    held: list[tuple[Path, Held]] = []
    is_over = threading.Event()

    def wait(path: Path) -> None:
        got = await_lease(settings, path, is_over.is_set, said.append)
        if got is not None:
            held.append((path, got))

    with database(tmp_path / "t.db", 2) as manager:
        owner = join(settings, manager, 0)
        manager.replica = owner.publisher
        paths = [tmp_path / "a.db", tmp_path / "b.db"]
        waiting = [threading.Thread(target=wait, args=(path,)) for path in paths]
        for each in waiting:
            each.start()
        until = time.monotonic() + PATIENCE_SECONDS
        while sum("up to date" in line for line in said) < 2:
            assert time.monotonic() < until, said
            time.sleep(0.02)
        grow(manager, 300)
        manager.replicate()
        owner.close()
        while not held:
            assert time.monotonic() < until, said
            time.sleep(0.02)
        time.sleep(0.3)
        is_over.set()
        for each in waiting:
            each.join()
    ((path, taken),) = held
    assert rows_of(path) == rows_of(tmp_path / "t.db")
    with database(path) as continued:
        owning = member(settings, taken, continued)
        assert owning.epoch == 2
        grow(continued, 1)
        owning.begin(continued.head)
        assert owning.may_send()
        owning.close()


def test_a_row_that_comes_late_is_the_next_owners_too(nats: NatsServer, tmp_path: Path) -> None:
    """The owner before had it on its way when the lease was taken; it comes when the database has
    been read to its end, and the engine is only beginning."""
    desk = new_desk()
    settings = settings_for(nats.url, desk)
    with database(tmp_path / "t.db", 2) as manager:
        join(settings, manager, 0).close()
        head = manager.head
    taken = await_lease(settings, tmp_path / "u.db", lambda: False, lambda _line: None)
    assert taken is not None
    with connected(nats.url) as late:
        stream = JournalStream(late, desk, 1)
        late.ask(stream.last(), SECONDS)
        late.ask(stream.publish(made_rows(1, start=50, before=head)), SECONDS)
    with database(tmp_path / "u.db") as continued, closing(continuing(settings, taken)(continued)):
        assert continued.head.sequence == 3
        grow(continued, 1)
        assert continued.head.sequence == 4


def test_who_is_far_behind_does_not_take_the_desk(
    nats: NatsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_for(nats.url, new_desk())
    tried_at: list[int] = []

    def noting(manager: SqliteManager) -> int:
        tried_at.append(manager.head.sequence)
        return epoch_of(manager)

    monkeypatch.setattr(following, "epoch_of", noting)
    with database(tmp_path / "t.db", 1100) as manager:
        join(settings, manager, 0).close()
    taken = await_lease(settings, tmp_path / "u.db", lambda: False, lambda _line: None)
    assert taken is not None
    taken.connection.close()
    assert tried_at[0] > 1000
