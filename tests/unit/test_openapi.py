"""The description: every answer that the door can give stands at every route."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.http_stories import TOKENS, Served

DOOR = {"400", "403", "408", "421", "429", "431"}
BODY = {"413", "415", "422"}


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with Served(tmp_path, TOKENS) as served:
        yield served


def operations(served: Served) -> list[tuple[str, str, dict[str, Any]]]:
    paths = served.app.openapi()["paths"]
    return [
        (path, method, operation) for path in paths for method, operation in paths[path].items()
    ]


def test_every_route_tells_what_the_door_answers_and_as_problems(served: Served) -> None:
    schemas = served.app.openapi()["components"]["schemas"]
    assert "HTTPValidationError" not in schemas
    assert schemas["Problem"]["required"] == ["type", "title", "status", "detail"]
    for path, method, operation in operations(served):
        answers = operation["responses"]
        wanted = DOOR | (BODY if method == "post" else set())
        wanted |= {"401"} if operation.get("security") else set()
        assert wanted <= set(answers), path
        for status, answer in answers.items():
            is_problem = int(status) >= 400 and path != "/health/ready"
            if is_problem:
                assert list(answer["content"]) == ["application/problem+json"], (path, status)
        summary = operation["summary"]
        assert operation["description"].startswith(summary.split()[0]), path
        assert 8 < len(summary) < 110, (path, summary)
        assert operation.get("description"), path


def test_a_token_is_asked_for_below_the_prefix_and_nowhere_else(served: Served) -> None:
    secured = {path for path, _, operation in operations(served) if operation.get("security")}
    below = {path for path, _, _ in operations(served) if path.startswith("/api/v1/")}
    assert secured == below - {"/api/v1/ping", "/api/v1/version"}


def test_without_tokens_it_says_that_none_is_needed(tmp_path: Path) -> None:
    with Served(tmp_path) as served:
        told = served.app.openapi()["paths"]["/api/v1/status"]["get"]["security"]
    assert {} in told


def test_it_is_served_and_drawn(served: Served) -> None:
    client = served.client()
    assert client.get("//openapi.json").json() == served.app.openapi()
    assert client.get("//docs").status_code == 200
