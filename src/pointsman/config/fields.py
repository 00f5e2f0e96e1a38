"""Every setting: its name (the field in capitals), its default as text, its reader and what it
means.

One declaration feeds the validation, the table in docs/settings.md, `.env.example` and `config
show`.
Defaults are texts and pass through the same readers as what a person writes. What can also be
set per VA is in `limit_fields`.
"""

from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import PlainValidator as Reads
from pydantic import SecretStr, ValidationInfo, field_validator

from pointsman.config.addresses import base_url_reader
from pointsman.config.database_path import DEFAULT_DATABASE
from pointsman.config.known_venues import KNOWN_VENUES, PAPER, REAL_MONEY_SENTENCE
from pointsman.config.limit_fields import (
    BpsOfPrice,
    LimitFields,
    Milliseconds,
    OptionalAmount,
    OptionalCount,
    OptionalPath,
    OptionalPercentage,
    OptionalSeconds,
    Seconds,
    setting,
)
from pointsman.config.trading_hours import known_calendar, known_timezone
from pointsman.config.values import (
    choice_reader,
    decimal_reader,
    optional,
    read_accounts,
    read_desk,
    read_host,
    read_hosts,
    read_key,
    read_nats,
    read_path,
    read_switch,
    read_symbols,
    read_token,
    read_venue,
    whole_reader,
)
from pointsman.domain.policy import PositionMode, ReduceOnlyMode

LEASE_SECONDS_MAX = 60
"""The longest lease that any engine may hold of a desk."""


