"""The one assembly: a kill binds every way to start, pressed before the start or while it runs.

`tests/integration/test_kill_paths.py` holds the paced run to the same, as a process of its own.
"""

import asyncio
import secrets
import time
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from pointsman.config.problems import SettingsError
from pointsman.config.settings import Settings, resolve_settings
from pointsman.domain.accounts import Incident, KillState, KillSwitch
from pointsman.domain.market import Quote
from pointsman.domain.policy import Abilities
from pointsman.domain.reasons import Reason
from pointsman.domain.signals import Action, Decision, Outcome
from pointsman.engine import assembly
from pointsman.engine.assembly import assemble
from pointsman.engine.embedded import open_engine
from pointsman.engine.kill_latch import KillLatch, LatchState, latch_path, read_latch
from pointsman.engine.latch_watch import LatchWatch
from pointsman.engine.snapshot import with_latch
from pointsman.execution.last_check import Hold
from pointsman.market.layout import Layout
from pointsman.service import recorded_run
from pointsman.service.clean_stop import Stop
from pointsman.service.feeds import recorded_feed
from pointsman.simulator.campaign import ACCOUNTS
from pointsman.simulator.scenario import BEGINS_NS, Scenario
from pointsman.simulator.world import World
from pointsman.storage import reader
from pointsman.storage.errors import StorageFailed, StorageUnavailable
from pointsman.storage.sqlite_manager import SqliteManager
from pointsman.venues.paper.venue import PaperVenue
from tests import simulations

SECOND_NS = 10**9
PATIENCE_SECONDS = 30.0
HALT = LatchState(KillState.HALT, "ann", "drill", 1)
REARMED = LatchState(KillState.OFF, "bob", "over", 2, rearms=True)
SETTINGS = {
    "VIRTUAL_ACCOUNTS": "VA001:100000",
    "TRADING_WINDOW_START": "00:00",
    "TRADING_WINDOW_END": "24:00",
    "PAPER_LATENCY_MS": "1",
    "MAX_LATENCY_MS": "60000",
}
BUY = {"signal_id": "in", "va_id": "VA001", "symbol": "XXX", "side": "buy", "quantity": 10}


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "trading.db"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    given = {**SETTINGS, "KILL_SWITCH_FILE": str(tmp_path / "KILL")}
    return resolve_settings(given, None, {}).settings


def press(database: Path, latched: LatchState = HALT) -> None:
    """What `pointsman kill` does where no engine answers."""
    with closing(KillLatch(latch_path(database))) as latch:
        assert latch.press(latched)


def stored(database: Path) -> tuple[KillSwitch, list[Decision], list[Incident]]:
    with closing(reader.open_reader(database)) as connection:
        return (
            reader.kill_switch(connection),
            reader.decisions(connection),
            reader.incidents(connection),
        )


def kills(database: Path) -> list[str | None]:
    """Who pressed and why, of every kill in the journal."""
    return [each.detail for each in stored(database)[2] if each.kind is Reason.KILL_PRESSED]


# -- the Python API --------------------------------------------------------------------------------


def quote() -> Quote:
    size = Decimal(1000)
    return Quote("XXX", time.time_ns(), Decimal("99.99"), size, Decimal("100.01"), size)


async def test_rule_40_a_kill_before_the_start_binds_an_embedded_engine(
    settings: Settings, database: Path
) -> None:
    press(database)
    async with open_engine(settings, database) as engine:
        engine.feed(quote())
        assert (await engine.submit(BUY)).reason is Reason.KILLED
    assert kills(database) == ["ann: drill"]
    with closing(KillLatch(latch_path(database))) as latch:
        assert latch.release(REARMED, latch.last_press.number)
    async with open_engine(settings, database) as engine:
        engine.feed(quote())
        assert (await engine.submit({**BUY, "signal_id": "2"})).outcome is Outcome.ACCEPTED
    assert stored(database)[0].changed_by == "bob"
    assert not read_latch(latch_path(database)).rearms


