"""Any record survives being stored, and what cannot be read is named."""

from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import get_args

import msgspec
import pytest
from hypothesis import given

from pointsman.domain.accounts import CashMove
from pointsman.domain.commands import Record
from pointsman.domain.positions import PositionState
from pointsman.storage import schema
from pointsman.storage.codec import Newest, codec_of, is_gone
from pointsman.storage.errors import CorruptDatabase
from tests.unit.stored_samples import any_of, order, position

RECORDS = get_args(Record)


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("codec") / "trading.db"
    schema.prepare(path)
    return path


@pytest.mark.parametrize("kind", RECORDS, ids=lambda kind: kind.__name__)
def test_any_record_survives_being_stored(kind: type[msgspec.Struct], migrated: Path) -> None:
    codec = codec_of(kind)
    with closing(schema.connect(migrated, "rw")) as connection:

        @given(any_of(kind))
        def survives(record: msgspec.Struct) -> None:
            connection.execute(f"DELETE FROM {codec.table}")
            for _ in range(2):  # an insert, then an update
                connection.execute(codec.upsert, codec.encode(record))
            (row,) = connection.execute(codec.select).fetchall()
            # As text, since NaN does not equal itself.
            assert repr(codec.decode(row)) == repr(record)
            assert codec.key_of_row(row) == codec.key_of(record)

        connection.execute("BEGIN")
        survives()
        connection.execute("ROLLBACK")


@pytest.mark.parametrize(
    ("amount", "text"),
    [("1E+2", "100"), ("1E-12", "0.000000000001"), ("158.390", "158.390"), ("NaN", "NaN")],
)
def test_decimals_are_stored_without_an_exponent(amount: str, text: str) -> None:
    codec = codec_of(CashMove)
    row = codec.encode(CashMove("r1", "VA001", Decimal(amount), 1))
    assert row[codec.names.index("amount")] == text


def test_a_row_that_cannot_be_read_is_named() -> None:
    codec = codec_of(type(order(1)))
    row = list(codec.encode(order(1)))
    row[codec.names.index("quantity")] = "ten"
    with pytest.raises(CorruptDatabase, match=r"orders, row 'ABCDEF1E1': column quantity .*'ten'"):
        codec.decode(tuple(row))


def test_of_many_changes_the_newest_stays_in_the_place_of_the_first() -> None:
    first, second, changed = order(1), order(2), order(1, is_unknown=True)
    newest = Newest()
    newest.take((first, second))
    newest.take((changed,))
    assert list(newest.by_type[type(first)].values()) == [changed, second]


@pytest.mark.parametrize("state", PositionState)
def test_a_position_keeps_its_row_until_it_is_closed(state: PositionState) -> None:
    assert is_gone(position(1, state)) is (state is PositionState.CLOSED)