class LogLevel(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogFormat(StrEnum):
    CONSOLE = "console"
    JSON = "json"


class Replication(StrEnum):
    """What a turn waits for before it counts as durable, where the journal is copied to a stream:
    for its own disk alone, or for the copy too."""

    ASYNC = "async"
    SYNC = "sync"


_PAPER_REDUCES = (ReduceOnlyMode.CLIP, ReduceOnlyMode.REFUSE)

Token = Annotated[SecretStr | None, Reads(optional(read_token))]
VenueKey = Annotated[SecretStr | None, Reads(optional(read_key))]

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

    virtual_accounts: Annotated[tuple[tuple[str, Decimal], ...], Reads(read_accounts)] = setting(
        "VA001:100000,VA002:100000,VA003:100000",
        "The virtual accounts with their start balances, as ID:BALANCE,… .",
    )
    global_max_daily_loss: OptionalAmount = setting(
        "", "As MAX_DAILY_LOSS, over the sum of all VAs; empty is off."
    )
    global_max_orders_per_minute: OptionalCount = setting(
        "", "As MAX_ORDERS_PER_MINUTE, over all VAs together; empty is off."
    )
    global_max_drawdown_percentage: OptionalPercentage = setting(
        "", "Fall of the sum of all equity from its peak that trips the kill switch, in percent."
    )
    trading_timezone: Annotated[str, Reads(known_timezone)] = setting(
        "America/New_York", "IANA time zone of the trading window and of the trading day."
    )
    trading_calendar: Annotated[str | None, Reads(optional(known_calendar))] = setting(
        "",
        "Exchange calendar such as XNYS whose holidays and early closes count;"
        " empty: every day is a trading day.",
    )
    instruments_file: OptionalPath = setting(
        "", "Path of a JSON file with tick, lot, minimum and fee of each symbol; empty: defaults."
    )
    database_path: Annotated[Path, Reads(read_path)] = setting(
        DEFAULT_DATABASE, "Path of the database file."
    )
    venue: Annotated[str, Reads(read_venue)] = setting(
        PAPER, f"Where orders go: {', '.join((PAPER, *KNOWN_VENUES))}."
    )
    venue_key: VenueKey = setting("", "Secret key of the account at a real venue.")
    venue_secret: VenueKey = setting("", "Secret that belongs to VENUE_KEY.")
    venue_sandbox: Annotated[bool, Reads(read_switch)] = setting(
        "true", "true trades in the venue's sandbox; false is real money, and wants VENUE_LIVE too."
    )
    venue_live: str = setting(
        "", f"What must be written for real money, word for word: {REAL_MONEY_SENTENCE}."
    )
    venue_url: Annotated[str, Reads(base_url_reader("https", "http"))] = setting(
        "",
        "Scheme, host and port in place of the venue's own, for requests; only this machine and the"
        " venue's own hosts are accepted.",
    )
    venue_stream_url: Annotated[str, Reads(base_url_reader("wss", "ws"))] = setting(
        "", "As VENUE_URL, for what the venue tells of the account."
    )
    venue_data_url: Annotated[str, Reads(base_url_reader("wss", "ws"))] = setting(
        "", "As VENUE_URL, for quotes."
    )
    venue_position_mode: Annotated[PositionMode, Reads(choice_reader(PositionMode))] = setting(
        "net", "Whether the account at the venue keeps long and short apart (hedge) or nets them."
    )
    venue_requests_per_minute: OptionalCount = setting(
        "", "Our share of the requests that the venue allows in a minute, by weight; empty is all."
    )
    symbols: Annotated[tuple[str, ...], Reads(read_symbols)] = setting(
        "",
        "Symbols whose quotes are subscribed at the venue from the start, such as"
        " BTC/USDT:USDT,ETH/USDT:USDT.",
    )
    venue_shadow: Annotated[bool, Reads(read_switch)] = setting(
        "false", "true reads the account and its quotes, sends nothing, and fills on paper."
    )
    allow_unlimited_loss: Annotated[bool, Reads(read_switch)] = setting(
        "false", "true allows real money without a limit on daily loss or drawdown."
    )
    record_quotes: Annotated[bool | None, Reads(optional(read_switch))] = setting(
        "",
        "true keeps every quote of a venue in quotes/ beside the database, a file a day, which run"
        " --market reads; empty is true.",
    )
    reconcile_interval_seconds: Annotated[
        Decimal, Reads(decimal_reader(least="1", most="60", places=9))
    ] = setting("5", "Time between two comparisons with the venue, 1 to 60 seconds.")
    protection_deadline_seconds: Seconds = setting(
        "2", "Time within which a stop must be confirmed, else the position is closed, in seconds."
    )
    submit_timeout_seconds: Seconds = setting(
        "5", "Silence of the venue after which an order counts as unknown, in seconds."
    )
    order_settle_seconds: Seconds = setting(
        "10", "Time after which a request can no longer arrive at the venue, in seconds."
    )
    reversal_wait_seconds: Seconds = setting(
        "10", "How long the opening part of a reversal waits for a flat account, in seconds."
    )
    kill_switch_enabled: Annotated[bool, Reads(read_switch)] = setting(
        "false", "true starts killed and refuses rearm; false never clears a kill."
    )
    kill_switch_file: OptionalPath = setting(
        "", "Path of a file whose existence kills; with the content flatten it also closes all."
    )
    kill_on_mismatch_cycles: OptionalCount = setting(
        "", "Comparisons in a row that end with a difference before a kill; empty is off."
    )
    kill_on_naked_seconds: OptionalSeconds = setting(
        "", "Time that a position may be without a confirmed stop before a kill, in seconds."
    )
    kill_on_storage_seconds: OptionalSeconds = setting(
        "", "Time that storage may fail before a kill, in seconds; empty is off."
    )
    feed_silence_seconds: Seconds = setting(
        "30",
        "Silence of a feed, while its market should be open, after which it counts as down,"
        " in seconds.",
    )
    paper_latency_ms: Milliseconds = setting(
        "20", "Time that an order takes to the paper venue, in milliseconds."
    )
    paper_fee_bps: BpsOfPrice = setting(
        "1", "Fee of the paper venue where the instrument has none, in basis points of notional."
    )
    paper_position_mode: Annotated[PositionMode, Reads(choice_reader(PositionMode))] = setting(
        "hedge", "Whether the paper account keeps long and short apart (hedge) or nets them (net)."
    )
    paper_reduce_only: Annotated[ReduceOnlyMode, Reads(choice_reader(_PAPER_REDUCES))] = setting(
        "clip",
        "What the paper venue does with a reduce-only order that is too large: clip or refuse.",
    )
    webhook_default_notional: OptionalAmount = setting(
        "",
        "Size of an entry by webhook that names none, in the account's currency; empty refuses it.",
    )
    http_host: Annotated[str, Reads(read_host)] = setting(
        "127.0.0.1", "Address on which HTTP is served."
    )
    http_port: Annotated[int, Reads(whole_reader(0, 65535))] = setting(
        "8080", "Port of HTTP; 0 takes any free one."
    )
    http_allowed_hosts: Annotated[tuple[str, ...], Reads(read_hosts)] = setting(
        "",
        "Host names under which HTTP is served, beside IP addresses, localhost and HTTP_HOST,"
        " separated by commas.",
    )
    read_token: Token = setting("", "Secret that lets a caller read over HTTP.")
    signal_token: Token = setting("", "Secret that lets a caller send signals and quotes.")
    control_token: Token = setting("", "Secret that lets a caller do everything.")
    webhook_token: Token = setting("", "Secret in the URL of the webhook; nothing else accepts it.")
    webhook_secret: Token = setting(
        "", "Secret that signs what is posted to /webhook without a token; empty switches that off."
    )
    tokens_path: OptionalPath = setting(
        "",
        "Path of a file with one token per scope, made at the first start where no token is set;"
        " empty makes it beside the database, and only where WEBHOOK_TOKEN, WEBHOOK_SECRET or"
        " HTTP_ALLOWED_HOSTS is set.",
    )
    log_level: Annotated[LogLevel, Reads(choice_reader(LogLevel))] = setting(
        "info", "Lowest level that is logged: debug, info, warning or error."
    )
    log_format: Annotated[LogFormat, Reads(choice_reader(LogFormat))] = setting(
        "console", "Form of log lines: console or json."
    )
    replicate_to: Annotated[SecretStr | None, Reads(optional(read_nats))] = setting(
        "",
        "Address of a NATS server, or of several with commas between, to which the journal is"
        " copied as it grows, such as nats://10.0.0.5:4222; empty is off.",
    )
    replication: Annotated[Replication, Reads(choice_reader(Replication))] = setting(
        "sync",
        "With REPLICATE_TO: sync tells and sends nothing before its copy is acknowledged, async"
        " does not wait for it.",
    )
    desk: Annotated[str, Reads(read_desk)] = setting(
        "main", "With REPLICATE_TO: the name of this desk, one for each account at a venue."
    )
    lease_seconds: Annotated[
        Decimal, Reads(decimal_reader(least="2", most=str(LEASE_SECONDS_MAX), places=3))
    ] = setting(
        "15",
        "With REPLICATE_TO: how long an engine that is cut off may still send, and so how long a"
        f" standby waits before it takes over, 2 to {LEASE_SECONDS_MAX} seconds.",
    )
    notify_urls: Annotated[SecretStr | None, Reads(optional(SecretStr))] = setting(
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
