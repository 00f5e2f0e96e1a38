"""Real faults under the one writer: a disk that is full, a file that others lock, and kill -9."""

import os
import random
import resource
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from pointsman.domain.accounts import Incident
from pointsman.domain.positions import PositionState
from pointsman.domain.reasons import Reason
from pointsman.execution.ports import JournalEntry
from pointsman.storage import queries, reader
from pointsman.storage.errors import CorruptDatabase, DatabaseBusy, StorageFailed
from pointsman.storage.group_committer import GroupCommitter
from pointsman.storage.journal import fold, turns, verify_chain
from pointsman.storage.sqlite_manager import SqliteManager
from tests.unit.stored_samples import fill, history, order, position, turn

PATIENCE_SECONDS = 20.0
KILLS = 8
REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[SqliteManager]:
    manager = SqliteManager(tmp_path / "trading.db")
    manager.open()
    manager.append(history())
    manager.project()
    yield manager
    manager.close()


def assert_whole(path: Path, sequence: int) -> None:
    """The file is sound, its chain whole, its tables what the journal says, and it ends at
    `sequence`."""
    with closing(reader.open_reader(path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == {"integrity_check": "ok"}
        assert verify_chain(db) is None
        assert fold(db) is None
        assert sum(1 for _ in turns(db)) == sequence


def many_turns(first: int, count: int) -> list[JournalEntry]:
    """Turns that open orders, each too long for what is left of any page."""
    return [
        turn(
            number,
            order(number),
            fill(order(number), "t"),
            position(number),
            Incident(str(number), number, Reason.MISMATCH, detail="x" * 5000),
        )
        for number in range(first, first + count)
    ]


@contextmanager
def _no_room_for_pages(manager: SqliteManager) -> Iterator[None]:
    """The database may not grow by a page: what SQLite says of a full disk."""
    writer = manager._writer
    (pages,) = writer.execute("PRAGMA page_count").fetchone()
    writer.execute(f"PRAGMA max_page_count = {pages}")
    yield
    writer.execute("PRAGMA max_page_count = 1073741823")


@contextmanager
def _no_room_for_files(manager: SqliteManager) -> Iterator[None]:
    """The kernel refuses to let any file grow beyond what the log has now."""
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    size = manager.path.with_name(f"{manager.path.name}-wal").stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 1000, usual[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)


@contextmanager
def _locked_by_another(manager: SqliteManager) -> Iterator[None]:
    """Another process is in the middle of a transaction of its own."""
    script = (
        "import sqlite3, sys\n"
        "other = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "other.execute('BEGIN IMMEDIATE')\n"
        "print('locked', flush=True)\n"
        "sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", script, str(manager.path)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "locked\n"
        try:
            yield
        finally:
            other.communicate()


@contextmanager
def _read_only(manager: SqliteManager) -> Iterator[None]:
    manager._writer.execute("PRAGMA query_only = ON")
    yield
    manager._writer.execute("PRAGMA query_only = OFF")


FAULTS = {
    "no page left": (_no_room_for_pages, "full"),
    "no file may grow": (_no_room_for_files, "full|disk I/O error"),
    "locked": (_locked_by_another, "locked"),
    "read-only": (_read_only, "readonly"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_rule_29_a_fault_stores_nothing_and_afterwards_the_same_turns_are_stored(
    fault: str, manager: SqliteManager
) -> None:
    prevent, words = FAULTS[fault]
    waiting = many_turns(10, 300)
    with prevent(manager):
        for _ in range(2):
            with pytest.raises(StorageFailed, match=words):
                manager.append(waiting)
        assert manager.load().sequence == len(history())
        assert_whole(manager.path, len(history()))
    manager.append(waiting)
    manager.append(many_turns(310, 1))
    assert_whole(manager.path, len(history()) + 301)


@pytest.mark.parametrize("fault", FAULTS)
def test_rules_29_and_41_a_fault_keeps_the_tables_where_they_were_and_loses_nothing(
    fault: str, manager: SqliteManager
) -> None:
    """What is durable is read and found while the tables cannot follow, and they do afterwards."""
    prevent, words = FAULTS[fault]
    behind = queries.projected(manager._reader)
    manager.append(many_turns(10, 300))
    with prevent(manager):
        for _ in range(2):
            with pytest.raises(StorageFailed, match=words):
                manager.project()
        assert queries.projected(manager._reader) == behind
        assert manager.known_order(order(309).client_order_id) is not None
        with closing(reader.open_reader(manager.path)) as db:
            assert len(reader.orders(db)) == 303
        assert_whole(manager.path, len(history()) + 300)
    manager.project()
    assert queries.projected(manager._reader) == manager.head
    assert_whole(manager.path, len(history()) + 300)


@pytest.mark.parametrize("fault", FAULTS)
def test_rule_29_the_writer_thread_heals_by_itself(fault: str, manager: SqliteManager) -> None:
    prevent, _ = FAULTS[fault]
    durable: list[int] = []
    failures: list[StorageFailed] = []
    failed = threading.Event()

    def on_failure(failure: StorageFailed) -> None:
        failures.append(failure)
        failed.set()

    with prevent(manager):
        committer = GroupCommitter(manager, durable.append, on_failure)
        for ticket, entry in enumerate(many_turns(10, 300)):
            committer.put(ticket, entry)
        assert failed.wait(PATIENCE_SECONDS)
        assert durable == []
    assert committer.flush(PATIENCE_SECONDS)
    assert committer.stop(PATIENCE_SECONDS)
    assert durable[-1] == 299
    assert len(failures) == 1
    assert_whole(manager.path, len(history()) + 300)


ENGINE = """
import random, sys
from pathlib import Path
from pointsman.storage.group_committer import GroupCommitter
from pointsman.storage.sqlite_manager import SqliteManager
from tests.unit.stored_samples import fill, order, position, turn

manager = SqliteManager(Path(sys.argv[1]))
manager.open()
number = manager.load().sequence
committer = GroupCommitter(manager, lambda ticket: print(ticket, flush=True), print)
dice = random.Random(number)
while True:
    for _ in range(dice.randrange(1, 20)):
        number += 1
        entry = order(number)
        committer.put(number, turn(number, entry, fill(entry, "t"), position(number)))
    committer.flush(10)
"""


def test_kill_9_at_any_moment_loses_nothing_that_was_told_to_be_durable(tmp_path: Path) -> None:
    path = tmp_path / "trading.db"
    dice = random.Random(20181102)
    last = 0
    for _ in range(KILLS):
        with _engine(path) as engine:
            assert engine.stdout is not None
            for _ in range(dice.randrange(1, 40)):
                last = int(engine.stdout.readline())
            with pytest.raises(DatabaseBusy, match=f"process {engine.pid}"):
                SqliteManager(path).open()
            engine.send_signal(signal.SIGKILL)
            told = engine.stdout.read().split()
            last = int(told[-1]) if told else last
        with closing(reader.open_reader(path)) as db:
            (sequence,) = (
                db.execute("SELECT max(sequence) AS last FROM journal").fetchone().values()
            )
            assert len(reader.orders(db)) == len(reader.fills(db)) == sequence
        assert sequence >= last
        assert_whole(path, sequence)
    manager = SqliteManager(path)
    manager.open()
    loaded = manager.load()
    manager.close()
    assert loaded.sequence == len(loaded.orders) == len(loaded.positions) == len(loaded.fill_keys)


def _three(first: int, state: PositionState = PositionState.OPEN) -> list[JournalEntry]:
    return [
        turn(number, order(number), fill(order(number), "t"), position(number, state))
        for number in range(first, first + 3)
    ]


def _die_before(statement: int, path: Path, told: int) -> None:
    """In a process of its own, since it dies before the statement of that number of what follows
    the first three turns; so between any two steps of either transaction."""
    manager = SqliteManager(path)
    manager.open()
    manager.append(_three(1))
    manager.project()
    left = statement

    def count(_statement: str) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    manager._writer.set_trace_callback(count)
    for first in (4, 7):
        manager.append([*_three(first), *_three(first - 3, PositionState.CLOSED)])
        os.write(told, b"%d\n" % (first + 2))
        manager.project()


def _told_until_death(statement: int, path: Path) -> list[int] | None:
    """What it told to be durable; None where it lived to the end."""
    there, here = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            _die_before(statement, path, here)
        finally:
            os._exit(0)
    os.close(here)
    with os.fdopen(there) as pipe:
        told = [int(line) for line in pipe]
    _, status = os.waitpid(child, 0)
    return told if os.WIFSIGNALED(status) else None


def test_rule_41_kill_9_between_any_two_steps_of_either_transaction(tmp_path: Path) -> None:
    """All that was told to be durable is read before the next start, and is in the tables after
    it. Positions 1 to 3 close in the second append, 4 to 6 in the third."""
    left, number = set(), 1
    while (told := _told_until_death(number, path := tmp_path / f"{number}.db")) is not None:
        number += 1
        with closing(reader.open_reader(path)) as db:
            reached, newest = queries.projected(db), queries.newest_turn(db)
            orders, positions = reader.orders(db), reader.positions(db)
        assert reached is not None
        assert len(orders) >= (told[-1] if told else 3)
        assert newest.sequence == {3: 3, 6: 9, 9: 15}[len(orders)]
        assert [each.position_id for each in positions] == [
            each.position_id for each in orders[-3:]
        ]
        assert_whole(path, newest.sequence)
        left.add((len(orders), newest.sequence - reached.sequence))
        manager = SqliteManager(path)
        manager.open()
        assert queries.projected(manager._reader) == newest
        assert manager.load().positions == tuple(positions)
        manager.append(many_turns(50, 1))
        manager.project()
        manager.close()
        assert_whole(path, newest.sequence + 1)
    assert left == {(3, 0), (6, 6), (6, 0), (9, 6)}
    assert number > 50


@contextmanager
def _engine(path: Path) -> Iterator[subprocess.Popen[str]]:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(REPOSITORY), *sys.path])}
    command = [sys.executable, "-c", ENGINE, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as engine:
        try:
            yield engine
        finally:
            engine.kill()


def test_a_flipped_byte_in_the_file_is_found_wherever_it_holds_a_row(
    manager: SqliteManager, tmp_path: Path
) -> None:
    """Not through SQL: one bit of each text that a row of each table holds, in the file itself."""
    marks = [
        b"ABCDEF2E1",
        b"158.39",
        b"signals.jsonl",
        b"lunch",
        b"anna",
        b"12.50",
        b"STRANGE_REPORT",
    ]
    manager.close()
    content = manager.path.read_bytes()
    for number, mark in enumerate(marks):
        copy = tmp_path / f"{number}.db"
        places = _places(content, mark)
        assert places
        for place in places:
            changed = bytearray(content)
            changed[place] ^= 1
            copy.write_bytes(changed)
            assert _is_found(copy), (mark, place)


def _places(content: bytes, mark: bytes) -> list[int]:
    places = []
    place = content.find(mark)
    while place >= 0:
        places.append(place)
        place = content.find(mark, place + 1)
    return places


def _is_found(path: Path) -> bool:
    try:
        with closing(reader.open_reader(path)) as db:
            if verify_chain(db) is not None or fold(db) is not None:
                return True
            # A copy of a key in an index is no row, but SQLite's own check finds it.
            (verdict,) = db.execute("PRAGMA integrity_check").fetchone().values()
            return bool(verdict != "ok")
    except (CorruptDatabase, sqlite3.DatabaseError):
        return True
