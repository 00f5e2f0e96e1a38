"""RULES 33: the journal is evidence. Whatever is changed in any row is found, and the first bad
row is named."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from pointsman.domain.accounts import Cursor
from pointsman.domain.events import Killed, SignalReceived
from pointsman.domain.positions import PositionState
from pointsman.storage.codec import CODECS
from pointsman.storage.entries import RunIdentity
from pointsman.storage.journal import ChainFault, Difference, fold, turns, verify_chain
from pointsman.storage.queries import JOURNAL_HASH
from pointsman.storage.sqlite_manager import SqliteManager
from tests.unit.stored_samples import history, position, turn

RECORD_TABLES = sorted(codec.table for codec in CODECS.values())
COVERED = [*RECORD_TABLES, "journal", "run"]
NOT_COVERED = {("lease", "holder"), ("lease", "acquired_at_ns")}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("journal") / "trading.db"
    manager = SqliteManager(path)
    manager.open()
    manager.set_run_identity(RunIdentity("q", "s", "i", "t", "7"))
    manager.append(history())
    manager.project()
    manager.close()
    return path


@pytest.fixture
def db(whole: Path) -> Iterator[sqlite3.Connection]:
    """A copy in memory, to be tampered with."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as copy:
        with closing(sqlite3.connect(whole)) as original:
            original.backup(copy)
        copy.execute("PRAGMA ignore_check_constraints = ON")
        yield copy


def checked(db: sqlite3.Connection) -> ChainFault | Difference | None:
    """What `journal check` finds first."""
    return verify_chain(db) or fold(db)


def test_an_untouched_database_passes(db: sqlite3.Connection) -> None:
    assert checked(db) is None
    assert all(db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in COVERED)


def test_an_empty_database_passes(tmp_path: Path) -> None:
    manager = SqliteManager(tmp_path / "trading.db")
    manager.open()
    assert checked(manager._reader) is None
    manager.close()


@pytest.mark.parametrize("table", [*COVERED, "lease"])
def test_a_change_of_any_value_of_any_row_is_found(table: str, db: sqlite3.Connection) -> None:
    described = db.execute(f"PRAGMA table_info({table})").fetchall()
    columns = [name for _, name, *_ in described]
    row_numbers = [name for _, name, kind, *_, key in described if kind == "INTEGER" and key]
    rows = db.execute(f"SELECT rowid, * FROM {table}").fetchall()
    cases = 0
    for rowid, *values in rows:
        for column, value in zip(columns, values, strict=True):
            if (table, column) in NOT_COVERED:
                continue
            for other in _others(value):
                if isinstance(other, float) and column in row_numbers:
                    continue  # SQLite itself refuses it
                db.execute("SAVEPOINT tamper")
                db.execute(f'UPDATE {table} SET "{column}" = ? WHERE rowid = ?', (other, rowid))
                assert checked(db) is not None, (rowid, column, value, other)
                db.execute("ROLLBACK TO tamper")
                cases += 1
    assert cases > 0
    assert checked(db) is None


