"""Beside the panels: the curve of equity, why signals were refused, and the story of a row."""

from tests.dashboard_pictures import LISTS, NOW_NS, SECOND_NS, account, busy_picture, picture
from tests.dashboard_pilot import Engine, opened


async def test_a_large_terminal_shows_equity_over_time_and_the_reasons_of_today() -> None:
    engine = Engine(busy_picture())
    engine.lists = LISTS
    async with opened(engine, 200, 50) as screen:
        await screen.sees("Equity  299,881.28  -118.72")
        await screen.sees("Refused today  3")
        assert "SPREAD              ██████ 2" in screen.text
        assert "COOLDOWN            ███ 1" in screen.text
        assert "its curve appears as time passes" in screen.text


async def test_the_curve_of_equity_grows() -> None:
    engine = Engine(picture())
    async with opened(engine, 200, 50) as screen:
        await screen.sees("Equity  300,000.00")
        screen.app._curves._sampled_at = float("-inf")
        rich = [account("VA001", equity="100500"), account("VA002"), account("VA003")]
        engine.pictures.put(picture(now_ns=NOW_NS + 60 * SECOND_NS, accounts=rich))
        await screen.sees("300,500.00")
        assert "300,000.00" in screen.text
        assert "14:31:05" in screen.text


async def test_what_is_told_of_a_row_can_be_scrolled() -> None:
    engine = Engine(busy_picture())
    engine.stories["demo-0009"] = "\n".join(f"line {number}" for number in range(60))
    async with opened(engine, 160, 40) as screen:
        await screen.sees("line 1")
        assert "line 40" not in screen.text
        await screen.press(*["right_square_bracket"] * 12)
        await screen.sees("line 40")
        await screen.press("down", "up")
        await screen.sees("line 1")
