"""When equity is sampled: in each whole second of event time in which a sample could change
something (RULES 17, 66).

A sample follows from the books, the prices of what is held and the trading day, and once a minute
it is kept for the plots (RULES 53). While none of these has changed since a sample that changed
nothing, the seconds that pass count as sampled, and none of them has to be visited. Invariants: the
samples that do change something are those that a visit to every whole second would have taken, at
the same moments.
"""

from collections.abc import Callable
from typing import NamedTuple

from pointsman.domain.events import Marked
from pointsman.domain.timestamps import SECOND_NS
from pointsman.execution.books import MINUTE_NS, Books
from pointsman.execution.market_view import MarketView

_LONGEST_DAY_NS = 26 * 3600 * SECOND_NS
"""Longer than any day, also where the clock is put back that day, and shorter than two."""


class _Seen(NamedTuple):
    """What a sample follows from: the number of the last turn that changed something, the start of
    the day, the prices."""

    ticket: int
    day_start_ns: int
    prices: tuple[object, ...]


class Sampling:
    """The schedule of samples. `day_start_ns` gives the start of the trading day that a time is
    in."""

    def __init__(self, books: Books, view: MarketView, day_start_ns: Callable[[int], int]) -> None:
        self._books = books
        self._view = view
        self._day_start_ns = day_start_ns
        self._day_began_ns = -1
        self._day_ends_ns = 0
        self._second = 0
        self._has_new_prices = False
        self._kept_from_ns = 0
        self._seen: _Seen | None = None

    def note_prices(self) -> None:
        """A quote has come."""
        self._has_new_prices = True

    def next_ns(self, now_ns: int, ticket: int) -> int | None:
        """When the next sample is due. `ticket` is the number of the last turn that changed
        something."""
        if not self._books.holding_accounts:
            return None
        if self._is_quiet(ticket) and now_ns < self._rests_until_ns:
            return self._rests_until_ns
        return (now_ns // SECOND_NS + 1) * SECOND_NS

    def pass_to(self, now_ns: int, ticket: int) -> None:
        """Count the whole seconds before `now_ns` as sampled, where no sample of theirs could have
        changed anything. To be called before what happens at `now_ns` is taken in."""
        if not self._books.holding_accounts:
            return
        if now_ns <= self._rests_until_ns and self._is_quiet(ticket):
            self._second = max(self._second, (now_ns - 1) // SECOND_NS)

    def earliest_ns(self, now_ns: int) -> int | None:
        """When a sample may be due next, whatever quotes come before; None while nothing is
        held."""
        is_holding = bool(self._books.holding_accounts)
        return (now_ns // SECOND_NS + 1) * SECOND_NS if is_holding else None

    def note_instant(self, now_ns: int) -> None:
        """Say that there was an instant at which nothing was held, so that no sample was due."""
        if not self._books.holding_accounts:
            self._second = max(self._second, now_ns // SECOND_NS)

    def take(self, now_ns: int, ticket: int) -> Marked | None:
        """The sample to be taken at an instant, if one is due. Afterwards `note` has to be called
        with the ticket after it."""
        second = now_ns // SECOND_NS
        is_new, self._second = second > self._second, second
        if not is_new or not self._books.holding_accounts:
            return None
        marks, day_start_ns = self._view.marks_of(self._books), self._day_start_ns(now_ns)
        if day_start_ns != self._day_began_ns:
            self._day_began_ns = day_start_ns
            self._day_ends_ns = self._day_start_ns(day_start_ns + _LONGEST_DAY_NS)
        seen = _Seen(ticket, day_start_ns, tuple((m.symbol, m.bid, m.ask) for m in marks))
        self._has_new_prices = False
        is_kept_now = self._kept_from_ns and now_ns >= self._kept_from_ns
        if seen == self._seen and not self._time_alone_counts and not is_kept_now:
            return None
        minute = now_ns // MINUTE_NS
        is_kept = minute > self._books.this_run.worth.minute
        self._kept_from_ns = 0 if is_kept else (minute + 1) * MINUTE_NS
        self._seen = seen
        return Marked(marks, day_start_ns)

    def note(self, ticket: int) -> None:
        """Told which turn was the last that changed something, after a sample was taken in: one
        that changed something is taken again."""
        if self._seen is not None and self._seen.ticket != ticket:
            self._seen = None

    def _is_quiet(self, ticket: int) -> bool:
        seen = self._seen
        return (
            seen is not None
            and seen.ticket == ticket
            and not self._has_new_prices
            and not self._time_alone_counts
        )

    @property
    def _rests_until_ns(self) -> int:
        """Until when a sample like the last one changes nothing: a day ends, or equity that came
        too late for the points of its minute is kept with those of the next (RULES 53)."""
        return min(self._day_ends_ns, self._kept_from_ns or self._day_ends_ns)

    @property
    def _time_alone_counts(self) -> bool:
        """Whether a sample may change something although nothing but time has passed: how long a
        position is naked, or how long a quote has stood, trips the kill switch."""
        policy = self._books.policy
        return bool(self._books.naked) and not (
            policy.kill_on_naked_ns is None
            and policy.global_max_drawdown_percentage is None
            and policy.global_max_daily_loss is None
        )
