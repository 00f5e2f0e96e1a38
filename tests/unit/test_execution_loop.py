"""The loop: the order of things at one instant, comparisons, samples, levels, and quotes."""

from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from pointsman.domain.accounts import Account
from pointsman.domain.commands import Cancel, Compare, Step, Submit
from pointsman.domain.events import (
    Compared,
    EntryBreach,
    Event,
    LevelReached,
    Marked,
    OrderReport,
    OrderSent,
    Paused,
    SignalReceived,
    TimerFired,
)
from pointsman.domain.life_cycle import OrderStatus
from pointsman.domain.orders import Role
from pointsman.domain.policy import PositionMode, ReduceOnlyMode
from pointsman.domain.reasons import Reason
from pointsman.execution.archive import FinishedRecords
from pointsman.execution.execution_loop import ExecutionLoop
from pointsman.execution.market_view import LiveSession
from pointsman.venues.paper.venue import PaperVenue
from tests import desk_stories as told
from tests.desk_stories import MILLISECOND_NS, SECOND_NS, START_NS
from tests.engine_stories import (
    CODE,
    Memory,
    OpenHours,
    accepted,
    begin,
    canceled,
    fresh_copy,
    make_loop,
    snapshot,
    start,
    traded,
)

ENTRY = f"{CODE}1E1"
PATIENT = told.policy(told.limits(max_latency_ns=60 * SECOND_NS))
"""A policy under which a quote stays fresh for a minute."""


def kinds(events: list[Event]) -> list[str]:
    return [type(event).__name__ for event in events]


# -- the order of things ---------------------------------------------------------------------------


def paper(folder: Path, latency_ns: int) -> PaperVenue:
    return PaperVenue(
        folder / "paper.db",
        latency_ns=latency_ns,
        fee_bps=Decimal(0),
        position_mode=PositionMode.HEDGE,
        reduce_only_mode=ReduceOnlyMode.CLIP,
        instrument_of=lambda _symbol: told.XXX,
    )


def run_until(loop: ExecutionLoop, until_ns: int) -> None:
    """Every instant that falls due before `until_ns`."""
    while (due_ns := loop.next_due_ns()) is not None and due_ns < until_ns:
        loop.instant(due_ns)
        loop.release()


@pytest.fixture
def venue(tmp_path: Path) -> Iterator[PaperVenue]:
    """The paper venue, 20 ms away."""
    with closing(paper(tmp_path, 20 * MILLISECOND_NS)) as opened:
        yield opened


def test_rule_2_at_one_instant_quotes_then_arrivals_then_reports_then_levels_then_signals(
    venue: PaperVenue,
) -> None:
    """The second entry arrives at the instant of three quotes: it trades on the last of them. The
    one in the middle has reached the target of the first."""
    memory = Memory()
    loop = make_loop(venue, memory, memory)
    start(loop)
    run_until(loop, START_NS + SECOND_NS)
    loop.on_quote(told.quote(START_NS + SECOND_NS), START_NS + SECOND_NS)
    loop.instant(START_NS + SECOND_NS)
    loop.signal(told.signal("first", take_profit=Decimal("100.50")), None)
    loop.release()
    at_ns = START_NS + 2 * SECOND_NS
    before_ns = at_ns - 20 * MILLISECOND_NS
    run_until(loop, before_ns)
    loop.on_quote(told.quote(before_ns), before_ns)
    loop.instant(before_ns)
    loop.signal(told.signal("second"), None)
    loop.release()

    known = len(memory.entries)
    loop.on_quote(told.quote(at_ns, "99.98", "100.00"), at_ns)
    loop.on_quote(told.quote(at_ns, "100.50", "100.52"), at_ns)
    loop.on_quote(told.quote(at_ns, "99.97", "99.99"), at_ns)
    loop.instant(at_ns)
    loop.signal(told.signal("third"), None)
    loop.release()

    events = [entry.event for entry in memory.entries[known:]]
    assert kinds(events) == [
        "OrderReport",  # accepted
        "OrderReport",  # traded, on the last quote of the instant
        "LevelReached",
        "Marked",  # what is held is kept once a minute
        "SignalReceived",
        "OrderSent",  # the exit at the target
        "OrderSent",  # the stop of the second entry
        "OrderSent",  # the third entry
    ]
    fill = [event.fill for event in events if isinstance(event, OrderReport)][-1]
    assert fill is not None
    assert fill.price == Decimal("99.99")
    assert {entry.time_ns for entry in memory.entries[known:]} == {at_ns}


