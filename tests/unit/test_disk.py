"""The simulated disk: what a crash leaves is what was committed before it, and nothing else."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pointsman.domain.accounts import Cursor
from pointsman.domain.events import Marked
from pointsman.execution.ports import JournalEntry
from pointsman.simulator.crashes import Boundary, Crash, CrashTrap
from pointsman.simulator.disk import COMMITS_AHEAD_MAX, GROUP_NS, Disk
from pointsman.storage import queries
from pointsman.storage.sqlite_manager import SqliteManager

SECOND_NS = 10**9


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[SqliteManager]:
    manager = SqliteManager(tmp_path / "simulated.db")
    manager.open()
    yield manager
    manager.close()


def turn(line: int) -> JournalEntry:
    return JournalEntry(line, Marked((), 0), (Cursor("signals", line),))


def stored(manager: SqliteManager) -> list[int]:
    return [cursor.line for cursor in manager.load().cursors]


def test_what_commands_wait_for_is_durable_at_once_and_the_rest_soon(
    manager: SqliteManager,
) -> None:
    disk = Disk(manager, CrashTrap(), 0)
    disk.put(1, turn(1))
    assert stored(manager) == []
    disk.press()
    assert (stored(manager), disk.standing.durable) == ([1], 1)
    disk.put(2, turn(2))
    assert disk.next_due_ns() == GROUP_NS
    disk.tick(GROUP_NS)
    assert (stored(manager), disk.standing.durable) == ([2], 2)


@pytest.mark.parametrize(
    ("boundary", "left"), [(Boundary.BEFORE_COMMIT, [1]), (Boundary.AFTER_COMMIT, [2])]
)
def test_a_crash_at_a_commit_leaves_all_of_it_or_nothing(
    manager: SqliteManager, boundary: Boundary, left: list[int]
) -> None:
    trap = CrashTrap()
    disk = Disk(manager, trap, 0)
    disk.put(1, turn(1))
    disk.press()
    disk.put(2, turn(2))
    trap.arm(boundary, 0)
    with pytest.raises(Crash):
        disk.press()
    assert stored(manager) == left
    assert disk.standing.durable == 1


def test_rule_29_a_full_disk_fails_once_keeps_everything_and_heals(manager: SqliteManager) -> None:
    disk = Disk(manager, CrashTrap(), 0)
    disk.full_until_ns = 5 * SECOND_NS
    disk.put(1, turn(1))
    disk.press()
    assert disk.standing.failure is not None
    for second in range(1, 5):
        disk.tick(second * SECOND_NS)
        assert not disk.settle()
    assert (stored(manager), disk.standing.failures) == ([], 1)
    disk.tick(6 * SECOND_NS)
    assert (stored(manager), disk.standing.failure, disk.standing.durable) == ([1], None, 1)


def test_a_slow_disk_takes_its_time_while_the_loop_goes_on(manager: SqliteManager) -> None:
    disk = Disk(manager, CrashTrap(), 0)
    disk.slow_until_ns, disk.delay_ns = SECOND_NS, SECOND_NS // 2
    disk.put(1, turn(1))
    disk.press()
    assert (stored(manager), disk.next_due_ns()) == ([], SECOND_NS // 2)
    disk.tick(SECOND_NS // 2)
    assert stored(manager) == [1]


@pytest.mark.parametrize(
    ("boundary", "is_behind"),
    [(Boundary.BEFORE_PROJECTION, True), (Boundary.AFTER_PROJECTION, False)],
)
def test_rule_41_a_crash_at_a_projection_leaves_the_tables_behind_the_journal_or_at_it(
    manager: SqliteManager, boundary: Boundary, is_behind: bool
) -> None:
    trap = CrashTrap()
    disk = Disk(manager, trap, 0)
    for line in range(1, COMMITS_AHEAD_MAX):
        disk.put(line, turn(line))
        disk.press()
    disk.put(COMMITS_AHEAD_MAX, turn(COMMITS_AHEAD_MAX))
    trap.arm(boundary, 0)
    with pytest.raises(Crash):
        disk.press()
    assert stored(manager) == [disk.standing.durable] == [COMMITS_AHEAD_MAX]
    assert (queries.projected(manager._reader) != manager.head) == is_behind
