"""`python -m tests.mutants [SEEDS]`: all mutants, and the table of what caught them.

First the code as it is must survive the same seeds and pass the same tests, else the table would
prove nothing. Exits 1 if that fails, if a mutant is not caught, or if its text is not in the code
any more.
"""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.mutants.mutant import Mutant
from tests.mutants.runner import ROOT, Lost, Verdict, copy_tree, mutated, simulated, tested, verdict
from tests.mutants.table import MUTANTS

SEEDS = 200
AT_ONCE = 2


def main() -> int:
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else SEEDS
    with TemporaryDirectory(prefix="mutants-") as name:
        tree = Path(name).resolve()
        # Copied once, so that an edit meanwhile does not mix two states of the code.
        copy_tree(ROOT, tree)
        lost = [problem for mutant in MUTANTS if (problem := _lost(mutant, tree))]
        if lost:
            _say("\n".join(lost))
            return 1
        with ThreadPoolExecutor(AT_ONCE) as pool:
            if not _is_sound(tree, seeds, pool):
                return 1
            return 1 if _missed(tree, seeds, pool) else 0


def _lost(mutant: Mutant, tree: Path) -> str:
    try:
        mutated(mutant, tree)
    except Lost as lost:
        return str(lost)
    return ""


def _is_sound(tree: Path, seeds: int, pool: ThreadPoolExecutor) -> bool:
    """Whether the code without a fault passes."""
    tests = tuple(dict.fromkeys(mutant.test for mutant in MUTANTS if mutant.test))
    survives, passes = pool.submit(simulated, tree, seeds), pool.submit(tested, tree, tests)
    found = [survives.result(), passes.result()]
    if found == [Verdict("", said=f"{seeds} seeds were survived"), Verdict("", said="passed")]:
        _say(f"without a fault: {seeds} seeds survived, {len(tests)} tests passed\n")
        return True
    for each in found:
        _say(f"without a fault: {each.by} {each.seeds} {each.said}")
    return False


def _missed(tree: Path, seeds: int, pool: ThreadPoolExecutor) -> int:
    """Run all mutants, print a line for each; how many were not caught."""
    mutants = sorted(MUTANTS, key=lambda mutant: mutant.is_rare)
    missed = 0
    _say(f"{'of':<4} {'mutant':<52} caught by seeds")
    for mutant, found in zip(
        mutants, pool.map(lambda mutant: verdict(mutant, tree, seeds), mutants), strict=True
    ):
        by = "a test" if mutant.test and found.by else found.by or "NOTHING"
        _say(f"{mutant.invariant:<4} {mutant.fault:<52} {by:<8} {found.seeds:>5}")
        if mutant.test:
            _say(f"{'':<8} {found.by}: {mutant.because}")
        if not found.by:
            missed += 1
            _say(found.said)
    _say(f"\n{len(mutants) - missed} of {len(mutants)} mutants caught")
    return missed


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
