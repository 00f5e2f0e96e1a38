"""Rows become lines of one width; decimals stand below each other; panels share the height."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.text import Text

from pointsman.dashboard.layout import PanelColumn, draw, flow, share, spread

NAME = PanelColumn("name", lambda row: row[0])
AMOUNT = PanelColumn("amount", lambda row: row[1], is_aligned=True)
NOTE = PanelColumn("note", lambda row: row[2], room=16)
EXTRA = PanelColumn("extra", lambda row: row[0] * 3, 1)

ROWS = [("a", "12.5", "short"), ("bb", "1", "a note that is longer than there is room for")]


def test_points_stand_below_each_other() -> None:
    drawn = draw((NAME, AMOUNT), [("x", "12.5", ""), ("y", "1", ""), ("z", "0.125", "")], 40, {})
    assert [line.plain.rstrip() for line in drawn.lines] == [
        "x     12.5",
        "y      1",
        "z      0.125",
    ]


def test_what_matters_least_goes_before_anything_is_cut() -> None:
    wide = draw((NAME, AMOUNT, NOTE, EXTRA), ROWS, 80, {})
    narrow = draw((NAME, AMOUNT, NOTE, EXTRA), ROWS, 30, {})
    assert "extra" in wide.header.plain
    assert "extra" not in narrow.header.plain
    assert narrow.lines[1].plain == "bb      1   a note that is lo…"


def test_a_number_too_long_for_its_column_keeps_its_first_digits() -> None:
    rows = [("x", "123.456789012345", ""), ("y", "7.5", "")]
    drawn = draw((NAME, AMOUNT, NOTE), rows, 20, {})
    assert [line.plain.split()[1] for line in drawn.lines] == ["123.45678…", "7.5"]


def test_who_wants_most_beyond_its_room_gives_first() -> None:
    long = PanelColumn("long", lambda row: row[0], room=4)
    short = PanelColumn("short", lambda row: row[1], room=5)
    (line,) = draw((long, short), [("l" * 40, "s" * 8)], 30, {}).lines
    assert line.plain == f"{'l' * 19}…  {'s' * 8}"


def test_columns_do_not_become_narrower_while_numbers_change() -> None:
    least: dict[str, int] = {}
    before = draw((AMOUNT, NAME), [("x", "10000.25", "")], 40, least)
    after = draw((AMOUNT, NAME), [("x", "1", "")], 40, least)
    assert before.header.plain == after.header.plain


@given(
    st.lists(st.tuples(st.text(max_size=9), st.decimals(-9999, 9999, places=2), st.text())),
    st.integers(1, 120),
)
def test_no_line_is_wider_than_asked_for(rows: list[tuple[str, Decimal, str]], width: int) -> None:
    drawn = draw((NAME, AMOUNT, NOTE, EXTRA), [(a, str(b), c) for a, b, c in rows], width, {})
    assert len(drawn.lines) == len(rows)
    assert all(line.cell_len <= width for line in (drawn.header, *drawn.lines))


def test_text_from_outside_cannot_break_a_line_or_steer_the_terminal() -> None:
    (line,) = draw((NAME,), [("a\nb\x1b[31m",)], 40, {}).lines
    assert line.plain == "a\\nb\\x1b[31m"


def test_running_text_breaks_only_between_its_parts() -> None:
    parts = [Text("kill switch off"), Text("feed 12 ms"), Text("lag 0.1 ms")]
    assert [line.plain for line in flow(parts, 28, 2)] == [
        "kill switch off  feed 12 ms",
        "lag 0.1 ms",
    ]
    assert [line.plain for line in flow(parts, 20, 2)] == [
        "kill switch off",
        "feed 12 ms  lag 0.1…",
    ]


def test_a_part_keeps_its_style_to_itself() -> None:
    (line,) = flow([Text("bad", style="red"), Text("calm")], 40, 1)
    assert [(span.start, span.end) for span in line.spans if span.style == "red"] == [(0, 3)]


@pytest.mark.parametrize(
    ("width", "expected"), [(20, "left           right"), (10, "left"), (3, "le…")]
)
def test_what_stands_right_goes_first(width: int, expected: str) -> None:
    assert spread(Text("left"), Text("right"), width).plain == expected


@given(
    st.integers(15, 60),
    st.lists(st.integers(2, 60), min_size=3, max_size=3),
)
def test_the_whole_height_is_shared_and_nobody_falls_below_the_floor(
    room: int, wanted: list[int]
) -> None:
    floors = [4, 4, 5]
    heights = share(room, wanted, floors, spare_to=2)
    assert sum(heights) == room
    for height, want, floor in zip(heights, wanted, floors, strict=True):
        assert height >= min(want, floor)
    assert heights[0] <= max(wanted[0], floors[0])
