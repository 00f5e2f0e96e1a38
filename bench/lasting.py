"""What lasts: how much simulated time one core lives through in a minute, and whether memory stays
flat over six hours of the simulated market.
"""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from bench.program import HERE, Program, beside
from bench.scratch import scratch_folder
from bench.table import Row
from tests.integration.sessions import environment
from tests.simulations import run

SEEDS, HOURS_PER_SEED = 8, 1
GOAL_HOURS, GOAL_MB = 400, 90
HOUR_SECONDS, LONG_HOURS = 3_600, 6
RUN = """
import sys
from pointsman.cli.app import main
try:
    main()
finally:
    sys.stderr.write(open("/proc/self/status").read())
"""
"""Says what it needed at the end: of a child the operating system counts what its parent had."""
FLAT = 1.1
"""How much more six hours may need than one."""


def measure(older: Program | None) -> list[Row]:
    """The rows of the table."""
    with scratch_folder() as folder:
        return [_simulated(), *_memory(folder, older)]


def _simulated() -> Row:
    began = time.process_time()
    outcomes = run(range(SEEDS), str(HOURS_PER_SEED))
    spent = time.process_time() - began
    assert all(outcome.failure is None for outcome in outcomes)
    rate = SEEDS * HOURS_PER_SEED * 60 / spent
    return Row(
        "simulated hours in a minute of one core, all faults",
        "",
        f"{GOAL_HOURS}",
        f"{rate:,.0f}",
        f"{SEEDS} seeds of an hour: {spent:.1f} s",
        rate >= GOAL_HOURS,
    )


def _memory(folder: Path, older: Program | None) -> Iterator[Row]:
    what = f"most memory over {LONG_HOURS} hours of simulated market"
    one, long = (_most_mb(HERE, folder, hours) for hours in (1, LONG_HOURS))
    row = Row(
        what,
        f"{long / one:.2f}",
        f"{FLAT}, {GOAL_MB} MB",
        f"{long:.0f} MB",
        f"one hour: {one:.0f} MB",
        long <= FLAT * one and long <= GOAL_MB,
    )
    yield row if older is None else beside(row, f"{_most_mb(older, folder, LONG_HOURS):.0f} MB")


def _most_mb(program: Program, folder: Path, hours: int) -> float:
    """The most memory that a run needed at once, in MB."""
    place = folder / f"{program.name}-{hours}"
    place.mkdir()
    flags = ("run", "--market", "sim", "--speed", "max", "--json")
    seconds = str(hours * HOUR_SECONDS)
    done = subprocess.run(
        [program.python, "-c", RUN, *flags, "--duration", seconds],
        cwd=place,
        env=environment({"PYTHONPATH": f"{program.root / 'src'}:{program.root}"}),
        capture_output=True,
        text=True,
        check=True,
    )
    (line,) = (line for line in done.stderr.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024
