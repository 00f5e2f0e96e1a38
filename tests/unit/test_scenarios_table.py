"""docs/scenarios.md says what there is: a row for each scenario, tests and faults that exist, and
every story in its row."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from pointsman.simulator.faults import Fault

TESTS = Path(__file__).resolve().parents[1]
TABLE = TESTS.parent / "docs" / "scenarios.md"
SCENARIOS = [f"F{number:02d}" for number in range(1, 80)]
FAULTS = 4
"""The column of faults."""

Row = list[str]


@cache
def rows() -> list[tuple[str, Row]]:
    """Every row of the page, by the id in its first cell."""
    lines = [line for line in TABLE.read_text("utf-8").splitlines() if line.startswith("| F")]
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    return [(row[0], row) for row in cells]


@cache
def found_in(stem: str) -> frozenset[str]:
    """The names of the tests in the files of this name."""
    return frozenset(
        node.name
        for path in TESTS.rglob(f"{stem}.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
    )


def named(row: Row) -> list[tuple[str, str]]:
    """The (file, test) pairs that a row names."""
    return re.findall(r"`(\w+)::(\w+)`", row[3])


def stories() -> list[tuple[str, str]]:
    """Every story that is told: (file, test)."""
    files = sorted((TESTS / "stories").glob("test_*.py"))
    return [(path.stem, name) for path in files for name in sorted(found_in(path.stem))]


def test_each_scenario_has_exactly_one_row_in_its_order() -> None:
    assert [scenario for scenario, _ in rows()] == SCENARIOS


@pytest.mark.parametrize(("scenario", "row"), rows(), ids=[scenario for scenario, _ in rows()])
def test_a_row_names_tests_and_faults_that_exist_or_says_why_it_cannot_arise(
    scenario: str, row: Row
) -> None:
    assert len(row) == 5
    assert all(row[:4])
    for stem, test in named(row):
        assert test in found_in(stem), (scenario, stem, test)
    assert named(row) or row[3].startswith("Cannot arise"), scenario
    faults = re.findall(r"`(\w+)`", row[FAULTS])
    assert set(faults) <= {fault.value for fault in Fault}, scenario


@pytest.mark.parametrize(("stem", "test"), stories(), ids=[test for _, test in stories()])
def test_a_story_stands_in_the_row_of_its_scenario(stem: str, test: str) -> None:
    told = re.match(r"test_f(\d\d)_", test)
    assert told is not None, "a story begins with the number of its scenario"
    assert (stem, test) in named(dict(rows())[f"F{told[1]}"])
