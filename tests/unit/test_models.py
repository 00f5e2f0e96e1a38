"""Records, tables and migrations agree."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import get_args

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from pointsman.domain.commands import Record
from pointsman.storage import schema
from pointsman.storage.codec import CODECS
from pointsman.storage.models import metadata

RECORDS = get_args(Record)


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "trading.db"
    schema.prepare(path)
    return path


def test_migrations_lead_to_the_tables_of_the_models(migrated: Path) -> None:
    engine = create_engine(f"sqlite:///{migrated}")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


def test_migrations_make_the_same_columns_keys_and_partial_indexes(migrated: Path) -> None:
    engine = create_engine("sqlite://")
    metadata.create_all(engine)
    with closing(sqlite3.connect(migrated)) as by_migration, engine.connect() as by_models:
        made = by_models.connection.driver_connection
        assert made is not None
        assert _shape(by_migration) == _shape(made)
    engine.dispose()


def _shape(connection: sqlite3.Connection) -> dict[str, object]:
    """Columns of each table and the words of each index and check, white space aside."""
    shape: dict[str, object] = {}
    objects = "SELECT name, sql FROM sqlite_schema WHERE sql NOT NULL AND name <> 'alembic_version'"
    for name, sql in connection.execute(objects).fetchall():
        shape[name] = sorted(sql.replace("(", " ").replace(")", " ").replace(",", " ").split())
        shape[f"{name} columns"] = connection.execute(f"PRAGMA table_xinfo({name})").fetchall()
    return shape


def test_the_known_revisions_are_those_of_the_migrations() -> None:
    config = Config()
    config.set_main_option("path_separator", "os")
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    revisions = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    assert tuple(reversed(revisions)) == schema.REVISIONS


def test_every_record_type_has_a_table() -> None:
    assert set(CODECS) == set(RECORDS)
    assert {codec.table for codec in CODECS.values()} <= set(metadata.tables)
