"""`pointsman dashboard` without what it needs."""

from pathlib import Path

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from pointsman.cli import dashboard_verb
from pointsman.cli.command_line import app
from pointsman.config.tokens import default_tokens_path
from pointsman.dashboard import http_link
from pointsman.dashboard.app import Dashboard
from pointsman.dashboard.http_link import BadUrl
from pointsman.dashboard.theme import STYLES, THEMES
from pointsman.engine.exit_codes import ExitCode
from pointsman.storage.errors import StorageUnavailable
from tests import story_database


def test_without_a_terminal_it_says_what_to_use_instead(tmp_path: Path) -> None:
    ended = CliRunner().invoke(app, ["dashboard", "--db", str(tmp_path / "none.db")])
    assert ended.exit_code == ExitCode.USAGE
    assert "needs a terminal. Without one, use `pointsman status`." in ended.stderr


def test_on_a_dumb_terminal_it_says_what_to_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dashboard_verb, "_is_on_a_terminal", lambda: True)
    monkeypatch.setenv("TERM", "dumb")
    ended = CliRunner().invoke(app, ["dashboard", "--db", str(tmp_path / "none.db")])
    assert ended.exit_code == ExitCode.USAGE
    assert "TERM=dumb. Set TERM to what yours is" in ended.stderr


@pytest.mark.parametrize(("code", "exit_code"), [(None, 0), (0, 0), (1, 1)])
def test_a_dashboard_that_has_failed_is_no_success(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int | None, exit_code: int
) -> None:
    monkeypatch.setattr(dashboard_verb, "_is_on_a_terminal", lambda: True)
    monkeypatch.setattr("pointsman.dashboard.app.Dashboard.run", lambda _self: None)
    monkeypatch.setattr("pointsman.dashboard.app.Dashboard.return_code", code)
    path = story_database.lived_day().store(tmp_path / "t.db")
    ended = CliRunner().invoke(app, ["dashboard", "--db", str(path)])
    assert ended.exit_code == exit_code, ended.output


@pytest.mark.parametrize(
    ("arguments", "environment", "theme"),
    [
        ((), {}, "dark"),
        ((), {"COLORFGBG": "0;15"}, "light"),
        ((), {"COLORFGBG": "15;0"}, "dark"),
        (("--theme", "terminal"), {"COLORFGBG": "0;15"}, "terminal"),
    ],
)
def test_the_theme_fits_the_terminal_or_is_chosen(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    environment: dict[str, str],
    theme: str,
) -> None:
    begun: list[str] = []

    def run(self: Dashboard) -> None:
        begun.append(self.chosen_theme)

    monkeypatch.setattr(dashboard_verb, "_is_on_a_terminal", lambda: True)
    monkeypatch.setattr(Dashboard, "run", run)
    monkeypatch.delenv("COLORFGBG", raising=False)
    path = story_database.lived_day().store(tmp_path / "t.db")
    ended = CliRunner().invoke(app, ["dashboard", "--db", str(path), *arguments], env=environment)
    assert (ended.exit_code, begun) == (0, [theme]), ended.output


def test_every_theme_of_the_command_is_one_of_the_dashboard() -> None:
    assert [each.value for each in dashboard_verb.ThemeName] == list(THEMES) == list(STYLES)


def test_without_a_database_it_says_what_makes_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dashboard_verb, "_is_on_a_terminal", lambda: True)
    ended = CliRunner().invoke(app, ["dashboard", "--db", str(tmp_path / "none.db")])
    assert isinstance(ended.exception, StorageUnavailable)
    assert "pointsman run" in str(ended.exception)


@pytest.mark.parametrize(
    ("url", "is_sent"),
    [
        ("http://127.0.0.1:8080", True),
        ("http://localhost:8080", True),
        ("https://[::1]", True),
        ("http://desk.example:8080", False),
        ("http://127.0.0.1.evil.example", False),
        ("http://[", False),
    ],
)
def test_rule_57_the_tokens_made_here_open_the_engine_here_and_go_nowhere_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, is_sent: bool
) -> None:
    database, sent = tmp_path / "t.db", []
    lines = [f"{name}_TOKEN={name * 4}\n" for name in ("READ", "SIGNAL", "CONTROL", "WEBHOOK")]
    default_tokens_path(database).write_text("".join(lines))

    def remote(_url: str, token: SecretStr | None) -> None:
        sent.append(token and token.get_secret_value())
        raise BadUrl("enough")

    monkeypatch.setattr(dashboard_verb, "_is_on_a_terminal", lambda: True)
    monkeypatch.setattr(http_link, "Remote", remote)
    ended = CliRunner().invoke(app, ["dashboard", "--db", str(database), "--url", url])
    assert (ended.exit_code, "enough" in ended.stderr) == (ExitCode.USAGE, True)
    assert sent == ["CONTROL" * 4 if is_sent else None]
