"""Signals over HTTP: one answer for each, and a true one."""

import json
from concurrent.futures import Future
from typing import Any

import httpx
import pytest

from pointsman.api import pending_decisions
from pointsman.domain.commands import Step
from pointsman.domain.signals import Signal
from pointsman.execution.outbox import StorageHeld
from tests.unit.played_engine import (
    FULL,
    Played,
    accepted,
    accepts,
    has_no_room,
    is_deciding,
    leaves_waiting,
    post,
)

JSON = {"Content-Type": "application/json"}
LINES = {"Content-Type": "application/jsonl"}


@pytest.fixture(autouse=True)
def _nobody_waits_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pending_decisions, "DECIDE_SECONDS", 0.05)
    monkeypatch.setattr("pointsman.api.signals.DECIDE_SECONDS", 0.05)


async def signal(played: Played, **changes: object) -> httpx.Response:
    fields = {key: value for key, value in (FULL | changes).items() if value is not None}
    return await post(played, "/api/v1/signals", json.dumps(fields), JSON)


async def bulk(played: Played, *lines: object) -> list[dict[str, Any]]:
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    response = await post(played, "/api/v1/signals/bulk", "\n".join(texts), LINES)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/jsonl"
    return [json.loads(line) for line in response.text.splitlines()]


def ids(count: int) -> list[dict[str, object]]:
    return [{**FULL, "signal_id": f"s{number}"} for number in range(count)]


async def test_a_signal_is_answered_with_its_decision() -> None:
    played = Played()
    response = await signal(played, price="158.3900")
    assert response.status_code == 200
    told = response.json()
    assert (told["signal_id"], told["outcome"], told["reason"]) == ("s1", "accepted", None)
    assert (told["quantity"], told["action"], told["duplicate"]) == ("10", "entry", False)
    assert told["decided_at"] == "2026-01-05T10:30:00.000000Z"
    ((given, source),) = played.offered
    assert (str(given.price), source) == ("158.3900", "http")


async def test_rule_13_a_repeat_is_told_as_one_and_a_reused_id_is_a_conflict() -> None:
    def repeats(signal: Signal, future: Future[Step]) -> None:
        future.set_result(Step(decision=accepted(signal), is_repeat=True))

    def reuses(signal: Signal, future: Future[Step]) -> None:
        future.set_result(Step(decision=accepted(signal), is_reused_id=True))

    assert (await signal(Played(repeats))).json()["duplicate"] is True
    conflict = await signal(Played(reuses))
    assert conflict.status_code == 409
    assert conflict.headers["content-type"] == "application/problem+json"
    assert conflict.json()["reason"] == "ID_REUSED"
    assert "outcome" not in conflict.json(), "the first decision was on something else"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (json.dumps({**FULL, "qty": "1e5"}), "qty"),
        (json.dumps({**FULL, "va_id": None}), "va_id"),
        ("[]", "body"),
        (b"\xff", "body"),
        ('{"side": "buy", "side": "sell"}', "side"),
    ],
)
async def test_what_is_no_signal_is_counted_and_named(body: str | bytes, field: str) -> None:
    played = Played()
    response = await post(played, "/api/v1/signals", body, JSON)
    assert response.status_code == 422
    assert response.json()["field"] == field
    assert response.json()["remedy"]
    assert [event.field for event in played.malformed] == [field]
    assert played.offered == []


async def test_only_json_is_taken_for_a_form_of_another_site_cannot_send_it() -> None:
    for headers in ({}, {"Content-Type": "text/plain"}, {"Content-Type": "multipart/form-data"}):
        played = Played()
        response = await post(played, "/api/v1/signals", json.dumps(FULL), headers)
        assert (response.status_code, played.offered) == (415, []), headers


@pytest.mark.parametrize("media_type", ["text/plain", "application/json", "text/csv", ""])
async def test_many_are_taken_only_as_what_the_refusal_names(media_type: str) -> None:
    played = Played()
    headers = {"Content-Type": media_type} if media_type else {}
    response = await post(played, "/api/v1/signals/bulk", json.dumps(FULL), headers)
    assert (response.status_code, played.offered) == (415, [])
    assert "application/jsonl or application/x-ndjson" in response.json()["detail"]


async def test_without_the_token_nothing_is_decided_or_counted() -> None:
    played = Played(SIGNAL_TOKEN="s" * 16, READ_TOKEN="r" * 16)
    for token, status in ((None, 401), ("x", 401), ("r" * 16, 403)):
        headers = JSON if token is None else {**JSON, "Authorization": f"Bearer {token}"}
        for path in ("/api/v1/signals", "/api/v1/signals/bulk", "/api/v1/quotes"):
            response = await post(played, path, "rubbish", headers)
            assert response.status_code == status, (path, token)
    assert (played.offered, played.malformed) == ([], [])


# -- 503, and what is true of it -------------------------------------------------------------------


async def test_rule_29_no_decision_in_time_withdraws_the_signal() -> None:
    played = Played(leaves_waiting)
    response = await signal(played)
    assert (response.status_code, response.headers["retry-after"]) == (503, "1")
    assert "withdrawn" in response.json()["detail"]
    assert "venue: not compared yet" in response.json()["detail"]
    assert played.futures[0].cancelled(), "the engine will not decide it any more"


async def test_what_is_being_decided_is_not_said_to_be_withdrawn() -> None:
    response = await signal(Played(is_deciding), signal_id="a b/c")
    told = response.json()
    assert response.status_code == 503
    assert "may still be decided" in told["detail"]
    assert "GET /api/v1/signals/a%20b%2Fc" in told["detail"]


