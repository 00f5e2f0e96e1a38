"""A clean stop: a signal only asks for one."""

import os
import signal
import subprocess
import sys

import pytest

from pointsman.service.clean_stop import SIGNALS, clean_stop, ended_in_time

HANGS = """
import os, signal, time
from pointsman.service import clean_stop
clean_stop.END_SECONDS = 0.2
with clean_stop.clean_stop() as stop, clean_stop.ended_in_time(stop):
    os.kill(os.getpid(), signal.SIGTERM)
    while True:
        time.sleep(1)
"""


@pytest.mark.parametrize("signum", SIGNALS)
def test_a_signal_asks_and_is_remembered(signum: signal.Signals) -> None:
    before = signal.getsignal(signum)
    hooked = []
    with clean_stop() as stop:
        stop.hooks.append(lambda: hooked.append(signum))
        os.kill(os.getpid(), signum)
        assert (stop.is_asked, stop.signum, hooked) == (True, signum, [signum])
    assert signal.getsignal(signum) is before


def test_an_end_that_nobody_signalled_has_no_signal() -> None:
    with clean_stop() as stop:
        stop.ask()
        assert (stop.is_asked, stop.signum) == (True, None)


def test_what_hangs_is_ended_all_the_same_and_says_so() -> None:
    ended = subprocess.run([sys.executable, "-c", HANGS], capture_output=True, timeout=60)
    assert ended.returncode == 143
    assert b"did not end in time; the next start recovers" in ended.stderr


def test_an_end_that_comes_in_time_is_left_alone() -> None:
    with clean_stop() as stop, ended_in_time(stop):
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)
    assert stop.signum == signal.SIGTERM
