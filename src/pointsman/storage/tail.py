"""The tables as the journal says: what they lack is laid over them, for one reader and one moment
(RULES 41).

An engine brings the tables up to the journal a little later than the journal is durable, and after
a kill -9 only the next start does. A reader may not change the file; so the newest records of the
tail go into temporary tables of its own connection, and a temporary view of each name shows them in
the place of those that they replace. Queries are the same with and without.

Invariants: tail and tables are of one read transaction; a row keeps its place in the order of
`rowid`, and new ones follow in the order of the journal; without a tail nothing is made.
"""

import sqlite3
from collections.abc import Iterable
from typing import Any

from pointsman.domain.commands import Record
from pointsman.storage.codec import CODECS, Newest, RecordCodec, is_gone
from pointsman.storage.entries import changes_of_tail
from pointsman.storage.queries import path_of, reader_after, tail


def hold_moment(connection: sqlite3.Connection) -> None:
    """Begin a read transaction, in which the tables read as the journal says.

    Raises sqlite3.Error, and CorruptDatabase where the tail cannot be read.
    """
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.execute("BEGIN")
    newest, path, reader = Newest(), path_of(connection), None
    for row in tail(connection):
        reader = reader or reader_after(connection, row[0] - 1)
        newest.take(changes_of_tail(path, reader, row))
    for kind, changed in newest.by_type.items():
        if changed:
            _lay_over(connection, CODECS[kind], changed.values())


def _lay_over(
    connection: sqlite3.Connection, codec: RecordCodec[Any], changed: Iterable[Record]
) -> None:
    # Every part of these texts is a name of ours.
    table, over = codec.table, f"{codec.table}_ahead"
    is_one_row = not codec.key
    names = ("id", *codec.names) if is_one_row else codec.names
    columns = ", ".join(f'"{name}"' for name in names)
    types = ", ".join(f'"{column.name}" {column.sql_type}' for column in codec.columns)
    key = ", ".join(f'"{name}"' for name in codec.key or ("id",))
    given = ", ".join("?" for _ in codec.key or ("id",))
    same = f"SELECT rowid FROM main.{table} WHERE ({key}) = ({given})"  # noqa: S608
    values = ", ".join("?" for _ in names)
    connection.execute(
        f"CREATE TEMP TABLE {over} "
        f"({'id INTEGER, ' if is_one_row else ''}{types}, place INTEGER, is_gone INTEGER)"
    )
    add = (
        f"INSERT INTO temp.{over} ({columns}, place, is_gone) "  # noqa: S608
        f"VALUES ({values}, coalesce(({same}), ?), ?)"
    )
    cursor = connection.execute(f"SELECT coalesce(max(rowid), 0) AS last FROM main.{table}")  # noqa: S608
    cursor.row_factory = None
    (last,) = cursor.fetchone()
    for place, record in enumerate(changed, last + 1):
        row = codec.encode(record)
        key_of = codec.key_of(record)
        keys = (1,) if is_one_row else key_of if isinstance(key_of, tuple) else (key_of,)
        whole = (1, *row) if is_one_row else row
        connection.execute(add, (*whole, *keys, place, is_gone(record)))
    connection.execute(f"CREATE UNIQUE INDEX temp.{over}_key ON {over} ({key})")
    connection.execute(
        f"CREATE TEMP VIEW {table} AS "  # noqa: S608
        f"SELECT rowid AS rowid, {columns} FROM main.{table} "
        f"WHERE ({key}) NOT IN (SELECT {key} FROM temp.{over}) UNION ALL "
        f"SELECT place AS rowid, {columns} FROM temp.{over} WHERE NOT is_gone"
    )
