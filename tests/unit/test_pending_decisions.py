"""Answers: decisions come over from the engine's thread, all that have come with one wake-up."""

import asyncio
import threading
from concurrent.futures import Future
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from pointsman.api.pending_decisions import Decisions, decision_document, wait
from pointsman.domain.commands import Step
from pointsman.domain.events import SignalReceived, StorageHealed
from pointsman.domain.life_cycle import OrderStatus
from pointsman.domain.reasons import Reason
from pointsman.domain.signal_text import parse_signal
from pointsman.domain.signals import Check, Decision, Outcome, Remarks, Rounding, Signal
from pointsman.execution.ports import JournalEntry
from pointsman.execution.quotes import QuoteTable
from tests.story_database import DAY_NS, WINDOW, Day
from tests.unit.played_engine import NOW_NS, Played, accepted, leaves_waiting


def signal(number: int = 1) -> Signal:
    return parse_signal(
        f'{{"signal_id":"s{number}","va_id":"VA001","symbol":"A","side":"buy","quantity":1}}'
    )


def waiting() -> tuple[Played, Decisions]:
    played = Played(leaves_waiting)
    return played, Decisions(cast(Any, played))


def decide(signal: Signal, future: Future[Step]) -> None:
    future.set_running_or_notify_cancel()
    future.set_result(Step(decision=accepted(signal)))


def decide_all(played: Played) -> None:
    """On a thread of its own, as the engine does, and all before the server looks."""

    def run() -> None:
        for (given, _), future in zip(played.offered, played.futures, strict=True):
            decide(given, future)

    engine = threading.Thread(target=run)
    engine.start()
    engine.join()


async def test_decisions_that_came_together_wake_the_server_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    played, decisions = waiting()
    pending = [decisions.offer(signal(number), "http") for number in range(50)]
    loop = asyncio.get_running_loop()
    wakes: list[object] = []
    usual = loop.call_soon_threadsafe

    def counted(*given: Any) -> asyncio.Handle:
        wakes.append(given)
        return usual(*given)

    monkeypatch.setattr(loop, "call_soon_threadsafe", counted)
    decide_all(played)
    for each in pending:
        await wait(each, 10)
        assert decisions.told(each)["signal_id"] == each.signal.signal_id
    assert len(wakes) == 1


def test_a_server_that_is_started_again_hears_of_its_own() -> None:
    played, decisions = waiting()

    async def ends_before_it_hears() -> None:
        decisions.offer(signal(1), "http")
        decide_all(played)

    async def hears() -> str:
        pending = decisions.offer(signal(2), "http")
        decide(pending.signal, pending.future)
        await wait(pending, 10)
        return str(decisions.told(pending)["outcome"])

    asyncio.run(ends_before_it_hears())
    assert asyncio.run(hears()) == "accepted"


async def test_whoever_is_cut_off_while_it_waits_leaves_nothing_to_be_decided() -> None:
    played, decisions = waiting()
    asking = asyncio.create_task(decisions.decide(signal(), "http"))
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert played.futures[0].cancelled()


def test_a_refusal_is_told_with_its_reason_value_and_limit() -> None:
    checks = (
        Check(Reason.LATENCY, True, "3", "500", "ms"),
        Check(Reason.SPREAD, False, "12.5", "10", "bps"),
    )
    decision = Decision(
        "s1",
        "VA001",
        "A",
        Outcome.REFUSED,
        NOW_NS,
        reason=Reason.SPREAD,
        quantity=Decimal("1E+1"),
        checks=checks,
    )
    told = decision_document(Step(decision=decision, is_repeat=True))
    assert (told["reason"], told["value"], told["limit"]) == ("SPREAD", "12.5", "10")
    assert (told["quantity"], told["duplicate"], told["action"]) == ("10", True, None)


def test_a_refusal_for_the_spelling_of_a_symbol_names_the_one_that_has_quotes() -> None:
    day = Day()
    newest = day.quote(900)
    quotes = QuoteTable()
    quotes.update(msgspec.structs.replace(newest, symbol="BTC/USDT:USDT"))
    asked = parse_signal(
        '{"signal_id":"s1","va_id":"VA001","symbol":"BTCUSDT.P","side":"buy","quantity":1}'
    )
    spelled = quotes.other_spelling(asked.symbol)
    event = SignalReceived(asked, None, None, WINDOW, DAY_NS, quoted_as=spelled)
    told = decision_document(day.tell(1_000, event))
    assert (told["reason"], told["detail"]) == (
        "NO_QUOTE",
        "BTC/USDT:USDT has quotes: send that symbol",
    )


def test_an_answer_says_what_a_reversal_opens_and_what_it_leaves() -> None:
    turned = msgspec.structs.replace(accepted(signal()), opening_quantity=Decimal(7))
    left = decision_document(Step(decision=turned))
    assert (left["opening_id"], left["opening_quantity"]) == (None, None)
    assert left["unopened_quantity"] == "7"
    opens = msgspec.structs.replace(turned, opening_id="s1/open")
    told = decision_document(Step(decision=opens))
    assert (told["opening_id"], told["opening_quantity"]) == ("s1/open", "7")
    assert told["unopened_quantity"] is None


async def test_what_comes_again_is_answered_with_what_became_of_its_order(tmp_path: Path) -> None:
    """An entry that was withdrawn while storage failed: its sender had been told 503."""
    day = Day()
    step = day.signal(1_000, "s1", quantity=Decimal(50))
    decision = step.decision
    assert decision is not None
    assert decision.client_order_id is not None
    order = day.desk.books.orders[decision.client_order_id]
    denied = {"status": OrderStatus.DENIED, "end_reason": Reason.STORAGE_FAILED}
    withdrawn = msgspec.structs.replace(order, **denied)
    healed = StorageHealed((order.client_order_id,))
    day.entries.append(JournalEntry(day.at_ns(2_000), healed, (withdrawn,)))

    def repeats(_signal: Signal, future: Future[Step]) -> None:
        future.set_running_or_notify_cancel()
        future.set_result(Step(decision=decision, is_repeat=True))

    played = Played(repeats, database=day.store(tmp_path / "t.db"))
    decisions = Decisions(cast(Any, played))
    pending = decisions.offer(signal(), "http")
    told = decisions.told(pending)
    assert (told["outcome"], told["order_status"]) == ("accepted", "DENIED")
    assert "STORAGE_FAILED" in told["detail"]
    assert "under a new signal_id" in told["detail"]


def test_an_answer_names_what_was_ignored_unread_and_rounded() -> None:
    remarks = Remarks(("comment",), ("price: it is empty",), ("quantity: 1e1 -> 10",))
    lot = Rounding("quantity", Decimal("10.5"), Decimal(10), Decimal(1))
    decision = msgspec.structs.replace(accepted(signal()), rounded=(lot,))
    told = decision_document(Step(decision=decision), remarks)
    assert (told["ignored"], told["unread"]) == (remarks.ignored, remarks.unread)
    assert told["rounded"] == [*remarks.rounded, "quantity: 10.5 -> 10, in steps of 1"]
