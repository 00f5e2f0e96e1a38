"""Running text breaks between its parts; panels share the height."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.text import Text

from pointsman.dashboard.layout import flow, share, spread


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
