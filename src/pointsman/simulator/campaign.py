"""A campaign: many seeds of one scenario, one after the other.

Every seed begins from a copy of one new database, which is made once; what a seed needs besides
follows from its number.
"""

from collections.abc import Iterable, Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

from pointsman.domain.policy import Policy
from pointsman.domain.timestamps import SECOND_NS
from pointsman.simulator.broken import Broken
from pointsman.simulator.faults import Fault
from pointsman.simulator.outcome import Failure, SeedOutcome, crashes_in
from pointsman.simulator.scenario import BEGINS_NS, Scenario
from pointsman.simulator.world import World
from pointsman.storage import queries
from pointsman.storage.reader import open_as_stored
from pointsman.storage.sqlite_manager import SqliteManager

ACCOUNTS = tuple((f"VA{number:03d}", Decimal(100_000)) for number in range(1, 6))
"""The VAs of every simulated run, with their start balances."""


def simulate(
    seeds: Iterable[int],
    policy: Policy,
    lasting_ns: int,
    faults: Iterable[Fault],
) -> Iterator[SeedOutcome]:
    """Run each seed, and give what came of it."""
    with TemporaryDirectory(prefix="pointsman-", dir=memory_folder()) as name:
        template = Path(name) / "template.db"
        manager = SqliteManager(template)
        manager.open()
        manager.close()
        scenario = Scenario(policy, ACCOUNTS, lasting_ns, tuple(faults), template)
        for seed in seeds:
            yield run_seed(scenario, seed)


def run_seed(scenario: Scenario, seed: int) -> SeedOutcome:
    """Live through one seed, in a folder in memory that is gone afterwards."""
    with TemporaryDirectory(prefix="pointsman-", dir=memory_folder()) as name:
        world = World(scenario, seed, Path(name))
        failure = None
        try:
            world.run()
        except Exception as broken:  # noqa: BLE001 - whatever ends a run is what it is for
            failure = _failure(world, seed, broken)
        return _outcome(world, seed, failure)


def memory_folder() -> Path | None:
    """A folder whose files are in memory, where there is one: syncing is simulated."""
    return MEMORY if MEMORY.is_dir() else None


def _outcome(world: World, seed: int, failure: Failure | None) -> SeedOutcome:
    counts = {fault.value: count for fault, count in sorted(world.faults.counts.items())}
    with closing(open_as_stored(world.database)) as connection:
        newest = queries.newest_turn(connection)
    ours = [order for order in world.venue.ledger.orders.values() if not order.is_foreign]
    return SeedOutcome(
        seed=seed,
        simulated_ns=world.now_ns - BEGINS_NS,
        steps=world.monitor.steps,
        signals=world.signals,
        orders=world.monitor.sent,
        fills=sum(len(order.fills) for order in ours),
        crashes=crashes_in(counts),
        faults=counts,
        naked_ns=tuple(world.cover.intervals),
        digest=newest.hash,
        failure=failure,
    )


def _failure(world: World, seed: int, broken: Exception) -> Failure:
    """What broke, and what led to it; of the VA that it concerns, where that is known."""
    invariant, va_id = "SOUND", None
    if isinstance(broken, Broken):
        invariant, va_id = broken.invariant, broken.va_id
    told = [t for t in world.monitor.trail if va_id is None or va_id in t.va_ids or not t.va_ids]
    trail = [f"{(line.at_ns - BEGINS_NS) / SECOND_NS:11.3f}  {line.what}" for line in told]
    return Failure(
        seed=seed,
        step=world.monitor.steps,
        at_ns=world.now_ns - BEGINS_NS,
        invariant=invariant,
        what=f"{type(broken).__name__}: {broken}",
        trail=tuple(trail[-TRAIL_SHOWN:]),
    )


TRAIL_SHOWN = 40
"""How many lines before a failure are shown."""

MEMORY = Path("/dev/shm")  # noqa: S108 - each run makes a folder of its own in it
