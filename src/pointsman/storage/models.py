"""The tables, as SQLAlchemy knows them: what migrations are compared with.

The columns of a record table come from the codec, which has them from the record itself; so a field
that is added without a migration fails the test of this module. At run time nothing imports this
but a migration.
"""

from typing import Any

from sqlalchemy import CheckConstraint, Column, Index, Integer, MetaData, Table, Text, text

from pointsman.storage.codec import CODECS, RecordCodec
from pointsman.storage.schema import IS_ENTRY, IS_NOT_FINAL, IS_UNCONFIRMED

metadata = MetaData()


def _record_table(codec: "RecordCodec[Any]") -> Table:
    types = {"TEXT": Text, "INTEGER": Integer}
    columns = [
        Column(
            column.name,
            types[column.sql_type](),
            primary_key=column.name in codec.key,
            nullable=column.is_nullable,
        )
        for column in codec.columns
    ]
    return (
        Table(codec.table, metadata, *columns) if codec.key else _single_row(codec.table, *columns)
    )


def _single_row(name: str, *columns: "Column[Any]") -> Table:
    key = Column("id", Integer(), primary_key=True, nullable=False)
    return Table(
        name, metadata, key, *columns, CheckConstraint("id = 1", name=f"{name}_is_one_row")
    )


def _text(name: str) -> "Column[str]":
    return Column(name, Text(), nullable=False)


def _integer(name: str) -> "Column[int]":
    return Column(name, Integer(), nullable=False)


for _codec in CODECS.values():
    _record_table(_codec)

Table(
    "journal",
    metadata,
    Column("sequence", Integer(), primary_key=True, nullable=False),
    _integer("time_ns"),
    _text("kind"),
    _text("payload"),
    _text("previous_hash"),
    _text("hash"),
)
_single_row(
    "lease",
    _text("holder"),
    _integer("acquired_at_ns"),
    _integer("journal_sequence"),
    _text("journal_hash"),
)
_single_row(
    "run",
    _text("quotes_digest"),
    _text("signals_digest"),
    _text("instruments_digest"),
    _text("settings_digest"),
    _text("seed"),
)

_orders = metadata.tables["orders"].c
Index("orders_not_final", _orders.client_order_id, sqlite_where=text(IS_NOT_FINAL))
Index("orders_entries", _orders.created_at_ns, sqlite_where=text(IS_ENTRY))
Index("orders_signal", _orders.signal_id, sqlite_where=_orders.signal_id.is_not(None))
Index("orders_position", _orders.position_id)
_fills = metadata.tables["fills"].c
Index("fills_order", _fills.client_order_id, _fills.key)
Index("trades_position", metadata.tables["trades"].c.position_id)
Index("fundings_position", metadata.tables["fundings"].c.position_id)
_incidents = metadata.tables["incidents"].c
Index("incidents_at", _incidents.at_ns)
Index(
    "incidents_order",
    _incidents.client_order_id,
    sqlite_where=_incidents.client_order_id.is_not(None),
)
Index(
    "cash_moves_unconfirmed",
    metadata.tables["cash_moves"].c.ref,
    sqlite_where=text(IS_UNCONFIRMED),
)
