"""The door: what a request meets before any route, in order."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from pointsman.api.limits import Limits, Rate
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
    answer = served.client("guess").post("/quotes", content=b"x" * 2_000_000)
    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Host": "evil.example"}, 421),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
        ({"Content-Type": "multipart/form-data; boundary=x"}, 415),
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


def test_guesses_are_few_and_lock_nobody_out_of_a_kill(served: Served) -> None:
    guesser, owner = served.client("guess"), served.client(CONTROL)
    told = [guesser.get("/status").status_code for _ in range(22)]
    assert told == [401] * 20 + [429] * 2
    refused = owner.get("/status")
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert guesser.post("/kill", json=KILL).status_code == 429
    assert owner.post("/pause", json=KILL).status_code == 200
    assert owner.post("/kill", json=KILL).status_code == 200
    elsewhere = served.client(CONTROL, address="192.0.2.7")
    assert elsewhere.get("/status").status_code == 200


def test_no_token_at_all_is_no_guess(served: Served) -> None:
    assert {served.client().get("/status").status_code for _ in range(30)} == {401}


def test_guesses_at_the_webhook_count_too(served: Served) -> None:
    sender = served.client()
    told = {sender.post(f"//webhook/guess-{number}", json={}).status_code for number in range(25)}
    assert 429 in told
    assert sender.post(f"//webhook/{WEBHOOK_TOKEN}", json={}).status_code == 429


def test_one_who_asks_too_often_waits_and_holds_up_neither_others_nor_a_kill(
    tmp_path: Path, opened: ExitStack
) -> None:
    limits = UNLIMITED._replace(reads=Rate(3, 0.001), controls=Rate(2, 0.001))
    served = opened.enter_context(Served(tmp_path, TOKENS, limits))
    client = served.client(CONTROL)
    assert [client.get("/status").status_code for _ in range(4)] == [200, 200, 200, 429]
    assert client.get("/ping").status_code == 200
    assert client.post("/resume", json=KILL).status_code == 200
    assert client.post("/resume", json=KILL).status_code == 200
    assert client.post("/resume", json=KILL).status_code == 429
    assert client.post("/kill", json=KILL).status_code == 200
    assert served.client(READ, "192.0.2.7").get("/status").status_code == 200


def test_signals_may_come_by_the_thousand() -> None:
    assert Limits().signals.burst >= 5_000
    assert Limits().signals.per_second >= 5_000
