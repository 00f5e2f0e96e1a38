"""Recall: what was decided and booked is found, whether it has reached the disk or not."""

from decimal import Decimal

import pytest

from pointsman.domain.commands import Record
from pointsman.domain.events import OrderSent
from pointsman.domain.orders import Fill
from pointsman.domain.positions import Funding
from pointsman.domain.sides import PositionSide, Side
from pointsman.domain.signals import Decision, FirstDecision, Outcome, SignalRecord
from pointsman.execution import archive as module
from pointsman.execution.archive import FinishedRecords
from pointsman.execution.ports import JournalEntry
from tests import desk_stories as told
from tests.engine_stories import Memory


def record(signal_id: str, repeats: int = 0) -> SignalRecord:
    return SignalRecord(told.signal(signal_id), 1, "", 0, repeats)


def decision(signal_id: str) -> Decision:
    return Decision(signal_id, told.VA, "XXX", Outcome.REFUSED, 1)


def fill(key: str) -> Fill:
    one = Decimal(1)
    return Fill(key, "ABCDEF1E1", told.VA, "XXX", 1, Side.BUY, one, one, one, "1", 1, 1)


def archive(*changes: Record) -> Memory:
    """What is on disk."""
    memory = Memory()
    memory.put(1, JournalEntry(1, OrderSent("x"), changes))
    return memory


def test_rule_32_a_first_decision_is_found_before_it_is_durable() -> None:
    recall = FinishedRecords(archive())
    assert recall.first_decision("a") is None
    recall.note((record("a"), decision("a")), 1)
    assert recall.first_decision("a") == FirstDecision(record("a"), decision("a"))


def test_rule_32_a_first_decision_is_found_on_disk() -> None:
    recall = FinishedRecords(archive(record("a"), decision("a")))
    assert recall.first_decision("a") == FirstDecision(record("a"), decision("a"))


def test_rule_13_repeats_that_are_not_durable_yet_are_counted_on() -> None:
    recall = FinishedRecords(archive(record("a"), decision("a")))
    recall.note((record("a", repeats=1),), 1)
    assert recall.first_decision("a") == FirstDecision(record("a", repeats=1), decision("a"))


def payment(funding_id: str) -> Funding:
    one = Decimal(1)
    return Funding(funding_id, 1, told.VA, "XXX", PositionSide.LONG, one, one, 1, 1)


def test_rule_32_a_funding_payment_is_recognised_before_it_is_durable_and_for_ever() -> None:
    recall = FinishedRecords(archive(payment("f1")))
    assert not recall.is_paid("f2")
    recall.note((payment("f2"),), 1)
    assert recall.is_paid("f1")
    assert recall.is_paid("f2")
    assert not recall.is_booked("f2"), "a payment is no execution"


def test_an_execution_is_recognised_whether_it_left_a_fill_or_not() -> None:
    recall = FinishedRecords(archive())
    recall.note((fill("k1"),), 1)
    recall.note_fill("k2")
    assert [recall.is_booked(key) for key in ("k1", "k2", "k3")] == [True, True, False]


def test_decisions_are_kept_until_they_are_durable_and_not_longer() -> None:
    recall = FinishedRecords(archive())
    for ticket in (1, 2, 3):
        recall.note((record(str(ticket)), decision(str(ticket))), ticket)
    recall.note((record("1", repeats=1),), 4)
    recall.forget(2)
    assert [recall.first_decision(key) is not None for key in ("1", "2", "3")] == [
        False,  # its decision is to be read from disk
        False,
        True,
    ]
    assert len(recall) == 3, "the third, and that the first came again"
    recall.forget(4)
    assert len(recall) == 0


def test_fill_keys_are_bounded_and_the_newest_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RECENT_MAX", 3)
    recall = FinishedRecords(archive())
    for number in range(5):
        recall.note((fill(str(number)),), number)
    assert [recall.is_booked(str(number)) for number in range(5)] == [
        False,
        False,
        True,
        True,
        True,
    ]
