"""What a person does with the selected row, and how the panels are arranged for that."""

import re

import pytest

from pointsman.dashboard.lists import made_lists
from pointsman.engine.kill_request import asker
from pointsman.engine.requests import Flatten
from tests.dashboard_pictures import INCIDENTS, LISTS, busy_picture, order
from tests.dashboard_pilot import Engine, opened

LUNCH = {"reason": "lunch", "by": f"{asker()}, dashboard"}


def colours(svg: str) -> set[str]:
    return set(re.findall(r"-r\d+ \{ fill: (#\w+)", svg))


async def test_what_an_account_holds_is_closed_by_a_typed_word_and_a_reason() -> None:
    engine = Engine(busy_picture())
    engine.answer = {"ok": True, "durable": True, "closing": 3}
    async with opened(engine) as screen:
        await screen.sees("NAKED 2.1 s")
        await screen.press("2", "end", "x")
        await screen.sees("Flatten VA001")
        assert "long 50 AAPL  -9.50" in screen.text
        await screen.type("flat")
        await screen.press("enter")
        await screen.sees("Type FLATTEN to confirm.")
        await screen.type("ten")
        await screen.press("enter")
        await screen.sees("Give a reason")
        assert engine.asked == []
        await screen.type("lunch")
        await screen.press("enter")
        await screen.sees("flatten: done, 3 positions of VA001 closing")
        assert engine.asked == [Flatten(va="VA001", **LUNCH)]


async def test_where_nothing_is_held_there_is_nothing_to_close() -> None:
    engine = Engine(busy_picture())
    async with opened(engine) as screen:
        await screen.sees("NAKED 2.1 s")
        await screen.press("x")
        await screen.sees("flatten: select an account or a position first")
        await screen.press("1", "down", "x")
        await screen.sees("flatten: VA002 holds nothing")
        assert len(screen.app.screen_stack) == 1


async def test_orders_and_trades_have_panels_with_the_story_of_their_signal() -> None:
    engine = Engine(busy_picture())
    engine.lists = LISTS
    engine.stories["demo-0003"] = "Once upon a target"
    async with opened(engine, 120, 35) as screen:
        await screen.sees("4 Orders 3  5 Trades 18  6 Incidents 2  7 Market 3")
        await screen.press("4")
        await screen.sees("4 Orders  2 working, 1 ended")
        assert "UNKNOWN" in screen.text
        await screen.press("5")
        await screen.sees("TAKE_PROFIT")
        await screen.press("enter")
        await screen.sees("Once upon a target")
        await screen.press("escape", "7")
        await screen.sees("13.7 bps")


async def test_an_order_that_was_under_way_is_read_again_though_nothing_is_counted_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("pointsman.dashboard.app.STORY_SECONDS", 0.0)
    sent = order("AAAAAA15E1", status="SUBMITTED", filled="0", filled_value="0")
    engine = Engine(busy_picture())
    engine.lists = made_lists([sent], [], [], [], 0)
    async with opened(engine) as screen:
        await screen.sees("NAKED 2.1 s")
        await screen.press("4")
        await screen.sees("SUBMITTED")
        engine.lists = made_lists([], [sent | {"status": "REJECTED"}], [], [], 0)
        engine.pictures.put(busy_picture())
        await screen.sees("REJECTED")
        assert "SUBMITTED" not in screen.text


async def test_a_panel_is_sorted_by_one_column_after_the_other() -> None:
    async with opened(Engine(busy_picture()), 120, 35) as screen:
        await screen.sees("NAKED 2.1 s")

        def order() -> list[str]:
            rows = [line.strip(" >") for line in screen.lines[4:9]]
            return [row[:5] for row in rows if row.startswith("VA00")]

        assert order() == ["VA001", "VA002", "VA003"]
        await screen.press("1", "s", "S")
        await screen.sees("by Account ▼")
        assert order() == ["VA003", "VA002", "VA001"]
        await screen.press(*"sss")
        await screen.sees("by total PnL ▼")
        assert order() == ["VA001", "VA003", "VA002"]


async def test_a_header_that_is_clicked_sorts_by_its_column() -> None:
    async with opened(Engine(busy_picture()), 120, 35) as screen:
        await screen.sees("NAKED 2.1 s")
        await screen.click("#accounts", 3, 1)
        await screen.sees("by Account ▲")
        await screen.click("#accounts", 3, 1)
        await screen.sees("by Account ▼")


async def test_the_colours_change_with_the_theme_and_the_words_do_not() -> None:
    async with opened(Engine(busy_picture())) as screen:
        await screen.sees("NAKED 2.1 s")
        words, dark = screen.lines[3:], colours(screen.app.export_screenshot())
        await screen.press("t")
        await screen.sees("theme: light")
        light = colours(screen.app.export_screenshot())
        assert len(dark & light) <= 1, "that of what is blank"
        await screen.press("t")
        await screen.sees("theme: terminal")
        await screen.press("t")
        await screen.sees("theme: dark")
        assert screen.lines[-4:] == words[-4:]
        assert colours(screen.app.export_screenshot()) >= dark


async def test_an_id_is_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    copied: list[str] = []
    async with opened(Engine(busy_picture())) as screen:
        monkeypatch.setattr(screen.app, "copy_to_clipboard", copied.append)
        await screen.sees("NAKED 2.1 s")
        await screen.press("y", "1", "y")
        await screen.sees("copied VA001")
        assert copied == ["demo-0009", "VA001"]


async def test_incidents_that_nobody_has_looked_at_stand_out_until_somebody_does() -> None:
    engine = Engine(busy_picture())
    async with opened(engine, 120, 35) as screen:
        await screen.sees("6 Incidents 2")
        calm = tone_of(screen.app.export_screenshot(), "6 Incidents")
        newer = [INCIDENTS[0] | {"incident_id": "I4"}, *INCIDENTS]
        engine.pictures.put(busy_picture() | {"incidents": newer})
        await screen.sees("6 Incidents 3")
        assert tone_of(screen.app.export_screenshot(), "6 Incidents") != calm
        await screen.press("6", "3")
        await screen.sees("3 Decisions  newest")
        assert tone_of(screen.app.export_screenshot(), "6 Incidents") == calm


async def test_incidents_that_came_while_they_had_all_of_the_room_have_been_looked_at() -> None:
    engine = Engine(busy_picture())
    async with opened(engine, 120, 35) as screen:
        await screen.sees("6 Incidents 2")
        calm = tone_of(screen.app.export_screenshot(), "6 Incidents")
        await screen.press("6", "z")
        newer = [INCIDENTS[0] | {"incident_id": "I4"}, *INCIDENTS]
        engine.pictures.put(busy_picture() | {"incidents": newer})
        await screen.sees("6 Incidents  3")
        await screen.press("3", "z")
        await screen.sees("6 Incidents 3")
        assert tone_of(screen.app.export_screenshot(), "6 Incidents") == calm


def tone_of(svg: str, words: str) -> str:
    """The colour of the run of text in which these words stand."""
    fills = dict(re.findall(r"-(r\d+) \{ fill: (#\w+)", svg))
    plain = svg.replace("&#160;", " ")
    found = re.search(rf'<text class="[^"]*-(r\d+)"[^>]*>[^<]*{words}', plain)
    assert found is not None
    tone: str = fills[found[1]]
    return tone
