"""Requests over HTTP: what is answered to each, and a kill that waits for nobody (RULES 34)."""

import asyncio
import threading
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
import pytest

from pointsman.domain.accounts import KillState
from pointsman.engine import controls
from pointsman.engine.kill_latch import read_latch
from tests.http_stories import UNLIMITED, Served

WHY = {"reason": "drill"}


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with Served(tmp_path) as served:
        yield served


def test_each_command_is_told_as_the_engine_tells_it(served: Served) -> None:
    client = served.client()

    def told(verb: str, **body: Any) -> tuple[int, Any]:
        answer = client.post(f"/{verb}", json=body)
        return answer.status_code, answer.json().get("trading_state", answer.json().get("state"))

    assert told("pause", reason="lunch") == (200, "REDUCING")
    assert told("resume", reason="back") == (200, "ACTIVE")
    assert told("pause", reason="lunch", va="VA001") == (200, "ACTIVE")
    assert told("resume", reason="back", va="VA001") == (200, "ACTIVE")
    assert told("flatten", reason="x", va=None) == (200, "ACTIVE")
    assert told("kill", reason="drill") == (200, "halt")
    assert told("kill", reason="drill", flatten=True) == (200, "flatten")
    assert told("resume", reason="x") == (423, None)
    assert told("rearm", reason="over") == (200, "ACTIVE")
    assert client.post("/reconcile").json()["differences"] == 0
    assert client.post("/reconcile", json={}).json()["durable"] is True
    by = [event.by for event in served.story.events if hasattr(event, "by")]
    assert set(by) == {"http from 127.0.0.1"}


@pytest.mark.parametrize(
    ("body", "kind", "expected"),
    [
        (b"", None, ("halt", "no reason given")),
        (b"", "application/x-www-form-urlencoded", ("halt", "no reason given")),
        (b"{}", "application/x-www-form-urlencoded", ("halt", "no reason given")),
        (b"null", None, ("halt", "no reason given")),
        (b'{"reason": " "}', "application/json", ("halt", "no reason given")),
        (b'{"reason": null, "flatten": true}', None, ("flatten", "no reason given")),
        (b'{"reason": 7}', "text/plain", ("halt", "7")),
        (b'{"reason": "' + b"x" * 900 + b'"}', "application/json", ("halt", "x" * 250)),
        (b"reason=fire+now&flatten=TRUE", "application/x-www-form-urlencoded",
         ("flatten", "fire now")),
    ],
)  # fmt: skip
def test_a_kill_wants_neither_reason_nor_body_nor_content_type(
    served: Served, body: bytes, kind: str | None, expected: tuple[str, str]
) -> None:
    headers = {} if kind is None else {"Content-Type": kind}
    answer = served.client().post("/kill", content=body, headers=headers)
    assert (answer.status_code, answer.json()["state"]) == (200, expected[0]), answer.text
    stored = read_latch(served.latch.path)
    assert (stored.state.value, stored.note) == expected


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b'{"flaten": true}', "flaten"),
        (b'{"flatten": "perhaps"}', "flatten"),
        (b"flatten=perhaps", "flatten"),
        (b"[1]", "body"),
        (b"kill it", "body"),
        (b"\xff\xfe", "body"),
        (b"[" * 50_000, "body"),
    ],
)
def test_a_kill_that_may_mean_more_than_a_halt_is_not_guessed_at(
    served: Served, body: bytes, field: str
) -> None:
    answer = served.client().post("/kill", content=body)
    assert (answer.status_code, answer.json()["field"]) == (422, field), answer.text
    assert not served.latch.latched.is_set


def test_what_is_refused_says_why(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    client = served.client()
    unknown = client.post("/pause", json={**WHY, "va": "VA9"})
    assert (unknown.status_code, unknown.json()["field"]) == (422, "va")
    assert "there are VA001" in unknown.json()["detail"]
    monkeypatch.setattr(
        served.engine.controls, "_why_killed", lambda: "KILL exists; remove it first"
    )
    client.post("/kill", json=WHY)
    refused = client.post("/rearm", json=WHY)
    assert (refused.status_code, "remove it first" in refused.text) == (409, True)
    assert served.latch.latched.is_set


def test_storage_that_fails_is_told_with_when_to_try_again(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(controls, "ANSWER_SECONDS", 0.2)
    served.story.memory.fail()
    client = served.client()
    refused = client.post("/pause", json=WHY)
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
    killed = client.post("/kill", json=WHY)
    assert (killed.status_code, killed.json()) == (200, {"durable": True, "state": "halt"})


def test_rule_30_a_kill_holds_and_says_so_where_nothing_can_be_synced(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_given: object) -> int:
        raise OSError("no space left on device")

    monkeypatch.setattr("pointsman.engine.kill_latch.os.pwrite", full)
    killed = served.client().post("/kill", json={**WHY, "flatten": True})
    assert (killed.status_code, killed.json()) == (200, {"durable": False, "state": "flatten"})
    assert served.latch.latched.state is KillState.FLATTEN


def test_rule_34_a_kill_is_latched_while_the_loop_is_stuck_and_the_rest_is_not_done_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(controls, "ANSWER_SECONDS", 0.2)
    with Served(tmp_path, is_stuck=True) as served:
        client = served.client()
        refused = client.post("/pause", json=WHY)
        assert (refused.status_code, "withdrawn" in refused.text) == (503, True)
        assert refused.headers["retry-after"] == "5"
        assert client.post("/kill", json=WHY).json() == {"durable": True, "state": "halt"}
        assert read_latch(served.latch.path).note == "drill"


async def test_rule_34_a_kill_waits_neither_for_readers_nor_for_other_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(controls, "ANSWER_SECONDS", 1.0)
    going_on = threading.Event()
    with Served(tmp_path, limits=UNLIMITED, is_stuck=True) as served:
        monkeypatch.setattr(served.board, "document", lambda: going_on.wait(20))
        transport = httpx.ASGITransport(served.app)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://127.0.0.1/api/v1"
        ) as client:
            slow = [asyncio.create_task(client.get("/status")) for _ in range(60)]
            slow += [asyncio.create_task(client.post("/pause", json=WHY)) for _ in range(20)]
            await asyncio.sleep(0.2)
            killed = await client.post("/kill", json=WHY)
            assert killed.status_code == HTTPStatus.OK
            assert not any(task.done() for task in slow[:60])
            going_on.set()
            await asyncio.gather(*slow, return_exceptions=True)
