"""In shadow: at the end of each trading day, and at a clean stop, what would have been done.

Counted turn by turn since the day began, or this start where that was later; so the lines of a day
with several starts add up. It decides nothing and stores nothing: the report over everything is
computed from the database (`reading/shadow.py`).
"""

import msgspec

from pointsman.config.fields import LogLevel
from pointsman.config.settings import Settings
from pointsman.domain.accounts import AccountReading
from pointsman.domain.commands import Step
from pointsman.domain.money import exact
from pointsman.domain.positions import Position, Trade
from pointsman.domain.signals import Decision
from pointsman.domain.timestamps import SECOND_NS
from pointsman.reading.shadow import Shadowed, shadowed_document
from pointsman.service.log import Log
from pointsman.service.notifications import Kind, Notifications
from pointsman.terminal.shadow import told

replace = msgspec.structs.replace


class ShadowDays:
    """The count of the day of an engine that starts at `now_ns`. Where the settings say nothing of
    shadow it tells nothing."""

    def __init__(self, settings: Settings, now_ns: int, log: Log, notices: Notifications) -> None:
        self._is_on = settings.is_shadow
        self._day_start_ns = settings.trading_hours().day_start_ns
        self._log = log
        self._notices = notices
        self._day_ns = self._day_start_ns(now_ns)
        self._looked_ns = now_ns
        self._naked: dict[int, int] = {}
        self._day = Shadowed(since_ns=now_ns)

    def turn(self, step: Step, now_ns: int) -> None:
        """Count what a turn came to."""
        for record in step.changes if self._is_on else ():
            match record:
                case Decision():
                    self._day = self._day.with_decision(record)
                case Trade():
                    with exact():
                        earned = self._day.earned + record.pnl
                    self._day = replace(self._day, closed=self._day.closed + 1, earned=earned)
                case Position():
                    self._note_cover(record, now_ns)
                case AccountReading():
                    before = self._day.before or record
                    self._day = replace(self._day, before=before, now=record)
                case _:
                    pass

    def look(self, now_ns: int) -> None:
        """Tell of a day that has ended; asked often, it looks once a second."""
        if not self._is_on or now_ns < self._looked_ns + SECOND_NS:
            return
        self._looked_ns = now_ns
        day_ns = self._day_start_ns(now_ns)
        if day_ns != self._day_ns:
            self.tell(day_ns)
            self._day_ns = day_ns
            self._day = Shadowed(since_ns=day_ns, before=self._day.now, now=self._day.now)

    def tell(self, now_ns: int) -> None:
        """Tell of the day up to now. What is without cover counts up to now."""
        if not self._is_on:
            return
        for since_ns in self._naked.values():
            self._count_naked(max(since_ns, self._day.since_ns), now_ns)
        text = f"shadow: {told(shadowed_document(self._day))}"
        self._log.say((LogLevel.INFO, text, {}))
        self._notices.say(Kind.SHADOW_DAY, text)

    def _note_cover(self, position: Position, now_ns: int) -> None:
        since_ns = self._naked.pop(position.position_id, None)
        if position.is_live and position.naked_since_ns is not None:
            self._naked[position.position_id] = position.naked_since_ns
        elif since_ns is not None:
            self._count_naked(max(since_ns, self._day.since_ns), now_ns)

    def _count_naked(self, since_ns: int, now_ns: int) -> None:
        longest_ns = max(self._day.naked_max_ns, now_ns - since_ns)
        self._day = replace(self._day, naked_max_ns=longest_ns)
