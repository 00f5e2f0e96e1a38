"""Real engines, steered from other processes: every verb, a loop that is stuck, a kill -9, and what
is said without an engine."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import pytest

from pointsman.cli.app import main
from pointsman.engine.control_client import NoEngine, ask, socket_path, watch
from pointsman.engine.kill_latch import latch_path, read_latch
from pointsman.engine.requests import AnyRequest
from tests.integration.sessions import command, environment, pointsman

ALWAYS = {"TRADING_WINDOW_START": "00:00", "TRADING_WINDOW_END": "24:00"}
RUN = ("run", "--headless", "--db")
STUCK = """
import sys, time
from pointsman.engine.request_handler import RequestHandler
work, seen = RequestHandler.work, []
def stuck(self):
    work(self)
    seen.append(1)
    while len(seen) > 20:
        pass
RequestHandler.work = stuck
from pointsman.cli.app import main
sys.exit(main())
"""


class Running:
    """A running engine on the simulated market."""

    processes: ClassVar[list[subprocess.Popen[bytes]]] = []

    def __init__(
        self,
        folder: Path,
        settings: Mapping[str, str] | None = None,
        start: list[str] | None = None,
    ) -> None:
        self.database = folder / "t.db"
        self.folder = folder
        self.log = folder / "log.txt"
        arguments = [*RUN, str(self.database), "--speed", "5"]
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [*start, *arguments] if start else command(*arguments),
                cwd=folder,
                env=environment({**ALWAYS, **(settings or {})}),
                stdout=log,
                stderr=log,
            )
        self.processes.append(self.process)
        self.wait_for_socket()

    def wait_for_socket(self) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.log.read_text()[-2000:]
            try:
                self.ask("picture")
            except NoEngine:
                time.sleep(0.02)
            else:
                return
        raise AssertionError("the engine does not answer")

    def ask(self, verb: str, **fields: Any) -> dict[str, Any]:
        return ask(self.database, msgspec.convert({"verb": verb, **fields}, AnyRequest))

    def until(self, **fields: Any) -> dict[str, Any]:
        """The first picture that shows these, within a second of being sent."""
        deadline = time.monotonic() + 10
        for picture in watch(self.database):
            if fields.items() <= picture.items():
                return picture
            assert time.monotonic() < deadline, picture
        raise AssertionError("the engine has ended")

    def say(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a verb against it, as a user does."""
        return pointsman(self.folder, *arguments, "--db", str(self.database))

    def starts(self) -> list[str]:
        """What the log says of each start."""
        return [line for line in self.log.read_text().splitlines() if " started " in line]

    def end(self, signum: int = signal.SIGTERM) -> int:
        self.process.send_signal(signum)
        return self.process.wait(30)


@pytest.fixture(autouse=True)
def _no_engine_outlives_its_test() -> Iterator[None]:
    yield
    while Running.processes:
        process = Running.processes.pop()
        process.kill()
        process.wait(30)


@pytest.fixture
def engine(tmp_path: Path) -> Running:
    return Running(tmp_path)


