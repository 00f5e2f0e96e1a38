"""What a command ends with."""

import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from pointsman.cli import app, command_line
from pointsman.config.problems import SettingProblem, SettingsError
from pointsman.engine.exit_codes import ExitCode
from pointsman.storage.errors import (
    CorruptDatabase,
    DatabaseBusy,
    NewerSchema,
    StorageError,
    StorageUnavailable,
)
from pointsman.storage.sqlite_manager import SqliteManager

ROOT = Path(__file__).resolve().parents[2]
HERE = Path("trading.db")

ENDS: list[tuple[Exception | SystemExit, ExitCode, str]] = [
    (SettingsError([SettingProblem("A", "b", "do c")]), ExitCode.SETTINGS, "do c"),
    (CorruptDatabase("it is torn"), ExitCode.DATABASE, "it is torn"),
    (NewerSchema(HERE, "9"), ExitCode.DATABASE, "newer version"),
    (DatabaseBusy(HERE, 7), ExitCode.BUSY, "process 7"),
    (StorageUnavailable("not there"), ExitCode.FAILURE, "not there"),
    (StorageError("odd"), ExitCode.FAILURE, "odd"),
    (
        PermissionError(13, "Denied", "/x"),
        ExitCode.FAILURE,
        f"user {os.getuid()} may not use /x; give",
    ),
    (OSError(28, "No space left", "/x"), ExitCode.FAILURE, "/x: No space left"),
    (OSError("odd"), ExitCode.FAILURE, "odd"),
    (SystemExit(ExitCode.USAGE), ExitCode.USAGE, ""),
    (SystemExit(143), 143, ""),  # type: ignore[list-item]  # of a signal, not one of ours
    (SystemExit(None), ExitCode.OK, ""),
]


@pytest.mark.parametrize(("end", "code", "words"), ENDS)
def test_every_way_to_end_has_its_exit_code(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    end: BaseException,
    code: int,
    words: str,
) -> None:
    def fails(**_given: object) -> None:
        raise end

    monkeypatch.setattr(command_line, "app", fails)
    assert app.main() == code
    told = capsys.readouterr()
    assert words in told.err
    assert told.out == ""


def started(*words: str, **env: str) -> subprocess.CompletedProcess[str]:
    """A process of its own, in the folder of the checkout."""
    command = [sys.executable, *words]
    return subprocess.run(
        command, cwd=ROOT, env=os.environ | env, capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize(("flags", "env"), [(["-O"], {}), ([], {"PYTHONOPTIMIZE": "1"})])
def test_it_refuses_to_run_without_its_assertions(flags: list[str], env: dict[str, str]) -> None:
    done = started(*flags, "main.py", "status", **env)
    assert done.returncode == ExitCode.FAILURE
    assert "run Python without -O" in done.stderr
    assert done.stdout == ""


HEAVY = {
    *("typer", "pydantic", "pydantic_core", "dotenv", "pandas", "fastapi", "uvicorn", "textual"),
    *("asyncio", "logging", "structlog", "aiohttp", "subprocess", "email", "urllib.request"),
    *("pointsman.cli.command_line", "pointsman.config.fields", "pointsman.config.settings"),
    *("pointsman.execution.desk", "pointsman.storage.sqlite_manager", "pointsman.engine.assembly"),
}

START = "import sys; from pointsman.cli.app import main; sys.exit(main())"


@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_status_loads_what_it_needs_and_no_more(tmp_path: Path, flags: list[str]) -> None:
    """Each of these takes longer than the answer, or is for those who write."""
    database = tmp_path / "t.db"
    with closing(SqliteManager(database)) as manager:
        manager.open()
    words = ["status", "--db", str(database), *flags]
    probe = f"import sys\nfrom pointsman.cli.app import main\nsys.argv[1:] = {words}\n"
    probe += f"code = main()\nprint(code, sorted({HEAVY} & set(sys.modules)))"
    done = started("-c", probe, PYTHONPATH=str(ROOT / "src"))
    assert done.stdout.rstrip().endswith("0 []"), done.stderr or done.stdout[-500:]
