"""`status` in plain words is answered without the command line, and as the command line would."""

from pathlib import Path
from typing import Any

import pytest

from pointsman.cli import status_verb
from pointsman.cli.command_line import app

PLAIN = [
    ("status", "env.db", False),
    ("status --json", "env.db", True),
    ("--json status", "env.db", True),
    ("status --db a.db", "a.db", False),
    ("--db a.db status --json", "a.db", True),
    ("--db status status", "status", False),
    ("--env-file other status", "other.db", False),
    ("status --env-file other --db a.db", "a.db", False),
    ("status --env-file none --db a.db", "a.db", False),
]
NOT_PLAIN = [
    "",
    "--json",
    "status --help",
    "status -h",
    "status -v",
    "status --verbose",
    "status --db=a.db",
    "status --db",
    "status --db --json",
    "status --js",
    "status --json --json",
    "--db a.db status --db b.db",
    "status status",
    "status now",
    "orders --db status",
    "orders status",
    "--version status",
    "status -- --json",
]


@pytest.fixture
def shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bool]]:
    """What would be shown, and whether as JSON."""
    calls: list[tuple[str, bool]] = []

    def show(database: Path, *, as_json: bool) -> None:
        calls.append((str(database), as_json))

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(status_verb, "show", show)
    monkeypatch.delenv("DATABASE_PATH", raising=False)
    (tmp_path / ".env").write_text("DATABASE_PATH=env.db\nMAX_SPREAD_BPS=ten\n")
    (tmp_path / "other").write_text("DATABASE_PATH=other.db\n")
    return calls


@pytest.mark.parametrize(("line", "database", "as_json"), PLAIN)
def test_plain_words_are_answered_and_as_by_the_command_line(
    shown: list[tuple[str, bool]], line: str, database: str, as_json: bool
) -> None:
    assert status_verb.is_answered(line.split())
    app(line.split(), standalone_mode=False)
    assert shown == [(database, as_json)] * 2


@pytest.mark.parametrize("line", NOT_PLAIN)
def test_all_else_is_left_to_the_command_line(shown: list[Any], line: str) -> None:
    assert not status_verb.is_answered(line.split())
    assert not shown


def test_a_path_that_cannot_be_read_is_left_to_the_command_line(
    shown: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_PATH_FILE", "/nowhere/path")
    assert not status_verb.is_answered(["status"])
    assert not shown
