"""What is known of an engine that does not answer: by its lock and its socket alone."""

import os
import socket
from contextlib import closing
from pathlib import Path

import pytest

from pointsman.engine import control_client
from pointsman.storage import lock
from pointsman.terminal.condition import EngineState, of_loop, without_answer
from tests.dashboard_pictures import NOW_NS, SECOND_NS, picture


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return Path("t.db")


def test_dead_hung_and_unreachable_are_told_apart(database: Path) -> None:
    assert without_answer(database)[0] is EngineState.NOT_RUNNING
    held, pid = lock.acquire(database.resolve()), os.getpid()
    state, why = without_answer(database)
    assert state is EngineState.UNREACHABLE
    told = "has no control socket, like a Python program: it takes kills, not questions"
    assert why == f"process {pid} {told}"
    with closing(socket.socket(socket.AF_UNIX)) as listener:
        listener.bind("t.db.sock")
        assert without_answer(database)[0] is EngineState.UNREACHABLE, "left by one that died"
        listener.listen(1)
        assert without_answer(database) == (EngineState.HUNG, f"process {pid} does not answer")
    os.close(held)
    assert without_answer(database)[0] is EngineState.NOT_RUNNING


def test_a_lock_that_cannot_be_read_is_no_engine_that_is_dead(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable(_database: Path) -> int | None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(control_client, "engine_pid", unreadable)
    told = "the lock file cannot be read: Permission denied"
    assert without_answer(database) == (EngineState.UNREACHABLE, told)


def test_a_loop_that_lags_is_hung_from_five_seconds_on_at_any_speed() -> None:
    health = picture()["health"]
    assert of_loop(picture(health=health | {"loop_lag_ms": "4999.9"})) is None
    found = of_loop(picture(health=health | {"loop_lag_ms": "5000.0"}, speed="20"))
    assert found is not None
    assert (found.state, found.as_of_ns) == (EngineState.HUNG, NOW_NS - 100 * SECOND_NS)
    assert of_loop(picture(health=health | {"loop_lag_ms": "9000"}, source="database")) is None
