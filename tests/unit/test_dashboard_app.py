"""The dashboard as a person meets it: sizes, keys, and an engine that comes and goes."""

import re

import pytest

from pointsman.dashboard.links import Unreachable
from pointsman.dashboard.panel import Panel
from pointsman.engine.kill_request import asker
from pointsman.engine.requests import Kill, Pause, Reconcile, Request, Resume
from tests.dashboard_pictures import (
    DECISIONS,
    INCIDENTS,
    busy_picture,
    decision,
    picture,
    position,
)
from tests.dashboard_pilot import Engine, opened

BY = f"{asker()}, dashboard"
LUNCH = {"reason": "lunch", "by": BY}
SIZES = [(72, 20), (80, 24), (100, 30), (150, 36), (200, 50)]

ESSENTIAL = (
    "1 NAKED",
    "1 of 3 accounts may enter",
    "1 UNKNOWN",
    "cooldown 3:32",
    "frozen: OVERFILL",
    "NAKED 2.1 s",
    "waiting 0.3 s",
    "kill switch off",
    "feed 120 ms",
    "spread 10 bps",
    "k kill",
    "? help",
)
"""What must be seen at every size."""


@pytest.mark.parametrize(("columns", "lines"), SIZES)
async def test_what_matters_is_seen_at_every_size(columns: int, lines: int) -> None:
    async with opened(Engine(busy_picture()), columns, lines) as screen:
        await screen.sees("NAKED 2.1 s")
        seen = screen.lines
        assert len(seen) == lines
        assert max(map(len, seen)) <= columns
        assert [words for words in ESSENTIAL if words not in screen.text] == []


async def test_at_80_by_24_every_asked_for_column_is_there() -> None:
    async with opened(Engine(busy_picture())) as screen:
        await screen.sees("NAKED 2.1 s")
        heads = [" ".join(line.split()) for line in screen.lines]
        assert "Account status balance total PnL DD max DD daily loss w/l" in heads
        assert "Held symbol side qty entry now unreal. stop stop is" in heads


@pytest.mark.parametrize("columns", [80, 100, 120, 160])
async def test_numbers_and_symbols_are_never_cut(columns: int) -> None:
    held = position(
        11, symbol="DOGE/USDT", quantity="12345.06789", entry_price="0.38125", price_decimals=5
    )
    odd = decision("demo-0001", symbol="DOGE/USDT", quantity="12345.06789")
    shown = busy_picture() | {"positions": [held], "decisions": [odd, *DECISIONS]}
    async with opened(Engine(shown), columns, 36) as screen:
        await screen.sees("confirmed")
        rows = [line for line in screen.lines if "DOGE/USDT" in line]
        assert [line for line in rows if "12345.06789" not in line] == []
        assert len(rows) >= 2
        assert any("0.38125" in line for line in rows)


async def test_a_wide_terminal_shows_incidents_beside_decisions() -> None:
    async with opened(Engine(busy_picture()), 200, 50) as screen:
        await screen.sees("position 13 closed at market")
        decisions, incidents = (
            screen.app.query_one(f"#{name}", Panel).region for name in ("decisions", "incidents")
        )
        assert decisions.right <= incidents.x
        assert decisions.bottom == incidents.bottom


async def test_a_wide_terminal_tells_of_the_selected_row_with_its_story() -> None:
    engine = Engine(busy_picture())
    engine.stories["demo-0008"] = "Once upon a spread"
    async with opened(engine, 160, 40) as screen:
        await screen.sees("Decision on demo-0009")
        await screen.press("down")
        await screen.sees("Once upon a spread")
        assert "Decision on demo-0008" in screen.text
        assert "The spread is too wide." not in screen.text, "the story says it itself"
        await screen.press("1", "down")
        await screen.sees("Account VA002")
        assert "Once upon" not in screen.text
        await screen.resize(120, 40)
        await screen.until(lambda: "Account VA002" not in screen.text, "there is no room for it")


async def test_the_story_beside_the_panels_goes_on_while_it_is_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("pointsman.dashboard.app.STORY_SECONDS", 0.0)
    engine = Engine(busy_picture())
    engine.stories["demo-0009"] = "an order is at the venue"
    async with opened(engine, 160, 40) as screen:
        await screen.sees("an order is at the venue")
        engine.stories["demo-0009"] = "it is filled"
        engine.pictures.put(busy_picture())
        await screen.sees("it is filled")


