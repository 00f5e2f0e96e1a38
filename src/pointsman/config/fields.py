"""Every setting: its name (the field in capitals), its default as text, its reader and what it
means.

One declaration feeds the validation, the table in docs/settings.md, `.env.example` and `config
show`.
Defaults are texts and pass through the same readers as what a person writes. `LimitFields` can also
be set per VA, as `VA001__NAME`.
"""

from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationInfo, field_validator
from pydantic import PlainValidator as Reads

from pointsman.config.addresses import base_url_reader
from pointsman.config.database_path import DEFAULT_DATABASE
from pointsman.config.known_venues import KNOWN_VENUES, PAPER, REAL_MONEY_SENTENCE
from pointsman.config.trading_hours import known_calendar, known_timezone, minutes_of
from pointsman.config.values import (
    choice_reader,
    decimal_reader,
    optional,
    read_accounts,
    read_host,
    read_hosts,
    read_key,
    read_path,
    read_size_decay,
    read_switch,
    read_symbols,
    read_token,
    read_venue,
    whole_reader,
)
from pointsman.domain.policy import PositionMode, ReduceOnlyMode, Reversal, SizeDecay
from pointsman.domain.sides import EntrySides

MAX_STOP_LOSS_FACTOR = 5
"""MAX_STOP_LOSS_PERCENTAGE, where not set, is this many times STOP_LOSS_PERCENTAGE (RULES 9)."""


