"""A run that is seen: the dashboard as a child process, and the log in a file instead.

The dashboard is a process of its own and asks over the socket like any other; its end asks the
engine for a clean one. A dashboard that fails does not stop the engine.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from pointsman.service.clean_stop import Stop

_END_SECONDS = 2.0  # not money: seconds
_START = (
    "import sys; from pointsman.cli import app; "
    "from pointsman.service import kill_signals; "
    "kill_signals.let_through(); sys.exit(app.main())"
)


def log_path(database: Path) -> Path:
    """Where the log goes while the dashboard has the terminal."""
    return database.with_name(f"{database.name}.log")


def open_log(database: Path) -> TextIO:
    """The log file, to append to; for its owner alone. Raises OSError."""
    descriptor = os.open(log_path(database), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    return os.fdopen(descriptor, "a", encoding="utf-8")


def show_dashboard(database: Path, stop: Stop) -> Callable[[], None]:
    """Start the dashboard; gives what ends it."""
    source = str(Path(__file__).resolve().parents[2])
    paths = [source, *filter(None, [os.environ.get("PYTHONPATH")])]
    child = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-c", _START, "dashboard", "--db", str(database)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
    )

    def wait() -> None:
        if child.wait() == 0:
            stop.ask()
        elif not stop.is_asked:
            sys.stderr.write(
                f"The dashboard exited with code {child.returncode}. The engine keeps running: stop"
                f" it with Ctrl-C, read {log_path(database)}, or start with --headless.\n"
            )

    threading.Thread(target=wait, name="dashboard", daemon=True).start()

    def end() -> None:
        child.terminate()
        try:
            child.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()

    return end
