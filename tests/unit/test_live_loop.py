"""The live driver: time that goes on by itself, signals and quotes that come in between, a clean
end."""

import asyncio
import threading

import pytest

from pointsman.domain.commands import Compare, Submit
from pointsman.domain.events import OrderReport, OrderSent, SendRefused, SignalReceived
from pointsman.domain.life_cycle import OrderStatus
from pointsman.domain.reasons import Reason
from pointsman.domain.signals import Outcome
from pointsman.engine import live_loop as module
from pointsman.engine.live_loop import Clock, InboxFull, LiveLoop, NoSource
from pointsman.execution.outbox import StorageHeld
from pointsman.execution.ports import VenueRequest
from tests import desk_stories as told
from tests.desk_stories import MILLISECOND_NS, SECOND_NS, START_NS
from tests.engine_stories import (
    CODE,
    Memory,
    StillVenue,
    Story,
    accepted,
    begin,
    make_loop,
    snapshot,
    start,
    traded,
)
from tests.live_stories import HandClock, running

ENTRY = f"{CODE}1E1"


async def test_what_is_due_is_done_at_its_own_time_though_the_clock_has_gone_on() -> None:
    async with running() as live:
        live.story.venue.sent.clear()
        await live.move(12 * SECOND_NS)
        asked = [at_ns for at_ns, one in live.story.venue.sent if isinstance(one, Compare)]
        assert asked == [START_NS + 5 * SECOND_NS, START_NS + 10 * SECOND_NS]
        await live.move()
        assert live.story.loop.now_ns == START_NS + 12 * SECOND_NS


async def test_rule_29_submit_returns_when_the_decision_is_durable() -> None:
    async with running() as live:
        live.story.memory.is_slow = True
        asking = asyncio.create_task(live.live.submit(told.signal("in")))
        await live.rest()
        assert not asking.done()
        assert live.story.venue.take(Submit) == []
        live.story.memory.heal()
        await live.move()
        assert (await asking).outcome is Outcome.ACCEPTED
        assert len(live.story.venue.take(Submit)) == 1


async def test_rule_2_a_signal_is_decided_after_the_reports_that_have_arrived() -> None:
    async with running() as live:
        await live.live.submit(told.signal("in"))
        (entry,) = live.story.venue.take(Submit)
        known = len(live.story.events)
        asking = asyncio.create_task(live.live.submit(told.signal("out", "close", None)))
        live.story.venue.replies += [accepted(entry.order), traded(entry.order, "10")]
        decision = await asking
        assert decision.outcome is Outcome.ACCEPTED
        kinds = [type(event) for event in live.story.events[known:]]
        assert kinds[:4] == [OrderReport, OrderReport, OrderSent, SignalReceived]


async def test_a_signal_that_comes_while_something_is_due_is_decided_right_after_it() -> None:
    async with running() as live:
        live.clock.at_ns += 5 * SECOND_NS
        asking = asyncio.create_task(live.live.submit(told.signal("in")))
        await live.rest()
        assert asking.done()
        assert live.story.loop.now_ns == START_NS + 5 * SECOND_NS


async def test_signals_wait_for_the_first_comparison_and_keep_their_order() -> None:
    venue, memory = StillVenue(), Memory()
    loop = make_loop(venue, memory, memory)
    start(loop)
    async with running(Story(loop, venue, memory)) as live:
        asking = [
            asyncio.create_task(live.live.submit(told.signal(name, quantity="0.5")))
            for name in ("a", "b")
        ]
        await live.move(SECOND_NS)
        assert not any(one.done() for one in asking)
        venue.replies.append(snapshot())
        await live.move()
        assert [one.result().signal_id for one in asking] == ["a", "b"]
        times = [entry.time_ns for entry in memory.entries if is_signal(entry.event)]
        assert times == [START_NS + SECOND_NS] * 2


def is_signal(event: object) -> bool:
    return isinstance(event, SignalReceived)


async def test_rule_29_senders_are_told_that_storage_holds_their_signals() -> None:
    async with running() as live:
        live.story.memory.is_slow = True
        waiting = asyncio.create_task(live.live.submit(told.signal("in")))
        await live.rest()
        live.story.memory.fail()
        await live.move()
        with pytest.raises(StorageHeld):
            await waiting
        with pytest.raises(StorageHeld):
            await live.live.submit(told.signal("other"))
        live.story.memory.heal()
        live.story.memory.is_slow = False
        await live.move()
        assert (await live.live.submit(told.signal("other"))).outcome is Outcome.ACCEPTED


