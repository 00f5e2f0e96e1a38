"""The four questions at a glance: covered, may enter, unknown, machinery; and the foot."""

import re
from typing import Any

import pytest

from pointsman.dashboard import header_and_footer
from pointsman.dashboard.theme import ALARM, STALE
from pointsman.terminal.condition import Condition, EngineState
from tests.dashboard_pictures import (
    ACCOUNTS,
    NOW_NS,
    POSITIONS,
    Document,
    busy_picture,
    picture,
    position,
)


def text(lines: list[Any]) -> str:
    return "\n".join(line.plain for line in lines)


def health(**fields: Any) -> Document:
    """A calm picture with another health."""
    calm = picture()
    return calm | {"health": calm["health"] | fields}


VERDICTS: list[tuple[Document, str]] = [
    (picture(), "no positions"),
    (picture(), "all 3 accounts may enter"),
    (picture(), "machinery ok"),
    (picture(positions=[position(1)]), "1 position, stop confirmed"),
    (picture(positions=[position(1), position(2)]), "2 positions, all stops confirmed"),
    (picture(positions=POSITIONS), "4 positions: 1 NAKED, 1 waiting for the stop, 1 exiting"),
    (picture(accounts=ACCOUNTS), "1 of 3 accounts may enter"),
    (picture(accounts=ACCOUNTS[1:]), "none of 2 accounts may enter"),
    (picture(accounts=[]), "no accounts"),
    (picture(orders={"working": 1, "unknown": 1}), "1 order working, 1 UNKNOWN"),
    (picture(is_ready=False), "not ready"),
    (health(feed_age_ms=None), "no quotes yet"),
    (health(feed_age_ms=500), "machinery ok"),
    (health(feed_age_ms=12_000), "feed 12.0 s old"),
    (health(compared_ago_ms=None), "not compared yet"),
    (health(compared_ago_ms=15_001), "compared 15.0 s ago"),
    (health(loop_lag_ms="2500.5"), "loop 2.5 s late"),
    (health(storage="failing since 14:30:00"), "storage failing since 14:30:00"),
    (health(unready={"task http": "ended"}), "http DOWN"),
    (health(unready={"clock": "the wall clock is 9 s behind"}), "the wall clock is 9 s behind"),
]


@pytest.mark.parametrize(("shown", "words"), VERDICTS)
@pytest.mark.parametrize("width", [78, 198])
def test_the_verdict_says_what_is_wrong(shown: Document, words: str, width: int) -> None:
    assert words in text(header_and_footer.verdict(shown, width))


def test_a_narrow_verdict_always_takes_two_lines_so_that_nothing_jumps() -> None:
    assert (
        len(header_and_footer.verdict(picture(), 78))
        == len(header_and_footer.verdict(busy_picture(), 78))
        == 2
    )
    assert len(header_and_footer.verdict(busy_picture(), 198)) == 1


def test_the_wide_verdict_adds_up_what_the_accounts_are_worth() -> None:
    assert "equity 299,881.28 (-118.72)" in text(header_and_footer.verdict(busy_picture(), 198))


HEADLINES: list[tuple[Document, str, str]] = [
    (picture(), "pointsman  ACTIVE  entries and exits", "sim  2018-01-02 14:31:05 UTC"),
    (picture(speed="10"), "ACTIVE", "sim  speed 10  2018-01-02 14:31:05 UTC"),
    (picture(trading_state="REDUCING"), "REDUCING  paused: exits only", "UTC"),
    (picture(trading_state="HALTED"), "HALTED  killed: exits only", "UTC"),
]


@pytest.mark.parametrize(("shown", "left", "right"), HEADLINES)
def test_the_headline_says_what_it_is_and_when(shown: Document, left: str, right: str) -> None:
    line = header_and_footer.headline(shown, 78).plain
    assert left in line
    assert line.endswith(right)
    assert len(line) == 78


def venue(label: str, is_real_money: bool) -> Document:
    return {"name": "x", "account": "", "is_real_money": is_real_money, "label": label}


@pytest.mark.parametrize("condition", [None, Condition(EngineState.HUNG, "it hangs", NOW_NS)])
@pytest.mark.parametrize(
    ("shown", "is_red"),
    [
        (venue("alpaca sandbox PA1", False), False),
        (venue("alpaca REAL MONEY 77", True), True),
    ],
)
def test_rule_49_the_headline_names_the_account_and_real_money_is_red(
    shown: Document, is_red: bool, condition: Condition | None
) -> None:
    line = header_and_footer.headline(picture(venue=shown), 110, condition)
    words = [line.plain[span.start : span.end].rstrip() for span in line.spans]
    span = line.spans[words.index(shown["label"])]
    assert (str(span.style) == ALARM) is is_red
    assert shown["label"] in text(header_and_footer.foot(picture(venue=shown), 110))


