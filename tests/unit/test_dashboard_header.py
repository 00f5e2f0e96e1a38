"""The four questions at a glance: covered, may enter, unknown, healthy; and what all is worth."""

import re
from decimal import Decimal
from typing import Any

import pytest

from pointsman.dashboard import footer, header
from pointsman.dashboard.curves import Point
from pointsman.dashboard.theme import ALARM, GOOD, LOSS
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
    (picture(), "engine healthy"),
    (picture(positions=[position(1)]), "1 position, stop confirmed"),
    (picture(positions=[position(1), position(2)]), "2 positions, all stops confirmed"),
    (picture(positions=POSITIONS), "4 positions: 1 NAKED, 1 waiting for the stop, 1 exiting"),
    (picture(accounts=ACCOUNTS), "1 of 3 accounts may enter"),
    (picture(accounts=ACCOUNTS[1:]), "none of 2 accounts may enter"),
    (picture(accounts=[]), "no accounts"),
    (picture(orders={"working": 1, "unknown": 1}), "1 order working, 1 UNKNOWN"),
    (picture(is_ready=False), "not ready"),
    (health(feed_age_ms=None), "no quotes yet"),
    (health(feed_age_ms=500), "engine healthy"),
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
    assert words in text(header.verdict(shown, width))


def test_a_narrow_verdict_always_takes_two_lines_so_that_nothing_jumps() -> None:
    assert len(header.verdict(picture(), 78)) == len(header.verdict(busy_picture(), 78)) == 2
    assert len(header.verdict(busy_picture(), 198)) == 1


def test_the_wide_verdict_adds_up_what_the_accounts_are_worth() -> None:
    assert "equity 299,881.28 (-118.72)" in text(header.verdict(busy_picture(), 198))


HEADLINES: list[tuple[Document, str, str]] = [
    (picture(), "pointsman  ACTIVE  entries and exits", "sim  2018-01-02 14:31:05 UTC"),
    (picture(speed="10"), "ACTIVE", "sim  speed 10  2018-01-02 14:31:05 UTC"),
    (picture(trading_state="REDUCING"), "REDUCING  paused: exits only", "UTC"),
    (picture(trading_state="HALTED"), "HALTED  killed: exits only", "UTC"),
]


@pytest.mark.parametrize(("shown", "left", "right"), HEADLINES)
def test_the_headline_says_what_it_is_and_when(shown: Document, left: str, right: str) -> None:
    line = header.headline(shown, 78).plain
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
    line = header.headline(picture(venue=shown), 110, condition)
    words = [line.plain[span.start : span.end].rstrip() for span in line.spans]
    span = line.spans[words.index(shown["label"])]
    assert (str(span.style) == ALARM) is is_red
    assert shown["label"] in text(footer.foot(picture(venue=shown), 110))


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
    headline = header.headline(shown, width)
    assert "ACTIVE  entries are refused" in headline.plain
    lines = header.verdict(shown, width)
    assert lines[0].plain.startswith(cause)
    assert any(ALARM in str(span.style) for span in lines[0].spans) or lines[0].style == ALARM
    words = headline.plain + text(lines)
    assert not re.search("may enter|engine healthy|entries and exits", words)


DEAD = Condition(EngineState.NOT_RUNNING, "no process holds the database", NOW_NS - 10**9)


@pytest.mark.parametrize("width", [70, 78, 198])
def test_rule_60_of_an_engine_that_is_dead_only_what_was_is_said(width: int) -> None:
    """At every width: dead, since when, and not one word of the present but of the kill switch."""
    line = header.headline(picture(), width, DEAD).plain
    assert line.startswith("pointsman  ENGINE NOT RUNNING  ")
    assert line.endswith("as of 2018-01-02 14:31:04 UTC")
    calm = picture(positions=[position(1)])
    words = text(header.verdict(calm, width, DEAD))
    assert "no process holds the database; what follows is not current" in words
    assert "was ACTIVE" in words
    assert "1 position, its stop not seen since" in words
    assert not re.search("confirmed|may enter|healthy", words)
    assert "HALTED" in text(header.verdict(picture(trading_state="HALTED"), width, DEAD))


CURVE = tuple(Point(NOW_NS + at * 10**9, Decimal(300_000 + at)) for at in range(20))


def test_equity_over_time_fills_the_line_and_has_its_colour() -> None:
    last = header.verdict(picture(), 118, None, CURVE)[-1]
    words, _, curve = last.plain.rpartition("  ")
    assert words.endswith("equity 300,000.00 (0.00)")
    assert (curve[0], curve[-1], len(curve)) == ("▁", "█", 60)
    assert last.spans[-1].style == GOOD
    falling = tuple(Point(each.at_ns, -each.value) for each in CURVE)
    assert header.verdict(picture(), 118, None, falling)[-1].spans[-1].style == LOSS


def test_nothing_is_drawn_of_equity_where_trouble_needs_the_room() -> None:
    lines = header.verdict(busy_picture() | {"is_ready": False}, 78, None, CURVE)
    assert "equity" not in text(lines)
    assert all(line.cell_len <= 78 for line in lines)
