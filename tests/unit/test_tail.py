"""The tables as the journal says, for one reader, whatever of it they hold (RULES 41)."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pointsman.domain.orders import Fill, Order
from pointsman.storage import queries, reader
from pointsman.storage.codec import CODECS
from pointsman.storage.entries import row_hash
from pointsman.storage.errors import CorruptDatabase
from pointsman.storage.sqlite_manager import SqliteManager
from tests.unit.stored_samples import history


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[SqliteManager]:
    manager = SqliteManager(tmp_path / "trading.db")
    manager.open()
    yield manager
    manager.close()


def _all_tables(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table with its place in the order of rowid, as a reader has them."""
    with closing(reader.open_reader(path)) as db:
        return {
            codec.table: queries.rows(db, f"{codec.select} ORDER BY rowid")
            for codec in CODECS.values()
        }


def test_a_reader_has_the_same_rows_in_the_same_order_however_far_the_tables_are(
    manager: SqliteManager, tmp_path: Path
) -> None:
    turns = history()
    other = SqliteManager(tmp_path / "other.db")
    other.open()
    for number, entry in enumerate(turns):
        other.append([entry])
        other.project()
        manager.append([entry])
        if number % 3 == 1:
            manager.project()
        assert _all_tables(manager.path) == _all_tables(other.path), number
    assert all(_all_tables(manager.path).values()), "each table has a row"
    other.close()


@pytest.mark.parametrize(
    "query",
    [
        f"{CODECS[Order].select_placed} {queries.OPEN_ORDERS}",
        "SELECT * FROM orders WHERE client_order_id = ?",
        "SELECT * FROM orders WHERE position_id = ?",
        f"{CODECS[Order].select_placed} ORDER BY rowid DESC LIMIT ?",
        f"{CODECS[Fill].select_placed} {queries.LAST_FILL}",
        "SELECT * FROM trades WHERE position_id = ?",
        "SELECT * FROM fills WHERE client_order_id = ?",
        "SELECT * FROM decisions WHERE signal_id = ?",
        queries.NEWEST_DECIDED,
    ],
)
def test_what_lies_over_a_table_does_not_make_a_reader_walk_through_it(
    manager: SqliteManager, query: str
) -> None:
    manager.append(history())
    with closing(reader.open_reader(manager.path)) as db:
        cursor = db.cursor()
        cursor.row_factory = None
        parameters = (0,) * query.count("?")
        plan = [step for *_, step in cursor.execute(f"EXPLAIN QUERY PLAN {query}", parameters)]
    assert any("_ahead" in step for step in plan), "it is looked at"
    walks = [step for step in plan if step.startswith("SCAN main") and "USING" not in step]
    # Backwards from the newest row is no walk where only a few are wanted: as a merge.
    assert not walks or ("LIMIT" in query and "MERGE (UNION ALL)" in plan), plan
    assert "COMPOUND QUERY" not in plan or "ORDER BY" not in query, plan


def test_nothing_is_laid_over_tables_that_hold_all(manager: SqliteManager) -> None:
    manager.append(history())
    manager.project()
    with closing(reader.open_reader(manager.path)) as db:
        assert queries.rows(db, "SELECT count(*) FROM temp.sqlite_schema") == [(0,)]


def test_a_row_that_this_version_cannot_read_is_named_although_its_hash_is_right(
    manager: SqliteManager, tmp_path: Path
) -> None:
    """As after a kill -9, and an upgrade that has changed a record: for a start and a reader."""
    path = tmp_path / "trading.db"
    manager.append(history()[:1])
    manager.close()
    payload = b'{"event":{"type":"Killed"},"changes":[{"type":"Unheard"}]}'
    with closing(sqlite3.connect(path)) as other, other:
        (row,) = queries.journal(other)
        sequence, time_ns, kind, _, previous, _ = row
        own = (payload.decode(), row_hash(previous, sequence, time_ns, kind, payload))
        other.execute("UPDATE journal SET payload = ?, hash = ? WHERE sequence = 1", own)
    with pytest.raises(CorruptDatabase, match="row 1 of its journal cannot be read"):
        SqliteManager(path).open()
    with pytest.raises(CorruptDatabase, match="row 1 of its journal cannot be read"):
        reader.open_reader(path)