LOST = "t.paper.db was removed while the engine ran"


@pytest.mark.parametrize(
    ("shown", "cause"),
    [
        (health(entries_held=LOST, unready={"t.paper.db": f"/data/{LOST}"}), LOST),
        (health(storage="failing since 14:30:00"), "storage failing since 14:30:00"),
        (
            health(entries_held="venue down: account stream 12 s"),
            "venue down: account stream 12 s",
        ),
    ],
)
@pytest.mark.parametrize("width", [78, 198])
def test_rule_60_what_stops_all_entries_is_red_and_nothing_says_that_they_work(
    shown: Document, cause: str, width: int
) -> None:
    headline = header_and_footer.headline(shown, width)
    assert "ACTIVE  entries are refused" in headline.plain
    lines = header_and_footer.verdict(shown, width)
    assert lines[0].plain.startswith(cause)
    assert any(ALARM in str(span.style) for span in lines[0].spans) or lines[0].style == ALARM
    words = headline.plain + text(lines)
    assert not re.search("may enter|machinery ok|entries and exits", words)


DEAD = Condition(EngineState.NOT_RUNNING, "no process holds the database", NOW_NS - 10**9)


@pytest.mark.parametrize("width", [70, 78, 198])
def test_rule_60_of_an_engine_that_is_dead_only_what_was_is_said(width: int) -> None:
    """At every width: dead, since when, and not one word of the present but of the kill switch."""
    line = header_and_footer.headline(picture(), width, DEAD).plain
    assert line.startswith("pointsman  ENGINE NOT RUNNING  ")
    assert line.endswith("as of 2018-01-02 14:31:04 UTC")
    calm = picture(positions=[position(1)])
    words = text(header_and_footer.verdict(calm, width, DEAD))
    assert "no process holds the database; what follows is not current" in words
    assert "was ACTIVE" in words
    assert "1 position, its stop not seen since" in words
    assert not re.search("confirmed|may enter|machinery", words)
    assert "HALTED" in text(header_and_footer.verdict(picture(trading_state="HALTED"), width, DEAD))


def test_without_an_engine_all_is_dimmed_but_that_it_is_killed() -> None:
    killed = {"kill": picture()["kill"] | {"state": "halt", "at_ns": NOW_NS}}
    first, *others = header_and_footer.foot(picture() | killed, 78, DEAD)
    assert "KILL SWITCH ON: halt" in first.plain
    assert ALARM in [span.style for span in first.spans]
    assert {(str(line.style), len(line.spans)) for line in others} == {(STALE, 0)}
    assert {str(line.style) for line in header_and_footer.foot(picture(), 78, DEAD)} == {STALE}


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
    assert words in text(header_and_footer.foot(calm | {"kill": calm["kill"] | kill}, 78))


def test_the_foot_has_health_and_every_threshold() -> None:
    words = text(header_and_footer.foot(busy_picture(), 198))
    for each in (
        "feed 120 ms",
        "compared 1.4 s ago",
        "commit 0.8 ms",
        "lag 0.1 ms",
        "42 signals, 25 refused",
        "61 fills, 18 trades",
        "spread 10 bps",
        "slippage 5 bps",
        "latency 500 ms",
        "09:30-16:00 America/New_York",
        "3 losses: 300 s",
        "size 10,000",
        "5 open",
        "stop 2%",
        "cover 2 s",
        "compare 5 s",
        "paper",
    ):
        assert each in words


def test_at_80_columns_no_limit_is_cut() -> None:
    assert "…" not in text(header_and_footer.foot(picture(), 78))


def test_the_foot_says_who_has_paused_all_and_why() -> None:
    kill = picture()["kill"] | {"by": "eve", "note": "lunch", "at_ns": NOW_NS}
    words = text(header_and_footer.foot(picture(trading_state="REDUCING", kill=kill), 78))
    assert "ALL PAUSED, 14:31:05 by eve: lunch" in words
    assert "kill switch off" in words


def test_a_cooldown_that_is_switched_off_is_not_shown() -> None:
    calm = picture()
    limits = calm["limits"] | {"MAX_LOSS_COOLDOWN": "0", "MAX_SPREAD_BPS": None}
    words = text(header_and_footer.foot(calm | {"limits": limits}, 198))
    assert "losses" not in words
    assert "spread" not in words


def test_a_kill_does_not_push_health_aside() -> None:
    calm = picture()
    kill = calm["kill"] | {"state": "halt", "by": "eve", "note": "because " * 30}
    lines = header_and_footer.foot(calm | {"kill": kill}, 78)
    assert all(line.cell_len <= 78 for line in lines)
    assert "lag 0.1 ms" in text(lines)
