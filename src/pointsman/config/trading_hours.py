"""Trading windows and trading days: from time zone, wall clock and exchange calendar to UTC
intervals.

The desk knows no time zones; it is handed a `Window` and the start of the trading day (RULES 1).
Invariants:

* a moment is inside a window exactly when `start <= local time < end`; an overnight window (start >
  end) belongs to the day on which it opens, and END 24:00 is the end of the day;
* a wall-clock time that a change to summer time skips is passed over: a window that would open in
  the gap opens at its end. Where a change repeats an hour and a boundary lies inside it, the wall
  clock enters the window twice, so that day has two intervals; otherwise a day has one;
* a trading day starts at the first instant of its local date, and days follow each other without
  gap or overlap;
* with a calendar, a window opens on session days only and closes no later than an early close of
  that session. The regular hours of the exchange do not clip it. A year that the calendar does not
  know has no session.

Days are worked out once and remembered: a lookup inside the last window or day compares two
integers.
"""

import re
import warnings
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pointsman.config.problems import did_you_mean
from pointsman.domain.signals import Window

_NS = 1_000_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)
_SECOND = timedelta(seconds=1)
_SEARCH_DAYS = 366
_CLOCK = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]|24:00")
_DAY_MINUTES = 24 * 60

Instants = tuple[datetime, datetime]
"""A half-open interval of UTC instants."""


def minutes_of(clock: str) -> int:
    """Minutes after midnight of a wall-clock time `HH:MM`, 00:00 to 24:00. Raises ValueError for
    other text."""
    if not _CLOCK.fullmatch(clock):
        raise ValueError("write a time of day as HH:MM, from 00:00 to 24:00")
    return int(clock[:2]) * 60 + int(clock[3:])


