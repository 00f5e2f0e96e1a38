"""A title has as many of its tabs as there is room for, with or without how many rows each has."""

import pytest

from pointsman.dashboard.panels import kinds
from pointsman.dashboard.theme import ALARM
from pointsman.dashboard.titles import Tab, counted_rows, spaced, title
from tests.dashboard_pictures import DECISIONS, LISTS, busy_picture

KINDS = kinds("UTC")
TABS = [Tab(KINDS["decisions"], 9), Tab(KINDS["incidents"], 2, is_alarming=True)]


@pytest.mark.parametrize(
    ("width", "words"),
    [
        (80, "3 Decisions 9  4 Orders  7, by side ▲  6 Incidents 2"),
        (51, "3 Decisions  4 Orders  7, by side ▲  6 Incidents 2"),
        (49, "4 Orders  7, by side ▲"),
    ],
)
def test_tabs_stand_where_there_is_room(width: int, words: str) -> None:
    assert title(KINDS["orders"], "7", "by side ▲", width, TABS).plain == words


def test_what_nobody_has_looked_at_stands_out() -> None:
    text = title(KINDS["orders"], "7", "", 80, TABS)
    assert text.spans[-1].style == ALARM
    assert spaced(text).plain == f" {text.plain} "


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("accounts", "3"),
        ("orders", "2 working, 1 ended"),
        ("trades", "newest 2 of 18"),
        ("decisions", "newest 20 of 42, 25 refused"),
    ],
)
def test_how_much_there_is_is_said_at_a_glance(name: str, words: str) -> None:
    rows = {
        "accounts": busy_picture()["accounts"],
        "orders": LISTS.orders,
        "trades": LISTS.trades,
        "decisions": DECISIONS,
    }
    assert counted_rows(name, busy_picture(), rows[name], is_brief=False) == words
