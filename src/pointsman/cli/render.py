"""How things are written: one JSON document for programs, aligned text for people.

For programs nothing is rounded: decimals are plain text, times ISO-8601 UTC, lengths of time exact
seconds. For people money has two decimals and times are to the millisecond; colour never says what
a word does not say too. Text that came from outside is shown as text: it can neither style the
output nor steer the terminal.
"""

import json
import sys
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from io import TextIOWrapper
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from rich.console import Console
from rich.text import Text

from pointsman.domain.money import ZERO, plain

SECOND_NS = 10**9
_LENGTHS_OF_TIME = ("ttl_ns", "_max_ns", "_total_ns")
"""Endings of the fields that hold a length of time; any other `_ns` is a moment."""


# -- for programs ----------------------------------------------------------------------------------


def iso(time_ns: int) -> str:
    """A moment as ISO-8601 UTC: 6 decimals of a second where they say all, else 9."""
    seconds, rest_ns = divmod(time_ns, SECOND_NS)
    digits = f"{rest_ns:09d}"
    if rest_ns % 1000 == 0:
        digits = digits[:6]
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{digits}Z"


def seconds_text(length_ns: int) -> str:
    """A length of time in seconds, exactly."""
    return plain(Decimal(length_ns) / SECOND_NS)


def to_document(value: Any, name: str = "") -> Any:
    """A record as JSON knows it. A field `x_ns` becomes the moment `x`, or the length `x_seconds`;
    a moment of 0 stands for never and becomes null."""
    if isinstance(value, msgspec.Struct):
        fields = value.__struct_fields__
        return {document_name(each): to_document(getattr(value, each), each) for each in fields}
    if isinstance(value, tuple):
        return [to_document(each) for each in value]
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, int) and name.endswith("_ns"):
        if name.endswith(_LENGTHS_OF_TIME):
            return seconds_text(value)
        return iso(value) if value else None
    return value


def document_name(field: str) -> str:
    """The name of a record's field in JSON."""
    if field.endswith(_LENGTHS_OF_TIME):
        return f"{field.removesuffix('_ns')}_seconds"
    return field.removesuffix("_ns")


def print_json(document: object) -> None:
    """Write one JSON document to standard output."""
    sys.stdout.write(json.dumps(document, indent=2) + "\n")


# -- for people ------------------------------------------------------------------------------------


def console(*, is_error: bool = False) -> Console:
    """Where people read. A character that the terminal cannot show is replaced, never an error."""
    stream = sys.stderr if is_error else sys.stdout
    if isinstance(stream, TextIOWrapper):
        stream.reconfigure(errors="replace")
    return Console(stderr=is_error, highlight=False, emoji=False, markup=False)


def printable(text: str) -> str:
    """Text from outside, with what is not printable written out."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


def money(amount: Decimal) -> str:
    """An amount of money with two decimals and thousands apart."""
    return f"{amount + ZERO:,.2f}"


def number(amount: Decimal, least_places: int = 0) -> str:
    """A quantity or price without idle zeros beyond `least_places` decimals. What is not below 1 is
    cut to 4 decimals, half-even: averages may have ten."""
    if abs(amount) >= 1:
        amount = Decimal(f"{amount:.4f}")
    whole, _, fraction = f"{amount:,f}".partition(".")
    fraction = fraction.rstrip("0").ljust(least_places, "0")
    return f"{whole}.{fraction}" if fraction else whole


def price(amount: Decimal) -> str:
    """A price: at least two decimals."""
    return number(amount, 2)


def signed_money(amount: Decimal) -> Text:
    """A result: signed, and coloured alike."""
    text = f"+{money(amount)}" if amount > ZERO else money(amount)
    return Text(text, style="green" if amount > ZERO else "red" if amount < ZERO else "")


def moment(time_ns: int, zone: str = "UTC") -> str:
    """A moment to the millisecond, on the clock of `zone`."""
    seconds, rest_ns = divmod(time_ns, SECOND_NS)
    at = datetime.fromtimestamp(seconds, ZoneInfo(zone))
    return f"{at:%Y-%m-%d %H:%M:%S}.{rest_ns // 10**6:03d}"


def length(length_ns: int) -> str:
    """A length of time as people say it: 20 ms, 1.204 s, 12 min 04 s, 3 h 05 min, 2 d 7 h."""
    millis = Decimal(length_ns) / 10**6
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
    return f"{sign}{seconds // 86400} d {seconds % 86400 // 3600} h"


def stopwatch(length_ns: int) -> str:
    """A length of time from a start, signed and to the millisecond: +0.020, +3:05.020,
    +2:03:05.020."""
    sign = "-" if length_ns < 0 else "+"
    seconds, rest_ns = divmod(abs(length_ns), SECOND_NS)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    millis = f"{rest_ns // 10**6:03d}"
    if hours:
        return f"{sign}{hours}:{minutes:02d}:{seconds:02d}.{millis}"
    if minutes:
        return f"{sign}{minutes}:{seconds:02d}.{millis}"
    return f"{sign}{seconds}.{millis}"


def counted(count: int, one: str, many: str = "") -> str:
    """`1 fill`, `2 fills`."""
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"
