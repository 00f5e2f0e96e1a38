"""The controls: a press holds whatever the loop does, everything else waits for the loop."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pointsman.domain.accounts import KillState
from pointsman.engine.controls import Controls
from pointsman.engine.kill_latch import KillLatch, Latched, read_latch
from pointsman.engine.request_queue import Refusal
from pointsman.engine.requests import Kill, Pause, Rearm, Steering
from tests import desk_stories as told
from tests.engine_stories import begin


class Desk:
    """A loop that turns only when it is told to, and its controls."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "trading.db.kill"
        self.latch = KillLatch(self.path)
        self.why = ""
        self.woken = 0
        self.steering = Steering(
            begin().loop, self.latch, lambda _va, _now: told.MIDNIGHT_NS, self.wake
        )
        self.controls = Controls(self.steering, self.latch, lambda: 42, self.wake, lambda: self.why)

    def wake(self) -> None:
        self.woken += 1


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.latch.close()


def test_rule_34_a_kill_holds_and_is_on_disk_although_the_loop_never_turns(desk: Desk) -> None:
    answer = desk.controls.obey(Kill(True, "fire", "me"))
    assert answer == {"durable": True, "state": "flatten"}
    assert read_latch(desk.path) == Latched(KillState.FLATTEN, "me", "fire", 42)
    assert desk.woken == 1


def test_rule_19_a_rearm_that_would_be_of_no_use_is_refused_with_the_reason(desk: Desk) -> None:
    desk.controls.obey(Kill(False, "fire", "me"))
    desk.why = "remove the file first"
    with pytest.raises(Refusal, match="remove the file first"):
        desk.controls.obey(Rearm("all clear", "me"))
    assert desk.latch.latched.is_set


def test_a_rearm_releases_the_latch_once_the_loop_has_done_it(desk: Desk) -> None:
    desk.controls.obey(Kill(False, "fire", "me"))
    desk.steering.work()
    with ThreadPoolExecutor() as other:
        rearming = other.submit(desk.controls.obey, Rearm("all clear", "me"))
        while not rearming.done():
            desk.steering.work()
    assert rearming.result()["trading_state"] == "ACTIVE"
    assert not desk.latch.latched.is_set


def test_all_but_the_kill_switch_is_done_by_the_loop(desk: Desk) -> None:
    with ThreadPoolExecutor() as other:
        pausing = other.submit(desk.controls.obey, Pause(None, "lunch", "me"))
        while not pausing.done():
            desk.steering.work()
    assert pausing.result()["trading_state"] == "REDUCING"
