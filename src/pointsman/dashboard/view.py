"""What is always there: headline, answers, notices, the four panels, the foot, and their room."""

from collections.abc import Sequence

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.geometry import Size
from textual.widgets import Static

from pointsman.dashboard import cells, header_and_footer
from pointsman.dashboard.cells import Picture, worst_first
from pointsman.dashboard.layout import share
from pointsman.dashboard.panel import GUTTER, SCROLLBAR, Panel
from pointsman.dashboard.theme import ALARM, FAINT, STRONG
from pointsman.terminal.condition import Condition
from pointsman.terminal.tables import WIDE_FROM, least_width

COLUMNS_MIN, LINES_MIN = 72, 20
"""The smallest terminal in which everything that matters can be seen."""

RULED_LINES = 24
"""From here on a line with its title stands over each panel."""

COLUMNS_WIDE, LINES_TALL = 150, 36
"""From here on incidents stand beside decisions, and panels in boxes."""

INCIDENTS_MARGIN = 1
"""Characters between decisions and incidents beside them."""

BORDERS = 2
"""Characters left and right of a panel in a box."""

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


class View(Container):
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
        self._small = Static(id="small")
        self._zoomed: Panel | None = None
        self._lower: Panel | None = None
        """What stands in the place of the decisions, where incidents have none of their own."""
        self._accounts = Panel(cells.ACCOUNTS, "va_id", "none", "accounts", "1")
        self._positions = Panel(cells.POSITIONS, "position_id", "none", "positions", "2")
        self._columns = cells.decision_columns(zone)
        self._decisions = Panel(self._columns, "signal_id", "none yet", "decisions", "3")
        self._incidents = Panel(cells.INCIDENTS, "incident_id", "none", "incidents", "6")

    def compose(self) -> ComposeResult:
        """All of it, once; what changes is only what the parts show."""
        with Vertical(id="main"):
            yield self._headline
            yield self._verdict
            yield self._notice
            with Container(id="panels"):
                yield self._accounts
                yield self._positions
                with Container(id="lower"):
                    yield self._decisions
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
        told = header_and_footer.decisions_counted(picture)
        self._decisions.show(picture["decisions"], told, is_stale=is_stale)
        self._incidents.show(picture["incidents"], is_stale=is_stale)
        self._share_width()
        self._share_height()

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

    # -- room ------------------------------------------------------------------------------------

    def lay_out(self, size: Size) -> None:
        """Lay out for this size of the terminal, or say what size is needed."""
        width, height = size
        self.set_class(width < COLUMNS_MIN or height < LINES_MIN, "too-small")
        self.set_class(width >= COLUMNS_WIDE, "wide")
        self.set_class(height >= LINES_TALL, "tall")
        self.set_class(self._frame == 1, "ruled")
        self.set_class(self._frame == 2, "boxed")
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

    def _share_width(self) -> None:
        """Where incidents stand beside decisions they get what they want, as long as decisions keep
        all of their columns but the last, which says again in words what stands before it."""
        width = self.app.size.width
        if width < COLUMNS_WIDE or self._zoomed is not None:
            self._incidents.styles.width = "1fr"
            return
        decisions = least_width(self._columns[:-1]) + GUTTER + SCROLLBAR + BORDERS
        room = width - decisions - INCIDENTS_MARGIN
        self._incidents.styles.width = min(self._incidents.wanted_width + BORDERS, room)

    @property
    def _frame(self) -> int:
        """Lines of border that a panel has: a box, a line above it, or none."""
        width, height = self.app.size
        if height >= LINES_TALL and width >= WIDE_FROM:
            return 2
        return 1 if height >= RULED_LINES else 0

    def _share_height(self) -> None:
        """Share the height among the panels; incidents have a place of their own only where there
        is room for them."""
        width, height = self.app.size
        is_wide, is_tall = width >= COLUMNS_WIDE, height >= LINES_TALL
        is_lower = self._lower is self._incidents and not (is_wide or is_tall)
        lower = self._incidents if is_lower else self._decisions
        stacked = [self._accounts, self._positions, lower]
        if is_tall and not is_wide:
            stacked.append(self._incidents)
        if self._zoomed is not None:
            stacked = [self._zoomed]
        beside = [self._incidents] if is_wide and self._zoomed is None else []
        for panel in (self._accounts, self._positions, self._decisions, self._incidents):
            panel.display = panel in stacked or panel in beside
        fixed = sum(map(_lines, (self._verdict, self._notice, self._foot))) + 2
        # A tall terminal has an empty line around the verdict.
        room = height - fixed - (2 if is_tall else 0)
        heights = self._shared(stacked, room)
        for panel, lines in zip(stacked, heights, strict=True):
            panel.styles.height = lines
        if beside:
            self._incidents.styles.height = heights[2]

    def _shared(self, stacked: Sequence[Panel], room: int) -> list[int]:
        if len(stacked) == 1:
            return [room]
        frame = self._frame
        wanted = [min(panel.wanted_height + frame, max(4, room // 3)) for panel in stacked]
        wanted[2] = stacked[2].wanted_height + frame
        floors = [lines + frame for lines in (3, 3, 4, 3)]
        return share(room, wanted, floors[: len(stacked)], spare_to=2)


def _lines(part: Static) -> int:
    return str(part.content).count("\n") + 1 if part.display else 0


def _keys() -> Text:
    line = Text()
    for key, what in KEYS:
        line.append(f"{key} ", style=STRONG).append(f"{what}  ", style=FAINT)
    return line
