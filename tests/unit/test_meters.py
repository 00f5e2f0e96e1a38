"""Meters: what is counted at each turn, that it is bounded, and that it costs next to nothing."""

import time
from decimal import Decimal

import msgspec
import pytest

from pointsman.api.meters import FOLLOWED_MAX, OTHER, SYMBOLS_MAX, Histogram, Meters
from pointsman.domain.commands import Step, Submit
from pointsman.domain.events import (
    Compared,
    Event,
    OrderReport,
    ReportWord,
    SignalMalformed,
    SignalReceived,
)
from pointsman.domain.orders import Fill
from pointsman.domain.sides import Side
from tests import desk_stories as told
from tests.desk_stories import MILLISECOND_NS, VA
from tests.engine_stories import Story, accepted, begin, start, traded

replace = msgspec.structs.replace
WALL_SECONDS = 1_800_000_000.5


@pytest.fixture
def meters() -> Meters:
    return Meters("paper", lambda: WALL_SECONDS)


@pytest.fixture
def story(meters: Meters) -> Story:
    story = begin()
    story.loop.on_turn = meters.turn
    return story


def test_an_entry_and_its_stop_are_counted_with_their_labels(story: Story, meters: Meters) -> None:
    story.enter()
    assert meters.received == {(VA,): 1}
    assert not meters.refused
    buy, sell = (VA, "XXX", "paper", "buy"), (VA, "XXX", "paper", "sell")
    assert meters.submitted == {buy: 1, sell: 1}
    assert meters.fills == {buy: 1}
    assert meters.orders == {
        ("INITIALIZED",): 2, ("SUBMITTED",): 2, ("ACCEPTED",): 2, ("FILLED",): 1,
    }  # fmt: skip


def test_a_refusal_is_counted_by_its_reason_and_a_repeat_is_not_refused_again(
    story: Story, meters: Meters
) -> None:
    large = told.signal("large", quantity="1000000")
    story.ask(large)
    story.ask(large)
    story.ask(replace(large, quantity=Decimal(1)))
    assert meters.received == {(VA,): 3}
    assert meters.refused == {(VA, "MAX_POSITION_SIZE"): 1}


def test_accounts_that_do_not_exist_and_what_cannot_be_read_make_no_label(
    story: Story, meters: Meters
) -> None:
    for number in range(100):
        story.ask(replace(told.signal(f"s{number}"), va_id=f"MADEUP{number}"))
    story.loop.turn(SignalMalformed("http", 0, "va_id", "x", "name one"))
    assert meters.received == {("",): 101}
    assert meters.refused == {("", "UNKNOWN_ACCOUNT"): 100}


def test_symbols_without_end_have_no_label_each(meters: Meters) -> None:
    for number in range(SYMBOLS_MAX + 50):
        fill = fill_of(f"S{number}")
        meters.turn(OrderReport("x", ReportWord.TRADE, 0), Step((fill,)))
    symbols = {symbol for _, symbol, _, _ in meters.fills}
    assert len(symbols) == SYMBOLS_MAX + 1
    assert meters.fills[VA, OTHER, "paper", "buy"] == 50


def fill_of(symbol: str) -> Fill:
    one = Decimal(1)
    return Fill("k", "x", VA, symbol, 1, Side.BUY, one, one, Decimal(0), "t", 0, 0)


def test_only_so_many_orders_are_remembered(story: Story, meters: Meters) -> None:
    order = story.enter()
    for number in range(FOLLOWED_MAX + 10):
        other = replace(order, client_order_id=f"O{number}")
        meters.turn(OrderReport("x", ReportWord.ACCEPTED, 0), Step((other,)))
    assert len(meters._orders) == FOLLOWED_MAX


def test_the_answer_of_the_venue_is_timed_once_in_event_time(story: Story, meters: Meters) -> None:
    story.ask(told.signal("in"))
    (submit,) = story.venue.take(Submit)
    story.at(20 * MILLISECOND_NS)
    story.say(accepted(submit.order))
    story.at(20 * MILLISECOND_NS)
    story.say(traded(submit.order, "10"))
    assert meters.order_ack.buckets()[-1] == ("+Inf", 1)
    assert meters.order_ack.total == pytest.approx(0.02)


def test_from_signal_to_order_is_real_time_whatever_event_time_does(
    story: Story, meters: Meters, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0]
    monkeypatch.setattr("pointsman.api.meters.time.monotonic_ns", lambda: clock[0])
    story.memory.is_slow = True
    story.ask(told.signal("in"))
    clock[0] += 30 * MILLISECOND_NS
    story.memory.settle()
    story.loop.release()
    assert meters.signal_to_order.buckets()[-1] == ("+Inf", 1)
    assert meters.signal_to_order.total == pytest.approx(0.03)


@pytest.mark.parametrize(
    ("price", "filled_at", "bps"),
    [("100", "100.02", 2.0), ("100", "99.9", 0.0), (None, "100.02", 0.99990001)],
)
def test_rule_7_slippage_is_against_the_signals_price_else_the_touch(
    story: Story, meters: Meters, price: str | None, filled_at: str, bps: float
) -> None:
    story.ask(replace(told.signal("in"), price=None if price is None else Decimal(price)))
    (submit,) = story.venue.take(Submit)
    story.say(accepted(submit.order), traded(submit.order, "10", filled_at))
    assert meters.slippage.total == pytest.approx(bps)


def test_what_a_start_finds_is_not_counted_as_having_happened(story: Story) -> None:
    story.enter()
    again = Meters("paper", lambda: WALL_SECONDS)
    story.loop.on_turn = again.turn
    start(story.loop)
    assert not again.orders
    assert not again.submitted


@pytest.mark.parametrize(
    ("is_complete", "differences", "result"),
    [(True, 0, "clean"), (True, 2, "differed"), (False, 0, "failed")],
)
def test_comparisons_are_counted_by_how_they_ended(
    meters: Meters, is_complete: bool, differences: int, result: str
) -> None:
    meters.turn(Compared(is_complete, 0, differences, ""), Step())
    assert meters.comparisons == {(result,): 1}
    assert meters.compared_at_seconds == (WALL_SECONDS if is_complete else None)


def test_a_histogram_counts_up_to_and_with_each_bound() -> None:
    histogram = Histogram((1.0, 2.0))
    for value in (0.5, 1.0, 1.5, 7.0):
        histogram.observe(value)
    assert histogram.buckets() == [("1.0", 2), ("2.0", 3), ("+Inf", 4)]
    assert histogram.total == 10.0


def test_noting_a_turn_costs_a_small_part_of_deciding_it() -> None:
    """Both in one run, so that a busy machine counts on both sides."""
    story, meters = begin(), Meters("paper", lambda: WALL_SECONDS)
    turns: list[tuple[Event, Step]] = []
    story.loop.on_turn = lambda event, step: turns.append((event, step))
    began = time.perf_counter()
    for number in range(200):
        story.ask(told.signal(f"s{number}", quantity="1000000"))
    deciding = time.perf_counter() - began
    assert sum(isinstance(event, SignalReceived) for event, _ in turns) == 200
    noting = min(_seconds_to_note(meters, turns) for _ in range(5))
    assert noting < deciding / 10


def _seconds_to_note(meters: Meters, turns: list[tuple[Event, Step]]) -> float:
    began = time.perf_counter()
    for event, step in turns:
        meters.turn(event, step)
    return time.perf_counter() - began
