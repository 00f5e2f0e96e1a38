"""What is wrong with the configuration, reported all at once.

A reader of configuration collects every problem before it gives up, so that a person repairs the
lot in one go. A secret is never part of a problem: its value is masked before it gets here.
"""

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches

import msgspec

from pointsman.errors import PointsmanError

MASK = "********"
"""Shown in place of a secret; the same for every secret, so that it tells nothing of it."""

_SHOWN_MAX = 80


class SettingProblem(msgspec.Struct, frozen=True, gc=False):
    """One thing to repair: the variable (or the field of a file), what it held, how to fix it, and
    where it stood."""

    variable: str
    value: str
    remedy: str
    where: str = ""

    def __str__(self) -> str:
        value = self.value if len(self.value) <= _SHOWN_MAX else f"{self.value[:_SHOWN_MAX]}…"
        where = f" ({self.where})" if self.where else ""
        return f"{self.variable}={value!r}{where}: {self.remedy}"


class SettingsError(PointsmanError):
    """The configuration cannot be used (exit 3). `problems` holds every reason, never none, and
    `warnings` what else a person should look at."""

    def __init__(self, problems: Sequence[SettingProblem], warnings: Sequence[str] = ()) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)
        self.warnings = tuple(warnings)


def close_match(name: str, known: Iterable[str]) -> str | None:
    """The known name that `name` most likely stands for, or None. Case does not matter; VA007 does
    not stand for VA003."""
    numbers = _numbers_in(name)
    by_upper = {
        candidate.upper(): candidate for candidate in known if _numbers_in(candidate) == numbers
    }
    nearness = 0.77  # not money: the share of letters in common, above HTTP_PROXY and HTTP_PORT
    matches = get_close_matches(name.upper(), by_upper, n=1, cutoff=nearness)
    return by_upper[matches[0]] if matches else None


def _numbers_in(name: str) -> list[int]:
    return [int(digits) for digits in re.findall(r"[0-9]+", name)]


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`; did you mean X?` where a known name is close, else nothing."""
    match = close_match(name, known)
    return f"; did you mean {match}?" if match else ""
