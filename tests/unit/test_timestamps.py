"""Times: what is read, what is refused, and the calendar against the standard library's."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.domain.timestamps import SECOND_NS, iso, parse_ts

HALF_PAST_TWO_NS = 1_514_903_400_000_000_000
"""2018-01-02T14:30:00Z."""


@pytest.mark.parametrize(
    ("text", "after_ns"),
    [
        ("2018-01-02T14:30:00Z", 0),
        ("2018-01-02t14:30:00z", 0),
        ("2018-01-02 14:30:00", 0),
        ("2018-01-02T14:30Z", 0),
        ("2018-01-02T14:30:00.115000Z", 115_000_000),
        ("2018-01-02T14:30:00.1Z", 100_000_000),
        ("2018-01-02T14:30:00.123456789Z", 123_456_789),
        ("2018-01-02T09:30:00.5-05:00", 500_000_000),
        ("2018-01-02T20:00:00+0530", 0),
        ("2018-01-03T00:30:00+10", 0),
        ("1514903400", 0),
        ("1514903400115", 115_000_000),
        ("1514903400115001", 115_001_000),
        ("1514903400115001002", 115_001_002),
        ("1514903400.115", 115_000_000),
        ("1514903400.1150000000123", 115_000_000),
        ("1514903400115.001", 115_001_000),
        ("1.5149034e9", 0),
        ("1.5149034e+18", 0),
    ],
)
def test_one_moment_in_many_spellings(text: str, after_ns: int) -> None:
    assert parse_ts(text) == HALF_PAST_TWO_NS + after_ns


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2018-01-02",
        "2018-1-2T14:30:00Z",
        "02/01/2018 14:30",
        "2018-00-02T14:30:00Z",
        "2018-13-02T14:30:00Z",
        "2018-02-29T14:30:00Z",
        "1900-02-29T14:30:00Z",
        "2018-01-00T14:30:00Z",
        "2018-01-02T24:00:00Z",
        "2018-01-02T14:60:00Z",
        "2018-01-02T14:30:60Z",
        "2018-01-02T14:30:00.Z",
        "2018-01-02T14:30:00.1234567890Z",
        "2018-01-02T14:30:00+24:00",
        "2018-01-02T14:30:00+01:60",
        "2018-01-02T14:30:00Z ",
        "\uff12018-01-02T14:30:00Z",
        "0000-01-01T00:00:00Z",
        "1969-12-31T23:59:59Z",
        "1970-01-01T00:30:00+01:00",
        "2262-04-12T00:00:00Z",
        "-1",
        "+1514903400",
        "1.5e30",
        "1514903400.",
        "15.149034e8",
        "20180102",
        "201801021430",
        "20180102143000",
        "20180102143000115",
        "43102",
        "52200000",
        "946684799",
        "99999999999",
        "9223372036854775808",
        "99999999999999999999",
        "١٥١٤٩٠٣٤٠٠",
    ],
)
def test_what_has_no_one_meaning_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="ISO-8601"):
        parse_ts(text)


@pytest.mark.parametrize("text", ["20260105", "202601051430", "20260105143001"])
def test_a_date_without_separators_is_called_one(text: str) -> None:
    with pytest.raises(ValueError, match="looks like a date"):
        parse_ts(text)


@given(
    st.datetimes(datetime(1970, 1, 2), datetime(2262, 4, 10)),  # noqa: DTZ001 zone added below
    st.integers(-23 * 60 - 59, 23 * 60 + 59),
    st.integers(0, 999),
)
def test_every_moment_is_the_standard_library_s(
    local: datetime, offset_minutes: int, further_ns: int
) -> None:
    moment = local.replace(tzinfo=timezone(timedelta(minutes=offset_minutes)))
    whole = moment.isoformat(timespec="microseconds")
    text = f"{whole[:26]}{further_ns:03d}{whole[26:]}"
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    assert parse_ts(text) == since // timedelta(microseconds=1) * 1_000 + further_ns


@pytest.mark.parametrize("year", [1970, 1972, 2000, 2100, 2261])
def test_every_day_of_a_year_follows_the_day_before(year: int) -> None:
    day = datetime(year, 1, 1, tzinfo=UTC)
    while day.year == year:
        assert parse_ts(day.strftime("%Y-%m-%dT00:00Z")) == int(day.timestamp()) * 10**9
        day += timedelta(days=1)


@given(st.integers(-60_000_000_000, 250_000_000_000), st.integers(0, 10**6 - 1))
def test_a_moment_is_written_as_the_calendar_has_it(seconds: int, micros: int) -> None:
    moment = datetime.fromtimestamp(seconds, UTC).replace(microsecond=micros)
    text = iso(seconds * SECOND_NS + micros * 1000)
    assert text == moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ").rjust(27, "0")
    assert iso(seconds * SECOND_NS + micros * 1000 + 1).endswith("001Z")
