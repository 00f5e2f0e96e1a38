"""The controls: a press holds whatever the loop does, everything else waits for the loop in a queue
that is bounded, and honest about what became of it."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from pointsman.domain.accounts import KillState
from pointsman.engine import controls
from pointsman.engine.controls import QUEUE_LEN_MAX, Controls, RequestQueue
from pointsman.engine.kill_latch import KillLatch, LatchState, read_latch
from pointsman.engine.request_handler import RequestHandler
from pointsman.engine.requests import Answer, Kill, Pause, Rearm, Refusal, Request
from tests import desk_stories as told
from tests.engine_stories import begin


class Desk:
    """A loop that turns only when it is told to, and its controls."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "trading.db.kill"
        self.latch = KillLatch(self.path)
        self.why = ""
        self.woken = 0
        self.handler = RequestHandler(
            begin().loop, self.latch, lambda _va, _now: told.MIDNIGHT_NS, self.wake
        )
        self.controls = Controls(
            self.handler.queue, self.latch, lambda: 42, self.wake, lambda: self.why
        )

    def wake(self) -> None:
        self.woken += 1


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.latch.close()


def test_rule_34_a_kill_holds_and_is_on_disk_although_the_loop_never_turns(desk: Desk) -> None:
    answer = desk.controls.carry_out(Kill(flatten=True, reason="fire", by="me"))
    assert answer == {"durable": True, "state": "flatten"}
    assert read_latch(desk.path) == LatchState(KillState.FLATTEN, "me", "fire", 42)
    assert desk.woken == 1


def test_rule_19_a_rearm_that_would_be_of_no_use_is_refused_with_the_reason(desk: Desk) -> None:
    desk.controls.carry_out(Kill(flatten=False, reason="fire", by="me"))
    desk.why = "remove the file first"
    with pytest.raises(Refusal, match="remove the file first"):
        desk.controls.carry_out(Rearm(reason="all clear", by="me"))
    assert desk.latch.latched.is_set


def test_a_rearm_releases_the_latch_once_the_loop_has_done_it(desk: Desk) -> None:
    desk.controls.carry_out(Kill(flatten=False, reason="fire", by="me"))
    desk.handler.work()
    with ThreadPoolExecutor() as other:
        rearming = other.submit(desk.controls.carry_out, Rearm(reason="all clear", by="me"))
        while not rearming.done():
            desk.handler.work()
    assert rearming.result()["trading_state"] == "ACTIVE"
    assert not desk.latch.latched.is_set


def test_all_but_the_kill_switch_is_done_by_the_loop(desk: Desk) -> None:
    with ThreadPoolExecutor() as other:
        pausing = other.submit(desk.controls.carry_out, PAUSE)
        while not pausing.done():
            desk.handler.work()
    assert pausing.result()["trading_state"] == "REDUCING"


# -- the queue -------------------------------------------------------------------------------------

PAUSE = Pause(va=None, reason="lunch", by="me")


@pytest.fixture
def _short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(controls, "ANSWER_SECONDS", 0.05)


def asking(queue: RequestQueue, request: Request) -> Future[Answer]:
    """Ask on another thread."""
    outcome: Future[Answer] = Future()

    def ask() -> None:
        try:
            outcome.set_result(queue.ask(request))
        except Refusal as refusal:
            outcome.set_exception(refusal)

    threading.Thread(target=ask, daemon=True).start()
    return outcome


def waking() -> tuple[threading.Event, Callable[[], None]]:
    woken = threading.Event()
    return woken, woken.set


def test_an_answer_comes_back_to_whoever_asked() -> None:
    woken, wake = waking()
    queue = RequestQueue(wake)
    outcome = asking(queue, PAUSE)
    assert woken.wait(5)
    ((request, answer),) = queue.take()
    answer.set_result({"did": request})
    assert outcome.result(5) == {"did": PAUSE}


@pytest.mark.usefixtures("_short_patience")
def test_what_the_loop_did_not_begin_in_time_never_happens() -> None:
    queue = RequestQueue(lambda: None)
    with pytest.raises(Refusal, match="withdrawn"):
        queue.ask(PAUSE)
    assert list(queue.take()) == []


@pytest.mark.usefixtures("_short_patience")
def test_what_was_begun_but_not_durable_in_time_may_still_take_effect() -> None:
    woken, wake = waking()
    queue = RequestQueue(wake)
    outcome = asking(queue, PAUSE)
    assert woken.wait(5)
    ((_, answer),) = queue.take()
    with pytest.raises(Refusal, match="may still take effect"):
        outcome.result(5)
    answer.set_result({})


@pytest.mark.usefixtures("_short_patience")
def test_a_full_queue_refuses_at_once() -> None:
    queue = RequestQueue(lambda: None)
    outcomes = [asking(queue, PAUSE) for _ in range(QUEUE_LEN_MAX)]
    for outcome in outcomes:
        assert isinstance(outcome.exception(5), Refusal)
    with pytest.raises(Refusal, match="64 commands wait"):
        queue.ask(PAUSE)
