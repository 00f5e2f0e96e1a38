"""Answers: decisions come over from the engine's thread, all that have come with one wake-up."""

import asyncio
import threading
from concurrent.futures import Future
from decimal import Decimal
from typing import Any, cast

import pytest

from pointsman.api.answers import Decisions, decision_document, wait
from pointsman.domain.commands import Step
from pointsman.domain.reasons import Reason
from pointsman.domain.signal_text import parse_signal
from pointsman.domain.signals import Check, Decision, Outcome, Signal
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
