"""The view shares what room there is."""

from typing import Any

import pytest
from textual.geometry import Size

from pointsman.dashboard.lines import Lines
from pointsman.dashboard.panel import Panel
from tests.dashboard_pictures import ACCOUNTS, DECISIONS, account, busy_picture, picture, position
from tests.dashboard_pilot import Engine, Screen, opened

MANY: dict[str, Any] = {
    "accounts": [*ACCOUNTS, *(account(f"VA{number:03}") for number in range(4, 40))],
    "positions": [position(number) for number in range(1, 40)],
    "decisions": DECISIONS * 5,
}


def heights(screen: Screen) -> dict[str, int]:
    return {str(each.id): each.size.height for each in screen.app.query(Panel) if each.display}


@pytest.mark.parametrize("size", [(72, 20), (80, 24), (120, 40), (200, 50)])
async def test_however_much_there_is_every_panel_and_the_foot_are_seen(
    size: tuple[int, int],
) -> None:
    async with opened(Engine(busy_picture() | MANY), *size) as screen:
        await screen.sees("confirmed")
        shown = heights(screen)
        assert all(height >= 3 for height in shown.values())
        assert screen.app.query_one("#keys", Lines).region.bottom == size[1]
        assert "k kill" in screen.lines[-1]
        assert "spread 10 bps" in screen.text


@pytest.mark.parametrize(
    ("size", "has_incidents"), [((80, 24), False), ((100, 40), True), ((160, 40), True)]
)
async def test_incidents_are_shown_where_there_is_room(
    size: tuple[int, int], has_incidents: bool
) -> None:
    async with opened(Engine(busy_picture()), *size) as screen:
        await screen.sees("NAKED 2.1 s")
        assert ("incidents" in heights(screen)) is has_incidents
        assert ("NAKED_POSITION" in screen.text) is has_incidents


async def test_a_notice_takes_its_room_from_the_panels_not_from_the_foot() -> None:
    engine = Engine(busy_picture() | MANY)
    async with opened(engine) as screen:
        await screen.sees("confirmed")
        before = sum(heights(screen).values())
        await screen.press("r")
        await screen.sees("reconcile: done")

        def has_its_room() -> bool:
            # An engine that goes silent, which a slow machine makes of this one, has a notice too.
            engine.pictures.put(busy_picture() | MANY)
            return sum(heights(screen).values()) == before - 1

        await screen.until(has_its_room, "it has one line")
        assert "k kill" in screen.lines[-1]


async def test_another_size_is_laid_out_at_once() -> None:
    async with opened(Engine(busy_picture()), 200, 50) as screen:
        await screen.sees("position 13 closed")
        await screen.resize(80, 24)
        await screen.until(lambda: "position 13 closed" not in screen.text, "it is narrow")
        assert screen.app.size == Size(80, 24)
        await screen.sees("\u2500 1 Accounts  3 \u2500")
        assert "NAKED 2.1 s" in screen.text
        await screen.resize(200, 50)
        await screen.sees("\u256d\u2500 1 Accounts  3 \u2500")


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50)])
async def test_each_panel_has_a_title_with_its_number_and_how_much_there_is(
    size: tuple[int, int],
) -> None:
    async with opened(Engine(busy_picture()), *size) as screen:
        await screen.sees("NAKED 2.1 s")
        newest = "" if size == (80, 24) else "newest 20 of "
        titles = ("1 Accounts  3", "2 Positions  4", f"3 Decisions  {newest}42, 25 refused")
        assert [title for title in titles if title not in screen.text] == []
        assert "6 Incidents" in screen.text


async def test_the_panel_with_the_focus_is_seen_without_colours() -> None:
    async with opened(Engine(busy_picture())) as screen:
        await screen.sees("NAKED 2.1 s")
        await screen.press("2")
        await screen.until(
            lambda: any("\u2501 2 Positions" in line for line in screen.lines), "a heavy line"
        )
        assert any("\u2500 3 Decisions" in line for line in screen.lines)


async def test_a_digit_leads_to_its_panel_and_brings_it_where_it_has_no_place() -> None:
    async with opened(Engine(busy_picture())) as screen:
        await screen.sees("NAKED 2.1 s")
        await screen.press("6")
        await screen.sees("position 13 closed at market")
        assert "SPREAD" not in screen.text
        await screen.press("3")
        await screen.sees("SPREAD")
        assert "position 13 closed" not in screen.text
        for digit, name in (("1", "accounts"), ("2", "positions"), ("3", "decisions")):
            await screen.press(digit)
            assert screen.app.focused is screen.app.query_one(f"#{name}", Panel)


async def test_refusals_alone_are_shown_until_all_decisions_are_wanted_again() -> None:
    async with opened(Engine(busy_picture())) as screen:
        await screen.sees("accepted")
        await screen.press("f")
        await screen.sees("3 Decisions  refused only: 6 of the newest 20")
        assert "accepted" not in screen.text
        await screen.press("f")
        await screen.sees("25 refused")
        assert "accepted" in screen.text


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_zoom_gives_one_panel_all_of_the_room_and_takes_it_back(
    size: tuple[int, int],
) -> None:
    async with opened(Engine(busy_picture() | MANY), *size) as screen:
        await screen.sees("confirmed")
        before = heights(screen)
        await screen.press("1", "z")
        await screen.until(lambda: list(heights(screen)) == ["accounts"], "it is alone")
        await screen.sees("VA014" if size[1] == 24 else "VA039")
        await screen.press("2")
        await screen.until(lambda: list(heights(screen)) == ["positions"], "the zoom goes along")
        await screen.press("z")
        await screen.until(lambda: heights(screen) == before, "all are back")


@pytest.mark.parametrize("size", [(140, 24), (150, 36), (200, 50)])
async def test_beside_the_panels_there_is_always_something_to_read(size: tuple[int, int]) -> None:
    async with opened(Engine(picture()), *size) as screen:
        await screen.sees("Decisions: nothing is selected")
        await screen.press("1")
        await screen.sees("Account VA001")
        assert "may enter" in screen.text
        assert max(map(len, screen.lines)) <= size[0]
        assert "k kill" in screen.lines[-1]
