"""The queue between whoever asks and the loop: bounded, and honest about what became of it."""

import threading
from collections.abc import Callable
from concurrent.futures import Future

import pytest

from pointsman.engine import request_queue
from pointsman.engine.request_queue import ASKED_LEN_MAX, ControlQueue, Refusal


@pytest.fixture(autouse=True)
def _short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_queue, "ANSWER_SECONDS", 0.05)


def asking(asked: ControlQueue[str], request: str) -> "Future[dict[str, object]]":
    """Ask on another thread."""
    outcome: Future[dict[str, object]] = Future()

    def ask() -> None:
        try:
            outcome.set_result(asked.ask(request))
        except Refusal as refusal:
            outcome.set_exception(refusal)

    threading.Thread(target=ask, daemon=True).start()
    return outcome


def waking() -> tuple[threading.Event, Callable[[], None]]:
    woken = threading.Event()
    return woken, woken.set


def test_an_answer_comes_back_to_whoever_asked() -> None:
    woken, wake = waking()
    asked: ControlQueue[str] = ControlQueue(wake)
    outcome = asking(asked, "pause")
    assert woken.wait(5)
    ((request, answer),) = asked.take()
    answer.set_result({"did": request})
    assert outcome.result(5) == {"did": "pause"}


def test_what_the_loop_did_not_begin_in_time_never_happens() -> None:
    asked: ControlQueue[str] = ControlQueue(lambda: None)
    with pytest.raises(Refusal, match="withdrawn"):
        asked.ask("flatten")
    assert list(asked.take()) == []


def test_what_was_begun_but_not_durable_in_time_may_still_take_effect() -> None:
    woken, wake = waking()
    asked: ControlQueue[str] = ControlQueue(wake)
    outcome = asking(asked, "pause")
    assert woken.wait(5)
    ((_, answer),) = asked.take()
    with pytest.raises(Refusal, match="may still take effect"):
        outcome.result(5)
    answer.set_result({})


def test_a_full_queue_refuses_at_once() -> None:
    asked: ControlQueue[str] = ControlQueue(lambda: None)
    outcomes = [asking(asked, "pause") for _ in range(ASKED_LEN_MAX)]
    for outcome in outcomes:
        assert isinstance(outcome.exception(5), Refusal)
    with pytest.raises(Refusal, match="64 commands wait"):
        asked.ask("one more")
