"""Tables fit, and leave out what matters least."""

import io

import pytest
from rich.console import Console, RenderableType
from rich.text import Text

from pointsman.cli.tables import Column, Listing, facts

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
