"""A clean stop: a signal only asks for one."""

import os
import signal

import pytest

from pointsman.cli.clean_stop import SIGNALS, clean_stop


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
