"""The options of every verb, and what they lead to."""

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from pointsman.cli.options import Options, read_settings, takes_options
from pointsman.config.problems import SettingsError
from pointsman.config.sources import SettingSource

RUN = CliRunner()


def application(seen: list[Options]) -> typer.Typer:
    """A group in a group, with one verb that notes its options."""
    app, inner = typer.Typer(), typer.Typer()

    def show(options: Options, word: str) -> None:
        assert word == "hello"
        seen.append(options)

    def before(_options: Options) -> None:
        """Nothing to do: the options are kept for the verb."""

    for level in (app, inner):
        level.callback()(takes_options(before))
    inner.command("show")(takes_options(show))
    app.add_typer(inner, name="inner")
    return app


@pytest.mark.parametrize(
    "line",
    [
        "--db x.db --json -v inner show hello",
        "inner --db x.db --json --verbose show hello",
        "inner show hello --db x.db --json -v",
        "--json --db other.db inner -v show --db x.db hello",
    ],
)
def test_options_may_stand_before_and_after_the_verb(line: str) -> None:
    seen: list[Options] = []
    result = RUN.invoke(application(seen), line.split())
    assert result.exit_code == 0, result.output
    assert seen == [Options(None, Path("x.db"), True, True)]


def test_without_options_nothing_is_set() -> None:
    seen: list[Options] = []
    RUN.invoke(application(seen), ["inner", "show", "hello"])
    assert seen == [Options()]


def test_the_database_of_the_command_line_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_PATH", "env.db")
    assert read_settings(Options()).settings.database_path == Path("env.db")
    settings = read_settings(Options(db=Path("flag.db"))).settings
    assert settings.database_path == Path("flag.db")
    assert settings.sources["DATABASE_PATH"] is SettingSource.FLAG


def test_a_dotenv_is_read_where_it_is_there_and_a_named_one_must_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("MAX_SPREAD_BPS=7\n")
    (tmp_path / "other.env").write_text("MAX_SPREAD_BPS=8\n")
    assert read_settings(Options()).settings.max_spread_bps == 7
    assert read_settings(Options(Path("other.env"))).settings.max_spread_bps == 8
    with pytest.raises(SettingsError, match=r"none\.env"):
        read_settings(Options(Path("none.env")))
