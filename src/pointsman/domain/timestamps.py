"""Text into times: integer nanoseconds since 1970, UTC (RULES 1).

Senders and files write times in a few ways; each has one meaning, and what has none is refused.
Nothing is read through binary floating point, so nine decimals of a second are kept exactly. Leap
seconds do not exist here.
"""

import re
from decimal import Decimal
from functools import lru_cache

from pointsman.domain.money import plain

MS_NS = 1_000_000
SECOND_NS = 1_000_000_000

_END_NS = 2**63
_REMEDY = (
    "write ISO-8601 such as 2018-01-02T14:30:00.115Z with at most 9 decimals, "
    "or an integer epoch in s, ms, us or ns"
)
_ISO = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,9}))?)?"
    r"(Z|z|[+-][0-9]{2}(?::?[0-9]{2})?)?"
)
_EPOCH_UNITS = ((10**11, SECOND_NS), (10**14, MS_NS), (10**17, 1_000), (_END_NS, 1))
"""An integer below the first number counts in units of the second, in nanoseconds."""
_EPOCH_DIGITS_MAX = 19
_EPOCH_MS_DIGITS = 13
_SECOND_CHARS = len("2018-01-02T14:30:00")
_FIRST_EPOCH_NS = 946_684_800 * SECOND_NS
"""2000-01-01. A number below it is more likely a date without separators, the serial number of a
spreadsheet or a time since midnight than an epoch."""
_FLOAT_EPOCH = re.compile(r"[0-9]{1,19}\.[0-9]{1,20}|[0-9](?:\.[0-9]{1,20})?[eE]\+?[0-9]{1,2}")
"""An epoch that passed through a float: `1767609000.115`, `1.767609e+18`."""

_COMPACT_DATE = re.compile(
    r"(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{0,9}"
)
_DAYS_BEFORE_1970 = 719_162
_DAYS_BEFORE_MONTH = (0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365)


def parse_ts(text: str) -> int:
    """Read a time as nanoseconds since 1970, UTC.

    ISO-8601: an offset is applied, none means UTC. Or an integer epoch, whose size says its unit:
    below 10^11 seconds, below 10^14 milliseconds, below 10^17 microseconds, else nanoseconds;
    what a float added below the nanosecond is cut off (RULES 59).
    Raises ValueError, saying what to write, for anything else, before 1970 or after 2262, and for
    an epoch before 2000, since such a number is no epoch: 20260105 is a date.
    """
    if len(text) == _EPOCH_MS_DIGITS and text.isascii() and text.isdigit():
        ts_ns = int(text) * MS_NS
        if _FIRST_EPOCH_NS <= ts_ns < _END_NS:
            return ts_ns  # milliseconds, as most files have them: worked out at once
    if text[_SECOND_CHARS : _SECOND_CHARS + 1] == "." and text[-1] == "Z":
        fraction = text[_SECOND_CHARS + 1 : -1]
        if len(fraction) <= 9 and fraction.isascii() and fraction.isdigit():
            ts_ns = _second_ns(text[:_SECOND_CHARS]) + int(fraction.ljust(9, "0"))
            if ts_ns < _END_NS:
                return ts_ns  # what most other files have: rows share their seconds
    match = _ISO.fullmatch(text)
    if match is None:
        return _parse_epoch(text)
    minute, second, fraction, zone = match.groups("0")
    ts_ns = _minute_ns(minute, zone) + int(second) * SECOND_NS + int(fraction.ljust(9, "0"))
    if second > "59" or not 0 <= ts_ns < _END_NS:
        raise ValueError(_REMEDY)
    return ts_ns


@lru_cache(maxsize=4_096)
def _second_ns(second: str) -> int:
    """The start of a second such as `2018-01-02T14:30:00`, in UTC."""
    return parse_ts(f"{second}Z")


