"""A panel: one line a row, a cursor that stays on its row, a header that never scrolls away."""

from collections.abc import Sequence
from typing import Any, ClassVar

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.events import Click
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from pointsman.dashboard.cells import Row
from pointsman.dashboard.theme import FAINT, STALE
from pointsman.terminal.tables import Column, DrawnPanel, draw_panel, wanted_width

GUTTER = 1
"""Characters left of each row, where the cursor stands."""

SCROLLBAR = 1
"""Kept free right of each row also without one, so that more rows do not mean less columns."""


class Panel(ScrollView, can_focus=True):
    """Rows of one kind. Left alone, it shows the first rows; once the cursor was moved it stays on
    its row, known by the field `key`, while others come and go."""

    DEFAULT_CSS = """
    Panel { overflow-x: hidden; overflow-y: auto; scrollbar-size-vertical: 1;
            scrollbar-gutter: stable; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"panel--head", "panel--cursor"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", show=False),
        Binding("down", "move(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("home", "first", show=False),
        Binding("end", "last", show=False),
        Binding("enter", "choose", show=False),
    ]

    class Chosen(Message):
        """Enter was pressed, or a row clicked that had the cursor."""

        def __init__(self, panel: "Panel", row: Row) -> None:
            super().__init__()
            self.panel = panel
            self.row = row

    class Moved(Message):
        """The cursor is on another row, or the panel has the focus now."""

    def __init__(
        self, columns: Sequence[Column], key: str, empty: str, name: str, digit: str = ""
    ) -> None:
        super().__init__(id=name)
        self._title = f"{digit} {name.capitalize()}".strip()
        self._columns = columns
        self._key = key
        self._empty = empty
        self._rows: Sequence[Row] = ()
        self._pinned: Any = None
        self._widest: dict[str, int] = {}
        self._drawn = DrawnPanel(Text(), [])
        self._is_stale = False
        self._shown_title = ""

    @property
    def wanted_height(self) -> int:
        """Lines inside its border that would show everything."""
        return max(len(self._rows), 1) + 1

    @property
    def wanted_width(self) -> int:
        """Characters in which nothing that was shown so far is cut."""
        return wanted_width(self._columns, self._widest) + GUTTER + SCROLLBAR

    @property
    def row(self) -> Row | None:
        """The row under the cursor; None without rows."""
        return self._rows[self._cursor] if self._rows else None

    @property
    def _cursor(self) -> int:
        if self._pinned is None:
            return 0
        keys = [row[self._key] for row in self._rows]
        return keys.index(self._pinned) if self._pinned in keys else 0

    def show(self, rows: Sequence[Row], told: str = "", *, is_stale: bool = False) -> None:
        """Show these rows from now on, and beside the title what is `told` of them; dimmed where
        they are not of now."""
        title = f" {self._title}  {told or len(rows)} "
        if title != self._shown_title:
            self._shown_title = self.border_title = title
        self._rows = rows
        self._is_stale = is_stale
        self._draw()

    def _draw(self) -> None:
        width = max(1, self.scrollable_content_region.width - GUTTER)
        self._drawn = draw_panel(self._columns, self._rows, width, self._widest)
        self.virtual_size = Size(width + GUTTER, len(self._rows) + 1)
        if self._pinned is not None:
            self._reveal()
        self.refresh()

    def on_resize(self) -> None:
        """Fit the columns to the new width."""
        self._draw()

    def render_line(self, y: int) -> Strip:
        """One line of what is seen; the first is always the header."""
        width = self.scrollable_content_region.width
        if y == 0:
            style = self.get_component_rich_style("panel--head")
            return self._strip(" ", self._drawn.header, width, style)
        at = y - 1 + self.scroll_offset.y
        if not self._rows and y == 1:
            return self._strip(" ", Text(self._empty, style=FAINT), width, self.rich_style)
        if at >= len(self._drawn.lines):
            return Strip.blank(width, self.rich_style)
        if self.has_focus and at == self._cursor:
            style = self.get_component_rich_style("panel--cursor")
            return self._strip(">", self._drawn.lines[at], width, style)
        return self._strip(" ", self._drawn.lines[at], width, self.rich_style)

    def _strip(self, gutter: str, text: Text, width: int, style: Style) -> Strip:
        if self._is_stale:
            segments = [Segment(f"{gutter}{text.plain}", Style.parse(STALE))]
        else:
            segments = [Segment(gutter), *text.render(self.app.console)]
        return Strip(segments).adjust_cell_length(width).apply_style(style)

    # -- the cursor ------------------------------------------------------------------------------

    def _go(self, at: int) -> None:
        """Put the cursor on a row; on the first it is let go of, and follows what is first."""
        if not self._rows:
            return
        at = max(0, min(at, len(self._rows) - 1))
        self._pinned = self._rows[at][self._key] if at else None
        self._reveal()
        self.refresh()
        self.post_message(self.Moved())

    def on_focus(self) -> None:
        """Its row is the one that matters now."""
        self.post_message(self.Moved())

    def _reveal(self) -> None:
        at, room = self._cursor, max(1, self.scrollable_content_region.height - 1)
        top = max(min(self.scroll_offset.y, at), at - room + 1)
        self.scroll_to(y=top, animate=False, immediate=True)

    def action_move(self, rows: int) -> None:
        """Up or down."""
        self._go(self._cursor + rows)

    def action_page(self, pages: int) -> None:
        """Up or down by what is seen."""
        self._go(self._cursor + pages * max(1, self.size.height - 2))

    def action_first(self) -> None:
        """To the first row, and follow it."""
        self._go(0)

    def action_last(self) -> None:
        """To the last row."""
        self._go(len(self._rows) - 1)

    def action_choose(self) -> None:
        """Tell the listeners about the row under the cursor."""
        if self.row is not None:
            self.post_message(self.Chosen(self, self.row))

    def on_click(self, event: Click) -> None:
        """A click moves the cursor; on the row that has it, it chooses."""
        inside = event.get_content_offset(self)
        if inside is None or inside.y == 0:
            return
        at = inside.y - 1 + self.scroll_offset.y
        if at >= len(self._rows):
            return
        if self.has_focus and at == self._cursor:
            self.action_choose()
        self._go(at)
