"""Sources: layers, `.env`, files that hold a value, and names that are nearly ours."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from pointsman.config.problems import MASK, SettingProblem, SettingsError
from pointsman.config.settings import resolve_settings
from pointsman.config.sources import (
    Layer,
    SettingEntry,
    SettingSource,
    find,
    limits_by_va,
    read_dotenv,
    unknown_names,
)

SPREAD = "MAX_SPREAD_BPS"
VA_IDS = frozenset({"VA001", "VA002", "a-b"})


def layer(source: SettingSource, variables: Mapping[str, str]) -> Layer:
    return Layer(source, str(source), variables)


def env(variables: Mapping[str, str]) -> list[Layer]:
    return [layer(SettingSource.ENV, variables)]


@pytest.mark.parametrize(
    ("flags", "env", "dotenv", "text", "source"),
    [
        ({SPREAD: "1"}, {SPREAD: "2"}, {SPREAD: "3"}, "1", SettingSource.FLAG),
        ({}, {SPREAD: "2"}, {SPREAD: "3"}, "2", SettingSource.ENV),
        ({}, {}, {SPREAD: "3"}, "3", SettingSource.DOTENV),
        ({}, {SPREAD: ""}, {SPREAD: "3"}, "", SettingSource.ENV),
        ({}, {SPREAD: " 2\n"}, {}, "2", SettingSource.ENV),
        ({}, {SPREAD: "2", f"{SPREAD}_FILE": ""}, {}, "2", SettingSource.ENV),
        ({}, {f"{SPREAD}_FILE": ""}, {SPREAD: "3"}, "3", SettingSource.DOTENV),
    ],
)
def test_flags_win_over_environment_over_dotenv(
    flags: dict[str, str],
    env: dict[str, str],
    dotenv: dict[str, str],
    text: str,
    source: SettingSource,
) -> None:
    problems: list[SettingProblem] = []
    layers = [
        layer(SettingSource.FLAG, flags),
        layer(SettingSource.ENV, env),
        layer(SettingSource.DOTENV, dotenv),
    ]
    assert find(SPREAD, layers, problems) == SettingEntry(SPREAD, text, source, str(source))
    assert find("MAX_LEVERAGE", layers, problems) is None
    assert not problems


def test_a_setting_is_read_from_the_file_that_name_file_names(tmp_path: Path) -> None:
    held = tmp_path / "token"
    held.write_text("hunter2\n")
    problems: list[SettingProblem] = []
    layers = [
        layer(
            SettingSource.ENV, {"READ_TOKEN_FILE": str(held), "READ_TOKEN": "", "SIGNAL_TOKEN": "s"}
        ),
        layer(SettingSource.DOTENV, {"READ_TOKEN": "lower", "SIGNAL_TOKEN_FILE": "/nowhere"}),
    ]
    read = find("READ_TOKEN", layers, problems)
    assert read == SettingEntry("READ_TOKEN_FILE", "hunter2", SettingSource.FILE, f"file {held}")
    signal = find("SIGNAL_TOKEN", layers, problems)
    assert signal is not None
    assert signal.text == "s"
    assert not problems


def test_a_name_that_ends_in_file_by_itself_is_not_read_from_a_file(tmp_path: Path) -> None:
    problems: list[SettingProblem] = []
    found = find("KILL_SWITCH_FILE", env({"KILL_SWITCH_FILE": str(tmp_path / "kill")}), problems)
    assert found is not None
    assert found.text == str(tmp_path / "kill")
    held = tmp_path / "path"
    held.write_text("/run/kill")
    found = find("KILL_SWITCH_FILE", env({"KILL_SWITCH_FILE_FILE": str(held)}), problems)
    assert found is not None
    assert found.text == "/run/kill"
    assert not problems


@pytest.mark.parametrize(
    ("name", "variables", "problem"),
    [
        (
            SPREAD,
            {SPREAD: "1", f"{SPREAD}_FILE": "/x"},
            SettingProblem(SPREAD, "1", f"{SPREAD}_FILE is set as well; keep one of them", "env"),
        ),
        (
            "READ_TOKEN",
            {"READ_TOKEN": "hunter2", "READ_TOKEN_FILE": "/x"},
            SettingProblem(
                "READ_TOKEN", MASK, "READ_TOKEN_FILE is set as well; keep one of them", "env"
            ),
        ),
        (
            SPREAD,
            {f"{SPREAD}_FILE": "/nowhere/at/all"},
            SettingProblem(
                f"{SPREAD}_FILE",
                "/nowhere/at/all",
                "No such file or directory; name a file that can be read",
                "env",
            ),
        ),
        (
            SPREAD,
            {f"{SPREAD}_FILE": "/"},
            SettingProblem(
                f"{SPREAD}_FILE", "/", "Is a directory; name a file that can be read", "env"
            ),
        ),
        (
            SPREAD,
            {f"{SPREAD}_FILE": "/dev/zero"},
            SettingProblem(
                f"{SPREAD}_FILE",
                "/dev/zero",
                "the file is larger than 65536 bytes; name a file that can be read",
                "env",
            ),
        ),
    ],
)
def test_a_value_that_cannot_be_had_is_a_problem(
    name: str, variables: dict[str, str], problem: SettingProblem
) -> None:
    problems: list[SettingProblem] = []
    assert find(name, env(variables), problems) is None
    assert problems == [problem]


def test_a_file_that_is_not_text_is_a_problem(tmp_path: Path) -> None:
    held = tmp_path / "held"
    held.write_bytes(b"\xff\xfe1")
    problems: list[SettingProblem] = []
    assert find(SPREAD, env({f"{SPREAD}_FILE": str(held)}), problems) is None
    assert [problem.remedy for problem in problems] == ["save the file as UTF-8"]


def test_dotenv_is_taken_literally_with_its_lines(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text(
        "# a comment\n\nexport MAX_SPREAD_BPS=12 # wide\nREAD_TOKEN='a$HOME${X}'\n\n"
        'NOTIFY_URLS="one two"\nMAX_DAILY_LOSS=\nMAX_SPREAD_BPS=13\n'
    )
    path.chmod(0o600)
    problems: list[SettingProblem] = []
    warnings: list[str] = []
    read = read_dotenv(path, problems, warnings)
    assert read.variables == {
        "MAX_SPREAD_BPS": "13",
        "READ_TOKEN": "a$HOME${X}",
        "NOTIFY_URLS": "one two",
        "MAX_DAILY_LOSS": "",
    }
    assert read.lines == {
        "MAX_SPREAD_BPS": 8,
        "READ_TOKEN": 4,
        "NOTIFY_URLS": 6,
        "MAX_DAILY_LOSS": 7,
    }
    assert read.place_of("READ_TOKEN") == f"{path} line 4"
    assert warnings == [f"MAX_SPREAD_BPS appears twice in {path}: line 8 wins over line 3"]
    assert not problems


def test_a_bad_line_of_dotenv_is_a_problem_and_its_text_stays_hidden(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("MAX_SPREAD_BPS=1\nhunter2\nREAD_TOKEN='open\nMAX_LEVERAGE=2\n")
    problems: list[SettingProblem] = []
    read = read_dotenv(path, problems, [])
    assert [(problem.variable, problem.where) for problem in problems] == [
        ("line 2", str(path)),
        ("line 3", str(path)),
    ]
    assert "hunter2" not in str(problems)
    assert read.variables == {"MAX_SPREAD_BPS": "1", "MAX_LEVERAGE": "2"}


@pytest.mark.parametrize(
    ("mode", "text", "is_told"),
    [
        (0o600, "VENUE_KEY=abc", False),
        (0o640, "VENUE_KEY=abc", False),
        (0o604, "VENUE_KEY=abc", True),
        (0o604, "VENUE_KEY=\nMAX_SPREAD_BPS=7", False),
        (0o604, "this may be part of a secret", True),
    ],
)
def test_a_dotenv_with_secrets_that_everybody_may_read_is_pointed_out(
    tmp_path: Path, mode: int, text: str, is_told: bool
) -> None:
    path = tmp_path / ".env"
    path.write_text(f"{text}\n")
    path.chmod(mode)
    warnings: list[str] = []
    read_dotenv(path, [], warnings)
    told = f"{path} can be read by every user of this machine; chmod 600 {path}"
    assert warnings == ([told] if is_told else [])


def test_a_dotenv_that_is_named_and_not_there_is_a_problem(tmp_path: Path) -> None:
    problems: list[SettingProblem] = []
    assert not read_dotenv(tmp_path / "none", problems, []).variables
    assert [problem.variable for problem in problems] == ["--env-file"]


def test_rule_18_limits_of_one_account_are_found_in_every_layer() -> None:
    problems: list[SettingProblem] = []
    layers = [
        layer(SettingSource.FLAG, {"VA001__MAX_POSITION_SIZE": "1"}),
        layer(
            SettingSource.ENV, {"VA001__MAX_LEVERAGE_FILE": "/x", "A__B": "", "PATH": "", "__X": ""}
        ),
        layer(SettingSource.DOTENV, {"a-b__TRADING_WINDOW_END": "12:00"}),
    ]
    assert limits_by_va(VA_IDS, layers, problems) == {
        "VA001": {"MAX_POSITION_SIZE", "MAX_LEVERAGE"},
        "a-b": {"TRADING_WINDOW_END"},
    }
    assert not problems


@pytest.mark.parametrize(
    ("variable", "remedy"),
    [
        (
            "VA0O1__MAX_LEVERAGE",
            "VIRTUAL_ACCOUNTS has no VA0O1; add it there, or remove this",
        ),
        ("EXTERNAL__MAX_LEVERAGE", "VIRTUAL_ACCOUNTS has no EXTERNAL; add it there"),
        ("VA001__MAX_POSITON_SIZE", "no limit MAX_POSITON_SIZE; did you mean MAX_POSITION_SIZE?"),
        ("VA001__COLOUR", "no limit COLOUR; use one of MAX_LOSS_COOLDOWN, "),
        (
            "VA001__DATABASE_PATH",
            "DATABASE_PATH holds for all accounts; remove VA001__",
        ),
    ],
)
def test_a_limit_of_one_account_that_cannot_be_is_a_problem(variable: str, remedy: str) -> None:
    problems: list[SettingProblem] = []
    assert not limits_by_va(VA_IDS, env({variable: "7"}), problems)
    assert [(problem.variable, problem.value) for problem in problems] == [(variable, "7")]
    assert problems[0].remedy.startswith(remedy)


def test_a_secret_under_the_name_of_an_account_stays_hidden() -> None:
    problems: list[SettingProblem] = []
    limits_by_va(VA_IDS, env({"VA001__READ_TOKEN": "hunter2"}), problems)
    assert [problem.value for problem in problems] == [MASK]


@pytest.mark.parametrize(
    ("variable", "in_env", "in_dotenv"),
    [
        ("MAX_SPRAED_BPS", "did you mean MAX_SPREAD_BPS?", "did you mean MAX_SPREAD_BPS?"),
        ("max_spread_bps", "did you mean MAX_SPREAD_BPS?", "did you mean MAX_SPREAD_BPS?"),
        ("READ_TOKEN_FILES", "did you mean READ_TOKEN_FILE?", "did you mean READ_TOKEN_FILE?"),
        (
            "VA9__MAX_POSITON_SIZE",
            "did you mean VA9__MAX_POSITION_SIZE?",
            "did you mean VA9__MAX_POSITION_SIZE?",
        ),
        ("PATH", None, "is ignored"),
        ("HTTP_PROXY", None, "is ignored"),
        ("AIRFLOW__LOGGING__LOG_LEVEL", None, "is ignored"),
        ("XMAX_SPREAD_BPS", None, "is ignored"),
        ("MAX_SPREAD_BPS", None, None),
        ("READ_TOKEN_FILE", None, None),
        ("VA001__MAX_LEVERAGE", None, None),
    ],
)
def test_an_unknown_name_is_pointed_out_where_it_was_meant_for_us(
    variable: str, in_env: str | None, in_dotenv: str | None
) -> None:
    for source, hint in ((SettingSource.ENV, in_env), (SettingSource.DOTENV, in_dotenv)):
        found = list(unknown_names(VA_IDS, [layer(source, {variable: "x"})]))
        assert len(found) == (0 if hint is None else 1)
        assert all(text.startswith(f"{variable} ({source})") for text in found)
        assert all(text.endswith(hint or "") for text in found)


@pytest.mark.parametrize("fault", [{"MAX_SPREAD_BPS": "ten"}, {"VIRTUAL_ACCOUNTS": "?"}])
def test_warnings_are_told_beside_problems(fault: dict[str, str]) -> None:
    with pytest.raises(SettingsError) as caught:
        resolve_settings({"MAX_SPRED_BPS": "3", **fault}, None, {})
    assert caught.value.warnings == (
        "MAX_SPRED_BPS (environment) is not a setting; did you mean MAX_SPREAD_BPS?",
    )


def test_an_ordinary_environment_causes_no_warning() -> None:
    names = (
        "PATH HOME LANG TERM SHELL USER LOGNAME PWD OLDPWD SHLVL EDITOR PAGER TZ LC_ALL DISPLAY "
        "HTTP_PROXY HTTPS_PROXY NO_PROXY http_proxy HOSTNAME PYTHONPATH VIRTUAL_ENV PORT HOST "
        "DATABASE_URL LOG_DIR LOG_FILE MAX_CONNECTIONS API_TOKEN GITHUB_TOKEN SSH_TTY "
        "KUBERNETES_SERVICE_HOST KUBERNETES_PORT_443_TCP_PROTO XDG_RUNTIME_DIR COLUMNS LINES"
    )
    assert resolve_settings(dict.fromkeys(names.split(), "x"), None, {}).warnings == ()


@pytest.mark.parametrize(
    ("name", "text", "hint"),
    [
        ("TRADING_TIMEZONE", '"America/New_York"', "quotation marks are part of the value"),
        ("MAX_SPREAD_BPS", "10 # basis points", "comment is part of the value"),
        ("VIRTUAL_ACCOUNTS", "'VA001:100000'", "quotation marks are part of the value"),
        ("DATABASE_PATH", '"/data/trading.db"', "quotation marks are part of the value"),
    ],
)
def test_what_a_file_of_docker_leaves_in_a_value_is_named(name: str, text: str, hint: str) -> None:
    with pytest.raises(SettingsError) as caught:
        resolve_settings({name: text}, None, {})
    (problem,) = caught.value.problems
    assert (problem.variable, problem.value) == (name, text)
    assert hint in problem.remedy
