"""A panel keeps its header in sight, and its cursor on its row."""

from textual.app import App, ComposeResult
from textual.pilot import Pilot

from pointsman.dashboard.panel import Panel
from pointsman.dashboard.panels.kind import PanelKind, Told
from pointsman.dashboard.theme import STYLES
from pointsman.terminal.tables import Column
from tests.dashboard_pictures import Document

KIND = PanelKind(
    name="names",
    digit="1",
    key="name",
    words=("name",),
    empty=("nothing here",),
    columns=(
        Column("Name", lambda row: row["name"], order=lambda row: row["name"]),
        Column("n", lambda row: str(row["n"]), is_right=True, order=lambda row: row["n"]),
    ),
    describe=lambda row, _known: Told(row["name"], iter(())),
)


def rows(*names: str) -> list[Document]:
    return [{"name": name, "n": len(names) - at} for at, name in enumerate(names)]


class Stage(App[None]):
    """One panel, three rows of which are seen; what is chosen is kept."""

    CSS = "Panel { height: 4; }"

    def __init__(self) -> None:
        super().__init__()
        self.console.push_theme(STYLES["dark"])
        self.panel = Panel(KIND)
        self.chosen: list[str] = []

    def compose(self) -> ComposeResult:
        """The panel, and nothing else."""
        yield self.panel

    def on_panel_chosen(self, chosen: Panel.Chosen) -> None:
        """Keep it."""
        self.chosen.append(chosen.row["name"])

    def seen(self) -> list[str]:
        """The lines of the panel."""
        return [self.panel.render_line(y).text[:5].rstrip() for y in range(4)]


async def shown(pilot: Pilot[None], stage: Stage, *names: str) -> list[str]:
    stage.panel.show(rows(*names))
    await pilot.pause()
    return stage.seen()


async def test_an_empty_panel_says_so() -> None:
    stage = Stage()
    async with stage.run_test(size=(20, 6)) as pilot:
        assert (await shown(pilot, stage))[:2] == [" Name", " noth"]
        assert stage.panel.row is None
        await pilot.press("down", "enter", "end")
        assert stage.chosen == []


async def test_the_header_stays_and_the_cursor_is_always_seen() -> None:
    stage = Stage()
    async with stage.run_test(size=(20, 6)) as pilot:
        stage.panel.focus()
        assert await shown(pilot, stage, *"abcdef") == [" Name", ">a", " b", " c"]
        await pilot.press("end")
        assert stage.seen() == [" Name", " d", " e", ">f"]
        await pilot.press("up", "up", "up")
        assert stage.seen() == [" Name", ">c", " d", " e"]
        await pilot.press("pagedown", "enter")
        assert stage.chosen == ["e"]


async def test_a_moved_cursor_stays_on_its_row_and_the_first_row_is_followed() -> None:
    stage = Stage()
    async with stage.run_test(size=(20, 6)) as pilot:
        stage.panel.focus()
        assert ">a" in await shown(pilot, stage, *"abc")
        assert ">x" in await shown(pilot, stage, *"xabc")
        await pilot.press("down")
        assert ">a" in await shown(pilot, stage, *"uvwxabc")
        assert ">u" in await shown(pilot, stage, *"uvwx")  # its row has gone


async def test_a_click_selects_and_a_second_one_chooses() -> None:
    stage = Stage()
    async with stage.run_test(size=(20, 6)) as pilot:
        stage.panel.focus()
        await shown(pilot, stage, *"abc")
        await pilot.click(stage.panel, offset=(1, 2))
        assert stage.chosen == []
        await pilot.click(stage.panel, offset=(1, 2))
        assert stage.chosen == ["b"]


async def test_without_focus_there_is_no_cursor() -> None:
    stage = Stage()
    async with stage.run_test(size=(20, 6)) as pilot:
        stage.screen.set_focus(None)
        assert await shown(pilot, stage, *"ab") == [" Name", " a", " b", ""]
