"""Rows in another order, and only those that are looked for; whatever is not known comes last."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.dashboard.arrangement import Arrangement
from pointsman.dashboard.cells import Row
from pointsman.dashboard.panels.kind import PanelKind, Told
from pointsman.terminal.tables import Column

NAME = Column("name", lambda row: row["name"], order=lambda row: row["name"])
SIZE = Column("size", lambda row: str(row["n"]), is_right=True, order=lambda row: row["n"])
PLAIN = Column("plain", lambda row: row["name"])
KIND = PanelKind(
    name="names",
    digit="1",
    key="name",
    words=("name", "va_id"),
    empty=(),
    columns=(NAME, PLAIN, SIZE),
    describe=lambda row, _known: Told(row["name"], iter(())),
)
ROWS: list[Row] = [
    {"name": "b", "n": Decimal(10), "va_id": "VA001"},
    {"name": "a", "n": None, "va_id": "VA002"},
    {"name": "C", "n": Decimal(9), "va_id": "VA001"},
]


def names(arrangement: Arrangement) -> str:
    return "".join(row["name"] for row in arrangement.of(ROWS))


def test_one_goes_through_the_columns_that_have_an_order_and_back_to_none() -> None:
    arrangement = Arrangement(KIND)
    assert (names(arrangement), arrangement.told) == ("baC", "")
    arrangement.sort_by_next(KIND.columns)
    assert (names(arrangement), arrangement.told) == ("Cab", "by name ▲")
    arrangement.sort_by_next(KIND.columns)
    assert (names(arrangement), arrangement.told) == ("bCa", "by size ▼")
    arrangement.turn_round()
    assert (names(arrangement), arrangement.told) == ("Cba", "by size ▲")
    arrangement.sort_by_next(KIND.columns)
    assert (names(arrangement), arrangement.told) == ("baC", "")


def test_a_column_that_is_chosen_again_is_turned_round() -> None:
    arrangement = Arrangement(KIND)
    assert arrangement.sort_by(SIZE)
    assert names(arrangement) == "bCa"
    assert arrangement.sort_by(SIZE)
    assert names(arrangement) == "Cba"
    assert not arrangement.sort_by(PLAIN)


@pytest.mark.parametrize(
    ("text", "va_id", "found"),
    [
        ("", None, "baC"),
        ("c", None, "C"),
        ("va001", None, "bC"),
        ("", "VA002", "a"),
        ("b", "VA002", ""),
    ],
)
def test_what_is_looked_for_is_found_in_any_case(text: str, va_id: str | None, found: str) -> None:
    arrangement = Arrangement(KIND)
    arrangement.text, arrangement.va_id = text, va_id
    assert names(arrangement) == found
    assert [words for words in (text, va_id or "") if words not in arrangement.told] == []


@given(st.lists(st.one_of(st.none(), st.integers(-5, 5)), max_size=12), st.booleans())
def test_no_row_is_lost_or_doubled_and_unknown_ones_come_last(
    sizes: list[int | None], is_turned: bool
) -> None:
    rows: list[Row] = [{"name": str(at), "n": size, "va_id": ""} for at, size in enumerate(sizes)]
    arrangement = Arrangement(KIND)
    arrangement.sort_by(SIZE)
    if is_turned:
        arrangement.turn_round()
    found = arrangement.of(rows)
    assert sorted(row["name"] for row in found) == sorted(row["name"] for row in rows)
    known = [row["n"] for row in found if row["n"] is not None]
    assert [row["n"] for row in found][: len(known)] == known
    assert known == sorted(known, reverse=not is_turned)
