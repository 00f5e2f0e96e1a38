"""Bad days on virtual time: seeds that once failed, and a fixed set."""

import json
import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from pointsman.cli.compose import loaded_from
from pointsman.cli.journal_check import examine
from pointsman.cli.simulate import failure_lines
from pointsman.simulator import campaign
from pointsman.simulator.campaign import ACCOUNTS
from pointsman.simulator.faults import Fault
from pointsman.simulator.outcome import Outcome, summarize
from pointsman.simulator.world import Scenario, World
from pointsman.storage.reader import open_reader
from pointsman.storage.sqlite_manager import SqliteManager
from tests import simulations

ROOT = Path(__file__).resolve().parents[2]
KEPT = json.loads((ROOT / "tests/regressions/seeds.json").read_text("utf-8"))
FIXED = range(1_000, 1_006)


def assert_survived(outcomes: list[Outcome]) -> None:
    lines = [line for outcome in outcomes for line in failure_lines(outcome.failure, "")]
    assert not lines, "\n" + "\n".join(lines)


@pytest.mark.parametrize("kept", KEPT, ids=lambda kept: f"seed-{kept['seed']}")
def test_a_seed_that_once_failed_does_not_fail_again(kept: dict[str, object]) -> None:
    seed = kept["seed"]
    assert isinstance(seed, int)
    assert_survived(simulations.run([seed], str(kept["hours"])))


def test_a_fixed_set_of_bad_days_is_survived() -> None:
    outcomes = simulations.run(FIXED)
    assert_survived(outcomes)
    summary = summarize(outcomes)
    assert summary.crashes > 5
    assert len(summary.faults) > len(Fault) // 2


def test_rule_25_without_any_fault_nothing_is_naked_for_longer_than_the_deadline() -> None:
    outcomes = simulations.run(range(3), faults=())
    assert_survived(outcomes)
    spells = [spell_ns for outcome in outcomes for spell_ns in outcome.naked_ns]
    assert len(spells) > 10
    assert max(spells) <= simulations.policy().protection_deadline_ns
    assert all(not outcome.faults and not outcome.crashes for outcome in outcomes)


def test_one_seed_is_the_same_run_in_every_process() -> None:
    told = "from tests import simulations as s; print(s.run([7], '0.25')[0].digest)"
    digests = set()
    for hash_seed in ("0", "1"):
        env = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
        made = subprocess.run([sys.executable, "-c", told], env=env, capture_output=True, text=True)
        assert made.returncode == 0, made.stderr
        digests.add(made.stdout)
    assert len(digests) == 1
    other = simulations.run([8], "0.25")[0].digest
    assert other not in digests


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
        loaded_from,
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
