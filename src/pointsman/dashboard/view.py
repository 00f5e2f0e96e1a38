"""What is always there: headline, answers, notices, the panels, what is beside them, and the foot.

It holds what is known and gives each part what that part shows; the parts draw only what changed.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Container, Horizontal, Vertical
from textual.geometry import Size
from textual.widget import Widget
from textual.widgets import Static

from pointsman.dashboard import footer, header
from pointsman.dashboard.beside import DetailPane, EquityPane, RefusalsPane
from pointsman.dashboard.cells import Picture, Row
from pointsman.dashboard.curves import TOTAL, Curves
from pointsman.dashboard.filter_line import FilterLine
from pointsman.dashboard.keys import key_line
from pointsman.dashboard.lines import Lines
from pointsman.dashboard.panel import Panel
from pointsman.dashboard.panels import accounts, kinds, market, positions
from pointsman.dashboard.panels.kind import Known, Lists, Told
from pointsman.dashboard.places import (
    ASIDE,
    COLUMNS_WIDE,
    LINES_TALL,
    LOWER,
    RIGHT_ROOMY,
    Places,
    frame_of,
    heights,
    is_beside,
    is_tall,
    is_too_small,
    places,
    tabs_of,
    what_is_needed,
    width_beside,
    width_of,
)
from pointsman.dashboard.theme import ALARM, STRONG
from pointsman.dashboard.titles import Tab, counted_rows, spaced, title, total_rows
from pointsman.terminal.condition import Condition
from pointsman.terminal.tables import WIDE_FROM


class DashboardView(Container):
    """One picture, drawn into whatever room there is. Times that were measured stand on the clock
    of `zone`."""

    def __init__(self, zone: str, curves: Curves) -> None:
        super().__init__()
        self._picture: Picture | None = None
        self._condition: Condition | None = None
        self._lists = Lists()
        self._zone, self._curves = zone, curves
        self._notices: Sequence[Text] = ()
        self._headline = Lines("headline", [Text("pointsman", style=STRONG)])
        self._verdict = Lines("verdict", [Text("waiting for the first picture")])
        self._notice, self._foot, self._keys = Lines("notice"), Lines("foot"), Lines("keys")
        self.filter_line = FilterLine()
        self._left, self._right = Vertical(id="left"), Vertical(id="right")
        self._detail, self._equity, self._refusals = DetailPane(), EquityPane(), RefusalsPane()
        self._top = Horizontal(id="top")
        self._small = Static(id="small")
        self.panels = {name: Panel(kind) for name, kind in kinds(zone).items()}
        self._selected = self.panels["decisions"]
        """The panel that had the focus last."""
        self._is_refused_only = False
        self._zoomed: str | None = None
        self._lower, self._aside = "decisions", "incidents"
        """What was chosen for the lowest place, and for the one beside it."""
        self._size = Size(80, 24)
        """That of the terminal."""
        self._given: Mapping[str, int] = {}
        self._right_width: int | str = ""
        self._incidents_seen: set[str] | None = None

    def compose(self) -> ComposeResult:
        """All of it, once; what changes is only what the parts show."""
        with Vertical(id="main"):
            yield self._headline
            yield self._verdict
            yield self._notice
            with Container(id="panels"):
                with self._left:
                    yield from (panel for name, panel in self.panels.items() if name not in ASIDE)
                with self._right:
                    with self._top:
                        yield self._equity
                        yield self._refusals
                    yield self._detail
                    yield self.panels["market"]
                    yield self.panels["incidents"]
            yield self._foot
            yield self.filter_line
            yield self._keys
        yield self._small

    def on_mount(self) -> None:
        """Begin at the decisions."""
        self.panels["decisions"].focus()

    # -- what is shown ---------------------------------------------------------------------------

    def show(self, picture: Picture | None, condition: Condition | None) -> None:
        """Show this picture from now on. With a `condition` it is not of now."""
        self._picture, self._condition = picture, condition
        self._draw()

    def take_lists(self, lists: Lists) -> None:
        """Show these lists from now on."""
        self._lists = lists
        self._draw()

    def refused_only(self) -> None:
        """Show refusals alone among the decisions, or all of them again."""
        self._is_refused_only = not self._is_refused_only
        self._draw()

    def draw_anew(self) -> None:
        """Draw all of it in other colours."""
        for part in (*self.panels.values(), self._detail, self._equity, self._refusals):
            part.draw_anew()
        self._draw()

    def _draw(self) -> None:
        picture, condition = self._picture, self._condition
        if self.is_too_small:
            self._say_what_is_needed(self._size)
        if picture is None:
            if condition is not None:
                text = Text(f"pointsman  {condition.state.headline}", style=ALARM)
                self._headline.show([text])
            return
        width = self._text_width
        has_pane = is_beside(self._size) and is_tall(self._size)
        curve = () if has_pane else self._curves.of(TOTAL)
        self._headline.show([header.headline(picture, width, condition)])
        self._verdict.show(header.verdict(picture, width, condition, curve))
        self._foot.show(footer.foot(picture, width, condition))
        for name, rows in self._rows(picture).items():
            self.panels[name].show(rows, is_stale=condition is not None)
        self._share_room()
        self._entitle(picture)
        if has_pane:
            self._show_top(picture)
        self.describe()

    def _show_top(self, picture: Picture) -> None:
        """Equity, and beside it where there is room why signals were refused."""
        self._equity.show_equity(self._curves.of(TOTAL), picture)
        if self._refusals.display and self.known is not None:
            self._refusals.show_refusals(self.known)

    def _rows(self, picture: Picture) -> Mapping[str, Sequence[Row]]:
        """The rows of each panel."""
        is_past = self._condition is not None
        held = positions.worst_first(picture["positions"])
        decided = picture["decisions"]
        if self._is_refused_only:
            decided = [row for row in decided if row["outcome"] == "refused"]
        return {
            "accounts": accounts.with_limits(picture, self._curves),
            "positions": [{**row, "is_past": True} for row in held] if is_past else held,
            "decisions": decided,
            "orders": self._lists.orders,
            "trades": self._lists.trades,
            "incidents": picture["incidents"],
            "market": market.quotes_of(picture, self._curves),
        }

    def _entitle(self, picture: Picture) -> None:
        is_brief, shown = self._size.width < WIDE_FROM, self._places
        choices = () if self._zoomed is not None else tabs_of(self._size)
        is_unseen = self._unseen_incidents(picture)
        for name, panel in self.panels.items():
            has_tabs = name in choices and name in (*shown.left, *shown.right)
            tabs = self._tabs(name, choices, picture, is_unseen=is_unseen) if has_tabs else []
            is_refused_only = self._is_refused_only and name == "decisions"
            told = (
                counted_rows(name, picture, panel.shown, is_brief=is_brief)
                if not is_refused_only
                else f"refused only: {len(panel.shown)} of the newest {len(picture['decisions'])}"
            )
            room = width_of(name, shown, self._size) - 4
            words = title(panel.kind, told, panel.arrangement.told, room, tabs)
            # A box has a space beside its title already.
            panel.entitle(words if frame_of(self._size) == 2 else spaced(words))

    def _tabs(
        self, name: str, choices: Sequence[str], picture: Picture, *, is_unseen: bool
    ) -> list[Tab]:
        """What else can be shown in the place of this panel."""
        return [
            Tab(
                panel.kind,
                total_rows(other, picture, panel.shown),
                other == "incidents" and is_unseen,
            )
            for other, panel in self.panels.items()
            if other in choices and other != name
        ]

    def _unseen_incidents(self, picture: Picture) -> bool:
        """Whether there are incidents that nobody has looked at; those of the start count as
        looked at."""
        ids = {row["incident_id"] for row in picture["incidents"]}
        is_seen = self._incidents_seen is None or self.panels["incidents"].display
        if is_seen:
            self._incidents_seen = ids
        return bool(ids - (self._incidents_seen or set()))

    def say(self, lines: Sequence[Text]) -> None:
        """Show these notices, whole, or none."""
        width, console = self._text_width, self.app.console
        texts = [part for line in lines for part in line.wrap(console, width)]
        if texts == self._notices:
            return
        self._notices = texts
        self._notice.show(texts)
        self._say_what_is_needed(self._size)
        self._notice.display = bool(lines)
        if self._picture is not None:
            self._share_room()

    @property
    def is_too_small(self) -> bool:
        """Whether there is no room for panels, nor for dialogs other than that of the kill."""
        return self.has_class("too-small")

    # -- the selected row ------------------------------------------------------------------------

    @property
    def selected(self) -> tuple[str, Row | None]:
        """The panel that has the focus, by name, and the row under its cursor."""
        return self._selected.kind.name, self._selected.row

    def selected_account(self) -> str | None:
        """The account under the cursor of accounts or positions, where one of them has it."""
        for name in ("accounts", "positions"):
            panel = self.panels[name]
            if panel.has_focus and panel.row is not None:
                va_id: str = panel.row["va_id"]
                return va_id
        return None

    @property
    def selected_signal(self) -> str | None:
        """The signal of the selected row, where its story stands beside the panels."""
        row = self._selected.row
        return None if row is None or not is_beside(self._size) else row.get("signal_id")

    @property
    def known(self) -> Known | None:
        """All that is known; None before the first picture."""
        if self._picture is None:
            return None
        return Known(self._picture, self._zone, self._lists, self._curves)

    def tell(self, signal_id: str, story: Any) -> None:
        """Show the story of a signal beside the panels."""
        self._detail.take_story(signal_id, story)
        self.describe()

    def on_panel_moved(self) -> None:
        """Another row is selected."""
        self.describe()

    def on_panel_arranged(self) -> None:
        """The rows are in another order: the title says so."""
        if self._picture is not None:
            self._entitle(self._picture)

    def describe(self) -> None:
        """Tell of the selected row, and name the keys that are of use on it."""
        focused = [panel for panel in self.panels.values() if panel.has_focus]
        self._selected = focused[0] if focused else self._selected
        kind, row = self._selected.kind, self._selected.row
        is_filtered = bool(
            self._selected.arrangement.text or self._selected.arrangement.va_id is not None
        )
        self._keys.show([key_line(kind.name, row, self._text_width, is_filtered=is_filtered)])
        known = self.known
        if is_beside(self._size) and known is not None:
            self._detail.describe(kind, row, known, is_stale=self._condition is not None)

    def told_of(self, kind: str, row: Row) -> Told | None:
        """What there is to say of a row."""
        return None if self.known is None else self.panels[kind].kind.describe(row, self.known)

    def scroll_detail(self, lines: int) -> None:
        """Scroll the story beside the panels."""
        self._detail.scroll_relative(y=lines, animate=False, force=True)

    # -- which panel -----------------------------------------------------------------------------

    def go_to(self, name: str) -> None:
        """Put the focus on a panel, and show it where it is not shown."""
        if self._zoomed is not None:
            self._zoomed = name
        if name in LOWER and not (is_beside(self._size) and name in ASIDE):
            self._lower = name
        if name in ASIDE:
            self._aside = name
        self._share_room()
        self.panels[name].focus()
        if self._picture is not None:
            self._entitle(self._picture)

    def zoom(self) -> None:
        """Give all of the room to the panel that has the focus, or to all panels again."""
        self._zoomed = None if self._zoomed is not None else self._selected.kind.name
        self._share_room()
        if self._picture is not None:
            self._entitle(self._picture)

    def only_account(self) -> None:
        """Show what belongs to the selected account alone, or all again."""
        _, row = self.selected
        is_on = self.panels["decisions"].arrangement.va_id is not None
        self._look_for_account(None if is_on or row is None else row.get("va_id"))

    def _look_for_account(self, va_id: str | None) -> None:
        for name, panel in self.panels.items():
            if name != "accounts":
                panel.arrangement.va_id = va_id
                panel.rearrange()

    def look_for(self, text: str) -> None:
        """Show the rows of the selected panel that hold this text."""
        self._selected.arrangement.text = text.strip().lower()
        self._selected.rearrange()

    def focus_selected(self) -> None:
        """Back to the panel that had the focus last."""
        self._selected.focus()

    def show_all(self) -> None:
        """End every filter."""
        self._selected.arrangement.text = ""
        self._look_for_account(None)
        self._selected.rearrange()
        self._selected.focus()

    # -- room ------------------------------------------------------------------------------------

    def lay_out(self, size: Size) -> None:
        """Lay out for this size of the terminal, or say what size is needed."""
        self._size = size
        width, height = size
        self.set_class(is_too_small(size), "too-small")
        self.set_class(width >= COLUMNS_WIDE, "beside")
        self.set_class(height >= LINES_TALL, "tall")
        self.set_class(frame_of(size) == 1, "ruled")
        self.set_class(frame_of(size) == 2, "boxed")
        self._say_what_is_needed(size)
        if self._picture is not None:
            self._draw()

    def _say_what_is_needed(self, size: Size) -> None:
        self._small.update(what_is_needed(size, self._condition, self._notices))

    @property
    def _text_width(self) -> int:
        return self._size.width - 2

    @property
    def _places(self) -> Places:
        return places(self._size, self._lower, self._aside, self._zoomed)

    def _share_room(self) -> None:
        """Give each part that has a place its room; touch nothing that has it already."""
        size, shown = self._size, self._places
        fixed = sum(part.height for part in (self._headline, self._verdict, self._foot)) + 1
        fixed += self._notice.height if self._notice.display else 0
        # A tall terminal has an empty line around the verdict.
        room = size.height - fixed - (2 if is_tall(size) else 0)
        wanted = {name: panel.wanted_height for name, panel in self.panels.items()}
        lines = heights(shown, room, wanted, size)
        parts: dict[str, Widget] = {"equity": self._top, "detail": self._detail, **self.panels}
        for name, part in parts.items():
            is_shown = name in lines
            if part.display is not is_shown:
                part.display = is_shown
            if is_shown and self._given.get(name) != lines[name]:
                part.styles.height = lines[name]
        self._given = lines
        is_alone = not shown.left or not is_beside(size)
        beside = width_beside(size)
        width = "1fr" if is_alone else beside
        self._refusals.display = beside >= RIGHT_ROOMY
        if width != self._right_width:
            self._right.styles.width = self._right_width = width
        self._left.display, self._right.display = bool(shown.left), bool(shown.right)