def test_rule_2_without_latency_an_order_is_filled_and_covered_at_the_instant_of_its_signal(
    tmp_path: Path,
) -> None:
    memory, venue = Memory(), paper(tmp_path, 0)
    loop = make_loop(venue, memory, memory)
    start(loop)
    loop.instant(START_NS)
    loop.instant(START_NS)
    loop.on_quote(told.quote(START_NS), START_NS)
    loop.signal(told.signal("now"), None)
    loop.release()
    rounds = 0
    while loop.next_arrival_ns() is not None:
        assert loop.next_arrival_ns() == START_NS
        loop.instant(START_NS)
        loop.release()
        rounds += 1
    (stop,) = [order for order in loop.desk.books.orders.values() if order.role is Role.STOP]
    assert stop.is_working
    assert rounds == 2
    assert {entry.time_ns for entry in memory.entries} == {START_NS}
    venue.close()


def test_rule_2_reports_come_before_timers_and_timers_before_signals() -> None:
    """Two entries are silent since one instant, a third one fills when their timers are due."""
    story = begin(PATIENT, accounts=("VA001", "VA002", "VA003"))
    for va_id in ("VA001", "VA002"):
        story.ask(told.signal(va_id, va_id=va_id))
    story.show(after_ns=SECOND_NS)
    story.ask(told.signal("three", va_id="VA003"))
    third = story.venue.take(Submit)[-1].order
    known = len(story.events)
    story.venue.replies += [accepted(third), traded(third, "10")]
    story.loop.instant(START_NS + 5 * SECOND_NS)
    story.ask(told.signal("four", va_id="VA003"))
    assert kinds(story.events[known:])[:6] == [
        "OrderReport",
        "OrderReport",
        "TimerFired",
        "TimerFired",
        "Marked",
        "SignalReceived",
    ]
    fired = [event.timer.key for event in story.events if isinstance(event, TimerFired)]
    assert fired == [f"{CODE}1E1", f"{CODE}2E1"]


def test_time_never_runs_backwards() -> None:
    story = begin()
    story.loop.instant(START_NS - SECOND_NS)
    story.loop.on_quote(told.quote(START_NS - 1), START_NS - 1)
    assert story.loop.now_ns == START_NS


# -- comparisons -----------------------------------------------------------------------------------


def test_a_comparison_is_asked_for_every_interval_and_again_when_it_is_not_answered() -> None:
    story = begin()
    story.venue.sent.clear()
    story.pass_time(20 * SECOND_NS)
    asked_ns = [at_ns for at_ns, request in story.venue.sent if isinstance(request, Compare)]
    assert asked_ns == [START_NS + n * 5 * SECOND_NS for n in range(1, 5)]


def test_a_start_that_is_not_answered_asks_again_within_the_submit_timeout() -> None:
    rules = told.policy(reconcile_interval_ns=60 * SECOND_NS, submit_timeout_ns=SECOND_NS)
    memory, venue = Memory(), begin().venue
    loop = make_loop(venue, memory, memory, rules)
    start(loop, rules)
    venue.sent.clear()
    for _ in range(3):
        loop.instant(loop.next_due_ns() or 0)
    assert [at_ns - START_NS for at_ns, _ in venue.sent] == [0, SECOND_NS, 2 * SECOND_NS]
    assert not loop.is_ready


def test_a_quiet_comparison_leaves_nothing_in_the_journal() -> None:
    story = begin()
    turns = len(story.memory.entries)
    for _ in range(3):
        story.pass_time(5 * SECOND_NS)
        story.say(snapshot(at_ns=story.loop.now_ns))
    assert len(story.memory.entries) == turns


