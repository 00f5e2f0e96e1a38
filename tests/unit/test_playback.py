"""Playback: a tape through the loop in the order of RULES 2, and on from any instant at which it
was stopped."""

import json
import shutil
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pointsman.config.settings import Settings, load_settings
from pointsman.domain.events import RunEnded, SignalMalformed, SignalReceived
from pointsman.domain.life_cycle import OrderStatus
from pointsman.domain.market import Quote
from pointsman.domain.orders import Role
from pointsman.domain.positions import PositionState
from pointsman.domain.reasons import Reason
from pointsman.domain.signals import Decision
from pointsman.engine.assembly import assemble
from pointsman.engine.execution_loop import ExecutionLoop
from pointsman.engine.playback import Playback
from pointsman.market.recorded import RecordedMarket
from pointsman.market.signal_file import BadSignal, SignalFile, SignalLine
from pointsman.market.tape import Tape
from pointsman.storage import reader
from pointsman.storage.entries import RunIdentity
from pointsman.storage.errors import StorageFailed
from pointsman.storage.journal import fold, verify_chain
from pointsman.venues.paper_ledger import read_ledger
from tests import desk_stories as told
from tests.desk_stories import SECOND_NS, START_NS
from tests.engine_stories import Memory, StillVenue, Story, make_loop, snapshot, start


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
    assert story.loop.view.quotes.newest("XXX") is quotes[2]
    run(playback, story)
    assert story.venue.quotes == [quotes[3]]
    assert story.loop.quotes_seen == 4


# -- stopped at any instant ------------------------------------------------------------------------

OPENING = datetime(2024, 5, 14, 14, 0, tzinfo=UTC)
SETTINGS = {
    "VIRTUAL_ACCOUNTS": "VA001:100000,VA002:100000,VA003:100000",
    "TRADING_WINDOW_START": "00:00",
    "TRADING_WINDOW_END": "24:00",
    "ORDER_SETTLE_SECONDS": "1",
    "SUBMIT_TIMEOUT_SECONDS": "1",
    "MAX_LATENCY_MS": "1500",
    "MAX_LOSS_COOLDOWN": "0",
}
BIDS = ["100.00", "100.00", "100.02", "100.00", "99.40", "99.50", "99.60", "100.60"]
SIGNALS: list[tuple[float, str, dict[str, Any]]] = [
    (0.5, "a", {"va_id": "VA001", "side": "buy", "quantity": 30, "take_profit": "100.50"}),
    (1.05, "b", {"va_id": "VA002", "side": "buy", "quantity": 5, "stop_loss_percentage": "0.5"}),
    (1.05, "b", {"va_id": "VA002", "side": "buy", "quantity": 5, "stop_loss_percentage": "0.5"}),
    (1.1, "c", {"va_id": "VA003", "side": "sell", "quantity": 8}),
    (1.6, "d", {"va_id": "VA003", "side": "close", "quantity": 3}),
    (6.9, "e", {"va_id": "VA002", "side": "buy", "quantity": 4}),
    (7.1, "f", {"va_id": "VA002", "side": "close"}),
    (7.2, "g", {"va_id": "VA001", "side": "sell", "quantity": 6}),
]
AFTER_A_CRASH = {Reason.UNKNOWN_ORDER, Reason.NOTHING_TO_CLOSE}
"""What a signal may be refused for because an order before it was lost with the process."""


def at(seconds: float) -> str:
    return (OPENING + timedelta(seconds=seconds)).isoformat()


class Session(msgspec.Struct):
    """A recorded run: its files, its settings, its database."""

    quotes: Path
    signals: Path
    settings: Settings
    database: Path

    def finish(self) -> None:
        """Begin, or go on from where the database stands, to the end of the data."""
        market = RecordedMarket((self.quotes,))
        assembly = assemble(self.settings, self.database, IDENTITY, wait=must_work)
        tape = Tape(market.quotes(), SignalFile(self.signals).lines(assembly.signals_from("file")))
        playback = Playback(assembly.loop, tape, "file", lambda: market.bad_rows)
        playback.skip_quotes_until(assembly.resume_ns)
        first_ns = int((OPENING - timedelta(seconds=1)).timestamp()) * SECOND_NS
        assembly.loop.start(assembly.started, max(first_ns, assembly.resume_ns))
        while (due_ns := playback.next_ns()) is not None:
            playback.step(due_ns)
        playback.end()
        assembly.close()


def must_work(failure: StorageFailed) -> None:
    raise failure


IDENTITY = RunIdentity("quotes", "signals", "instruments", "settings", "0")


def session(folder: Path) -> Session:
    """Eight quotes in four seconds and then one a second, thinly displayed; entries that fill in
    part and wholly, a target, a stop, partial and whole exits."""
    times = [n / 2 for n in range(8)] + [float(n) for n in range(4, 14)]
    prices = [Decimal(bid) for bid in BIDS] + [Decimal("100.20")] * 10
    rows = [
        f"{at(seconds)},XXX,{bid},20,{bid + Decimal('0.02')},20"
        for seconds, bid in zip(times, prices, strict=True)
    ]
    quotes, signals = folder / "quotes.csv", folder / "signals.jsonl"
    quotes.write_text("\n".join(["ts,symbol,bid,bid_size,ask,ask_size", *rows]) + "\n")
    sent = [
        {"signal_id": name, "symbol": "XXX", "ts": at(seconds), **fields}
        for seconds, name, fields in SIGNALS
    ]
    signals.write_text("".join(json.dumps(one) + "\n" for one in sent))
    settings = load_settings(SETTINGS, None, {}).settings
    return Session(quotes, signals, settings, folder / "trading.db")


def take_copies(database: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Have the files copied, as a kill -9 would leave them, before and after each `release`."""
    taken: list[Path] = []
    usual = ExecutionLoop.release

    def copy() -> None:
        target = folder / str(len(taken))
        target.mkdir()
        for file in database.parent.glob("*.db*"):
            if not file.name.endswith(("-shm", ".lock")):
                shutil.copy(file, target)
        taken.append(target / database.name)

    def release(loop: ExecutionLoop) -> None:
        copy()
        usual(loop)
        copy()

    monkeypatch.setattr(ExecutionLoop, "release", release)
    return taken


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