async def test_rule_40_a_kill_after_a_rearm_without_an_engine_stands_in_place_of_the_first(
    settings: Settings, database: Path
) -> None:
    """Flatten, rearm, then halt: what is shown, and what the next start does, is the halt."""
    press(database, LatchState(KillState.FLATTEN, "ann", "one", 1))
    async with open_engine(settings, database):
        pass
    with closing(KillLatch(latch_path(database))) as latch:
        assert latch.release(REARMED, latch.last_press.number)
    press(database, LatchState(KillState.HALT, "cid", "three", 3))
    latched = read_latch(latch_path(database))
    shown = with_latch(stored(database)[0], latched)
    assert (shown.state, shown.changed_by, shown.note) == (KillState.HALT, "cid", "three")
    for _ in range(2):
        async with open_engine(settings, database) as engine:
            engine.feed(quote())
            entry = {**BUY, "signal_id": secrets.token_hex(4)}
            assert (await engine.submit(entry)).reason is Reason.KILLED
        switch = stored(database)[0]
        assert (switch.state, switch.changed_by, switch.note) == (KillState.HALT, "cid", "three")
        latched = read_latch(latch_path(database))
        assert (latched.state, latched.note, latched.rearms) == (KillState.HALT, "three", False)
    assert kills(database) == ["ann: one", "cid: three"]


async def test_rule_40_a_kill_while_an_embedded_engine_runs_holds_and_is_recorded(
    settings: Settings, database: Path
) -> None:
    async with open_engine(settings, database) as engine:
        engine.feed(quote())
        assert (await engine.submit(BUY)).outcome is Outcome.ACCEPTED
        press(database)
        deadline, number, reason = time.monotonic() + PATIENCE_SECONDS, 0, None
        while reason is not Reason.KILLED:
            assert time.monotonic() < deadline
            number += 1
            engine.feed(quote())
            reason = (await engine.submit({**BUY, "signal_id": f"late-{number}"})).reason
            await asyncio.sleep(0.05)
    assert kills(database) == ["ann: drill"]


async def test_rule_40_a_kill_file_binds_an_embedded_engine_too(
    settings: Settings, database: Path
) -> None:
    database.with_name("KILL").write_text("halt")
    async with open_engine(settings, database) as engine:
        engine.feed(quote())
        assert (await engine.submit(BUY)).reason is Reason.KILLED
    assert read_latch(latch_path(database)).by == "file"


# -- as fast as it goes ----------------------------------------------------------------------------


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """Two minutes of quotes, and a signal each second."""
    rows, signals = ["ts,symbol,bid,bid_size,ask,ask_size"], []
    for second in range(120):
        at = f"2026-01-05T14:{30 + second // 60}:{second % 60:02d}Z"
        rows.append(f"{at},XXX,99.99,1000,100.01,1000")
        side = "buy" if second % 2 else "close"
        quantity = ',"quantity":1' if second % 2 else ""
        signals.append(
            f'{{"signal_id":"s{second}","va_id":"VA001","symbol":"XXX","side":"{side}",'
            f'"ts":"{at}"{quantity}}}'
        )
    market, orders = tmp_path / "q.csv", tmp_path / "s.jsonl"
    market.write_text("\n".join(rows))
    orders.write_text("\n".join(signals))
    return market, orders


def run_fast(
    settings: Settings,
    database: Path,
    files: tuple[Path, Path],
    progress: recorded_run.Progress,
    stop: Stop | None = None,
) -> None:
    feed = recorded_feed((files[0],), Layout(), files[1], 0, settings)
    recorded_run.run_fast(feed, settings, database, None, stop or Stop(), progress)


def accepted(database: Path) -> list[Decision]:
    return [each for each in stored(database)[1] if each.outcome is Outcome.ACCEPTED]


def test_rule_40_a_kill_before_the_start_binds_a_run_as_fast_as_it_goes(
    settings: Settings, database: Path, files: tuple[Path, Path]
) -> None:
    press(database)
    run_fast(settings, database, files, lambda *_: None)
    switch, decisions, _ = stored(database)
    assert (switch.state, len(decisions), accepted(database)) == (KillState.HALT, 120, [])
    assert kills(database) == ["ann: drill"]


