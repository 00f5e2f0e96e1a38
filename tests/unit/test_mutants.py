"""The mutants fit the code: `make mutants` runs them, this tells when a change has lost one."""

import ast
import re
from pathlib import Path

import pytest

from tests.mutants.mutant import Mutant
from tests.mutants.runner import ROOT, Lost, mutated
from tests.mutants.table import MUTANTS

INVARIANTS = [f"I{number}" for number in range(1, 25)]


def test_every_invariant_has_a_mutant_and_every_mutant_an_invariant() -> None:
    assert sorted({mutant.invariant for mutant in MUTANTS}) == sorted(INVARIANTS)
    faults = [mutant.fault for mutant in MUTANTS]
    assert len(set(faults)) == len(faults)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.fault)
def test_a_mutant_stands_once_in_the_code_and_is_a_program(mutant: Mutant) -> None:
    ast.parse(mutated(mutant, ROOT), mutant.path)
    assert mutant.old != mutant.new


@pytest.mark.parametrize("mutant", [m for m in MUTANTS if m.test], ids=lambda mutant: mutant.fault)
def test_a_test_in_place_of_the_simulator_exists_and_says_why(mutant: Mutant) -> None:
    path, _, name = mutant.test.partition("::")
    text = (ROOT / path).read_text("utf-8")
    assert not name or f"def {name.partition('[')[0]}(" in text
    assert mutant.because


@pytest.mark.parametrize("holds", ["", "x = 1\nx = 1\n"], ids=["nowhere", "twice"])
def test_a_mutant_that_does_not_stand_once_is_told(tmp_path: Path, holds: str) -> None:
    path = tmp_path / "src/pointsman/domain"
    path.mkdir(parents=True)
    (path / "orders.py").write_text(holds, "utf-8")
    with pytest.raises(Lost, match=re.escape("domain/orders.py holds")):
        mutated(Mutant("I1", "an example", "domain/orders.py", "x = 1", "x = 2"), tmp_path)
    with pytest.raises(Lost):
        mutated(Mutant("I1", "an example", "domain/gone.py", "x = 1", "x = 2"), tmp_path)
