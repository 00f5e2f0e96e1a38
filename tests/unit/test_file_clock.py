"""Times as vendors write them."""

import pytest

from pointsman.domain.timestamps import iso, parse_ts
from pointsman.market.file_clock import StampFormat


@pytest.mark.parametrize(
    ("clock", "text", "utc"),
    [
        (StampFormat.COMPACT_UTC, "20260105 14:30:01.123", "2026-01-05T14:30:01.123Z"),
        (StampFormat.COMPACT_EST, "20260705 093001123", "2026-07-05T14:30:01.123Z"),
        (StampFormat.DAY_FIRST, "05.01.2026 14:30:00.605 GMT+0100", "2026-01-05T13:30:00.605Z"),
        (StampFormat.DAY_FIRST_UTC, "05.01.2026 14:30:00.605", "2026-01-05T14:30:00.605Z"),
    ],
)
def test_a_time_is_read_in_the_zone_of_its_vendor(clock: StampFormat, text: str, utc: str) -> None:
    assert iso(clock.read(text)) == iso(parse_ts(utc))


@pytest.mark.parametrize(
    ("clock", "text", "remedy"),
    [
        (StampFormat.DAY_FIRST, "05.01.2026 14:30:00.605", "use --format dukascopy-web-gmt"),
        (StampFormat.DAY_FIRST_UTC, "05.01.2026 14:30:00.605 GMT+0100", "05.01.2026 14:30:00.605"),
        (StampFormat.COMPACT_EST, "20260105 14:30:01.123", "20260105 093001123"),
    ],
)
def test_another_form_is_refused_with_what_to_write(
    clock: StampFormat, text: str, remedy: str
) -> None:
    with pytest.raises(ValueError, match=remedy):
        clock.read(text)
