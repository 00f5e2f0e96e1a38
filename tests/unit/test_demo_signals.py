"""Demo signals: what they promise to show, seen through the real engine; and when they come."""

from collections import defaultdict
from collections.abc import Sequence
from contextlib import closing
from itertools import islice, pairwise, takewhile
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.config.settings import resolve_settings
from pointsman.domain.accounts import Incident
from pointsman.domain.orders import Order, Role
from pointsman.domain.positions import Trade
from pointsman.domain.reasons import Group, Reason
from pointsman.domain.sides import PositionSide, SignalSide
from pointsman.domain.signals import Decision, Outcome
from pointsman.engine.assembly import assemble
from pointsman.engine.playback import Playback
from pointsman.market.demo_signals import SCENE_NS, demo_signals
from pointsman.market.signal_file import SignalLine
from pointsman.market.simulated import SimulatedMarket
from pointsman.market.tape import Tape
from pointsman.storage import reader
from pointsman.storage.errors import StorageFailed
from tests.unit.test_simulated import DAY, OPEN_NS, SECOND, market_of

MS = 10**6
VA_IDS = ("VA001", "VA002", "VA003")


def lines_of(
    market: SimulatedMarket, until_ns: int, va_ids: Sequence[str] = VA_IDS
) -> list[SignalLine]:
    endless = demo_signals(market, va_ids, market.first_open_ns)
    return list(takewhile(lambda line: (line.ts_ns or 0) < until_ns, endless))


# --- what is shown --------------------------------------------------------------------------------


class Seen(NamedTuple):
    """What a run left in its database."""

    decisions: list[Decision]
    orders: list[Order]
    trades: list[Trade]
    incidents: list[Incident]


def run(seed: int, folder: Path, seconds: int) -> Seen:
    """The first seconds of a session through the real engine, on the settings' defaults."""

    def give_up(failure: StorageFailed) -> None:
        raise failure

    settings = resolve_settings({}, None, {}).settings
    market = SimulatedMarket(seed, OPEN_NS, settings.trading_hours().window_at)
    database = folder / f"{seed}.db"
    assembly = assemble(settings, database, None, wait=give_up)
    try:
        signals = demo_signals(market, [va_id for va_id, _ in settings.accounts], OPEN_NS)
        playback = Playback(assembly.loop, Tape(market.quotes(), signals), "demo", lambda: 0)
        assembly.loop.start(assembly.started, OPEN_NS - SECOND)
        while (due_ns := playback.next_ns()) is not None and due_ns < OPEN_NS + seconds * SECOND:
            playback.step(due_ns)
        playback.end()
    finally:
        assembly.close()
    with closing(reader.open_reader(database)) as connection:
        return Seen(
            reader.decisions(connection),
            reader.orders(connection),
            reader.trades(connection),
            reader.incidents(connection),
        )


