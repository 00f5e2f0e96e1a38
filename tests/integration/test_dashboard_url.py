"""The dashboard from another folder, over HTTP: it watches, steers, and says when it cannot."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pointsman.engine.control_client import NoEngine, ask
from pointsman.engine.requests import Show
from tests.integration.sessions import command, environment
from tests.integration.test_dashboard_process import Terminal

PATIENCE_SECONDS = 60.0
READ, CONTROL = "read-0123456789abcdef", "control-0123456789abcdef"
SETTINGS = {
    "READ_TOKEN": READ,
    "CONTROL_TOKEN": CONTROL,
    "TRADING_WINDOW_START": "00:00",
    "TRADING_WINDOW_END": "24:00",
}


class Running:
    """An engine with tokens, and its address."""

    def __init__(self, folder: Path) -> None:
        self.database = folder / "t.db"
        with (folder / "log").open("w") as log:
            self.process = subprocess.Popen(
                command("run", "--headless", "--db", "t.db", "--speed", "5"),
                cwd=folder,
                env=environment(SETTINGS),
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (found := self.picture()):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        self.url: str = found["http"]

    def picture(self) -> dict[str, Any]:
        try:
            return ask(self.database, Show())
        except NoEngine:
            return {}


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Running]:
    folder = tmp_path / "engine"
    folder.mkdir()
    running = Running(folder)
    yield running
    running.process.kill()
    running.process.wait(30)


def dashboard(folder: Path, url: str, **settings: str) -> Terminal:
    return Terminal(folder, "dashboard", "--url", url, settings=settings)


def test_it_shows_and_kills_an_engine_elsewhere_and_says_when_that_has_gone(
    engine: Running, tmp_path: Path
) -> None:
    terminal = dashboard(tmp_path, engine.url, CONTROL_TOKEN=CONTROL)
    terminal.until_shown(b"accounts may enter")
    line = Path(f"/proc/{terminal.pid}/cmdline")
    assert not line.exists() or CONTROL.encode() not in line.read_bytes()
    os.write(terminal.descriptor, b"k")
    terminal.until_shown(b"type KILL or FLATTEN")
    os.write(terminal.descriptor, b"FLATTEN\tdrill\r")
    terminal.until_shown(b"kill: done")
    kill = engine.picture()["kill"]
    assert (kill["state"], kill["note"]) == ("flatten", "drill")
    assert kill["by"].startswith("http control token from 127.0.0.1")
    terminal.until_shown(b"KILL SWITCH ON: flatten")
    engine.process.send_signal(signal.SIGTERM)
    assert engine.process.wait(30) == 143
    terminal.until_shown(b"ENGINE UNREACHABLE")
    os.write(terminal.descriptor, b"q")
    assert terminal.end() == 0
    assert CONTROL.encode() not in terminal.shown


def test_rule_36_a_read_token_may_stop_and_is_told_that_it_may_not_resume(
    engine: Running, tmp_path: Path
) -> None:
    terminal = dashboard(tmp_path, engine.url, READ_TOKEN=READ)
    terminal.until_shown(b"accounts may enter")
    os.write(terminal.descriptor, b"p")
    terminal.until_shown(b"Pause all accounts")
    os.write(terminal.descriptor, b"lunch\r")
    terminal.until_shown(b"pause: done for all accounts")
    terminal.until_shown(b"paused: exits only")
    os.write(terminal.descriptor, b"p")
    terminal.until_shown(b"Resume all accounts")
    os.write(terminal.descriptor, b"back\r")
    terminal.until_shown(b"resume: NOT DONE: this needs CONTROL_TOKEN")
    os.write(terminal.descriptor, b"q")
    assert terminal.end() == 0
    assert engine.picture()["trading_state"] == "REDUCING"


def test_the_story_of_a_signal_is_read_from_the_engine(engine: Running, tmp_path: Path) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not engine.picture()["decisions"]:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    terminal = dashboard(tmp_path, engine.url, READ_TOKEN=READ)
    terminal.until_shown(b"accounts may enter")
    os.write(terminal.descriptor, b"\x1b[F\r")
    terminal.until_shown(b"Rules, in the order in which they are tried")
    os.write(terminal.descriptor, b"qq")
    assert terminal.end() == 0


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (
            {"READ_TOKEN": "some-0123456789abcdef"},
            b"token refused: set CONTROL_TOKEN or READ_TOKEN",
        ),
        ({}, b"token refused"),
    ],
)
def test_a_token_that_is_refused_is_said_before_the_screen_is_taken(
    engine: Running, tmp_path: Path, settings: dict[str, str], says: bytes
) -> None:
    terminal = dashboard(tmp_path, engine.url, **settings)
    assert terminal.end() == 1
    assert says in terminal.shown


def test_without_engine_and_database_it_says_what_to_do(tmp_path: Path) -> None:
    terminal = dashboard(tmp_path, "http://127.0.0.1:1")
    assert terminal.end() == 1
    assert b"no engine at 127.0.0.1:1; start it, or check --url" in terminal.shown
    assert b"no database here to show instead" in terminal.shown