class LogLevel(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogFormat(StrEnum):
    CONSOLE = "console"
    JSON = "json"


def _setting(default: str, meaning: str) -> Any:
    return Field(default, description=meaning, validate_default=True)


def _clock(text: str) -> str:
    minutes_of(text)
    return text


_AMOUNT = decimal_reader(above="0")
_PERCENTAGE = decimal_reader(above="0", below="100")
_TOKEN_OFF = optional(read_token)
_PAPER_REDUCES = (ReduceOnlyMode.CLIP, ReduceOnlyMode.REFUSE)

Amount = Annotated[Decimal, Reads(_AMOUNT)]
OptionalAmount = Annotated[Decimal | None, Reads(optional(_AMOUNT))]
Bps = Annotated[Decimal, Reads(decimal_reader(least="0"))]
BpsOfPrice = Annotated[Decimal, Reads(decimal_reader(least="0", below="10000"))]
Percentage = Annotated[Decimal, Reads(_PERCENTAGE)]
OptionalPercentage = Annotated[Decimal | None, Reads(optional(_PERCENTAGE))]
Milliseconds = Annotated[Decimal, Reads(decimal_reader(least="0", places=6))]
Seconds = Annotated[Decimal, Reads(decimal_reader(above="0", places=9))]
OptionalSeconds = Annotated[Decimal | None, Reads(optional(decimal_reader(above="0", places=9)))]
Count = Annotated[int, Reads(whole_reader(1))]
OptionalCount = Annotated[int | None, Reads(optional(whole_reader(1)))]
Clock = Annotated[str, Reads(_clock)]
OptionalPath = Annotated[Path | None, Reads(optional(read_path))]
Token = Annotated[SecretStr | None, Reads(_TOKEN_OFF)]
VenueKey = Annotated[SecretStr | None, Reads(optional(read_key))]


class LimitFields(BaseModel):
    """What one VA may do. Money is in the account's currency, percentages are of 100."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_loss_cooldown: Annotated[int, Reads(whole_reader(0))] = _setting(
        "3", "Consecutive losses that start a cooldown; 0 switches it off."
    )
    cooldown_duration_seconds: Seconds = _setting("300", "Length of a cooldown, in seconds.")
    max_spread_bps: Bps = _setting(
        "10.0", "Widest spread at which an entry is made, in basis points of the mid."
    )
    max_slippage_bps: BpsOfPrice = _setting(
        "5.0",
        "How much worse than the signal's price the market may be, and an entry may fill,"
        " in basis points.",
    )
    max_latency_ms: Milliseconds = _setting(
        "500.0", "Maximum age of the quote at an entry, in milliseconds."
    )
    max_price_deviation_bps: Bps = _setting(
        "500", "How far a signal's price may be from the mid, on either side, in basis points."
    )
    max_position_size: Amount = _setting(
        "10000.0", "Largest notional that a VA may hold and have working, in its currency."
    )
    max_open_positions_per_va: Count = _setting("5", "Maximum open positions of a VA at once.")
    max_leverage: Amount = _setting(
        "1", "Largest gross notional of a VA after an entry, as a multiple of its equity."
    )
    stop_loss_percentage: Percentage = _setting(
        "2.0", "Distance of a stop from the entry's average price, in percent."
    )
    max_stop_loss_percentage: Annotated[Decimal, Reads(optional(_AMOUNT))] = _setting(
        "",
        "Furthest stop that a signal may ask for, in percent of its reference price;"
        f" empty is {MAX_STOP_LOSS_FACTOR} times STOP_LOSS_PERCENTAGE.",
    )
    entry_sides: Annotated[EntrySides, Reads(choice_reader(EntrySides))] = _setting(
        "both", "Which entries are accepted: both, long or short."
    )
    reversal: Annotated[Reversal, Reads(choice_reader(Reversal))] = _setting(
        "close",
        "What a reversing alert does: close, or close_and_open to open the other side afterwards.",
    )
    max_daily_loss: OptionalAmount = _setting(
        "",
        "Loss of equity since 00:00 TRADING_TIMEZONE that stops entries, in the account's currency;"
        " empty is off.",
    )
    max_drawdown_percentage: OptionalPercentage = _setting(
        "", "Fall of equity from its peak that stops entries, in percent; empty is off."
    )
    max_trades_per_day: OptionalCount = _setting(
        "", "Maximum accepted entries since 00:00 TRADING_TIMEZONE; empty is off."
    )
    max_orders_per_minute: OptionalCount = _setting(
        "", "Maximum accepted entries within any 60 seconds; empty is off."
    )
    loss_size_decay: Annotated[tuple[SizeDecay, ...], Reads(read_size_decay)] = _setting(
        "",
        "Smaller entries after consecutive losses, as LOSSES:FACTOR,… such as 2:0.5,4:0.25;"
        " empty is off.",
    )
    trading_window_start: Clock = _setting(
        "09:30", "Local time from which entries are made, HH:MM in TRADING_TIMEZONE."
    )
    trading_window_end: Clock = _setting(
        "16:00",
        "Local time at which entries end, HH:MM; before the start it is overnight,"
        " and 00:00 to 24:00 is always.",
    )

    @field_validator("max_stop_loss_percentage", mode="after")
    @classmethod
    def _default_or_wide_enough(cls, value: Decimal | None, info: ValidationInfo) -> Decimal | None:
        stop: Decimal | None = info.data.get("stop_loss_percentage")
        if stop is None:  # already reported
            return value
        if value is None:
            return stop * MAX_STOP_LOSS_FACTOR
        if value < stop:
            raise ValueError(
                f"use at least STOP_LOSS_PERCENTAGE, which is {stop}, or leave it empty"
            )
        return value

    @field_validator("trading_window_start", mode="after")
    @classmethod
    def _starts_within_the_day(cls, value: str) -> str:
        if value == "24:00":
            raise ValueError("write the start of a day as 00:00")
        return value

    @field_validator("trading_window_end", mode="after")
    @classmethod
    def _differs_from_start(cls, value: str, info: ValidationInfo) -> str:
        if value == info.data.get("trading_window_start"):
            raise ValueError(
                "make it differ from TRADING_WINDOW_START; 00:00 to 24:00 is always open"
            )
        return value


_SECRETS_OF_CALLERS = (
    "read_token",
    "signal_token",
    "control_token",
    "webhook_token",
    "webhook_secret",
)
"""In the order in which they are declared: each is compared with those before it."""


class SettingFields(LimitFields):
    """All settings: the limits, and what holds for the desk as a whole."""

    virtual_accounts: Annotated[tuple[tuple[str, Decimal], ...], Reads(read_accounts)] = _setting(
        "VA001:100000,VA002:100000,VA003:100000",
        "The virtual accounts with their start balances, as ID:BALANCE,… .",
    )
    global_max_daily_loss: OptionalAmount = _setting(
        "", "As MAX_DAILY_LOSS, over the sum of all VAs; empty is off."
    )
    global_max_orders_per_minute: OptionalCount = _setting(
        "", "As MAX_ORDERS_PER_MINUTE, over all VAs together; empty is off."
    )
    global_max_drawdown_percentage: OptionalPercentage = _setting(
        "", "Fall of the sum of all equity from its peak that trips the kill switch, in percent."
    )
    trading_timezone: Annotated[str, Reads(known_timezone)] = _setting(
        "America/New_York", "IANA time zone of the trading window and of the trading day."
    )
    trading_calendar: Annotated[str | None, Reads(optional(known_calendar))] = _setting(
        "",
        "Exchange calendar such as XNYS whose holidays and early closes count;"
        " empty: every day is a trading day.",
    )
    instruments_file: OptionalPath = _setting(
        "", "Path of a JSON file with tick, lot, minimum and fee of each symbol; empty: defaults."
    )
    database_path: Annotated[Path, Reads(read_path)] = _setting(
        DEFAULT_DATABASE, "Path of the database file."
    )
    venue: Annotated[str, Reads(read_venue)] = _setting(
        PAPER, f"Where orders go: {', '.join((PAPER, *KNOWN_VENUES))}."
    )
    venue_key: VenueKey = _setting("", "Secret key of the account at a real venue.")
    venue_secret: VenueKey = _setting("", "Secret that belongs to VENUE_KEY.")
    venue_sandbox: Annotated[bool, Reads(read_switch)] = _setting(
        "true", "true trades in the venue's sandbox; false is real money, and wants VENUE_LIVE too."
    )
    venue_live: str = _setting(
        "", f"What must be written for real money, word for word: {REAL_MONEY_SENTENCE}."
    )
    venue_url: Annotated[str, Reads(base_url_reader("https", "http"))] = _setting(
        "",
        "Scheme, host and port in place of the venue's own, for requests; only this machine and the"
        " venue's own hosts are accepted.",
    )
    venue_stream_url: Annotated[str, Reads(base_url_reader("wss", "ws"))] = _setting(
        "", "As VENUE_URL, for what the venue tells of the account."
    )
    venue_data_url: Annotated[str, Reads(base_url_reader("wss", "ws"))] = _setting(
        "", "As VENUE_URL, for quotes."
    )
    venue_position_mode: Annotated[PositionMode, Reads(choice_reader(PositionMode))] = _setting(
        "net", "Whether the account at the venue keeps long and short apart (hedge) or nets them."
    )
    venue_requests_per_minute: OptionalCount = _setting(
        "", "Weight of the requests to the venue in a minute; empty is what the venue allows."
    )
    symbols: Annotated[tuple[str, ...], Reads(read_symbols)] = _setting(
        "",
        "Symbols whose quotes are subscribed at the venue from the start, such as"
        " BTC/USDT:USDT,ETH/USDT:USDT.",
    )
    venue_shadow: Annotated[bool, Reads(read_switch)] = _setting(
        "false", "true reads the account and its quotes, sends nothing, and fills on paper."
    )
    allow_unlimited_loss: Annotated[bool, Reads(read_switch)] = _setting(
        "false", "true allows real money without a limit on daily loss or drawdown."
    )
    record_quotes: Annotated[bool | None, Reads(optional(read_switch))] = _setting(
        "",
        "true keeps every quote of a venue in quotes/ beside the database, a file a day, which run"
        " --market reads; empty is true.",
    )
    reconcile_interval_seconds: Annotated[
        Decimal, Reads(decimal_reader(least="1", most="60", places=9))
    ] = _setting("5", "Time between two comparisons with the venue, 1 to 60 seconds.")
    protection_deadline_seconds: Seconds = _setting(
        "2", "Time within which a stop must be confirmed, else the position is closed, in seconds."
    )
    submit_timeout_seconds: Seconds = _setting(
        "5", "Silence of the venue after which an order counts as unknown, in seconds."
    )
    order_settle_seconds: Seconds = _setting(
        "10", "Time after which a request can no longer arrive at the venue, in seconds."
    )
    reversal_wait_seconds: Seconds = _setting(
        "10", "How long the opening part of a reversal waits for a flat account, in seconds."
    )
    kill_switch_enabled: Annotated[bool, Reads(read_switch)] = _setting(
        "false", "true starts killed and refuses rearm; false never clears a kill."
    )
    kill_switch_file: OptionalPath = _setting(
        "", "Path of a file whose existence kills; with the content flatten it also closes all."
    )
    kill_on_mismatch_cycles: OptionalCount = _setting(
        "", "Comparisons in a row that end with a difference before a kill; empty is off."
    )
    kill_on_naked_seconds: OptionalSeconds = _setting(
        "", "Time that a position may be without a confirmed stop before a kill, in seconds."
    )
    kill_on_storage_seconds: OptionalSeconds = _setting(
        "", "Time that storage may fail before a kill, in seconds; empty is off."
    )
    feed_silence_seconds: Seconds = _setting(
        "30",
        "Silence of a feed, while its market should be open, after which it counts as down,"
        " in seconds.",
    )
    paper_latency_ms: Milliseconds = _setting(
        "20", "Time that an order takes to the paper venue, in milliseconds."
    )
    paper_fee_bps: BpsOfPrice = _setting(
        "1", "Fee of the paper venue where the instrument has none, in basis points of notional."
    )
    paper_position_mode: Annotated[PositionMode, Reads(choice_reader(PositionMode))] = _setting(
        "hedge", "Whether the paper account keeps long and short apart (hedge) or nets them (net)."
    )
    paper_reduce_only: Annotated[ReduceOnlyMode, Reads(choice_reader(_PAPER_REDUCES))] = _setting(
        "clip",
        "What the paper venue does with a reduce-only order that is too large: clip or refuse.",
    )
    webhook_default_notional: OptionalAmount = _setting(
        "",
        "Size of an entry by webhook that names none, in the account's currency; empty refuses it.",
    )
    http_host: Annotated[str, Reads(read_host)] = _setting(
        "127.0.0.1", "Address on which HTTP is served."
    )
    http_port: Annotated[int, Reads(whole_reader(0, 65535))] = _setting(
        "8080", "Port of HTTP; 0 takes any free one."
    )
    http_allowed_hosts: Annotated[tuple[str, ...], Reads(read_hosts)] = _setting(
        "",
        "Host names under which HTTP is served, beside IP addresses, localhost and HTTP_HOST,"
        " separated by commas.",
    )
    read_token: Token = _setting("", "Secret that lets a caller read over HTTP.")
    signal_token: Token = _setting("", "Secret that lets a caller send signals and quotes.")
    control_token: Token = _setting("", "Secret that lets a caller do everything.")
    webhook_token: Token = _setting(
        "", "Secret in the URL of the webhook; nothing else accepts it."
    )
    webhook_secret: Token = _setting(
        "", "Secret that signs what is posted to /webhook without a token; empty switches that off."
    )
    tokens_path: OptionalPath = _setting(
        "",
        "Path of a file with one token per scope, made at the first start where no token is set;"
        " empty makes it beside the database, and only where WEBHOOK_TOKEN, WEBHOOK_SECRET or"
        " HTTP_ALLOWED_HOSTS is set.",
    )
    log_level: Annotated[LogLevel, Reads(choice_reader(LogLevel))] = _setting(
        "info", "Lowest level that is logged: debug, info, warning or error."
    )
    log_format: Annotated[LogFormat, Reads(choice_reader(LogFormat))] = _setting(
        "console", "Form of log lines: console or json."
    )
    notify_urls: Annotated[SecretStr | None, Reads(optional(SecretStr))] = _setting(
        "", "Secret addresses that incidents are sent to, separated by spaces; empty is off."
    )

    @field_validator(*_SECRETS_OF_CALLERS[1:], mode="after")
    @classmethod
    def _differs_from_the_other_secrets(
        cls, value: SecretStr | None, info: ValidationInfo
    ) -> SecretStr | None:
        """One secret in two places would give the rights of both to anyone who sees either: the
        webhook's stands in URLs, which proxies log."""
        for other in _SECRETS_OF_CALLERS:
            if value is not None and value == info.data.get(other):
                raise ValueError(f"it equals {name_of(other)}; give each a different value")
        return value


def name_of(field: str) -> str:
    """The name in the environment of a field."""
    return field.upper()


LIMIT_NAMES: tuple[str, ...] = tuple(map(name_of, LimitFields.model_fields))
"""The settings that can also be set per VA."""

NAMES: tuple[str, ...] = tuple(map(name_of, SettingFields.model_fields))
"""Every setting, in the order in which they are documented."""

SECRETS: frozenset[str] = frozenset(
    name_of(field)
    for field, info in SettingFields.model_fields.items()
    if info.annotation is not None and info.annotation == (SecretStr | None)
)
"""The settings whose value is never shown."""
