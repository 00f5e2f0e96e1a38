"""Problems: what a person reads when the configuration cannot be used."""

import pytest

from pointsman.config.problems import SettingProblem, SettingsError, close_match, did_you_mean

NAMES = ("MAX_SPREAD_BPS", "MAX_SLIPPAGE_BPS", "COOLDOWN_DURATION_SECONDS", "HTTP_PORT")


def test_a_problem_names_the_variable_the_value_the_place_and_what_would_do() -> None:
    problem = SettingProblem("MAX_SPREAD_BPS", "wide", "write a number", "/etc/desk/.env line 3")
    assert str(problem) == "MAX_SPREAD_BPS='wide' (/etc/desk/.env line 3): write a number"


def test_a_long_value_is_cut_short() -> None:
    assert str(SettingProblem("A", "x" * 1000, "write less")) == f"A='{'x' * 80}…': write less"


def test_the_error_holds_every_problem_one_a_line() -> None:
    error = SettingsError([SettingProblem("A", "1", "one"), SettingProblem("B", "2", "two")])
    assert str(error) == "A='1': one\nB='2': two"
    assert [problem.variable for problem in error.problems] == ["A", "B"]


@pytest.mark.parametrize(
    ("name", "match"),
    [
        ("MAX_SPRAED_BPS", "MAX_SPREAD_BPS"),
        ("max_spread_bps", "MAX_SPREAD_BPS"),
        ("COOLDOWN_SECONDS", "COOLDOWN_DURATION_SECONDS"),
        ("HTTP_PROXY", None),
        ("PATH", None),
        ("", None),
    ],
)
def test_a_name_that_is_nearly_known_is_recognised(name: str, match: str | None) -> None:
    assert close_match(name, NAMES) == match
    assert did_you_mean(name, NAMES) == (f"; did you mean {match}?" if match else "")


def test_a_name_with_another_number_is_another_one() -> None:
    accounts = ("VA001", "VA002", "VA003")
    assert close_match("VA007", accounts) is None
    assert close_match("va02", accounts) == "VA002"
