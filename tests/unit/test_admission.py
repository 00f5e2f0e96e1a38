"""The door: what a request meets before any route, in order."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from pointsman.api.limits import REFUSAL_SECONDS, Rate, RequestLimits
from tests.http_stories import CONTROL, READ, TOKENS, UNLIMITED, Served

KILL = {"reason": "drill"}
WEBHOOK_TOKEN = "webhook-0123456789"


@pytest.fixture
def opened() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with Served(tmp_path, {**TOKENS, "WEBHOOK_TOKEN": WEBHOOK_TOKEN}) as served:
        yield served


def test_below_the_prefix_nothing_answers_an_unknown_caller_not_even_that_it_is_not_there(
    served: Served,
) -> None:
    stranger = served.client()
    for method in ("GET", "POST", "DELETE", "OPTIONS", "HEAD"):
        for path in ("/status", "/nothing", "/kill", "//api/v1/ping/../status"):
            assert stranger.ask(method, path).status_code == 401, (method, path)
    assert served.client(READ).get("/nothing").status_code == 404


def test_no_body_is_read_of_an_unknown_caller(served: Served) -> None:
    answer = served.client("guess-0123456789").post("/quotes", content=b"x" * 2_000_000)
    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Host": "evil.example"}, 421),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Content-Encoding": "gzip"}, 415),
        ({"X-Long": "x" * 20_000}, 431),
        ({"Content-Type": "application/json; charset=utf-8"}, 200),
        ({"Origin": "http://127.0.0.1:8080", "Sec-Fetch-Site": "same-origin"}, 200),
    ],
)
def test_cross_site_forms_and_foreign_names_change_nothing(
    served: Served, headers: dict[str, str], expected: int
) -> None:
    usual = {"Content-Type": "application/json"}
    answer = served.client(CONTROL).post(
        "/kill", content=b'{"reason": "drill"}', headers=usual | headers
    )
    assert answer.status_code == expected
    assert served.latch.latched.is_set == (expected == 200)
    is_problem = answer.headers["content-type"] == "application/problem+json"
    assert is_problem == (expected != 200)


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
)
def test_rule_36_only_json_steers_apart_from_a_kill(served: Served, kind: str) -> None:
    client = served.client(CONTROL)
    for verb in ("pause", "rearm", "resume", "flatten"):
        answer = client.post(
            f"/{verb}", content=b'{"reason": "drill"}', headers={"Content-Type": kind}
        )
        assert answer.status_code == 415


def test_a_body_has_its_limit_and_a_batch_a_larger_one(served: Served) -> None:
    client = served.client(CONTROL)
    large = b'{"reason": "' + b"x" * 70_000 + b'"}'
    json = {"Content-Type": "application/json"}
    assert client.post("/kill", content=large, headers=json).status_code == 413
    assert client.post("/signals", content=large, headers=json).status_code == 413
    assert client.post("/signals/bulk", content=large, headers=json).status_code != 413
    batch = client.post("/signals/bulk", content=b"x" * (2**20 + 1), headers=json)
    assert batch.status_code == 413
    assert not served.latch.latched.is_set


def test_wrong_tokens_slow_their_own_kind_and_never_the_right_one(
    tmp_path: Path, opened: ExitStack
) -> None:
    limits = UNLIMITED._replace(same_guess=Rate(20, 0.001))
    settings = {**TOKENS, "WEBHOOK_TOKEN": WEBHOOK_TOKEN}
    served = opened.enter_context(Served(tmp_path, settings, limits))
    guesser, owner = served.client("guess-0123456789abcdef"), served.client(CONTROL)
    told = [guesser.get("/status") for _ in range(21)]
    assert [answer.status_code for answer in told] == [401] * 20 + [429]
    assert int(told[-1].headers["retry-after"]) >= 1
    for path in ("/kill", "/signals", "/nothing"):
        assert guesser.post(path, json=KILL).status_code == 429, path
    assert owner.get("/status").status_code == 200
    assert owner.post("/pause", json=KILL).status_code == 200
    assert owner.post("/kill", json=KILL).status_code == 200
    sender = served.client()
    assert sender.post(f"//webhook/{WEBHOOK_TOKEN}", json={}).status_code == 422


def test_no_token_at_all_is_no_guess(served: Served) -> None:
    assert {served.client().get("/status").status_code for _ in range(30)} == {401}


def test_guesses_at_the_webhook_are_limited_in_all_and_the_right_alert_passes(
    tmp_path: Path, opened: ExitStack
) -> None:
    limits = UNLIMITED._replace(guesses=Rate(5, 0.001))
    settings = {**TOKENS, "WEBHOOK_TOKEN": WEBHOOK_TOKEN}
    served = opened.enter_context(Served(tmp_path, settings, limits))
    sender = served.client()
    told = [sender.post(f"//webhook/guess-{n}", json={}).status_code for n in range(7)]
    assert told == [404] * 5 + [429] * 2
    assert served.client("another-0123456789").get("/status").status_code == 429
    assert sender.post(f"//webhook/{WEBHOOK_TOKEN}", json={}).status_code == 422


def test_an_address_that_only_begins_like_the_webhook_is_no_guess(
    tmp_path: Path, opened: ExitStack
) -> None:
    limits = UNLIMITED._replace(guesses=Rate(1, 0.001), same_guess=Rate(1, 0.001))
    settings = {**TOKENS, "WEBHOOK_TOKEN": WEBHOOK_TOKEN}
    served = opened.enter_context(Served(tmp_path, settings, limits))
    sender = served.client()
    for path in ("webhook.php", "webhooks/", "webhook-test", "webhook/", "webhook"):
        assert {sender.post(f"//{path}", json={}).status_code for _ in range(3)} == {404}, path
    assert sender.post("//webhook/guess", json={}).status_code == 404, "the first that counts"
    assert sender.post("//webhook/guess", json={}).status_code == 429


def test_a_wrong_token_waits_and_learns_nothing_of_the_body(served: Served) -> None:
    guesser, began = served.client("guess-0123456789abcdef"), time.monotonic()
    for content in (b"{", b'{"reason": 1}', b"x" * 100_000):
        for verb in ("kill", "pause"):
            answer = guesser.post(
                f"/{verb}", content=content, headers={"Content-Type": "application/json"}
            )
            assert answer.status_code == 401
    assert time.monotonic() - began >= 6 * REFUSAL_SECONDS


def test_one_who_asks_too_often_waits_and_holds_up_neither_others_nor_a_kill(
    tmp_path: Path, opened: ExitStack
) -> None:
    limits = UNLIMITED._replace(reads=Rate(3, 0.001), controls=Rate(2, 0.001))
    served = opened.enter_context(Served(tmp_path, TOKENS, limits))
    client = served.client(CONTROL)
    assert [client.get("/status").status_code for _ in range(4)] == [200, 200, 200, 429]
    assert served.client(CONTROL, "192.0.2.7").get("/status").status_code == 429, "its budget"
    assert served.client(READ).get("/status").status_code == 200
    assert client.post("/resume", json=KILL).status_code == 200
    assert client.post("/resume", json=KILL).status_code == 200
    assert client.post("/resume", json=KILL).status_code == 429
    assert client.post("/kill", json=KILL).status_code == 200


def test_nobody_can_spend_what_health_and_metrics_or_a_kill_need(
    tmp_path: Path, opened: ExitStack
) -> None:
    limits = UNLIMITED._replace(reads=Rate(1, 0.001), controls=Rate(1, 0.001))
    served = opened.enter_context(Served(tmp_path, TOKENS, limits))
    stranger = served.client()
    for _ in range(3):
        assert stranger.get("/status").status_code == 401
        assert stranger.post("/kill", json=KILL).status_code == 401
        stranger.get("//nothing")
        for path in ("//health/live", "//health/ready", "//metrics", "/ping", "/version"):
            assert stranger.get(path).status_code == 200, path
    assert served.client(CONTROL).post("/kill", json=KILL).status_code == 200


def test_signals_may_come_by_the_thousand() -> None:
    assert RequestLimits().signals.burst >= 5_000
    assert RequestLimits().signals.per_second >= 5_000
