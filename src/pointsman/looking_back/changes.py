"""Changed settings: `NAME=VALUE` texts, read as any setting is, and laid over the policy that a
database has recorded.

A limit of one VA that equals the general one is taken for inherited: a changed general limit
changes it too. Trading hours stand in no policy: they are worked out again from the settings
(RULES 54).
"""

import re
from collections.abc import Callable, Mapping

import msgspec

from pointsman.config.deciding import HOURS, OVER_ALL, REMEDY, is_other
from pointsman.config.limit_fields import MAX_STOP_LOSS_FACTOR
from pointsman.config.problems import SettingProblem, SettingsError
from pointsman.config.settings import Settings
from pointsman.domain.policy import Limits, Policy
from pointsman.domain.timestamps import parse_ts
from pointsman.engine.assembly import trading_hours
from pointsman.execution.ports import Hours

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_FIELDS = {
    "COOLDOWN_DURATION_SECONDS": "cooldown_ns",
    "MAX_LATENCY_MS": "max_latency_ns",
    "MAX_OPEN_POSITIONS_PER_VA": "max_open_positions",
}
"""What settings are called in a policy, where not by their own names."""
replace = msgspec.structs.replace


class Changes(msgspec.Struct, frozen=True):
    """Settings that are other than they were: `values` as they were written, by name, and the
    `settings` that they give together with those that are in force."""

    values: Mapping[str, str]
    settings: Settings

    def __bool__(self) -> bool:
        return bool(self.values)

    @property
    def changes_hours(self) -> bool:
        """Whether trading hours are other ones."""
        return any(name.rpartition("__")[2] in HOURS for name in self.values)

    def hours(self) -> Callable[[str], Hours] | None:
        """The trading hours of each VA; None where they stay as they were."""
        return trading_hours(self.settings) if self.changes_hours else None

    def policy(self, recorded: Policy) -> Policy:
        """The policy of a recorded start with these changes."""
        now = self.settings.policy({})
        limits, own = recorded.limits, dict(recorded.limits_by_va)
        others: dict[str, object] = {}
        for name in sorted(self.values, key=lambda name: "__" in name):  # general ones first
            va_id, _, plain = name.rpartition("__")
            field = _FIELDS.get(plain, plain.lower())
            if plain in HOURS:
                continue
            if plain in OVER_ALL:
                others[field] = getattr(now, field)
            elif va_id:
                own[va_id] = _changed(own.get(va_id, limits), field, now.limits_of(va_id))
            else:
                own = _inherited(own, recorded.limits, field, now.limits)
                limits = _changed(limits, field, now.limits)
        return replace(recorded, limits=limits, limits_by_va=own, **others)


class Period(msgspec.Struct, frozen=True):
    """The part of a run that is looked at, [`from_ns`, `to_ns`)."""

    from_ns: int = 0
    to_ns: int = 2**63 - 1

    def has(self, at_ns: int) -> bool:
        """Whether a moment is in it."""
        return self.from_ns <= at_ns < self.to_ns


def _changed(limits: Limits, field: str, now: Limits) -> Limits:
    """Limits with one of them as it is now. The furthest stop follows the usual one, where it was
    not set by itself."""
    values = {field: getattr(now, field)}
    usual = limits.stop_loss_percentage * MAX_STOP_LOSS_FACTOR
    if field == "stop_loss_percentage" and limits.max_stop_loss_percentage == usual:
        values["max_stop_loss_percentage"] = now.stop_loss_percentage * MAX_STOP_LOSS_FACTOR
    return replace(limits, **values)


def _inherited(
    own: Mapping[str, Limits], general: Limits, field: str, now: Limits
) -> dict[str, Limits]:
    before = getattr(general, field)
    return {
        va_id: _changed(limits, field, now) if getattr(limits, field) == before else limits
        for va_id, limits in own.items()
    }


def read_pairs(texts: list[str], option: str) -> dict[str, str]:
    """`NAME=VALUE` texts by name. Raises SettingsError for one that is none."""
    pairs = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign or not name.strip():
            raise _wrong(option, text, "write NAME=VALUE, such as MAX_LOSS_COOLDOWN=5")
        pairs[name.strip().upper()] = value.strip()
    return pairs


def read_period(since: str | None, until: str | None) -> Period:
    """The period between two texts; open where there is none. Raises SettingsError."""
    bounds = []
    for option, text, open_ns in (("--from", since, 0), ("--to", until, 2**63 - 1)):
        whole = f"{text}T00:00:00Z" if text and _DAY.fullmatch(text) else text
        try:
            bounds.append(open_ns if whole is None else parse_ts(whole))
        except ValueError as error:
            raise _wrong(option, text or "", str(error)) from error
    return Period(*bounds)


def require_first_level(names: list[str]) -> None:
    """Raises SettingsError for a setting that recorded events do not depend on."""
    for name in names:
        if is_other(name):
            raise _wrong("--set", name, REMEDY)


def _wrong(option: str, text: str, remedy: str) -> SettingsError:
    return SettingsError([SettingProblem(option, text, remedy)])
