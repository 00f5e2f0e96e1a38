"""The world: one seed's day from beginning to rest."""

from pathlib import Path

import pytest

from pointsman.simulator.campaign import ACCOUNTS
from pointsman.simulator.faults import CRASHES, Fault
from pointsman.simulator.scenario import BEGINS_NS, Scenario
from pointsman.simulator.world import SETTLE_NS, World
from pointsman.storage.sqlite_manager import SqliteManager
from tests import simulations

MINUTES_NS = 6 * 60 * 10**9


@pytest.fixture
def scenario(tmp_path: Path) -> Scenario:
    template = tmp_path / "template.db"
    manager = SqliteManager(template)
    manager.open()
    manager.close()
    return Scenario(simulations.policy(), ACCOUNTS, MINUTES_NS, (), template)


def world(scenario: Scenario, folder: Path, seed: int, *faults: Fault) -> World:
    folder.mkdir()
    changed = Scenario(
        scenario.policy, scenario.accounts, scenario.lasting_ns, faults,
        scenario.template,
    )  # fmt: skip
    return World(changed, seed, folder)


def test_a_day_without_faults_trades_and_comes_to_rest(scenario: Scenario, tmp_path: Path) -> None:
    day = world(scenario, tmp_path / "run", 1)
    day.run()
    assert day.signals > 3
    assert day.monitor.sent > 0
    assert day.now_ns > BEGINS_NS + MINUTES_NS + SETTLE_NS
    assert not day.faults.log


def test_the_engine_lives_on_after_crashes_at_every_boundary(
    scenario: Scenario, tmp_path: Path
) -> None:
    seen: set[Fault] = set()
    for seed in range(12):
        day = world(scenario, tmp_path / f"run{seed}", seed, *CRASHES)
        day.run()
        seen |= set(day.faults.counts)
    assert seen == set(CRASHES)