async def test_a_sender_who_goes_away_before_the_decision_has_asked_nothing() -> None:
    venue, memory = StillVenue(), Memory()
    loop = make_loop(venue, memory, memory)
    start(loop)
    async with running(Story(loop, venue, memory)) as live:
        asking = asyncio.create_task(live.live.submit(told.signal("a")))
        await live.rest()
        asking.cancel()
        await live.rest()
        venue.replies.append(snapshot())
        await live.move()
        assert not any(is_signal(entry.event) for entry in memory.entries)


async def test_one_who_goes_away_after_it_is_decided_all_the_same() -> None:
    async with running() as live:
        live.story.memory.is_slow = True
        asking = asyncio.create_task(live.live.submit(told.signal("in")))
        await live.rest()
        asking.cancel()
        live.story.memory.heal()
        await live.move()
        assert len(live.story.venue.take(Submit)) == 1


async def test_too_many_signals_are_told_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "INBOX_LEN_MAX", 2)
    async with running() as live:
        asking = [asyncio.create_task(live.live.submit(told.signal(str(n)))) for n in range(3)]
        done = await asyncio.gather(*asking, return_exceptions=True)
        assert [type(one).__name__ for one in done] == ["Decision", "Decision", "InboxFull"]
        assert "2 signals wait" in str(done[-1])
        assert isinstance(done[-1], InboxFull)


async def test_a_quote_counts_from_the_moment_it_is_fed() -> None:
    async with running() as live:
        live.clock.at_ns += 3 * SECOND_NS
        late = told.quote(START_NS + 2 * SECOND_NS)
        live.live.feed(late)
        assert live.story.loop.now_ns == START_NS + 3 * SECOND_NS
        assert live.story.loop.view.quotes.newest("XXX") is late


async def test_a_stop_lets_what_protects_leave_and_no_entry() -> None:
    """A fill has just been reported, and another entry was decided: both wait for the disk."""
    story = begin(accounts=("VA001", "VA002"))
    async with running(story) as live:
        await live.live.submit(told.signal("in", va_id="VA001"))
        (entry,) = story.venue.take(Submit)
        story.memory.is_slow = True
        story.venue.replies += [accepted(entry.order), traded(entry.order, "10")]
        asking = asyncio.create_task(live.live.submit(told.signal("two", va_id="VA002")))
        await live.move(MILLISECOND_NS)
        live.live.stop()
        await live.rest()
        assert story.venue.take(Submit) == []
        story.memory.heal()
        await live.running
        assert [submit.order.client_order_id for submit in story.venue.take(Submit)] == [
            f"{CODE}1S1"
        ]
        assert SendRefused(f"{CODE}2E1", Reason.ENTRY_WITHDRAWN) in story.events
        assert story.order(f"{CODE}2E1").status is OrderStatus.DENIED
        await asking


async def test_a_stop_does_not_wait_for_ever_for_storage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LAST_COMMANDS_SECONDS", 0.01)
    async with running() as live:
        live.story.memory.is_slow = True
        asking = asyncio.create_task(live.live.submit(told.signal("in")))
        await live.rest()
        live.live.stop()
        await live.running
        assert not asking.done()
        asking.cancel()


