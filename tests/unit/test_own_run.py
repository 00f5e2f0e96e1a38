"""Whose a database is: a new one is claimed, another run's is refused with what differs."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from pointsman.engine.own_run import OtherRun, claim
from pointsman.storage.entries import RunIdentity
from pointsman.storage.sqlite_manager import SqliteManager
from tests.unit.stored_samples import history

OURS = RunIdentity("quotes", "signals", "instruments", "settings", "0")


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[SqliteManager]:
    opened = SqliteManager(tmp_path / "trading.db")
    opened.open()
    yield opened
    opened.close()


def test_rule_5_a_new_database_becomes_that_of_the_run_and_is_continued_by_it(
    manager: SqliteManager,
) -> None:
    claim(manager, OURS)
    assert manager.run_identity() == OURS
    manager.append(history())
    claim(manager, OURS)


def test_rule_5_another_run_is_told_what_differs(manager: SqliteManager) -> None:
    claim(manager, OURS)
    other = msgspec.structs.replace(OURS, quotes_digest="other", seed="1")
    with pytest.raises(OtherRun, match="its quotes and seed differ; use another database"):
        claim(manager, other)
    with pytest.raises(OtherRun, match="belongs to a recorded or simulated run"):
        claim(manager, None)


def test_rule_5_a_live_engine_s_database_takes_no_recorded_run(manager: SqliteManager) -> None:
    claim(manager, None)
    manager.append(history())
    claim(manager, None)
    with pytest.raises(OtherRun, match="belongs to a live engine"):
        claim(manager, OURS)
