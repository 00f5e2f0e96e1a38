"""What Bybit's answers prove: each documented code, and that nothing else proves anything."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.domain.reasons import Reason
from pointsman.venues.bybit.codes import BAN_MS, TABLE, retry_after_ms
from pointsman.venues.outcome import Answer, AnswerVerdict, Proof, Stage, interpret

CREATE, CANCEL, QUERY = Stage.CREATE, Stage.CANCEL, Stage.QUERY


def ruling(
    code: int | None, text: str = "", stage: Stage = CREATE, status: int = 200
) -> AnswerVerdict:
    body: Any = {} if code is None else {"retCode": code, "retMsg": text, "result": {}}
    return interpret(TABLE, stage, Answer(status=status, body=body))


@pytest.mark.parametrize(
    ("code", "text", "stage", "outcome", "reason"),
    [
        (0, "OK", CREATE, Proof.DONE, None),
        (110092, "expect Rising, but", CREATE, Proof.REFUSED, Reason.WOULD_TRIGGER),
        (110093, "expect Falling, but", CREATE, Proof.REFUSED, Reason.WOULD_TRIGGER),
        (
            10001,
            "expect Falling, but trigger_price[346380000] >= current[346388800]??3",
            CREATE,
            Proof.REFUSED,
            Reason.WOULD_TRIGGER,
        ),
        (110017, "orderQty will be truncated to zero", CREATE, Proof.REFUSED, Reason.REDUCE_ONLY),
        (110003, "", CREATE, Proof.REFUSED, Reason.BAD_PRICE),
        (110121, "", CREATE, Proof.REFUSED, Reason.BAD_PRICE),
        (110094, "", CREATE, Proof.REFUSED, Reason.BAD_QUANTITY),
        (10001, "Qty invalid", CREATE, Proof.REFUSED, Reason.BAD_QUANTITY),
        (10001, "OrderLinkedID is duplicate", CREATE, Proof.DUPLICATE, Reason.DUPLICATE_ID),
        (
            10001,
            "The number of contracts exceeds maximum limit allowed: too large",
            CREATE,
            Proof.REFUSED,
            Reason.BAD_QUANTITY,
        ),
        (10001, "Price invalid", CREATE, Proof.REFUSED, Reason.BAD_PRICE),
        (10001, "params error: symbol invalid", CREATE, Proof.REFUSED, Reason.VENUE_REJECTED),
        (10001, "position idx not match position mode", CREATE, Proof.KEY_REFUSED, None),
        (110009, "", CREATE, Proof.REFUSED, Reason.VENUE_FORBIDS),
        (110007, "ab not enough for new order", CREATE, Proof.REFUSED, Reason.VENUE_REJECTED),
        (110072, "OrderLinkedID is duplicate", CREATE, Proof.DUPLICATE, Reason.DUPLICATE_ID),
        (10002, "The request time exceeds", CREATE, Proof.TOO_LATE, Reason.VENUE_DOWN),
        (10006, "Too many visits.", CREATE, Proof.SLOW_DOWN, Reason.VENUE_BUSY),
        (10018, "Exceeded the IP Rate Limit.", QUERY, Proof.SLOW_DOWN, Reason.VENUE_BUSY),
        (10003, "API key is invalid.", QUERY, Proof.KEY_REFUSED, None),
        (33004, "Your api key has expired", CREATE, Proof.KEY_REFUSED, None),
        (110001, "", CANCEL, Proof.NOT_FOUND, None),
        (110008, "", CANCEL, Proof.ENDED, None),
        (110010, "", CANCEL, Proof.ENDED, None),
        (110079, "The order is processing", CANCEL, Proof.NOT_SENT, Reason.VENUE_BUSY),
    ],
)
def test_a_documented_code_proves_what_it_says(
    code: int, text: str, stage: Stage, outcome: Proof, reason: Reason | None
) -> None:
    told = ruling(code, text, stage)
    assert (told.outcome, told.reason, told.code) == (outcome, reason, str(code))


@pytest.mark.parametrize("code", [-1, 429, 10000, 10014, 10016])
def test_a_fault_of_the_venue_proves_nothing_and_is_no_surprise(code: int) -> None:
    for stage in Stage:
        told = ruling(code, "Server Timeout", stage)
        assert (told.outcome, told.is_listed) == (Proof.UNKNOWN, True)


@pytest.mark.parametrize(("code", "stage"), [(110001, CREATE), (110008, CREATE), (110079, CREATE)])
def test_what_is_said_of_a_cancel_proves_nothing_of_an_order(code: int, stage: Stage) -> None:
    assert ruling(code, "", stage).outcome is Proof.UNKNOWN


@given(code=st.integers(-10_000_000, 10_000_000), stage=st.sampled_from(Stage))
def test_a_code_that_is_not_in_the_table_proves_nothing(code: int, stage: Stage) -> None:
    listed = {row.code for row in TABLE.rows} | {"0"}
    if str(code) not in listed:
        told = ruling(code, "price qty trigger_price expect position mode", stage)
        assert (told.outcome, told.is_listed) == (Proof.UNKNOWN, False)


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (429, "<html>", Proof.SLOW_DOWN),
        (401, "", Proof.KEY_REFUSED),
        (403, "<html>Access denied</html>", Proof.UNKNOWN),
        (403, "403, Access too frequent", Proof.SLOW_DOWN),
        (502, "<html>", Proof.UNKNOWN),
        (504, None, Proof.UNKNOWN),
        (500, {"retCode": 0, "result": {}}, Proof.UNKNOWN),
        (200, "<html>", Proof.UNKNOWN),
    ],
)
def test_a_status_proves_something_only_where_it_is_documented(
    status: int, body: Any, outcome: Proof
) -> None:
    assert interpret(TABLE, CREATE, Answer(status=status, body=body)).outcome is outcome


RESET = {"X-Bapi-Limit-Reset-Timestamp": "1700000000900"}
VISITS = {"retCode": 10006, "retMsg": "Too many visits.", "time": 1_700_000_000_200}


@pytest.mark.parametrize(
    ("status", "body", "headers", "wait_ms"),
    [
        (200, VISITS, RESET, 700),
        (200, VISITS | {"time": 1_700_000_001_000}, RESET, 0),
        (200, VISITS, {}, None),
        (200, VISITS, {"X-Bapi-Limit-Reset-Timestamp": "soon"}, None),
        (200, VISITS | {"retCode": 0}, RESET, None),
        (200, "<html>", RESET, None),
        (403, "403, access too frequent", {}, BAN_MS),
    ],
)
def test_how_long_nothing_may_leave_is_what_the_venue_says(
    status: int, body: Any, headers: dict[str, str], wait_ms: int | None
) -> None:
    assert retry_after_ms(status, body, headers) == wait_ms
