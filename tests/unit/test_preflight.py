"""Before a start: every layer is looked at in one pass, and no problem hides another one."""

from pathlib import Path

import pytest

from pointsman.config.problems import SettingProblem, SettingsError
from pointsman.config.settings import read_given
from pointsman.service.preflight import checked

# apprise is loaded where NOTIFY_URLS is set, and imports what newer Pythons drop.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

TOKEN = "token-0123456789abcdef"
FAULTY = {
    "MAX_SPREAD_BPS": "x",
    "VIRTUAL_ACCOUNTS": "VA001",
    "VA007__MAX_LEVERAGE": "2",
    "HTTP_HOST": "0.0.0.0",
    "WEBHOOK_TOKEN": "five5",
    "NOTIFY_URLS": "zzz",
    "INSTRUMENTS_FILE": "bad.json",
    "DATABASE_PATH": "none/t.db",
    "KILL_SWITCH_FILE": "none/KILL",
    "TRADING_TIMEZONE": "Mars",
}
"""Something wrong in every layer."""

NAMED = (
    "VIRTUAL_ACCOUNTS MAX_SPREAD_BPS TRADING_TIMEZONE WEBHOOK_TOKEN VA007__MAX_LEVERAGE HTTP_HOST"
    " NOTIFY_URLS AAPL.tick AAPL.lots DATABASE_PATH KILL_SWITCH_FILE"
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.json").write_text('{"AAPL": {"tick": "x", "lots": "1"}}')
    (tmp_path / "same.tokens").write_text(
        "".join(f"{scope}_TOKEN={TOKEN}\n" for scope in ("READ", "SIGNAL", "CONTROL", "WEBHOOK"))
    )
    return tmp_path


def problems(
    env: dict[str, str], *, is_served: bool = True, env_file: Path | None = None
) -> list[SettingProblem]:
    """What prevents a start with these settings."""
    given = read_given(env, env_file, {})
    try:
        checked(given, given.settings.database_path, is_served=is_served)
    except SettingsError as error:
        return list(error.problems)
    return []


def names(env: dict[str, str], *, is_served: bool = True) -> list[str]:
    return [problem.variable for problem in problems(env, is_served=is_served)]


def test_every_layer_is_told_at_once(folder: Path) -> None:
    found = problems(FAULTY)
    assert {problem.variable for problem in found} == set(NAMED.split())
    assert len(found) == len(NAMED.split())
    for problem in found:
        assert problem.remedy, problem
        assert problem.where in ("environment", "bad.json"), problem
    assert [each.name for each in folder.glob("*")] == ["bad.json", "same.tokens"]


def test_what_prevents_a_start_at_a_real_venue_is_told_with_all_else() -> None:
    real = {"VENUE": "alpaca", "VENUE_URL": "https://elsewhere.example", "VENUE_SECRET": "a b"}
    found = {problem.variable: problem for problem in problems({**FAULTY, **real})}
    assert set(found) == {*NAMED.split(), "VENUE_KEY", "VENUE_URL", "VENUE_SECRET"}
    assert found["VENUE_URL"].where == "environment"
    assert found["VENUE_KEY"].where == "default"
    assert "a b" not in "".join(map(str, found.values()))


@pytest.mark.parametrize("name", sorted({"MAX_SPREAD_BPS", "VIRTUAL_ACCOUNTS", "WEBHOOK_TOKEN"}))
def test_no_problem_depends_on_another_one_being_mended(name: str) -> None:
    mended = {variable: text for variable, text in FAULTY.items() if variable != name}
    left = set(NAMED.split()) - {name}
    assert set(names(mended)) == left


@pytest.mark.parametrize(
    ("env", "told"),
    [
        ({}, ""),
        ({"HTTP_HOST": "0.0.0.0"}, "HTTP_HOST"),
        ({"HTTP_HOST": "0.0.0.0", "READ_TOKEN": TOKEN}, "CONTROL_TOKEN"),
        ({"HTTP_HOST": "0.0.0.0", "READ_TOKEN": "short"}, "READ_TOKEN CONTROL_TOKEN"),
        ({"HTTP_HOST": "0.0.0.0", "CONTROL_TOKEN": "short"}, "CONTROL_TOKEN"),
        ({"HTTP_HOST": "0.0.0.0", "CONTROL_TOKEN_FILE": "none"}, "CONTROL_TOKEN_FILE"),
        ({"HTTP_HOST": "0.0.0.0", "TOKENS_PATH_FILE": "none"}, "TOKENS_PATH_FILE"),
        ({"READ_TOKEN": TOKEN, "WEBHOOK_TOKEN": TOKEN}, "WEBHOOK_TOKEN"),
        ({"WEBHOOK_SECRET": TOKEN, "TOKENS_PATH": "same.tokens"}, "TOKENS_PATH"),
        ({"WEBHOOK_TOKEN": "short", "WEBHOOK_SECRET": "short"}, "WEBHOOK_TOKEN WEBHOOK_SECRET"),
        ({"TOKENS_PATH": "none/tokens"}, "TOKENS_PATH"),
        ({"TOKENS_PATH": "."}, "TOKENS_PATH"),
        ({"VIRTUAL_ACCOUNTS_FILE": "none", "VA9__MAX_LEVERAGE": "2"}, "VIRTUAL_ACCOUNTS_FILE"),
        (
            {"VIRTUAL_ACCOUNTS_FILE": "none", "VA9__MAX_LEVERAGE": "0"},
            "VIRTUAL_ACCOUNTS_FILE VA9__MAX_LEVERAGE",
        ),
        ({"INSTRUMENTS_FILE": "none.json"}, "INSTRUMENTS_FILE"),
        ({"INSTRUMENTS_FILE": "."}, "INSTRUMENTS_FILE"),
        ({"DATABASE_PATH": "."}, "DATABASE_PATH"),
        ({"DATABASE_PATH": "bad.json/t.db"}, "DATABASE_PATH"),
        ({"DATABASE_PATH": "", "MAX_LEVERAGE": "0"}, "MAX_LEVERAGE DATABASE_PATH"),
        ({"KILL_SWITCH_FILE": "."}, "KILL_SWITCH_FILE"),
        ({"KILL_SWITCH_FILE": "KILL", "NOTIFY_URLS": "json://host/path"}, ""),
    ],
)
def test_what_is_told_of_settings_that_depend_on_each_other(env: dict[str, str], told: str) -> None:
    assert names(env) == told.split()


def test_a_run_that_serves_nobody_needs_no_tokens_and_no_addresses() -> None:
    env = {"HTTP_HOST": "0.0.0.0", "NOTIFY_URLS": "zzz", "KILL_SWITCH_FILE": "none/KILL"}
    assert names(env, is_served=False) == ["KILL_SWITCH_FILE"]


def test_the_place_of_a_setting_is_told_whoever_finds_the_problem(folder: Path) -> None:
    dotenv = folder / "desk.env"
    dotenv.write_text("# desk\nDATABASE_PATH=none/t.db\nTOKENS_PATH=none/tokens\n")
    found = problems({"NOTIFY_URLS": "zzz"}, env_file=dotenv)
    assert {(problem.variable, problem.where) for problem in found} == {
        ("DATABASE_PATH", f"{dotenv} line 2"),
        ("TOKENS_PATH", f"{dotenv} line 3"),
        ("NOTIFY_URLS", "environment"),
    }


def test_where_the_file_of_settings_cannot_be_read_nothing_is_said_to_be_missing() -> None:
    env = {"HTTP_HOST": "0.0.0.0", "INSTRUMENTS_FILE": "none.json"}
    found = problems(env, env_file=Path("none.env"))
    assert [problem.variable for problem in found] == ["--env-file", "INSTRUMENTS_FILE"]


def test_sound_settings_are_given_with_their_warnings() -> None:
    loaded = checked(read_given({"MAX_SPREAD_BP": "7"}, None, {}), None, is_served=True)
    assert loaded.settings.http_port == 8080
    assert "did you mean MAX_SPREAD_BPS?" in loaded.warnings[0]