@pytest.fixture(scope="module", params=[1, 2, 153])
def show(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """The first two minutes of a session, for three seeds."""
    return run(request.param, tmp_path_factory.mktemp("show"), seconds=120)


def test_two_minutes_show_entries_of_all_accounts_long_and_short_in_several_symbols(
    show: Seen,
) -> None:
    filled = [order for order in show.orders if order.role is Role.ENTRY and order.filled > 0]
    assert {order.va_id for order in filled} == set(VA_IDS)
    assert {order.position_side for order in filled} == set(PositionSide)
    assert len({order.symbol for order in filled}) >= 3


def test_two_minutes_show_a_partial_fill(show: Seen) -> None:
    partial = [order for order in show.orders if 0 < order.filled < order.quantity]
    assert Role.ENTRY in {order.role for order in partial}


@pytest.mark.parametrize("reason", [Reason.SIGNAL_EXIT, Reason.STOP_LOSS])
def test_two_minutes_show_an_exit_and_a_stop_loss(show: Seen, reason: Reason) -> None:
    assert reason in {trade.exit_reason for trade in show.trades}


@pytest.mark.parametrize("room", [Group.ROUTER, Group.GOVERNOR, Group.FILTERS])
def test_two_minutes_show_a_refusal_by_each_room(show: Seen, room: Group) -> None:
    reasons = [decision.reason for decision in show.decisions]
    assert room in {reason.group for reason in reasons if reason is not None}


def test_two_minutes_show_a_cooldown_and_a_refusal_by_it(show: Seen) -> None:
    assert Reason.COOLDOWN_STARTED in {incident.kind for incident in show.incidents}
    assert Reason.COOLDOWN in {decision.reason for decision in show.decisions}


def test_an_hour_has_no_incident_but_cooldowns_and_exits_that_wait_for_size(
    tmp_path: Path,
) -> None:
    seen = run(seed=4, folder=tmp_path, seconds=3_600)
    kinds = {incident.kind for incident in seen.incidents}
    assert {Reason.COOLDOWN_STARTED} <= kinds <= {Reason.COOLDOWN_STARTED, Reason.EXIT_UNFILLED}
    accepted = [one for one in seen.decisions if one.outcome is Outcome.ACCEPTED]
    assert len(accepted) > len(seen.decisions) // 2
    assert {trade.pnl > 0 for trade in seen.trades} == {True, False}
    ways_out = {Reason.SIGNAL_EXIT, Reason.STOP_LOSS, Reason.TAKE_PROFIT}
    assert {trade.exit_reason for trade in seen.trades} == ways_out
    entries = {one.decided_at_ns for one in accepted if one.client_order_id is not None}
    assert {(at_ns - OPEN_NS) // (600 * SECOND) for at_ns in entries} == set(range(6))


def test_an_hour_is_a_realistic_mix(tmp_path: Path) -> None:
    """About half of the entries are accepted, there are wins and losses, and now and then a
    cooldown. One account after the show, where each thing is shown once, is still cooling down."""
    seen = run(seed=0, folder=tmp_path, seconds=3_600)
    refused = [one for one in seen.decisions if one.outcome is Outcome.REFUSED]
    entries = [one for one in seen.orders if one.role is Role.ENTRY]
    entries_refused = [one for one in refused if one.reason is not Reason.NOTHING_TO_CLOSE]
    wins = sum(trade.pnl > 0 for trade in seen.trades)
    cooldowns = [one for one in seen.incidents if one.kind is Reason.COOLDOWN_STARTED]
    assert 2 / 5 < len(entries) / (len(entries) + len(entries_refused)) < 2 / 3
    assert 2 / 5 < wins / len(seen.trades) < 3 / 4
    assert 2 <= len(cooldowns) <= 12


# --- a function of (seed, time) -------------------------------------------------------------------


@given(seed=st.integers(), from_ms=st.integers(-1_000, 90_000_000))
def test_rule_6_signals_that_are_entered_later_go_on_as_they_would_have(
    seed: int, from_ms: int
) -> None:
    """In a scene, between scenes, in the rest of a session that is too short for one, at night."""
    from_ns = OPEN_NS + from_ms * MS
    market = market_of(seed, minutes=5)
    rest = (line for line in demo_signals(market, VA_IDS, OPEN_NS) if (line.ts_ns or 0) >= from_ns)
    assert list(islice(demo_signals(market, VA_IDS, from_ns), 9)) == list(islice(rest, 9))


@pytest.mark.parametrize("va_ids", [VA_IDS[:1], VA_IDS[:2], VA_IDS, tuple("ABCDEFG")])
def test_lines_rise_by_one_in_a_session_and_further_from_one_to_the_next(
    va_ids: Sequence[str],
) -> None:
    """The engine skips the lines up to the last one that it took, so none may come again."""
    lines = lines_of(market_of(1, minutes=21), OPEN_NS + 2 * DAY, va_ids)
    days: dict[int, list[int]] = defaultdict(list)
    for line in lines:
        days[((line.ts_ns or 0) - OPEN_NS) // DAY].append(line.line)
    assert days[0][0] == 1
    assert days[0][-1] < days[1][0]
    for numbers in days.values():
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert len({line.signal.signal_id for line in lines}) == len(lines)
    assert {line.signal.va_id for line in lines} == set(va_ids)


def test_something_happens_every_few_seconds_in_time_order() -> None:
    stamps = [line.ts_ns or 0 for line in lines_of(market_of(1), OPEN_NS + 30 * SCENE_NS)]
    assert all(0 <= two - one < 30 * SECOND for one, two in pairwise(stamps))
    assert len(stamps) > 30 * SCENE_NS // (10 * SECOND)


def test_a_signal_comes_right_after_a_quote_of_its_symbol_and_well_before_the_next() -> None:
    """So that an order that is 20 ms under way still meets the quote that it was decided on."""
    market = market_of(2)
    for line in lines_of(market, OPEN_NS + 10 * SCENE_NS):
        signal, ts_ns = line.signal, line.ts_ns or 0
        assert signal.ts_ns == ts_ns
        assert market.quotes_of(signal.symbol, ts_ns - 100 * MS, ts_ns)
        assert not market.quotes_of(signal.symbol, ts_ns, ts_ns + 150 * MS)


def test_an_account_closes_every_symbol_that_it_may_have_entered_by_the_end_of_a_scene() -> None:
    """After the show: there the entry in the other symbol is refused for certain."""
    open_symbols: dict[tuple[int, str], set[str]] = defaultdict(set)
    for line in lines_of(market_of(3), OPEN_NS + 60 * SCENE_NS):
        signal, scene = line.signal, ((line.ts_ns or 0) - OPEN_NS) // SCENE_NS
        held = open_symbols[scene, signal.va_id]
        if signal.side is not SignalSide.CLOSE:
            held.add(signal.symbol)
        elif signal.quantity is None:
            held.discard(signal.symbol)
    left = {scene for (scene, _), symbols in open_symbols.items() if symbols}
    assert len({scene for scene, _ in open_symbols}) == 60
    assert left <= {0}


def test_there_is_no_demo_without_accounts_a_session_or_time_for_a_scene() -> None:
    never_open = SimulatedMarket(1, OPEN_NS, lambda _now_ns: None)
    assert list(demo_signals(never_open, VA_IDS, OPEN_NS)) == []
    assert list(demo_signals(market_of(1), [], OPEN_NS)) == []
    assert list(demo_signals(market_of(1, minutes=1), VA_IDS, OPEN_NS)) == []