def test_every_verb_acts_on_a_running_engine(
    engine: Running,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    for arguments, code, says in [
        (("pause", "--reason", "lunch"), 0, "REDUCING"),
        (("resume", "--reason", "back"), 0, "ACTIVE"),
        (("pause", "--va", "VA001", "--reason", "x"), 0, "paused VA001"),
        (("resume", "--va", "VA001", "--reason", "x"), 0, "resumed VA001"),
        (("pause", "--va", "VA9", "--reason", "x"), 1, "there are VA001, VA002"),
        (("pause",), 2, "--reason"),
        (("pause", "--reason", " "), 2, "say why"),
        (("flatten", "--all"), 0, "closing"),
        (("rearm", "--reason", "early"), 0, "nothing was killed: ACTIVE"),
        (("flatten",), 2, "or --all"),
        (("flatten", "VA001", "--all"), 2, "or --all"),
        (("reconcile",), 0, "0 differences"),
        (("accounts", "add", "VA7", "--balance", "500"), 0, "opened VA7 with 500"),
        (("accounts", "add", "VA7", "--balance", "500"), 1, "exists"),
        (("accounts", "add", "VA8", "--balance", "none"), 2, "plain decimal"),
        (("accounts", "deposit", "VA7", "10.5"), 0, "510.5"),
        (("accounts", "withdraw", "VA7", "600"), 1, "free: 510.5"),
        (("accounts", "withdraw", "VA7", "510.5"), 0, "VA7 has 0.0"),
        (("accounts", "assign", "VA7", "AAPL", "1", "--reason", "x"), 1, "at most 0 of"),
        (("accounts",), 0, "VA7"),
        (("db", "backup", str(tmp_path / "copy.db")), 0, "copied"),
        (("db", "migrate"), 7, "in use by process"),
        (("kill", "--reason", "drill"), 0, "killed: halt"),
        (("resume", "--reason", "x"), 4, "rearm"),
        (("kill", "--flatten", "--reason", "drill"), 0, "killed: flatten"),
        (("rearm", "--reason", "over"), 0, "rearmed: ACTIVE"),
        (("run",), 7, "in use by process"),
    ]:
        monkeypatch.setattr(sys, "argv", ["pointsman", *arguments, "--db", str(engine.database)])
        assert main() == code, (arguments, capsys.readouterr())
        said = capsys.readouterr()
        assert says in said.out + said.err, (arguments, said)
    assert engine.end() == 143
    check = engine.say("journal", "check")
    assert check.returncode == 0, check.stdout


def test_a_command_takes_effect_at_once(engine: Running) -> None:
    began = time.monotonic()
    assert engine.ask("pause", va=None, reason="x", by="ann")["ok"]
    engine.until(trading_state="REDUCING")
    assert engine.ask("kill", flatten=True, reason="x", by="ann")["durable"]
    engine.until(trading_state="HALTED")
    assert time.monotonic() - began < 10, "a second, on a machine that is not busy"


def test_flatten_kill_closes_everything_and_says_when_it_is_flat(engine: Running) -> None:
    deadline = time.monotonic() + 60
    for picture in watch(engine.database):
        if picture["positions"]:
            break
        assert time.monotonic() < deadline
    engine.ask("kill", flatten=True, reason="x", by="ann")
    for picture in watch(engine.database):
        if picture["kill"]["flat_at_ns"] is not None:
            break
        assert time.monotonic() < deadline, picture["kill"]
    assert picture["positions"] == []
    assert picture["orders"] == {"working": 0, "unknown": 0}


def test_rule_34_a_kill_holds_while_the_loop_is_stuck_and_after_a_kill_9(tmp_path: Path) -> None:
    engine = Running(tmp_path, start=[sys.executable, "-c", STUCK])
    for picture in watch(engine.database):
        if float(picture["health"]["loop_lag_ms"]) > 500:
            break
    answer = engine.ask("kill", flatten=False, reason="stuck", by="ann")
    assert answer == {"ok": True, "durable": True, "state": "halt"}
    assert engine.ask("picture")["trading_state"] == "HALTED"
    engine.process.kill()
    engine.process.wait(30)
    assert socket_path(engine.database).exists(), "a kill -9 leaves the socket"
    again = Running(tmp_path)
    picture = again.until(trading_state="HALTED")
    assert (picture["kill"]["by"], picture["kill"]["note"]) == ("ann", "stuck")
    assert again.ask("rearm", reason="looked", by="ann")["ok"]
    assert again.end(signal.SIGINT) == 130


def test_without_an_engine_kill_and_rearm_are_for_the_next_start(tmp_path: Path) -> None:
    engine = Running(tmp_path)
    assert engine.end() == 143
    assert not socket_path(engine.database).exists()
    killed = engine.say("kill", "--reason", "night")
    assert (killed.returncode, "the next engine to start will start killed" in killed.stdout) == (
        0,
        True,
    )
    engine = Running(tmp_path)
    engine.until(trading_state="HALTED")
    engine.end()
    started = engine.starts()
    assert ["state=HALTED" in line for line in started] == [False, True], started
    rearmed = engine.say("rearm", "--reason", "morning")
    assert "the next engine to start will be rearmed" in rearmed.stdout
    engine = Running(tmp_path)
    engine.until(trading_state="ACTIVE")
    engine.end()
    engine = Running(tmp_path)
    engine.until(trading_state="ACTIVE")
    engine.end()
    assert ["state=ACTIVE" in line for line in engine.starts()] == [True, False, True, True]
    assert not read_latch(latch_path(engine.database)).is_set
    for arguments in (
        ("pause", "--reason", "x"),
        ("flatten", "--all"),
        ("reconcile",),
        ("accounts", "deposit", "VA001", "5"),
    ):
        result = engine.say(*arguments)
        assert (result.returncode, "start one with" in result.stderr) == (1, True), arguments


def test_rule_19_a_kill_switch_file_and_setting_win_over_rearm(tmp_path: Path) -> None:
    file = tmp_path / "KILL"
    engine = Running(tmp_path, {"KILL_SWITCH_FILE": str(file)})
    file.write_text("flatten")
    assert engine.until(trading_state="HALTED")["kill"]["state"] == "flatten"
    refused = engine.ask("rearm", reason="x", by="ann")
    assert (refused["exit"], "remove it first" in refused["error"]) == (4, True)
    file.unlink()
    assert engine.ask("rearm", reason="x", by="ann")["ok"]
    engine.end()
    engine = Running(tmp_path, {"KILL_SWITCH_ENABLED": "true"})
    engine.until(trading_state="HALTED")
    refused = engine.ask("rearm", reason="x", by="ann")
    assert (refused["exit"], "KILL_SWITCH_ENABLED" in refused["error"]) == (4, True)
    engine.end()


def test_answers_are_json_on_request(engine: Running) -> None:
    done = engine.say("pause", "--reason", "x", "--json")
    assert json.loads(done.stdout)["trading_state"] == "REDUCING"
    refused = engine.say("pause", "--va", "VA9", "--reason", "x", "--json")
    assert (json.loads(refused.stdout)["exit"], refused.returncode) == (1, 1)


def test_the_files_are_for_their_owner_alone(engine: Running) -> None:
    for path in (socket_path(engine.database), latch_path(engine.database), engine.database):
        assert path.stat().st_mode & 0o077 == 0, path
