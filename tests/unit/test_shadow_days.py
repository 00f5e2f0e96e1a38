"""The day of an engine in shadow, counted turn by turn."""

from decimal import Decimal

from pointsman.config.fields import LogFormat, LogLevel
from pointsman.config.settings import resolve_settings
from pointsman.domain.accounts import AccountReading
from pointsman.domain.commands import Record, Step
from pointsman.domain.timestamps import SECOND_NS
from pointsman.service.log import Log
from pointsman.service.notifications import Notifications
from pointsman.service.shadow_days import ShadowDays
from tests.story_database import DAY_NS, OPEN_NS, lived_day

NEXT_DAY_NS = DAY_NS + 24 * 3600 * SECOND_NS
SHADOW = {
    "VENUE": "alpaca",
    "VENUE_KEY": "K",
    "VENUE_SECRET": "S",
    "VENUE_SHADOW": "true",
    "TRADING_TIMEZONE": "America/New_York",
}
FLAT = AccountReading(OPEN_NS, (), 0)


class Told:
    """A day that is counted, and what was said."""

    def __init__(self, settings: dict[str, str]) -> None:
        self.lines: list[str] = []
        log = Log(self.lines.append, LogFormat.CONSOLE, LogLevel.INFO, lambda: OPEN_NS)
        loaded = resolve_settings(settings, None, {})
        notices = Notifications("t.db", None, self.lines.append)
        self.days = ShadowDays(loaded.settings, OPEN_NS, log, notices)

    def live(self, *more: Record) -> None:
        for entry in lived_day().entries:
            self.days.turn(Step(entry.changes), entry.time_ns)
        self.days.turn(Step(more), OPEN_NS)


def test_a_day_is_told_once_when_it_has_ended_and_the_next_begins_at_nothing() -> None:
    told = Told(SHADOW)
    told.live(FLAT)
    told.days.look(NEXT_DAY_NS - 1)
    assert told.lines == []
    told.days.look(NEXT_DAY_NS + SECOND_NS)
    (line,) = told.lines
    assert "shadow: would have entered 2 times since 2018-01-02T14:30:00Z, closed 1 pos" in line
    assert "refused 2 signals" in line
    assert "the account is unchanged: it holds nothing" in line
    told.days.look(NEXT_DAY_NS + 2 * SECOND_NS)
    assert len(told.lines) == 1
    told.days.turn(Step((AccountReading(NEXT_DAY_NS + 1, (("XXX", Decimal(2)),), 0),)), NEXT_DAY_NS)
    told.days.tell(NEXT_DAY_NS + 3 * SECOND_NS)
    assert "would have entered 0 times since 2018-01-03T05:00:00Z, closed 0" in told.lines[1]
    assert "held nothing, with 0 open orders, and holds 2 XXX" in told.lines[1]


def test_the_longest_time_without_cover_is_that_of_the_day_and_counts_while_it_lasts() -> None:
    told = Told(SHADOW)
    day = lived_day()
    told.live()
    (position,) = day.desk.books.positions.values()
    told.days.tell(OPEN_NS + 60 * SECOND_NS)
    ended = max(account.naked_max_ns for account in day.desk.books.accounts.values())
    assert f"without cover {Decimal(ended) / SECOND_NS} s" in told.lines[0]
    naked = type(position)(
        **{
            **{name: getattr(position, name) for name in position.__struct_fields__},
            "naked_since_ns": OPEN_NS + SECOND_NS,
        }
    )
    told.days.turn(Step((naked,)), OPEN_NS + SECOND_NS)
    told.days.tell(OPEN_NS + 6 * SECOND_NS)
    assert "without cover 5 s" in told.lines[1]


def test_outside_shadow_nothing_is_told() -> None:
    told = Told({**SHADOW, "VENUE_SHADOW": "false"})
    told.live(FLAT)
    told.days.look(NEXT_DAY_NS + SECOND_NS)
    told.days.tell(NEXT_DAY_NS + SECOND_NS)
    assert told.lines == []
