"""The settings of live quotes: what is needed for each venue, and what is refused."""

from collections.abc import Mapping

import pytest
from pydantic import SecretStr

from pointsman.config.problems import SettingsError
from pointsman.config.quote_settings import QuoteSettings, quote_settings
from pointsman.config.settings import resolve_settings

KEYS = {"VENUE_KEY": "k" * 20, "VENUE_SECRET": "s" * 20}


def wanted(name: str, texts: Mapping[str, str] | None = None) -> QuoteSettings:
    return quote_settings(resolve_settings(dict(texts or {}), None, {}).settings, name)


def test_the_paper_venue_takes_real_quotes_without_a_key_and_records_them() -> None:
    texts = {"SYMBOLS": "BTC/USDT:USDT", "VENUE_DATA_URL": "ws://127.0.0.1:9"}
    assert wanted("binanceusdm", texts) == QuoteSettings(
        name="binanceusdm",
        base_url="ws://127.0.0.1:9",
        is_sandbox=False,
        key=None,
        secret=None,
        symbols=("BTC/USDT:USDT",),
        is_recorded=True,
    )


@pytest.mark.parametrize(("text", "is_recorded"), [("", True), ("true", True), ("false", False)])
def test_rule_50_quotes_are_recorded_unless_a_person_says_no(text: str, is_recorded: bool) -> None:
    assert wanted("bybit", {"RECORD_QUOTES": text}).is_recorded is is_recorded


def test_a_key_is_passed_on_to_a_venue_that_wants_one() -> None:
    given = wanted("alpaca", {**KEYS, "SYMBOLS": "AAPL,BRK.B"})
    assert (given.key, given.secret) == (SecretStr("k" * 20), SecretStr("s" * 20))
    assert "kkk" not in repr(given)


@pytest.mark.parametrize(
    ("name", "texts", "problems"),
    [
        ("alpaca", {}, {"VENUE_KEY": "only to those who have a key", "VENUE_SECRET": "a key"}),
        ("alpaca", {**KEYS, "SYMBOLS": "BTC/USDT:USDT"}, {"SYMBOLS": "symbols of the form AAPL"}),
        ("binanceusdm", {"SYMBOLS": "BTCUSDT"}, {"SYMBOLS": "of the form BTC/USDT:USDT"}),
        (
            "alpaca",
            {**KEYS, "VENUE_DATA_URL": "wss://fstream.binance.com"},
            {"VENUE_DATA_URL": "quotes of alpaca come from this machine or from one of"},
        ),
    ],
)
def test_what_does_not_fit_the_venue_is_refused(
    name: str, texts: Mapping[str, str], problems: Mapping[str, str]
) -> None:
    with pytest.raises(SettingsError) as refused:
        wanted(name, texts)
    told = {problem.variable: problem.remedy for problem in refused.value.problems}
    assert set(told) == set(problems)
    assert all(problems[name] in told[name] for name in problems)


def test_at_a_real_venue_quotes_come_from_where_orders_go() -> None:
    given = wanted("bybit", {**KEYS, "VENUE": "bybit"})
    assert given.is_sandbox
