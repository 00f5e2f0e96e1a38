"""The one writer: it holds the file alone, and stores whole turns or nothing."""

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from pointsman.domain.accounts import KillState
from pointsman.domain.commands import Record
from pointsman.domain.life_cycle import OrderStatus
from pointsman.domain.orders import Role
from pointsman.storage import queries
from pointsman.storage import sqlite_manager as module
from pointsman.storage.ahead import Ahead
from pointsman.storage.entries import RunIdentity
from pointsman.storage.errors import CorruptDatabase, DatabaseBusy, StorageFailed
from pointsman.storage.journal import fold, verify_chain
from pointsman.storage.sqlite_manager import PROJECT_TURNS_MAX, SqliteManager
from tests.unit.stored_samples import (
    SECOND_NS,
    START_NS,
    decision,
    fill,
    history,
    order,
    signal,
    trade,
    turn,
)

IDENTITY = RunIdentity("q", "s", "i", "t", "7")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "trading.db"


@pytest.fixture
def manager(path: Path) -> Iterator[SqliteManager]:
    manager = SqliteManager(path)
    manager.open()
    yield manager
    manager.close()


def test_a_fresh_database_is_empty_and_private(path: Path) -> None:
    usual_mask = os.umask(0)
    try:
        manager = SqliteManager(path)
        manager.open()
        manager.append(history())
    finally:
        os.umask(usual_mask)
    modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()}
    manager.close()
    assert modes == dict.fromkeys(
        ["trading.db", "trading.db-wal", "trading.db-shm", "trading.db.lock"], 0o600
    )


def test_commits_are_synced_and_the_log_is_never_cut(manager: SqliteManager) -> None:
    settings = [
        manager._writer.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "journal_size_limit")
    ]
    assert settings == ["wal", 2, -1]


def test_rule_41_the_journal_is_synced_and_the_tables_wait_for_nothing(path: Path) -> None:
    manager = SqliteManager(path)
    manager.open()
    told: list[str] = []
    manager._writer.set_trace_callback(told.append)
    for entry in history()[:3]:
        manager.append([entry])
        manager.project()
    manager.close()
    mode, commits = "FULL", []
    for statement in told:
        if statement.startswith("PRAGMA synchronous"):
            mode = statement.rpartition(" ")[2]
        elif statement == "COMMIT":
            commits.append(mode)
    assert commits == ["FULL", "NORMAL"] * 3


def test_rule_42_where_nothing_is_synced_no_commit_is(path: Path) -> None:
    manager = SqliteManager(path, is_synced=False)
    manager.open()
    for entry in history():
        manager.append([entry])
        manager.project()
        assert manager._writer.execute("PRAGMA synchronous").fetchone() == (0,)
    assert_whole(manager, len(history()))
    manager.close()


