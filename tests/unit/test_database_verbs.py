"""`db backup` and `db migrate`."""

import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pointsman.cli.command_line import app
from pointsman.cli.database_verbs import back_up
from pointsman.domain.accounts import KillState
from pointsman.domain.policy import PositionMode
from pointsman.engine.kill_latch import KillLatch, LatchState, latch_path, read_latch
from pointsman.engine.open_venue import ledger_path
from pointsman.storage import lock, reader, schema
from pointsman.storage.errors import DatabaseBusy, StorageUnavailable
from pointsman.storage.sqlite_manager import SqliteManager
from pointsman.venues.paper.ledger import PaperLedger, read_ledger
from tests.story_database import lived_day


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return lived_day().store(tmp_path / "t.db")


def test_the_copy_is_whole_private_and_made_beside_a_running_writer(
    path: Path, tmp_path: Path
) -> None:
    manager = SqliteManager(path)
    manager.open()
    ((copy, size),) = back_up(path, tmp_path / "copy.db")
    manager.close()
    assert (size, stat.S_IMODE(copy.stat().st_mode)) == (copy.stat().st_size, 0o600)
    with closing(reader.open_reader(path)) as one, closing(reader.open_reader(copy)) as other:
        assert reader.accounts(one) == reader.accounts(other)
        assert reader.decisions(one) == reader.decisions(other)


def test_an_existing_file_is_never_overwritten(path: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_text("mine")
    result = CliRunner().invoke(app, ["db", "backup", str(kept), "--db", str(path)])
    assert result.exit_code == 1
    assert kept.read_text() == "mine"


def test_a_copy_that_fails_leaves_no_file(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_space(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_space)
    result = CliRunner().invoke(app, ["db", "backup", str(tmp_path / "new"), "--db", str(path)])
    assert result.exit_code == 1
    assert not (tmp_path / "new").exists()


def test_books_of_the_paper_venue_and_a_pressed_latch_are_copied_too(
    path: Path, tmp_path: Path
) -> None:
    ledger, copied = ledger_path(path), tmp_path / "there" / "copy.db"
    copied.parent.mkdir()
    PaperLedger(ledger, PositionMode.HEDGE).close()
    with closing(KillLatch(latch_path(path))) as latch:
        latch.press(LatchState(KillState.FLATTEN, "ann", "drill", 5))
    files = back_up(path, copied)
    assert [each for each, _ in files] == [copied, ledger_path(copied), latch_path(copied)]
    assert sorted(each for each, _ in files) == sorted(copied.parent.iterdir())
    assert read_ledger(ledger_path(copied)) == read_ledger(ledger)
    assert read_latch(latch_path(copied)) == LatchState(KillState.FLATTEN, "ann", "drill", 5)
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in copied.parent.iterdir())


@pytest.mark.parametrize(
    "left",
    [LatchState(KillState.FLATTEN, "ann", "another day", 5), LatchState(rearms=True)],
    ids=["that would kill", "that would rearm"],
)
def test_the_latch_of_an_older_copy_is_refused_and_stays_as_it_is(
    left: LatchState, path: Path, tmp_path: Path
) -> None:
    there = latch_path(tmp_path / "copy.db")
    with closing(KillLatch(there)) as latch:
        latch.follow(left, 0)
    result = CliRunner().invoke(app, ["db", "backup", str(tmp_path / "copy.db"), "--db", str(path)])
    assert (result.exit_code, "copy.db.kill exists; name a new file" in result.stderr) == (1, True)
    assert read_latch(there) == left
    assert not (tmp_path / "copy.db").exists()


def test_a_ledger_that_is_there_already_is_not_overwritten_and_nothing_is_left(
    path: Path, tmp_path: Path
) -> None:
    PaperLedger(ledger_path(path), PositionMode.HEDGE).close()
    theirs = ledger_path(tmp_path / "copy.db")
    theirs.write_text("mine")
    result = CliRunner().invoke(app, ["db", "backup", str(tmp_path / "copy.db"), "--db", str(path)])
    assert (result.exit_code, f"{theirs} exists" in result.stderr) == (1, True)
    assert (theirs.read_text(), (tmp_path / "copy.db").exists()) == ("mine", False)


def test_migrate_brings_an_older_schema_up_to_date(path: Path, tmp_path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(schema.MIGRATIONS[0].read_text("utf-8"))
        mark = f"PRAGMA application_id = {schema.APPLICATION_ID}; PRAGMA user_version = 1"
        connection.executescript(mark)
    with pytest.raises(StorageUnavailable, match="db migrate"):
        reader.open_reader(path)
    runner = CliRunner()
    first = runner.invoke(app, ["db", "migrate", "--db", str(path)])
    assert (first.exit_code, f"schema 1 is now {schema.newest_version()}" in first.stdout) == (
        0,
        True,
    ), first.output
    reader.open_reader(path).close()
    again = runner.invoke(app, ["db", "migrate", "--db", str(path)])
    assert "already" in again.stdout
    missing = runner.invoke(app, ["db", "migrate", "--db", str(tmp_path / "none.db")])
    assert isinstance(missing.exception, StorageUnavailable)
    assert not (tmp_path / "none.db").exists()


def test_migrate_does_not_touch_a_database_in_use(path: Path) -> None:
    held = lock.acquire(path)
    result = CliRunner().invoke(app, ["db", "migrate", "--db", str(path)])
    os.close(held)
    assert isinstance(result.exception, DatabaseBusy)
