"""Settings: from environment, `.env` and flags to one checked, frozen value, and from there to the
desk's policy.

Invariants: every text was read exactly or the whole is refused, with all problems named at
once (`SettingsError`, exit 3); nothing here is read twice; a secret leaves only through
`get_secret_value`.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import msgspec
from pydantic import Field, SecretStr

from pointsman.config.fields import LIMIT_NAMES, NAMES, SECRETS, SettingFields, name_of
from pointsman.config.known_venues import PAPER
from pointsman.config.layers import (
    find_all,
    limits_of_va,
    problem_of,
    texts_by_field,
    unknown_flags,
    va_ids_of,
    validated,
)
from pointsman.config.limit_fields import LimitFields
from pointsman.config.problems import MASK, SettingProblem, SettingsError
from pointsman.config.sources import (
    SettingEntry,
    SettingSource,
    is_quoted,
    layers_of,
    limits_by_va,
    unknown_names,
)
from pointsman.config.trading_hours import TradingHours
from pointsman.domain.market import Instrument
from pointsman.domain.money import plain
from pointsman.domain.policy import Limits, Policy, PositionMode, SizeDecay
from pointsman.domain.timestamps import MS_NS

_FIRST_FIELDS = {
    "limits", "limits_by_va", "instruments", "position_mode", "reduce_only_mode",
    "protection_deadline_ns", "submit_timeout_ns", "order_settle_ns", "reconcile_interval_ns",
    "global_max_daily_loss", "global_max_drawdown_percentage", "global_max_orders_per_minute",
    "kill_on_mismatch_cycles", "kill_on_naked_ns", "kill_on_storage_ns", "kill_switch_enabled",
    "max_loss_cooldown", "cooldown_ns", "max_spread_bps", "max_slippage_bps", "max_latency_ns",
    "max_price_deviation_bps", "max_position_size", "max_open_positions", "max_leverage",
    "stop_loss_percentage", "max_stop_loss_percentage", "entry_sides", "max_daily_loss",
    "max_drawdown_percentage", "max_trades_per_day", "max_orders_per_minute", "loss_size_decay",
}  # fmt: skip
"""The fields of policy and limits that the first version's digest of a run was made over. A later
one is left out while it has its default, so that a run that began before is the same run still."""

_NS_PER_SECOND = 1_000_000_000


class Settings(SettingFields):
    """All settings of a run. `limits_by_va` holds the full limits of each VA that has any of its
    own, `sources` where each value that is not a default came from, by variable (`NAME` or
    `VA001__NAME`)."""

    limits_by_va: Mapping[str, LimitFields] = Field(default_factory=dict)
    sources: Mapping[str, SettingSource] = Field(default_factory=dict)

    @property
    def accounts(self) -> tuple[tuple[str, Decimal], ...]:
        """The VAs with their start balances, in the order given."""
        return self.virtual_accounts

    @property
    def is_shadow(self) -> bool:
        """Whether a real account is read, and traded on paper."""
        return self.venue != PAPER and self.venue_shadow

    @property
    def venue_shown(self) -> str:
        """The venue, wherever it is named without its account."""
        return f"{self.venue} shadow" if self.is_shadow else self.venue

    @property
    def position_mode(self) -> PositionMode:
        """How the account at the venue keeps long and short."""
        is_paper = self.venue == PAPER
        return self.paper_position_mode if is_paper else self.venue_position_mode

    def policy(self, instruments: dict[str, Instrument]) -> Policy:
        """What governs a run, with the instruments of its symbols."""
        return Policy(
            limits=_limits(self),
            limits_by_va={va_id: _limits(own) for va_id, own in self.limits_by_va.items()},
            instruments=instruments,
            position_mode=self.position_mode,
            reduce_only_mode=self.paper_reduce_only,
            protection_deadline_ns=_ns(self.protection_deadline_seconds),
            submit_timeout_ns=_ns(self.submit_timeout_seconds),
            order_settle_ns=_ns(self.order_settle_seconds),
            reversal_wait_ns=_ns(self.reversal_wait_seconds),
            reconcile_interval_ns=_ns(self.reconcile_interval_seconds),
            global_max_daily_loss=self.global_max_daily_loss,
            global_max_drawdown_percentage=self.global_max_drawdown_percentage,
            global_max_orders_per_minute=self.global_max_orders_per_minute,
            kill_on_mismatch_cycles=self.kill_on_mismatch_cycles,
            kill_on_naked_ns=_optional_ns(self.kill_on_naked_seconds),
            kill_on_storage_ns=_optional_ns(self.kill_on_storage_seconds),
            kill_switch_enabled=self.kill_switch_enabled,
        )

    def trading_hours(self, va_id: str | None = None) -> TradingHours:
        """The trading hours of a VA, or the general ones. Keep what you get: it remembers its last
        answers."""
        own = self.limits_by_va.get(va_id, self) if va_id is not None else self
        return TradingHours(
            self.trading_timezone,
            own.trading_window_start,
            own.trading_window_end,
            self.trading_calendar,
        )

    def shown(self) -> list[tuple[str, str, SettingSource]]:
        """(name, value as text, source) of every setting, then of every limit that a VA has of its
        own."""
        rows = [self._row(name_of(field), self, field) for field in SettingFields.model_fields]
        for va_id, own in self.limits_by_va.items():
            rows += [
                self._row(f"{va_id}__{name_of(field)}", own, field)
                for field in LimitFields.model_fields
                if f"{va_id}__{name_of(field)}" in self.sources
            ]
        return rows

    def _row(self, name: str, holder: LimitFields, field: str) -> tuple[str, str, SettingSource]:
        value = _as_text(getattr(holder, field))
        return name, value, self.sources.get(name, SettingSource.DEFAULT)

    def digest(self) -> str:
        """SHA-256 over what shapes the decisions of a recorded run, but for its instruments, which
        have a digest of their own: policy, accounts, trading hours, paper venue. `10` and `10.0`
        give the same."""
        shaping = {
            "policy": _shaping(self.policy({})),
            "accounts": self.accounts,
            "timezone": self.trading_timezone,
            "calendar": self.trading_calendar,
            "windows": {
                va_id: (own.trading_window_start, own.trading_window_end)
                for va_id, own in {"": self, **self.limits_by_va}.items()
            },
            "paper_latency_ms": self.paper_latency_ms,
            "paper_fee_bps": self.paper_fee_bps,
        }
        if self.venue != PAPER:
            shaping["venue"] = f"{self.venue_shown} {'sandbox' if self.venue_sandbox else 'live'}"
        text = json.dumps(shaping, sort_keys=True, default=lambda value: plain(value.normalize()))
        return hashlib.sha256(text.encode()).hexdigest()


class LoadedSettings(msgspec.Struct, frozen=True):
    """The settings, and what a person should look at although it is no error."""

    settings: Settings
    warnings: tuple[str, ...]


class GivenSettings(msgspec.Struct, frozen=True):
    """What was read of the settings, with all that is wrong with them.

    Where there are problems, `settings` holds those values that are sound and belong to no single
    VA, and defaults for the rest: enough to check what they name, and nothing to run on. A token
    that cannot be used counts as set there. `at_fault` are the names of what cannot be used, and
    `places` says where each setting stood that is not a default.
    """

    settings: Settings
    problems: tuple[SettingProblem, ...]
    warnings: tuple[str, ...]
    at_fault: frozenset[str]
    places: Mapping[str, str]

    def loaded(self) -> LoadedSettings:
        """The settings. Raises SettingsError with every problem at once."""
        if self.problems:
            raise SettingsError(self.problems, self.warnings)
        return LoadedSettings(self.settings, self.warnings)


def read_given(
    env: Mapping[str, str], env_file: Path | None, overrides: Mapping[str, str]
) -> GivenSettings:
    """Read all settings. `overrides` are flags by setting name; a flag wins over `env`, `env` over
    `env_file`, that over the default. An `env_file` that is not there is a problem: pass None for
    none."""
    problems: list[SettingProblem] = []
    warnings: list[str] = []
    at_fault: set[str] = set()
    layers = layers_of(env, env_file, overrides, problems, warnings)
    is_whole = all(problem.variable != "--env-file" for problem in problems)
    problems += unknown_flags(overrides)

    entries = find_all(NAMES, layers, problems, at_fault)
    if not is_whole:
        at_fault.update(set(NAMES) - set(entries))
    settings, faults = validated(Settings, texts_by_field(entries))
    problems += [problem_of(name_of(field), entries, remedy) for field, remedy in faults.items()]
    at_fault.update(map(name_of, faults))

    own: dict[str, LimitFields] = {}
    va_ids = va_ids_of(entries, at_fault)
    warnings += unknown_names(va_ids or frozenset(), layers)
    for va_id, names in sorted(limits_by_va(va_ids, layers, problems).items()):
        own_names = [f"{va_id}__{name}" for name in names]
        own_entries = find_all(own_names, layers, problems, at_fault)
        limits = limits_of_va(va_id, own_entries, entries, faults, problems)
        if limits is not None:
            own[va_id] = limits
        entries |= own_entries
    told = {problem.variable for problem in problems}
    problems += [
        problem_of(name, entries, "write the value alone")
        for name, entry in entries.items()
        if entry.variable not in told and is_quoted(entry.text)
    ]
    if settings is None:
        settings = _sound(entries, at_fault)
    sources = {name: entry.source for name, entry in entries.items()}
    return GivenSettings(
        settings.model_copy(update={"limits_by_va": own, "sources": sources} | _unread(at_fault)),
        tuple(problems),
        tuple(warnings),
        frozenset(at_fault),
        {name: entry.where for name, entry in entries.items()},
    )


def _sound(entries: Mapping[str, SettingEntry], at_fault: set[str]) -> Settings:
    """The settings of the desk as a whole that can be used. Limits are left out: whether one of
    them can be used depends on the others."""
    kept = {
        name: entry
        for name, entry in entries.items()
        if name in NAMES and name not in LIMIT_NAMES and name not in at_fault
    }
    return Settings.model_validate(texts_by_field(kept))


def _unread(at_fault: set[str]) -> dict[str, SecretStr]:
    """A stand-in, each of them different, for every token that is set and cannot be used."""
    return {name.lower(): SecretStr(name) for name in SECRETS & at_fault}


def resolve_settings(
    env: Mapping[str, str], env_file: Path | None, overrides: Mapping[str, str]
) -> LoadedSettings:
    """All settings, as `read_given` reads them. Raises SettingsError with every problem at once."""
    return read_given(env, env_file, overrides).loaded()


def load_settings(
    values: Mapping[str, str] | None = None, env_file: Path | None = None
) -> Settings:
    """The settings of this process: `values` by name win over the environment, that over
    `env_file`, that over the defaults.

        load_settings({"MAX_SPREAD_BPS": "5", "VIRTUAL_ACCOUNTS": "VA001:50000"})

    Raises SettingsError with every problem at once.
    """
    return resolve_settings(os.environ, env_file, values or {}).settings


def _limits(fields: LimitFields) -> Limits:
    return Limits(
        max_loss_cooldown=fields.max_loss_cooldown,
        cooldown_ns=_ns(fields.cooldown_duration_seconds),
        max_spread_bps=fields.max_spread_bps,
        max_slippage_bps=fields.max_slippage_bps,
        max_latency_ns=int(fields.max_latency_ms * MS_NS),
        max_price_deviation_bps=fields.max_price_deviation_bps,
        max_position_size=fields.max_position_size,
        max_open_positions=fields.max_open_positions_per_va,
        max_leverage=fields.max_leverage,
        stop_loss_percentage=fields.stop_loss_percentage,
        max_stop_loss_percentage=fields.max_stop_loss_percentage,
        entry_sides=fields.entry_sides,
        reversal=fields.reversal,
        max_daily_loss=fields.max_daily_loss,
        max_drawdown_percentage=fields.max_drawdown_percentage,
        max_trades_per_day=fields.max_trades_per_day,
        max_orders_per_minute=fields.max_orders_per_minute,
        loss_size_decay=fields.loss_size_decay,
    )


def _shaping(rules: Policy | Limits) -> dict[str, object]:
    """Policy or limits as they go into the digest of a run."""
    shaping: dict[str, object] = {}
    for field in msgspec.structs.fields(rules):
        value, made = getattr(rules, field.name), field.default_factory
        default = field.default if made is msgspec.NODEFAULT else made()
        if field.name not in _FIRST_FIELDS and value == default:
            continue
        if field.name == "limits_by_va":
            shaping[field.name] = {va_id: _shaping(own) for va_id, own in value.items()}
        elif isinstance(value, Limits):
            shaping[field.name] = _shaping(value)
        else:
            shaping[field.name] = msgspec.to_builtins(value, builtin_types=(Decimal,))
    return shaping


def _ns(seconds: Decimal) -> int:
    return int(seconds * _NS_PER_SECOND)


def _optional_ns(seconds: Decimal | None) -> int | None:
    return None if seconds is None else _ns(seconds)


def _as_text(value: object) -> str:
    """A value as it would be written in `.env`; a secret as the mask."""
    match value:
        case None:
            return ""
        case SecretStr():
            return MASK
        case bool():
            return "true" if value else "false"
        case Decimal():
            return plain(value)
        case SizeDecay():
            return f"{value.losses}:{plain(value.factor)}"
        case (str() as va_id, Decimal() as balance):
            return f"{va_id}:{plain(balance)}"
        case tuple():
            return ",".join(_as_text(part) for part in value)
        case _:
            return str(value)
