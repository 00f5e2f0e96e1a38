"""Puts one mutant into a copy of the tree and runs what must catch it, in a process of its own."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from tests.mutants.mutant import Mutant

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "src/pointsman"
TIMEOUT_SECONDS = 600
"""Much longer than all seeds take: who is late is hung, and that is not called caught."""

SLIPS = ("AttributeError", "ImportError", "NameError", "SyntaxError", "TypeError")
"""What ends in one of these is no longer the program with a fault, but no program at all."""

_SIMULATION = """
import json, sys
from pathlib import Path
import pointsman
from tests import simulations
assert Path.cwd() in Path(pointsman.__file__).parents, "this is not the copy"
for seed in range(int(sys.argv[1])):
    failure = simulations.run([seed])[0].failure
    if failure is not None:
        print(json.dumps([failure.invariant, failure.what, seed + 1]))
        break
else:
    print(json.dumps(None))
"""


class Lost(Exception):
    """A mutant's text does not stand exactly once where it should: the code has moved on."""


class Verdict(NamedTuple):
    """What caught a mutant, empty where nothing did; after how many seeds; and what was said."""

    by: str
    seeds: str = ""
    said: str = ""


def mutated(mutant: Mutant, root: Path) -> str:
    """The text of the mutant's file with the fault in it. Raises Lost."""
    path = root / PACKAGE / mutant.path
    text = path.read_text("utf-8") if path.is_file() else ""
    if (count := text.count(mutant.old)) != 1:
        raise Lost(f"{mutant.fault}: {mutant.path} holds {count} times, not once: {mutant.old!r}")
    return text.replace(mutant.old, mutant.new)


def copy_tree(root: Path, folder: Path) -> None:
    """Copy all that the runs need."""
    ignored = shutil.ignore_patterns("__pycache__")
    for name in ("src", "tests", "docs"):
        shutil.copytree(root / name, folder / name, ignore=ignored)
    for path in root.glob("*.*"):
        if path.is_file():
            shutil.copy(path, folder)


def verdict(mutant: Mutant, root: Path, seeds: int) -> Verdict:
    """Run a mutant of the tree at `root`. Raises Lost."""
    text = mutated(mutant, root)
    with TemporaryDirectory(prefix="mutant-") as name:
        folder = Path(name).resolve()
        copy_tree(root, folder)
        (folder / PACKAGE / mutant.path).write_text(text, "utf-8")
        if mutant.test:
            return tested(folder, (mutant.test,))
        return simulated(folder, seeds)


def simulated(folder: Path, seeds: int) -> Verdict:
    """What the simulator says of a copy: the first invariant that breaks."""
    done = _run(folder, ["-c", _SIMULATION, str(seeds)])
    if done is None:
        return Verdict("", said=f"no end within {TIMEOUT_SECONDS} s")
    if done.returncode != 0:
        return Verdict("", said=done.stderr[-400:])
    failure = json.loads(done.stdout.splitlines()[-1])
    if failure is None:
        return Verdict("", said=f"{seeds} seeds were survived")
    invariant, what, needed = failure
    if what.startswith(SLIPS):
        return Verdict("", said=what)
    return Verdict(invariant, str(needed), what)


def tested(folder: Path, tests: tuple[str, ...]) -> Verdict:
    """What tests say of a copy: the first that fails."""
    done = _run(folder, ["-m", "pytest", "-q", "-x", "--tb=line", "-p", "no:cacheprovider", *tests])
    if done is None:
        return Verdict("", said=f"no end within {TIMEOUT_SECONDS} s")
    if done.returncode == 1:
        failed = next(line for line in done.stdout.splitlines() if line.startswith("FAILED"))
        return Verdict(failed.split()[1], "-", done.stdout)
    return Verdict("", said=(done.stdout + done.stderr)[-400:] if done.returncode else "passed")


def _run(folder: Path, arguments: list[str]) -> subprocess.CompletedProcess[str] | None:
    """Run Python on a copy; None where it does not end."""
    env = {
        **os.environ,
        "PYTHONPATH": f"{folder / 'src'}{os.pathsep}{folder}",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    try:
        return subprocess.run(
            [sys.executable, *arguments], env=env, cwd=folder, capture_output=True, text=True,
            timeout=TIMEOUT_SECONDS,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return None
