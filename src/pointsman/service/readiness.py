"""Readiness: why the engine is not ready to trade, each cause by its name.

It is asked from any thread and always of this moment. Ages are in event time as the loop has lived
it, so they are true at every speed, and the night that a simulated market skips is no silence. To
be killed or paused is not a cause: that is intended, and the status shows it.
"""

import threading
from collections.abc import Callable, Iterator, Mapping

from pointsman.config.settings import Settings
from pointsman.domain.events import VenueLink
from pointsman.domain.money import plain
from pointsman.domain.timestamps import MS_NS, SECOND_NS
from pointsman.engine.assembly import trading_hours
from pointsman.engine.live_feed import CLOCK_AHEAD_MAX_NS, clock_put_back
from pointsman.engine.open_venue import budget_of
from pointsman.engine.quotes_shown import quotes_shown
from pointsman.engine.snapshot import Document
from pointsman.execution.execution_loop import ExecutionLoop
from pointsman.execution.ports import StorageStatus
from pointsman.execution.this_run import LinkDown
from pointsman.execution.venue_links import outage, outages
from pointsman.reading.vitals import Vitals

LAG_MAX_SECONDS = 2.0  # not money: seconds
MISSED_COMPARISONS = 3
"""How many intervals without a comparison are too many."""


class Readiness:
    """The readiness of one run. `standing` says how storage is, `compared_ns` when the last
    comparison since the start was, `down` which parts do not run, and `lost` which files were
    removed or replaced, and what to do; all from any thread."""

    def __init__(
        self,
        settings: Settings,
        loop: ExecutionLoop,
        vitals: Vitals,
        standing: Callable[[], StorageStatus],
        compared_ns: Callable[[], int | None],
        down: Callable[[], Mapping[str, str]],
        lost: Callable[[], Mapping[str, str]],
    ) -> None:
        self._settings = settings
        self._loop = loop
        self._vitals = vitals
        self._standing = standing
        self._compared_ns = compared_ns
        self._down = down
        self._lost = lost
        self._since_ns = loop.now_ns
        hours = trading_hours(settings)
        self._hours = [hours(va_id) for va_id in ("", *settings.limits_by_va)]
        self._asking = threading.Lock()

    def resume(self, now_ns: int) -> None:
        """Told that time is about to be skipped to `now_ns`: what should have happened before is
        not missed."""
        self._since_ns = now_ns

    def causes(self) -> dict[str, str]:
        """Why it is not ready; nothing where it is."""
        with self._asking:
            return dict(self._causes())

    def document(self) -> Document:
        """The causes, what does not work, of the engine or of its connection to the venue, so that
        it accepts no entry, each part of that connection, its budget of requests, and the newest
        quotes."""
        failure = self._standing().failure
        storage = "" if failure is None else f"storage fails: {failure}"
        down, now_ns = self._loop.desk.books.this_run.links_down, self._loop.now_ns
        held = filter(None, (storage, self._loop.holds.impaired(), outage(down, now_ns)))
        return {
            "unready": self.causes(),
            "entries_held": "; ".join(held),
            "venue_links": [_link(link, down.get(link), now_ns) for link in VenueLink],
            "venue_budget": budget_of(self._loop.venue, now_ns),
            "quotes": quotes_shown(self._loop, now_ns),
        }

    def _causes(self) -> Iterator[tuple[str, str]]:
        now_ns = self._loop.now_ns
        yield from self._comparison(now_ns)
        failure = self._standing().failure
        if failure is not None:
            yield "storage", f"storage fails: {failure}"
        yield from self._lost().items()
        yield from outages(self._loop.desk.books.this_run.links_down, now_ns).items()
        for name, fault in self._down().items():
            yield f"task {name}", fault
        yield from self._feed(now_ns)
        yield from self._stamps(now_ns)
        lag_seconds = self._vitals.lag_seconds
        if lag_seconds > LAG_MAX_SECONDS:
            yield "loop", f"the loop is {lag_seconds:.1f} s late"

    def _comparison(self, now_ns: int) -> Iterator[tuple[str, str]]:
        compared_ns, missing = self._compared_ns(), self._loop.intake.missing
        why = f"; the last answer was incomplete: {missing}" if missing else ""
        if compared_ns is None:
            yield "comparison", f"not compared with the venue since the start{why}"
            return
        interval = self._settings.reconcile_interval_seconds
        age_ns = now_ns - max(compared_ns, self._since_ns)
        if age_ns > MISSED_COMPARISONS * interval * SECOND_NS:
            told = f"not compared with the venue for {age_ns // SECOND_NS} s"
            yield "comparison", f"{told}; RECONCILE_INTERVAL_SECONDS is {plain(interval)}{why}"

    def _feed(self, now_ns: int) -> Iterator[tuple[str, str]]:
        limit = self._settings.feed_silence_seconds
        age_ns = now_ns - max(self._vitals.quote_ns or 0, self._since_ns)
        if age_ns <= limit * SECOND_NS or not self._is_wanted(now_ns):
            return
        told = f"no quote for {age_ns // SECOND_NS} s"
        yield "feed", f"{told}; FEED_SILENCE_SECONDS is {plain(limit)}"

    def _stamps(self, now_ns: int) -> Iterator[tuple[str, str]]:
        """What the stamps of live quotes are at odds with."""
        view = self._loop.view
        skipped = view.skipped.why(now_ns - view.ahead_ns)
        if skipped:
            yield "quotes", skipped
        ahead_ns = view.ahead_ns
        if ahead_ns > CLOCK_AHEAD_MAX_NS:
            yield "clock", clock_put_back(ahead_ns)
        elif view.clock_offset.is_doubtful:
            yield "clock", view.clock_offset.doubt

    def _is_wanted(self, now_ns: int) -> bool:
        """Whether quotes are needed: a market should be open, or something is held."""
        if self._loop.desk.books.holding_accounts:
            return True
        windows = [hours.window_at(now_ns) for hours in self._hours]
        return any(window is not None and window.opens_ns <= now_ns for window in windows)


def _link(link: VenueLink, down: LinkDown | None, now_ns: int) -> Document:
    """One part of the connection to the venue, for programs."""
    return {
        "link": link.value,
        "is_up": down is None,
        "down_ms": 0 if down is None else max(0, now_ns - down.since_ns) // MS_NS,
        "detail": "" if down is None else down.detail,
    }
