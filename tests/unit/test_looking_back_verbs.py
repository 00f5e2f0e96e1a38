"""`whatif` as it is typed."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pointsman.cli.command_line import app
from pointsman.config.problems import SettingsError
from tests.looked_back import Session, session


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Session:
    return session(tmp_path_factory.mktemp("typed"), seconds=300)


def typed(told: Session, *words: str) -> str:
    answer = CliRunner().invoke(app, ["--db", str(told.database), "whatif", *words])
    if answer.exception is not None and not isinstance(answer.exception, SystemExit):
        raise answer.exception
    assert answer.exit_code == 0, answer.output
    return answer.stdout


def test_a_sweep_is_a_run_for_each_value_beside_what_is_set(told: Session) -> None:
    words = ("--set", "MAX_LOSS_COOLDOWN=0", "--sweep", "max_spread_bps=1, 5", "--json")
    document = json.loads(typed(told, *words))
    assert [run["settings"] for run in document["runs"]] == [
        {"MAX_LOSS_COOLDOWN": "0", "MAX_SPREAD_BPS": "1"},
        {"MAX_LOSS_COOLDOWN": "0", "MAX_SPREAD_BPS": "5"},
    ]
    assert "equity" not in document


def test_without_a_change_only_the_base_and_equity_where_it_is_asked_for(told: Session) -> None:
    document = json.loads(typed(told, "--json", "--equity"))
    assert (document["runs"], bool(document["equity"])) == ([], True)
    assert "as it was" in typed(told)


@pytest.mark.parametrize(
    "words",
    [("--set", "MAX_SPREAD=1"), ("--set", "MAX_SPREAD_BPS=wide"), ("--set", "PAPER_FEE_BPS=2")],
)
def test_what_cannot_be_changed_is_refused(told: Session, words: tuple[str, ...]) -> None:
    with pytest.raises(SettingsError):
        typed(told, *words)


def test_signals_alone_are_no_recorded_run(told: Session, tmp_path: Path) -> None:
    answer = CliRunner().invoke(
        app, ["--db", str(told.database), "whatif", "--signals", str(tmp_path)]
    )
    assert answer.exit_code == 2


def test_a_run_of_another_version_is_named(told: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pointsman.version.__version__", "9.9.9")
    answer = CliRunner().invoke(
        app, ["--db", str(told.database), "whatif", "--set", "MAX_SPREAD_BPS=9"]
    )
    assert answer.exit_code == 0
    assert "is decided again by 9.9.9" in answer.stderr


def test_the_report_is_told_or_written_as_a_page(told: Session, tmp_path: Path) -> None:
    runner, file = CliRunner(), tmp_path / "report.html"
    words = ["--db", str(told.database), "report"]
    assert "Accounts" in runner.invoke(app, words).stdout
    assert json.loads(runner.invoke(app, [*words, "--json"]).stdout)["trades"] is not None
    written = runner.invoke(app, [*words, "--html", str(file), "--json"])
    assert json.loads(written.stdout) == {"html": str(file), "bytes": file.stat().st_size}
