"""Sampling: the same samples as a visit to every whole second would take, and no visit in vain."""

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.domain.events import Event, Marked
from pointsman.domain.policy import Policy
from pointsman.domain.sides import SignalSide
from pointsman.domain.signals import Signal
from pointsman.engine.playback import Playback
from pointsman.execution.archive import FinishedRecords
from pointsman.execution.desk import Desk
from pointsman.execution.execution_loop import ExecutionLoop
from pointsman.execution.sampling import Sampling
from pointsman.execution.this_run import ThisRun
from pointsman.market.signal_file import SignalLine
from pointsman.market.tape import Tape
from pointsman.venues.paper.venue import PaperVenue
from tests import desk_stories as told
from tests.desk_stories import MILLISECOND_NS, SECOND_NS, START_NS
from tests.engine_stories import CODE, Memory, OpenHours, begin, start

DAY_NS = 86_400 * SECOND_NS
HOLDS = "10"


class _Days(OpenHours):
    def day_start_ns(self, now_ns: int) -> int:
        return now_ns // DAY_NS * DAY_NS


class Played:
    """A session on the paper venue: what was journaled, and how many instants it took."""

    def __init__(
        self,
        folder: Path,
        moves: list[tuple[int, int]],
        passes: bool,
        trades: tuple[int, ...] = (0,),
    ) -> None:
        """`trades` is when, in seconds from the first quote, the account enters and exits in
        turn."""
        venue = PaperVenue(
            folder / f"{passes}.db",
            latency_ns=20 * MILLISECOND_NS,
            fee_bps=Decimal(1),
            position_mode=told.policy().position_mode,
            reduce_only_mode=told.policy().reduce_only_mode,
            instrument_of=told.policy().instrument,
        )
        memory = Memory()
        desk = Desk(told.policy(), CODE)
        loop = ExecutionLoop(
            desk, venue, memory, FinishedRecords(memory), lambda _va_id: _Days(), venue
        )
        start(loop)
        at_ns, quotes = START_NS + SECOND_NS, []
        for after_ns, cents in [(0, 0), *moves]:
            at_ns += after_ns
            bid = Decimal(100) + Decimal(cents) / 100
            quotes.append(told.quote(at_ns, str(bid), str(bid + Decimal("0.02"))))
        signals = [
            SignalLine(line, START_NS + (1 + second) * SECOND_NS, _trade(line))
            for line, second in enumerate(trades)
        ]
        playback = Playback(loop, Tape(iter(quotes), iter(signals)), "signals", lambda: 0)
        self.instants = 0
        while (due_ns := playback.next_ns()) is not None:
            playback.step(due_ns)
            self.instants += 1
            if passes:
                playback.take_quiet_quotes(None)
                playback.pass_empty_time(None)
        venue.close()
        self.journal = [(one.time_ns, one.event, one.changes) for one in memory.entries]


def _trade(line: int) -> Signal:
    if line % 2:
        return told.signal(f"out{line}", side=SignalSide.CLOSE, quantity=None)
    return told.signal(f"in{line}", quantity=HOLDS)


_GAPS = st.integers(0, 1200).map(lambda steps: steps * 250 * MILLISECOND_NS) | st.integers(
    1, 40
).map(lambda seconds: seconds * SECOND_NS)


@settings(max_examples=10, deadline=None)
@given(
    moves=st.lists(st.tuples(_GAPS, st.integers(-140, 90)), max_size=8),
    trades=st.sets(st.integers(0, 60), min_size=1, max_size=4),
)
def test_rule_66_what_is_left_out_would_have_changed_nothing(
    tmp_path_factory: pytest.TempPathFactory, moves: list[tuple[int, int]], trades: set[int]
) -> None:
    folder = tmp_path_factory.mktemp("paper")
    at = tuple(sorted(trades))
    assert Played(folder, moves, True, at).journal == Played(folder, moves, False, at).journal


def test_rule_66_rows_while_nothing_is_held_cost_a_step_in_ten_minutes(tmp_path: Path) -> None:
    hour = [(SECOND_NS, number % 7) for number in range(3600)]
    assert Played(tmp_path, hour, True, (0, 10)).instants < 80


@pytest.mark.parametrize(("days", "steps"), [(2, 60), (60, 500)])
def test_rule_66_empty_time_with_a_position_costs_a_few_steps_a_day(
    tmp_path: Path, days: int, steps: int
) -> None:
    gap_ns = days * DAY_NS
    assert Played(tmp_path, [(gap_ns, 10), (SECOND_NS, 20)], True).instants < steps


def test_rule_17_a_change_of_price_is_sampled_at_the_next_whole_second_and_only_there() -> None:
    story = begin()
    turns: list[Event] = []
    story.enter()
    story.loop.on_turn = lambda event, _step: turns.append(event)
    for bid in ("100.00", "101.00"):
        story.pass_time(2 * SECOND_NS + 300 * MILLISECOND_NS)
        story.show(bid, "101.02")
        turns.clear()
        story.at(100 * MILLISECOND_NS)
        assert not turns
        story.pass_time(SECOND_NS)
        assert any(isinstance(event, Marked) for event in turns)


class _Books:
    """What sampling asks of the books."""

    def __init__(self, policy: Policy, naked: tuple[int, ...] = ()) -> None:
        self.holding_accounts = {told.VA: None}
        self.naked = naked
        self.this_run = ThisRun()
        self.policy = policy


class _View:
    def marks_of(self, _books: object) -> tuple[()]:
        return ()


def test_a_new_trading_day_is_sampled_also_when_nothing_else_has_changed() -> None:
    sampling = Sampling(_Books(told.policy()), _View(), lambda at_ns: at_ns // DAY_NS * DAY_NS)  # type: ignore[arg-type]
    assert sampling.take(DAY_NS + SECOND_NS, 7) is not None
    sampling.note(7)
    assert sampling.next_ns(DAY_NS + SECOND_NS, 7) == 2 * DAY_NS
    sampling.pass_to(2 * DAY_NS, 7)
    assert sampling.take(2 * DAY_NS, 7) == Marked((), 2 * DAY_NS)
    sampling.note(7)
    sampling.note_prices()
    assert sampling.next_ns(2 * DAY_NS, 7) == 2 * DAY_NS + SECOND_NS


def test_while_a_position_is_naked_time_alone_is_sampled_where_it_may_kill() -> None:
    for rules, is_each_second in (
        (told.policy(), False),
        (told.policy(kill_on_naked_ns=SECOND_NS), True),
    ):
        sampling = Sampling(_Books(rules, (1,)), _View(), lambda at_ns: at_ns // DAY_NS * DAY_NS)  # type: ignore[arg-type]
        sampling.take(DAY_NS + SECOND_NS, 7)
        sampling.note(7)
        due_ns = sampling.next_ns(DAY_NS + SECOND_NS, 7)
        assert due_ns == (DAY_NS + 2 * SECOND_NS if is_each_second else 2 * DAY_NS)
