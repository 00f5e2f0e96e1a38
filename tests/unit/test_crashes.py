"""A crash happens at the boundary that was chosen, once."""

import pytest

from pointsman.simulator.crashes import Boundary, Crash, CrashTrap


def test_it_dies_when_the_boundary_was_passed_so_often_and_only_then() -> None:
    trap = CrashTrap()
    trap.arm(Boundary.AFTER_SEND, 2)
    for _ in range(2):
        trap.passes(Boundary.AFTER_SEND)
        trap.passes(Boundary.BEFORE_COMMIT)
    with pytest.raises(Crash):
        trap.passes(Boundary.AFTER_SEND)
    trap.passes(Boundary.AFTER_SEND)


def test_a_disarmed_trap_does_nothing_and_nothing_ordinary_catches_a_crash() -> None:
    trap = CrashTrap()
    trap.arm(Boundary.AFTER_COMMIT, 0)
    trap.disarm()
    trap.passes(Boundary.AFTER_COMMIT)
    assert not issubclass(Crash, Exception)
