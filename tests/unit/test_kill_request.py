"""A kill from another process: nothing that is only nice to know stops it, and what it says is
true."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pointsman.domain.accounts import KillState
from pointsman.engine import control_client, kill_request
from pointsman.engine.kill_latch import latch_path, read_latch
from pointsman.engine.requests import Answer, Kill
from pointsman.storage import lock

Killing = Callable[[], Answer]


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("t.db").touch()
    return Path("t.db")


@pytest.fixture
def kill(database: Path) -> Killing:
    return lambda: kill_request.kill(database, Kill(flatten=True, reason="drill", by="ann"))


def recorded(database: Path) -> tuple[KillState, str, str]:
    found = read_latch(latch_path(database))
    return found.state, found.by, found.note


FLATTENED = (KillState.FLATTEN, "ann", "drill")


def test_rule_40_without_an_engine_it_is_for_the_next_start(kill: Killing, database: Path) -> None:
    answer = kill()
    assert answer["told"] == (
        f"No engine is running on {database.absolute()}. The kill is recorded in "
        f"{database.absolute()}.kill; the next engine to start will start killed."
    )
    assert (answer["ok"], answer["durable"], recorded(database)) == (True, True, FLATTENED)


def test_a_database_that_does_not_exist_may_be_a_misspelt_one_and_that_is_no_success(
    kill: Killing, database: Path
) -> None:
    database.unlink()
    answer = kill()
    there = database.absolute()
    assert answer["error"].startswith(f"NO ENGINE WAS KILLED: there is no database {there}.")
    assert "name it with --db PATH" in answer["error"]
    assert (answer["ok"], answer["exit"], answer["durable"]) == (False, 1, True)
    assert recorded(database) == FLATTENED


def test_rule_40_of_an_engine_that_does_not_answer_it_says_when_it_reads_the_kill(
    kill: Killing, database: Path
) -> None:
    held = lock.acquire(database.resolve())
    assert kill()["told"] == (
        f"Process {os.getpid()} holds {database.absolute()} but does not answer. The kill is "
        f"recorded in {database.absolute()}.kill; an engine reads it at start and every second."
    )
    os.close(held)
    assert recorded(database) == FLATTENED


@pytest.mark.parametrize(
    "fault",
    [
        OSError(24, "Too many open files"),
        ValueError("no JSON"),
        control_client.NoEngine(Path("t.db")),
    ],
)
def test_whatever_keeps_the_engine_from_being_asked_the_latch_is_pressed(
    kill: Killing, database: Path, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    def fail(_database: Path, _request: object) -> dict[str, Any]:
        raise fault

    monkeypatch.setattr(control_client, "ask", fail)
    assert kill()["ok"]
    assert recorded(database) == FLATTENED


def test_a_kill_that_the_engine_refuses_is_pressed_on_the_latch(
    kill: Killing, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has no connection left, say."""
    refused = {"ok": False, "exit": 1, "error": "16 connections are open; try again later"}
    monkeypatch.setattr(control_client, "ask", lambda _database, _request: refused)
    assert kill()["told"].startswith("The engine refused the kill (16 connections are open")
    assert recorded(database) == FLATTENED


def test_a_lock_that_cannot_be_read_is_in_the_way_of_nothing(
    kill: Killing, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable(_database: Path) -> int | None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(control_client, "engine_pid", unreadable)
    told = kill()["told"]
    there = database.absolute()
    assert told.startswith(
        f"Whether an engine is running on {there} cannot be seen (Permission denied"
    )
    assert recorded(database) == FLATTENED


def test_rule_40_what_could_not_be_written_is_no_kill(
    kill: Killing, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert kill()["ok"]

    def full(_descriptor: int, _block: bytes, _at: int) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    answer = kill()
    assert (answer["ok"], "nothing is killed" in answer["error"]) == (False, True)
    latch_path(database).unlink()
    latch_path(database).mkdir()
    answer = kill()
    assert (answer["ok"], "nothing is killed" in answer["error"]) == (False, True)


def test_who_asks_is_a_number_where_the_user_has_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def nameless() -> str:
        raise KeyError("getpwuid(): uid not found: 4711")

    monkeypatch.setattr("getpass.getuser", nameless)
    monkeypatch.setattr(os, "getuid", lambda: 4711)
    assert kill_request.asker() == "uid 4711"
    monkeypatch.setattr("getpass.getuser", lambda: "b\udcffb")
    assert kill_request.asker() == "b?b"