async def test_meaning_is_never_by_colour_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """NO_COLOR: the same words, in the terminal's own two colours."""
    async with opened(Engine(busy_picture())) as screen:
        await screen.sees("NAKED 2.1 s")
        coloured, words = colours(screen.app.export_screenshot()), screen.text
    monkeypatch.setenv("NO_COLOR", "1")
    async with opened(Engine(busy_picture()), is_colourless=True) as screen:
        await screen.sees("NAKED 2.1 s")
        assert screen.text == words
        assert len(colours(screen.app.export_screenshot())) <= 2 < len(coloured)


def colours(svg: str) -> set[str]:
    return set(re.findall(r"-r\d+ \{ fill: (#\w+)", svg))


async def test_a_terminal_too_small_says_what_it_needs_and_recovers() -> None:
    async with opened(Engine(picture()), 60, 15) as screen:
        await screen.sees("This terminal is 60 x 15.")
        await screen.sees("72 x 20")
        await screen.resize(80, 24)
        await screen.sees("all 3 accounts may enter")


async def test_where_it_is_too_small_the_kill_switch_still_works_and_nothing_else_opens() -> None:
    engine = Engine(busy_picture())
    async with opened(engine, 60, 15) as screen:
        await screen.sees("other keys need more room")
        await screen.press("question_mark", "p", "enter")
        assert len(screen.app.screen_stack) == 1
        await screen.press("k")
        await screen.sees("type KILL or FLATTEN")
        await screen.type("KILL")
        await screen.press("tab")
        await screen.type("odd fills")
        await screen.press("enter")
        await screen.sees("kill: done")
        assert engine.asked == [Kill(reason="odd fills", by=BY)]


async def test_the_bell_rings_for_a_new_incident_and_not_for_those_of_the_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine, rung = Engine(busy_picture()), []
    async with opened(engine) as screen:
        monkeypatch.setattr(screen.app, "bell", lambda: rung.append(1))
        await screen.sees("NAKED 2.1 s")
        engine.pictures.put(busy_picture(market="the same"))
        await screen.sees("the same")
        assert rung == []
        newer = [INCIDENTS[0] | {"incident_id": "I4"}, *INCIDENTS]
        engine.pictures.put(busy_picture(market="one more") | {"incidents": newer})
        await screen.sees("one more")
        assert rung == [1]


# -- keys ----------------------------------------------------------------------------------------


async def test_kill_wants_its_word_and_takes_a_reason() -> None:
    engine = Engine(picture())
    async with opened(engine) as screen:
        await screen.sees("accounts may enter")
        await screen.press("k")
        await screen.type("flat")
        await screen.press("enter")
        await screen.sees("Type KILL (or FLATTEN) to confirm.")
        assert engine.asked == []
        await screen.type("ten")
        await screen.press("tab")
        await screen.type("fat finger")
        await screen.press("enter")
        await screen.sees("kill: done")
        assert engine.asked == [Kill(flatten=True, reason="fat finger", by=BY)]


async def test_escape_leaves_a_dialog_without_effect() -> None:
    engine = Engine(picture())
    async with opened(engine) as screen:
        await screen.sees("accounts may enter")
        await screen.press("k")
        await screen.type("KILL")
        await screen.press("escape")
        await screen.until(lambda: "FLATTEN" not in screen.text, "the dialog is closed")
        assert engine.asked == []


PAUSES: list[tuple[list[str], Request]] = [
    (["p"], Pause(va=None, **LUNCH)),
    (["tab", "p"], Pause(va="VA001", **LUNCH)),
    (["tab", "down", "p"], Pause(va="VA002", **LUNCH)),
    (["tab", "end", "p"], Resume(va="VA003", **LUNCH)),
    (["p", "down"], Pause(va="VA001", **LUNCH)),
    (["p", "up"], Resume(va="VA003", **LUNCH)),
]
"""One begins at the decisions; incidents are not shown, so a tab leads to the accounts."""


