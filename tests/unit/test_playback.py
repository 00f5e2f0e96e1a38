"""Playback: a tape through the loop in the order of RULES 2, and on from any instant at which it
was stopped."""

from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pointsman.domain.events import RunEnded, SignalMalformed, SignalReceived
from pointsman.domain.life_cycle import OrderStatus
from pointsman.domain.market import Quote
from pointsman.domain.orders import Role
from pointsman.domain.positions import PositionState
from pointsman.domain.reasons import Reason
from pointsman.domain.signals import Decision
from pointsman.engine.playback import Playback
from pointsman.market.signal_file import BadSignal, SignalLine
from pointsman.market.tape import Tape
from pointsman.storage import reader
from pointsman.storage.journal import fold, verify_chain
from pointsman.venues.paper.ledger import read_ledger
from tests import desk_stories as told
from tests.desk_stories import SECOND_NS, START_NS
from tests.engine_stories import Memory, StillVenue, Story, make_loop, snapshot, start
from tests.unit.interrupted import session, take_copies


def line(number: int, ts_ns: int | None, **fields: Any) -> SignalLine:
    return SignalLine(number, ts_ns, told.signal(f"s{number}", ts_ns=ts_ns, **fields))


def play(
    quotes: list[Quote], lines: list[SignalLine | BadSignal], bad_quotes: int = 0
) -> tuple[Playback, Story]:
    """A playback whose loop has been started, a second before the data."""
    venue, memory = StillVenue(), Memory()
    loop = make_loop(venue, memory, memory)
    start(loop)
    tape = Tape(iter(quotes), iter(lines))
    return Playback(loop, tape, "signals", lambda: bad_quotes), Story(loop, venue, memory)


def run(playback: Playback, story: Story, instants: int = 1000) -> None:
    """So many instants at most; every comparison is answered at once."""
    for _ in range(instants):
        due_ns = playback.next_ns()
        if due_ns is None:
            return
        playback.step(due_ns)
        if not story.loop.is_ready:
            story.venue.replies.append(snapshot())


def received(story: Story) -> list[str]:
    return [one.signal.signal_id for one in story.events if isinstance(one, SignalReceived)]


def test_rule_2_at_one_instant_quotes_come_first_and_signals_last_in_file_order() -> None:
    at_ns = START_NS + SECOND_NS
    quotes = [told.quote(at_ns, "99"), told.quote(at_ns)]
    playback, story = play(quotes, [line(1, at_ns), line(2, at_ns - 5), line(3, at_ns)])
    run(playback, story)
    asked = [one for one in story.events if isinstance(one, SignalReceived)]
    assert [one.line for one in asked] == [1, 2, 3]
    assert [one.quote for one in asked] == [quotes[-1]] * 3
    assert {
        entry.time_ns for entry in story.memory.entries if isinstance(entry.event, SignalReceived)
    } == {at_ns}
    assert story.loop.quotes_seen == 2


def test_signals_wait_until_the_start_has_been_compared_with_the_venue() -> None:
    playback, story = play([told.quote(START_NS)], [line(1, None), line(2, START_NS)])
    for _ in range(3):
        playback.step(playback.next_ns() or 0)
    assert received(story) == []
    run(playback, story)
    assert received(story) == ["s1", "s2"]


def test_rule_29_signals_wait_while_storage_fails_and_none_is_lost() -> None:
    times = [START_NS + n * SECOND_NS for n in (1, 2, 3)]
    playback, story = play(
        [told.quote(at_ns) for at_ns in times],
        [line(n, at_ns) for n, at_ns in enumerate(times, 1)],
    )
    while story.loop.now_ns < times[0]:
        run(playback, story, 1)
    story.memory.fail()
    while story.loop.now_ns < times[2]:
        run(playback, story, 1)
    assert received(story) == ["s1"]
    story.memory.heal()
    story.at()
    run(playback, story)
    assert received(story) == ["s1", "s2", "s3"]


def test_a_line_that_is_no_signal_is_named_and_the_next_ones_go_on() -> None:
    bad = BadSignal(2, "side", "up", "write buy, sell or close")
    playback, story = play([told.quote(START_NS)], [line(1, None), bad, line(3, None)])
    run(playback, story)
    assert received(story) == ["s1", "s3"]
    malformed = SignalMalformed("signals", 2, "side", "up", "write buy, sell or close")
    assert malformed in story.events
    assert story.loop.desk.books.cursors["signals"].line == 3


