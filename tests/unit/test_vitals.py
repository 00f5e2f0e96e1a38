"""Vitals: ages in event time, and a stuck loop that shows as lag."""

import time

import pytest

from pointsman.execution.ports import StorageStatus
from pointsman.reading.vitals import Vitals
from tests.desk_stories import SECOND_NS, START_NS
from tests.engine_stories import BROKEN


class Body:
    """What vitals are taken of."""

    def __init__(self) -> None:
        self.now_ns = START_NS
        self.commit_ns = 0
        self.standing = StorageStatus()
        self.compared_ns: int | None = None
        self.vitals = Vitals(
            lambda: self.now_ns,
            lambda: self.commit_ns,
            lambda: self.standing,
            lambda: self.compared_ns,
        )


def test_before_anything_has_happened_nothing_is_made_up() -> None:
    health = Body().vitals.health()
    assert (health["feed_age_ms"], health["compared_ago_ms"], health["commit_ms"]) == (
        None, None, None,
    )  # fmt: skip
    assert health["storage"] == "ok"


def test_ages_are_counted_in_event_time_from_what_was_seen_last() -> None:
    body = Body()
    body.vitals.note(1, START_NS)
    body.compared_ns, body.commit_ns = START_NS, 1_234_567
    body.now_ns += 3 * SECOND_NS
    body.vitals.note(1, body.now_ns)
    health = body.vitals.health()
    assert (health["feed_age_ms"], health["compared_ago_ms"]) == (3000, 3000)
    assert health["commit_ms"] == "1.23"


def test_storage_says_since_when_it_fails_and_that_it_has_healed() -> None:
    body = Body()
    body.standing = StorageStatus(0, str(BROKEN.cause), 1)
    body.vitals.note(0, START_NS)
    body.vitals.note(0, START_NS + SECOND_NS)
    assert body.vitals.health()["storage"] == "failing since 2018-01-02T14:30:00.000000Z"
    body.standing = StorageStatus(1)
    body.vitals.note(0, START_NS + 2 * SECOND_NS)
    assert body.vitals.health()["storage"] == "ok"


def test_a_loop_that_does_not_beat_any_more_lags(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    body = Body()
    body.vitals.beat(0.002)
    assert body.vitals.health()["loop_lag_ms"] == "2.0"
    clock[0] += 5
    assert body.vitals.health()["loop_lag_ms"] == "4900.0"