def test_rule_41_the_tables_follow_in_a_moment_or_after_so_many_turns(
    manager: SqliteManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    def left() -> float | None:
        return manager.project_in_seconds

    assert left() is None
    manager.append(history())
    assert 0 < (left() or 0) <= 0.25
    for number in range(PROJECT_TURNS_MAX):
        manager.append([turn(number)])
    assert left() == 0
    manager.project()
    assert left() is None
    monkeypatch.setattr(module, "PROJECT_SECONDS_MAX", 0)
    manager.append([turn(1)])
    assert left() == 0


def test_each_commit_tells_how_long_it_took(manager: SqliteManager) -> None:
    told: list[int] = []
    manager.on_commit = told.append
    for entry in history()[:2]:
        manager.append([entry])
        assert told[-1] == manager.commit_ns > 0
    assert len(told) == 2


def test_a_second_instance_is_refused_and_told_who_holds_it(
    manager: SqliteManager, path: Path
) -> None:
    other_name = path.with_name("link.db")
    other_name.symlink_to(path)
    for name in (path, other_name):
        with pytest.raises(DatabaseBusy, match=f"in use by process {os.getpid()}") as refusal:
            SqliteManager(name).open()
        assert refusal.value.holder_pid == os.getpid()
    manager.append(history())


def test_a_restart_finds_what_is_alive_and_only_that(path: Path) -> None:
    manager = SqliteManager(path)
    manager.open()
    manager.append(history())
    manager.close()
    manager.open()
    loaded = manager.load()
    manager.close()
    assert [(each.va_id, each.losses) for each in loaded.accounts] == [("VA001", 1)]
    assert [each.client_order_id for each in loaded.orders] == ["ABCDEF2E1"]
    assert [each.position_id for each in loaded.positions] == [2]
    assert loaded.kill_switch is not None
    assert loaded.kill_switch.state is KillState.HALT
    assert loaded.desk is not None
    assert loaded.desk.code == "ABCDEF"
    assert [each.line for each in loaded.cursors] == [7]
    assert [each.ref for each in loaded.unconfirmed_moves] == ["r2"]
    assert [each.quantity for each in loaded.external_holdings] == [-3]
    assert [each.symbol for each in loaded.marks] == ["XXX"]
    assert loaded.fill_keys == {"ABCDEF2E1": ("ABCDEF2E1:t3",)}
    # The entry of s1 was 80 s before the last turn, that of s2 10 s.
    assert loaded.recent_entries_ns == {"VA001": (START_NS + 70 * SECOND_NS,)}
    assert (loaded.sequence, loaded.last_time_ns) == (7, START_NS + 80 * SECOND_NS)


def test_one_group_or_many_leave_the_same_tables_and_chain(tmp_path: Path) -> None:
    contents = []
    for name, size in (("one.db", 1), ("all.db", 100)):
        manager = SqliteManager(tmp_path / name)
        manager.open()
        turns = history()
        for start in range(0, len(turns), size):
            manager.append(turns[start : start + size])
            manager.project()
        dump = [line for line in manager._reader.iterdump() if '"lease"' not in line]
        contents.append((dump, queries.projected(manager._reader)))
        manager.close()
    assert contents[0] == contents[1]


def test_a_failed_group_leaves_nothing_and_can_be_stored_later(manager: SqliteManager) -> None:
    manager.append(history()[:2])
    before = list(manager._reader.iterdump())
    manager._writer.execute("PRAGMA query_only = ON")
    with pytest.raises(StorageFailed, match="readonly"):
        manager.append(history()[2:])
    manager._writer.execute("PRAGMA query_only = OFF")
    assert list(manager._reader.iterdump()) == before
    manager.append(history()[2:])
    assert manager.load().sequence == len(history())


@pytest.mark.parametrize("suffix", ["", "-wal"])
def test_rule_60_nothing_is_stored_in_a_file_that_is_not_at_its_path(
    suffix: str, manager: SqliteManager
) -> None:
    """It would be gone when the process ends. Put back, the same turns can be stored."""
    file = manager.path.with_name(manager.path.name + suffix)
    file.rename(file.with_name("away"))
    with pytest.raises(StorageFailed, match="was removed while the engine ran"):
        manager.append(history())
    assert manager.load().sequence == 0
    file.with_name("away").rename(file)
    manager.append(history())
    assert manager.load().sequence == len(history())


def test_a_failure_in_the_midst_of_a_projection_undoes_its_first_half(
    manager: SqliteManager,
) -> None:
    """What is durable stays found meanwhile."""
    manager.append(history())
    before = list(manager._reader.iterdump())
    manager._writer.execute(
        "CREATE TEMP TRIGGER refuse BEFORE INSERT ON main.fills "
        "BEGIN SELECT RAISE(ABORT, 'refused in the midst'); END"
    )
    for _ in range(2):
        with pytest.raises(StorageFailed, match="refused in the midst"):
            manager.project()
        assert list(manager._reader.iterdump()) == before
        assert manager.first_decision("s1") is not None
    manager._writer.execute("DROP TRIGGER refuse")
    manager.project()
    assert_whole(manager, len(history()))


def test_a_commit_that_succeeded_though_it_was_reported_failed_is_not_repeated(
    manager: SqliteManager,
) -> None:
    manager.append(history()[:2])
    manager.project()
    head, block, reached = manager._head, manager._block, manager._reached
    manager.append(history()[2:])
    # As if the error had come after the commit: memory did not take note of it.
    manager._head, manager._block, manager._ahead = head, block, Ahead()
    manager.append(history()[2:])
    ahead = manager._ahead
    manager.project()
    manager._reached, manager._ahead = reached, ahead
    manager.append([turn(START_NS, order(3))])
    manager.project()
    assert_whole(manager, len(history()) + 1)


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM journal WHERE sequence = 2",
        "UPDATE journal SET hash = 'another' WHERE sequence = 2",
        "INSERT INTO journal VALUES (3, 0, '', '', '', 'another')",
    ],
)
def test_a_journal_that_moved_behind_our_back_is_not_continued(
    change: str, manager: SqliteManager, path: Path
) -> None:
    manager.append(history()[:2])
    with closing(sqlite3.connect(path)) as other, other:
        other.execute(change)
    with pytest.raises(CorruptDatabase, match="changed by another program"):
        manager.append(history()[2:])


