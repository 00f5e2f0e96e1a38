"""`pointsman dashboard` without what it needs."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from pointsman.cli.app import app
from pointsman.cli.dashboard import verb
from pointsman.cli.exits import ExitCode
from pointsman.storage.errors import StorageUnavailable


def test_without_a_terminal_it_says_what_to_use_instead(tmp_path: Path) -> None:
    ended = CliRunner().invoke(app, ["dashboard", "--db", str(tmp_path / "none.db")])
    assert ended.exit_code == ExitCode.USAGE
    assert "needs a terminal; `pointsman status`" in ended.stderr


def test_without_a_database_it_says_what_makes_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verb, "_is_on_a_terminal", lambda: True)
    ended = CliRunner().invoke(app, ["dashboard", "--db", str(tmp_path / "none.db")])
    assert isinstance(ended.exception, StorageUnavailable)
    assert "pointsman run" in str(ended.exception)