def _others(value: str | bytes | int | None) -> list[str | int | float | bytes | None]:
    """Values that a changed byte could make of one, types included."""
    if value is None:
        return ["", 0]
    if isinstance(value, int):
        return [value + 10**9, -value - 1, 0.5]
    if isinstance(value, bytes):
        return [value + b"0", value[:-1] + bytes([value[-1] ^ 1]), "", 0]
    raw = value.encode()
    flipped = bytearray(raw or b"x")
    flipped[len(flipped) // 2] ^= 1
    return [value + "0", raw, flipped.decode()]


def test_an_account_written_before_there_were_shadows_is_no_difference(
    db: sqlite3.Connection,
) -> None:
    before = '{"venue":"paper","name":"","is_sandbox":true}'
    db.execute("SAVEPOINT older")
    db.execute("UPDATE desk SET traded_on = ?", (before,))
    assert checked(db) is None
    db.execute("ROLLBACK TO older")


@pytest.mark.parametrize("table", COVERED)
def test_a_missing_row_is_found(table: str, db: sqlite3.Connection) -> None:
    for (rowid,) in db.execute(f"SELECT rowid FROM {table}").fetchall():
        db.execute("SAVEPOINT tamper")
        db.execute(f"DELETE FROM {table} WHERE rowid = ?", (rowid,))
        assert checked(db) is not None, rowid
        db.execute("ROLLBACK TO tamper")


@pytest.mark.parametrize("table", COVERED)
def test_an_added_row_is_found_or_cannot_be(table: str, db: sqlite3.Connection) -> None:
    columns = [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
    if "id" in columns:
        db.execute("PRAGMA ignore_check_constraints = OFF")
        with pytest.raises(sqlite3.IntegrityError, match="is_one_row"):
            db.execute(f"UPDATE {table} SET id = 2")
        return
    keys = [row[1] for row in db.execute(f"PRAGMA table_info({table})") if row[5]]
    chosen = [f"{name} || 9" if name in keys else f'"{name}"' for name in columns]
    db.execute(f"INSERT INTO {table} SELECT {', '.join(chosen)} FROM {table} LIMIT 1")
    assert checked(db) is not None


def test_bytes_that_are_no_text_are_named_and_stop_nothing(db: sqlite3.Connection) -> None:
    db.execute("UPDATE journal SET payload = CAST(x'ff' || payload AS TEXT) WHERE sequence = 3")
    assert verify_chain(db) == ChainFault(3, "the hash is not that of the row's content")
    db.execute("UPDATE journal SET kind = CAST(x'ff' AS TEXT) WHERE sequence = 2")
    assert verify_chain(db) == ChainFault(2, "the hash is not that of the row's content")
    assert isinstance(fold(db), Difference)


@pytest.mark.parametrize(
    ("tampering", "fault"),
    [
        (
            "UPDATE journal SET time_ns = time_ns + 1 WHERE sequence = 4",
            ChainFault(4, "the hash is not that of the row's content"),
        ),
        (
            "UPDATE journal SET hash = previous_hash WHERE sequence = 4",
            ChainFault(4, "the hash is not that of the row's content"),
        ),
        (
            "UPDATE journal SET previous_hash = hash WHERE sequence = 4",
            ChainFault(4, "previous_hash is not the hash of the row before"),
        ),
        (
            "DELETE FROM journal WHERE sequence = 4",
            ChainFault(4, "the row is missing: the next one is 5"),
        ),
        (
            "DELETE FROM journal WHERE sequence = 7",
            ChainFault(
                6,
                "no row has the number and hash of the one that the lease row says the tables"
                " have come to, 7",
            ),
        ),
        ("DELETE FROM lease", ChainFault(7, "the lease row is missing")),
        (
            "UPDATE run SET seed = 8",
            ChainFault(1, "previous_hash is not the hash of the start of this run's journal"),
        ),
    ],
)
def test_the_first_bad_row_is_named(
    tampering: str, fault: ChainFault, db: sqlite3.Connection
) -> None:
    db.execute(tampering)
    assert verify_chain(db) == fault


@pytest.mark.parametrize(
    ("tampering", "difference"),
    [
        (
            "UPDATE orders SET filled = '9' WHERE client_order_id = 'ABCDEF1E1'",
            Difference("orders", "ABCDEF1E1", "filled", "10", "9"),
        ),
        ("DELETE FROM fills", Difference("fills", "ABCDEF1E1:t1", None, "row", None)),
        (
            "INSERT INTO cursors VALUES ('other', 1)",
            Difference("cursors", "other", None, None, "row"),
        ),
        (
            "UPDATE external_holdings SET quantity = '-4'",
            Difference("external_holdings", ("XXX", "short"), "quantity", "-3", "-4"),
        ),
        ("UPDATE kill_switch SET note = ''", Difference("kill_switch", (), "note", "lunch", "")),
    ],
)
def test_the_first_difference_is_named(
    tampering: str, difference: Difference, db: sqlite3.Connection
) -> None:
    db.execute(tampering)
    assert verify_chain(db) is None
    assert fold(db) == difference


def test_a_closed_position_that_is_put_back_is_found(db: sqlite3.Connection) -> None:
    codec = CODECS[type(position(1))]
    db.execute(codec.upsert, codec.encode(position(1, PositionState.OPEN)))
    assert fold(db) == Difference("positions", 1, None, None, "row")


def test_a_row_whose_changes_cannot_be_read_is_a_difference(db: sqlite3.Connection) -> None:
    db.execute("UPDATE journal SET payload = '{}' WHERE sequence = 2")
    assert fold(db) == Difference("journal", 2, "payload", "{}", None)


def test_turns_come_back_as_they_were(db: sqlite3.Connection) -> None:
    written = history()
    # As text, since NaN does not equal itself.
    assert [repr((each.time_ns, each.event, each.changes)) for each in turns(db)] == [
        repr((each.time_ns, each.event, each.changes)) for each in written
    ]
    assert [each.sequence for each in turns(db, after=5)] == [6, 7]
    assert isinstance(next(turns(db, after=1)).event, SignalReceived)
    assert isinstance(next(turns(db, after=6)).event, Killed)


def test_an_event_of_another_version_is_passed_over_but_its_changes_are_not(
    db: sqlite3.Connection,
) -> None:
    db.execute("UPDATE journal SET kind = 'OrderPosted' WHERE kind = 'OrderSent'")
    first = next(turns(db))
    assert first.event is None
    assert Cursor("signals.jsonl", 7) in first.changes


def test_checking_leaves_the_connection_as_it_was(db: sqlite3.Connection) -> None:
    db.row_factory = sqlite3.Row
    assert checked(db) is None
    assert db.text_factory is str
    assert db.row_factory is sqlite3.Row


def test_an_entry_without_changes_is_journaled(tmp_path: Path) -> None:
    manager = SqliteManager(tmp_path / "trading.db")
    manager.open()
    manager.append([turn(1)])
    assert [each.changes for each in turns(manager._reader)] == [()]
    manager.close()


def test_rule_41_rows_after_the_mark_are_chained_and_are_not_in_the_tables_yet(
    tmp_path: Path,
) -> None:
    manager = SqliteManager(tmp_path / "trading.db")
    manager.open()
    manager.append(history()[:3])
    manager.project()
    manager.append(history()[3:])
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as copy:
        manager._reader.backup(copy)
        assert checked(copy) is None
        copy.execute("UPDATE lease SET projected_sequence = 4")
        assert isinstance(verify_chain(copy), ChainFault), "the mark is not ahead of the tables"
        (own_hash,) = copy.execute(JOURNAL_HASH, (4,)).fetchone()
        copy.execute("UPDATE lease SET projected_hash = ?", (own_hash,))
        assert verify_chain(copy) is None
        assert isinstance(fold(copy), Difference), "nor is one that was forged with its hash"
    manager.close()
