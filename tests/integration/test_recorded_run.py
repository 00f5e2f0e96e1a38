"""Runs as fast as they go: the same input gives the same report, however it is run (RULES 5)."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.integration.sessions import busy_session, pointsman, report_of, rows

SETTINGS = {"TRADING_WINDOW_START": "00:00", "TRADING_WINDOW_END": "24:00"}


def report(folder: Path, *arguments: str) -> dict[str, Any]:
    """The report of a run, without the time that it took."""
    found = report_of(pointsman(folder, "run", *arguments, "--json", settings=SETTINGS))
    del found["wall_seconds"]
    return found


@pytest.fixture
def session(tmp_path: Path) -> tuple[str, ...]:
    quotes, signals = busy_session(tmp_path, 7, seconds=60)
    return ("--market", str(quotes), "--signals", str(signals))


def test_rule_5_fast_and_paced_runs_of_one_session_give_the_same_report(
    tmp_path: Path, session: tuple[str, ...]
) -> None:
    fast = report(tmp_path, *session, "--db", "fast.db")
    assert fast["signals"]["accepted"] > 20
    assert fast == report(tmp_path, *session, "--db", "again.db")
    assert fast == report(tmp_path, *session, "--db", "fast.db"), "a finished one is only reported"
    assert fast == report(tmp_path, *session, "--db", "paced.db", "--speed", "50", "--headless")


def test_rule_5_a_run_with_a_duration_is_continued_where_it_stopped(
    tmp_path: Path, session: tuple[str, ...]
) -> None:
    whole = report(tmp_path, *session, "--db", "whole.db")
    paced = ("--speed", "200", "--headless", "--db", "parts.db")
    first = pointsman(tmp_path, "run", *session, *paced, "--json", settings=SETTINGS)
    assert first.returncode == 0, first.stderr
    assert json.loads(first.stdout)["signals"] == whole["signals"]


def test_rule_5_another_run_is_refused_saying_what_differs(
    tmp_path: Path, session: tuple[str, ...]
) -> None:
    report(tmp_path, *session, "--db", "t.db")
    other = pointsman(tmp_path, "run", *session, "--db", "t.db", "--seed", "9", settings=SETTINGS)
    assert (other.returncode, "its seed differ" in other.stderr) == (3, True), other.stderr
    changed = {**SETTINGS, "MAX_SPREAD_BPS": "3"}
    other = pointsman(tmp_path, "run", *session, "--db", "t.db", settings=changed)
    assert (other.returncode, "its settings differ" in other.stderr) == (3, True), other.stderr


def test_rule_5_without_a_name_the_database_is_a_new_one_whose_path_is_printed(
    tmp_path: Path, session: tuple[str, ...]
) -> None:
    first = pointsman(tmp_path, "run", *session, settings=SETTINGS)
    second = pointsman(tmp_path, "run", *session, settings=SETTINGS)
    names = {run.stderr.rpartition("database: ")[2].strip() for run in (first, second)}
    assert len(names) == 2
    assert all((tmp_path / name).exists() for name in names)
    assert not (tmp_path / "trading.db").exists()


def test_rule_6_the_simulated_market_is_a_function_of_the_seed(tmp_path: Path) -> None:
    simulated = ("--market", "sim", "--speed", "max", "--duration", "300")
    one = report(tmp_path, *simulated, "--seed", "4", "--db", "one.db")
    assert one["signals"]["accepted"] > 5
    assert one == report(tmp_path, *simulated, "--seed", "4", "--db", "two.db")
    assert one != report(tmp_path, *simulated, "--seed", "5", "--db", "three.db")
    seen = rows(tmp_path / "one.db", "SELECT max(time_ns) - min(time_ns) FROM journal")
    assert 290 * 10**9 < seen[0][0] <= 301 * 10**9
