"""A signal once more, and what is no signal: counted, told, and nothing that trades changes."""

from decimal import Decimal

import msgspec
import pytest

from pointsman.domain.accounts import Cursor, Incident
from pointsman.domain.commands import Step
from pointsman.domain.events import Killed, SignalMalformed
from pointsman.domain.reasons import Reason
from pointsman.domain.signals import Decision, FirstDecision, Signal, SignalRecord
from tests.desk_stories import (
    SECOND_NS,
    VA,
    account,
    decide,
    incidents,
    of_type,
    ready_desk,
    send,
    signal,
    tell,
)
from tests.unit.test_judgement import kinds


def remembered(step: Step) -> FirstDecision:
    """What storage looks up when the id of this step's signal comes again."""
    (record,), (decision,) = of_type(step.changes, SignalRecord), of_type(step.changes, Decision)
    return FirstDecision(record, decision)


def test_a_signal_that_did_not_come_from_a_file_moves_no_cursor() -> None:
    assert Cursor not in kinds(send(ready_desk(), signal("a")))


# -- the same id again -----------------------------------------------------------------------------


def test_rule_13_the_same_content_is_answered_with_the_first_decision_and_changes_nothing() -> None:
    desk = ready_desk()
    first = send(desk, signal("a"), source="f", line=1)
    before = account(desk)
    seen = remembered(first)
    killed = tell(desk, Killed(False, "ann", "enough"))
    assert incidents(killed) == [Reason.KILL_PRESSED]
    again = send(desk, signal("a"), SECOND_NS, first=seen, source="f", line=2)
    assert again.decision == first.decision
    assert (again.is_repeat, again.is_reused_id, again.commands) == (True, False, ())
    assert set(again.changes) == {
        Cursor("f", 2),
        msgspec.structs.replace(seen.record, repeats=1),
    }
    assert account(desk).exposure == before.exposure
    assert account(desk).day_entries == 1


def test_rule_13_each_repeat_is_counted() -> None:
    desk = ready_desk()
    seen = remembered(send(desk, signal("a")))
    for count in (1, 2):
        (record,) = of_type(send(desk, signal("a"), first=seen).changes, SignalRecord)
        seen = FirstDecision(record, seen.decision)
        assert (record.repeats, record.reuses) == (count, 0)


def test_rule_13_a_number_written_otherwise_is_the_same_content() -> None:
    desk = ready_desk()
    seen = remembered(send(desk, signal("a", quantity="10")))
    assert send(desk, signal("a", quantity="10.0"), first=seen).is_repeat


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(signal("a", "sell"), id="side"),
        pytest.param(signal("a", quantity="11"), id="quantity"),
        pytest.param(signal("a", symbol="YYY"), id="symbol"),
        pytest.param(signal("a", va_id="VA002"), id="account"),
        pytest.param(signal("a", va_id="VA999"), id="account that does not exist"),
        pytest.param(signal("a", price=Decimal(100)), id="price"),
        pytest.param(signal("a", "close", None), id="close"),
    ],
)
def test_rule_13_other_content_under_a_used_id_is_an_incident_and_nothing_else(
    other: Signal,
) -> None:
    desk = ready_desk(accounts=(VA, "VA002"))
    first = send(desk, signal("a"))
    seen = remembered(first)
    again = send(desk, other, first=seen)
    assert again.decision == first.decision
    assert (again.is_repeat, again.is_reused_id, again.commands) == (False, True, ())
    assert incidents(again) == [Reason.ID_REUSED]
    (incident,) = of_type(again.changes, Incident)
    assert (incident.value, incident.symbol) == ("a", other.symbol)
    assert incident.va_id == (None if other.va_id == "VA999" else other.va_id)
    (record,) = of_type(again.changes, SignalRecord)
    assert record == msgspec.structs.replace(seen.record, reuses=1)
    assert Decision not in kinds(again)


# -- what is no signal -----------------------------------------------------------------------------


def test_something_malformed_is_named_and_changes_nothing_else() -> None:
    desk = ready_desk()
    step = tell(desk, SignalMalformed("f.jsonl", 3, "quantity", "1e308", "write a plain number"))
    assert (step.decision, step.commands) == (None, ())
    (incident,) = of_type(step.changes, Incident)
    assert (incident.kind, incident.value) == (Reason.MALFORMED_SIGNAL, "1e308")
    assert incident.detail == "f.jsonl line 3, quantity: write a plain number"
    assert of_type(step.changes, Cursor) == [Cursor("f.jsonl", 3)]
    assert decide(desk, signal("a")).reason is None
    step = tell(desk, SignalMalformed("http", 0, "quantity", "1e308", "write a plain number"))
    (incident,) = of_type(step.changes, Incident)
    assert incident.detail == "http, quantity: write a plain number", "a body has no lines"
