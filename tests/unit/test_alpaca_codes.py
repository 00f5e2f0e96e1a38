"""What Alpaca's answers prove: the table against answers that users have published."""

from typing import Any

import pytest

from pointsman.domain.reasons import Reason
from pointsman.venues.alpaca.codes import TABLE
from pointsman.venues.outcome import Answer, Proof, Stage, interpret

R = Reason
WASH = "potential wash trade detected. use complex orders"
HELD = "insufficient qty available for order (requested: 10, available: 0)"


def told(code: int | None, message: str, **more: Any) -> dict[str, Any]:
    return ({} if code is None else {"code": code}) | {"message": message} | more


CREATE = [
    (403, told(40310000, WASH, existing_order_id="1"), Proof.REFUSED, R.VENUE_FORBIDS),
    (
        403,
        told(40310000, "new words", reject_reason="opposite side"),
        Proof.REFUSED,
        R.VENUE_FORBIDS,
    ),
    (403, told(40310000, WASH), Proof.REFUSED, R.VENUE_FORBIDS),
    (403, told(40310000, HELD, available="0", existing_qty="10"), Proof.REFUSED, R.REDUCE_ONLY),
    (403, told(40310000, HELD), Proof.REFUSED, R.REDUCE_ONLY),
    (403, told(40310000, "insufficient buying power"), Proof.REFUSED, R.VENUE_REJECTED),
    (
        403,
        told(40310100, "trade denied due to pattern day trading"),
        Proof.REFUSED,
        R.VENUE_REJECTED,
    ),
    (
        422,
        told(42210000, "stop price must be less than base_price"),
        Proof.REFUSED,
        R.WOULD_TRIGGER,
    ),
    (422, told(42210000, "sub-penny increment does not fulfill"), Proof.REFUSED, R.BAD_PRICE),
    (422, told(42210000, "fractional orders must be DAY orders"), Proof.REFUSED, R.BAD_QUANTITY),
    (422, told(42210000, "asset XYZ is not fractionable"), Proof.REFUSED, R.BAD_QUANTITY),
    (422, told(42210000, "asset XYZ is not tradable"), Proof.REFUSED, R.VENUE_REJECTED),
    (422, told(40010001, "client_order_id must be unique"), Proof.DUPLICATE, R.DUPLICATE_ID),
    (422, told(42210000, "client_order_id must be unique"), Proof.DUPLICATE, R.DUPLICATE_ID),
    (422, told(40010001, "in other words"), Proof.DUPLICATE, R.DUPLICATE_ID),
    (401, told(40110000, "request is not authorized"), Proof.KEY_REFUSED, R.VENUE_REJECTED),
    (403, told(None, "forbidden."), Proof.KEY_REFUSED, R.VENUE_REJECTED),
    (429, told(42910000, "rate limit exceeded"), Proof.SLOW_DOWN, R.VENUE_BUSY),
    (429, "<html>too many requests</html>", Proof.SLOW_DOWN, R.VENUE_BUSY),
]

UNKNOWN = [
    (403, "<html>403 Forbidden</html>"),
    (404, told(40410000, "order not found")),
    (408, None),
    (422, told(49990000, "something new")),
    (422, "<html>"),
    (500, told(50010000, "internal server error")),
    (500, told(40310000, HELD)),
    (502, "<html>"),
    (503, None),
    (504, told(None, "timed out")),
    (200, "<html>"),
]

CANCEL = [
    (204, None, Proof.DONE, None),
    (422, told(42210000, 'order is already in "filled" state'), Proof.ENDED, R.NOT_FOUND),
    (422, told(42210000, 'order is already in "pending_cancel" state'), Proof.UNKNOWN, None),
    (404, told(40410000, "order not found for 1"), Proof.NOT_FOUND, R.NOT_FOUND),
    (404, "<html>", Proof.UNKNOWN, None),
]


@pytest.mark.parametrize(("status", "body", "outcome", "reason"), CREATE)
def test_an_answer_to_an_order_proves(
    status: int, body: Any, outcome: Proof, reason: Reason
) -> None:
    ruling = interpret(TABLE, Stage.CREATE, Answer(status=status, body=body))
    assert (ruling.outcome, ruling.reason) == (outcome, reason)


@pytest.mark.parametrize(("status", "body"), UNKNOWN)
def test_what_stands_in_no_row_proves_nothing_and_is_told(status: int, body: Any) -> None:
    ruling = interpret(TABLE, Stage.CREATE, Answer(status=status, body=body))
    assert (ruling.outcome, ruling.is_listed) == (Proof.UNKNOWN, False)


@pytest.mark.parametrize(("status", "body", "outcome", "reason"), CANCEL)
def test_an_answer_to_a_cancel_proves(
    status: int, body: Any, outcome: Proof, reason: Reason | None
) -> None:
    ruling = interpret(TABLE, Stage.CANCEL, Answer(status=status, body=body))
    assert (ruling.outcome, ruling.reason) == (outcome, reason)


def test_only_its_own_code_says_that_there_is_no_such_order() -> None:
    absent = interpret(
        TABLE, Stage.QUERY, Answer(status=404, body=told(40410000, "order not found"))
    )
    assert absent.outcome is Proof.NOT_FOUND
    elsewhere = interpret(TABLE, Stage.QUERY, Answer(status=404, body="page not found"))
    assert elsewhere.outcome is Proof.UNKNOWN
