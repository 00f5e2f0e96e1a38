"""The declarations: names and defaults of the contract, and a meaning with its unit for each."""

import re
from decimal import Decimal

import pytest
from pydantic import ValidationError

from pointsman.config.fields import LIMIT_NAMES, NAMES, SECRETS, SettingFields
from pointsman.config.limit_fields import LimitFields
from pointsman.domain.policy import Limits

CONTRACT = """
DATABASE_PATH=trading.db MAX_LOSS_COOLDOWN=3 COOLDOWN_DURATION_SECONDS=300 MAX_SPREAD_BPS=10.0
MAX_SLIPPAGE_BPS=5.0 MAX_LATENCY_MS=500.0 TRADING_WINDOW_START=09:30 TRADING_WINDOW_END=16:00
RECONCILE_INTERVAL_SECONDS=5 KILL_SWITCH_ENABLED=false MAX_POSITION_SIZE=10000.0
MAX_OPEN_POSITIONS_PER_VA=5 STOP_LOSS_PERCENTAGE=2.0 TRADING_TIMEZONE=America/New_York
TRADING_CALENDAR= VIRTUAL_ACCOUNTS=VA001:100000,VA002:100000,VA003:100000 VENUE=paper
PROTECTION_DEADLINE_SECONDS=2 SUBMIT_TIMEOUT_SECONDS=5 HTTP_HOST=127.0.0.1 HTTP_PORT=8080
READ_TOKEN= SIGNAL_TOKEN= CONTROL_TOKEN= WEBHOOK_TOKEN= WEBHOOK_DEFAULT_NOTIONAL= LOG_LEVEL=info
LOG_FORMAT=console KILL_SWITCH_FILE= NOTIFY_URLS= MAX_DAILY_LOSS= MAX_DRAWDOWN_PERCENTAGE=
MAX_TRADES_PER_DAY= MAX_ORDERS_PER_MINUTE= MAX_PRICE_DEVIATION_BPS=500 PAPER_LATENCY_MS=20
PAPER_FEE_BPS=1 PAPER_POSITION_MODE=hedge PAPER_REDUCE_ONLY=clip ORDER_SETTLE_SECONDS=10
MAX_STOP_LOSS_PERCENTAGE= MAX_LEVERAGE=1 ENTRY_SIDES=both GLOBAL_MAX_DAILY_LOSS=
GLOBAL_MAX_ORDERS_PER_MINUTE= GLOBAL_MAX_DRAWDOWN_PERCENTAGE= LOSS_SIZE_DECAY=
KILL_ON_MISMATCH_CYCLES= KILL_ON_NAKED_SECONDS= KILL_ON_STORAGE_SECONDS= INSTRUMENTS_FILE=
TOKENS_PATH= HTTP_ALLOWED_HOSTS= WEBHOOK_SECRET= FEED_SILENCE_SECONDS=30
REVERSAL=close REVERSAL_WAIT_SECONDS=10 VENUE_KEY= VENUE_SECRET= VENUE_SANDBOX=true VENUE_LIVE=
VENUE_URL= VENUE_STREAM_URL= VENUE_DATA_URL= VENUE_POSITION_MODE=net VENUE_REQUESTS_PER_MINUTE=
SYMBOLS= VENUE_SHADOW=false ALLOW_UNLIMITED_LOSS=false RECORD_QUOTES=
REPLICATE_TO= REPLICATION=sync DESK=main LEASE_SECONDS=15
"""


def test_names_and_defaults_are_those_of_the_contract() -> None:
    wanted = dict(pair.split("=", 1) for pair in CONTRACT.split())
    ours = {
        name: info.default
        for name, info in zip(NAMES, SettingFields.model_fields.values(), strict=True)
    }
    assert ours == wanted


def test_every_meaning_is_one_sentence_and_names_its_unit() -> None:
    units = {"SECONDS": "second", "MS": "milliseconds", "BPS": "basis points"}
    units["PERCENTAGE"] = "percent"
    for name, info in zip(NAMES, SettingFields.model_fields.values(), strict=True):
        meaning = info.description or ""
        assert re.fullmatch(r"\S[^|\n]*\.", meaning), name
        assert units.get(name.rpartition("_")[2], "") in meaning, name


