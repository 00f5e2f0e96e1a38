"""The foot: kill switch, health, venue, and every limit in force."""

from typing import Any

import pytest

from pointsman.dashboard import footer
from pointsman.dashboard.theme import ALARM, STALE
from pointsman.terminal.condition import Condition, EngineState
from tests.dashboard_pictures import NOW_NS, Document, busy_picture, picture

DEAD = Condition(EngineState.NOT_RUNNING, "no process holds the database", NOW_NS - 10**9)


def text(lines: list[Any]) -> str:
    return "\n".join(line.plain for line in lines)


def health(**fields: Any) -> Document:
    """A calm picture with another health."""
    calm = picture()
    return calm | {"health": calm["health"] | fields}


def test_without_an_engine_all_is_dimmed_but_that_it_is_killed() -> None:
    killed = {"kill": picture()["kill"] | {"state": "halt", "at_ns": NOW_NS}}
    first, *others = footer.foot(picture() | killed, 78, DEAD)
    assert "KILL SWITCH ON: halt" in first.plain
    assert ALARM in [span.style for span in first.spans]
    assert {(str(line.style), len(line.spans)) for line in others} == {(STALE, 0)}
    assert {str(line.style) for line in footer.foot(picture(), 78, DEAD)} == {STALE}


KILLS: list[tuple[Document, str]] = [
    ({"state": "off"}, "kill switch off"),
    (
        {"state": "halt", "by": "eve", "note": "odd fills", "at_ns": NOW_NS},
        "KILL SWITCH ON: halt, 14:31:05 by eve: odd fills",
    ),
    ({"state": "flatten", "flat_at_ns": None}, "KILL SWITCH ON: flatten, not flat yet"),
    ({"state": "flatten", "flat_at_ns": NOW_NS}, "KILL SWITCH ON: flatten, FLAT"),
]


@pytest.mark.parametrize(("kill", "words"), KILLS)
def test_the_foot_says_how_the_kill_switch_stands(kill: Document, words: str) -> None:
    calm = picture()
    assert words in text(footer.foot(calm | {"kill": calm["kill"] | kill}, 78))


LIMITS = {
    78: ("3 losses: 300 s", "5 open", "cover 2 s", "compare 5 s"),
    198: (
        "cooldown 300 s after 3 losses",
        "5 positions each",
        "stop deadline 2 s",
        "reconcile 5 s",
    ),
}


@pytest.mark.parametrize("width", LIMITS)
def test_the_foot_has_health_and_every_threshold(width: int) -> None:
    words = text(footer.foot(busy_picture(), width))
    for each in (
        "feed 120 ms",
        "compared 1.4 s ago",
        "commit 0.8 ms",
        "lag 0.1 ms",
        "spread 10 bps",
        "slippage 5 bps",
        "latency 500 ms",
        "09:30-16:00 America/New_York",
        "size 10,000",
        "stop 2%",
        "paper",
        *LIMITS[width],
    ):
        assert each in words
    assert ("42 signals, 25 refused   61 fills, 18 trades" in words) is (width == 198)


def test_at_80_columns_no_limit_is_cut() -> None:
    assert "…" not in text(footer.foot(picture(), 78))


def test_the_foot_says_who_has_paused_all_and_why() -> None:
    kill = picture()["kill"] | {"by": "eve", "note": "lunch", "at_ns": NOW_NS}
    words = text(footer.foot(picture(trading_state="REDUCING", kill=kill), 78))
    assert "ALL PAUSED, 14:31:05 by eve: lunch" in words
    assert "kill switch off" in words


def test_a_cooldown_that_is_switched_off_is_not_shown() -> None:
    calm = picture()
    limits = calm["limits"] | {"MAX_LOSS_COOLDOWN": "0", "MAX_SPREAD_BPS": None}
    words = text(footer.foot(calm | {"limits": limits}, 198))
    assert "losses" not in words
    assert "spread" not in words


REAL = {"name": "alpaca", "account": "PA1", "is_real_money": False, "label": "alpaca PA1"}
UP, DOWN = (
    {"link": "account_stream", "is_up": is_up, "down_ms": 0, "detail": ""}
    for is_up in (True, False)
)


@pytest.mark.parametrize(("link", "words"), [(UP, "venue up"), (DOWN, "account_stream DOWN")])
def test_the_foot_says_how_the_connection_to_a_real_venue_is(link: Document, words: str) -> None:
    budget = {"requests_per_minute": 200, "left": 150}
    shown = health(venue_links=[link], venue_budget=budget)
    told = text(footer.foot(shown | {"venue": REAL}, 198))
    assert words in told
    assert "requests left 150 of 200" in told
    assert "requests" not in text(footer.foot(shown, 198)), "paper has no connection"


def test_a_kill_does_not_push_health_aside() -> None:
    calm = picture()
    kill = calm["kill"] | {"state": "halt", "by": "eve", "note": "because " * 30}
    lines = footer.foot(calm | {"kill": kill}, 78)
    assert all(line.cell_len <= 78 for line in lines)
    assert "lag 0.1 ms" in text(lines)
