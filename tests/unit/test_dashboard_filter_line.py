"""A filter counts at each character; enter keeps it, escape shows all again."""

from tests.dashboard_pictures import LISTS, busy_picture
from tests.dashboard_pilot import Engine, opened


async def test_a_filter_is_typed_kept_and_dropped() -> None:
    async with opened(Engine(busy_picture())) as screen:
        await screen.sees("LATENCY")
        await screen.press("slash")
        await screen.sees("filter: account, symbol")
        await screen.type("spr")
        await screen.until(lambda: "LATENCY" not in screen.text, "only what holds it is shown")
        assert "SPREAD" in screen.text
        await screen.press("enter")
        await screen.sees("/spr")
        await screen.press("down")
        assert "SPREAD" in screen.text
        await screen.press("escape")
        await screen.sees("LATENCY")


async def test_what_nothing_holds_is_said_and_escape_leaves_the_line() -> None:
    engine = Engine(busy_picture())
    async with opened(engine) as screen:
        await screen.sees("LATENCY")
        await screen.press("1", "slash")
        await screen.type("kkk")
        await screen.sees("none of 3 matches; escape shows them again")
        await screen.press("escape")
        await screen.sees("VA002")
        assert len(screen.app.screen_stack) == 1
        assert engine.asked == []


async def test_the_selected_account_alone_is_shown_everywhere() -> None:
    engine = Engine(busy_picture())
    engine.lists = LISTS
    async with opened(engine, 120, 35) as screen:
        await screen.sees(["VA003", "BTC/USDT"][1])
        await screen.press("1", "down", "down", "a", "3")
        await screen.sees("of VA003")
        assert "SPREAD" not in screen.text
        await screen.press("escape")
        await screen.sees("SPREAD")
