"""Rerun: an interrupted recorded run goes on as the run that it was (RULES 62)."""

import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pointsman.domain.events import AccountOpened
from pointsman.engine.rerun import Diverged, Rerun
from pointsman.execution.ports import JournalEntry
from pointsman.market.layout import Layout
from pointsman.service.clean_stop import Stop
from pointsman.service.feeds import recorded_feed
from pointsman.service.recorded_run import report_on, run_fast
from pointsman.storage.blocks import Block
from pointsman.storage.entries import Head, chained
from pointsman.storage.sqlite_manager import SqliteManager
from tests.engine_stories import Memory
from tests.unit.interrupted import Session, session, take_copies

EVERY = 7
"""Of the moments at which the files were copied, each of so many is gone on from."""


def play(story: Session, database: Path) -> dict[str, Any]:
    """Begin or go on with the session in a database; its report."""
    feed = recorded_feed((story.quotes,), Layout(), story.signals, 0, story.settings)
    run_fast(feed, story.settings, database, None, Stop(), lambda *_seen: None)
    return report_on(database)


def journal(database: Path) -> list[tuple[int, str]]:
    with closing(sqlite3.connect(database)) as db:
        return db.execute("SELECT sequence, hash FROM journal ORDER BY sequence").fetchall()


@pytest.fixture
def copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Session, list[Path]]:
    """A session that has been played, and its files as they were at every instant."""
    home, away = tmp_path / "home", tmp_path / "away"
    home.mkdir()
    away.mkdir()
    story = session(home)
    with monkeypatch.context() as watched:
        taken = take_copies(story.database, away, watched)
        play(story, story.database)
    return story, taken


def test_rule_62_a_run_that_was_killed_at_any_instant_goes_on_as_the_same_run(
    copies: tuple[Session, list[Path]], capsys: pytest.CaptureFixture[str]
) -> None:
    story, taken = copies
    whole, rows = report_on(story.database), journal(story.database)
    assert len(whole["trades"]) > 2
    lengths = set()
    for database in taken[::EVERY]:
        lengths.add(len(journal(database)))
        assert play(story, database) == whole
        assert journal(database) == rows, "nothing was journaled beside it, or otherwise"
    assert len(lengths) > 5
    assert capsys.readouterr().err == "", "and never from the records alone"


def test_what_was_journaled_otherwise_is_gone_on_from_as_it_is(
    copies: tuple[Session, list[Path]], capsys: pytest.CaptureFixture[str]
) -> None:
    """As after a start of another version: the records are the truth."""
    story, taken = copies
    database = taken[len(taken) // 2]
    manager = SqliteManager(database)
    manager.open()  # What the tables do not hold yet is not taken from a journal that is broken.
    manager.close()
    with closing(sqlite3.connect(database)) as db:
        db.execute("UPDATE journal SET hash = 'another' WHERE sequence = 5")
        db.commit()
    before = len(journal(database))
    report = play(story, database)
    assert "continuing from the stored records: row 5 of the journal" in capsys.readouterr().err
    assert report["signals"] == report_on(story.database)["signals"]
    assert len(journal(database)) > before


def test_turns_are_held_against_the_journal_and_handed_on_after_its_end() -> None:
    entries = [JournalEntry(n, AccountOpened(f"VA{n}", Decimal(1)), ()) for n in range(4)]
    rows, _ = chained(entries[:2], Head(0, "start"), Block())
    memory, told = Memory(), list[str]()
    memory.entries += entries[:2]
    rerun = Rerun(iter(rows), memory, memory, lambda: told.append("caught up"))
    rerun.put(1, entries[0])
    assert (rerun.standing.durable, rerun.is_caught_up, told) == (1, False, [])
    rerun.put(2, entries[1])
    assert (rerun.standing.durable, rerun.is_caught_up, told) == (2, True, ["caught up"])
    rerun.put(3, entries[2])
    assert memory.entries == entries[:3]

    other = Rerun(iter(rows), memory, memory, lambda: None)
    with pytest.raises(Diverged, match="row 1 of the journal: AccountOpened, made again: nothing"):
        other.end_early()
    with pytest.raises(Diverged, match="row 1"):
        other.put(1, entries[3])
