"""Kill by a process signal: one thread hears it, also one that came early (RULES 34)."""

import os
import queue
import signal

import pytest

from pointsman.cli.kill_signals import KillSignals, kill_signals_blocked, let_through
from pointsman.engine.steering import Kill

PATIENCE_SECONDS = 30.0


@pytest.mark.parametrize(
    ("signum", "is_flatten"), [(signal.SIGUSR1, False), (signal.SIGUSR2, True)]
)
def test_rule_19_a_signal_presses_and_says_who_it_was(signum: int, is_flatten: bool) -> None:
    pressed: queue.Queue[Kill] = queue.Queue(10)
    with kill_signals_blocked():
        os.kill(os.getpid(), signum)  # before anybody listens: it is kept
        listener = KillSignals(pressed.put)
        listener.start()
        name = signal.Signals(signum).name
        expected = Kill(is_flatten, f"{name} was sent", f"process signal {name}")
        assert pressed.get(timeout=PATIENCE_SECONDS) == expected
        os.kill(os.getpid(), signum)
        assert pressed.get(timeout=PATIENCE_SECONDS) == expected
        lives = [listener.is_alive]
        listener.stop()
        assert [*lives, listener.is_alive] == [True, False]
    assert pressed.empty(), "what ends the listening is no press"


def test_a_signal_without_an_engine_to_kill_does_not_end_the_process() -> None:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    with kill_signals_blocked():
        os.kill(os.getpid(), signal.SIGUSR2)
    assert not signal.sigpending()
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before


def test_a_child_process_hears_them_as_usual() -> None:
    with kill_signals_blocked():
        let_through()
        assert signal.SIGUSR1 not in signal.pthread_sigmask(signal.SIG_BLOCK, ())
