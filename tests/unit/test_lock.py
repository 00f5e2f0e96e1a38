"""The lock of a database dies with its holder."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pointsman.storage import lock
from pointsman.storage.errors import DatabaseBusy, StorageUnavailable
from pointsman.storage.sqlite_manager import SqliteManager
from tests.unit.stored_samples import history

HOLDER = """
import sys
from pathlib import Path
from pointsman.storage import lock
lock.acquire(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def test_a_lock_is_held_until_its_holder_dies_even_by_kill_9(tmp_path: Path) -> None:
    database = tmp_path / "trading.db"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", HOLDER, str(database)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(DatabaseBusy, match=f"in use by process {holder.pid}") as refusal:
            lock.acquire(database)
        assert refusal.value.holder_pid == holder.pid
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        os.close(lock.acquire(database))


def test_a_holder_that_did_not_yet_say_who_it_is(tmp_path: Path) -> None:
    database = tmp_path / "trading.db"
    descriptor = lock.acquire(database)
    lock.lock_path(database).write_text("")
    with pytest.raises(DatabaseBusy, match="in use by another process"):
        lock.acquire(database)
    os.close(descriptor)


def test_a_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageUnavailable, match="must exist and be writable"):
        lock.acquire(tmp_path / "none" / "trading.db")


def test_another_name_of_a_database_in_use_is_refused_and_does_no_harm(
    tmp_path: Path,
) -> None:
    """A hard link has a lock file of its own, and the same file behind it; a copy is another."""
    (tmp_path / "other").mkdir()
    database, linked = tmp_path / "trading.db", tmp_path / "other" / "linked.db"
    first = SqliteManager(database)
    first.open()
    os.link(database, linked)
    with pytest.raises(DatabaseBusy, match=r"another process \(perhaps under another name\);"):
        SqliteManager(linked).open()
    first.append(history())
    first.close()
    second = SqliteManager(linked)
    second.open()
    assert second.head.sequence == len(history())
    second.close()
