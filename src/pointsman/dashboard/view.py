"""What is always there: headline, answers, notices, the four panels, the foot, and their room."""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.geometry import Size
from textual.widgets import Static

from pointsman.dashboard import cells, detail, header_and_footer
from pointsman.dashboard.cells import Picture, worst_first
from pointsman.dashboard.layout import share
from pointsman.dashboard.panel import Panel
from pointsman.dashboard.theme import ALARM, FAINT, STALE, STRONG
from pointsman.terminal.condition import Condition
from pointsman.terminal.tables import WIDE_FROM

COLUMNS_MIN, LINES_MIN = 72, 20
"""The smallest terminal in which everything that matters can be seen."""

RULED_LINES = 24
"""From here on a line with its title stands over each panel."""

COLUMNS_WIDE, LINES_TALL = 140, 36
"""From here on the story of the selected row stands beside the panels, and panels in boxes."""

LEFT_COLUMNS = 118
"""What the panels get before what is beside them gets more than its least."""

RIGHT_LEAST, RIGHT_MOST = 48, 76
"""Characters of what stands beside the panels."""

KEYS = (
    ("k", "kill"),
    ("p", "pause"),
    ("r", "reconcile"),
    ("enter", "story"),
    ("1-3 6", "panel"),
    ("z", "zoom"),
    ("?", "help"),
    ("q", "quit"),
)