def known_timezone(name: str) -> str:
    """`name`, if it is a time zone of the IANA database. Raises ValueError with the closest one
    otherwise."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        hint = did_you_mean(name, available_timezones())
        raise ValueError(f"use an IANA time zone such as America/New_York or UTC{hint}") from None
    return name


def known_calendar(name: str) -> str:
    """`name`, if `exchange_calendars` can build that calendar. Raises ValueError saying how to fix
    it otherwise.

    The import is late because it takes a second and 75 MB, which only who sets a calendar should
    pay.
    """
    try:
        import exchange_calendars
    except ImportError:
        raise ValueError(
            "install what it needs with `pip install exchange-calendars`, or build the image with "
            "`docker-compose build --build-arg CALENDAR=yes`, or leave it empty"
        ) from None
    names = exchange_calendars.get_calendar_names()
    if name not in names:
        hint = did_you_mean(name, names)
        raise ValueError(f"use a calendar of exchange_calendars such as XNYS or XLON{hint}")
    try:
        _built(name)
    except (ValueError, NotImplementedError):
        raise ValueError("exchange_calendars cannot build this one; use another calendar") from None
    return name


def _built(calendar: str, **span: str) -> Any:
    """The calendar as `exchange_calendars` builds it, without its complaints about pandas."""
    import exchange_calendars

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return exchange_calendars.get_calendar(calendar, **span)


@lru_cache(maxsize=64)
def _sessions(calendar: str, year: int) -> dict[date, datetime | None] | None:
    """The session days of a year, each with its early close, if it has one; None for a year that
    the calendar does not know."""
    try:
        known = _built(calendar, start=f"{year}-01-01", end=f"{year}-12-31")
    except ValueError:  # the calendar has no data for this year
        return None
    early = {session.date(): known.session_close(session) for session in known.early_closes}
    return {
        day: early[day].to_pydatetime() if day in early else None
        for day in (session.date() for session in known.sessions)
    }


class TradingHours:
    """When entries are allowed, and when a trading day starts. For one thread: it remembers its
    last answers."""

    def __init__(self, timezone: str, start: str, end: str, calendar: str | None = None) -> None:
        """`start` and `end` are wall-clock times `HH:MM` in `timezone`; `calendar` is a name that
        `exchange_calendars` knows. Raises ValueError for what is not one, or for start equal to
        end."""
        self._zone = ZoneInfo(known_timezone(timezone))
        self._start = timedelta(minutes=minutes_of(start))
        self._end = timedelta(minutes=minutes_of(end))
        if start == end:
            raise ValueError("start and end must differ; 00:00 to 24:00 is always open")
        if self._start > self._end:
            self._end += _DAY
        self._calendar = None if calendar is None else known_calendar(calendar)
        self._window: Window | None = None
        self._window_from_ns = self._window_until_ns = 0
        self._day_start_ns = self._next_day_start_ns = 0

    def window_at(self, now_ns: int) -> Window | None:
        """The window that contains `now_ns`, else the next one; None if none opens within a
        year."""
        if not self._window_from_ns <= now_ns < self._window_until_ns:
            window = self._search(now_ns)
            # The answer stays right until this window closes; "none" is asked again the next day.
            until_ns = window.closes_ns if window else self.next_day_start_ns(now_ns)
            self._window = window
            self._window_from_ns, self._window_until_ns = now_ns, until_ns
        return self._window

    def unknown_at(self, now_ns: int) -> str:
        """Why nothing is traded at `now_ns` although the clock would allow it: the calendar does
        not know that year. Empty where it does."""
        year = self._local_date(now_ns).year
        if self._calendar is None or _sessions(self._calendar, year) is not None:
            return ""
        return (
            f"TRADING_CALENDAR {self._calendar} does not know the year {year}: no session is open"
            " then; a newer exchange-calendars may"
        )

    def day_start_ns(self, now_ns: int) -> int:
        """00:00 local of the trading day that contains `now_ns`; where that is skipped, the first
        instant after."""
        self._turn_to_day(now_ns)
        return self._day_start_ns

    def next_day_start_ns(self, now_ns: int) -> int:
        """The start of the trading day after the one that contains `now_ns`."""
        self._turn_to_day(now_ns)
        return self._next_day_start_ns

    def _turn_to_day(self, now_ns: int) -> None:
        if self._day_start_ns <= now_ns < self._next_day_start_ns:
            return
        today = self._local_date(now_ns)
        days = (today + _DAY * number for number in range(-2, 4))
        # Empty for a date that the zone has skipped as a whole (Apia, 30 December 2011).
        spans = [self._instants(day, timedelta(0), _DAY) for day in days]
        starts = [_ns(span[0][0]) for span in spans if span]
        self._day_start_ns = max(start for start in starts if start <= now_ns)
        self._next_day_start_ns = min(start for start in starts if start > now_ns)

    def _search(self, now_ns: int) -> Window | None:
        today = self._local_date(now_ns)
        found: list[Window] = []
        for number in range(-1, _SEARCH_DAYS + 1):
            # A repeated hour may make the intervals of neighbouring days alternate: look at all.
            if found and number > 1:
                break
            windows = self._windows_opening_on(today + _DAY * number)
            found += [window for window in windows if window.closes_ns > now_ns]
        return min(found, key=lambda window: window.opens_ns, default=None)

    def _local_date(self, now_ns: int) -> date:
        return datetime.fromtimestamp(now_ns // _NS, self._zone).date()

    def _windows_opening_on(self, day: date) -> Iterator[Window]:
        early_close = None
        if self._calendar is not None:
            sessions = _sessions(self._calendar, day.year)
            if sessions is None or day not in sessions:
                return
            early_close = sessions[day]
        for opens, closes in self._instants(day, self._start, self._end):
            last = closes if early_close is None else min(closes, early_close)
            if opens < last:
                yield Window(_ns(opens), _ns(last))

    def _instants(self, day: date, start: timedelta, end: timedelta) -> list[Instants]:
        """All instants whose wall clock reads from `start` to `end` after midnight of `day`, as
        intervals."""
        midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
        spans: list[Instants] = []
        for begin, finish, offset in self._offsets(midnight + start - _DAY, midnight + end + _DAY):
            opens = max(begin, midnight + start - offset)
            closes = min(finish, midnight + end - offset)
            if opens >= closes:
                continue
            if spans and spans[-1][1] == opens:
                spans[-1] = (spans[-1][0], closes)
            else:
                spans.append((opens, closes))
        return spans

    def _offsets(
        self, begin: datetime, finish: datetime
    ) -> Iterator[tuple[datetime, datetime, timedelta]]:
        """The stretches of one UTC offset between two instants, in order."""
        since, offset, probe = begin, self._offset(begin), begin
        while probe < finish:
            following = min(probe + _HOUR, finish)
            if self._offset(following) != offset:
                change = self._change_between(probe, following)
                yield since, change, offset
                since, offset = change, self._offset(following)
            probe = following
        yield since, finish, offset

    def _change_between(self, before: datetime, after: datetime) -> datetime:
        """The first second at which the offset is no longer that of `before`."""
        old = self._offset(before)
        low, high = 0, int((after - before).total_seconds())
        while high - low > 1:
            middle = (low + high) // 2
            if self._offset(before + timedelta(seconds=middle)) == old:
                low = middle
            else:
                high = middle
        return before + timedelta(seconds=high)

    def _offset(self, instant: datetime) -> timedelta:
        offset = instant.astimezone(self._zone).utcoffset()
        assert offset is not None, "a datetime in a ZoneInfo always has an offset"
        return offset


def _ns(instant: datetime) -> int:
    return (instant - _EPOCH) // _SECOND * _NS
