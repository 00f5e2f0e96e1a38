"""Verbs as a user starts them: what starting and ending a run costs, with a new database and with
one that exists, and what a look at it costs. The yardstick is an interpreter that does nothing."""

import subprocess
import sys
from pathlib import Path

from bench.program import DOES_NOT_RUN, HERE, Program, beside
from bench.scratch import scratch_folder
from bench.table import Row

ROUNDS = 7
GOALS_SECONDS = {
    "CPU of a recorded run of one quote, new database": None,
    "CPU of the same run again, on a database that exists": None,
    "CPU of `pointsman status`": 0.2,
}


def measure(older: Program | None) -> list[Row]:
    """The rows of the table. Rounds are interleaved, and the best of each counts."""
    best: dict[str, list[float]] = {}
    bare = float("inf")
    with scratch_folder() as folder:
        for number in range(ROUNDS):
            bare = min(bare, HERE.nothing(folder).cpu)
            for program in (HERE, older) if older else (HERE,):
                try:
                    taken = _cpu_seconds(program, folder / f"{program.name}{number}.db")
                except subprocess.CalledProcessError as error:
                    sys.stderr.write(f"{program.name}: {error.stderr[-1000:]}\n")
                    if program is HERE:
                        raise
                    continue
                best[program.name] = [*map(min, taken, best.get(program.name, taken))]
    rows = []
    for place, (what, goal) in enumerate(GOALS_SECONDS.items()):
        here = best[HERE.name][place]
        row = Row(
            what,
            f"{here / bare:.1f}",
            f"{goal} s" if goal else "",
            f"{here:.3f} s",
            f"Python alone: {bare:.3f} s",
            here <= goal if goal else None,
        )
        if older:
            there = best.get(older.name)
            row = beside(row, f"{there[place]:.3f} s" if there else DOES_NOT_RUN)
        rows.append(row)
    return rows


def _cpu_seconds(program: Program, database: Path) -> list[float]:
    """In the order of GOALS_SECONDS."""
    runs = [program.run_of_one_quote(database).cpu for _ in range(2)]
    return [*runs, program.verb(database.parent, "status", "--db", str(database)).cpu]
