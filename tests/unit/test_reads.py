"""Reading over HTTP: the documents of the commands' --json, within limits, and from one moment."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from pointsman.api.reads import wants_text
from pointsman.domain.events import Compared
from pointsman.reading.lists import LISTS, ListFilter
from pointsman.reading.story import read_story, story_document
from pointsman.storage.reader import open_reader
from tests.http_stories import READ, TOKENS, Served
from tests.story_database import lived_day
from tests.unit.test_venue_checks import keep, promise


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with Served(tmp_path, TOKENS) as served:
        yield served


@pytest.mark.parametrize("name", ["orders", "fills", "trades", "signals", "incidents"])
def test_a_list_is_that_of_the_command(served: Served, name: str) -> None:
    client, kind = served.client(READ), LISTS[name]
    with closing(open_reader(served.database)) as connection:
        for query, wanted in (
            ({}, ListFilter()),
            ({"limit": 1}, ListFilter(limit=1)),
            ({"va": "VA002"}, ListFilter("VA002")),
            ({"va": "nobody"}, ListFilter("nobody")),
        ):
            expected = [kind.document(row) for row in kind.rows(connection, wanted)]
            got = client.get(f"/{name}", params=query)
            assert got.json() == json.loads(json.dumps(expected)), query
    assert client.get(f"/{name}", params={"limit": 1}).json()


def test_orders_that_may_still_fill_and_one_with_its_fills(served: Served) -> None:
    client = served.client(READ)
    assert [each["client_order_id"] for each in client.get("/orders?open=true").json()] == [
        "ABCDEF2S2"
    ]
    order = client.get("/orders/ABCDEF1E1").json()
    assert (order["status"], [fill["quantity"] for fill in order["fills"]]) == (
        "FILLED",
        ["20", "30"],
    )
    assert client.get("/orders/ABCDEF9E1").status_code == 404


def test_what_is_held_now_comes_from_the_picture(served: Served) -> None:
    client, picture = served.client(READ), served.board.document()
    assert client.get("/status").json() == picture
    assert client.get("/accounts").json() == picture["accounts"]
    assert client.get("/accounts/VA002").json() == picture["accounts"][1]
    unknown = client.get("/accounts/VA9")
    assert (unknown.status_code, "there are VA001, VA002" in unknown.text) == (404, True)
    assert client.get("/positions").json() == picture["positions"]
    assert client.get("/positions?va=VA001").json() == []


def test_the_story_of_a_signal_for_programs_and_for_people(served: Served) -> None:
    client = served.client(READ)
    with closing(open_reader(served.database)) as connection:
        story = read_story(connection, "loser")
    assert story is not None
    assert client.get("/signals/loser").json() == json.loads(json.dumps(story_document(story)))
    drawn = client.get("/signals/loser", headers={"Accept": "text/plain"})
    assert drawn.headers["content-type"] == "text/plain; charset=utf-8"
    assert drawn.text == served.engine.draw_story(story)
    assert "Rules, in the order in which they are tried" in drawn.text
    near = client.get("/signals/losr")
    assert (near.status_code, near.json()["near"]) == (404, ["loser"])
    assert client.get("/signals/a/b").status_code == 404, "an id may hold a slash"


@pytest.mark.parametrize(
    ("accept", "is_text"),
    [
        ("text/plain", True),
        ("TEXT/PLAIN; q=0.9", True),
        ("text/plain, application/json", False),
        ("*/*", False),
        ("", False),
    ],
)
def test_text_is_for_whoever_asks_for_it(accept: str, is_text: bool) -> None:
    assert wants_text(accept) is is_text


def test_comparisons_and_settings_are_told_without_secrets(served: Served) -> None:
    served.comparisons.note(Compared(True, 10**9, 2, ""))
    client = served.client(READ)
    (told,) = client.get("/reconciliations").json()
    assert (told["result"], told["differences"]) == ("mismatch", 2)
    rows = {each["name"]: each["value"] for each in client.get("/config").json()}
    assert (rows["MAX_SPREAD_BPS"], rows["READ_TOKEN"]) == ("10.0", "********")
    assert not any(token in client.get("/config").text for token in TOKENS.values())


def test_a_database_that_cannot_be_read_is_told_and_complained_of(served: Served) -> None:
    served.database.rename(served.database.with_name("gone"))
    answer = served.client(READ).get("/orders")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert str(served.database) not in answer.text
    assert "does not exist" in served.complaints[0]


def test_the_venue_is_told_with_its_abilities_and_its_newest_check(served: Served) -> None:
    keep(served.database, promise("ant", is_kept=False))
    told = served.client(READ).get("/venue").json()
    assert told["venue"]["label"] == "paper"
    assert told["abilities"] == msgspec.to_builtins(lived_day().policy.abilities)
    assert (told["links"], told["budget"]) == ([], None), "this engine tells no health"
    assert [one["is_kept"] for one in told["last_check"]["promises"]] == [False]