@pytest.mark.parametrize(("keys", "expected"), PAUSES)
async def test_pause_is_of_the_selected_account_and_its_status_says_whether_to_resume(
    keys: list[str], expected: Request
) -> None:
    engine = Engine(busy_picture())
    async with opened(engine) as screen:
        await screen.sees("NAKED 2.1 s")
        await screen.press(*keys, "enter")
        await screen.sees("Give a reason")
        assert engine.asked == []
        await screen.type("lunch")
        await screen.press("enter")
        await screen.until(lambda: engine.asked, "the engine is asked")
        assert engine.asked == [expected]


async def test_all_paused_is_resumed_by_the_same_key() -> None:
    engine = Engine(picture(trading_state="REDUCING"))
    async with opened(engine) as screen:
        await screen.sees("paused: exits only")
        await screen.press("p")
        await screen.sees("Resume all accounts")


async def test_reconcile_asks_at_once_and_says_what_came_of_it() -> None:
    engine = Engine(picture())
    engine.answer = Unreachable("no engine runs")
    async with opened(engine) as screen:
        await screen.sees("accounts may enter")
        await screen.press("r")
        await screen.sees("reconcile: NOT DONE: no engine runs")
        assert engine.asked == [Reconcile()]


async def test_enter_tells_the_story_of_the_selected_signal() -> None:
    engine = Engine(busy_picture())
    engine.stories["demo-0008"] = "Once upon a spread"
    async with opened(engine) as screen:
        await screen.sees("SPREAD")
        await screen.press("down", "enter")
        await screen.sees("Once upon a spread")
        await screen.press("escape")
        await screen.until(lambda: "Once" not in screen.text, "the story is closed")
        await screen.press("up", "enter")
        await screen.sees("signal demo-0009 is not stored yet")


async def test_enter_tells_of_an_account_and_the_story_of_a_position() -> None:
    engine = Engine(busy_picture())
    engine.stories["demo-0001"] = "Once upon an entry"
    async with opened(engine) as screen:
        await screen.sees("NAKED 2.1 s")
        await screen.press("tab", "enter")
        await screen.sees("How much of each limit is used")
        await screen.press("escape", "tab", "enter")
        await screen.sees("Once upon an entry")


async def test_the_cursor_stays_on_its_signal_while_others_come() -> None:
    engine = Engine(busy_picture())
    engine.stories["demo-0008"] = "Once upon a spread"
    async with opened(engine) as screen:
        await screen.sees("SPREAD")
        await screen.press("down")
        newer = [decision(f"new-{number}", va_id="VA777") for number in range(30)]
        engine.pictures.put(busy_picture() | {"decisions": newer + DECISIONS})
        await screen.until(
            lambda: any(line.startswith(">") and "SPREAD" in line for line in screen.lines),
            "the cursor is on the same signal",
        )
        await screen.press("home")
        await screen.until(
            lambda: any(line.startswith(">") and "VA777" in line for line in screen.lines),
            "the cursor is on the newest",
        )


async def test_help_opens_and_closes_and_q_quits() -> None:
    async with opened(Engine(picture())) as screen:
        await screen.sees("accounts may enter")
        await screen.press("question_mark")
        await screen.sees("kill switch: halt or flatten")
        await screen.press("question_mark")
        await screen.sees("accounts may enter")
        await screen.press("q")
        await screen.until(lambda: not screen.app.is_running, "it has ended")


async def test_a_kill_over_the_network_that_got_no_answer_shows_the_whole_command() -> None:
    """However long it is, and until something else is asked."""
    engine = Engine(picture(database="/var/lib/a folder/trading.db"))
    engine.is_remote = True
    engine.answer = Unreachable("no answer from desk:8080")
    async with opened(engine, 72, 20) as screen:
        await screen.sees("accounts may enter")
        await screen.press("k")
        await screen.type("FLATTEN")
        await screen.press("tab")
        await screen.type("fat finger")
        await screen.press("enter")
        await screen.sees("kill: NO ANSWER, may not be done: no answer from desk:8080.")
        shown = " ".join(screen.text.split())
        command = (
            "pointsman kill --flatten --reason 'fat finger' --db '/var/lib/a folder/trading.db'"
        )
        assert f"Type on its machine: {command}" in shown