class DashboardView(Container):
    """One picture, drawn into whatever room there is. Times that were measured stand on the clock
    of `zone`."""

    def __init__(self, zone: str) -> None:
        super().__init__()
        self._picture: Picture | None = None
        self._condition: Condition | None = None
        self._notices = Text()
        self._headline = Static(Text("pointsman", style=STRONG), id="headline")
        self._verdict = Static(Text("waiting for the first picture"), id="verdict")
        self._notice = Static(id="notice")
        self._foot = Static(id="foot")
        self._zone = zone
        self._left, self._right = Vertical(id="left"), Vertical(id="right")
        self._detail = Static(id="detail")
        self._story: tuple[str, RenderableType] | None = None
        self._panel: Panel | None = None
        """The panel that had the focus last."""
        self._small = Static(id="small")
        self._is_refused_only = False
        self._zoomed: Panel | None = None
        self._lower: Panel | None = None
        """What stands in the place of the decisions, where incidents have none of their own."""
        self._accounts = Panel(cells.ACCOUNTS, "va_id", "none", "accounts", "1")
        self._positions = Panel(cells.POSITIONS, "position_id", "none", "positions", "2")
        columns = cells.decision_columns(zone)
        self._decisions = Panel(columns, "signal_id", "none yet", "decisions", "3")
        self._incidents = Panel(cells.INCIDENTS, "incident_id", "none", "incidents", "6")

    def compose(self) -> ComposeResult:
        """All of it, once; what changes is only what the parts show."""
        with Vertical(id="main"):
            yield self._headline
            yield self._verdict
            yield self._notice
            with Container(id="panels"):
                with self._left:
                    yield self._accounts
                    yield self._positions
                    yield self._decisions
                with self._right:
                    yield self._detail
                    yield self._incidents
            yield self._foot
            yield Static(_keys(), id="keys")
        yield self._small

    def on_mount(self) -> None:
        """Begin at the decisions."""
        self._decisions.focus()

    def show(self, picture: Picture | None, condition: Condition | None) -> None:
        """Show this picture from now on. With a `condition` it is not of now."""
        self._picture, self._condition = picture, condition
        self._draw()

    def refused_only(self) -> None:
        """Show refusals alone among the decisions, or all of them again."""
        self._is_refused_only = not self._is_refused_only
        self._draw()

    def _draw(self) -> None:
        picture, condition = self._picture, self._condition
        self._say_what_is_needed(self.app.size)
        width, is_stale = self._text_width, condition is not None
        if picture is None:
            if condition is not None:
                self._headline.update(Text(f"pointsman  {condition.state.headline}", style=ALARM))
            return
        self._headline.update(header_and_footer.headline(picture, width, condition))
        self._verdict.update(Text("\n").join(header_and_footer.verdict(picture, width, condition)))
        self._foot.update(Text("\n").join(header_and_footer.foot(picture, width, condition)))
        self._accounts.show(cells.with_limits(picture), is_stale=is_stale)
        positions = [{**row, "is_past": is_stale} for row in picture["positions"]]
        self._positions.show(worst_first(positions), is_stale=is_stale)
        decisions, told = picture["decisions"], header_and_footer.decisions_counted(picture)
        if self._is_refused_only:
            decisions = [row for row in decisions if row["outcome"] == "refused"]
            told = (
                f"refused only: {len(decisions)} of the newest {len(picture['decisions'])} (f: all)"
            )
        self._decisions.show(decisions, told, is_stale=is_stale)
        self._incidents.show(picture["incidents"], is_stale=is_stale)
        self._share_width()
        self._share_height()
        self.describe()

    def say(self, lines: Sequence[Text]) -> None:
        """Show these notices, whole, or none."""
        width = self._text_width
        text = Text("\n").join(
            part for line in lines for part in line.wrap(self.app.console, width)
        )
        if text == self._notices:
            return
        self._notices = text
        self._notice.update(text)
        self._say_what_is_needed(self.app.size)
        self._notice.display = bool(lines)
        if self._picture is not None:
            self._share_height()

    @property
    def is_too_small(self) -> bool:
        """Whether there is no room for panels, nor for dialogs other than that of the kill."""
        return self.has_class("too-small")

    def selected_account(self) -> str | None:
        """The account under the cursor of accounts or positions, where one of them has it."""
        for panel in (self._accounts, self._positions):
            if panel.has_focus and panel.row is not None:
                va_id: str = panel.row["va_id"]
                return va_id
        return None

    @property
    def _text_width(self) -> int:
        return self.app.size.width - 2

    # -- which panel -----------------------------------------------------------------------------

    def go_to(self, name: str) -> None:
        """Put the focus on a panel, and show it where it is not shown."""
        panel = self.query_one(f"#{name}", Panel)
        if self._zoomed is not None:
            self._zoomed = panel
        if panel in (self._decisions, self._incidents):
            self._lower = panel
        self._share_height()
        panel.focus()

    def zoom(self) -> None:
        """Give all of the room to the panel that has the focus, or to all panels again."""
        if self._zoomed is None:
            panels = self.query(Panel)
            self._zoomed = next((panel for panel in panels if panel.has_focus), None)
        else:
            self._zoomed = None
        self._share_height()

    # -- the selected row ------------------------------------------------------------------------

    @property
    def selected_signal(self) -> str | None:
        """The signal of the selected row, where its story stands beside the panels."""
        row = None if self._panel is None else self._panel.row
        return None if row is None or not self._is_beside else row.get("signal_id")

    def tell(self, signal_id: str, story: RenderableType) -> None:
        """Show the story of a signal beside the panels."""
        self._story = signal_id, story
        self.describe()

    def on_panel_moved(self) -> None:
        """Another row is selected."""
        self.describe()

    def describe(self) -> None:
        """Tell of the selected row."""
        panels = self.query(Panel)
        self._panel = next((panel for panel in panels if panel.has_focus), self._panel)
        if not self._is_beside or self._picture is None or self._panel is None:
            return
        row = self._panel.row
        if row is None:
            self._detail.border_title = "Nothing is selected"
            self._detail.update("")
            return
        kind = str(self._panel.id)
        title, text = detail.describe(kind, row, self._picture, self._zone)
        if self._condition is not None:
            text = Text(text.plain, style=STALE)
        self._detail.border_title = f" {title} "
        is_read = self._story is not None and self._story[0] == row.get("signal_id")
        story = [Text(), self._story[1]] if self._story is not None and is_read else []
        self._detail.update(Group(text, *story))

    # -- room ------------------------------------------------------------------------------------

    def lay_out(self, size: Size) -> None:
        """Lay out for this size of the terminal, or say what size is needed."""
        width, height = size
        self.set_class(width < COLUMNS_MIN or height < LINES_MIN, "too-small")
        self.set_class(width >= COLUMNS_WIDE, "beside")
        self.set_class(height >= LINES_TALL, "tall")
        # The application still has the size before this one.
        self.set_class(frame_of(size) == 1, "ruled")
        self.set_class(frame_of(size) == 2, "boxed")
        self._say_what_is_needed(size)
        if self._picture is not None:
            self.show(self._picture, self._condition)

    def _say_what_is_needed(self, size: Size) -> None:
        needed = Text()
        if self._condition is not None:
            needed.append(f"{self._condition.state.headline}\n\n", style=ALARM)
        needed.append(
            f"This terminal is {size.width} x {size.height}.\n"
            f"The dashboard needs {COLUMNS_MIN} x {LINES_MIN}, better 80 x 24.\n\n"
            "k kill switch, r reconcile, q quit;\nother keys need more room\n\n"
        )
        self._small.update(needed.append_text(self._notices))

    @property
    def _is_beside(self) -> bool:
        """Whether there is room beside the panels."""
        return self.app.size.width >= COLUMNS_WIDE

    def _share_width(self) -> None:
        beside = min(RIGHT_MOST, max(RIGHT_LEAST, self.app.size.width - LEFT_COLUMNS))
        is_alone = not self._is_beside or self._zoomed is self._incidents
        self._right.styles.width = "1fr" if is_alone else beside

    def _share_height(self) -> None:
        """Share the height among the panels; incidents have a place of their own only where there
        is room for them."""
        is_tall = self.app.size.height >= LINES_TALL
        has_place = is_tall or self._is_beside
        is_lower = self._lower is self._incidents and not has_place
        stacked = [self._accounts, self._positions, self._decisions]
        if is_lower:
            stacked[2] = self._incidents
        elif has_place and not self._is_beside:
            stacked.append(self._incidents)
        if self._zoomed is not None:
            stacked = [self._zoomed]
        is_below_detail = self._is_beside and self._zoomed is None
        for panel in (self._accounts, self._positions, self._decisions, self._incidents):
            panel.display = panel in stacked or (panel is self._incidents and is_below_detail)
        fixed = sum(map(_lines, (self._verdict, self._notice, self._foot))) + 2
        # A tall terminal has an empty line around the verdict.
        room = self.app.size.height - fixed - (2 if is_tall else 0)
        for panel, lines in zip(stacked, self._shared(stacked, room), strict=True):
            panel.styles.height = lines
        lines = 0
        if is_below_detail:
            lines = min(self._incidents.wanted_height + frame_of(self.app.size), max(5, room // 4))
            self._incidents.styles.height = lines
        self._detail.styles.height = room - lines
        is_alone = self._zoomed is self._incidents
        self._left.display = not is_alone
        self._detail.display = self._is_beside and not is_alone

    def _shared(self, stacked: Sequence[Panel], room: int) -> list[int]:
        if len(stacked) == 1:
            return [room]
        frame = frame_of(self.app.size)
        wanted = [min(panel.wanted_height + frame, max(4, room // 3)) for panel in stacked]
        wanted[2] = stacked[2].wanted_height + frame
        floors = [lines + frame for lines in (3, 3, 4, 3)]
        return share(room, wanted, floors[: len(stacked)], spare_to=2)


def frame_of(size: Size) -> int:
    """Lines of border that a panel has: a box, a line above it, or none."""
    if size.height >= LINES_TALL and size.width >= WIDE_FROM:
        return 2
    return 1 if size.height >= RULED_LINES else 0


def _lines(part: Static) -> int:
    return str(part.content).count("\n") + 1 if part.display else 0


def _keys() -> Text:
    line = Text()
    for key, what in KEYS:
        line.append(f"{key} ", style=STRONG).append(f"{what}  ", style=FAINT)
    return line
