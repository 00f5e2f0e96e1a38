"""A campaign of seeds: each is run, and a failure is told with what led to it."""

import pytest

from pointsman.execution.ports import JournalEntry
from pointsman.simulator.invariants import Monitor
from pointsman.storage.sqlite_manager import SqliteManager
from tests import simulations


def test_every_seed_gives_its_own_outcome_and_the_same_one_again() -> None:
    first, second = simulations.run([3, 4], "0.1"), simulations.run([3, 4], "0.1")
    assert [outcome.seed for outcome in first] == [3, 4]
    assert first == second
    assert first[0].digest != first[1].digest
    assert all(outcome.failure is None and outcome.simulated_ns > 0 for outcome in first)


def test_a_broken_promise_of_ours_is_a_failure_with_its_trail(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The engine believes that turns are stored, and they are not (I1)."""

    def forget(_manager: SqliteManager, _entries: list[JournalEntry]) -> None:
        return

    monkeypatch.setattr(SqliteManager, "append", forget)
    [outcome] = simulations.run([1], "0.5", faults=())
    assert outcome.failure is not None
    assert outcome.failure.invariant in ("I1", "I22")
    assert outcome.failure.trail


def test_a_fault_of_the_engine_itself_is_a_failure_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def stumble(*_args: object) -> None:
        raise AssertionError("a broken rule")

    monkeypatch.setattr(Monitor, "on_turn", stumble)
    [outcome] = simulations.run([1], "0.1", faults=())
    assert outcome.failure is not None
    assert (outcome.failure.invariant, outcome.failure.what) == (
        "SOUND",
        "AssertionError: a broken rule",
    )
