"""The policy of the newest start, as journaled."""

from pathlib import Path

import msgspec

from pointsman.domain.events import Started
from pointsman.domain.policy import ReduceOnlyMode
from pointsman.reading.newest_start import read_policy
from pointsman.storage.reader import reading
from pointsman.storage.sqlite_manager import SqliteManager
from tests.story_database import Day


def test_it_is_that_of_the_newest_start(tmp_path: Path) -> None:
    day = Day()
    abilities = msgspec.structs.replace(day.policy.abilities, reduce_only=ReduceOnlyMode.NONE)
    policy = msgspec.structs.replace(day.policy, abilities=abilities)
    day.tell(50, Started("2", "ABCDEF", policy, day.settings.accounts))
    with reading(day.store(tmp_path / "t.db")) as connection:
        found = read_policy(connection)
    assert found is not None
    assert found.abilities == abilities != day.policy.abilities


def test_before_the_first_start_there_is_none(tmp_path: Path) -> None:
    manager = SqliteManager(tmp_path / "t.db")
    manager.open()
    manager.close()
    with reading(tmp_path / "t.db") as connection:
        assert read_policy(connection) is None
