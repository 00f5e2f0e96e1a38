"""Real venues in the settings: what prevents a start there, and what makes it real money."""

import tomllib
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from pointsman.config import venue_settings
from pointsman.config.known_venues import CCXT, REAL_MONEY_SENTENCE
from pointsman.config.settings import Settings, resolve_settings
from pointsman.config.venue_settings import is_real_money, venue_problems
from pointsman.domain.policy import PositionMode

KEYS = {"VENUE_KEY": "K3y-of-mine", "VENUE_SECRET": "S3cret-of-mine"}
ALPACA = {"VENUE": "alpaca", **KEYS}
BINANCE = {"VENUE": "binanceusdm", **KEYS}
LIVE = {
    **ALPACA,
    "VENUE_SANDBOX": "false",
    "VENUE_LIVE": REAL_MONEY_SENTENCE,
    "GLOBAL_MAX_DAILY_LOSS": "500",
}


@pytest.fixture(autouse=True)
def ccxt_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether it is or not."""
    monkeypatch.setattr(venue_settings, "find_spec", lambda name: ModuleSpec(name, None))


def settings(env: dict[str, str]) -> Settings:
    return resolve_settings(env, None, {}).settings


def told(env: dict[str, str]) -> list[tuple[str, str]]:
    """What prevents a start, each with its setting."""
    return [(problem.variable, problem.remedy) for problem in venue_problems(settings(env))]


def test_the_paper_venue_needs_nothing() -> None:
    assert not told({})
    assert not told({**KEYS, "VENUE_SANDBOX": "false"})


def test_a_real_venue_needs_a_key_and_its_secret_both_told_at_once() -> None:
    assert [name for name, _ in told({"VENUE": "alpaca"})] == ["VENUE_KEY", "VENUE_SECRET"]
    assert told({"VENUE": "alpaca"})[0][1].startswith("alpaca needs a sandbox key of yours")


@pytest.mark.parametrize("name", ["binanceusdm", "bybit"])
def test_a_venue_without_its_package_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(venue_settings, "find_spec", lambda _: None)
    ((variable, remedy),) = told({**BINANCE, "VENUE": name})
    assert (variable, remedy) == ("VENUE", "needs ccxt: pip install ccxt==4.5.90")
    assert not told(ALPACA), "alpaca needs no package"


def test_what_is_to_be_installed_is_the_version_that_the_tests_use() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    assert project["project"]["optional-dependencies"]["ccxt"] == [CCXT]


def test_an_account_that_nets_has_no_hedge_mode() -> None:
    assert told({**ALPACA, "VENUE_POSITION_MODE": "hedge"}) == [
        ("VENUE_POSITION_MODE", "an account at alpaca has no such mode; use net")
    ]


def test_symbols_of_another_market_are_named() -> None:
    ((variable, remedy),) = told({**BINANCE, "SYMBOLS": "BTC/USDT:USDT,BTC/USDT,AAPL"})
    assert variable == "SYMBOLS"
    assert "of the form BTC/USDT:USDT" in remedy
    (problem,) = venue_problems(settings({**BINANCE, "SYMBOLS": "BTC/USDT:USDT,BTC/USDT,AAPL"}))
    assert problem.value == "BTC/USDT,AAPL"


# --- keys go nowhere else -------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["VENUE_URL", "VENUE_STREAM_URL", "VENUE_DATA_URL"])
@pytest.mark.parametrize(
    ("host", "is_accepted"),
    [
        ("127.0.0.1:9101", True),
        ("localhost:9101", True),
        ("[::1]:9101", True),
        ("paper-api.alpaca.markets", True),
        ("PAPER-API.alpaca.markets:443", True),
        ("api.alpaca.markets", False),
        ("testnet.binancefuture.com", False),
        ("127.0.0.1.example", False),
        ("localhost.example", False),
        ("paper-api.alpaca.markets.example", False),
        ("xpaper-api.alpaca.markets", False),
        ("192.0.2.1", False),
        ("0.0.0.0", False),
    ],
)
def test_rule_49_a_url_is_accepted_for_this_machine_and_the_sandbox_alone(
    name: str, host: str, is_accepted: bool
) -> None:
    scheme = "https" if name == "VENUE_URL" else "wss"
    problems = told({**ALPACA, name: f"{scheme}://{host}"})
    assert [variable for variable, _ in problems] == ([] if is_accepted else [name])


def test_rule_49_real_money_is_not_at_the_hosts_of_the_sandbox() -> None:
    ((variable, remedy),) = told({**LIVE, "VENUE_URL": "https://paper-api.alpaca.markets"})
    assert variable == "VENUE_URL"
    assert "the live account of alpaca: api.alpaca.markets" in remedy
    assert not told({**LIVE, "VENUE_URL": "https://api.alpaca.markets"})


def test_rule_49_a_key_leaves_this_machine_encrypted_only() -> None:
    ((variable, remedy),) = told({**ALPACA, "VENUE_URL": "http://paper-api.alpaca.markets"})
    assert (variable, remedy.endswith("use https or wss")) == ("VENUE_URL", True)


def test_quotes_for_the_paper_venue_come_from_any_venue_and_no_other_host() -> None:
    assert not told({"VENUE_DATA_URL": "wss://fstream.binance.com"})
    assert [name for name, _ in told({"VENUE_DATA_URL": "wss://quotes.example"})] == [
        "VENUE_DATA_URL"
    ]


# --- real money -----------------------------------------------------------------------------------


def test_rule_49_the_sandbox_is_the_default() -> None:
    assert settings(ALPACA).venue_sandbox
    assert not is_real_money(settings(ALPACA))
    assert not is_real_money(settings({**ALPACA, "VENUE_LIVE": REAL_MONEY_SENTENCE}))
    assert is_real_money(settings(LIVE))


@pytest.mark.parametrize(
    "sentence", ["", "yes", "true", "Yes, with real money", "yes with real money", "yes, with"]
)
def test_rule_49_real_money_wants_the_sentence_word_for_word(sentence: str) -> None:
    ((variable, remedy),) = told({**LIVE, "VENUE_LIVE": sentence})
    assert variable == "VENUE_LIVE"
    assert 'VENUE_LIVE="yes, with real money"' in remedy


NO_LIMIT = {name: text for name, text in LIVE.items() if name != "GLOBAL_MAX_DAILY_LOSS"}
TWO = {**NO_LIMIT, "VIRTUAL_ACCOUNTS": "VA001:100,VA002:100"}


@pytest.mark.parametrize(
    ("env", "without"),
    [
        (TWO, "VA001, VA002"),
        ({**TWO, "VA001__MAX_DAILY_LOSS": "5"}, "VA002"),
        ({**TWO, "MAX_TRADES_PER_DAY": "5"}, "VA001, VA002"),
        ({**TWO, "MAX_DAILY_LOSS": "5", "VA002__MAX_DAILY_LOSS": ""}, "VA002"),
        ({**TWO, "ALLOW_UNLIMITED_LOSS": "true"}, ""),
        ({**TWO, "MAX_DAILY_LOSS": "5"}, ""),
        ({**TWO, "MAX_DRAWDOWN_PERCENTAGE": "5"}, ""),
        ({**TWO, "GLOBAL_MAX_DAILY_LOSS": "5"}, ""),
        ({**TWO, "GLOBAL_MAX_DRAWDOWN_PERCENTAGE": "5"}, ""),
        ({**TWO, "VA001__MAX_DAILY_LOSS": "5", "VA002__MAX_DRAWDOWN_PERCENTAGE": "5"}, ""),
        ({**TWO, "VENUE_SANDBOX": "true"}, ""),
        ({**TWO, "VENUE_SHADOW": "true", "VENUE_LIVE": ""}, ""),
    ],
)
def test_real_money_wants_a_limit_on_what_may_be_lost(env: dict[str, str], without: str) -> None:
    problems = told(env)
    assert [name for name, _ in problems] == (["MAX_DAILY_LOSS"] if without else [])
    if without:
        assert f"the loss of {without}; set MAX_DAILY_LOSS" in problems[0][1]
        assert problems[0][1].endswith("ALLOW_UNLIMITED_LOSS=true")


def test_a_shadow_needs_an_account_to_read() -> None:
    ((name, remedy),) = told({"VENUE_SHADOW": "true"})
    assert name == "VENUE_SHADOW"
    assert "no account to read; name one with VENUE=binanceusdm or bybit or alpaca" in remedy


def test_all_that_prevents_a_start_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(venue_settings, "find_spec", lambda _: None)
    problems = told(
        {
            "VENUE": "bybit",
            "VENUE_SANDBOX": "false",
            "VENUE_URL": "https://elsewhere.example",
            "SYMBOLS": "AAPL",
        }
    )
    assert sorted(name for name, _ in problems) == [
        "MAX_DAILY_LOSS",
        "SYMBOLS",
        "VENUE",
        "VENUE_KEY",
        "VENUE_LIVE",
        "VENUE_SECRET",
        "VENUE_URL",
    ]


def test_what_depends_on_a_setting_that_cannot_be_read_is_not_looked_at() -> None:
    found = settings(NO_LIMIT)
    names = [problem.variable for problem in venue_problems(found)]
    assert names == ["MAX_DAILY_LOSS"]
    assert not venue_problems(found, frozenset({"VA002__MAX_DAILY_LOSS"}))
    assert not venue_problems(settings({"VENUE": "alpaca"}), frozenset({"VENUE"}))
    assert not venue_problems(found, frozenset({"VENUE_SANDBOX"}))


# --- policy and digest ----------------------------------------------------------------------------


def test_the_venue_and_whether_it_is_real_money_are_in_the_digest_and_no_key_is() -> None:
    sandbox = {"VENUE": "alpaca", "VENUE_KEY": "one"}
    live = {**sandbox, "VENUE_SANDBOX": "false"}
    digests = [settings(env).digest() for env in ({}, sandbox, live)]
    assert len(set(digests)) == 3
    other_keys = {"VENUE_KEY": "other", "VENUE_SECRET": "word"}
    assert settings({**sandbox, **other_keys}).digest() == digests[1]


def test_the_position_mode_is_that_of_the_venue_where_orders_fill() -> None:
    assert settings({}).policy({}).position_mode is PositionMode.HEDGE
    assert settings(ALPACA).policy({}).position_mode is PositionMode.NET
    assert settings({**ALPACA, "VENUE_SHADOW": "true"}).position_mode is PositionMode.NET
