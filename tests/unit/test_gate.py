"""Requests wait for the budget, and the most important leave first."""

import asyncio
import time

import pytest

from pointsman.domain.timestamps import SECOND_NS
from pointsman.venues.budget import Budget, Rate, RequestClass, RequestCost
from pointsman.venues.errors import VenueRefused
from pointsman.venues.gate import GateClosed, RequestGate
from pointsman.venues.outcome import Stage

EXIT, CANCEL, QUERY, ENTRY = RequestClass
PATIENCE_SECONDS = 30.0


def make_gate(per_minute: int, spent: int, *rates: Rate) -> RequestGate:
    budget = Budget(per_minute, time.monotonic_ns(), rates=rates)
    budget.spend(cost(EXIT, spent), time.monotonic_ns())
    return RequestGate(budget, time.monotonic_ns, raised)


def raised(error: BaseException) -> None:
    raise error


def cost(kind: RequestClass, weight: int = 1, stage: Stage = Stage.QUERY) -> RequestCost:
    return RequestCost(kind, stage, weight)


async def leave(gate: RequestGate, kinds: list[RequestClass]) -> list[RequestClass]:
    """The order in which requests leave that were all asked for before the first of them could."""
    left: list[RequestClass] = []

    async def one(kind: RequestClass) -> None:
        await gate.enter(cost(kind))
        left.append(kind)

    async with asyncio.timeout(PATIENCE_SECONDS), asyncio.TaskGroup() as group:
        for kind in kinds:
            group.create_task(one(kind))
    return left


async def test_with_a_full_budget_nothing_waits() -> None:
    gate = make_gate(600, 0)
    assert all(gate.is_open(cost(kind)) for kind in RequestClass)
    assert await leave(gate, [ENTRY, EXIT, QUERY]) == [ENTRY, EXIT, QUERY]
    assert gate.budget.left(time.monotonic_ns()) <= 597


async def test_what_a_share_never_lets_leave_is_refused_and_does_not_wait_for_ever() -> None:
    heavy = cost(ENTRY, 40)
    with pytest.raises(VenueRefused, match=r"VENUE_REQUESTS_PER_MINUTE=60 is too little.*set 62"):
        await make_gate(60, 0).enter(heavy)
    await make_gate(62, 0).enter(heavy)


async def test_rule_45_stops_and_exits_leave_first_when_there_is_a_budget_again() -> None:
    gate = make_gate(60_000, 0)
    gate.budget.slow_down(time.monotonic_ns() + 50_000_000)
    assert not gate.is_open(cost(EXIT))
    assert await leave(gate, [ENTRY, QUERY, EXIT, CANCEL, EXIT]) == [
        EXIT, EXIT, CANCEL, QUERY, ENTRY,
    ]  # fmt: skip


async def test_who_gave_up_waiting_spends_nothing() -> None:
    gate = make_gate(6_000, 6_000)
    waiting = asyncio.create_task(gate.enter(cost(EXIT, 5_999)))
    await asyncio.sleep(0)
    waiting.cancel()
    assert await leave(gate, [EXIT]) == [EXIT]


async def test_who_waits_for_the_next_order_holds_no_question_up() -> None:
    gate = make_gate(60_000, 0, Rate(Stage.CREATE, 1, 3600 * SECOND_NS))
    await gate.enter(cost(EXIT, stage=Stage.CREATE))
    waiting = asyncio.create_task(gate.enter(cost(EXIT, stage=Stage.CREATE)))
    await asyncio.sleep(0)
    async with asyncio.timeout(PATIENCE_SECONDS):
        await gate.enter(cost(QUERY))
    assert not waiting.done()
    gate.close()
    with pytest.raises(GateClosed):
        await waiting


async def test_however_many_wait_for_their_turn_the_next_is_looked_at_no_longer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gate = make_gate(60_000, 1, Rate(Stage.QUERY, 1, 3600 * SECOND_NS))
    waiting = [asyncio.create_task(gate.enter(cost(QUERY))) for _ in range(500)]
    await asyncio.sleep(0)
    looked = list[RequestCost]()
    wait_ns = gate.budget.wait_ns

    def count(asked: RequestCost, now_ns: int) -> int:
        looked.append(asked)
        return wait_ns(asked, now_ns)

    monkeypatch.setattr(gate.budget, "wait_ns", count)
    more = asyncio.create_task(gate.enter(cost(QUERY)))
    await asyncio.sleep(0)
    assert len(looked) < 5
    await gate.enter(cost(EXIT, stage=Stage.CREATE))
    gate.close()
    ended = await asyncio.gather(*waiting, more, return_exceptions=True)
    assert {type(each) for each in ended} == {GateClosed}


async def test_a_closed_gate_lets_nothing_leave() -> None:
    gate = make_gate(600, 0)
    gate.close()
    assert not gate.is_open(cost(EXIT))
    with pytest.raises(GateClosed):
        await gate.enter(cost(EXIT))
