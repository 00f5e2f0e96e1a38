"""How records become rows, and rows become records again.

One codec for each stored type, worked out once from the type itself: its columns are its fields, in
their order. Invariants:

* `decode(encode(record)) == record`, but for NaN, which equals nothing;
* equal records make equal rows, byte for byte, so that the journal can be compared with the tables;
* decimals are plain text, enums their values, bools 0 and 1, tuples and nested structs JSON text,
  None NULL;
* every statement is a constant text.
"""

from collections.abc import Callable, Iterable
from decimal import Decimal
from enum import Enum
from operator import attrgetter, itemgetter
from types import NoneType, UnionType
from typing import Any, Generic, NamedTuple, TypeVar, Union, get_args, get_origin

import msgspec

from pointsman.domain.accounts import (
    Account,
    AccountReading,
    CashMove,
    Cursor,
    DeskRecord,
    EquityPoint,
    ExternalHolding,
    Incident,
    KillSwitch,
    Mark,
)
from pointsman.domain.commands import Record
from pointsman.domain.market import InstrumentSteps
from pointsman.domain.money import plain
from pointsman.domain.orders import Fill, Order
from pointsman.domain.positions import Funding, Position, PositionState, Trade
from pointsman.domain.signals import Check, Decision, SignalRecord
from pointsman.storage.errors import CorruptDatabase
from pointsman.storage.measured import checks_of, checks_text

Value = str | int | None
Row = tuple[Value, ...]
RecordKey = Value | tuple[Value, ...]
"""The key of a row: one value or several; an empty tuple in a table of one row."""

_Convert = Callable[[Any], Any]
R = TypeVar("R", bound=msgspec.Struct)


class TableColumn(NamedTuple):
    """One column, and how its field is written and read; None means as it is."""

    name: str
    path: str
    sql_type: str
    is_nullable: bool
    encode: _Convert | None
    decode: _Convert | None


class RecordCodec(Generic[R]):
    """The codec of one record type: its table, its statements, and both directions."""

    def __init__(self, record: type[R], table: str, key: tuple[str, ...]) -> None:
        self.record = record
        self.table = table
        self.key = key
        self.columns = tuple(_columns(record))
        self.names = tuple(column.name for column in self.columns)
        self._values = attrgetter(*(column.path for column in self.columns))
        encoders = _steps(column.encode for column in self.columns)
        self._decimals = tuple(index for index, convert in encoders if convert is plain)
        self._encoders = tuple(step for step in encoders if step[1] is not plain)
        self._decoders = _steps(column.decode for column in self.columns)
        paths = [column.path for column in self.columns if column.name in key]
        indexes = [self.names.index(name) for name in key]
        self.key_of: Callable[[R], RecordKey] = attrgetter(*paths) if key else _only
        self.key_of_row: Callable[[Row], RecordKey] = itemgetter(*indexes) if key else _only
        self._nested = _nested(record)
        # Every part of these texts is a name of ours.
        where = "" if key else " WHERE id = 1"
        self.select = f"SELECT {_listed(self.names)} FROM {table}{where}"  # noqa: S608
        self.select_placed = f"SELECT {_listed(self.names)}, rowid FROM {table}{where}"  # noqa: S608
        self.select_stored = f"SELECT {_listed(self.names)} FROM main.{table}{where}"  # noqa: S608
        self.upsert = self._upsert()
        self.delete = f"DELETE FROM {table} WHERE ({_listed(key)}) = ({_marks(key)})"  # noqa: S608

    def _upsert(self) -> str:
        names = self.names if self.key else ("id", *self.names)
        values = _marks(self.names) if self.key else f"1, {_marks(self.names)}"
        key = self.key or ("id",)
        updates = ", ".join(
            f'"{name}" = excluded."{name}"' for name in self.names if name not in key
        )
        return (
            f"INSERT INTO {self.table} ({_listed(names)}) VALUES ({values}) "  # noqa: S608
            f"ON CONFLICT ({_listed(key)}) DO UPDATE SET {updates}"
        )

    def encode(self, record: R) -> Row:
        """The row of a record."""
        row = list(self._values(record))
        for index in self._decimals:
            amount = row[index]
            if amount is not None:
                # The same text as `plain`, at a third of its price for all but very long or round
                # numbers.
                text = str(amount)
                row[index] = plain(amount) if "E" in text else text
        for index, convert in self._encoders:
            if row[index] is not None:
                row[index] = convert(row[index])
        return tuple(row)

    def reads_alike(self, name: str, stored: object, expected: object) -> bool:
        """Whether a column that holds JSON reads as another text does: an earlier version also
        wrote the fields that have their defaults."""
        column = self.columns[self.names.index(name)]
        encode, decode = column.encode, column.decode
        if encode not in (_to_json, checks_text) or not isinstance(stored, str) or decode is None:
            return False
        try:
            return bool(encode(decode(stored)) == expected)
        except (msgspec.MsgspecError, UnicodeEncodeError):
            return False

    def decode(self, row: Row) -> R:
        """The record of a row. Raises CorruptDatabase, naming table, row and column."""
        values: list[Any] = list(row)
        index = 0
        try:
            for index, convert in self._decoders:
                if values[index] is not None:
                    values[index] = convert(values[index])
        except (
            ArithmeticError,
            LookupError,
            TypeError,
            ValueError,
            msgspec.MsgspecError,
        ) as error:
            raise CorruptDatabase(
                f"table {self.table}, row {self.key_of_row(row)!r}: "
                f"column {self.names[index]} cannot hold {row[index]!r}; restore a backup"
            ) from error
        if self._nested is None:
            return self.record(*values)
        nested, width = self._nested
        return self.record(nested(*values[:width]), *values[width:])


