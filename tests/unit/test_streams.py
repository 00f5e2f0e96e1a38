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

UNWRITABLE = "pointsman: standard output"
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


def test_a_kill_is_told_beside_an_output_that_is_full(tmp_path: Path) -> None:
    story_database.lived_day().store(tmp_path / "t.db")
    ended = shell(tmp_path, "kill --reason x --db t.db", "> /dev/full")
    assert read_latch(latch_path(tmp_path / "t.db")).state is KillState.HALT
    assert "the next engine to start will start killed" in ended.stderr
    assert (
        ended.returncode,
        ended.stderr.endswith(f"{UNWRITABLE}: No space left on device\n"),
    ) == (
        1,
        True,
    )


@pytest.mark.parametrize(
    ("redirected", "code", "says"),
    [
        (">&-", 0, ""),
        ("> /dev/full", 1, f"{UNWRITABLE}: No space left on device\n"),
    ],
)
@pytest.mark.parametrize(
    "verb", ["status", "signals --json", "run --speed max --duration 30 --json"]
)
def test_a_verb_without_an_output_says_so_in_one_line(
    tmp_path: Path, verb: str, redirected: str, code: int, says: str
) -> None:
    story_database.lived_day().store(tmp_path / "t.db")
    name = "t.db" if not verb.startswith("run") else "new.db"
    ended = shell(tmp_path, f"{verb} --db {name}", redirected)
    said = ended.stderr.replace(f"database: {name}\n", "")
    assert (ended.returncode, said) == (code, says)
