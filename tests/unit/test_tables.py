"""Tables fit, and leave out what matters least."""

import io
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.text import Text

from pointsman.terminal.tables import Column, Listing, draw_panel, facts

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


# -- panels ----------------------------------------------------------------------------------------

NAME = Column("name", lambda row: row[0])
AMOUNT = Column("amount", lambda row: row[1], is_aligned=True)
NOTE = Column("note", lambda row: row[2], room=16)
EXTRA = Column("extra", lambda row: row[0] * 3, 1)

PANEL_ROWS = [("a", "12.5", "short"), ("bb", "1", "a note that is longer than there is room for")]


def test_points_stand_below_each_other_in_a_panel() -> None:
    panel = draw_panel(
        (NAME, AMOUNT), [("x", "12.5", ""), ("y", "1", ""), ("z", "0.125", "")], 40, {}
    )
    assert [line.plain.rstrip() for line in panel.lines] == [
        "x     12.5",
        "y      1",
        "z      0.125",
    ]


def test_what_matters_least_goes_before_a_panel_cuts_anything() -> None:
    wide = draw_panel((NAME, AMOUNT, NOTE, EXTRA), PANEL_ROWS, 80, {})
    narrow = draw_panel((NAME, AMOUNT, NOTE, EXTRA), PANEL_ROWS, 30, {})
    assert "extra" in wide.header.plain
    assert "extra" not in narrow.header.plain
    assert narrow.lines[1].plain == "bb      1   a note that is lo…"


def test_a_number_too_long_for_its_column_keeps_its_first_digits() -> None:
    rows = [("x", "123.456789012345", ""), ("y", "7.5", "")]
    panel = draw_panel((NAME, AMOUNT, NOTE), rows, 20, {})
    assert [line.plain.split()[1] for line in panel.lines] == ["123.45678…", "7.5"]


def test_who_wants_most_beyond_its_room_gives_first() -> None:
    long = Column("long", lambda row: row[0], room=4)
    short = Column("short", lambda row: row[1], room=5)
    (line,) = draw_panel((long, short), [("l" * 40, "s" * 8)], 30, {}).lines
    assert line.plain == f"{'l' * 19}…  {'s' * 8}"


def test_columns_do_not_become_narrower_while_numbers_change() -> None:
    least: dict[str, int] = {}
    before = draw_panel((AMOUNT, NAME), [("x", "10000.25", "")], 40, least)
    after = draw_panel((AMOUNT, NAME), [("x", "1", "")], 40, least)
    assert before.header.plain == after.header.plain


@given(
    st.lists(st.tuples(st.text(max_size=9), st.decimals(-9999, 9999, places=2), st.text())),
    st.integers(1, 120),
)
def test_no_line_of_a_panel_is_wider_than_asked_for(
    rows: list[tuple[str, Decimal, str]], width: int
) -> None:
    panel = draw_panel((NAME, AMOUNT, NOTE, EXTRA), [(a, str(b), c) for a, b, c in rows], width, {})
    assert len(panel.lines) == len(rows)
    assert all(line.cell_len <= width for line in (panel.header, *panel.lines))


def test_text_from_outside_cannot_break_a_line_or_steer_the_terminal() -> None:
    (line,) = draw_panel((NAME,), [("a\nb\x1b[31m",)], 40, {}).lines
    assert line.plain == "a\\nb\\x1b[31m"
