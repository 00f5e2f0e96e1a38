"""Settings: from texts to the policy of a run, every problem named at once, no secret shown."""

from decimal import Decimal
from itertools import combinations
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.config.fields import NAMES, SECRETS
from pointsman.config.problems import SettingsError
from pointsman.config.settings import Settings, resolve_settings
from pointsman.domain.policy import (
    Policy,
    PositionMode,
    ReduceOnlyMode,
    SizeDecay,
    default_instrument,
)
from pointsman.domain.sides import EntrySides

SECOND = 1_000_000_000


def loaded(env: dict[str, str] | None = None) -> Settings:
    return resolve_settings(env or {}, None, {}).settings


def problems(env: dict[str, str]) -> list[tuple[str, str]]:
    with pytest.raises(SettingsError) as caught:
        loaded(env)
    return [(problem.variable, problem.value) for problem in caught.value.problems]


# --- precedence -----------------------------------------------------------------------------------


def test_flags_win_over_environment_over_dotenv_over_defaults(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("HTTP_PORT=1\nMAX_LEVERAGE=1.5\nMAX_SPREAD_BPS=7\n")
    env = {"HTTP_PORT": "2", "MAX_LEVERAGE": "2.5"}
    settings = resolve_settings(env, dotenv, {"HTTP_PORT": "3"}).settings
    assert settings.http_port == 3
    assert settings.max_leverage == Decimal("2.5")
    assert settings.max_spread_bps == Decimal(7)
    assert settings.max_slippage_bps == Decimal("5.0")
    assert {name: source for name, _, source in settings.shown() if source != "default"} == {
        "HTTP_PORT": "flag",
        "MAX_LEVERAGE": "env",
        "MAX_SPREAD_BPS": ".env",
    }


def test_an_empty_text_switches_an_optional_limit_off_again(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("MAX_DAILY_LOSS=500\n")
    assert resolve_settings({}, dotenv, {}).settings.max_daily_loss == Decimal(500)
    assert resolve_settings({"MAX_DAILY_LOSS": ""}, dotenv, {}).settings.max_daily_loss is None


def test_warnings_come_from_every_layer(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("COLOUR=red\n")
    dotenv.chmod(0o600)
    found = resolve_settings({"MAX_SPRAED_BPS": "1", "PATH": "/bin"}, dotenv, {}).warnings
    assert found == (
        "MAX_SPRAED_BPS (environment) is not a setting; did you mean MAX_SPREAD_BPS?",
        f"COLOUR ({dotenv} line 1) is not a setting and is ignored",
    )


# --- policy ---------------------------------------------------------------------------------------


def test_the_policy_of_the_defaults() -> None:
    policy = loaded().policy({})
    assert policy.limits.cooldown_ns == 300 * SECOND
    assert policy.limits.max_latency_ns == SECOND // 2
    assert policy.limits.max_stop_loss_percentage == Decimal("10.0")
    assert policy.limits.max_daily_loss is None
    assert policy.limits_by_va == {}
    assert policy.protection_deadline_ns == 2 * SECOND
    assert policy.submit_timeout_ns == 5 * SECOND
    assert policy.order_settle_ns == 10 * SECOND
    assert policy.reconcile_interval_ns == 5 * SECOND
    assert policy.kill_on_naked_ns is None
    assert policy.kill_switch_enabled is False
    assert policy.position_mode is PositionMode.HEDGE
    assert policy.reduce_only_mode is ReduceOnlyMode.CLIP


EVERY_LIMIT = {
    "MAX_LOSS_COOLDOWN": "4",
    "COOLDOWN_DURATION_SECONDS": "0.000000001",
    "MAX_SPREAD_BPS": "11.5",
    "MAX_SLIPPAGE_BPS": "6.5",
    "MAX_LATENCY_MS": "0.000001",
    "MAX_PRICE_DEVIATION_BPS": "501",
    "MAX_POSITION_SIZE": "123.45",
    "MAX_OPEN_POSITIONS_PER_VA": "6",
    "MAX_LEVERAGE": "1.25",
    "STOP_LOSS_PERCENTAGE": "2.5",
    "MAX_STOP_LOSS_PERCENTAGE": "9.5",
    "ENTRY_SIDES": "long",
    "REVERSAL": "close_and_open",
    "MAX_DAILY_LOSS": "77.7",
    "MAX_DRAWDOWN_PERCENTAGE": "12.5",
    "MAX_TRADES_PER_DAY": "13",
    "MAX_ORDERS_PER_MINUTE": "14",
    "LOSS_SIZE_DECAY": "2:0.5",
}


def test_rule_18_every_limit_reaches_the_policy_in_general_and_per_account() -> None:
    per_va = {f"VA002__{name}": text for name, text in EVERY_LIMIT.items()}
    general, own = loaded(EVERY_LIMIT).policy({}), loaded(per_va).policy({})
    limits = general.limits
    assert limits == own.limits_of("VA002")
    assert own.limits_of("VA001") == own.limits == loaded().policy({}).limits
    assert (limits.cooldown_ns, limits.max_latency_ns) == (1, 1)
    assert limits.max_position_size == Decimal("123.45")
    assert limits.entry_sides is EntrySides.LONG
    assert limits.loss_size_decay == (SizeDecay(2, Decimal("0.5")),)
    untouched = [
        name
        for name in limits.__struct_fields__
        if getattr(limits, name) == getattr(own.limits, name)
    ]
    assert not untouched


def test_every_other_setting_of_the_desk_reaches_the_policy() -> None:
    env = {
        "PAPER_POSITION_MODE": "net",
        "PAPER_REDUCE_ONLY": "refuse",
        "PROTECTION_DEADLINE_SECONDS": "2.5",
        "SUBMIT_TIMEOUT_SECONDS": "6",
        "ORDER_SETTLE_SECONDS": "11",
        "RECONCILE_INTERVAL_SECONDS": "7",
        "REVERSAL_WAIT_SECONDS": "8",
        "GLOBAL_MAX_DAILY_LOSS": "1",
        "GLOBAL_MAX_DRAWDOWN_PERCENTAGE": "2",
        "GLOBAL_MAX_ORDERS_PER_MINUTE": "3",
        "KILL_ON_MISMATCH_CYCLES": "4",
        "KILL_ON_NAKED_SECONDS": "5",
        "KILL_ON_STORAGE_SECONDS": "6",
        "KILL_SWITCH_ENABLED": "true",
        "MAX_SPREAD_BPS": "1",
        "VA001__MAX_SPREAD_BPS": "2",
    }
    instruments = {"AAPL": default_instrument("AAPL")}
    ours, default = loaded(env).policy(instruments), loaded().policy({})
    same = [f for f in Policy.__struct_fields__ if getattr(ours, f) == getattr(default, f)]
    assert same == ["abilities", "file_instruments", "steps"], "what the venue and the quotes say"
    assert ours.kill_on_storage_ns == 6 * SECOND
    assert ours.protection_deadline_ns == 5 * SECOND // 2


def test_an_account_has_its_own_limits_where_set_and_the_general_ones_elsewhere() -> None:
    env = {
        "MAX_SPREAD_BPS": "8",
        "VA001__MAX_POSITION_SIZE": "500",
        "VA001__MAX_DAILY_LOSS": "",
        "MAX_DAILY_LOSS": "9",
    }
    own = loaded(env).policy({}).limits_of("VA001")
    assert (own.max_spread_bps, own.max_position_size) == (Decimal(8), Decimal(500))
    assert own.max_daily_loss is None


def test_rule_9_the_furthest_stop_of_an_account_follows_its_own_stop() -> None:
    policy = loaded({"VA001__STOP_LOSS_PERCENTAGE": "3"}).policy({})
    assert policy.limits_of("VA001").max_stop_loss_percentage == Decimal(15)
    assert policy.limits.max_stop_loss_percentage == Decimal(10)


def test_an_account_may_have_trading_hours_of_its_own() -> None:
    env = {"TRADING_TIMEZONE": "UTC", "VA002__TRADING_WINDOW_START": "12:00"}
    settings = loaded(env)
    for va_id, opens_hour in ((None, 9.5), ("VA001", 9.5), ("VA002", 12), ("VA009", 9.5)):
        window = settings.trading_hours(va_id).window_at(0)
        assert window is not None
        assert window.opens_ns == opens_hour * 3600 * SECOND


def test_accounts_come_in_the_order_given() -> None:
    settings = loaded({"VIRTUAL_ACCOUNTS": "b:2,a:1.50"})
    assert settings.accounts == (("b", Decimal(2)), ("a", Decimal("1.50")))


# --- problems -------------------------------------------------------------------------------------


def test_every_problem_is_named_at_once(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("\nMAX_LEVERAGE=-1\nbroken\n")
    env = {
        "MAX_SPREAD_BPS": "1e5",
        "VENUE": "binance",
        "TRADING_TIMEZONE": "America/NewYork",
        "TRADING_WINDOW_START": "16:00",
        "READ_TOKEN": "hunter two",
        "SIGNAL_TOKEN_FILE": "/nowhere",
        "VA001__MAX_POSITON_SIZE": "5",
        "VA009__MAX_LEVERAGE": "1",
        "VA002__MAX_LATENCY_MS": "nan",
    }
    with pytest.raises(SettingsError) as caught:
        resolve_settings(env, dotenv, {"HTTP_PROT": "80"})
    found = {problem.variable: problem for problem in caught.value.problems}
    assert set(found) == {
        "line 3",
        "MAX_LEVERAGE",
        "TRADING_WINDOW_END",
        "VA002__MAX_LATENCY_MS",
        "HTTP_PROT",
        *env,
    } - {"TRADING_WINDOW_START"}
    assert len(found) == len(caught.value.problems)
    spread = found["MAX_SPREAD_BPS"]
    assert (spread.value, spread.where) == ("1e5", "environment")
    assert spread.remedy.startswith("write a plain decimal number")
    assert spread.remedy.endswith("(default 10.0)")
    assert found["MAX_LEVERAGE"].where == f"{dotenv} line 2"
    assert found["HTTP_PROT"].remedy == "no such setting; did you mean HTTP_PORT?"
    assert found["TRADING_TIMEZONE"].remedy.count("did you mean America/New_York?") == 1
    assert "hunter" not in str(caught.value)


def test_rule_35_a_venue_that_is_not_built_is_refused_naming_those_that_are() -> None:
    with pytest.raises(SettingsError, match="use one of paper, binanceusdm, bybit, alpaca"):
        loaded({"VENUE": "binance"})


@pytest.mark.parametrize(
    "text", ["nan", "NaN", "inf", "-Infinity", "1e5", "1E308", "9" * 40, "ten"]
)
def test_what_is_no_plain_decimal_is_refused_with_variable_and_value(text: str) -> None:
    assert problems({"MAX_POSITION_SIZE": text}) == [("MAX_POSITION_SIZE", text)]


@given(st.sampled_from(NAMES), st.text(st.characters(blacklist_characters="\0"), max_size=30))
def test_any_text_of_any_setting_is_read_or_refused_by_name(name: str, text: str) -> None:
    if name == "TRADING_CALENDAR":
        return  # each builds a calendar: tested with the trading hours
    try:
        settings = loaded({name: text})
    except SettingsError as error:
        related = {"STOP_LOSS_PERCENTAGE": "MAX_STOP_LOSS_PERCENTAGE"}
        related["TRADING_WINDOW_START"] = "TRADING_WINDOW_END"
        for problem in error.problems:
            assert problem.variable in (name, related.get(name))
            assert problem.remedy
    else:
        assert settings.sources[name] == "env"


def test_a_fault_of_a_general_limit_is_told_once_not_for_each_account() -> None:
    env = {"MAX_SPREAD_BPS": "x", "VA001__MAX_LEVERAGE": "2", "VA002__MAX_SPREAD_BPS": "3"}
    assert problems(env) == [("MAX_SPREAD_BPS", "x")]


def test_a_general_limit_that_is_at_odds_with_one_of_an_account_is_told_for_that_account() -> None:
    env = {"MAX_STOP_LOSS_PERCENTAGE": "3", "VA002__STOP_LOSS_PERCENTAGE": "4"}
    assert problems(env) == [("VA002__MAX_STOP_LOSS_PERCENTAGE", "3")]


def test_accounts_that_cannot_be_read_hide_nothing_else() -> None:
    env = {"VIRTUAL_ACCOUNTS": "VA001", "VA007__MAX_LEVERAGE": "1", "VA001__MAX_LEVERAGE": "x"}
    assert problems(env) == list(env.items())


def test_a_calendar_that_does_not_exist_is_refused() -> None:
    pytest.importorskip("exchange_calendars")
    with pytest.raises(SettingsError, match=r"TRADING_CALENDAR='NYSEE'.*did you mean NYSE"):
        loaded({"TRADING_CALENDAR": "NYSEE"})


# --- shown and secrets ----------------------------------------------------------------------------


def test_shown_lists_every_setting_and_the_limits_of_single_accounts() -> None:
    env = {"VA002__MAX_SPREAD_BPS": "3", "LOSS_SIZE_DECAY": "2:0.50", "ENTRY_SIDES": "LONG"}
    rows = loaded(env).shown()
    assert [name for name, _, _ in rows] == [*NAMES, "VA002__MAX_SPREAD_BPS"]
    assert rows[-1] == ("VA002__MAX_SPREAD_BPS", "3", "env")
    shown = {name: value for name, value, _ in rows}
    assert shown["VIRTUAL_ACCOUNTS"] == "VA001:100000,VA002:100000,VA003:100000"
    assert shown["LOSS_SIZE_DECAY"] == "2:0.50"
    assert shown["ENTRY_SIDES"] == "long"
    assert shown["KILL_SWITCH_ENABLED"] == "false"
    assert shown["MAX_STOP_LOSS_PERCENTAGE"] == "10.0"
    assert shown["MAX_DAILY_LOSS"] == ""


def test_what_is_shown_read_again_gives_the_same_settings() -> None:
    first = loaded({**EVERY_LIMIT, "VA001__MAX_SPREAD_BPS": "3", "KILL_SWITCH_ENABLED": "yes"})
    again = loaded({name: value for name, value, _ in first.shown()})
    assert again.policy({}) == first.policy({})
    assert again.shown() == [(name, value, "env") for name, value, _ in first.shown()]


def test_a_secret_is_masked_as_a_whole_wherever_it_came_from(tmp_path: Path) -> None:
    held = tmp_path / "held"
    held.write_text("hunter2-0123456789-0\n")
    env = {name: f"hunter2-0123456789-{number}" for number, name in enumerate(sorted(SECRETS), 1)}
    del env["READ_TOKEN"]
    env["REPLICATE_TO"] = "nats://hunter2-0123456789-9@127.0.0.1:4222"
    settings = loaded(env | {"READ_TOKEN_FILE": str(held)})
    assert settings.read_token
    assert settings.read_token.get_secret_value() == "hunter2-0123456789-0"
    shown = {name: (value, source) for name, value, source in settings.shown() if name in SECRETS}
    assert shown.pop("READ_TOKEN") == ("********", "file")
    assert set(shown.values()) == {("********", "env")}
    assert "hunter" not in repr(settings) + str(settings.shown())


CALLERS = ("READ", "SIGNAL", "CONTROL", "WEBHOOK")
SECRETS_OF_CALLERS = (*(f"{caller}_TOKEN" for caller in CALLERS), "WEBHOOK_SECRET")


@pytest.mark.parametrize(("first", "second"), list(combinations(SECRETS_OF_CALLERS, 2)))
def test_rule_36_no_two_secrets_are_equal(first: str, second: str) -> None:
    same = "hunter2-0123456789"
    assert problems({first: same, second: same}) == [(second, "********")]
    with pytest.raises(SettingsError, match=f"it equals {first}"):
        loaded({first: same, second: same})


def test_rule_36_secrets_that_could_be_guessed_are_refused_all_at_once() -> None:
    env = {name: f"{number}" * 15 for number, name in enumerate(SECRETS_OF_CALLERS)}
    assert problems(env) == [(name, "********") for name in SECRETS_OF_CALLERS]
    assert loaded({name: text + "x" for name, text in env.items()}).control_token is not None


# --- digest ---------------------------------------------------------------------------------------


def test_rule_5_a_run_of_an_older_version_is_continued_under_the_same_settings() -> None:
    first = "e20d10c1a4fc670d0dd45c44a7a3b0083c64a412bde2de45909b45e02f078553"
    assert loaded().digest() == first


SHAPING = {
    **EVERY_LIMIT,
    "VA001__MAX_SPREAD_BPS": "3",
    "VA001__TRADING_WINDOW_END": "15:00",
    "TRADING_WINDOW_START": "09:31",
    "TRADING_WINDOW_END": "16:01",
    "TRADING_TIMEZONE": "UTC",
    "VIRTUAL_ACCOUNTS": "VA001:100001",
    "PAPER_LATENCY_MS": "21",
    "PAPER_FEE_BPS": "2",
    "PAPER_POSITION_MODE": "net",
    "PAPER_REDUCE_ONLY": "refuse",
    "PROTECTION_DEADLINE_SECONDS": "3",
    "SUBMIT_TIMEOUT_SECONDS": "6",
    "ORDER_SETTLE_SECONDS": "11",
    "RECONCILE_INTERVAL_SECONDS": "6",
    "GLOBAL_MAX_DAILY_LOSS": "5",
    "KILL_SWITCH_ENABLED": "true",
}


@pytest.mark.parametrize("name", SHAPING)
def test_rule_5_what_shapes_a_run_changes_the_digest(name: str) -> None:
    assert loaded({name: SHAPING[name]}).digest() != loaded().digest()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("MAX_SPREAD_BPS", "10"),
        ("MAX_POSITION_SIZE", "10000"),
        ("MAX_STOP_LOSS_PERCENTAGE", "10"),
        ("VIRTUAL_ACCOUNTS", "VA001:100000.0,VA002:100000,VA003:100000"),
        ("DATABASE_PATH", "/elsewhere.db"),
        ("KILL_SWITCH_FILE", "/run/kill"),
        ("HTTP_PORT", "9090"),
        ("HTTP_HOST", "::1"),
        ("READ_TOKEN", "hunter2-0123456789"),
        ("NOTIFY_URLS", "mailto://x"),
        ("LOG_LEVEL", "debug"),
        ("LOG_FORMAT", "json"),
        ("WEBHOOK_DEFAULT_NOTIONAL", "100"),
    ],
)
def test_rule_5_another_spelling_or_place_leaves_the_digest_alone(name: str, text: str) -> None:
    assert loaded({name: text}).digest() == loaded().digest()


def test_the_policy_goes_through_the_journal_unchanged() -> None:
    policy = loaded({**EVERY_LIMIT, "VA001__MAX_SPREAD_BPS": "3"}).policy({})
    assert msgspec.json.decode(msgspec.json.encode(policy), type=Policy) == policy
