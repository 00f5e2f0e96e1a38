"""Tables fit, and leave out what matters least."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.text import Text

from pointsman.terminal.tables import Column, Listing, facts

ROWS = [
    ("VA001", "158.4", "ok"),
    ("VA002", "9.125", "a reason of some length"),
    ("VA003", "17", ""),
]
COLUMNS = (
    Column("account", lambda row: row[0]),
    Column("price", lambda row: row[1], 1, is_aligned=True),
    Column("why", lambda row: row[2], 2),
    Column("never", lambda _row: None, 3),
)


def drawn(renderable: RenderableType, width: int) -> list[str]:
    """The lines as they stand on a terminal of `width` characters."""
    console = Console(file=io.StringIO(), width=width, markup=False, highlight=False)
    with console.capture() as captured:
        console.print(renderable)
    return [line.rstrip() for line in captured.get().splitlines()]


def test_points_stand_below_each_other() -> None:
    assert drawn(Listing("Prices", COLUMNS[:2], ROWS), 80) == [
        "Prices",
        "account    price",
        "────────────────",
        "VA001    158.4",
        "VA002      9.125",
        "VA003     17",
    ]


@pytest.mark.parametrize(
    ("width", "headers"),
    [(80, "account    price  why"), (39, "account    price"), (12, "account")],
)
def test_the_highest_rank_goes_first_where_room_is_scarce(width: int, headers: str) -> None:
    lines = drawn(Listing("Prices", COLUMNS, ROWS), width)
    assert lines[1] == headers
    assert all(len(line) <= width for line in lines)


def test_a_folding_column_breaks_its_text_instead_of_cutting_it() -> None:
    folding = Column("why", lambda row: row[2], folds=True)
    text = " ".join(drawn(Listing("Folded", (COLUMNS[0], folding), ROWS), 30))
    assert "…" not in text
    assert text.split().count("length") == 1


def test_no_rows_are_said_in_words() -> None:
    assert drawn(Listing("Prices", COLUMNS, []), 80) == ["Prices: none"]


def test_text_from_outside_is_shown_as_text() -> None:
    (_, _, _, cell) = drawn(
        Listing("T", (Column("x", lambda row: row),), ["\x1b[31m[bold]red[/bold]"]), 80
    )
    assert cell == r"\x1b[31m[bold]red[/bold]"


def test_facts_stand_below_each_other() -> None:
    assert drawn(facts([("a", Text("1")), ("long", Text("2"))]), 80) == ["  a     1", "  long  2"]


LONG = "alert-b21ce73fc3ad013d762897771d27aabbccddeef1"
WITH_IDS = (
    Column("at", lambda _row: "14:30:00.000", 1),
    Column("signal", lambda row: row, is_id=True),
    Column("account", lambda _row: "VA001"),
    Column("note", lambda _row: "unimportant", 2),
)


@pytest.mark.parametrize(
    ("width", "first_row"),
    [
        (100, ["14:30:00.000", LONG, "VA001", "unimportant"]),
        (70, ["14:30:00.000", LONG, "VA001"]),
        (60, ["14:30:00.000", "alert-b21ce73fc3ad…771d27aabbccddeef1", "VA001"]),
        (39, ["14:30:00.000", "alert-b2…cddeef1", "VA001"]),
        (38, ["alert-b21ce73f…27aabbccddeef1", "VA001"]),
    ],
)
def test_an_id_is_cut_in_its_middle_once_what_matters_less_has_gone(
    width: int, first_row: list[str]
) -> None:
    *_, first, second = drawn(Listing("Signals", WITH_IDS, [LONG, "demo-1"]), width)
    assert first.split() == first_row
    assert "demo-1" in second
    assert len(first) <= width


@given(st.lists(st.tuples(st.text(max_size=30), st.text(max_size=60))), st.integers(1, 120))
def test_no_line_of_a_list_is_wider_than_the_terminal(
    rows: list[tuple[str, str]], width: int
) -> None:
    columns = (
        Column("signal", lambda row: row[0], is_id=True),
        Column("detail", lambda row: row[1], folds=True),
        Column("length", lambda row: str(len(row[1])), 1, is_right=True),
    )
    assert all(cell_len(line) <= width for line in drawn(Listing("T", columns, rows), width))


@pytest.mark.parametrize(("encoding", "rule"), [("utf-8", "─────"), ("ascii", "-----")])
def test_a_terminal_without_lines_gets_hyphens(encoding: str, rule: str) -> None:
    paper = io.TextIOWrapper(io.BytesIO(), encoding)
    Console(file=paper, width=80).print(Listing("T", COLUMNS[1:2], ROWS[:1]))
    paper.seek(0)
    assert paper.read().splitlines()[2] == rule
