"""What an answer proves: only rows of the table conclude anything."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.domain.reasons import Reason
from pointsman.venues.outcome import (
    TOLD_LEN_MAX,
    Answer,
    OutcomeTable,
    Proof,
    Row,
    Stage,
    interpret,
)

TABLE = OutcomeTable(
    rows=(
        Row(outcome=Proof.SLOW_DOWN, status=429),
        Row(outcome=Proof.NOT_FOUND, code="-2011", stage=Stage.CANCEL),
        Row(
            outcome=Proof.REFUSED,
            code="40310000",
            fields=("existing_order_id",),
            reason=Reason.REDUCE_ONLY,
        ),
        Row(outcome=Proof.REFUSED, code="40310000", reason=Reason.VENUE_REJECTED),
        Row(outcome=Proof.UNKNOWN, code="-1007"),
        Row(outcome=Proof.NOT_SENT, code="-1016"),
    ),
    code_field="code",
    message_field="msg",
    success="0",
)


def answer(status: int, body: object = None) -> Answer:
    return Answer(status=status, body=body)


@pytest.mark.parametrize(
    ("stage", "given_answer", "outcome"),
    [
        (Stage.CREATE, answer(200, {"orderId": 1}), Proof.DONE),
        (Stage.CREATE, answer(200, {"code": 0, "msg": "OK"}), Proof.DONE),
        (Stage.QUERY, answer(200, []), Proof.DONE),
        (Stage.CANCEL, answer(204), Proof.DONE),
        (Stage.CREATE, answer(200), Proof.UNKNOWN),
        (Stage.CREATE, answer(200, "<html>"), Proof.UNKNOWN),
        (Stage.CREATE, answer(200, {"code": 10016, "msg": "server error"}), Proof.UNKNOWN),
        (Stage.CREATE, answer(502, "<html>Bad gateway"), Proof.UNKNOWN),
        (Stage.CREATE, answer(400, {"code": -9999, "msg": "new"}), Proof.UNKNOWN),
        (Stage.CREATE, answer(429, "slow"), Proof.SLOW_DOWN),
        (Stage.CANCEL, answer(400, {"code": -2011, "msg": "Unknown order"}), Proof.NOT_FOUND),
        (Stage.CREATE, answer(400, {"code": -2011, "msg": "Unknown order"}), Proof.UNKNOWN),
        (Stage.CANCEL, answer(503, {"code": -2011, "msg": "Unknown order"}), Proof.UNKNOWN),
        (Stage.CREATE, answer(500, {"code": 40310000, "msg": "no"}), Proof.UNKNOWN),
        (Stage.CREATE, answer(503, {"code": -1016, "msg": "closing"}), Proof.NOT_SENT),
    ],
)
def test_an_answer_proves(stage: Stage, given_answer: Answer, outcome: Proof) -> None:
    assert interpret(TABLE, stage, given_answer).outcome is outcome


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"existing_order_id": "x"}, Reason.REDUCE_ONLY),
        ({"available": "0"}, Reason.VENUE_REJECTED),
    ],
)
def test_the_first_row_that_matches_counts(more: dict[str, str], reason: Reason) -> None:
    ruling = interpret(TABLE, Stage.CREATE, answer(403, {"code": 40310000, "msg": "no", **more}))
    assert ruling.outcome is Proof.REFUSED
    assert ruling.reason is reason
    assert (ruling.code, ruling.told) == ("40310000", "no")


def test_an_unknown_outcome_says_whether_it_is_a_known_one() -> None:
    listed = interpret(TABLE, Stage.CREATE, answer(503, {"code": -1007, "msg": "timeout"}))
    unlisted = interpret(TABLE, Stage.CREATE, answer(502, "x" * 5000))
    assert listed.is_listed
    assert not unlisted.is_listed
    assert unlisted.code == "HTTP 502"
    assert len(unlisted.told) == TOLD_LEN_MAX


@given(
    status=st.integers(100, 599),
    body=st.one_of(
        st.none(), st.text(), st.dictionaries(st.sampled_from(["code", "msg", "x"]), st.text())
    ),
    stage=st.sampled_from(Stage),
)
def test_rule_44_nothing_but_a_good_status_or_a_row_concludes(
    status: int, body: object, stage: Stage
) -> None:
    ruling = interpret(TABLE, stage, answer(status, body))
    if ruling.outcome is Proof.DONE:
        assert 200 <= status < 300
    elif ruling.outcome is not Proof.UNKNOWN:
        assert ruling.is_listed
