"""A paced run on the simulated market: session after session, and what it shows of itself."""

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pointsman.engine.control_client import NoEngine, ask, watch
from pointsman.engine.requests import Flatten, Pause
from tests.integration.sessions import command, environment, pointsman, rows

HOUR_NS = 3600 * 10**9
SHORT_DAY = {"TRADING_WINDOW_START": "09:30", "TRADING_WINDOW_END": "09:34"}


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts an engine with a speed and settings; ends it if the test has not."""
    started = []

    def start(speed: str, settings: dict[str, str]) -> subprocess.Popen[bytes]:
        with (tmp_path / "log").open("w") as log:
            line = command("run", "--headless", "--db", "t.db", "--speed", speed)
            process = subprocess.Popen(
                line, cwd=tmp_path, env=environment(settings), stdout=log, stderr=log
            )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait(30)


def picture_when(database: Path, wanted: Any, seconds: int = 60) -> dict[str, Any]:
    """The first picture for which `wanted` holds."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            for picture in watch(database):
                if wanted(picture):
                    return picture
                assert time.monotonic() < deadline, picture
        except NoEngine:
            time.sleep(0.05)
    raise AssertionError("no engine")


def test_rule_6_after_the_session_comes_the_next_trading_day_at_once(
    tmp_path: Path, start: Callable[..., subprocess.Popen[bytes]]
) -> None:
    database = tmp_path / "t.db"
    running = start("120", SHORT_DAY)
    first = picture_when(database, lambda picture: picture["is_ready"])
    unready: set[str] = set()

    def is_days_later(picture: dict[str, Any]) -> bool:
        unready.update(picture["health"]["unready"])
        return bool(picture["now_ns"] > first["now_ns"] + 40 * HOUR_NS)

    later = picture_when(database, is_days_later)
    assert not unready & {"comparison", "feed", "storage"}, "a night that is skipped is no silence"
    assert later["health"]["storage"] == "ok"
    running.send_signal(signal.SIGTERM)
    assert running.wait(30) == 143
    text = (tmp_path / "log").read_text()
    assert text.count("continuing at its next opening") >= 2
    assert "OUTSIDE_WINDOW" not in text
    assert "NAKED" not in text
    days = rows(database, "SELECT DISTINCT time_ns / 86400000000000 FROM journal")
    assert len(days) >= 3
    check = pointsman(tmp_path, "journal", "check", "--db", "t.db", settings=SHORT_DAY)
    assert check.returncode == 0, check.stdout


def test_the_picture_of_a_running_engine_is_that_of_its_records(
    tmp_path: Path, start: Callable[..., subprocess.Popen[bytes]]
) -> None:
    database = tmp_path / "t.db"
    running = start("20", {})
    picture = picture_when(database, lambda p: p["counts"]["trades"] > 2)
    assert picture["source"] == "engine"
    assert all(p["cover"] in ("covered", "unconfirmed", "exiting") for p in picture["positions"])
    assert ask(database, Pause(va=None, reason="x", by="y"))["ok"]
    flat = ask(database, Flatten(va=None, reason="x", by="y"))
    assert flat["ok"]
    last = picture_when(database, lambda p: not p["positions"] and not p["orders"]["working"])
    running.send_signal(signal.SIGTERM)
    assert running.wait(30) == 143
    ((fills,),) = rows(database, "SELECT count(*) FROM fills")
    ((trades,),) = rows(database, "SELECT count(*) FROM trades")
    assert (last["counts"]["fills"], last["counts"]["trades"]) == (fills, trades)
    balances = rows(database, "SELECT va_id, wins, losses FROM virtual_accounts ORDER BY va_id")
    shown = [(each["va_id"], each["wins"], each["losses"]) for each in last["accounts"]]
    assert shown == balances
