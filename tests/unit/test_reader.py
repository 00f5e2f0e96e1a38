"""Reading beside a running engine, or without one: all that is durable, in the tables or not."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from pointsman.domain.accounts import KillState, KillSwitch
from pointsman.domain.life_cycle import OrderStatus
from pointsman.domain.orders import Role
from pointsman.execution.ports import JournalEntry
from pointsman.storage import reader
from pointsman.storage.errors import CorruptDatabase, NewerSchema, StorageUnavailable
from pointsman.storage.sqlite_manager import SqliteManager
from tests.unit.stored_samples import START_NS, history, order, signal, turn


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[SqliteManager]:
    manager = SqliteManager(tmp_path / "trading.db")
    manager.open()
    yield manager
    manager.close()


@pytest.fixture
def db(engine: SqliteManager) -> Iterator[sqlite3.Connection]:
    with closing(reader.open_reader(engine.path)) as connection:
        yield connection


Store = Callable[[list[JournalEntry]], sqlite3.Connection]
"""Stores turns and gives a reader of this moment."""


@pytest.fixture(params=["journaled only", "half of it projected", "projected"])
def store(engine: SqliteManager, request: pytest.FixtureRequest) -> Iterator[Store]:
    """Ways in which the tables may follow the journal: each list must read alike (RULES 41)."""
    with ExitStack() as opened:

        def store(entries: list[JournalEntry]) -> sqlite3.Connection:
            half = (len(entries) + 1) // 2
            engine.append(entries[:half])
            if request.param != "journaled only":
                engine.project()
            engine.append(entries[half:])
            if request.param == "projected":
                engine.project()
            return opened.enter_context(closing(reader.open_reader(engine.path)))

        yield store


def test_a_reader_of_an_empty_database(db: sqlite3.Connection) -> None:
    assert reader.orders(db) == []
    assert reader.desk(db) is None
    assert reader.kill_switch(db) == KillSwitch()


def test_rule_41_a_reader_sees_all_that_is_durable_of_a_running_engine(store: Store) -> None:
    db = store(history())
    assert [each.va_id for each in reader.accounts(db)] == ["VA001"]
    assert [each.position_id for each in reader.positions(db)] == [2]
    assert [each.trade_id for each in reader.trades(db)] == ["1.0"]
    assert [each.trade_id for each in reader.fills(db)] == ["t1", "t2", "t3"]
    assert [each.signal.signal_id for each in reader.signals(db)] == ["s1", "s2"]
    assert [each.signal_id for each in reader.decisions(db)] == ["s1", "s2"]
    assert [each.incident_id for each in reader.incidents(db)] == ["1"]
    assert [each.symbol for each in reader.marks(db)] == ["XXX"]
    assert [each.quantity for each in reader.external_holdings(db)] == [-3]
    assert reader.kill_switch(db).state is KillState.HALT
    desk = reader.desk(db)
    assert desk is not None
    assert desk.code == "ABCDEF"


def test_a_reader_works_without_an_engine(engine: SqliteManager) -> None:
    engine.append(history())
    engine.close()
    with closing(reader.open_reader(engine.path)) as db:
        assert len(reader.orders(db)) == 3


def test_a_reader_cannot_write(db: sqlite3.Connection) -> None:
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        db.execute("DELETE FROM orders")


def test_rows_of_a_free_query_are_dicts(store: Store) -> None:
    db = store(history())
    query = "SELECT va_id, losses FROM virtual_accounts"
    assert db.execute(query).fetchall() == [{"va_id": "VA001", "losses": 1}]


def test_lists_are_oldest_first_and_a_limit_keeps_the_newest(store: Store) -> None:
    # An update keeps the place of a row, and ids do not sort as text.
    made = [turn(START_NS, *(order(number) for number in pair)) for pair in ((9, 10), (11,))]
    db = store([*made, turn(START_NS, order(9, status=OrderStatus.CANCELED))])
    assert [each.position_id for each in reader.orders(db)] == [9, 10, 11]
    assert [each.position_id for each in reader.orders(db, limit=2)] == [10, 11]
    assert [each.position_id for each in reader.orders(db, open_only=True)] == [10, 11]
    assert [each.position_id for each in reader.orders(db, limit=1, open_only=True)] == [11]


def test_the_story_of_a_signal_has_all_that_came_of_it(store: Store) -> None:
    db = store(history())
    story = reader.story(db, "s1")
    assert story is not None
    assert story.signal.signal.signal_id == "s1"
    assert story.decision is not None
    assert story.decision.checks[0].value == "1.2627"
    # The stop is not the signal's own order, but covered what the signal opened.
    assert [each.role for each in story.orders] == [Role.ENTRY, Role.STOP]
    assert [each.trade_id for each in story.fills] == ["t1", "t2"]
    assert [each.trade_id for each in story.trades] == ["1.0"]
    assert [each.client_order_id for each in story.incidents] == ["ABCDEF1S1"]


def test_an_exit_signal_does_not_claim_the_orders_of_the_position_it_closed(
    store: Store,
) -> None:
    db = store([*history(), turn(START_NS, signal("s3"), order(2, Role.EXIT, signal_id="s3"))])
    story = reader.story(db, "s3")
    assert story is not None
    assert [each.client_order_id for each in story.orders] == ["ABCDEF2X1"]


def test_a_refused_signal_and_an_unknown_one(store: Store) -> None:
    db = store([turn(START_NS, signal("s9"))])
    story = reader.story(db, "s9")
    assert story is not None
    assert not story.orders
    assert not story.fills
    assert not story.trades
    assert not story.incidents
    assert reader.story(db, "s10") is None


def test_a_missing_database_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(StorageUnavailable, match="does not exist; `pointsman run` creates it"):
        reader.open_reader(tmp_path / "none.db")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"not a database" * 99])
def test_a_damaged_database_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "trading.db"
    path.write_bytes(content)
    with pytest.raises(CorruptDatabase, match=str(path)):
        reader.open_reader(path)
    assert path.read_bytes() == content


@pytest.mark.parametrize(("version", "error"), [(999, NewerSchema), (1, StorageUnavailable)])
def test_another_schema_is_refused(
    engine: SqliteManager, version: int, error: type[Exception]
) -> None:
    engine._writer.execute(f"PRAGMA user_version = {version}")
    with pytest.raises(error, match="schema"):
        reader.open_reader(engine.path)


def test_damage_that_is_met_while_reading_is_named(engine: SqliteManager) -> None:
    engine.append(history())
    engine.project()
    engine._writer.execute("UPDATE orders SET side = 'bye'")
    with (
        closing(reader.open_reader(engine.path)) as db,
        pytest.raises(CorruptDatabase, match="column side cannot hold 'bye'"),
    ):
        reader.orders(db)
    engine.append(history())
    engine._writer.execute("UPDATE journal SET payload = '{}' WHERE sequence = 9")
    with pytest.raises(CorruptDatabase, match="row 9 of its journal cannot be read"):
        reader.open_reader(engine.path)


def test_a_reader_stays_at_the_moment_of_its_opening(engine: SqliteManager) -> None:
    """Records that are laid over the tables would be older than what is projected later."""
    engine.append(history()[:3])
    with closing(reader.open_reader(engine.path)) as db:
        engine.append(history()[3:])
        engine.project()
        assert [each.status for each in reader.orders(db)] == [OrderStatus.ACCEPTED] * 2
