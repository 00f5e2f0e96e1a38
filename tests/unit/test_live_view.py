"""The board: the picture with what is not in the records, and news for whoever waits."""

import threading
from pathlib import Path

import pytest

from pointsman.config.settings import resolve_settings
from pointsman.domain.accounts import Incident, KillState
from pointsman.domain.reasons import Reason
from pointsman.engine.kill_latch import KillLatch, LatchState, latch_path
from pointsman.engine.live_view import LiveView, facts, shown_limits
from pointsman.engine.publisher import Publisher
from pointsman.engine.snapshot import EngineSnapshot

SETTINGS = resolve_settings({"MAX_SPREAD_BPS": "7.50"}, None, {}).settings


@pytest.fixture
def publisher() -> Publisher:
    return Publisher()


@pytest.fixture
def board(tmp_path: Path, publisher: Publisher) -> LiveView:
    latch = KillLatch(latch_path(tmp_path / "t.db"))
    latch.press(LatchState(KillState.HALT, "ann", "drill", 3))
    known = facts("t.db", "engine", "1", "sim", SETTINGS)
    return LiveView(
        EngineSnapshot(lambda _symbol: None, 1, lambda _symbol: 2),
        publisher,
        latch,
        lambda: 42,
        lambda: {"storage": "ok"},
        known,
    )


def test_a_picture_has_all_of_its_parts(board: LiveView) -> None:
    found = board.document()
    assert set(found) == {
        "version", "database", "source", "now_ns", "speed", "market", "is_ready", "trading_state",
        "kill", "accounts", "positions", "decisions", "incidents", "orders", "counts", "health",
        "limits", "limits_by_va", "venue",
    }  # fmt: skip
    assert (found["now_ns"], found["kill"]["by"], found["health"]) == (42, "ann", {"storage": "ok"})


def test_limits_are_shown_as_they_were_set() -> None:
    limits = shown_limits(SETTINGS)
    assert limits["MAX_SPREAD_BPS"] == "7.50"
    assert (limits["MAX_DAILY_LOSS"], limits["MAX_POSITION_SIZE"]) == ("", "10000.0")
    assert limits["TRADING_WINDOW"] == "09:30-16:00 America/New_York"


def test_an_account_with_limits_of_its_own_shows_all_of_them() -> None:
    own = {"VA002__MAX_DAILY_LOSS": "250", "MAX_DRAWDOWN_PERCENTAGE": "10"}
    shown = facts("t.db", "engine", "1", "sim", resolve_settings(own, None, {}).settings)
    (limits,) = shown["limits_by_va"].values()
    assert list(shown["limits_by_va"]) == ["VA002"]
    assert (limits["MAX_DAILY_LOSS"], limits["MAX_DRAWDOWN_PERCENTAGE"]) == ("250", "10")


def test_whoever_waits_is_woken_by_news_only(board: LiveView, publisher: Publisher) -> None:
    number = board.wait(-1, 0)
    board.refresh()
    assert board.wait(number, 0) == number, "nothing has changed"
    seen: list[int] = []
    waiting = threading.Thread(target=lambda: seen.append(board.wait(number, 30)))
    waiting.start()
    publisher.put((Incident("I1", 5, Reason.CLIPPED),))
    board.refresh()
    waiting.join(30)
    assert seen == [number + 1]
    assert [each["incident_id"] for each in board.document()["incidents"]] == ["I1"]
