"""A ticker: again and again, until it is stopped or its work has a fault."""

import threading

import pytest

from pointsman.engine.ticker import Ticker

PATIENCE_SECONDS = 30.0


def test_it_works_again_and_again_until_it_is_stopped() -> None:
    times, thrice = [0], threading.Event()

    def work() -> None:
        times[0] += 1
        if times[0] == 3:
            thrice.set()

    ticker = Ticker("t", 0.001, work)
    assert not ticker.is_alive
    ticker.start()
    assert thrice.wait(PATIENCE_SECONDS)
    ticker.stop()
    assert not ticker.is_alive


def test_a_fault_reaches_the_thread_hook_and_it_can_be_started_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    faults: list[str] = []
    ended, again = threading.Event(), threading.Event()

    def hear(args: threading.ExceptHookArgs) -> None:
        faults.append(f"{args.thread and args.thread.name}: {args.exc_value}")
        ended.set()

    def work() -> None:
        if ended.is_set():
            again.set()
        else:
            raise LookupError("no such thing")

    monkeypatch.setattr(threading, "excepthook", hear)
    ticker = Ticker("picture", 0.001, work)
    ticker.start()
    assert ended.wait(PATIENCE_SECONDS)
    assert faults == ["picture: no such thing"]
    ticker.start()
    assert again.wait(PATIENCE_SECONDS)
    assert ticker.is_alive
    ticker.stop()
