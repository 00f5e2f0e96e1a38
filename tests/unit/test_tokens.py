"""Tokens that a start makes for itself, and the refusal to serve others without any (RULES 38)."""

import stat
from pathlib import Path

import pytest

from pointsman.config.problems import SettingsError
from pointsman.config.settings import Settings, resolve_settings
from pointsman.config.tokens import (
    SCOPE_FIELDS,
    check_tokens,
    tokens_file,
    who_needs_a_token,
    with_made_tokens,
    with_tokens,
)

DATABASE = Path("somewhere") / "trading.db"
NAMES = ("READ_TOKEN", "SIGNAL_TOKEN", "CONTROL_TOKEN", "WEBHOOK_TOKEN")
MINE, OTHER = "mine-0123456789abcdef", "other-0123456789abcdef"


def settings(**env: str) -> Settings:
    return resolve_settings(env, None, {}).settings


def values(found: Settings) -> list[str]:
    tokens = (found.read_token, found.signal_token, found.control_token, found.webhook_token)
    return [token.get_secret_value() for token in tokens if token is not None]


def test_the_first_start_makes_one_of_each_and_later_ones_read_them(tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    asked = settings(TOKENS_PATH=str(path), HTTP_HOST="0.0.0.0")
    first, again = with_tokens(asked, DATABASE), with_tokens(asked, DATABASE)
    assert (first.path, first.is_new, again.path, again.is_new) == (path, True, path, False)
    assert len(set(values(first.settings))) == 4
    assert min(map(len, values(first.settings))) >= 40
    assert values(again.settings) == values(first.settings)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["tokens"]
    lines = path.read_text().splitlines()
    assert [line.partition("=")[0] for line in lines] == list(NAMES)
    shown = {name: (value, source) for name, value, source in first.settings.shown()}
    assert {shown[name] for name in NAMES} == {("********", "file")}
    for value in values(first.settings):
        assert value not in repr(first.settings) + str(first.settings.shown())


@pytest.mark.parametrize("field", SCOPE_FIELDS)
def test_where_any_scope_has_a_token_none_is_made(field: str, tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    given = settings(TOKENS_PATH=str(path), **{field.upper(): MINE})
    found = with_tokens(given, DATABASE)
    assert (found.settings, found.path, path.exists()) == (given, None, False)


def test_a_token_of_the_webhook_alone_is_kept_beside_the_others(tmp_path: Path) -> None:
    """No other one is made, which would open nothing; without the setting there is no webhook."""
    path = tmp_path / "t"
    found = with_tokens(settings(TOKENS_PATH=str(path), WEBHOOK_TOKEN=MINE), DATABASE)
    assert values(found.settings)[3] == MINE
    assert found.settings.control_token is not None
    made = [line.partition("=")[0] for line in path.read_text().splitlines()]
    assert made == ["READ_TOKEN", "SIGNAL_TOKEN", "CONTROL_TOKEN"]
    without = with_tokens(settings(TOKENS_PATH=str(path)), DATABASE)
    assert without.settings.webhook_token is None
    assert "WEBHOOK_TOKEN" not in without.settings.sources
    assert without.settings.control_token == found.settings.control_token


@pytest.mark.parametrize(
    ("env", "names"),
    [
        ({"HTTP_HOST": "0.0.0.0"}, "HTTP_HOST"),
        ({"HTTP_HOST": "::"}, "HTTP_HOST"),
        ({"HTTP_HOST": "desk.example"}, "HTTP_HOST"),
        ({"HTTP_HOST": "0.0.0.0", "WEBHOOK_TOKEN": MINE}, "HTTP_HOST"),
        ({"HTTP_HOST": "0.0.0.0", "TOKENS_PATH": "/nowhere/tokens"}, "TOKENS_PATH"),
        ({"TOKENS_PATH": "/nowhere/tokens"}, "TOKENS_PATH"),
        ({"TOKENS_PATH": "/"}, "TOKENS_PATH"),
    ],
)
def test_nobody_is_served_without_a_token_from_elsewhere(env: dict[str, str], names: str) -> None:
    with pytest.raises(SettingsError) as refused:
        with_tokens(settings(**env), DATABASE)
    with pytest.raises(SettingsError) as checked:
        check_tokens(settings(**env), DATABASE)
    (problem,) = refused.value.problems
    assert checked.value.problems == refused.value.problems
    assert problem.variable == names
    if names == "HTTP_HOST":
        for token in ("READ_TOKEN", "SIGNAL_TOKEN", "CONTROL_TOKEN", "TOKENS_PATH"):
            assert token in problem.remedy


@pytest.mark.parametrize(
    "text", ["", "READ_TOKEN=a\nSIGNAL_TOKEN=b\n", "READ_TOKEN=two words\n", "=\n", "\xff\xfe"]
)
def test_a_file_that_is_not_whole_is_no_reason_to_serve_without(tmp_path: Path, text: str) -> None:
    path = tmp_path / "tokens"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(SettingsError) as refused:
        with_tokens(settings(TOKENS_PATH=str(path)), DATABASE)
    (problem,) = refused.value.problems
    assert problem.variable == "TOKENS_PATH"
    assert "two words" not in str(problem)
    assert path.read_bytes() == text.encode("latin-1"), "what is there is never replaced"


def test_on_this_machine_no_token_is_needed() -> None:
    plain = settings()
    assert with_tokens(plain, DATABASE) == (plain, None, False)


def test_a_check_makes_no_tokens(tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    check_tokens(settings(HTTP_HOST="0.0.0.0", TOKENS_PATH=str(path)), DATABASE)
    assert not path.exists()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("WEBHOOK_TOKEN", MINE),
        ("WEBHOOK_SECRET", MINE),
        ("HTTP_ALLOWED_HOSTS", "desk.example"),
    ],
)
def test_rule_57_a_setting_that_says_elsewhere_makes_tokens_beside_the_database(
    tmp_path: Path, name: str, text: str
) -> None:
    database = tmp_path / "trading.db"
    asked = settings(**{name: text}, DATABASE_PATH=str(database))
    assert who_needs_a_token(asked).startswith("every caller needs a token")
    assert name in who_needs_a_token(asked)
    check_tokens(asked, database)
    assert not list(tmp_path.iterdir()), "a check makes nothing"
    first = with_tokens(asked, database)
    assert (first.path, first.is_new) == (tmp_path / "trading.db.tokens", True)
    assert first.settings.control_token is not None
    command = with_made_tokens(settings(), database)
    assert command.control_token == first.settings.control_token
    if name == "WEBHOOK_TOKEN":
        assert values(first.settings)[3] == MINE


def test_rule_57_nothing_is_made_where_nothing_says_elsewhere_or_tokens_are_set(
    tmp_path: Path,
) -> None:
    database = tmp_path / "trading.db"
    assert tokens_file(settings(), database) is None
    assert who_needs_a_token(settings()).startswith("callers on this machine need no token")
    with_one = settings(WEBHOOK_TOKEN=MINE, READ_TOKEN=OTHER)
    assert tokens_file(with_one, database) is None
    assert with_tokens(with_one, database).settings == with_one
    assert with_made_tokens(with_one, database) == with_one
    assert with_made_tokens(settings(), database) == settings()


def test_rule_36_other_machines_are_served_only_where_one_of_them_may_rearm() -> None:
    for field in SCOPE_FIELDS[:2]:
        asked = settings(HTTP_HOST="0.0.0.0", **{field.upper(): MINE})
        with pytest.raises(SettingsError) as refused:
            with_tokens(asked, DATABASE)
        (problem,) = refused.value.problems
        assert problem.variable == "CONTROL_TOKEN"
        assert "HTTP_HOST=0.0.0.0" in problem.remedy
    control = settings(HTTP_HOST="0.0.0.0", CONTROL_TOKEN=MINE)
    assert with_tokens(control, DATABASE).settings == control


def test_rule_36_a_secret_in_the_settings_may_not_equal_one_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    made = with_tokens(settings(TOKENS_PATH=str(path)), DATABASE).settings
    assert made.signal_token is not None
    taken = made.signal_token.get_secret_value()
    for name in ("WEBHOOK_TOKEN", "WEBHOOK_SECRET"):
        with pytest.raises(SettingsError, match=f"{name} equals SIGNAL_TOKEN") as refused:
            with_tokens(settings(TOKENS_PATH=str(path), **{name: taken}), DATABASE)
        assert taken not in str(refused.value)