def test_rule_40_a_kill_while_a_run_goes_as_fast_as_it_can_holds_and_is_recorded(
    settings: Settings,
    database: Path,
    files: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The run waits in its middle until the watch, on its own thread, has looked again."""
    monkeypatch.setattr(assembly, "EVERY_SECONDS", 0.01)
    looks, look = [0], LatchWatch.look

    def counted(watch: LatchWatch, now_ns: int) -> None:
        look(watch, now_ns)
        looks[0] += 1

    monkeypatch.setattr(LatchWatch, "look", counted)
    pressed_ns: list[int] = []

    def progress(now_ns: int, _quotes: int, signals: int) -> None:
        if signals >= 60 and not pressed_ns:
            press(database)
            pressed_ns.append(now_ns)
            deadline, seen = time.monotonic() + PATIENCE_SECONDS, looks[0] + 2
            while looks[0] < seen:
                assert time.monotonic() < deadline
                time.sleep(0.01)

    run_fast(settings, database, files, progress)
    entries = [each for each in accepted(database) if each.action is Action.ENTRY]
    assert entries
    assert all(each.decided_at_ns <= pressed_ns[0] for each in entries), "none after the press"
    assert kills(database) == ["ann: drill"]


def test_rule_40_a_kill_binds_a_run_that_goes_on_after_an_interruption(
    settings: Settings, database: Path, files: tuple[Path, Path]
) -> None:
    """What it had journaled is made again without a word of the kill; what follows is bound."""
    stop = Stop()

    def interrupt(_now_ns: int, _quotes: int, signals: int) -> None:
        if signals >= 60:
            stop.ask()

    run_fast(settings, database, files, interrupt, stop)
    before = accepted(database)
    press(database)
    run_fast(settings, database, files, lambda *_: None)
    entries = [each for each in accepted(database) if each.action is Action.ENTRY]
    assert entries == [each for each in before if each.action is Action.ENTRY]
    assert entries
    assert len(stored(database)[1]) == 120, "every signal has its decision"
    assert kills(database) == ["ann: drill"]


# -- the simulator ---------------------------------------------------------------------------------


@pytest.fixture
def world(tmp_path: Path) -> World:
    template, folder = tmp_path / "template.db", tmp_path / "run"
    folder.mkdir()
    manager = SqliteManager(template)
    manager.open()
    manager.close()
    scenario = Scenario(simulations.policy(), ACCOUNTS, 900 * SECOND_NS, (), template)
    return World(scenario, 1, folder)


@pytest.mark.parametrize("after_ns", [0, 600 * SECOND_NS])
def test_rule_40_a_kill_binds_a_simulated_engine(world: World, after_ns: int) -> None:
    world._person._kill_ns = BEGINS_NS + after_ns
    world._person._rearms = False
    world.run()
    entries = [each for each in accepted(world.database) if each.action is Action.ENTRY]
    assert bool(entries) is bool(after_ns), "before the start none, before the press some"
    switch = stored(world.database)[0]
    assert (switch.trading_state, switch.changed_by) == ("HALTED", "operator")
    assert read_latch(latch_path(world.database)).is_set


# -- what it opens, and what it joins -----------------------------------------------------------


def test_rule_40_without_a_latch_nothing_starts(settings: Settings, database: Path) -> None:
    latch_path(database).mkdir()
    with pytest.raises(StorageUnavailable, match="it holds the kill switch"):
        assemble(settings, database, None, wait=lambda _failure: None)
    assert not database.exists(), "nothing else was opened before it"


def test_rule_30_a_press_holds_at_the_last_gate_before_the_loop_has_looked(
    settings: Settings, database: Path
) -> None:
    with closing(assemble(settings, database, None, wait=lambda _failure: None)) as built:
        assert not built.loop.holds.is_set(Hold.KILL_LATCH)
        built.latch.press(HALT)
        assert built.loop.holds.is_set(Hold.KILL_LATCH)
    with closing(assemble(settings, database, None, wait=lambda _failure: None)) as built:
        assert built.loop.holds.is_set(Hold.KILL_LATCH), "and from the start on"


@pytest.mark.parametrize(("is_fast", "mode"), [(True, 0), (False, 2)], ids=["OFF", "FULL"])
def test_rule_42_only_a_run_as_fast_as_it_goes_does_not_wait_for_the_disk(
    settings: Settings, database: Path, is_fast: bool, mode: int
) -> None:
    def wait(failure: StorageFailed) -> None:
        raise failure

    with closing(assemble(settings, database, None, wait=wait if is_fast else None)) as built:
        venue = built.loop.venue
        assert isinstance(venue, PaperVenue)
        for connection in (built.manager._writer, venue.ledger._db):
            assert connection.execute("PRAGMA synchronous").fetchone() == (mode,)


@pytest.mark.parametrize(("settle", "starts"), [("6", True), ("5.999", False)])
def test_rule_26_a_settle_time_below_the_venues_expiry_is_refused_with_words(
    settings: Settings, database: Path, monkeypatch: pytest.MonkeyPatch, settle: str, starts: bool
) -> None:
    expires = Abilities(request_expiry_ns=6 * SECOND_NS)
    monkeypatch.setattr(PaperVenue, "abilities", property(lambda _venue: expires))
    settings = settings.model_copy(update={"order_settle_seconds": Decimal(settle)})
    if starts:
        assemble(settings, database, None, wait=lambda _failed: None).close()
        return
    with pytest.raises(SettingsError, match="take a request up to 6 s after it was sent; set 6"):
        assemble(settings, database, None, wait=lambda _failed: None)
