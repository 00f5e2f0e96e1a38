"""Which files are opened: fresh, older and sound ones; damaged, foreign and newer ones stay as
they are."""

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from pointsman.storage import reader, schema
from pointsman.storage.errors import CorruptDatabase, NewerSchema, StorageUnavailable
from pointsman.storage.journal import fold, verify_chain
from pointsman.storage.sqlite_manager import SqliteManager
from tests.unit.stored_samples import history


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "trading.db"


def _opened(path: Path) -> None:
    """Open and close, as a start and a stop do."""
    manager = SqliteManager(path)
    manager.open()
    manager.close()


def _garbage(path: Path) -> None:
    path.write_bytes(b"this is not a database" * 500)


def _empty(path: Path) -> None:
    path.touch()


def _foreign(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE recipes (name)")


def _truncated(path: Path) -> None:
    _filled(path)
    os.truncate(path, path.stat().st_size // 2)


def _header_damaged(path: Path) -> None:
    _filled(path)
    _overwrite(path, 0, b"SQLite format 2")


def _page_damaged(path: Path) -> None:
    _filled(path)
    _damage_page(path, "orders")


def _damage_page(path: Path, table: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        query = "SELECT rootpage FROM sqlite_schema WHERE name = ?"
        (root,) = connection.execute(query, (table,)).fetchone()
    _overwrite(path, (root - 1) * 4096, bytes(16))


def _head_differs(path: Path) -> None:
    _filled(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE lease SET journal_sequence = journal_sequence - 1")


def _filled(path: Path) -> None:
    manager = SqliteManager(path)
    manager.open()
    manager.append(history())
    manager.close()


def _overwrite(path: Path, offset: int, content: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(content)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (_garbage, "file is not a database"),
        (_empty, "it is empty"),
        (_foreign, "not one of pointsman's"),
        (_truncated, "malformed"),
        (_header_damaged, "file is not a database"),
        (_page_damaged, "damaged"),
        (_head_differs, "newest journal row, 7, is not the one that the lease row names, 6"),
    ],
)
def test_a_damaged_or_foreign_file_is_refused_and_left_as_it_is(
    damage: Callable[[Path], None], words: str, path: Path
) -> None:
    damage(path)
    before = path.read_bytes()
    with pytest.raises(CorruptDatabase, match=f"{path} .*{words}"):
        SqliteManager(path).open()
    assert path.read_bytes() == before


def test_of_a_large_file_only_what_a_start_loads_whole_is_checked(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "CHECKED_WHOLE_BYTES_MAX", 0)
    _filled(path)
    _damage_page(path, "trades")
    _opened(path)
    _damage_page(path, "virtual_accounts")
    with pytest.raises(CorruptDatabase, match=f"{path} is damaged"):
        SqliteManager(path).open()


@pytest.mark.parametrize(
    "read", [verify_chain, fold, reader.orders], ids=lambda read: read.__name__
)
def test_a_damaged_page_that_is_met_while_reading_is_explained(
    read: Callable[[sqlite3.Connection], object], path: Path
) -> None:
    _filled(path)
    _damage_page(path, "orders")
    _damage_page(path, "journal")
    refusal = pytest.raises(CorruptDatabase, match=f"{path} is damaged: .*malformed")
    with closing(reader.open_reader(path)) as connection, refusal:
        read(connection)


def test_a_log_without_its_database_is_not_covered_by_a_fresh_one(path: Path) -> None:
    log = path.with_name("trading.db-wal")
    log.write_bytes(b"the newest changes")
    with pytest.raises(CorruptDatabase, match=r"db-wal beside it holds its newest changes"):
        SqliteManager(path).open()
    assert not path.exists()
    assert log.read_bytes() == b"the newest changes"


def test_a_half_made_database_of_a_killed_start_is_made_anew(path: Path) -> None:
    for name in ("trading.db.new", "trading.db.new-journal"):
        path.with_name(name).write_bytes(b"half")
    _opened(path)
    assert sorted(each.name for each in path.parent.iterdir()) == ["trading.db", "trading.db.lock"]


def test_a_newer_schema_is_refused_with_its_uncommitted_log_untouched(
    path: Path, tmp_path: Path
) -> None:
    manager = SqliteManager(path)
    manager.open()
    manager.append(history())
    manager._writer.execute("UPDATE alembic_version SET version_num = '0999'")
    # As a kill leaves it: the change is in the log only.
    copy = tmp_path / "copy" / path.name
    copy.parent.mkdir()
    for suffix in ("", "-wal"):
        shutil.copyfile(f"{path}{suffix}", f"{copy}{suffix}")
    manager.close()
    before = [Path(f"{copy}{suffix}").read_bytes() for suffix in ("", "-wal")]
    with pytest.raises(NewerSchema, match="'0999', made by a newer version"):
        SqliteManager(copy).open()
    assert [Path(f"{copy}{suffix}").read_bytes() for suffix in ("", "-wal")] == before


SECOND_REVISION = """
from alembic import op
revision = "0002"
down_revision = "0001"
def upgrade() -> None:
    op.execute("ALTER TABLE incidents ADD COLUMN seen_by TEXT")
"""
BROKEN_REVISION = SECOND_REVISION + "    op.execute('ALTER TABLE nowhere ADD COLUMN x')\n"


def _add_revision(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    migrations = tmp_path / "migrations"
    shutil.copytree(schema.MIGRATIONS, migrations)
    (migrations / "versions" / "r0002_next.py").write_text(text)
    monkeypatch.setattr(schema, "MIGRATIONS", migrations)
    monkeypatch.setattr(schema, "REVISIONS", ("0001", "0002"))


def test_an_older_schema_is_migrated_and_keeps_its_rows(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _filled(path)
    _add_revision(SECOND_REVISION, tmp_path, monkeypatch)
    _opened(path)
    assert schema.read_revision(path) == "0002"
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT incident_id, seen_by FROM incidents").fetchall()
    assert rows == [("1", None)]


def test_a_migration_that_fails_leaves_the_old_schema_whole(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _filled(path)
    _add_revision(BROKEN_REVISION, tmp_path, monkeypatch)
    with pytest.raises(StorageUnavailable, match="no such table: nowhere"):
        SqliteManager(path).open()
    with closing(sqlite3.connect(path)) as connection:
        columns = [row[1] for row in connection.execute("PRAGMA table_info(incidents)")]
    assert "seen_by" not in columns
    monkeypatch.undo()
    _opened(path)


def test_a_database_that_may_not_be_written_is_refused_by_name() -> None:
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    path = folder / "trading.db"
    try:
        _filled(path)
        path.chmod(0o444)
        path.with_name("trading.db.lock").chmod(0o666)
        with _as_nobody(), pytest.raises(StorageUnavailable, match=f"{path} .*writable"):
            SqliteManager(path).open()
        with _as_nobody(), pytest.raises(StorageUnavailable, match=r"other\.db\.lock .*writable"):
            SqliteManager(folder / "other.db").open()
    finally:
        shutil.rmtree(folder)
    with pytest.raises(StorageUnavailable, match="must exist"):
        SqliteManager(path).open()


@contextmanager
def _as_nobody() -> Iterator[None]:
    """Permissions do not stop root: be a user whom they stop."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)
