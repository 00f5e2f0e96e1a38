"""The beginning of a session on live quotes: what their stamps are held against, and what is said
of a clock that was changed since the session before (RULES 60).

Both ways to run on quotes that come from outside use it: `run` and the engine for use from Python.
"""

import time
from collections.abc import Iterator

from pointsman.domain.policy import Policy
from pointsman.domain.timestamps import SECOND_NS, iso_seconds
from pointsman.engine.assembly import Assembly
from pointsman.engine.live_loop import Clock
from pointsman.execution.market_view import AGE_BEYOND_LATENCY_NS, LiveSession
from pointsman.market.live_rows import LiveRows

CLOCK_AHEAD_MAX_NS = SECOND_NS
"""Event time that is ahead of the wall clock by more than this is reported, and makes the engine
not ready."""

_WAITED_FOR_NS = 2 * SECOND_NS
"""A wall clock that was put back by no more than this is waited for."""


def begin_live(assembly: Assembly, clock: Clock) -> LiveRows:
    """Have the loop hold its quotes against the wall clock; returns the entry point for its rows.
    Event time begins there, or where the books stand if the wall clock was put back."""
    behind_ns = assembly.resume_ns - time.time_ns()
    if 0 < behind_ns <= _WAITED_FOR_NS:
        time.sleep(behind_ns / SECOND_NS)
    view, wall_ns = assembly.loop.view, time.time_ns()
    # Others stamp the quotes: what opening took would make them all look early (RULES 1).
    clock.begin(max(wall_ns, assembly.resume_ns))
    age_max_ns = _latency_max_ns(assembly.started.policy) + AGE_BEYOND_LATENCY_NS
    view.begin_live(LiveSession(wall_ns, max(0, assembly.resume_ns - wall_ns), age_max_ns))
    return LiveRows(time.time_ns, view.skipped, assembly.newest_stamps, view.is_held)


def said_at_start(assembly: Assembly, now_ns: int) -> Iterator[str]:
    """What a person should know of clocks, before the session begins at `now_ns`: that the wall
    clock was put back, and what runs by it while no engine does."""
    ahead_ns = assembly.loop.view.ahead_ns
    if ahead_ns > CLOCK_AHEAD_MAX_NS:
        yield clock_put_back(ahead_ns)
    away_seconds = (now_ns - assembly.resume_ns) // SECOND_NS
    away = f"the engine was not running for {away_seconds} s by the wall clock"
    for account in assembly.loop.desk.books.accounts.values():
        until_ns = account.cooldown_until_ns
        if until_ns is not None and until_ns > assembly.resume_ns:
            verb = "runs on until" if until_ns > now_ns else "has ended at"
            yield f"{account.va_id}: its cooldown {verb} {iso_seconds(until_ns)}; {away}"


def clock_put_back(ahead_ns: int) -> str:
    """Says that event time is ahead of the wall clock, and what to do."""
    seconds = ahead_ns // SECOND_NS
    return (
        f"the wall clock is {seconds} s behind the database: it was put back, or ran ahead before;"
        f" entries are refused; set the clock, or start again in {seconds} s"
    )


def _latency_max_ns(policy: Policy) -> int:
    """How old a quote may be at most for an entry of any VA."""
    return max(limits.max_latency_ns for limits in (policy.limits, *policy.limits_by_va.values()))
