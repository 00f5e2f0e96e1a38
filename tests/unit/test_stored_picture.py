"""The picture of a database without an engine."""

from pathlib import Path

import pytest

from pointsman.domain.accounts import KillState
from pointsman.engine.kill_latch import KillLatch, LatchState, latch_path
from pointsman.reading.stored_picture import picture_from_database
from pointsman.storage.errors import StorageUnavailable
from tests.story_database import lived_day


def test_the_records_give_the_picture_that_an_engine_would_show(tmp_path: Path) -> None:
    day = lived_day()
    path = day.store(tmp_path / "t.db")
    found = picture_from_database(path, day.settings)
    assert (found["source"], found["is_ready"], found["trading_state"]) == (
        "database", True, "ACTIVE",
    )  # fmt: skip
    assert [(p["va_id"], p["quantity"], p["cover"]) for p in found["positions"]] == [
        ("VA002", "30", "covered")
    ]
    assert found["decisions"][0]["reason"] == "UNKNOWN_ACCOUNT", "the newest first"
    assert [d["side"] for d in found["decisions"]][-1] == "buy"
    counts = found["counts"]
    assert counts["signals"] == counts["accepted"] + counts["refused"] == len(found["decisions"])
    assert (counts["fills"], counts["trades"]) == (6, 1)
    assert found["now_ns"] == day.entries[-1].time_ns


def test_a_latch_that_waits_for_the_next_start_shows(tmp_path: Path) -> None:
    day = lived_day()
    path = day.store(tmp_path / "t.db")
    KillLatch(latch_path(path)).press(LatchState(KillState.HALT, "ann", "night", 5))
    found = picture_from_database(path, day.settings)
    assert (found["trading_state"], found["kill"]["note"]) == ("HALTED", "night")


def test_no_database_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(StorageUnavailable, match="pointsman run"):
        picture_from_database(tmp_path / "none.db", lived_day().settings)
