"""The whole application: who may ask for what, and by which method (RULES 36, 38)."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from pointsman.api.access import Access, Caller
from pointsman.api.server import build_app
from tests.http_stories import CONTROL, READ, SIGNAL, TOKENS, Served

WHY = {"reason": "drill"}
READS = (
    "/status",
    "/accounts",
    "/accounts/VA001",
    "/positions",
    "/orders",
    "/orders/ABCDEF1E1",
    "/fills",
    "/trades",
    "/signals",
    "/signals/loser",
    "/incidents",
    "/reconciliations",
    "/venue",
    "/config",
)
STOPS = ("/kill", "/pause")
STEERS = ("/rearm", "/resume", "/flatten")
OPEN = ("//health/live", "//health/ready", "/ping", "/version")


@pytest.fixture
def opened() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with Served(tmp_path, {**TOKENS, "WEBHOOK_TOKEN": "webhook-0123456789"}) as served:
        yield served


@pytest.mark.parametrize(
    ("token", "reads", "stops", "steers"),
    [
        (READ, 200, 200, 403),
        (SIGNAL, 403, 200, 403),
        (CONTROL, 200, 200, 200),
        ("webhook-0123456789", 401, 401, 401),
        ("other", 401, 401, 401),
        ("", 401, 401, 401),
        (None, 401, 401, 401),
    ],
)
def test_rule_36_anyone_may_stop_and_few_may_resume(
    served: Served, token: str | None, reads: int, stops: int, steers: int
) -> None:
    client = served.client(token)
    assert {path: client.get(path).status_code for path in READS} == dict.fromkeys(READS, reads)
    told = {path: client.post(path, json=WHY).status_code for path in (*STEERS, *STOPS)}
    assert told == dict.fromkeys(STEERS, steers) | dict.fromkeys(STOPS, stops)
    assert {client.get(path).status_code for path in OPEN} == {200}
    assert served.latch.latched.is_set == (stops == HTTPStatus.OK)


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/signals"), ("GET", "/status"), ("HEAD", "/status")]
)
def test_the_caller_of_a_request_is_identified_once(
    served: Served, monkeypatch: pytest.MonkeyPatch, method: str, path: str
) -> None:
    asked: list[Mapping[str, Any]] = []
    identified = Access.caller

    def counted(access: Access, scope: Mapping[str, Any]) -> Caller:
        asked.append(scope)
        return identified(access, scope)

    monkeypatch.setattr(Access, "caller", counted)
    assert served.client(CONTROL).ask(method, path).status_code in {200, 415}
    assert len(asked) == 1


def test_every_route_of_the_contract_is_there(served: Served) -> None:
    told = {
        (method.upper(), path)
        for path, operations in served.app.openapi()["paths"].items()
        for method in operations
    }
    below = {(method, path.removeprefix("/api/v1")) for method, path in told}
    wanted = {("GET", path) for path in READS if not path.startswith(("/accounts/", "/orders/"))}
    wanted -= {("GET", "/signals/loser")}
    wanted |= {("GET", "/accounts/{va}"), ("GET", "/orders/{client_order_id}"), ("GET", "/stream")}
    wanted |= {("GET", "/signals/{signal_id}"), ("POST", "/reconcile"), ("POST", "/signals")}
    wanted |= {("POST", path) for path in (*STOPS, *STEERS)} | {("POST", "/webhook/{token}")}
    assert wanted <= below


@pytest.mark.parametrize("path", [*STOPS, *STEERS, "/reconcile"])
def test_nothing_is_done_by_get_or_by_what_stands_in_a_url(served: Served, path: str) -> None:
    client = served.client(CONTROL)
    refused = client.get(path, params={"reason": "x", "flatten": "true"})
    assert (refused.status_code, refused.headers["allow"]) == (405, "POST")
    asked = client.post(path, params={"reason": "x"}, json={"flatten": True})
    assert asked.status_code == 422
    assert not served.latch.latched.is_set


def test_without_tokens_callers_on_this_machine_may_do_everything_and_others_nothing(
    tmp_path: Path, opened: ExitStack
) -> None:
    served = opened.enter_context(Served(tmp_path))
    assert served.client().post("/pause", json=WHY).status_code == 200
    for stranger in (
        served.client(address="192.0.2.7"),
        served.client("guess", address="192.0.2.7"),
        served.client(address="::ffff:192.0.2.7"),
    ):
        assert stranger.get("/status").status_code == 401
        assert stranger.post("/kill", json=WHY).status_code == 401
    through_a_proxy = served.client().get("/status", headers={"X-Forwarded-For": "192.0.2.7"})
    assert through_a_proxy.status_code == 401


def test_head_is_get_without_the_body_and_options_names_the_methods(served: Served) -> None:
    client = served.client(READ)
    head, got = client.ask("HEAD", "/trades"), client.get("/trades")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == got.headers["content-length"]
    assert client.ask("OPTIONS", "/trades").headers["allow"] == "GET"
    assert client.ask("DELETE", "/signals").headers["allow"] == "GET, POST"
    assert client.ask("HEAD", "/stream").status_code == 405


def test_an_application_can_be_built_twice_for_one_engine(served: Served) -> None:
    assert build_app(served.engine).openapi() == served.app.openapi()
