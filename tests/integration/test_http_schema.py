"""Schemathesis: what /openapi.json says of every route is tried over a real socket, with data that
fits it and data that does not. No answer is an error of ours, and none is one that is not
described."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import hypothesis
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given
from schemathesis.core.result import Ok
from schemathesis.specs.openapi import checks as openapi_checks

from pointsman.api.server import HttpServer, listen, url_of
from tests.http_stories import CONTROL, TOKENS, UNLIMITED, Served

SEED = 7
EXAMPLES = 12
CHECKS = [
    openapi_checks.status_code_conformance,
    openapi_checks.content_type_conformance,
    openapi_checks.response_schema_conformance,
    openapi_checks.response_headers_conformance,
    openapi_checks.unsupported_method,
    openapi_checks.ignored_auth,
]
ENDLESS = ("/api/v1/stream",)
"""Its answer has no end; `test_stream` reads it."""


@schemathesis.serializer("application/jsonl", "application/x-ndjson")
def lines(_context: Any, value: Any) -> bytes:
    """Whatever it makes up as the lines of a body."""
    return str(value).encode("utf-8", "replace")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    tokens = {**TOKENS, "WEBHOOK_TOKEN": "webhook-0123456789"}
    with Served(tmp_path_factory.mktemp("schema"), tokens, UNLIMITED) as served:
        listener = listen("127.0.0.1", 0)
        server = HttpServer(served.app, listener)
        server.start()
        yield url_of(listener)
        server.stop()


@pytest.mark.filterwarnings("ignore")  # of the tool's own making
@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode))
def test_no_route_fails_or_answers_what_it_does_not_describe(
    url: str, mode: schemathesis.GenerationMode
) -> None:
    schema = schemathesis.openapi.from_url(f"{url}/openapi.json", timeout=60)
    tried = 0
    for found in schema.get_all_operations():
        assert isinstance(found, Ok), found
        operation = found.ok()
        takes_input = {"security", "parameters", "requestBody"} & set(operation.definition.raw)
        if operation.path in ENDLESS or (mode.is_negative and not takes_input):
            continue

        @hypothesis.seed(SEED)
        @hypothesis.settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def agrees(case: schemathesis.Case[Any]) -> None:
            nonlocal tried
            tried += 1
            answer = case.call(
                base_url=url, headers={"Authorization": f"Bearer {CONTROL}"}, timeout=20
            )
            is_ours = answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR
            assert not is_ours or answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE
            case.validate_response(answer, checks=CHECKS)

        agrees()
    assert tried > 100
