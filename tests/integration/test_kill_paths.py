"""The kill switch by every path, against a real process: what is acknowledged holds with the loop
stuck and the disk full, is latched across a restart, and is in the journal with who and why."""

import http.client
import json
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pointsman.engine.control_client import NoEngine, ask, watch
from pointsman.engine.kill_latch import BLOCK_BYTES, latch_path, read_latch
from pointsman.engine.requests import Kill, Rearm, Show
from tests.integration.sessions import environment, pointsman, rows

PATIENCE_SECONDS = 60.0
ALWAYS = {
    "TRADING_WINDOW_START": "00:00",
    "TRADING_WINDOW_END": "24:00",
    "MAX_LOSS_COOLDOWN": "0",
}
STUCK = """
import sys
from pathlib import Path
from pointsman.engine.request_handler import RequestHandler
work = RequestHandler.work
def stuck(self):
    work(self)
    while Path("STUCK").exists():
        pass
RequestHandler.work = stuck
if Path("FICKLE").exists():
    from decimal import Decimal
    from pointsman.domain.sides import PositionSide
    from pointsman.domain.venue_reports import VenueHolding
    from pointsman.venues.paper.ledger import PaperLedger
    holdings, asked = PaperLedger.holdings, []
    def fickle(self):
        asked.append(1)
        foreign = VenueHolding("ODD", PositionSide.LONG, Decimal(len(asked)))
        return (*holdings(self), foreign)
    PaperLedger.holdings = fickle
from pointsman.cli.app import main
sys.exit(main())
"""
"""A program whose loop spins for as long as a file is there; with another file its venue says at
each comparison that it holds something else."""