async def test_rule_29_storage_that_fails_and_a_full_inbox_are_told_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def holds(_signal: Signal, future: Future[Step]) -> None:
        future.set_exception(StorageHeld("storage fails; send the signal again"))

    monkeypatch.setattr(pending_decisions, "DECIDE_SECONDS", 60.0)
    for play, says in ((holds, "storage fails"), (has_no_room, "4096 signals wait")):
        response = await signal(Played(play))
        assert (response.status_code, response.headers["retry-after"]) == (503, "1")
        assert says in response.json()["detail"]


# -- many at once ----------------------------------------------------------------------------------


async def test_every_line_is_answered_in_its_place_and_a_bad_one_stops_no_other() -> None:
    played = Played()
    first, second = ids(2)
    told = await bulk(played, first, "rubbish", "  ", {**second, "quantity": 0}, second)
    assert [(line["line"], line["status"]) for line in told] == [
        (1, 200),
        (2, 422),
        (4, 422),
        (5, 200),
    ]
    assert [given.signal_id for given, _ in played.offered] == ["s0", "s1"]
    assert [event.line for event in played.malformed] == [2, 4]
    assert (told[2]["field"], told[3]["outcome"]) == ("quantity", "accepted")
    assert await bulk(played, "") == []


async def test_after_a_line_without_room_none_is_offered_so_that_order_holds() -> None:
    def second_has_no_room(signal: Signal, future: Future[Step]) -> None:
        (has_no_room if signal.signal_id == "s1" else accepts)(signal, future)

    played = Played(second_has_no_room)
    told = await bulk(played, *ids(4))
    assert [line["status"] for line in told] == [200, 503, 503, 503]
    assert len(played.offered) == 1


async def test_lines_that_are_late_are_withdrawn_from_the_last_one_on() -> None:
    played = Played(leaves_waiting)
    withdrawn: list[str] = []

    def notes(signal: Signal, future: Future[Step]) -> None:
        future.add_done_callback(lambda _: withdrawn.append(signal.signal_id))

    played.play = notes
    told = await bulk(played, *ids(3))
    assert [line["status"] for line in told] == [503, 503, 503]
    assert withdrawn == ["s2", "s1", "s0"]


async def test_more_than_a_thousand_lines_are_too_many() -> None:
    played = Played()
    response = await post(played, "/api/v1/signals/bulk", "{}\n" * 1001, LINES)
    assert (response.status_code, played.offered, played.malformed) == (413, [], [])
    assert len(await bulk(played, *ids(1000))) == 1000


# -- quotes ----------------------------------------------------------------------------------------

QUOTE = {"ts": 1767609000, "symbol": "AAPL", "bid": "1", "bid_size": 5, "ask": 1.1, "ask_size": 5}
CSV = "ts,symbol,bid,bid_size,ask,ask_size\n1767609000,AAPL,1,5,1.1,5\n"


@pytest.mark.parametrize(
    ("media_type", "content"),
    [
        ("application/json", json.dumps({"quotes": [QUOTE]})),
        ("application/jsonl", json.dumps(QUOTE) + "\n"),
        ("text/csv; charset=utf-8", CSV),
    ],
)
async def test_rule_35_quotes_are_fed_in_each_form(media_type: str, content: str) -> None:
    fed: list[Any] = []

    def feed(quotes: Any) -> int:
        fed.extend(quotes)
        return len(quotes)

    played = Played(feed=feed)
    response = await post(played, "/api/v1/quotes", content, {"Content-Type": media_type})
    assert (response.status_code, response.json()) == (200, {"taken": 1, "bad_rows": 0, "bad": []})
    assert (fed[0].symbol, str(fed[0].ask), fed[0].ts_ns) == ("AAPL", "1.1", 1767609000 * 10**9)


async def test_a_market_that_is_not_fed_from_outside_says_how_to_start_one() -> None:
    response = await post(Played(), "/api/v1/quotes", json.dumps({"quotes": []}), JSON)
    assert response.status_code == 409
    assert "--market http" in response.json()["detail"]


async def test_where_too_many_quotes_wait_it_is_said_how_many_were_taken() -> None:
    played = Played(feed=lambda quotes: len(quotes) - 1)
    later = {**QUOTE, "ts": 1767609001}
    body = json.dumps({"quotes": [QUOTE, {}, later]})
    response = await post(played, "/api/v1/quotes", body, JSON)
    assert (response.status_code, response.headers["retry-after"]) == (503, "1")
    assert (response.json()["taken"], response.json()["bad"][0]["index"]) == (1, 1)


@pytest.mark.parametrize("content", ["", "[]", '{"quotes": 1}', "[" * 50_000, '{"quotes": [1]'])
async def test_a_batch_that_is_none_is_refused_whole(content: str) -> None:
    response = await post(Played(feed=len), "/api/v1/quotes", content, JSON)
    assert (response.status_code, response.json()["field"]) == (422, "body")


async def test_a_batch_without_a_good_row_is_a_problem_that_names_them() -> None:
    body = json.dumps({"quotes": [{}, {**QUOTE, "bid": "x"}]})
    response = await post(Played(feed=len), "/api/v1/quotes", body, JSON)
    told = response.json()
    assert (response.status_code, told["field"], told["taken"]) == (422, "row", 0)
    assert [(bad["index"], bad["field"]) for bad in told["bad"]] == [(0, "row"), (1, "bid")]
    empty = await post(Played(feed=len), "/api/v1/quotes", json.dumps({"quotes": []}), JSON)
    assert (empty.status_code, empty.json()["taken"]) == (200, 0)
