"""The trading session of a US stock exchange, opened and closed by the test and not by the time of
day. The clock and the calendar of the API follow it: the day of a session has that session's hours.
"""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")
OPENS, CLOSES = time(9, 30), time(16, 0)


class Hours:
    """`closes_at` and `opens_at` are what the clock says of the next close and open; `turns` counts
    how often the session was opened or closed."""

    def __init__(self) -> None:
        self.days: dict[date, tuple[time, time]] = {}
        self.is_open = False
        self.turns = 0
        self.open(timedelta(hours=4))

    def open(self, lasts: timedelta) -> None:
        now = datetime.now(NEW_YORK)
        self.is_open = True
        self.turns += 1
        self.closes_at = now + lasts
        self.opens_at = self.closes_at + timedelta(hours=17, minutes=30)
        closes = self.closes_at.time() if self.closes_at.date() == now.date() else time(23, 59)
        self.days[now.date()] = (now.time(), closes)

    def close(self, until: timedelta) -> None:
        now = datetime.now(NEW_YORK)
        self.is_open = False
        self.turns += 1
        self.opens_at = now + until
        self.closes_at = self.opens_at + timedelta(hours=6, minutes=30)
        opened, _ = self.days.get(now.date(), (OPENS, CLOSES))
        self.days[now.date()] = (opened, now.time())

    def clock(self) -> dict[str, object]:
        return {
            "timestamp": datetime.now(NEW_YORK).isoformat(),
            "is_open": self.is_open,
            "next_open": self.opens_at.isoformat(timespec="seconds"),
            "next_close": self.closes_at.isoformat(timespec="seconds"),
        }

    def calendar(self, start: date, end: date) -> list[dict[str, str]]:
        days = [start + timedelta(days=n) for n in range((end - start).days + 1)]
        rows = []
        for day in days:
            if day.weekday() >= 5 and day not in self.days:
                continue
            opens, closes = self.days.get(day, (OPENS, CLOSES))
            row = {"date": f"{day}", "open": f"{opens:%H:%M}", "close": f"{closes:%H:%M}"}
            rows.append(row | {"session_open": "0400", "session_close": "2000"})
        return rows

    def today(self) -> date:
        return datetime.now(UTC).astimezone(NEW_YORK).date()
