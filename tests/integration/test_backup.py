"""Beside a running engine: a backup that another starts on as after a crash, and prices of now."""

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pointsman.engine.control_client import NoEngine, ask
from pointsman.engine.kill_latch import latch_path
from pointsman.engine.open_venue import ledger_path
from pointsman.engine.requests import Show
from tests.integration.sessions import command, environment, pointsman, rows

PATIENCE_SECONDS = 60.0
ALWAYS = {
    "TRADING_WINDOW_START": "00:00",
    "TRADING_WINDOW_END": "24:00",
    "MAX_LOSS_COOLDOWN": "0",
}
processes: list[subprocess.Popen[bytes]] = []


@pytest.fixture(autouse=True)
def _no_engine_outlives_its_test() -> Iterator[None]:
    yield
    while processes:
        process = processes.pop()
        process.kill()
        process.wait(30)


def start(database: Path) -> subprocess.Popen[bytes]:
    with database.with_suffix(".log").open("w") as log:
        arguments = command("run", "--headless", "--db", str(database), "--speed", "20")
        processes.append(
            subprocess.Popen(
                arguments, cwd=database.parent, env=environment(ALWAYS), stdout=log, stderr=log
            )
        )
    return processes[-1]


def until(database: Path, wanted: Any) -> dict[str, Any]:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        try:
            picture = ask(database, Show())
        except NoEngine:
            picture = {}
        if picture and wanted(picture):
            return picture
        time.sleep(0.02)
    raise AssertionError(database.with_suffix(".log").read_text()[-3000:])


def end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 143


def test_an_engine_starts_on_a_backup_as_if_it_had_died_at_that_moment(tmp_path: Path) -> None:
    database = tmp_path / "t.db"
    running = start(database)
    copies = []
    for number in range(3):
        seen = until(database, lambda picture: picture["positions"])["counts"]["fills"]
        copies.append(tmp_path / f"copy{number}.db")
        made = pointsman(tmp_path, "db", "backup", str(copies[-1]), "--db", str(database))
        assert made.returncode == 0, made.stderr
        assert str(ledger_path(copies[-1])) in made.stdout
        until(database, lambda picture, seen=seen: picture["counts"]["fills"] > seen + 4)
    end(running)
    for copy in copies:
        again = start(copy)
        until(copy, lambda picture: picture["is_ready"])
        end(again)
        strange = rows(
            copy,
            "SELECT kind, detail FROM incidents WHERE kind IN"
            " ('MISMATCH', 'EXTERNAL_ACTIVITY', 'OVERFILL', 'STRANGE_REPORT')",
        )
        assert strange == []
        check = pointsman(tmp_path, "journal", "check", "--db", str(copy), settings=ALWAYS)
        assert check.returncode == 0, check.stdout


def test_a_kill_is_never_lost_by_a_restore(tmp_path: Path) -> None:
    database, copy = tmp_path / "t.db", tmp_path / "copy.db"
    running = start(database)
    until(database, lambda picture: picture["is_ready"])
    end(running)
    assert pointsman(tmp_path, "kill", "--reason", "x", "--db", str(database)).returncode == 0
    assert pointsman(tmp_path, "db", "backup", str(copy), "--db", str(database)).returncode == 0
    assert latch_path(copy).exists()
    told = pointsman(tmp_path, "status", "--db", str(copy))
    assert "the next start will be killed" in " ".join(told.stdout.split())
    start(copy)
    assert until(copy, lambda picture: picture["is_ready"])["trading_state"] == "HALTED"


def test_read_verbs_show_the_prices_of_now(tmp_path: Path) -> None:
    database = tmp_path / "t.db"
    running = start(database)
    deadline = time.monotonic() + PATIENCE_SECONDS
    found: list[dict[str, Any]] = []
    while not found and time.monotonic() < deadline:
        until(database, lambda picture: picture["positions"])
        shown = pointsman(tmp_path, "positions", "--json", "--db", str(database))
        found = [row for row in json.loads(shown.stdout) if row["mark"] is not None]
    assert found, "a position has a price while the engine runs"
    end(running)