def test_the_end_says_how_much_was_seen_and_what_the_books_are_marked_at() -> None:
    last = told.quote(START_NS + SECOND_NS, "99.98")
    quotes = [told.quote(START_NS), last, told.quote(START_NS + SECOND_NS, "0")]
    playback, story = play(quotes, [], bad_quotes=2)
    run(playback, story)
    assert playback.next_ns() is None
    playback.end()
    ended = story.events[-1]
    assert isinstance(ended, RunEnded)
    assert (ended.quotes, ended.bad_quotes) == (3, 2)
    assert [(mark.ts_ns, mark.bid) for mark in ended.marks] == [(last.ts_ns, last.bid)]


def test_quotes_of_an_earlier_run_are_known_but_act_no_more() -> None:
    quotes = [told.quote(START_NS + n) for n in range(4)]
    playback, story = play(quotes, [])
    playback.skip_quotes_until(START_NS + 2)
    assert story.venue.quotes == []
    assert story.venue.remembered == [quotes[2]]
    assert story.loop.view.quotes.newest("XXX") is quotes[2]
    run(playback, story)
    assert story.venue.quotes == [quotes[3]]
    assert story.loop.quotes_seen == 4


# -- stopped at any instant ------------------------------------------------------------------------

AFTER_A_CRASH = {Reason.UNKNOWN_ORDER, Reason.NOTHING_TO_CLOSE}
"""What a signal may be refused for because an order before it was lost with the process."""


def decisions(database: Path) -> dict[str, Decision]:
    with closing(reader.open_reader(database)) as db:
        found = reader.decisions(db)
        assert len(found) == len({one.signal_id for one in found})
        return {one.signal_id: one for one in found}


def exits(database: Path) -> list[str]:
    """Why positions were closed, each reason once."""
    with closing(reader.open_reader(database)) as db:
        return sorted({trade.exit_reason.value for trade in reader.trades(db)})


def assert_whole(database: Path) -> None:
    """The journal proves the tables; the books are the venue's; every position has its stop, and
    nothing is unknown."""
    ledger = read_ledger(database.with_name("trading.paper.db"))
    with closing(reader.open_reader(database)) as db:
        assert verify_chain(db) is None
        assert fold(db) is None
        assert sum(account.cash for account in reader.accounts(db)) == ledger.cash
        assert len(reader.fills(db)) == ledger.fills
        live = reader.positions(db)
        orders = reader.orders(db, open_only=True)
    held: dict[str, Decimal] = {}
    for position in live:
        stops = [
            order
            for order in orders
            if order.position_id == position.position_id and order.role is Role.STOP
        ]
        if position.state is PositionState.OPEN:
            assert sum(stop.leaves for stop in stops) >= position.quantity, position
        side = position.side.value
        held[side] = held.get(side, Decimal(0)) + position.quantity * position.side.sign
    theirs = {str(one.position_side): one.quantity for one in ledger.holdings}
    assert held == theirs
    assert {order.shown_status for order in orders} <= {OrderStatus.ACCEPTED}


def test_rule_26_a_run_that_was_stopped_at_any_instant_goes_on_to_a_sound_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, away = tmp_path / "home", tmp_path / "away"
    home.mkdir()
    away.mkdir()
    story = session(home)
    with monkeypatch.context() as watched:
        taken = take_copies(story.database, away, watched)
        story.finish()
    assert_whole(story.database)
    expected = decisions(story.database)
    assert exits(story.database) == ["SIGNAL_EXIT", "STOP_LOSS", "TAKE_PROFIT"]
    assert len(taken) > 80
    for database in taken:
        before = decisions(database)
        msgspec.structs.replace(story, database=database).finish()
        assert_whole(database)
        after = decisions(database)
        assert after.keys() == expected.keys()
        assert {name: after[name] for name in before} == before
        for name, decision in after.items():
            is_same = decision.reason is expected[name].reason
            assert is_same or decision.reason in AFTER_A_CRASH, (database, name)
