"""Which files are opened: fresh, older and sound ones; damaged, foreign and newer ones stay as
they are."""

import hashlib
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, get_args

import pytest

from pointsman.domain.commands import Record
from pointsman.storage import reader, schema
from pointsman.storage.codec import CODECS, RecordCodec
from pointsman.storage.errors import CorruptDatabase, NewerSchema, StorageUnavailable
from pointsman.storage.journal import fold, verify_chain
from pointsman.storage.sqlite_manager import SqliteManager
from pointsman.storage.venue_checks import CHECKS
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
    _overwrite(path, (root - 1) * schema.PAGE_BYTES, bytes(16))


def _head_differs(path: Path) -> None:
    _filled(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE lease SET projected_sequence = projected_sequence - 1")


def _filled(path: Path) -> None:
    manager = SqliteManager(path)
    manager.open()
    manager.append(history())
    manager.project()
    manager.close()


def _overwrite(path: Path, offset: int, content: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(content)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (_garbage, "is not an SQLite database"),
        (_empty, "it is empty"),
        (_foreign, "not one of pointsman's"),
        (_truncated, "malformed"),
        (_header_damaged, "is not an SQLite database"),
        (_page_damaged, "damaged"),
        (_head_differs, "journal does not hold row 6 as the lease row names it"),
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
    with closing(reader.open_as_stored(path)) as connection, refusal:
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
    manager._writer.execute("PRAGMA user_version = 999")
    # As a kill leaves it: the change is in the log only.
    copy = tmp_path / "copy" / path.name
    copy.parent.mkdir()
    for suffix in ("", "-wal"):
        shutil.copyfile(f"{path}{suffix}", f"{copy}{suffix}")
    manager.close()
    before = [Path(f"{copy}{suffix}").read_bytes() for suffix in ("", "-wal")]
    with pytest.raises(NewerSchema, match="schema 999, made by a newer version"):
        SqliteManager(copy).open()
    assert [Path(f"{copy}{suffix}").read_bytes() for suffix in ("", "-wal")] == before


NEXT_MIGRATION = "ALTER TABLE incidents ADD COLUMN seen_by TEXT;"
BROKEN_MIGRATION = f"{NEXT_MIGRATION} ALTER TABLE nowhere ADD COLUMN x;"


def _add_migration(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "next.sql"
    file.write_text(text)
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, file))


def test_an_older_schema_is_migrated_and_keeps_its_rows(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _filled(path)
    _add_migration(NEXT_MIGRATION, tmp_path, monkeypatch)
    _opened(path)
    assert schema.read_version(path) == schema.newest_version()
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT incident_id, seen_by FROM incidents").fetchall()
    assert rows == [("1", None)]


def test_a_migration_that_fails_leaves_the_old_schema_whole(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _filled(path)
    before = schema.read_version(path)
    _add_migration(BROKEN_MIGRATION, tmp_path, monkeypatch)
    with pytest.raises(StorageUnavailable, match="no such table: nowhere"):
        SqliteManager(path).open()
    assert schema.read_version(path) == before
    with closing(sqlite3.connect(path)) as connection:
        columns = [row[1] for row in connection.execute("PRAGMA table_info(incidents)")]
    assert "seen_by" not in columns
    monkeypatch.undo()
    _opened(path)


def _with_its_version_in_a_table(path: Path, *versions: str) -> None:
    """A database as it was made before `PRAGMA user_version` was used."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(schema.MIGRATIONS[0].read_text("utf-8"))
        connection.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        for version in versions:
            connection.execute("INSERT INTO alembic_version VALUES (?)", (version,))
        connection.execute(
            "INSERT INTO incidents (incident_id, at_ns, kind, detail) VALUES ('I1', 5, 'X', 'y')"
        )


def test_a_database_whose_version_stands_in_a_table_is_carried_over(path: Path) -> None:
    _with_its_version_in_a_table(path, "0001")
    assert schema.read_version(path) == 1
    with pytest.raises(StorageUnavailable, match="db migrate"):
        reader.open_reader(path)
    _opened(path)
    assert schema.read_version(path) == schema.newest_version()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT incident_id FROM incidents").fetchall() == [("I1",)]
        found = connection.execute("SELECT name FROM sqlite_schema WHERE name LIKE 'alembic%'")
        assert found.fetchall() == []


@pytest.mark.parametrize("versions", [["0002"], ["0001", "0002"], []])
def test_a_version_in_a_table_that_was_never_published_is_refused(
    path: Path, versions: list[str]
) -> None:
    _with_its_version_in_a_table(path, *versions)
    with pytest.raises(NewerSchema):
        SqliteManager(path).open()


PUBLISHED = {
    "0001_first_schema.sql": ("06a3bbdd90b1c7c7d38e846eeb1b0c202fe6c9e61006cc8eb2e6afdba85b9b6b"),
    "0002_numbered_by_sqlite.sql": (
        "ec83e83c877b3524416c5beae5f6dd63fd8c4a04967faa24bcf534760f9c1c46"
    ),
    "0003_alerts.sql": ("2c1113051fdfc7e4ad54f942f5af880556f3a602b70ac044fa87e7dd411845e9"),
    "0004_derived_steps.sql": "a77813dbd4168ca7c6dc6e10c67e4467d2de85d94da825225b468e5c98021885",
    "0005_time_without_stops.sql": (
        "eccebd9ccf1816bec6e9b257e0d858e6322199eb4a111a3c8f8caca4bb75a856"
    ),
    "0006_starts.sql": "45f4a069e0603c410fd88d45d3f590a06828b93dda1fb8b6dc9867eb223475e4",
    "0007_charges.sql": "bd233c1279fec173ad46e604c46d820a979224ced6727404695a04a8a1179ed7",
    "0008_traded_on.sql": "6ee91d471bd592cbe690ea631fce25f00c4c75adff4b88f82940d53f0572b9de",
    "0009_tables_follow.sql": "4be4b105240a851a17e37c1e0549adac1a37dd2d9dc99cde8669cb4d8404a1a9",
    "0010_venue_checks.sql": "a58414392ce73830d71d6875c61945480ff98621a6ec994c416f2d081858c5fc",
    "0011_shadow.sql": "0d64435360a14b27e6aca87b999aa4015f748f35b91fb4cefc7d070d4a5475dc",
    "0012_equity_points.sql": "df5079b97a6ebcdf653e541f6c98287030fd67196d774b10a7849d10acbfb616",
    "0013_epoch.sql": "4fdad958a149b60dcb18019f15222e1c1c602fac7cd4a830a393647792ff05b5",
    "0014_queued.sql": "b9f9854b27dd55490bb07c945f88753b45bd4b44431dc78fd7bcdcf15bdb8980",
    "0015_blocks.sql": "c576d465921c15b307ed8e0a383a8b2bb8a4a8a0832c8deb4c064e3eefac0825",
}
"""The digest of each published migration. A line is added, never changed."""


def test_a_published_migration_never_changes() -> None:
    digests = {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in schema.MIGRATIONS
    }
    assert digests == PUBLISHED


def test_migrations_are_numbered_without_a_gap() -> None:
    numbers = [int(file.name[:4]) for file in schema.MIGRATIONS]
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    fresh = tmp_path_factory.mktemp("schema") / "trading.db"
    schema.prepare(fresh)
    with closing(sqlite3.connect(fresh)) as connection:
        yield connection


@pytest.mark.parametrize("codec", [*CODECS.values(), CHECKS], ids=lambda codec: codec.table)
def test_migrations_lead_to_the_columns_of_every_record(
    tables: sqlite3.Connection, codec: RecordCodec[Any]
) -> None:
    found = {
        (name, sql_type, not is_not_null, name in codec.key)
        for _, name, sql_type, is_not_null, _, _ in tables.execute(
            f"PRAGMA table_info({codec.table})"
        )
        if codec.key or name != "id"
    }
    keys = tables.execute(
        f"SELECT name FROM pragma_table_info('{codec.table}') WHERE pk ORDER BY pk"
    )
    assert [name for (name,) in keys] == list(codec.key or ("id",))
    expected = {
        (column.name, column.sql_type, column.is_nullable, column.name in codec.key)
        for column in codec.columns
    }
    assert found == expected


def test_every_record_type_has_a_table() -> None:
    assert set(CODECS) == set(get_args(Record))


@pytest.mark.parametrize(
    ("index", "condition"),
    [
        ("orders_not_final", schema.IS_NOT_FINAL),
        ("orders_entries", schema.IS_ENTRY),
        ("cash_moves_unconfirmed", schema.IS_UNCONFIRMED),
    ],
)
def test_partial_indexes_have_the_words_of_the_queries(
    tables: sqlite3.Connection, index: str, condition: str
) -> None:
    query = "SELECT sql FROM sqlite_schema WHERE name = ?"
    (sql,) = tables.execute(query, (index,)).fetchone()
    assert sql.endswith(f"WHERE {condition}")


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
