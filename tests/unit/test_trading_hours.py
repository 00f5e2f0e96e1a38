"""Trading hours: windows and days against the wall clock, clock changes and real holidays."""

import gzip
import json
import sys
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.config.trading_hours import (
    TradingHours,
    known_calendar,
    known_timezone,
    minutes_of,
)
from pointsman.domain.signals import Window

NS = 1_000_000_000
MINUTE = 60 * NS
HOUR = 60 * MINUTE
DAY = 24 * HOUR
NEW_YORK = "America/New_York"


def ns(text: str, zone: str = "UTC", fold: int = 0) -> int:
    """Nanoseconds of a local time such as `2025-03-09 09:30`."""
    moment = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)
    return int(moment.timestamp()) * NS


def local(now_ns: int, zone: str) -> datetime:
    return datetime.fromtimestamp(now_ns // NS, ZoneInfo(zone))


def is_open_by_the_wall_clock(now_ns: int, zone: str, start: str, end: str) -> bool:
    """As the design says it: start <= local time < end, overnight when start > end."""
    moment = local(now_ns, zone)
    clock = f"{moment.hour:02}:{moment.minute:02}"
    if start < end:
        return start <= clock < end
    return clock >= start or clock < end


def is_open(hours: TradingHours, now_ns: int) -> bool:
    window = hours.window_at(now_ns)
    assert window is not None
    assert window.opens_ns < window.closes_ns
    assert now_ns < window.closes_ns
    return window.opens_ns <= now_ns


CHANGES = [
    (NEW_YORK, "2025-03-09"),
    (NEW_YORK, "2025-11-02"),
    ("Europe/London", "2025-03-30"),
    ("Europe/London", "2025-10-26"),
    ("Australia/Lord_Howe", "2025-04-06"),  # half an hour
    ("Australia/Lord_Howe", "2025-10-05"),
    ("America/Havana", "2025-03-09"),  # midnight does not exist
    ("America/Havana", "2025-11-02"),  # midnight twice
    ("America/St_Johns", "2010-11-07"),  # at 00:01, back into the day before
    ("Pacific/Apia", "2011-12-30"),  # this date does not exist
]

WINDOWS = [
    ("09:30", "16:00"),
    ("00:00", "24:00"),
    ("16:00", "09:30"),
    ("22:00", "02:30"),
    ("01:30", "16:00"),
    ("01:15", "01:45"),
    ("02:15", "02:45"),
    ("01:45", "01:15"),
    ("23:30", "00:30"),
    ("18:00", "00:00"),
    ("02:10", "02:00"),
]


@pytest.mark.parametrize(("zone", "day"), CHANGES)
@pytest.mark.parametrize(("start", "end"), WINDOWS)
def test_rule_1_every_minute_around_a_clock_change_is_as_the_wall_clock_says(
    zone: str, day: str, start: str, end: str
) -> None:
    hours = TradingHours(zone, start, end)
    first = ns(f"{day} 12:00") - 2 * DAY
    wrong = [
        str(local(now, zone))
        for now in range(first, first + 4 * DAY, MINUTE)
        if is_open(hours, now) != is_open_by_the_wall_clock(now, zone, start, end)
    ]
    assert not wrong


@pytest.mark.parametrize(
    ("zone", "start", "end", "now", "opens", "closes"),
    [
        # the gap of 9 March 2025: 02:00 to 03:00 does not exist in New York
        (NEW_YORK, "02:30", "16:00", "2025-03-09 05:00", "2025-03-09 07:00", "2025-03-09 20:00"),
        (NEW_YORK, "22:00", "02:30", "2025-03-09 05:00", "2025-03-09 03:00", "2025-03-09 07:00"),
        # a window that lies in the gap does not open that day
        (NEW_YORK, "02:15", "02:45", "2025-03-09 05:00", "2025-03-10 06:15", "2025-03-10 06:45"),
        # the repeated hour of 2 November: from the first 01:00 to the last 02:00 is three hours
        (NEW_YORK, "01:00", "03:00", "2025-11-02 05:30", "2025-11-02 05:00", "2025-11-02 08:00"),
        (NEW_YORK, "22:00", "02:00", "2025-11-02 05:30", "2025-11-02 02:00", "2025-11-02 07:00"),
        # a boundary inside it: the wall clock comes into the window a second time
        (NEW_YORK, "01:30", "04:00", "2025-11-02 05:45", "2025-11-02 05:30", "2025-11-02 06:00"),
        (NEW_YORK, "01:30", "04:00", "2025-11-02 06:00", "2025-11-02 06:30", "2025-11-02 09:00"),
        # 24:00 is the end of the day, on a day of 23 hours as well
        (NEW_YORK, "00:00", "24:00", "2025-03-09 12:00", "2025-03-09 05:00", "2025-03-10 04:00"),
        ("UTC", "18:00", "24:00", "2025-06-01 12:00", "2025-06-01 18:00", "2025-06-02 00:00"),
        # without a calendar a Saturday counts
        ("UTC", "09:30", "16:00", "2025-06-07 10:00", "2025-06-07 09:30", "2025-06-07 16:00"),
        # the end is outside, and the next window follows
        ("UTC", "09:30", "16:00", "2025-06-07 16:00", "2025-06-08 09:30", "2025-06-08 16:00"),
    ],
)
def test_the_window_that_contains_a_moment_or_the_next_one(
    zone: str, start: str, end: str, now: str, opens: str, closes: str
) -> None:
    assert TradingHours(zone, start, end).window_at(ns(now)) == Window(ns(opens), ns(closes))


@pytest.mark.parametrize(("zone", "day"), CHANGES[:6])
def test_an_overnight_window_occurs_once_a_night_across_a_clock_change(zone: str, day: str) -> None:
    hours = TradingHours(zone, "18:00", "09:30")
    now = ns(f"{day} 12:00", zone) - 5 * DAY
    opened = []
    for _ in range(10):
        window = hours.window_at(now)
        assert window is not None
        opened.append(window.opens_ns)
        now = window.closes_ns
    dates = [local(opens, zone).date() for opens in opened]
    assert all(later - earlier == timedelta(days=1) for earlier, later in pairwise(dates))


ZONES = st.sampled_from(sorted({zone for zone, _ in CHANGES} | {"UTC", "Asia/Kolkata"}))
CLOCKS = st.integers(0, 24 * 60 - 1).map(lambda minute: f"{minute // 60:02}:{minute % 60:02}")
MOMENTS = st.integers(ns("1975-01-01"), ns("2045-01-01"))


@given(ZONES, CLOCKS, CLOCKS, st.lists(MOMENTS, min_size=1, max_size=5))
def test_rule_1_any_window_at_any_moment_is_as_the_wall_clock_says(
    zone: str, start: str, end: str, moments: list[int]
) -> None:
    """In any order of asking: what was remembered of one moment never answers for another."""
    if start == end:
        return
    hours = TradingHours(zone, start, end)
    for moment in [*moments, *(moment + 7 * HOUR for moment in moments), *moments]:
        assert is_open(hours, moment) == is_open_by_the_wall_clock(moment, zone, start, end)
        assert hours.window_at(moment) == TradingHours(zone, start, end).window_at(moment)


@given(ZONES, MOMENTS)
def test_trading_days_follow_each_other_and_start_at_local_midnight(zone: str, moment: int) -> None:
    hours = TradingHours(zone, "09:30", "16:00")
    start, following = hours.day_start_ns(moment), hours.next_day_start_ns(moment)
    assert start <= moment < following
    assert hours.day_start_ns(following) == following
    assert hours.day_start_ns(following - 1) == start
    assert local(start, zone).date() == local(start + HOUR, zone).date()
    before = local(start - NS, zone)
    assert before.date() < local(start, zone).date()
    assert (before.hour, before.minute) >= (23, 0) or zone == "America/St_Johns"


@pytest.mark.parametrize(
    ("zone", "now", "start", "following"),
    [
        ("UTC", "2025-06-01 12:00", "2025-06-01 00:00", "2025-06-02 00:00"),
        (NEW_YORK, "2025-06-01 03:59", "2025-05-31 04:00", "2025-06-01 04:00"),
        (NEW_YORK, "2025-03-09 12:00", "2025-03-09 05:00", "2025-03-10 04:00"),
        (NEW_YORK, "2025-11-02 12:00", "2025-11-02 04:00", "2025-11-03 05:00"),
        # midnight is skipped: the day starts at 01:00, the first instant that exists
        ("America/Havana", "2025-03-09 12:00", "2025-03-09 05:00", "2025-03-10 04:00"),
        # midnight comes twice: the first one counts
        ("America/Havana", "2025-11-02 05:30", "2025-11-02 04:00", "2025-11-03 05:00"),
        # the clock falls back from 00:01 into the day before, which has ended all the same
        ("America/St_Johns", "2010-11-07 02:45", "2010-11-07 02:30", "2010-11-08 03:30"),
        # a date that does not exist: the 29th is followed by the 31st
        ("Pacific/Apia", "2011-12-30 01:00", "2011-12-29 10:00", "2011-12-30 10:00"),
    ],
)
def test_rule_17_the_trading_day_starts_at_midnight_of_the_time_zone(
    zone: str, now: str, start: str, following: str
) -> None:
    hours = TradingHours(zone, "09:30", "16:00")
    assert hours.day_start_ns(ns(now)) == ns(start)
    assert hours.next_day_start_ns(ns(now)) == ns(following)


# --- calendar -------------------------------------------------------------------------------------


def windows_between(hours: TradingHours, first: int, last: int) -> list[Window]:
    found = []
    while (window := hours.window_at(first)) is not None and window.opens_ns < last:
        found.append(window)
        first = window.closes_ns
    return found


def us_date(text: str) -> date:
    month, day, year = map(int, text.split("/"))
    return date(year, month, day)


def test_xnys_sessions_and_early_closes_are_those_of_an_independent_database(
    shared_data: Path,
) -> None:
    pytest.importorskip("exchange_calendars")
    packed = (shared_data / "reference" / "market-hours-database.json.gz").read_bytes()
    equity = json.loads(gzip.decompress(packed))["entries"]["Equity-usa-[*]"]
    holidays = {us_date(text) for text in equity["holidays"]}
    early = {us_date(text): clock[:5] for text, clock in equity["earlyCloses"].items()}

    expected = []
    day = date(2007, 1, 1)
    while day < date(2027, 1, 1):
        if day.weekday() < 5 and day not in holidays:
            close = early.get(day, "16:00")
            window = Window(ns(f"{day} 09:30", NEW_YORK), ns(f"{day} {close}", NEW_YORK))
            expected.append(window)
        day += timedelta(days=1)
    hours = TradingHours(NEW_YORK, "09:30", "16:00", "XNYS")
    found = windows_between(hours, ns("2007-01-01"), ns("2027-01-01"))
    assert found == expected


@pytest.mark.parametrize(
    ("start", "end", "now", "opens", "closes"),
    [
        # Friday 3 July 2026 is a holiday, so Thursday evening is followed by Monday
        ("09:30", "16:00", "2026-07-02 17:00", "2026-07-06 09:30", "2026-07-06 16:00"),
        # on a regular day the hours of the exchange do not clip
        ("04:00", "20:00", "2026-07-06 05:00", "2026-07-06 04:00", "2026-07-06 20:00"),
        # on an early-close day they do, at 13:00
        ("04:00", "20:00", "2026-11-27 05:00", "2026-11-27 04:00", "2026-11-27 13:00"),
        # and what would open after that does not
        ("14:00", "20:00", "2026-11-27 05:00", "2026-11-30 14:00", "2026-11-30 20:00"),
        # Friday's night reaches into Saturday; Sunday's does not open
        ("18:00", "09:30", "2026-07-11 08:00", "2026-07-10 18:00", "2026-07-11 09:30"),
        ("18:00", "09:30", "2026-07-12 20:00", "2026-07-13 18:00", "2026-07-14 09:30"),
    ],
)
def test_rule_1_with_a_calendar_a_window_opens_on_session_days_only(
    start: str, end: str, now: str, opens: str, closes: str
) -> None:
    pytest.importorskip("exchange_calendars")
    hours = TradingHours(NEW_YORK, start, end, "XNYS")
    expected = Window(ns(opens, NEW_YORK), ns(closes, NEW_YORK))
    assert hours.window_at(ns(now, NEW_YORK)) == expected


def test_a_year_that_the_calendar_does_not_know_has_no_window() -> None:
    pytest.importorskip("exchange_calendars")
    hours = TradingHours("Asia/Seoul", "09:00", "15:30", "XKRX")
    assert hours.window_at(ns("1940-06-03")) is None
    assert hours.window_at(ns("1940-06-04")) is None
    assert hours.window_at(ns("2018-06-04 01:00")) is not None


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "minutes"), [("00:00", 0), ("09:30", 570), ("23:59", 1439), ("24:00", 1440)]
)
def test_a_time_of_day_is_read(text: str, minutes: int) -> None:
    assert minutes_of(text) == minutes