@lru_cache(maxsize=4_096)
def _minute_ns(minute: str, zone: str) -> int:
    """The start of a minute such as `2018-01-02T14:30` in `zone`: `Z`, `+01:00`, or `0` for none.
    Cached, since the rows of a quote file share their minutes."""
    hours, minutes = int(minute[11:13]), int(minute[14:16])
    offset_hours = int(zone[1:3] or "0")
    offset_minutes = int(zone[3:].lstrip(":") or "0")
    if hours > 23 or minutes > 59 or offset_hours > 23 or offset_minutes > 59:
        raise ValueError(_REMEDY)
    offset = (offset_hours * 60 + offset_minutes) * (-1 if zone[0] == "-" else 1)
    days = _days_since_1970(int(minute[:4]), int(minute[5:7]), int(minute[8:10]))
    return ((days * 24 + hours) * 60 + minutes - offset) * 60 * SECOND_NS


def _days_since_1970(year: int, month: int, day: int) -> int:
    """The days from 1970-01-01 to a day of the calendar. ValueError for a day that is none."""
    if not (year >= 1 and 1 <= month <= 12):
        raise ValueError(_REMEDY)
    is_leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    days_in_month = _DAYS_BEFORE_MONTH[month] - _DAYS_BEFORE_MONTH[month - 1]
    if not 1 <= day <= days_in_month + (is_leap and month == 2):
        raise ValueError(_REMEDY)
    years = year - 1
    days = years * 365 + years // 4 - years // 100 + years // 400
    days += _DAYS_BEFORE_MONTH[month - 1] + (is_leap and month > 2) + day - 1
    return days - _DAYS_BEFORE_1970


def _unit_ns(number: int | Decimal) -> int:
    for end, unit_ns in _EPOCH_UNITS:
        if number < end:
            return unit_ns
    return SECOND_NS


def _parse_epoch(text: str) -> int:
    number: int | Decimal
    if text.isascii() and text.isdigit() and len(text) <= _EPOCH_DIGITS_MAX:
        number = int(text)
    elif _FLOAT_EPOCH.fullmatch(text):
        number = Decimal(text)
    else:
        raise ValueError(_REMEDY)
    ts_ns = int(number * _unit_ns(number))
    if _FIRST_EPOCH_NS <= ts_ns < _END_NS:
        return ts_ns
    if _COMPACT_DATE.fullmatch(text):
        raise ValueError(f"it looks like a date without separators; {_REMEDY}")
    if ts_ns < _FIRST_EPOCH_NS:
        raise ValueError(f"as an epoch it is before the year 2000; {_REMEDY}")
    raise ValueError(_REMEDY)


def in_seconds(duration_ns: int) -> str:
    """A duration as checks and incidents hold it: "1.5" for 1_500_000_000."""
    return plain(Decimal(duration_ns) / SECOND_NS)


def iso_seconds(time_ns: int) -> str:
    """A moment as ISO-8601 UTC, cut to the second, for sentences."""
    return f"{iso(time_ns)[:19]}Z"


def iso(time_ns: int) -> str:
    """A moment as ISO-8601 UTC: 6 decimals of a second where they say all, else 9.

    The date comes from the days since 1970 by counting in 400-year cycles that begin on 1 March, so
    that a leap day is the last day of its year:
    https://howardhinnant.github.io/date_algorithms.html#civil_from_days
    """
    seconds, rest_ns = divmod(time_ns, SECOND_NS)
    days, second = divmod(seconds, 86_400)
    cycle, day = divmod(days + 719_468, 146_097)
    year = (day - day // 1_460 + day // 36_524 - day // 146_096) // 365
    day_of_year = day - (365 * year + year // 4 - year // 100)
    month = (5 * day_of_year + 2) // 153
    date = (
        f"{400 * cycle + year + (month >= 10):04d}-{month + 3 if month < 10 else month - 9:02d}"
        f"-{day_of_year - (153 * month + 2) // 5 + 1:02d}"
    )
    clock = f"{second // 3_600:02d}:{second % 3_600 // 60:02d}:{second % 60:02d}"
    digits = f"{rest_ns:09d}"
    return f"{date}T{clock}.{digits[:6] if rest_ns % 1_000 == 0 else digits}Z"
