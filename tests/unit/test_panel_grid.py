"""A panel's rows as lines: what goes first, what is cut last, and what stands below what."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from pointsman.terminal.panel_grid import PanelGrid
from pointsman.terminal.tables import Column


class Drawn(NamedTuple):
    header: str
    lines: list[str]


def drawn(columns: Sequence[Column], rows: Sequence[Any], width: int) -> Drawn:
    return drawn_by(PanelGrid(columns), rows, width)


def drawn_by(grid: PanelGrid, rows: Sequence[Any], width: int) -> Drawn:
    cells = [grid.cells(row) for row in rows]
    grid.fit(cells, width)
    return Drawn(grid.header.plain, [grid.line(each).plain for each in cells])


NAME = Column("name", lambda row: row[0])
AMOUNT = Column("amount", lambda row: row[1], is_aligned=True)
NOTE = Column("note", lambda row: row[2], room=16)
EXTRA = Column("extra", lambda row: row[0] * 3, 1)

PANEL_ROWS = [("a", "12.5", "short"), ("bb", "1", "a note that is longer than there is room for")]


def test_points_stand_below_each_other_in_a_panel() -> None:
    panel = drawn((NAME, AMOUNT), [("x", "12.5", ""), ("y", "1", ""), ("z", "0.125", "")], 40)
    assert [line.rstrip() for line in panel.lines] == [
        "x     12.5",
        "y      1",
        "z      0.125",
    ]


def test_what_matters_least_goes_before_a_panel_cuts_anything() -> None:
    wide = drawn((NAME, AMOUNT, NOTE, EXTRA), PANEL_ROWS, 80)
    narrow = drawn((NAME, AMOUNT, NOTE, EXTRA), PANEL_ROWS, 30)
    assert "extra" in wide.header
    assert "extra" not in narrow.header
    assert narrow.lines[1] == "bb      1   a note that is lo…"


def test_a_number_too_long_for_its_column_keeps_its_first_digits() -> None:
    rows = [("x", "123.456789012345", ""), ("y", "7.5", "")]
    panel = drawn((NAME, AMOUNT, NOTE), rows, 20)
    assert [line.split()[1] for line in panel.lines] == ["123.45678…", "7.5"]


def test_who_wants_most_beyond_its_room_gives_first() -> None:
    long = Column("long", lambda row: row[0], room=4)
    short = Column("short", lambda row: row[1], room=5)
    (line,) = drawn((long, short), [("l" * 40, "s" * 8)], 30).lines
    assert line == f"{'l' * 19}…  {'s' * 8}"


def test_columns_do_not_become_narrower_while_numbers_change() -> None:
    grid = PanelGrid((AMOUNT, NAME))
    before = drawn_by(grid, [("x", "10000.25", "")], 40)
    after = drawn_by(grid, [("x", "1", "")], 40)
    assert before.header == after.header


@given(
    st.lists(st.tuples(st.text(max_size=9), st.decimals(-9999, 9999, places=2), st.text())),
    st.integers(1, 120),
)
def test_no_line_of_a_panel_is_wider_than_asked_for(
    rows: list[tuple[str, Decimal, str]], width: int
) -> None:
    panel = drawn((NAME, AMOUNT, NOTE, EXTRA), [(a, str(b), c) for a, b, c in rows], width)
    assert len(panel.lines) == len(rows)
    assert all(cell_len(line) <= width for line in (panel.header, *panel.lines))


def test_text_from_outside_cannot_break_a_line_or_steer_the_terminal() -> None:
    (line,) = drawn((NAME,), [("a\nb\x1b[31m",)], 40).lines
    assert line == "a\\nb\\x1b[31m"


def test_before_a_number_is_cut_points_no_longer_stand_below_each_other() -> None:
    rows = [("x", "12345", ""), ("y", "0.123456", "")]
    wide, narrow = (drawn((NAME, AMOUNT), rows, width) for width in (18, 16))
    assert [line.strip() for line in wide.lines] == ["x     12345", "y         0.123456"]
    assert [line.strip() for line in narrow.lines] == ["x        12345", "y     0.123456"]


def test_a_character_belongs_to_the_column_that_stands_there() -> None:
    grid = PanelGrid((NAME, AMOUNT))
    drawn_by(grid, [("x", "1", "")], 40)
    found = [grid.column_at(x) for x in (0, 3, 6, 11, 30)]
    assert found == [NAME, NAME, AMOUNT, AMOUNT, None]
