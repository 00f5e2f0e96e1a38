"""What is claimed of an engine is what is known of it."""

import pytest

from pointsman.dashboard.engine_watch import SILENT_SECONDS, EngineWatch
from pointsman.dashboard.links import PictureUpdate
from pointsman.terminal.condition import EngineState
from tests.dashboard_pictures import INCIDENTS, busy_picture, picture

LOST = PictureUpdate(picture(database="/here/t.db"), "gone", state=EngineState.NOT_RUNNING)


def test_an_engine_that_sends_pictures_needs_no_words() -> None:
    watch = EngineWatch(is_remote=False, at_seconds=0.0)
    assert (watch.picture, watch.condition(1.0)) == (None, None)
    assert watch.take(PictureUpdate(picture()), 1.0)
    assert watch.condition(1.0 + SILENT_SECONDS - 0.1) is None
    assert watch.trouble() == []


@pytest.mark.parametrize(
    ("is_remote", "state"), [(False, EngineState.HUNG), (True, EngineState.UNREACHABLE)]
)
def test_silence_has_its_words(is_remote: bool, state: EngineState) -> None:
    watch = EngineWatch(is_remote=is_remote, at_seconds=0.0)
    watch.take(PictureUpdate(picture()), 1.0)
    condition = watch.condition(1.0 + SILENT_SECONDS)
    assert condition is not None
    assert (condition.state, condition.why) == (state, "it has sent nothing for 3 s")


@pytest.mark.parametrize(("is_remote", "database"), [(False, "/here/t.db"), (True, "trading.db")])
def test_of_a_lost_engine_elsewhere_what_it_sent_last_stays(is_remote: bool, database: str) -> None:
    watch = EngineWatch(is_remote=is_remote, at_seconds=0.0)
    watch.take(PictureUpdate(picture()), 1.0)
    assert not watch.is_back(LOST)
    assert not watch.take(LOST, 2.0)
    assert watch.is_back(PictureUpdate(picture()))
    assert watch.picture is not None
    assert watch.picture["database"] == database
    condition = watch.condition(2.0)
    assert condition is not None
    assert condition.why == "gone"


def test_the_database_of_this_machine_is_named_where_it_may_be_of_another_engine() -> None:
    watch = EngineWatch(is_remote=True, at_seconds=0.0)
    watch.take(LOST, 1.0)
    assert "/here/t.db" in watch.trouble()[1].plain
    watch.take(PictureUpdate(None, "gone", "no file"), 2.0)
    assert watch.trouble()[0].plain == "Gone, and no file"


def test_incidents_of_the_start_are_not_new() -> None:
    watch = EngineWatch(is_remote=False, at_seconds=0.0)
    found = []
    for incidents in (INCIDENTS[1:], INCIDENTS[1:], INCIDENTS, INCIDENTS[:1]):
        watch.take(PictureUpdate(busy_picture(incidents=incidents)), 1.0)
        found.append(watch.has_new_incident())
    assert found == [False, False, True, False]
