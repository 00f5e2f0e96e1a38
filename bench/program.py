"""The program at this commit and at an older one, run as a user would, and what each run costs.

An older commit is checked out beside the measurements and runs with the packages of this one; where
these are not what it imports, it gets an environment of its own. What both are asked to do, and how
that is measured, is the same code. Only what is measured inside one process is measured by the
older commit's own `bench`.
"""

import json
import re
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from bench.scratch import scratch_folder
from bench.table import Row
from tests.integration.sessions import ROOT, command, environment

ONE_QUOTE = "ts,symbol,bid,bid_size,ask,ask_size\n1715695200000,ABC,100.00,900,100.02,900\n"
MEASURE = """
import importlib, json, sys
rows = importlib.import_module("bench." + sys.argv[1]).measure()
print(json.dumps([[row.what, row.figure] for row in rows]))
"""


class Spent(msgspec.Struct, frozen=True):
    """The seconds that a run took, of CPU and on the wall, and what it wrote on standard output."""

    cpu: float
    wall: float
    output: str


class Program(msgspec.Struct, frozen=True):
    """One state of the code, and the interpreter that runs it."""

    name: str
    root: Path
    python: str

    def verb(self, folder: Path, *arguments: str) -> Spent:
        """Run a verb in a folder. Raises CalledProcessError."""
        return self._spent(folder, *command(*arguments)[1:])

    def recorded_run(self, database: Path, market: Path, signals: str) -> Spent:
        """Run recorded quotes, as fast as they go; its output is the report."""
        flags = ("--market", str(market), "--signals", signals, "--speed", "max", "--json")
        return self.verb(database.parent, "run", *flags, "--db", str(database))

    def run_of_one_quote(self, database: Path) -> Spent:
        """What starting and ending costs."""
        market = database.parent / "one_quote.csv"
        market.write_text(ONE_QUOTE)
        return self.recorded_run(database, market, "none")

    def nothing(self, folder: Path) -> Spent:
        """What the interpreter alone costs."""
        return self._spent(folder, "-c", "")

    def own_figures(self, group: str) -> dict[str, str]:
        """What this commit's own measurement of a group gives: figures by what they are about."""
        output = self._spent(self.root, "-c", MEASURE, group).output
        return {_subject(what): figure for what, figure in json.loads(output)}

    def _spent(self, folder: Path, *arguments: str) -> Spent:
        paths = f"{self.root / 'src'}:{self.root}"
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        done = subprocess.run(
            [self.python, *arguments],
            cwd=folder,
            env=environment({"MAX_LOSS_COOLDOWN": "0", "PYTHONPATH": paths}),
            capture_output=True,
            text=True,
            check=True,
        )
        wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
        return Spent(cpu, wall, done.stdout)


DOES_NOT_RUN = "does not run there"
HERE = Program("here", ROOT, sys.executable)


@contextmanager
def older_program(commit: str) -> Iterator[Program]:
    """The program at another commit, checked out for as long as it is measured."""
    known = _git("rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}", check=False)
    if known.returncode != 0:
        sys.exit(f"--against {commit}: no such commit; `git log --oneline` lists those there are")
    with scratch_folder() as folder:
        tree = folder / "tree"
        _git("worktree", "add", "--quiet", "--detach", str(tree), known.stdout.strip())
        try:
            yield Program(commit, tree, _interpreter(commit, tree, folder))
        finally:
            _git("worktree", "remove", "--force", str(tree))


def _git(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["git", *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=check
    )


def _interpreter(commit: str, tree: Path, folder: Path) -> str:
    """This one where its packages are all that the commit imports, else one made for it."""
    try:
        Program(commit, tree, sys.executable).run_of_one_quote(folder / "tried.db")
    except subprocess.CalledProcessError as error:
        if "ImportError" not in error.stderr and "ModuleNotFoundError" not in error.stderr:
            sys.exit(f"--against {commit}: it does not run here: {error.stderr[-1000:]}")
    else:
        return sys.executable
    sys.stderr.write(f"installing what {commit} needs, which takes minutes\n")
    python = str(folder / "venv" / "bin" / "python")
    subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
    subprocess.run(
        [python, "-m", "pip", "install", "--quiet", "--requirement", tree / "requirements.txt"],
        check=True,
    )
    return python


def beside_own_figures(rows: list[Row], program: Program, group: str) -> list[Row]:
    """The rows of a group, each with the figure that another commit's own measurement gives."""
    if not (program.root / "bench" / f"{group}.py").is_file():
        return [msgspec.structs.replace(row, older="not measured there") for row in rows]
    try:
        theirs = program.own_figures(group)
    except subprocess.CalledProcessError as error:
        sys.stderr.write(f"{program.name} cannot measure {group}: {error.stderr[-1000:]}\n")
        return [msgspec.structs.replace(row, older="cannot be measured there") for row in rows]
    return [beside(row, theirs.get(_subject(row.what), "not measured there")) for row in rows]


def beside(row: Row, older: str) -> Row:
    """The row with another commit's figure, and this one's as a multiple of it where both are in
    one unit."""
    here, there = (re.fullmatch(r"([\d,.]+)(\D*)", text) for text in (row.figure, older))
    if here is not None and there is not None and here[2] == there[2]:
        ours, theirs = (float(each[1].replace(",", "")) for each in (here, there))
        older = f"{ours / theirs:.2f} of {older}" if theirs else older
    return msgspec.structs.replace(row, older=older)


def _subject(what: str) -> str:
    """What a row is about, without the numbers that differ from run to run."""
    return re.sub(r"[\d.,]+", "", what)


def report_of(spent: Spent) -> dict[str, Any]:
    """The report that a recorded run wrote."""
    report: dict[str, Any] = json.loads(spent.output)
    return report
