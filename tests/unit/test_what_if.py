"""`GET /whatif`: in a process of its own, one at a time, and what cannot be asked is named."""

import threading
from pathlib import Path

import pytest

from pointsman.api import what_if
from pointsman.api.problems import HttpProblem
from tests.http_stories import READ, SIGNAL, TOKENS, Served


def test_it_is_what_the_command_says_without_the_long_lists(tmp_path: Path) -> None:
    with Served(tmp_path, TOKENS) as served:
        client = served.client(READ)
        document = client.get("/whatif", params={"sweep": "MAX_SPREAD_BPS=0,100"}).json()
        assert [run["settings"] for run in document["runs"]] == [
            {"MAX_SPREAD_BPS": "0"},
            {"MAX_SPREAD_BPS": "100"},
        ]
        assert document["base"]["closed_trades"] == len(client.get("/trades").json())
        assert "trades" not in document["runs"][0]["report"]
        assert served.client(SIGNAL).get("/whatif").status_code == 403


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"set": "MAX_SPREAD_BPS"}, "decimal number"),
        ({"set": "MAX_SPREAD=5"}, "MAX_SPREAD"),
        ({"sweep": "MAX_SPREAD_BPS="}, "NAME=A,B,C"),
        ({"sweep": "MAX_SPREAD_BPS=" + ",".join(map(str, range(30)))}, "at most 20"),
        ({"set": "PAPER_FEE_BPS=1"}, "what happens"),
        ({"set": "CONTROL_TOKEN=0123456789abcdef"}, "what happens"),
    ],
)
def test_what_cannot_be_changed_is_refused_before_anything_is_started(
    tmp_path: Path, query: dict[str, str], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(what_if, "_asked", lambda *_: pytest.fail("it was started"))
    with Served(tmp_path) as served:
        refused = served.client().get("/whatif", params=query)
        assert refused.status_code == 422
        assert words in refused.json()["detail"]


def test_one_at_a_time_and_none_outlives_the_server(tmp_path: Path) -> None:
    turn = threading.Lock()
    with what_if._alone(turn), pytest.raises(HttpProblem) as busy, what_if._alone(turn):
        pass
    assert busy.value.status == 429
    assert not turn.locked()
    with Served(tmp_path) as served:
        served.app.state.stopping.set()
        assert served.client().get("/whatif").status_code == 503