def test_rule_18_every_limit_of_the_policy_can_be_set_per_account() -> None:
    in_the_environment = {"cooldown_ns": "cooldown_duration_seconds"}
    in_the_environment["max_latency_ns"] = "max_latency_ms"
    in_the_environment["max_open_positions"] = "max_open_positions_per_va"
    limits = {in_the_environment.get(name, name) for name in Limits.__struct_fields__}
    windows = {"trading_window_start", "trading_window_end"}
    assert set(LimitFields.model_fields) == limits | windows
    assert set(LIMIT_NAMES) < set(NAMES)


def test_the_secrets_are_known_as_such() -> None:
    tokens = {f"{scope}_TOKEN" for scope in ("READ", "SIGNAL", "CONTROL", "WEBHOOK")}
    keys = {"VENUE_KEY", "VENUE_SECRET"}
    assert tokens | keys | {"NOTIFY_URLS", "REPLICATE_TO", "WEBHOOK_SECRET"} == SECRETS


def test_rule_9_the_furthest_stop_is_five_times_the_stop_where_not_set() -> None:
    assert LimitFields.model_validate({}).max_stop_loss_percentage == Decimal(10)
    made = LimitFields.model_validate({"stop_loss_percentage": "0.5"})
    assert made.max_stop_loss_percentage == Decimal("2.5")
    made = LimitFields.model_validate({"max_stop_loss_percentage": "2"})
    assert made.max_stop_loss_percentage == Decimal(2)


@pytest.mark.parametrize(
    ("texts", "field", "remedy"),
    [
        ({"max_stop_loss_percentage": "1"}, "max_stop_loss_percentage", "at least STOP_LOSS_"),
        ({"trading_window_start": "16:00"}, "trading_window_end", "differ from TRADING_WINDOW_"),
        ({"trading_window_start": "24:00"}, "trading_window_start", "start of a day as 00:00"),
        ({"reconcile_interval_seconds": "0.5"}, "reconcile_interval_seconds", "at least 1 and"),
        ({"reconcile_interval_seconds": "61"}, "reconcile_interval_seconds", "at most 60"),
        ({"cooldown_duration_seconds": "0"}, "cooldown_duration_seconds", "above 0"),
        ({"max_open_positions_per_va": "0"}, "max_open_positions_per_va", "from 1"),
        ({"max_slippage_bps": "10000"}, "max_slippage_bps", "below 10000"),
        ({"max_spread_bps": ""}, "max_spread_bps", "plain decimal"),
        ({"stop_loss_percentage": "x"}, "stop_loss_percentage", "plain decimal"),
        ({"venue": "ccxt"}, "venue", "use one of paper, binanceusdm, bybit, alpaca"),
        ({"venue_key": "two words"}, "venue_key", "without spaces"),
        ({"venue_url": "https://host/path"}, "venue_url", "scheme, host and port alone"),
        ({"venue_url": "wss://host"}, "venue_url", "such as https://127.0.0.1:9101"),
        ({"venue_stream_url": "https://host"}, "venue_stream_url", "such as wss://127.0.0.1:9101"),
        ({"venue_data_url": "ws://me:word@host"}, "venue_data_url", "host and port alone"),
        ({"venue_position_mode": "both"}, "venue_position_mode", "hedge, net"),
        ({"symbols": "AAPL,aapl"}, "symbols", "'aapl': write symbols such as AAPL or BTC/"),
        ({"symbols": "AAPL, AAPL"}, "symbols", "'AAPL' appears twice"),
        ({"http_port": "65536"}, "http_port", "from 0 to 65535"),
        ({"read_token": "x" * 16, "webhook_token": "x" * 16}, "webhook_token", "equals READ_TOKEN"),
        ({"signal_token": "x" * 16, "webhook_secret": "x" * 16}, "webhook_secret", "equals SIGNAL"),
        ({"feed_silence_seconds": "0"}, "feed_silence_seconds", "above 0"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused_alone(
    texts: dict[str, str], field: str, remedy: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        SettingFields.model_validate(texts)
    faults = caught.value.errors()
    assert [fault["loc"] for fault in faults] == [(field,)]
    assert remedy in faults[0]["msg"]


def test_rule_16_no_losses_switch_the_cooldown_off() -> None:
    assert LimitFields.model_validate({"max_loss_cooldown": "0"}).max_loss_cooldown == 0
