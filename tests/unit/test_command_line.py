"""The command line: what it loads, and what it tells of each verb."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pointsman.cli.command_line import app

ROOT = Path(__file__).resolve().parents[2]
SLOW = {"pointsman.config.settings", "pointsman.execution.desk", "pointsman.storage.codec"}
GROUPS = ("accounts", "config", "db", "journal", "venue")


def test_help_answers_at_once() -> None:
    """None of the slow parts is loaded for it."""
    probe = "import sys; from pointsman.cli.app import main; sys.argv[1:] = ['--help']; main(); "
    done = subprocess.run(
        [sys.executable, "-c", f"{probe}print(sorted({SLOW} & set(sys.modules)))"],
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "why" in done.stdout
    assert done.stdout.rstrip().endswith("[]")


@pytest.mark.parametrize("group", [(), *((group,) for group in GROUPS)])
@pytest.mark.parametrize("option", ["--db", "--env-file", "--json", "--verbose"])
def test_each_level_takes_the_common_options(group: tuple[str, ...], option: str) -> None:
    told = CliRunner().invoke(app, [*group, "--help"], env={"COLUMNS": "120"})
    assert told.exit_code == 0
    assert option in told.output
