"""What a command ends with."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pointsman.cli import app
from pointsman.config.problems import Problem, SettingsError
from pointsman.engine.exit_codes import ExitCode
from pointsman.storage.errors import (
    CorruptDatabase,
    DatabaseBusy,
    NewerSchema,
    StorageError,
    StorageUnavailable,
)

ROOT = Path(__file__).resolve().parents[2]
HERE = Path("trading.db")

ENDS: list[tuple[Exception | SystemExit, ExitCode, str]] = [
    (SettingsError([Problem("A", "b", "do c")]), ExitCode.SETTINGS, "do c"),
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

    monkeypatch.setattr(app, "app", fails)
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


START = "import sys; from pointsman.cli.app import main; sys.exit(main())"


def test_help_answers_at_once() -> None:
    """None of the slow parts is loaded for it."""
    probe = f"{START[: START.index('sys.exit')]}\nsys.argv[1:] = ['--help']\nmain()\n"
    slow = {"pointsman.config.settings", "pointsman.execution.desk", "pointsman.storage.codec"}
    probe += f"print(sorted({slow} & set(sys.modules)))"
    done = started("-c", probe, PYTHONPATH=str(ROOT / "src"))
    assert done.returncode == 0, done.stderr
    assert "why" in done.stdout
    assert done.stdout.rstrip().endswith("[]")
