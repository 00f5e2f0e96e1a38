"""Outcomes are added up without losing any."""

from pointsman.simulator.outcome import BUCKETS_MS, Failure, SeedOutcome, crashes_in, summarize

HOUR_NS = 3_600 * 10**9


def outcome(seed: int, *spells_ms: int, failure: Failure | None = None) -> SeedOutcome:
    faults = {"ban": 2, "crash_after_send": 1}
    naked_ns = tuple(ms * 10**6 for ms in spells_ms)
    return SeedOutcome(seed, HOUR_NS, 10, 3, 4, 5, 1, faults, naked_ns, "", failure)


def test_a_summary_counts_everything_and_names_what_failed() -> None:
    failure = Failure(8, 1, 2, "I7", "naked", ())
    summary = summarize([outcome(7, 50, 51), outcome(8, 61_000, failure=failure)])
    assert (summary.seeds, summary.failed, summary.hours) == (2, (8,), 2)
    assert (summary.signals, summary.orders, summary.fills, summary.crashes) == (6, 8, 10, 2)
    assert summary.faults == {"ban": 4, "crash_after_send": 2}
    assert summary.naked_seconds_max == 61
    shown = {end: count for end, count in summary.naked_histogram.items() if count}
    assert shown == {50: 1, 100: 1, -1: 1}
    assert list(summary.naked_histogram) == [*BUCKETS_MS, -1]


def test_only_crashes_count_as_crashes() -> None:
    assert crashes_in({"ban": 9, "crash_after_send": 2, "crash_in_recovery": 3}) == 5