async def test_a_broken_rule_of_ours_ends_the_run_and_nothing_is_decided_afterwards(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with running() as live:
        story = live.story

        def broken(_now_ns: int) -> list[object]:
            raise AssertionError("of our own")

        monkeypatch.setattr(story.venue, "receive", broken)
        asking = asyncio.create_task(live.live.submit(told.signal("in")))
        await live.move()
        with pytest.raises(AssertionError, match="of our own"):
            await asyncio.wait_for(live.running, timeout=30)
        await live.rest()
        assert not asking.done()
        assert not any(is_signal(event) for event in story.events)
        asking.cancel()


class PromptVenue(StillVenue):
    """Accepts every order at once, and fills the entries."""

    def send(self, request: VenueRequest, now_ns: int) -> None:
        super().send(request, now_ns)
        if isinstance(request, Submit):
            self.replies.append(accepted(request.order))
            if request.may_raise_exposure:
                self.replies.append(traded(request.order, "10"))

    def next_due_ns(self) -> int | None:
        return START_NS if self.replies else None


class ShortTape:
    """A source that asks for something in its only step, and then waits for the venue alone."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.is_over = False

    def next_ns(self) -> int | None:
        loop = self.story.loop
        return loop.next_arrival_ns() if self.is_over else loop.now_ns

    def step(self, now_ns: int) -> None:
        self.story.loop.instant(now_ns)
        if not self.is_over:
            self.story.ask(told.signal("last"))
        self.is_over = True
        self.story.loop.release()


async def test_at_the_end_of_a_tape_what_was_decided_still_leaves_and_is_covered() -> None:
    story = begin(venue=PromptVenue())
    story.memory.is_slow = True
    clock = HandClock(START_NS)
    live = LiveLoop(story.loop, ShortTape(story), clock)
    task = asyncio.create_task(live.run(lambda _now_ns: None))
    for _ in range(20):
        await asyncio.sleep(0)
    assert not task.done()
    story.memory.is_slow = False
    story.memory.heal()
    live.wake_soon()
    await task
    assert [submit.order.client_order_id for submit in story.venue.take(Submit)] == [
        ENTRY,
        f"{CODE}1S1",
    ]
    assert story.order(f"{CODE}1S1").is_working


async def test_each_step_is_told_with_its_time() -> None:
    story, times = begin(), []
    clock = HandClock(START_NS)
    live = LiveLoop(story.loop, NoSource(story.loop), clock)

    def on_step(now_ns: int) -> None:
        times.append(now_ns)
        if now_ns > START_NS:
            live.stop()

    clock.at_ns += 5 * SECOND_NS
    await live.run(on_step)
    assert times[-1] == START_NS + 5 * SECOND_NS


async def test_any_thread_may_wake_the_driver() -> None:
    async with running() as live:
        live.clock.at_ns += SECOND_NS
        thread = threading.Thread(target=live.live.wake_soon)
        thread.start()
        await asyncio.to_thread(thread.join)
        await live.rest()
        assert live.story.loop.now_ns == START_NS + SECOND_NS


def test_waking_a_driver_whose_asyncio_loop_is_closed_does_nothing() -> None:
    async def make() -> LiveLoop:
        story = begin()
        return LiveLoop(story.loop, NoSource(story.loop), HandClock(START_NS))

    asyncio.run(make()).wake_soon()


def test_rule_1_time_goes_on_from_the_start_at_its_speed_and_never_falls() -> None:
    clock = Clock(START_NS, speed=1000)
    times = [clock.now_ns() for _ in range(1000)]
    assert times[0] >= START_NS
    assert times == sorted(times)
    assert all((now_ns - START_NS) % 1000 == 0 for now_ns in times)
    assert clock.wait_seconds(START_NS) <= 0
    assert 0 < clock.wait_seconds(START_NS + 10**18) <= 1
    assert clock.wait_seconds(clock.now_ns() + 100 * SECOND_NS) <= 0.1


def test_time_may_be_moved_on_and_never_back() -> None:
    clock = Clock(START_NS)
    clock.skip_to(START_NS + 100 * SECOND_NS)
    clock.skip_to(START_NS)
    assert 0 <= clock.now_ns() - START_NS - 100 * SECOND_NS < 50 * SECOND_NS


def test_a_loop_without_a_tape_looks_again_at_least_every_second() -> None:
    story = begin()
    tape = NoSource(story.loop)
    assert tape.next_ns() == START_NS + 5 * SECOND_NS
    tape.step(START_NS + 5 * SECOND_NS)
    assert story.loop.now_ns == START_NS + 5 * SECOND_NS


def test_what_a_quote_did_at_the_venue_while_its_messages_drained_is_asked_for_at_once() -> None:
    story = begin()
    story.ask(told.signal("in"))
    (entry,) = story.venue.take(Submit)
    story.venue.replies += [accepted(entry.order), traded(entry.order, "4")]
    story.loop.instant(START_NS, 1)
    story.loop.on_quote(told.quote(START_NS), START_NS)
    story.venue.replies.append(traded(entry.order, "6", trade_id="2"))
    story.loop.instant(START_NS, 1)
    assert story.order(entry.order.client_order_id).filled == 4
    assert story.loop.next_due_ns() == START_NS
    story.at()
    assert story.order(entry.order.client_order_id).filled == 10
    assert story.loop.next_due_ns() != START_NS
