"""Errors: every one is a problem document that says how to fix it, and tells no secret."""

from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest

from pointsman.api.problems import HttpProblem, problem_response
from pointsman.storage.errors import StorageUnavailable
from tests.http_stories import CONTROL, READ, TOKENS, Served


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with Served(tmp_path, TOKENS) as served:
        yield served


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "says"),
    [
        ("GET", "/nothing", None, 404, "/docs lists"),
        ("GET", "//nothing", None, 404, "/docs lists"),
        ("GET", "/kill", None, 405, "use POST"),
        ("GET", "/orders?limit=0", None, 422, "limit: "),
        ("GET", "/orders?limit=1001", None, 422, "limit: "),
        ("GET", "/orders?limit=x", None, 422, "limit: "),
        ("GET", "/orders?open=maybe", None, 422, "open: "),
        ("POST", "/pause", b"", 422, "body: "),
        ("POST", "/pause", b"{", 422, "body: this is not JSON, at character 1"),
        ("POST", "/pause", b"[]", 422, "body: "),
        ("POST", "/pause", b"{}", 422, "reason: "),
        ("POST", "/pause", b'{"reason": ""}', 422, "reason: "),
        ("POST", "/pause", b'{"reason": " \\t"}', 422, "reason: say why"),
        ("POST", "/pause", b'{"reason": 7}', 422, "reason: "),
        ("POST", "/kill", b'{"reason": "x", "flatten": "yes"}', 422, "flatten: "),
        ("POST", "/kill", b'{"reason": "x", "flaten": true}', 422, "flaten: "),
        ("POST", "/pause", b'{"reason": "\\ud800"}', 422, "reason: "),
        ("POST", "/pause", b"\xff\xfe", 422, "not JSON"),
        ("POST", "/pause", b"[" * 60_000, 400, "body"),
        ("POST", "/reconcile", b'{"reason": "x"}', 422, "reason: "),
    ],
)
def test_every_error_is_a_problem_that_says_what_would_do(
    served: Served, method: str, path: str, body: bytes | None, status: int, says: str
) -> None:
    headers = {"Content-Type": "application/json"} if body is not None else {}
    answer = served.client(CONTROL).ask(method, path, content=body, headers=headers)
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert (answer.status_code, told["status"]) == (status, status), told
    assert says in told["detail"]
    assert told["title"]
    assert not served.latch.latched.is_set


def test_what_nobody_expected_is_told_by_an_id_and_never_by_its_text(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> object:
        raise RuntimeError(f"the token is {READ}")

    monkeypatch.setattr(served.board, "document", fail)
    answer = served.client(READ).get("/status")
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert told["status"] == 500
    (line,) = served.complaints
    assert told["error_id"] in line
    assert "RuntimeError at test_api_problems.py:" in line
    assert "asked by GET /status" in line or "asked by GET /api/v1/status" in line
    for text in (line, answer.text):
        assert READ not in text
        assert "Traceback" not in text


def test_a_database_that_cannot_be_read_is_a_503_that_names_no_path(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> object:
        raise StorageUnavailable("/secret/place.db does not exist")

    monkeypatch.setattr(served.board, "document", fail)
    answer = served.client(READ).get("/status")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "/health/ready" in answer.json()["detail"]
    assert "secret" not in answer.text
    assert "database cannot be read" in served.complaints[0]


def test_a_problem_brings_its_headers_and_further_members() -> None:
    answer = problem_response(
        HttpProblem(HTTPStatus.LOCKED, "why", {"Retry-After": "1"}, near=["a"])
    )
    assert answer.headers["retry-after"] == "1"
    assert b'"near":["a"]' in bytes(answer.body)
