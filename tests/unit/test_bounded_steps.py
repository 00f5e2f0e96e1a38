"""What one step does at most, so that a quote never waits for all that is there; and what is not
done twice."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest

from pointsman.domain.commands import Submit
from pointsman.domain.events import Event, Marked, OrderReport, SignalReceived
from pointsman.engine import live_loop
from pointsman.engine.live_loop import Clock, LiveLoop, NoSource
from tests import desk_stories as told
from tests.desk_stories import SECOND_NS
from tests.engine_stories import Story, accepted, begin, traded


@asynccontextmanager
async def running(story: Story) -> AsyncIterator[LiveLoop]:
    """The live driver of a story, on a clock that runs."""
    live = LiveLoop(story.loop, NoSource(story.loop), Clock(story.loop.now_ns))
    driving = asyncio.create_task(live.run(lambda _now_ns: None))
    try:
        yield live
    finally:
        live.stop()
        await asyncio.wait((driving,))


async def test_a_quote_waits_for_a_few_signals_and_not_for_all_that_are_there() -> None:
    story = begin()
    async with running(story) as live:
        known = len(story.events)
        asking = [
            asyncio.create_task(live.submit(told.signal(f"s{number}")))
            for number in range(3 * live_loop.SIGNALS_AT_ONCE)
        ]
        seen: list[int] = []

        def look() -> None:
            events = story.events[known:]
            seen.append(sum(isinstance(event, SignalReceived) for event in events))
            if not all(one.done() for one in asking):
                asyncio.get_running_loop().call_soon(look)

        look()
        await asyncio.gather(*asking)
        steps = [after - before for before, after in pairwise(seen)]
        assert seen[-1] == len(asking)
        assert max(steps) == live_loop.SIGNALS_AT_ONCE


async def test_signals_that_wait_together_are_stored_in_groups_and_none_is_left_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    story, stored = begin(), list[int]()
    known = len(story.memory.entries)
    most = (live_loop.GATHERED_STEPS_MAX + 1) * live_loop.SIGNALS_AT_ONCE

    def press() -> None:
        story.memory.settle()
        events = [entry.event for entry in story.memory.entries[known:]]
        stored.append(sum(isinstance(event, SignalReceived) for event in events))

    monkeypatch.setattr(story.memory, "press", press)
    for waited in ("LAST_COMMANDS_SECONDS", "LAST_ANSWERS_SECONDS"):
        monkeypatch.setattr(live_loop, waited, 0)  # This venue never answers.
    story.memory.is_slow = True
    async with running(story) as live:
        await live.submit(told.signal("alone"))
        asking = [live.submit(told.signal(f"s{number}")) for number in range(2 * most)]
        await asyncio.gather(*asking)
    groups = [after - before for before, after in pairwise([0, *dict.fromkeys(stored)])]
    assert groups[0] == 1
    assert 1 < max(groups) <= most
    assert sum(groups) == 1 + len(asking)


async def test_rule_2_all_reports_that_have_arrived_come_before_a_signal_however_many() -> None:
    story = begin()
    async with running(story) as live:
        await live.submit(told.signal("in"))
        (entry,) = story.venue.take(Submit)
        known, many = len(story.events), 3 * live_loop.REPLIES_AT_ONCE
        asking = asyncio.create_task(live.submit(told.signal("out", "close", None)))
        story.venue.replies += [accepted(entry.order)]
        story.venue.replies += [
            traded(entry.order, "1", trade_id=f"T{number}") for number in range(many)
        ]
        await asking
        kinds = [type(event) for event in story.events[known:]]
        reports = [kind for kind in kinds[: kinds.index(SignalReceived)] if kind is OrderReport]
        assert len(reports) == many + 1


def test_rule_17_a_sample_that_can_change_nothing_is_not_taken_again() -> None:
    story = begin()
    story.enter()
    turns: list[Event] = []
    story.loop.on_turn = lambda event, _step: turns.append(event)

    def samples(bid: str) -> int:
        turns.clear()
        for _ in range(5):
            story.show(bid, "100.01", after_ns=SECOND_NS)
        return sum(isinstance(event, Marked) for event in turns)

    assert samples("99.80") == 2, "one that deepens the drawdown, and one that changes nothing"
    assert samples("99.80") == 0
    assert samples("99.90") == 1, "another price is looked at, once"
    assert samples("99.70") == 2
