"""What a run came to: numbers for programs, and a failure that can be replayed."""

from collections.abc import Iterable, Sequence

import msgspec

from pointsman.domain.timestamps import MS_NS, SECOND_NS
from pointsman.simulator.faults import CRASHES, Fault

BUCKETS_MS = (50, 100, 250, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000)
"""Upper ends of the histogram of naked time."""


class Failure(msgspec.Struct, frozen=True):
    """An invariant that did not hold: at which step, of which seed, and what came before."""

    seed: int
    step: int
    at_ns: int
    invariant: str
    what: str
    trail: tuple[str, ...]


class SeedOutcome(msgspec.Struct, frozen=True):
    """One seed. `naked_ns` holds every spell without cover, as the venue saw it; `digest` is the
    head of the journal's chain, equal for equal runs."""

    seed: int
    simulated_ns: int
    steps: int
    signals: int
    orders: int
    fills: int
    crashes: int
    faults: dict[str, int]
    naked_ns: tuple[int, ...]
    digest: str
    failure: Failure | None = None


class Summary(msgspec.Struct, frozen=True):
    """All seeds together. `faults` counts every kind that was allowed; `naked_histogram` counts
    spells by their upper end in milliseconds, the last (-1) all that were longer."""

    seeds: int
    failed: tuple[int, ...]
    hours: float
    signals: int
    orders: int
    fills: int
    crashes: int
    faults: dict[str, int]
    naked_seconds_max: float
    naked_seconds_total: float
    naked_histogram: dict[int, int]


def crashes_in(faults: dict[str, int]) -> int:
    """How many of the faults were crashes."""
    return sum(faults.get(fault.value, 0) for fault in CRASHES)


def summarize(outcomes: Sequence[SeedOutcome], allowed: Iterable[Fault] = ()) -> Summary:
    """Add up. Kinds of fault that were allowed and never happened are counted too."""
    faults = {fault.value: 0 for fault in allowed}
    histogram = dict.fromkeys((*BUCKETS_MS, -1), 0)
    for outcome in outcomes:
        for name, count in outcome.faults.items():
            faults[name] = faults.get(name, 0) + count
        for spell_ns in outcome.naked_ns:
            ends = (end for end in BUCKETS_MS if spell_ns <= end * MS_NS)
            histogram[next(ends, -1)] += 1
    spells = [spell_ns for outcome in outcomes for spell_ns in outcome.naked_ns]
    return Summary(
        seeds=len(outcomes),
        failed=tuple(outcome.seed for outcome in outcomes if outcome.failure is not None),
        hours=sum(outcome.simulated_ns for outcome in outcomes) / (3_600 * SECOND_NS),
        signals=sum(outcome.signals for outcome in outcomes),
        orders=sum(outcome.orders for outcome in outcomes),
        fills=sum(outcome.fills for outcome in outcomes),
        crashes=sum(outcome.crashes for outcome in outcomes),
        faults=dict(sorted(faults.items())),
        naked_seconds_max=max(spells, default=0) / SECOND_NS,
        naked_seconds_total=sum(spells) / SECOND_NS,
        naked_histogram=histogram,
    )