def test_a_comparison_that_the_desk_asks_for_is_asked_at_once() -> None:
    story = begin()
    story.enter()
    story.venue.sent.clear()
    nobody = f"{CODE}9S9"
    story.say(accepted(fresh_copy(story.order(ENTRY), client_order_id=nobody)))
    assert [request for _, request in story.venue.sent] == [Compare("")]


# -- samples, levels, entries that work ------------------------------------------------------------


def test_rule_17_equity_is_sampled_once_in_each_second_and_only_while_something_is_held() -> None:
    story = begin()
    turns: list[Event] = []
    story.loop.on_turn = lambda event, _step: turns.append(event)
    story.pass_time(3 * SECOND_NS)
    assert not [event for event in turns if isinstance(event, Marked)]
    story.show()
    story.enter()
    for number in range(31):
        story.show(bid=str(Decimal(100) + number), ask=str(Decimal(100) + number + 1))
        story.at(100 * MILLISECOND_NS)
    at_ns = [entry.time_ns for entry in story.memory.entries if isinstance(entry.event, Marked)]
    assert len(at_ns) == len({one // SECOND_NS for one in at_ns})
    assert 3 <= len(at_ns) <= 4
    assert story.memory.records(Account)[-1].equity > Decimal(100_000)


def test_the_next_whole_second_is_due_while_something_is_held() -> None:
    story = begin()
    story.pass_time(2300 * MILLISECOND_NS)
    assert story.loop.next_due_ns() == START_NS + 5 * SECOND_NS
    story.show()
    story.enter()
    assert story.loop.next_due_ns() == START_NS + 3 * SECOND_NS


def test_a_level_is_reached_once_and_the_target_is_left_at_market() -> None:
    story = begin()
    story.ask(told.signal("in", take_profit=Decimal("101")))
    (entry,) = story.venue.take(Submit)
    story.say(accepted(entry.order), traded(entry.order, "10"))
    (stop,) = story.venue.take(Submit)
    story.say(accepted(stop.order))
    story.show(bid="101.00", ask="101.02")
    story.show(bid="101.50", ask="101.52")
    assert len([event for event in story.events if isinstance(event, LevelReached)]) == 1
    assert [submit.order.exit_reason for submit in story.venue.take(Submit)] == [Reason.TAKE_PROFIT]


@pytest.mark.parametrize("how", ["spread", "stale", "invalid"])
def test_a_working_entry_is_withdrawn_when_its_quote_breaks_a_limit(how: str) -> None:
    story = begin()
    story.ask(told.signal("in"))
    (entry,) = story.venue.take(Submit)
    story.say(accepted(entry.order))
    if how == "stale":
        story.pass_time(500 * MILLISECOND_NS)
        assert story.venue.take(Cancel) == []
        assert story.loop.next_due_ns() == story.loop.now_ns + 1
        story.pass_time(1)
    else:
        story.show(bid="99.80" if how == "spread" else "NaN", ask="100.01")
    assert [cancel.client_order_id for cancel in story.venue.take(Cancel)] == [ENTRY]
    assert [type(event) for event in story.events].count(EntryBreach) == 1
    story.show(bid="99.80")
    assert story.venue.take(Cancel) == []
    story.say(canceled(entry.order))
    assert story.order(ENTRY).status is OrderStatus.CANCELED


def test_a_cancel_of_what_has_ended_meanwhile_is_not_sent() -> None:
    story = begin()
    story.ask(told.signal("in"))
    (entry,) = story.venue.take(Submit)
    story.say(accepted(entry.order))
    story.memory.is_slow = True
    story.show(bid="99.80")
    story.say(canceled(entry.order))
    story.memory.heal()
    story.at()
    assert story.venue.take(Cancel) == []


def test_an_order_that_has_ended_while_it_waited_is_not_sent() -> None:
    story = begin()
    story.ask(told.signal("in"))
    (entry,) = story.venue.take(Submit)
    story.memory.is_slow = True
    story.say(accepted(entry.order), traded(entry.order, "10"))
    (stop,) = story.loop.desk.books.orders_of(1, Role.STOP)
    story.say(canceled(stop))
    story.memory.heal()
    story.at()
    sent = [submit.order.client_order_id for submit in story.venue.take(Submit)]
    assert sent == [f"{CODE}1S2"]


def test_a_loop_that_starts_again_watches_the_levels_of_what_is_held() -> None:
    story = begin()
    story.enter()
    memory = Memory()
    again = ExecutionLoop(
        story.loop.desk, story.venue, memory, FinishedRecords(memory), lambda _va_id: OpenHours()
    )
    start(again)
    again.on_quote(told.quote(START_NS, "97", "97.02"), START_NS)
    again.instant(START_NS)
    assert [type(entry.event) for entry in memory.entries].count(LevelReached) == 1


# -- quotes ----------------------------------------------------------------------------------------


def test_rule_4_a_quote_from_the_future_moves_no_clock_and_does_not_stay_fresh() -> None:
    """The venue is given it at the present; its own stamp is only what ages are measured by."""
    story = begin()
    late_ns = 90 * SECOND_NS
    ahead = told.quote(START_NS + late_ns)
    story.loop.on_quote(ahead, START_NS)
    story.at()
    assert story.loop.now_ns == START_NS
    assert story.venue.quotes[-1].ts_ns == START_NS
    story.ask(told.signal("now"))
    story.pass_time(SECOND_NS)
    story.ask(told.signal("later", va_id=told.VA))
    asked = [event for event in story.events if isinstance(event, SignalReceived)]
    assert [event.clock_offset_ns for event in asked] == [-late_ns, -late_ns]
    assert [event.quote for event in asked] == [ahead, ahead]
    reasons = [
        answer.decision.reason
        for answer in story.answers
        if isinstance(answer, Step) and answer.decision is not None
    ]
    assert reasons == [None, Reason.LATENCY]


def test_a_late_quote_reaches_the_venue_with_its_own_stamp() -> None:
    story = begin()
    story.at(SECOND_NS)
    story.loop.on_quote(told.quote(START_NS + 1), START_NS + SECOND_NS)
    assert story.venue.quotes[-1].ts_ns == START_NS + 1


def test_after_the_wall_clock_was_put_back_the_venue_is_told_stamps_in_event_time() -> None:
    story, hour_ns = begin(), 3600 * SECOND_NS
    story.loop.view.begin_live(LiveSession(START_NS - hour_ns, hour_ns, SECOND_NS))
    story.loop.on_quote(told.quote(START_NS + 1 - hour_ns), START_NS + SECOND_NS)
    assert story.venue.quotes[-1].ts_ns == START_NS + 1


def test_a_turn_that_changes_nothing_is_not_recorded() -> None:
    story = begin()
    turns = len(story.memory.entries)
    story.loop.turn(Compared(False, START_NS, 0, ""))
    story.loop.turn(OrderSent("nobody"))
    assert len(story.memory.entries) == turns


# -- what stands around the loop -------------------------------------------------------------------


def test_every_turn_is_told_to_whoever_listens_also_one_that_changed_nothing() -> None:
    story = begin()
    heard: list[tuple[Event, int]] = []
    story.loop.on_turn = lambda event, step: heard.append((event, len(step.changes)))
    paused, nobody = Paused(told.VA, "anna", "lunch"), OrderSent("nobody")
    story.loop.turn(paused)
    story.loop.turn(nobody)
    assert heard == [(paused, 1), (nobody, 0)]


def test_a_comparison_may_be_asked_for_at_any_time() -> None:
    story = begin()
    story.venue.sent.clear()
    story.at(SECOND_NS)
    story.loop.compare_soon()
    story.at()
    assert [at_ns for at_ns, _ in story.venue.sent] == [START_NS + SECOND_NS]
    assert story.loop.next_due_ns() == START_NS + 6 * SECOND_NS
