"""Bad days on virtual time: seeds that once failed, a fixed set, and a few that nobody has seen."""

import json
import os
import secrets
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pointsman.cli.journal_check import examine
from pointsman.cli.simulate import failure_lines
from pointsman.simulator import campaign
from pointsman.simulator.campaign import ACCOUNTS
from pointsman.simulator.faults import Fault
from pointsman.simulator.outcome import SeedOutcome, summarize
from pointsman.simulator.scenario import Scenario
from pointsman.simulator.world import World
from pointsman.storage.reader import open_reader
from pointsman.storage.sqlite_manager import SqliteManager
from tests import simulations

ROOT = Path(__file__).resolve().parents[2]
KEPT = json.loads((ROOT / "tests/regressions/seeds.json").read_text("utf-8"))
FIXED = range(1_000, 1_016)
FRESH = 6


def assert_survived(outcomes: list[SeedOutcome]) -> None:
    lines = [line for outcome in outcomes for line in failure_lines(outcome.failure, "")]
    settings = " ".join(f"{name}={value}" for name, value in simulations.SETTINGS.items())
    assert not lines, "\n".join(["", *lines, f"  with these settings: {settings}"])


@pytest.mark.parametrize("kept", KEPT, ids=lambda kept: f"seed-{kept['seed']}")
def test_a_seed_that_once_failed_does_not_fail_again(kept: dict[str, Any]) -> None:
    """Each under the settings that it failed with, `{}` for the defaults."""
    settings = kept.get("settings", simulations.SETTINGS)
    assert_survived(simulations.run([kept["seed"]], kept["hours"], settings=settings))


def test_a_fixed_set_of_bad_days_is_survived() -> None:
    outcomes = simulations.run(FIXED)
    assert_survived(outcomes)
    summary = summarize(outcomes)
    assert summary.crashes > 5
    assert len(summary.faults) > len(Fault) // 2


def test_fresh_bad_days_are_survived() -> None:
    """Other ones in every run. A seed that fails is told, with the command that replays it; once
    mended it goes to tests/regressions/seeds.json."""
    first = secrets.randbelow(10**9)
    assert_survived(simulations.run(range(first, first + FRESH)))


def test_rule_25_without_any_fault_nothing_is_naked_for_longer_than_the_deadline() -> None:
    outcomes = simulations.run(range(3), faults=())
    assert_survived(outcomes)
    spells = [spell_ns for outcome in outcomes for spell_ns in outcome.naked_ns]
    assert len(spells) > 10
    assert max(spells) <= simulations.policy().protection_deadline_ns
    assert all(not outcome.faults and not outcome.crashes for outcome in outcomes)


def test_one_seed_is_the_same_run_in_every_process() -> None:
    """Step by step: the digest is the head of the journal's chain, in which every turn is."""
    told = (
        "from tests import simulations as s; [o] = s.run([7], '0.25');"
        "print(o.digest, o.steps, o.orders, o.naked_ns, o.faults)"
    )
    runs = set()
    for hash_seed in ("0", "1"):
        env = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
        made = subprocess.run([sys.executable, "-c", told], env=env, capture_output=True, text=True)
        assert made.returncode == 0, made.stderr
        runs.add(made.stdout)
    [run] = runs
    assert len(run) > 64
    assert simulations.run([8], "0.25")[0].digest not in run


def test_i18_the_journal_of_a_bad_day_decides_again_alike(tmp_path: Path) -> None:
    template, folder = tmp_path / "template.db", tmp_path / "run"
    folder.mkdir()
    manager = SqliteManager(template)
    manager.open()
    manager.close()
    scenario = Scenario(
        simulations.policy(),
        ACCOUNTS,
        simulations.HOUR_NS,
        tuple(Fault),
        template,
    )
    world = World(scenario, 10, folder)
    world.run()
    with closing(open_reader(world.database)) as connection:
        verdict = examine(connection, "simulated")
    assert verdict.fault is None
    assert verdict.re_decided == verdict.rows > 100


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(campaign, "MEMORY", tmp_path)
    assert_survived(simulations.run([2], "0.05"))
    assert list(tmp_path.iterdir()) == []
