"""One rule as it was measured, in words: the value, and what it had to be.

A check holds plain decimals and codes, for programs. Here nanoseconds become times on the clock of
the trading window, numbers get their units, and a limit gets the comparison that it stands for.
"""

from decimal import Decimal

from pointsman.domain.money import ONE, ZERO, parse_decimal
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import SignalSide
from pointsman.domain.signals import Check
from pointsman.domain.timestamps import MS_NS
from pointsman.reading.checks import window_bounds
from pointsman.reading.words import (
    AT_MOST,
    LIMITS,
    PLACES,
    PRICES,
    SINGULAR,
    UNITS,
    WITHOUT_LIMIT,
)
from pointsman.terminal.text import length, moment, number, printable, rounded

_MS_A_MINUTE = 60_000


def measured(check: Check, zone: str) -> str:
    """What was measured, with its unit; times on the clock of `zone`."""
    if check.value is None:
        return "not known"
    if check.rule is Reason.OUTSIDE_WINDOW:
        return moment(int(check.value), zone)
    age_ms = _amount(check.value) if check.unit == "ms" else None
    if age_ms is not None and age_ms >= _MS_A_MINUTE:
        return length(int(age_ms * MS_NS))
    return _with_unit(check.value, check.unit, PLACES.get(check.unit, 0))


def allowed(check: Check, side: SignalSide, zone: str) -> str:
    """What it had to be, in the words of the rule. `side` is that of the signal."""
    limit = check.limit
    if limit is None:
        return WITHOUT_LIMIT.get(check.rule, "")
    if check.rule is Reason.OUTSIDE_WINDOW:
        return _window(check, zone)
    if check.rule is Reason.STOP_INVALID and check.unit != "%":
        is_below = (side is SignalSide.BUY) == (check.unit == "price")
        return f"{'below' if is_below else 'above'} {_with_unit(limit, check.unit)}"
    if check.rule is Reason.TICK_TOO_COARSE:
        return (
            f"{'at least' if side is SignalSide.BUY else 'at most'} {_with_unit(limit, check.unit)}"
        )
    if check.rule in AT_MOST and _amount(limit) == ZERO:
        return "none"
    if check.rule in AT_MOST or check.rule is Reason.STOP_INVALID:
        return f"at most {_with_unit(limit, check.unit)}"
    if check.rule in LIMITS:
        return LIMITS[check.rule].replace("{}", _with_unit(limit, ""))
    return _with_unit(limit, check.unit)


def remark(check: Check) -> str:
    """The note of a check; and where it failed although the shown value equals the limit, why."""
    notes = [printable(check.note)] if check.note else []
    if not check.passed and check.rule in AT_MOST and _amount(check.value) == _amount(check.limit):
        notes.append("above it by less than is shown")
    return "; ".join(notes)


def _window(check: Check, zone: str) -> str:
    """The window. A day that has just been named is not named again."""
    bounds = window_bounds(check.limit)
    if bounds is None:
        return check.limit or ""
    today = measured(check, zone).partition(" ")[0]
    opens, closes = (moment(at_ns, zone).partition(".")[0] for at_ns in bounds)
    day = opens.partition(" ")[0]
    return f"{opens.removeprefix(f'{today} ')} to {closes.removeprefix(f'{day} ')}"


def _amount(text: str | None) -> Decimal | None:
    try:
        return None if text is None else parse_decimal(text)
    except ValueError:
        return None


def _written(amount: Decimal, unit: str, least_places: int) -> str:
    """A price exactly, since it is compared with others; what was computed rounded."""
    return (number if unit in PRICES else rounded)(amount, least_places)


def _with_unit(text: str, unit: str, least_places: int = 0) -> str:
    amount = _amount(text)
    shown = printable(text) if amount is None else _written(amount, unit, least_places)
    suffix = UNITS.get(unit, unit)
    if amount == ONE and suffix in SINGULAR:
        suffix = SINGULAR[suffix]
    return f"{shown} {suffix}" if suffix else shown
