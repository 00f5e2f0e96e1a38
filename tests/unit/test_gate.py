"""Requests wait for the budget, and the most important leave first."""

import asyncio
import time

from pointsman.venues.budget import Budget, RequestClass
from pointsman.venues.gate import RequestGate

EXIT, CANCEL, QUERY, ENTRY = RequestClass
PATIENCE_SECONDS = 30.0


def make_gate(per_minute: int, spent: int) -> RequestGate:
    budget = Budget(per_minute, time.monotonic_ns())
    budget.spend(spent, time.monotonic_ns())
    return RequestGate(budget, time.monotonic_ns)


async def leave(gate: RequestGate, kinds: list[RequestClass]) -> list[RequestClass]:
    """The order in which requests leave that were all asked for before the first of them could."""
    left: list[RequestClass] = []

    async def one(kind: RequestClass) -> None:
        await gate.enter(kind)
        left.append(kind)

    async with asyncio.timeout(PATIENCE_SECONDS), asyncio.TaskGroup() as group:
        for kind in kinds:
            group.create_task(one(kind))
    return left


async def test_with_a_full_budget_nothing_waits() -> None:
    gate = make_gate(600, 0)
    assert all(gate.is_open(kind) for kind in RequestClass)
    assert await leave(gate, [ENTRY, EXIT, QUERY]) == [ENTRY, EXIT, QUERY]
    assert gate.budget.left(time.monotonic_ns()) <= 597


async def test_rule_45_stops_and_exits_leave_first_when_there_is_a_budget_again() -> None:
    gate = make_gate(60_000, 0)
    gate.budget.slow_down(time.monotonic_ns() + 50_000_000)
    assert not gate.is_open(EXIT)
    assert await leave(gate, [ENTRY, QUERY, EXIT, CANCEL, EXIT]) == [
        EXIT, EXIT, CANCEL, QUERY, ENTRY,
    ]  # fmt: skip


async def test_who_gave_up_waiting_spends_nothing() -> None:
    gate = make_gate(6_000, 6_000)
    waiting = asyncio.create_task(gate.enter(EXIT, 5_999))
    await asyncio.sleep(0)
    waiting.cancel()
    assert await leave(gate, [EXIT]) == [EXIT]
