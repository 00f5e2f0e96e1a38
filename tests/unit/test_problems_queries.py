"""Query parameters that a route does not know."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.http_stories import Served


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with Served(tmp_path) as served:
        yield served


@pytest.mark.parametrize(
    ("path", "name", "says"),
    [
        ("/orders?opne=true", "opne", "there are va, limit, open"),
        ("/status?va=VA001", "va", "none here"),
        ("/signals/loser?limit=1", "limit", "none here"),
        ("/stream?after=1", "after", "there are last_event_id"),
    ],
)
def test_a_misspelt_parameter_is_named(served: Served, path: str, name: str, says: str) -> None:
    answer = served.client().get(path)
    assert (answer.status_code, answer.json()["field"]) == (422, name)
    assert says in answer.json()["detail"]


def test_a_flatten_in_the_address_is_no_kill_without_flatten(served: Served) -> None:
    answer = served.client().post("/kill?flatten=true", json={"reason": "x"})
    assert (answer.status_code, answer.json()["field"]) == (422, "flatten")
    assert not served.latch.latched.is_set
