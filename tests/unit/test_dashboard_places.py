"""What has a place in which terminal, and how high it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.geometry import Size

from pointsman.dashboard.places import (
    LOWER,
    Places,
    frame_of,
    heights,
    is_too_small,
    places,
    tabs_of,
    what_is_needed,
)

ABOVE = ("accounts", "positions")
SMALL, TALL, WIDE, LARGE = Size(80, 24), Size(100, 40), Size(140, 24), Size(200, 50)


@pytest.mark.parametrize(
    ("size", "lower", "zoomed", "found"),
    [
        (SMALL, "decisions", None, Places((*ABOVE, "decisions"), ())),
        (SMALL, "trades", None, Places((*ABOVE, "trades"), ())),
        (SMALL, "incidents", None, Places(ABOVE, ("incidents",))),
        (TALL, "decisions", None, Places((*ABOVE, "decisions"), ("incidents",))),
        (TALL, "incidents", None, Places((*ABOVE, "decisions"), ("incidents",))),
        (TALL, "market", None, Places(ABOVE, ("market", "incidents"))),
        (WIDE, "orders", None, Places((*ABOVE, "orders"), ("detail", "incidents"))),
        (
            LARGE,
            "market",
            None,
            Places((*ABOVE, "decisions"), ("equity", "detail", "market", "incidents")),
        ),
        (SMALL, "decisions", "orders", Places(("orders",), ())),
        (LARGE, "decisions", "orders", Places(("orders",), ("detail",))),
        (LARGE, "decisions", "market", Places((), ("market",))),
    ],
)
def test_who_has_a_place(size: Size, lower: str, zoomed: str | None, found: Places) -> None:
    assert places(size, lower, "incidents", zoomed) == found


def test_what_has_a_place_of_its_own_cannot_be_chosen_for_another() -> None:
    assert tabs_of(SMALL) == LOWER
    assert tabs_of(TALL) == ("decisions", "orders", "trades", "market")
    assert tabs_of(LARGE) == ("decisions", "orders", "trades")


@given(
    st.integers(72, 220),
    st.integers(20, 70),
    st.sampled_from(LOWER),
    st.lists(st.integers(1, 300), min_size=7, max_size=7),
)
def test_the_places_fill_the_room_and_each_shows_a_row(
    width: int, height: int, lower: str, rows: list[int]
) -> None:
    size = Size(width, height)
    room = height - 7
    found = places(size, lower, "incidents", None)
    wanted = dict(zip((*ABOVE, *LOWER), (count + 1 for count in rows), strict=True))
    lines = heights(found, room, wanted, size)
    sides = [found.left, found.right] if width >= 140 else [(*found.left, *found.right)]
    assert all(sum(lines[name] for name in side) == room for side in sides)
    assert all(count >= 2 + frame_of(size) for count in lines.values())


def test_a_terminal_that_is_too_small_is_told_what_it_needs() -> None:
    assert [is_too_small(Size(*each)) for each in ((72, 20), (71, 20), (72, 19))] == [
        False,
        True,
        True,
    ]
    assert "needs 72 x 20" in what_is_needed(Size(60, 15), None, []).plain
