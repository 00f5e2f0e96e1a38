"""A panel: one line a row, a cursor that stays on its row, a header that never scrolls away.

Only the rows that are seen are drawn, and of those only the ones that changed: a frame costs what
is new in it, not what there is.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.events import Click
from textual.geometry import Region, Size
from textual.message import Message
from textual.strip import Strip

from pointsman.dashboard.arrangement import Arrangement
from pointsman.dashboard.cells import Row
from pointsman.dashboard.lines import Line, LineView, drawn, fitted
from pointsman.dashboard.panels.kind import PanelKind
from pointsman.dashboard.theme import FAINT, STALE
from pointsman.terminal.panel_grid import Cells, PanelGrid

GUTTER = 1
"""Characters left of each row, where the cursor stands."""

_Drawn = tuple[str, Line]
"""What stands in the gutter, and the line."""


class Panel(LineView, can_focus=True):
    """Rows of one kind. Left alone, it shows the first rows; once the cursor was moved it stays on
    its row, known by its key, while others come and go."""

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
        Binding("s", "sort", show=False),
        Binding("S", "turn_round", show=False),
    ]

    class Chosen(Message):
        """Enter was pressed, or a row clicked that had the cursor."""

        def __init__(self, panel: "Panel", row: Row) -> None:
            super().__init__()
            self.panel = panel
            self.row = row

    class Moved(Message):
        """The cursor is on another row, or the panel has the focus now."""

    class Arranged(Message):
        """The rows are in another order."""

    def __init__(self, kind: PanelKind) -> None:
        super().__init__(id=kind.name)
        self.kind = kind
        self.arrangement = Arrangement(kind)
        self._grid = PanelGrid(kind.columns)
        self._cells: dict[Any, tuple[Row, Cells]] = {}
        self._given: Sequence[Row] = ()
        self._rows: Sequence[Row] = ()
        self._keys: list[Any] = []
        self._pinned: Any = None
        self._header: Line = ()
        self._lines: dict[int, _Drawn] = {}
        """What stands at each line that is seen."""
        self._at_place: dict[int, Any] = {}
        """The key of the row that stands there."""
        self._is_stale = False

    @property
    def wanted_height(self) -> int:
        """Lines inside its border that would show everything."""
        return (len(self._rows) or len(self._empty())) + 1

    @property
    def row(self) -> Row | None:
        """The row under the cursor; None without rows."""
        return self._rows[self._cursor] if self._rows else None

    @property
    def shown(self) -> Sequence[Row]:
        """The rows that pass the filter, in their order."""
        return self._rows

    @property
    def _cursor(self) -> int:
        if self._pinned is None:
            return 0
        try:
            return self._keys.index(self._pinned)
        except ValueError:
            return 0

    def show(self, rows: Sequence[Row], *, is_stale: bool = False) -> None:
        """Show these rows from now on; dimmed where they are not of now."""
        if is_stale is not self._is_stale:
            self._is_stale = is_stale
            self.draw_anew()
        self._given = rows
        self._arrange()

    def draw_anew(self) -> None:
        """Draw all of it again, for its colours or its width are others."""
        super().draw_anew()
        self._lines, self._at_place, self._cells, self._header = {}, {}, {}, ()
        self.refresh()

    def rearrange(self) -> None:
        """Show the rows as its arrangement is now."""
        self._arrange()
        self.post_message(self.Moved())
        self.post_message(self.Arranged())

    def _arrange(self) -> None:
        self._rows = self.arrangement.of(self._given)
        key = self.kind.key
        self._keys = [row[key] for row in self._rows]
        size = Size(self._width + GUTTER, len(self._rows) + 1)
        if size != self.virtual_size:
            self.virtual_size = size
        if self._pinned is not None:
            self._reveal()
        self._draw()

    # -- drawing ---------------------------------------------------------------------------------

    @property
    def _width(self) -> int:
        return max(1, self.scrollable_content_region.width - GUTTER)

    def _draw(self) -> None:
        """Draw what is seen, where it is not as it was."""
        if not self._is_mounted or self.scrollable_content_region.width <= GUTTER:
            return  # it has no place on the screen yet
        first, room = self.scroll_offset.y, max(0, self.scrollable_content_region.height - 1)
        seen = range(first, min(first + room, len(self._rows)))
        cells = {}
        for at in seen:
            key, row = self._keys[at], self._rows[at]
            before = self._cells.get(key)
            is_alike = before is not None and before[0] == row
            cells[key] = before if is_alike and before else (row, self._grid.cells(row))
        is_moved = self._grid.fit((each for _, each in cells.values()), self._width)
        before_cells, self._cells = self._cells, cells
        if is_moved or not self._header:
            self._header = drawn(self._grid.header, self.app.console)
            self._lines = {}
            self.refresh()
        self._place(seen, before_cells)

    def _place(self, seen: range, before: dict[Any, tuple[Row, Cells]]) -> None:
        console, lines = self.app.console, self._lines
        cursor = self._cursor if self.has_focus else -1
        width = self.size.width
        for y, at in enumerate(seen, 1):
            key = self._keys[at]
            gutter = ">" if at == cursor else " "
            place = lines.get(y)
            is_same = before.get(key) is self._cells[key]
            if place is None or not is_same or self._at_place.get(y) != key:
                line = drawn(self._grid.line(self._cells[key][1]), console)
            else:
                line = place[1]
            if place is None or place != (gutter, line):
                lines[y] = gutter, line
                self.refresh(Region(0, y, width, 1))
            self._at_place[y] = key
        for y in [y for y in lines if y > len(seen)]:
            del lines[y]
            self._at_place.pop(y, None)
            self.refresh(Region(0, y, width, 1))
        if not self._rows:
            self.refresh(Region(0, 1, width, 3))

    def on_resize(self) -> None:
        """Fit the columns to the new width."""
        self._arrange()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Draw what comes into sight."""
        super().watch_scroll_y(old_value, new_value)
        self._draw()

    def render_line(self, y: int) -> Strip:
        """One line of what is seen; the first is always the header."""
        width = self.scrollable_content_region.width
        if y == 0:
            style = self.get_component_rich_style("panel--head")
            return self._strip(" ", self._header, width, style)
        if not self._rows:
            said = self._empty()
            words = said[y - 1] if y <= len(said) else ""
            said_line = Segment(" "), Segment(words, self._faint)
            return fitted(said_line, width, self.base_style)
        gutter, line = self._lines.get(y, (" ", ()))
        if gutter == ">":
            if self.app.native_ansi_color:  # its colours cannot be told apart when reversed
                line = (Segment("".join(each.text for each in line)),)
            return self._strip(gutter, line, width, self.get_component_rich_style("panel--cursor"))
        return self._strip(gutter, line, width, self.base_style)

    def _empty(self) -> Sequence[str]:
        """What is said without rows."""
        if self._given:
            return (f"none of {len(self._given)} matches; escape shows them again",)
        return self.kind.empty

    @property
    def _faint(self) -> Style:
        return self.app.console.get_style(FAINT)

    def _strip(self, gutter: str, line: Line, width: int, style: Style) -> Strip:
        if self._is_stale:
            faded = Style.parse(STALE)
            segments = [Segment(gutter, faded), *(Segment(each.text, faded) for each in line)]
        else:
            segments = [Segment(gutter), *line]
        return fitted(segments, width, style)

    # -- the cursor ------------------------------------------------------------------------------

    def _go(self, at: int) -> None:
        """Put the cursor on a row; on the first it is let go of, and follows what is first."""
        if not self._rows:
            return
        at = max(0, min(at, len(self._rows) - 1))
        self._pinned = self._keys[at] if at else None
        self._reveal()
        self._draw()
        self.post_message(self.Moved())

    def on_focus(self) -> None:
        """Its row is the one that matters now."""
        self.call_next(self._draw)
        self.post_message(self.Moved())

    def on_blur(self) -> None:
        """Another panel has the cursor."""
        self.call_next(self._draw)

    def _reveal(self) -> None:
        at, room = self._cursor, max(1, self.scrollable_content_region.height - 1)
        top = max(min(self.scroll_offset.y, at), at - room + 1)
        if top != self.scroll_offset.y:
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

    def action_sort(self) -> None:
        """By the next column."""
        self.arrangement.sort_by_next(self._grid.shown)
        self.rearrange()

    def action_turn_round(self) -> None:
        """The other way round."""
        self.arrangement.turn_round()
        self.rearrange()

    def on_click(self, event: Click) -> None:
        """A click moves the cursor; on the row that has it, it chooses; on the header, it sorts."""
        inside = event.get_content_offset(self)
        if inside is None:
            return
        if inside.y == 0:
            column = self._grid.column_at(inside.x - GUTTER)
            if column is not None and self.arrangement.sort_by(column):
                self.rearrange()
            return
        at = inside.y - 1 + self.scroll_offset.y
        if at >= len(self._rows):
            return
        if self.has_focus and at == self._cursor:
            self.action_choose()
        self._go(at)