def _only(_: object) -> RecordKey:
    return ()


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _marks(names: tuple[str, ...]) -> str:
    return ", ".join("?" for _ in names)


def _steps(converts: Iterable[_Convert | None]) -> tuple[tuple[int, _Convert], ...]:
    return tuple((index, convert) for index, convert in enumerate(converts) if convert is not None)


def _nested(record: type[msgspec.Struct]) -> tuple[type[msgspec.Struct], int] | None:
    """A first field that is a struct is stored flat: its type, and how many columns it fills."""
    first = msgspec.structs.fields(record)[0].type
    if isinstance(first, type) and issubclass(first, msgspec.Struct):
        return first, len(first.__struct_fields__)
    return None


def _columns(record: type[msgspec.Struct]) -> Iterable[TableColumn]:
    nested = _nested(record)
    for index, field in enumerate(msgspec.structs.fields(record)):
        if index == 0 and nested is not None:
            for inner in msgspec.structs.fields(nested[0]):
                yield _column(inner.name, f"{field.name}.{inner.name}", inner.type)
        else:
            yield _column(field.name, field.name, field.type)


def _column(name: str, path: str, annotation: Any) -> TableColumn:
    is_union = get_origin(annotation) in (Union, UnionType)
    kinds = get_args(annotation) if is_union else (annotation,)
    (kind,) = (each for each in kinds if each is not NoneType)
    is_nullable = NoneType in kinds
    if kind is str:
        return TableColumn(name, path, "TEXT", is_nullable, None, None)
    if kind is int:
        return TableColumn(name, path, "INTEGER", is_nullable, None, None)
    if kind is bool:
        return TableColumn(name, path, "INTEGER", is_nullable, int, {0: False, 1: True}.__getitem__)
    if kind is Decimal:
        return TableColumn(name, path, "TEXT", is_nullable, plain, Decimal)
    if isinstance(kind, type) and issubclass(kind, Enum):
        members = {member.value: member for member in kind}
        return TableColumn(
            name, path, "TEXT", is_nullable, attrgetter("_value_"), members.__getitem__
        )
    if kind == tuple[Check, ...]:
        return TableColumn(name, path, "TEXT", is_nullable, checks_text, checks_of)
    decoder = msgspec.json.Decoder(kind)
    return TableColumn(name, path, "TEXT", is_nullable, _to_json, decoder.decode)


def _to_json(value: object) -> str:
    return msgspec.json.encode(value).decode()


CODECS: dict[type[msgspec.Struct], RecordCodec[Any]] = {
    codec.record: codec
    for codec in (
        RecordCodec(Account, "virtual_accounts", ("va_id",)),
        RecordCodec(SignalRecord, "signals", ("signal_id",)),
        RecordCodec(Decision, "decisions", ("signal_id",)),
        RecordCodec(Order, "orders", ("client_order_id",)),
        RecordCodec(Fill, "fills", ("key",)),
        RecordCodec(Position, "positions", ("position_id",)),
        RecordCodec(Trade, "trades", ("trade_id",)),
        RecordCodec(Funding, "fundings", ("funding_id", "position_id")),
        RecordCodec(Incident, "incidents", ("incident_id",)),
        RecordCodec(KillSwitch, "kill_switch", ()),
        RecordCodec(DeskRecord, "desk", ()),
        RecordCodec(Cursor, "cursors", ("source",)),
        RecordCodec(CashMove, "cash_moves", ("ref",)),
        RecordCodec(ExternalHolding, "external_holdings", ("symbol", "side")),
        RecordCodec(Mark, "marks", ("symbol",)),
        RecordCodec(InstrumentSteps, "instrument_steps", ("symbol",)),
        RecordCodec(AccountReading, "account_readings", ("read_at_ns",)),
        RecordCodec(EquityPoint, "equity_points", ("va_id", "at_ns")),
    )
}
"""The codec of every stored type."""


def codec_of(record: type[R]) -> RecordCodec[R]:
    """The codec of a type, typed."""
    return CODECS[record]


class Newest:
    """The last state of each record among many changes, in the order in which they first
    appeared."""

    def __init__(self) -> None:
        self.by_type: dict[type[msgspec.Struct], dict[RecordKey, Record]] = {
            record: {} for record in CODECS
        }

    def take(self, changes: Iterable[Record]) -> None:
        """Take in further changes."""
        for record in changes:
            kind = type(record)
            self.by_type[kind][CODECS[kind].key_of(record)] = record


def is_gone(record: Record) -> bool:
    """Whether a record means that its row goes: the table of positions holds only what is live."""
    return isinstance(record, Position) and record.state is PositionState.CLOSED
