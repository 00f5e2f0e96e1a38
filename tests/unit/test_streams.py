"""The standard streams: closed or full, they are in the way of nothing, least of all of a kill."""

import subprocess
import sys
from pathlib import Path

import pytest

from pointsman.domain.accounts import KillState
from pointsman.engine.kill_latch import latch_path, read_latch
from pointsman.storage.sqlite_manager import SqliteManager
from tests import story_database
from tests.integration.sessions import environment

MAIN = "import sys; from pointsman.cli.app import main; sys.exit(main())"


def shell(folder: Path, arguments: str, redirected: str) -> subprocess.CompletedProcess[str]:
    """Run `pointsman` with its streams redirected as a shell does it."""
    line = f"exec {sys.executable} -c '{MAIN}' {arguments} {redirected}"
    return subprocess.run(
        ["/bin/sh", "-c", line],
        cwd=folder,
        env=environment({}),
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_kill_is_done_with_every_stream_closed(tmp_path: Path) -> None:
    manager = SqliteManager(tmp_path / "t.db")
    manager.open()
    manager.close()
    ended = shell(tmp_path, "kill --reason x --db t.db", "<&- >&- 2>&-")
    assert ended.returncode == 0
    assert read_latch(latch_path(tmp_path / "t.db")).state is KillState.HALT


@pytest.mark.parametrize(
    ("redirected", "code", "says"),
    [(">&-", 0, ""), ("> /dev/full", 1, "pointsman: [Errno 28] No space left on device\n")],
)
def test_status_without_an_output_ends_without_a_traceback(
    tmp_path: Path, redirected: str, code: int, says: str
) -> None:
    story_database.lived_day().store(tmp_path / "t.db")
    ended = shell(tmp_path, "status --db t.db", redirected)
    assert (ended.returncode, ended.stderr) == (code, says)
