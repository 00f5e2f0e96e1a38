"""Supervision: an end is seen, told, held against new risk, and mended where that is safe (I21)."""

import threading
import time
from collections.abc import Callable

import pytest

from pointsman.engine.supervision import LATE_SECONDS, Part, Supervisor


class Ward:
    """One part that lives as the test says, and what its supervisor did."""

    def __init__(self, *, can_restart: bool = True, heals: bool = True) -> None:
        self.is_alive = True
        self.heals = heals
        self.restarts = 0
        self.held: list[bool] = []
        self.told: list[tuple[str, str]] = []
        self.ends = 0
        restart: Callable[[], None] | None = self._restart if can_restart else None
        self.supervisor = Supervisor(
            [Part("picture", lambda: self.is_alive, restart)],
            lambda why: self.held.append(bool(why)),
            lambda name, fault: self.told.append((name, fault)),
            self._end,
        )

    def _restart(self) -> None:
        self.restarts += 1
        if not self.heals:
            raise OSError("the port is taken")
        self.is_alive = True

    def _end(self) -> None:
        self.ends += 1

    def die(self) -> None:
        """End by a fault, in a thread of that name."""

        def body() -> None:
            raise LookupError("no such thing")

        with self.supervisor.hearing(lambda _told: None):
            thread = threading.Thread(target=body, name="picture")
            thread.start()
            thread.join()
        self.is_alive = False


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_while_all_is_well_nothing_is_held_and_nothing_told(clock: list[float]) -> None:
    ward = Ward()
    ward.supervisor.look()
    assert (ward.held, ward.told, ward.supervisor.down()) == ([False], [], {})
    clock[0] += LATE_SECONDS + 1
    assert ward.supervisor.down() == {"supervision": "has not looked for 6 s"}


def test_an_end_is_held_named_told_and_mended_until_a_later_look_finds_it_alive() -> None:
    ward = Ward()
    ward.die()
    ward.supervisor.look()
    ((name, fault),) = ward.told
    assert (name, fault.partition(" (")[0]) == ("picture", "LookupError: no such thing")
    assert "test_supervision.py" in fault
    assert ward.supervisor.down() == {"picture": fault}
    assert (ward.held[-1], ward.restarts) == (True, 1)
    ward.supervisor.look()
    assert (ward.held[-1], ward.supervisor.down(), len(ward.told)) == (False, {}, 1)


def test_what_ends_again_and_again_is_started_after_longer_and_longer_waits(
    clock: list[float],
) -> None:
    ward = Ward()
    for _ in range(100):
        ward.is_alive = False
        ward.supervisor.look()
        clock[0] += 1
    assert all(ward.held)
    assert ward.restarts == 5, "at once, then after 4, 8, 16 and 32 s; the next waits 60"
    assert len(ward.told) == 6


def test_what_lived_for_long_is_started_at_once_again(clock: list[float]) -> None:
    ward = Ward()
    for _ in range(3):
        ward.is_alive = False
        ward.supervisor.look()
        assert ward.is_alive
        clock[0] += 1000


def test_what_cannot_be_started_again_stays_down_and_says_why(clock: list[float]) -> None:
    ward = Ward(heals=False)
    ward.is_alive = False
    for _ in range(2):
        ward.supervisor.look()
        clock[0] += 1
    assert ward.told[-1] == ("picture", "cannot be started again: the port is taken")
    assert ward.held[-1]


def test_what_must_not_be_started_again_ends_the_run_once() -> None:
    ward = Ward(can_restart=False)
    ward.die()
    for _ in range(3):
        ward.supervisor.look()
    assert (ward.ends, ward.held[-1], len(ward.told)) == (1, True, 1)
    assert ward.supervisor.fatal.startswith("picture: LookupError: no such thing")


def test_what_ends_any_thread_is_said() -> None:
    ward, said = Ward(), list[str]()

    def body() -> None:
        raise ValueError("broken")

    before = threading.excepthook
    with ward.supervisor.hearing(said.append):
        thread = threading.Thread(target=body, name="a visitor")
        thread.start()
        thread.join()
    assert threading.excepthook is before
    ((told,)) = said
    assert told.startswith("thread a visitor ended by a fault: ValueError: broken")
    assert ward.supervisor.down() == {}