@pytest.mark.parametrize("text", ["", "9:30", "24:01", "12:60", "12:30:00", "-1:00", "٠٩:٣٠", "9"])
def test_another_time_of_day_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="HH:MM, from 00:00 to 24:00"):
        minutes_of(text)


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("America/NewYork", "did you mean America/New_York"),
        ("Europe/Londn", "did you mean Europe/London"),
        ("../etc/passwd", "IANA time zone"),
        ("", "IANA time zone"),
        ("America", "IANA time zone"),
        ("\0", "IANA time zone"),
    ],
)
def test_a_time_zone_that_does_not_exist_is_refused(text: str, remedy: str) -> None:
    with pytest.raises(ValueError, match=remedy):
        known_timezone(text)


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("xnys", "did you mean XNYS"),
        ("nowhere-at-all", "such as XNYS"),
        ("XBSE", "cannot build this one"),
    ],
)
def test_a_calendar_that_cannot_be_had_is_refused(text: str, remedy: str) -> None:
    pytest.importorskip("exchange_calendars")
    with pytest.raises(ValueError, match=remedy):
        known_calendar(text)


def test_a_calendar_needs_its_package_and_is_then_taken_by_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("exchange_calendars")
    assert known_calendar("XNYS") == "XNYS"
    with pytest.raises(ValueError, match="such as XNYS"):
        TradingHours("UTC", "09:30", "16:00", "XNYZ")
    monkeypatch.setitem(sys.modules, "exchange_calendars", None)
    with pytest.raises(ValueError, match="pip install exchange-calendars"):
        known_calendar("XNYS")


def test_a_window_of_no_length_is_refused() -> None:
    with pytest.raises(ValueError, match="00:00 to 24:00 is always open"):
        TradingHours("UTC", "09:30", "09:30")


def test_the_epoch_is_a_moment_like_any_other() -> None:
    hours = TradingHours("UTC", "00:00", "24:00")
    assert hours.window_at(0) == Window(0, DAY)
    assert hours.day_start_ns(0) == 0
    assert datetime.fromtimestamp(0, UTC).date() == date(1970, 1, 1)
