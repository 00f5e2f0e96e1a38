"""Kill by a process signal: one thread hears it, also one that came early (RULES 34).

Each story runs in a process of its own: in that of the tests other threads have been started
before, and a signal that reaches one of those ends it.
"""

import os
import queue
import signal
import subprocess
import sys
from collections.abc import Callable

import pytest

from pointsman.engine.requests import Kill
from pointsman.service.kill_signals import KillSignals, kill_signals_blocked, let_through
from tests.as_installed import ROOT

PATIENCE_SECONDS = 30.0


def told_alone(story: Callable[[], None]) -> None:
    code = f"from tests.unit.test_kill_signals import {story.__name__} as tell; tell()"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"},
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def pressed_by_each() -> None:
    for signum, is_flatten in ((signal.SIGUSR1, False), (signal.SIGUSR2, True)):
        pressed: queue.Queue[Kill] = queue.Queue(10)
        with kill_signals_blocked():
            os.kill(os.getpid(), signum)  # before anybody listens: it is kept
            listener = KillSignals(pressed.put)
            listener.start()
            expected = Kill(
                flatten=is_flatten,
                reason=f"{signum.name} was sent",
                by=f"process signal {signum.name}",
            )
            assert pressed.get(timeout=PATIENCE_SECONDS) == expected
            os.kill(os.getpid(), signum)
            assert pressed.get(timeout=PATIENCE_SECONDS) == expected
            lives = [listener.is_alive]
            listener.stop()
            assert [*lives, listener.is_alive] == [True, False]
        assert pressed.empty(), "what ends the listening is no press"


def dropped_without_an_engine() -> None:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    with kill_signals_blocked():
        os.kill(os.getpid(), signal.SIGUSR2)
    assert not signal.sigpending()
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before


def heard_in_a_child() -> None:
    with kill_signals_blocked():
        let_through()
        assert signal.SIGUSR1 not in signal.pthread_sigmask(signal.SIG_BLOCK, ())


@pytest.mark.parametrize("story", [pressed_by_each, dropped_without_an_engine, heard_in_a_child])
def test_rule_19_a_process_signal_presses_and_says_who_it_was(story: Callable[[], None]) -> None:
    told_alone(story)
