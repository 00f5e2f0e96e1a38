"""The writer thread: order, groups, failures and their end (RULES 29, 30)."""

import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from pointsman.execution.ports import JournalEntry
from pointsman.storage import group_committer, queries
from pointsman.storage.errors import StorageFailed, StorageQueueFull
from pointsman.storage.group_committer import GROUP_LEN_MAX, GroupCommitter
from pointsman.storage.sqlite_manager import (
    PROJECT_SECONDS_MAX,
    PROJECT_TURNS_MAX,
    SqliteManager,
)
from tests.unit.stored_samples import turn

PATIENCE_SECONDS = 20.0


class Disk(SqliteManager):
    """A real database whose commits can be held back and made to fail."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.groups: list[list[int]] = []
        self.may_commit = threading.Event()
        self.fault: Exception | None = None
        self.fault_of_tables: StorageFailed | None = None
        self.projected: list[int] = []

    def project(self) -> None:
        if self.fault_of_tables is not None:
            raise self.fault_of_tables
        super().project()
        self.projected.append(self.head.sequence)

    def wait_for_tables(self) -> None:
        for _ in range(2_000):
            if self.projected[-1:] == [self.head.sequence]:
                return
            time.sleep(0.01)
        raise AssertionError("the tables do not follow")

    def append(self, entries: Sequence[JournalEntry]) -> None:
        assert self.may_commit.wait(PATIENCE_SECONDS)
        self.groups.append([entry.time_ns for entry in entries])
        if self.fault is not None:
            raise self.fault
        super().append(entries)


FULL = StorageFailed(sqlite3.OperationalError("database or disk is full"))


class Told:
    """What the callbacks said."""

    def __init__(self) -> None:
        self.durable: list[int] = []
        self.failures: list[StorageFailed] = []
        self.failed = threading.Event()

    def on_failure(self, failure: StorageFailed) -> None:
        self.failures.append(failure)
        self.failed.set()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    disk = Disk(tmp_path / "trading.db")
    disk.open()
    yield disk
    disk.close()


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def committer(disk: Disk, told: Told) -> Iterator[GroupCommitter]:
    committer = GroupCommitter(disk, told.durable.append, told.on_failure, queue_len_max=600)
    yield committer
    disk.may_commit.set()
    committer.stop(0)


def test_turns_become_durable_in_order_in_groups_of_what_queued_meanwhile(
    committer: GroupCommitter, disk: Disk, told: Told
) -> None:
    for ticket in range(600):
        committer.put(ticket, turn(ticket))
    disk.may_commit.set()
    assert committer.flush(PATIENCE_SECONDS)
    assert [time_ns for group in disk.groups for time_ns in group] == list(range(600))
    assert max(len(group) for group in disk.groups) <= GROUP_LEN_MAX
    assert len(disk.groups) <= 3
    assert told.durable == [group[-1] for group in disk.groups]
    assert disk.load().sequence == 600


def test_turns_that_nothing_waits_for_are_committed_with_the_one_that_something_does(
    monkeypatch: pytest.MonkeyPatch, committer: GroupCommitter, disk: Disk, told: Told
) -> None:
    monkeypatch.setattr(group_committer, "LINGER_SECONDS", PATIENCE_SECONDS)
    disk.may_commit.set()
    for ticket in (1, 2, 3):
        committer.put(ticket, turn(ticket))
    assert (disk.groups, told.durable) == ([], [])
    committer.press()
    assert committer.flush(PATIENCE_SECONDS)
    assert (disk.groups, told.durable) == ([[1, 2, 3]], [3])


def test_a_turn_that_nothing_ever_waits_for_is_durable_soon(
    committer: GroupCommitter, disk: Disk, told: Told
) -> None:
    disk.may_commit.set()
    committer.put(1, turn(1))
    for _ in range(2_000):
        if told.durable:
            break
        time.sleep(0.01)
    assert told.durable == [1]


@pytest.mark.parametrize("ended_by", ["a full queue", "stop"])
def test_nothing_lingers_when_there_is_no_room_or_no_more_to_come(
    ended_by: str, monkeypatch: pytest.MonkeyPatch, disk: Disk, told: Told
) -> None:
    monkeypatch.setattr(group_committer, "LINGER_SECONDS", 10 * PATIENCE_SECONDS)
    disk.may_commit.set()
    committer = GroupCommitter(disk, told.durable.append, told.on_failure, queue_len_max=3)
    puts = 2 if ended_by == "stop" else 4
    for ticket in range(puts):
        committer.put(ticket, turn(ticket))
    assert committer.stop(PATIENCE_SECONDS)
    assert told.durable[-1] == puts - 1


def test_rule_29_a_failed_group_is_retried_whole_and_in_order(
    committer: GroupCommitter, disk: Disk, told: Told
) -> None:
    disk.fault = FULL
    disk.may_commit.set()
    committer.put(1, turn(1))
    assert told.failed.wait(PATIENCE_SECONDS)
    committer.put(2, turn(2))
    committer.put(3, turn(3))
    assert not committer.flush(0.2)
    disk.fault = None
    assert committer.flush(PATIENCE_SECONDS)
    assert len(disk.groups) >= 4  # it did try again
    assert disk.groups[:-1] == [[1]] * (len(disk.groups) - 1)
    assert disk.groups[-1] == [2, 3]
    assert told.durable == [1, 3]
    assert len(told.failures) == 1


def test_a_second_failure_after_healing_is_told_again(
    committer: GroupCommitter, disk: Disk, told: Told
) -> None:
    disk.may_commit.set()
    for ticket in (1, 2):
        disk.fault = FULL
        told.failed.clear()
        committer.put(ticket, turn(ticket))
        assert told.failed.wait(PATIENCE_SECONDS)
        disk.fault = None
        assert committer.flush(PATIENCE_SECONDS)
    assert told.durable == [1, 2]
    assert len(told.failures) == 2


def test_rule_30_the_queue_is_bounded_while_commits_fail(
    committer: GroupCommitter, disk: Disk, told: Told
) -> None:
    disk.fault = FULL
    disk.may_commit.set()
    committer.put(0, turn(0))
    assert told.failed.wait(PATIENCE_SECONDS)
    for ticket in range(1, 601):
        committer.put(ticket, turn(ticket))
    with pytest.raises(StorageQueueFull, match=r"600 turns wait; .*disk is full"):
        committer.put(601, turn(601))
    disk.fault = None
    assert committer.flush(PATIENCE_SECONDS)
    assert told.durable[-1] == 600


def test_a_full_queue_waits_for_a_slow_disk(committer: GroupCommitter, disk: Disk) -> None:
    for ticket in range(600):
        committer.put(ticket, turn(ticket))

    def put_more() -> None:
        for ticket in range(600, 1300):
            committer.put(ticket, turn(ticket))

    waiting = threading.Thread(target=put_more)
    waiting.start()
    disk.may_commit.set()
    waiting.join(PATIENCE_SECONDS)
    assert committer.flush(PATIENCE_SECONDS)
    assert [time_ns for group in disk.groups for time_ns in group] == list(range(1300))


def test_stop_commits_what_is_queued(committer: GroupCommitter, disk: Disk) -> None:
    for ticket in range(5):
        committer.put(ticket, turn(ticket))
    disk.may_commit.set()
    assert committer.stop(PATIENCE_SECONDS)
    assert disk.load().sequence == 5


def test_stop_gives_up_on_a_disk_that_keeps_failing(committer: GroupCommitter, disk: Disk) -> None:
    disk.fault = FULL
    disk.may_commit.set()
    committer.put(1, turn(1))
    assert not committer.stop(0.01)
    assert disk.load().sequence == 0


def test_rule_41_the_tables_follow_in_a_quiet_moment(committer: GroupCommitter, disk: Disk) -> None:
    disk.may_commit.set()
    for ticket in (1, 2):
        committer.put(ticket, turn(ticket))
        assert committer.flush(PATIENCE_SECONDS)
        disk.wait_for_tables()
    assert queries.projected(disk._reader) == disk.head


def test_rule_41_the_tables_follow_in_time_where_it_is_never_quiet(
    monkeypatch: pytest.MonkeyPatch, committer: GroupCommitter, disk: Disk, told: Told
) -> None:
    monkeypatch.setattr(group_committer, "QUIET_SECONDS", 10 * PATIENCE_SECONDS)
    disk.may_commit.set()
    ticket, until = 0, time.monotonic() + 2 * PROJECT_SECONDS_MAX
    while time.monotonic() < until:
        ticket += 1
        committer.put(ticket, turn(ticket))
        assert committer.flush(PATIENCE_SECONDS)
    assert disk.projected
    behind = len(disk.projected)
    for _ in range(PROJECT_TURNS_MAX + 1):
        ticket += 1
        committer.put(ticket, turn(ticket))
    assert committer.flush(PATIENCE_SECONDS)
    disk.wait_for_tables()
    assert len(disk.projected) > behind
    assert told.durable[-1] == ticket


def test_rules_29_and_41_tables_that_cannot_follow_are_a_failure_that_heals(
    committer: GroupCommitter, disk: Disk, told: Told
) -> None:
    disk.fault_of_tables = FULL
    disk.may_commit.set()
    committer.put(1, turn(1))
    assert told.failed.wait(PATIENCE_SECONDS)
    assert told.durable == [1], "what is durable stays so"
    committer.put(2, turn(2))
    disk.fault_of_tables = None
    assert committer.flush(PATIENCE_SECONDS)
    disk.wait_for_tables()
    assert (told.durable, len(told.failures)) == ([1, 1, 2], 1)


@pytest.mark.parametrize("fails", [False, True])
def test_rule_41_a_stop_leaves_the_tables_at_the_journal_where_it_can(
    fails: bool, committer: GroupCommitter, disk: Disk
) -> None:
    disk.may_commit.set()
    disk.fault_of_tables = FULL if fails else None
    committer.put(1, turn(1))
    assert committer.stop(0.01 if fails else PATIENCE_SECONDS), "it is durable in any case"
    assert (queries.projected(disk._reader) == disk.head) == (not fails)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_fault_of_our_own_ends_the_thread_and_nobody_waits_for_it(
    committer: GroupCommitter, disk: Disk, told: Told
) -> None:
    disk.fault = TypeError("ours")
    disk.may_commit.set()
    committer.put(1, turn(1))
    assert told.failed.wait(PATIENCE_SECONDS)
    assert not committer.flush(PATIENCE_SECONDS)
    with pytest.raises(StorageFailed, match="ours"):
        committer.put(2, turn(2))