class Running:
    """An engine on the simulated market, in a folder of its own."""

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        self.folder = folder
        self.database = folder / "t.db"
        self.log = folder / "log"
        self.sticking = folder / "STUCK"
        arguments = ["run", "--headless", "--db", "t.db", "--speed", "5"]
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", STUCK, *arguments],
                cwd=folder,
                env=environment({**ALWAYS, "KILL_SWITCH_FILE": str(folder / "KILL"), **settings}),
                stdout=log,
                stderr=log,
            )

    def until(self, wanted: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        """The first picture that is as wanted."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.log.read_text()[-3000:]
            try:
                for picture in watch(self.database):
                    if wanted(picture):
                        return picture
                    assert time.monotonic() < deadline, picture
            except NoEngine:
                time.sleep(0.02)
        raise AssertionError("the engine does not answer")

    def stick(self) -> None:
        """From here on the loop does nothing any more."""
        self.sticking.touch()
        self.until(lambda picture: float(picture["health"]["loop_lag_ms"]) > 500)

    def wait_for_latch(self, state: str) -> None:
        deadline = time.monotonic() + 10
        while read_latch(latch_path(self.database)).state.value != state:
            assert time.monotonic() < deadline, "nothing was latched"
            time.sleep(0.01)

    def kill_9(self) -> None:
        self.process.kill()
        self.process.wait(30)
        self.sticking.unlink(missing_ok=True)

    def end(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(30) == 143, self.log.read_text()[-3000:]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    running: list[Running] = []

    def start(**settings: str) -> Running:
        running.append(Running(tmp_path, settings))
        return running[-1]

    yield start
    for each in running:
        each.kill_9()


# -- the paths -------------------------------------------------------------------------------------


def by_command(engine: Running, *, flatten: bool) -> None:
    words = ["kill", "--reason", "drill", "--db", "t.db", *(["--flatten"] if flatten else [])]
    assert pointsman(engine.folder, *words).returncode == 0


def by_socket(engine: Running, *, flatten: bool) -> None:
    request = Kill(flatten=flatten, reason="drill", by="ann, dashboard")
    assert ask(engine.database, request)["durable"]


def by_http(engine: Running, *, flatten: bool) -> None:
    address = ask(engine.database, Show())["http"].removeprefix("http://")
    with closing(http.client.HTTPConnection(address, timeout=10)) as connection:
        body = json.dumps({"reason": "drill", "flatten": flatten})
        headers = {"Content-Type": "application/json"}
        connection.request("POST", "/api/v1/kill", body, headers)
        response = connection.getresponse()
        assert (response.status, json.loads(response.read())["durable"]) == (200, True)


def by_file(engine: Running, *, flatten: bool) -> None:
    (engine.folder / "KILL").write_text("flatten" if flatten else "")
    engine.wait_for_latch("flatten" if flatten else "halt")
    (engine.folder / "KILL").unlink()


def by_signal(engine: Running, *, flatten: bool) -> None:
    engine.process.send_signal(signal.SIGUSR2 if flatten else signal.SIGUSR1)
    engine.wait_for_latch("flatten" if flatten else "halt")


PATHS = {
    "command": (by_command, "drill"),
    "socket": (by_socket, "ann, dashboard: drill"),
    "http": (by_http, "http"),
    "file": (by_file, "file: KILL_SWITCH_FILE"),
    "signal": (by_signal, "process signal SIGUSR"),
}
"""How each kill is pressed, and what the journal says of who and why."""


def entries_sent(database: Path) -> int:
    """How many entries the venue has seen."""
    ledger = database.with_name("t.paper.db")
    query = "SELECT count(*) FROM orders WHERE reduce_only = 0"
    ((count,),) = rows(ledger, query)
    return int(count)


def entries_sent_since_the_press(database: Path) -> list[tuple[str]]:
    """The entries that left after the latch was pressed; one that was on its way may arrive."""
    pressed_ns = read_latch(latch_path(database)).at_ns
    return rows(
        database,
        f"SELECT client_order_id FROM orders WHERE role = 'entry' AND sent_at_ns > {pressed_ns}",
    )


@pytest.mark.parametrize("path", PATHS)
def test_rules_19_34_each_path_holds_with_the_loop_stuck_and_across_a_restart(
    start: Callable[..., Running], path: str
) -> None:
    press, who = PATHS[path]
    engine = start()
    engine.until(lambda picture: picture["positions"])
    engine.stick()
    press(engine, flatten=False)
    picture = engine.until(lambda picture: picture["trading_state"] == "HALTED")
    assert picture["kill"]["state"] == "halt"
    engine.sticking.unlink()
    told = engine.until(lambda p: any(each["kind"] == "KILL_PRESSED" for each in p["incidents"]))
    (pressed,) = [each for each in told["incidents"] if each["kind"] == "KILL_PRESSED"]
    assert who in pressed["detail"]
    engine.until(lambda p: p["counts"]["signals"] >= told["counts"]["signals"] + 3)
    assert entries_sent_since_the_press(engine.database) == [], "none after the acknowledgement"
    engine.kill_9()
    again = start()
    assert again.until(lambda p: p["is_ready"])["trading_state"] == "HALTED"
    assert ask(again.database, Rearm(reason="over", by="bob"))["ok"]
    again.until(lambda p: p["trading_state"] == "ACTIVE")
    again.end()
    released = rows(again.database, "SELECT detail FROM incidents WHERE kind = 'KILL_RELEASED'")
    assert released == [("bob: over",)]
    check = pointsman(again.folder, "journal", "check", "--db", "t.db", settings=ALWAYS)
    assert check.returncode == 0, check.stdout


@pytest.mark.parametrize("path", ["http", "file", "signal"])
def test_rule_19_flatten_by_each_path_ends_flat_and_says_so_only_then(
    start: Callable[..., Running], path: str
) -> None:
    press, _ = PATHS[path]
    engine = start()
    engine.until(lambda picture: picture["positions"])
    press(engine, flatten=True)
    for picture in watch(engine.database):
        if picture["kill"]["flat_at_ns"] is not None:
            break
        assert picture["kill"]["state"] in ("off", "flatten")
    assert (picture["positions"], picture["orders"]) == ([], {"working": 0, "unknown": 0})
    engine.end()
    assert rows(engine.database, "SELECT count(*) FROM positions") == [(0,)]


def test_rule_30_with_storage_failing_a_kill_is_durable_and_not_one_entry_leaves(
    start: Callable[..., Running],
) -> None:
    """Another program holds the database locked: nothing can be committed."""
    engine = start()
    engine.until(lambda picture: picture["positions"])
    with closing(sqlite3.connect(engine.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        engine.until(lambda picture: picture["health"]["storage"] != "ok")
        causes = engine.until(lambda picture: "storage" in picture["health"]["unready"])
        assert "locked" in causes["health"]["unready"]["storage"]
        engine.process.send_signal(signal.SIGUSR1)
        engine.wait_for_latch("halt")
        before = entries_sent(engine.database)
        assert engine.until(lambda p: p["trading_state"] == "HALTED")
        other.execute("ROLLBACK")
    healed = engine.until(lambda picture: picture["health"]["storage"] == "ok")
    engine.until(lambda p: p["counts"]["signals"] >= healed["counts"]["signals"] + 2)
    assert entries_sent(engine.database) == before
    engine.end()


def test_rule_19_storage_that_keeps_failing_kills_by_itself(start: Callable[..., Running]) -> None:
    engine = start(KILL_ON_STORAGE_SECONDS="3")
    engine.until(lambda picture: picture["positions"])
    with closing(sqlite3.connect(engine.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        engine.wait_for_latch("halt")
        assert read_latch(latch_path(engine.database)).by == "storage"
        other.execute("ROLLBACK")
    engine.until(lambda p: any(each["kind"] == "KILL_PRESSED" for each in p["incidents"]))
    engine.end()


TRIGGERS = {
    "drawdown": ({"GLOBAL_MAX_DRAWDOWN_PERCENTAGE": "0.00001"}, "governor"),
    "daily loss": ({"GLOBAL_MAX_DAILY_LOSS": "0.01"}, "governor"),
    "naked": (
        {
            "KILL_ON_NAKED_SECONDS": "0.5",
            "PAPER_LATENCY_MS": "6000",
            "PROTECTION_DEADLINE_SECONDS": "60",
            "SUBMIT_TIMEOUT_SECONDS": "60",
        },
        "governor",
    ),
    "mismatch": ({"KILL_ON_MISMATCH_CYCLES": "3"}, "reconciliation"),
}


@pytest.mark.parametrize("trigger", TRIGGERS)
def test_rule_19_each_trigger_kills_by_itself_and_says_why(
    start: Callable[..., Running], tmp_path: Path, trigger: str
) -> None:
    settings, by = TRIGGERS[trigger]
    if trigger == "mismatch":
        (tmp_path / "FICKLE").touch()
    engine = start(**settings)
    kill = engine.until(lambda picture: picture["trading_state"] == "HALTED")["kill"]
    assert (kill["state"], kill["by"]) == ("halt", by)
    assert kill["note"].startswith(next(iter(settings)))
    engine.wait_for_latch("halt")
    engine.kill_9()
    again = start()
    assert again.until(lambda picture: picture["now_ns"])["trading_state"] == "HALTED"
    again.end()


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="limits of others: Linux only")
def test_rule_30_with_the_disk_full_a_kill_is_durable_and_flatten_still_ends_flat(
    start: Callable[..., Running],
) -> None:
    """No file of the process may grow beyond one block: what it sees of a full disk."""
    engine = start()
    engine.until(lambda picture: picture["positions"])
    usual = resource.prlimit(engine.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(engine.process.pid, resource.RLIMIT_FSIZE, (BLOCK_BYTES, usual[1]))
    engine.until(lambda picture: picture["health"]["storage"] != "ok")
    engine.process.send_signal(signal.SIGUSR2)
    engine.wait_for_latch("flatten")
    engine.until(lambda picture: picture["trading_state"] == "HALTED")
    resource.prlimit(engine.process.pid, resource.RLIMIT_FSIZE, usual)
    flat = engine.until(lambda picture: picture["kill"]["flat_at_ns"] is not None)
    assert (flat["positions"], entries_sent_since_the_press(engine.database)) == ([], [])
    engine.end()
