"""How files of vendors write their times. Invariant: a time zone is never guessed; it stands in the
text, or the vendor has one zone for all files.
"""

import re
from enum import Enum

from pointsman.domain.timestamps import parse_ts


class StampFormat(Enum):
    """How a file writes its times: the parts of an ISO-8601 time, and the zone where the text has
    none. STANDARD is what `parse_ts` reads."""

    STANDARD = ("", "")
    COMPACT_UTC = (
        r"(?P<Y>\d{4})(?P<m>\d\d)(?P<d>\d\d) (?P<H>\d\d):(?P<M>\d\d):(?P<S>\d\d)\.(?P<f>\d{1,9})",
        "Z",
    )
    """TrueFX: `20260105 14:30:01.123`."""

    COMPACT_EST = (
        r"(?P<Y>\d{4})(?P<m>\d\d)(?P<d>\d\d) (?P<H>\d\d)(?P<M>\d\d)(?P<S>\d\d)(?P<f>\d{3})",
        "-05:00",
    )
    """HistData: `20260105 093001123`, New York winter time the whole year."""

    DAY_FIRST = (
        r"(?P<d>\d\d)\.(?P<m>\d\d)\.(?P<Y>\d{4}) (?P<H>\d\d):(?P<M>\d\d):(?P<S>\d\d)"
        r"\.(?P<f>\d{1,9}) GMT(?P<zone>[+-]\d{4})",
        "",
    )
    """The web site of Dukascopy in local time: `05.01.2026 14:30:00.605 GMT-0000`."""

    DAY_FIRST_UTC = (
        r"(?P<d>\d\d)\.(?P<m>\d\d)\.(?P<Y>\d{4}) (?P<H>\d\d):(?P<M>\d\d):(?P<S>\d\d)"
        r"\.(?P<f>\d{1,9})",
        "Z",
    )
    """The web site of Dukascopy in GMT, where the header says so: `05.01.2026 14:30:00.605`."""

    def match(self, text: str) -> re.Match[str] | None:
        return re.fullmatch(self.value[0], text, re.ASCII)

    def read(self, text: str) -> int:
        """Nanoseconds since 1970, UTC. Raises ValueError, saying what to write."""
        found = self.match(text)
        if found is None:
            if self is StampFormat.DAY_FIRST and StampFormat.DAY_FIRST_UTC.match(text):
                raise ValueError(
                    "it names no time zone; where the header says Gmt time use"
                    " --format dukascopy-web-gmt"
                )
            raise ValueError(f"write it as --format says: {self.example}")
        part = found.groupdict()
        zone = part.get("zone") or self.value[1]
        day, time = f"{part['Y']}-{part['m']}-{part['d']}", f"{part['H']}:{part['M']}:{part['S']}"
        return parse_ts(f"{day}T{time}.{part['f']}{zone}")

    @property
    def example(self) -> str:
        """Such a time."""
        return {
            StampFormat.STANDARD: "2018-01-02T14:30:00.115Z",
            StampFormat.COMPACT_UTC: "20260105 14:30:01.123",
            StampFormat.COMPACT_EST: "20260105 093001123",
            StampFormat.DAY_FIRST: "05.01.2026 14:30:00.605 GMT-0000",
            StampFormat.DAY_FIRST_UTC: "05.01.2026 14:30:00.605",
        }[self]