@pytest.mark.parametrize("change", ["UPDATE lease SET projected_sequence = 9", "DELETE FROM lease"])
def test_tables_that_moved_behind_our_back_are_not_written(
    change: str, manager: SqliteManager, path: Path
) -> None:
    manager.append(history()[:2])
    with closing(sqlite3.connect(path)) as other, other:
        other.execute(change)
    with pytest.raises(CorruptDatabase, match="changed by another program"):
        manager.project()


def assert_whole(manager: SqliteManager, sequence: int) -> None:
    """The tables are what the journal says, and hold all of it."""
    reached = queries.projected(manager._reader)
    assert (reached, manager.head.sequence) == (manager.head, sequence)
    assert verify_chain(manager._reader) is None
    assert fold(manager._reader) is None


def test_rule_41_the_journal_alone_makes_a_turn_durable(manager: SqliteManager) -> None:
    tables = _tables(manager)
    manager.append(history())
    assert _tables(manager) == tables
    assert manager.load().sequence == len(history())
    manager.project()
    assert _tables(manager) != tables
    assert_whole(manager, len(history()))


def _tables(manager: SqliteManager) -> list[str]:
    return [line for line in manager._reader.iterdump() if '"journal"' not in line]


def test_rule_41_opening_brings_the_tables_up_to_the_journal(path: Path) -> None:
    manager = SqliteManager(path)
    manager.open()
    manager.append(history()[:3])
    manager.project()
    manager.append(history()[3:])
    manager.close()
    manager.open()
    assert_whole(manager, len(history()))
    assert [each.position_id for each in manager.load().positions] == [2]
    manager.append([turn(START_NS, order(3))])
    manager.project()
    assert_whole(manager, len(history()) + 1)
    manager.close()


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE journal SET payload = replace(payload, '\"', '\" ') WHERE sequence = 5",
        "DELETE FROM journal WHERE sequence = 5",
    ],
)
def test_rule_41_a_broken_tail_is_not_projected(change: str, path: Path) -> None:
    manager = SqliteManager(path)
    manager.open()
    manager.append(history()[:3])
    manager.project()
    manager.append(history()[3:])
    manager.close()
    with closing(sqlite3.connect(path)) as other, other:
        other.execute(change)
    before = path.read_bytes()
    with pytest.raises(CorruptDatabase, match="row 5 of its journal: "):
        manager.open()
    assert path.read_bytes() == before


def test_rule_41_what_is_durable_is_found_wherever_it_is(manager: SqliteManager) -> None:
    """In the tables, in what they lack, and in both."""
    entry = order(1, signal_id="s1")
    stops = [order(1, Role.STOP, attempt) for attempt in (1, 2)]
    early: list[Record] = [
        signal("s1"),
        decision("s1", None),
        entry,
        stops[0],
        fill(entry, "t1"),
        trade(1),
    ]
    final = msgspec.structs.replace(entry, status=OrderStatus.FILLED)
    again = msgspec.structs.replace(signal("s1"), repeats=1)
    late: list[Record] = [
        again,
        final,
        stops[1],
        fill(entry, "t1"),
        fill(entry, "t2"),
        trade(1),
        trade(1, 1),
    ]
    for turns in ([turn(1, *early), turn(2, *late)], [turn(1, *early)], [turn(2, *late)]):
        manager.append(turns)
        if len(turns) == 1:
            manager.project()
        first, known = manager.first_decision("s1"), manager.known_order(entry.client_order_id)
        assert first is not None
        assert known is not None
        is_late = turns[-1].time_ns == 2
        assert first.record.repeats == int(is_late)
        assert known.order == (final if is_late else entry)
        assert known.fill_keys == ("ABCDEF1E1:t1", "ABCDEF1E1:t2")
        assert (known.parts, known.stops_made) == (2, 2)
    assert manager.first_decision("s2") is None
    assert manager.known_order("ABCDEF2E1") is None
    assert not manager.is_paid("f1")
    manager.append(history())
    assert manager.is_paid("f1")
    manager.project()
    assert manager.is_paid("f1")


def test_rule_5_the_identity_of_a_run_is_kept(path: Path) -> None:
    manager = SqliteManager(path)
    manager.open()
    assert manager.run_identity() is None
    manager.set_run_identity(IDENTITY)
    manager.append(history())
    manager.close()
    manager.open()
    assert manager.run_identity() == IDENTITY
    manager.close()


def test_lookups_and_commits_do_not_wait_for_each_other(manager: SqliteManager) -> None:
    manager.append(history()[:2])
    manager._writer.execute("BEGIN IMMEDIATE")
    assert manager.first_decision("s1") is not None
    manager._writer.execute("ROLLBACK")
