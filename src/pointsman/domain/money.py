"""Exact decimals: how money, prices and quantities are read, rounded and written.

Every amount in pointsman is a `decimal.Decimal`; binary floats never touch money. Invariants:

* an accepted input has at most 12 digits before and 12 after the point, so sums, products and fees
  of a lifetime of fills fit into the 64 digits of `MONEY` without rounding: addition, subtraction
  and multiplication under it are exact;
* division happens only where a rule says how its result is rounded (basis points, averages, sizes).
"""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from decimal import (
    ROUND_CEILING,
    ROUND_FLOOR,
    ROUND_HALF_EVEN,
    Context,
    Decimal,
    DivisionByZero,
    InvalidOperation,
    Overflow,
    localcontext,
)

DIGITS_MAX = 64
"""Significant digits of `MONEY`."""

MONEY = Context(
    prec=DIGITS_MAX,
    rounding=ROUND_HALF_EVEN,
    traps=[InvalidOperation, DivisionByZero, Overflow],
)

ZERO = Decimal(0)
ONE = Decimal(1)
BPS = Decimal(10_000)
"""Basis points in one."""

_PLAIN = re.compile(r"[+-]?(?:[0-9]{1,12}(?:\.[0-9]{0,12})?|\.[0-9]{1,12})")
_BPS_PLACES = Decimal("0.0001")
_AVERAGE_PLACES = Decimal("0.0000000001")


def exact() -> AbstractContextManager[Context]:
    """Run a block under `MONEY`, whatever context the calling thread has."""
    return localcontext(MONEY)


def parse_decimal(text: str) -> Decimal:
    """Read a plain decimal such as `158.39`.

    Raises ValueError, saying how to fix it, for anything else: scientific notation, NaN, infinity,
    blanks, more than 12 digits before or after the point.
    """
    if not _PLAIN.fullmatch(text):
        raise ValueError(
            "write a plain decimal number, at most 12 digits before and 12 after the point"
        )
    return Decimal(text)


_MACHINE = re.compile(
    r"[+-]?(?:[0-9]{1,64}(?:\.[0-9]{0,64})?|\.[0-9]{1,64})(?:[eE][+-]?[0-9]{1,3})?"
)
_FLOAT_DIGITS = Context(prec=15, rounding=ROUND_HALF_EVEN)
"""A binary float carries 15 decimal digits; what stands behind them is noise."""

_PLACES_MAX = Decimal("1e-12")


def parse_machine_decimal(text: str) -> Decimal:
    """Read a number that a program wrote: a plain decimal as it stands, else one that passed
    through a binary float.

    An exponent has one meaning, and more than 12 digits after the point are float noise, which is
    rounded away: first to 15 significant digits, then to 12 places. `193.7200000000002` is 193.72,
    `1.234e-05` is 0.00001234. Raises ValueError, saying what to write, for anything else and for
    more than 12 digits before the point.
    """
    if _PLAIN.fullmatch(text):
        return Decimal(text)
    if not _MACHINE.fullmatch(text):
        return parse_decimal(text)
    number = _FLOAT_DIGITS.create_decimal(text)
    if number.adjusted() >= 12:
        return parse_decimal(text)
    rounded = number.quantize(_PLACES_MAX, context=MONEY).normalize(MONEY)
    return Decimal(plain(rounded))


def step_of(amount: Decimal) -> Decimal:
    """The power of ten of the last digit of an amount that is not zero: 0.01 for 158.39, also for
    158.3900, and 1 for 300. Digits behind the 15th are noise of a float and do not count."""
    exponent = _FLOAT_DIGITS.create_decimal(amount).normalize().as_tuple().exponent
    assert isinstance(exponent, int), "only of a finite amount"
    return max(_PLACES_MAX, min(ONE, ONE.scaleb(exponent)))


def plain(amount: Decimal) -> str:
    """Write a decimal without an exponent, as stored in the database and shown to people."""
    return format(amount, "f")


def floor_to(amount: Decimal, step: Decimal) -> Decimal:
    """The largest multiple of `step` that is not above `amount`."""
    return _round_to(amount, step, ROUND_FLOOR)


def whole_lots(quantity: Decimal, lot: Decimal) -> Decimal:
    """The whole lots in a quantity; none where that is less than nothing."""
    return ZERO if quantity < lot else floor_to(quantity, lot)


def ceil_to(amount: Decimal, step: Decimal) -> Decimal:
    """The smallest multiple of `step` that is not below `amount`."""
    return _round_to(amount, step, ROUND_CEILING)


def _round_to(amount: Decimal, step: Decimal, rounding: str) -> Decimal:
    return (amount / step).to_integral_value(rounding=rounding) * step


def is_multiple(amount: Decimal, step: Decimal) -> bool:
    """Whether `amount` is a whole number of `step`s."""
    return amount % step == ZERO


def stored_bps(amount: Decimal) -> Decimal:
    """Basis points as they are stored: half-even to 4 places (RULES 11)."""
    return amount.quantize(_BPS_PLACES, rounding=ROUND_HALF_EVEN)


def shown_average(value: Decimal, quantity: Decimal) -> Decimal:
    """An average price as it is shown: half-even to 10 places (RULES 14); zero for no quantity."""
    if quantity == ZERO:
        return ZERO
    return shown_ratio(value / quantity)


_SHARE_PLACES = Decimal("0.000000000001")


def share_of(amount: Decimal, part: Decimal, whole: Decimal) -> Decimal:
    """What `part` of a `whole` bears of an amount: half-even to 12 places. The last one takes
    what is left, so that nothing is lost to rounding."""
    return (amount * part / whole).quantize(_SHARE_PLACES, rounding=ROUND_HALF_EVEN)


def shown_ratio(ratio: Decimal) -> Decimal:
    """A ratio as it is stored and shown: half-even to 10 places."""
    return ratio.quantize(_AVERAGE_PLACES, rounding=ROUND_HALF_EVEN)


Rounder = Callable[[Decimal, Decimal], Decimal]
"""`floor_to` or `ceil_to`."""
