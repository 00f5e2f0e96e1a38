"""The line of keys names those that are of use here, and never loses those that matter most."""

import pytest

from pointsman.dashboard.keys import KEYS, help_text, key_line
from tests.dashboard_pictures import ACCOUNTS, INCIDENTS, Document, decision, position

WIDE = 200


@pytest.mark.parametrize(
    ("kind", "row", "there", "absent"),
    [
        ("accounts", ACCOUNTS[0], ["p pause", "x flatten", "enter story"], ["f refused"]),
        ("accounts", ACCOUNTS[2], ["p lift the freeze"], []),
        ("accounts", ACCOUNTS[0] | {"status": "paused"}, ["p resume"], []),
        ("positions", position(1), ["x flatten", "a account"], ["f refused"]),
        ("decisions", decision("d"), ["f refused", "y copy id"], ["x flatten"]),
        ("decisions", None, ["f refused"], ["enter story", "y copy id", "a account"]),
        ("incidents", INCIDENTS[0], ["a account"], ["enter story"]),
    ],
)
def test_only_keys_of_use_are_named(
    kind: str, row: Document | None, there: list[str], absent: list[str]
) -> None:
    line = key_line(kind, row, WIDE).plain
    assert [words for words in there if words not in line] == []
    assert [words for words in absent if words in line] == []


@pytest.mark.parametrize("width", [70, 78, 98, 118])
def test_what_matters_most_stays_where_there_is_little_room(width: int) -> None:
    line = key_line("positions", position(1), width, is_filtered=True).plain
    assert len(line) <= width
    for words in ("k kill", "p pause", "? help", "q quit", "escape show all"):
        assert words in line


def test_help_explains_every_key_of_the_line() -> None:
    explained = " ".join(key for key, _ in KEYS).split()
    line = key_line("decisions", decision("d"), WIDE).plain
    named = [part.split(" ", 1)[0] for part in line.split("  ")]
    assert set(named) - set(explained) <= {"1-7", "escape", "?"}
    assert "kill switch" in help_text().plain
