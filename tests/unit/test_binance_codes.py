"""What the answers of Binance prove, status by status and code by code."""

from typing import Any

import pytest

from pointsman.domain.reasons import Reason
from pointsman.venues.binance.codes import BAN_MS, TABLE, ban_ms
from pointsman.venues.outcome import Answer, Proof, Stage, interpret

CREATE, CANCEL, QUERY = Stage.CREATE, Stage.CANCEL, Stage.QUERY


def coded(code: int, text: str = "told") -> dict[str, Any]:
    return {"code": code, "msg": text}


@pytest.mark.parametrize(
    ("stage", "status", "body", "outcome", "reason"),
    [
        (CREATE, 200, {"orderId": 1}, Proof.DONE, None),
        (CANCEL, 200, {"code": "200", "msg": "success"}, Proof.DONE, None),
        (QUERY, 200, [], Proof.DONE, None),
        (CREATE, 429, coded(-1003), Proof.SLOW_DOWN, Reason.VENUE_BUSY),
        (CREATE, 418, coded(-1003), Proof.SLOW_DOWN, Reason.VENUE_BUSY),
        (CREATE, 400, coded(-1015), Proof.SLOW_DOWN, Reason.VENUE_BUSY),
        (CREATE, 503, coded(-1, "Service Unavailable."), Proof.NOT_SENT, Reason.VENUE_DOWN),
        (CREATE, 400, coded(-1021), Proof.TOO_LATE, Reason.VENUE_DOWN),
        (CREATE, 400, coded(-5028), Proof.TOO_LATE, Reason.VENUE_DOWN),
        (CREATE, 400, coded(-2021), Proof.REFUSED, Reason.WOULD_TRIGGER),
        (CREATE, 400, coded(-2022), Proof.REFUSED, Reason.REDUCE_ONLY),
        (CREATE, 400, coded(-4118), Proof.REFUSED, Reason.REDUCE_ONLY),
        (CREATE, 400, coded(-4014), Proof.REFUSED, Reason.BAD_PRICE),
        (CREATE, 400, coded(-4164), Proof.REFUSED, Reason.BAD_QUANTITY),
        (CREATE, 400, coded(-2019), Proof.REFUSED, Reason.VENUE_REJECTED),
        (CREATE, 400, coded(-4400), Proof.REFUSED, Reason.VENUE_REJECTED),
        (CREATE, 400, coded(-4116), Proof.DUPLICATE, Reason.DUPLICATE_ID),
        (CREATE, 400, coded(-4120), Proof.KEY_REFUSED, Reason.VENUE_REJECTED),
        (CREATE, 400, coded(-4061), Proof.KEY_REFUSED, Reason.VENUE_REJECTED),
        (CREATE, 401, coded(-2015), Proof.KEY_REFUSED, Reason.VENUE_REJECTED),
        (CANCEL, 400, coded(-2011), Proof.NOT_FOUND, Reason.NOT_FOUND),
        (QUERY, 400, coded(-2013), Proof.NOT_FOUND, Reason.NOT_FOUND),
        (QUERY, 400, coded(-1125), Proof.NOT_FOUND, None),
    ],
)
def test_what_an_answer_proves(
    stage: Stage, status: int, body: object, outcome: Proof, reason: Reason | None
) -> None:
    ruling = interpret(TABLE, stage, Answer(status=status, body=body))
    assert (ruling.outcome, ruling.reason, ruling.is_listed) == (outcome, reason, True)


@pytest.mark.parametrize("stage", Stage)
@pytest.mark.parametrize(
    ("status", "body", "is_listed"),
    [
        (400, coded(-1000), True),
        (408, coded(-1007), True),
        (503, coded(-1008, "Request throttled by system-level protection."), True),
        (503, coded(-1, "Unknown error, please check your request or try again later."), False),
        (503, "<html>503 Service Unavailable.</html>", False),
        (502, "<html>", False),
        (504, None, False),
        (403, "<html>", False),
        (200, "<html>", False),
        (200, '{"orderId": 1', False),
        (400, coded(-9999), False),
        (302, "", False),
    ],
)
def test_what_proves_nothing(stage: Stage, status: int, body: object, is_listed: bool) -> None:
    ruling = interpret(TABLE, stage, Answer(status=status, body=body))
    assert (ruling.outcome, ruling.is_listed) == (Proof.UNKNOWN, is_listed)


@pytest.mark.parametrize(
    ("status", "told", "expected"),
    [
        (429, "Too many requests.", None),
        (400, "banned until 1700000900000", None),
        (418, "Way too many requests; IP banned until 1700000900000. Please use", 900_000),
        (418, "Way too many requests; IP banned until 1700000001000.", BAN_MS),
        (418, "<html>", BAN_MS),
    ],
)
def test_a_ban_is_obeyed_until_its_message_says_or_for_as_long_as_bans_last(
    status: int, told: str, expected: int | None
) -> None:
    assert ban_ms(status, coded(-1003, told), 1_700_000_000_000) == expected


@pytest.mark.parametrize("code", [-2019, -2022, -4118, -2015, -2011, -2013])
@pytest.mark.parametrize("stage", Stage)
def test_a_code_in_an_error_of_the_server_proves_nothing(stage: Stage, code: int) -> None:
    ruling = interpret(TABLE, stage, Answer(status=500, body=coded(code)))
    assert ruling.outcome is Proof.UNKNOWN
