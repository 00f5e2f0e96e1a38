"""A run on a terminal: the dashboard is its child, and its end is the end of the run."""

import fcntl
import os
import pty
import select
import signal
import stat
import struct
import termios
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from pointsman.engine.control_client import NoEngine, ask
from pointsman.engine.requests import Show
from pointsman.service import dashboard_process
from pointsman.service.clean_stop import Stop
from tests.integration.sessions import command, environment


class Terminal:
    """A program on a terminal of 80 x 24."""

    def __init__(
        self, folder: Path, *arguments: str, settings: Mapping[str, str] | None = None
    ) -> None:
        self.pid, self.descriptor = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            line = command(*arguments)
            os.execve(line[0], line, {**environment(settings or {}), "TERM": "xterm-256color"})
        fcntl.ioctl(self.descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.shown = b""

    def read(self, seconds: float) -> bool:
        """Read what comes for so long; whether there may be more."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if select.select([self.descriptor], [], [], left)[0]:
                try:
                    self.shown += os.read(self.descriptor, 65_536)
                except OSError:
                    return False
        return True

    def until_shown(self, text: bytes) -> None:
        deadline = time.monotonic() + 60
        while text not in self.shown:
            assert self.read(0.1), self.shown[-2000:]
            assert time.monotonic() < deadline, self.shown[-2000:]

    def end(self) -> int:
        """Wait for it; gives its exit code."""
        deadline = time.monotonic() + 30
        while self.read(0.1):
            assert time.monotonic() < deadline, "it does not end"
        code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        os.close(self.descriptor)
        return code


@pytest.mark.parametrize("by_signal", [False, True], ids=["q", "SIGTERM"])
def test_the_dashboard_is_shown_and_ends_with_the_engine(tmp_path: Path, by_signal: bool) -> None:
    database = tmp_path / "t.db"
    terminal = Terminal(tmp_path, "run", "--db", str(database))
    terminal.until_shown(b"VA001")
    assert ask(database, Show())["source"] == "engine"
    if by_signal:
        os.kill(terminal.pid, signal.SIGTERM)
    else:
        os.write(terminal.descriptor, b"q")
    assert terminal.end() == (143 if by_signal else 0)
    with pytest.raises(NoEngine):
        ask(database, Show())
    log = dashboard_process.log_path(database)
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    assert "started" in log.read_text()
    assert log.read_text().rstrip().endswith(f"stopped  database={database}")


def test_a_dashboard_that_fails_does_not_stop_the_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(dashboard_process, "_START", "import sys; sys.exit(9)")
    stop = Stop()
    end = dashboard_process.show_dashboard(tmp_path / "t.db", stop)
    deadline, said = time.monotonic() + 30, ""
    while "The engine keeps running" not in said and time.monotonic() < deadline:
        said += capfd.readouterr().err
    assert "The dashboard exited with code 9. The engine keeps running" in said
    assert not stop.is_asked
    end()
