"""How things are written for people: aligned text.

Money has two decimals and times are to the millisecond; colour never says what a word does not say
too. Text that came from outside is shown as text: it can neither style the output nor steer the
terminal.
"""

import json
import os
import sys
from datetime import datetime
from decimal import Decimal
from io import TextIOWrapper
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.text import Text

from pointsman.domain.money import ZERO
from pointsman.domain.timestamps import MS_NS, SECOND_NS

_DAYS_ALONE = 10
"""From this many days on, hours say nothing more."""
_ANY_WIDTH = 100_000
"""Characters; more than any row has."""


def print_json(document: object) -> None:
    """Write one JSON document to standard output."""
    sys.stdout.write(json.dumps(document, indent=2) + "\n")


# -- for people ------------------------------------------------------------------------------------


def console(*, is_error: bool = False) -> Console:
    """Where people read. A character that the terminal cannot show is replaced, never an error.
    What goes elsewhere is as wide as it needs, unless COLUMNS says how wide it may be."""
    stream = sys.stderr if is_error else sys.stdout
    if isinstance(stream, TextIOWrapper):
        stream.reconfigure(errors="replace")
    width = None if stream.isatty() or "COLUMNS" in os.environ else _ANY_WIDTH
    return Console(stderr=is_error, highlight=False, emoji=False, markup=False, width=width)


def venue_label(label: str, is_real_money: bool) -> Text:
    """The account at the venue, as it is shown everywhere: real money in red (RULES 49)."""
    return Text(printable(label), style="bold red" if is_real_money else "")


def printable(text: str) -> str:
    """Text from outside, with what is not printable written out."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


def money(amount: Decimal) -> str:
    """An amount of money with two decimals and thousands apart."""
    cents = Decimal(f"{amount:.2f}")  # -0.001 is 0.00
    return f"{cents + ZERO:,.2f}"


def number(amount: Decimal, least_places: int = 0) -> str:
    """A quantity or price, exactly, without idle zeros beyond `least_places` decimals."""
    whole, _, fraction = f"{amount:,f}".partition(".")
    fraction = fraction.rstrip("0").ljust(least_places, "0")
    return f"{whole}.{fraction}" if fraction else whole


def seconds(text: str) -> str:
    """A length of time in seconds, to the millisecond."""
    return number(Decimal(f"{Decimal(text):.3f}"))


def rounded(amount: Decimal, least_places: int = 0) -> str:
    """A number that was computed or measured, and may have many decimals: 4 are enough for what is
    not below 1, half-even."""
    if abs(amount) >= 1:
        amount = Decimal(f"{amount:.4f}")
    return number(amount, least_places)


def average(amount: Decimal, decimals: int) -> str:
    """An average of prices with this many decimals: at least those, and at most 2 more."""
    return number(Decimal(f"{amount:.{decimals + 2}f}"), decimals)


def signed_money(amount: Decimal) -> Text:
    """A result: signed, and coloured alike."""
    text, is_zero = money(amount), Decimal(f"{amount:.2f}") == ZERO
    if is_zero:
        return Text(text)
    return Text(f"+{text}", style="green") if amount > ZERO else Text(text, style="red")


def moment(time_ns: int, zone: str = "UTC") -> str:
    """A moment to the millisecond, on the clock of `zone`."""
    seconds, rest_ns = divmod(time_ns, SECOND_NS)
    at = datetime.fromtimestamp(seconds, ZoneInfo(zone))
    return f"{at:%Y-%m-%d %H:%M:%S}.{rest_ns // MS_NS:03d}"


def length(length_ns: int) -> str:
    """A length of time as people say it: 20 ms, 1.204 s, 12 min 04 s, 3 h 05 min, 2 days 7 h,
    329 days."""
    millis = Decimal(length_ns) / MS_NS
    if abs(millis) < 1000:
        return f"{number(Decimal(f'{millis:.3f}'))} ms"
    seconds = abs(length_ns) // SECOND_NS
    sign = "-" if length_ns < 0 else ""
    if seconds < 60:
        return f"{Decimal(length_ns) / SECOND_NS:.3f} s"
    if seconds < 3600:
        return f"{sign}{seconds // 60} min {seconds % 60:02d} s"
    if seconds < 86400:
        return f"{sign}{seconds // 3600} h {seconds % 3600 // 60:02d} min"
    days, hours = seconds // 86400, seconds % 86400 // 3600
    return f"{sign}{counted(days, 'day')}{f' {hours} h' if hours and days < _DAYS_ALONE else ''}"


def stopwatch(length_ns: int) -> str:
    """A length of time from a start, signed and to the millisecond: +0.020, +3:05.020,
    +2:03:05.020."""
    sign = "-" if length_ns < 0 else "+"
    seconds, rest_ns = divmod(abs(length_ns), SECOND_NS)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    millis = f"{rest_ns // MS_NS:03d}"
    if hours:
        return f"{sign}{hours}:{minutes:02d}:{seconds:02d}.{millis}"
    if minutes:
        return f"{sign}{minutes}:{seconds:02d}.{millis}"
    return f"{sign}{seconds}.{millis}"


def counted(count: int, one: str, many: str = "") -> str:
    """`1 fill`, `2 fills`."""
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"
