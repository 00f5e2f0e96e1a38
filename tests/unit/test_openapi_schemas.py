"""Schemas: what OpenAPI says of bodies and answers is what is read and told."""

import json
from typing import Any

import jsonschema_rs
import pytest

from pointsman.api.openapi import ALERT, DECISION, DECISION_LINE, QUOTES, QUOTES_TAKEN, SIGNAL
from pointsman.api.pending_decisions import decision_document
from pointsman.domain.commands import Step
from pointsman.domain.signal_text import SignalProblem, parse_signal
from tests.unit.played_engine import FULL, Played, accepted, post


def fits(document: Any, schema: dict[str, Any]) -> bool:
    return jsonschema_rs.Draft202012Validator(schema).is_valid(document)


def is_read(fields: dict[str, object]) -> bool:
    try:
        parse_signal(json.dumps(fields))
    except SignalProblem:
        return False
    return True


@pytest.mark.parametrize(
    ("changes", "is_good"),
    [
        ({}, True),
        ({"quantity": 10, "price": 158.39, "stop_loss": "2 %", "take_profit": "170"}, True),
        ({"quantity": None, "notional": "500", "ts": 1514903400, "ttl": "1.5"}, True),
        ({"quantity": None, "risk_percentage": "1%", "stopLoss": {"percent": 2}}, True),
        ({"reduce_only": True, "market_position": "flat", "anything": [1]}, True),
        ({"signal_id": ""}, False),
        ({"signal_id": "x" * 129}, False),
        ({"signal_id": " x"}, False),
        ({"va_id": 7}, True),
        ({"va_id": True}, False),
        ({"quantity": 0}, False),
        ({"quantity": "0.0"}, False),
        ({"side": " Short "}, True),
        ({"side": "cancel"}, False),
        ({"quantity": "-1"}, False),
        ({"price": "NaN"}, False),
        ({"price": True}, False),
        ({"ttl": []}, False),
        ({"stop_loss": [150]}, False),
        ({"ts": 1514903400.5}, True),
        ({"reduce_only": 1}, False),
    ],
)
def test_what_fits_the_schema_of_a_signal_is_read_and_what_does_not_is_refused(
    changes: dict[str, object], is_good: bool
) -> None:
    fields = {**FULL, **changes}
    assert (fits(fields, SIGNAL), is_read(fields)) == (is_good, is_good)
    assert fits(fields, ALERT) is is_good


@pytest.mark.parametrize("name", ["signal_id", "va_id", "symbol", "side"])
def test_a_signal_without_what_it_must_have_does_not_fit(name: str) -> None:
    fields: dict[str, object] = {key: value for key, value in FULL.items() if key != name}
    assert not fits(fields, SIGNAL)
    assert not is_read(fields)
    assert fits(fields, ALERT), "an alert may leave it to the URL, or say it in other words"


def test_the_examples_fit() -> None:
    (signal,) = SIGNAL["examples"]
    assert fits(signal, SIGNAL)
    assert is_read(signal)


async def test_answers_fit() -> None:
    decision = decision_document(Step(decision=accepted(parse_signal(json.dumps(FULL)))))
    assert fits(decision, DECISION)
    lines = f"{json.dumps(FULL)}\nrubbish"
    told = await post(
        Played(), "/api/v1/signals/bulk", lines, {"Content-Type": "application/jsonl"}
    )
    for line in told.text.splitlines():
        assert fits(json.loads(line), DECISION_LINE)
    body: dict[str, list[object]] = {"quotes": [{}]}
    headers = {"Content-Type": "application/json"}
    taken = await post(Played(feed=len), "/api/v1/quotes", json.dumps(body), headers)
    assert fits(taken.json(), QUOTES_TAKEN)
    assert not fits(body, QUOTES)
