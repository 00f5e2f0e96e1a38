"""What stands beside the panels where there is room: the curve of equity, why signals were refused,
and the story of the selected row."""

from collections.abc import Iterable
from typing import Any

from rich.segment import Segment
from rich.style import Style
from rich.text import Text

from pointsman.dashboard.cells import Picture, Row, clock
from pointsman.dashboard.curves import Curve, plot, sampled, total_of
from pointsman.dashboard.lines import Line, Lines, drawn, drawn_lines
from pointsman.dashboard.panels.decisions import histogram, refusals
from pointsman.dashboard.panels.figures import tone_of_curve
from pointsman.dashboard.panels.kind import Known, PanelKind
from pointsman.dashboard.places import EQUITY_LINES
from pointsman.dashboard.theme import FAINT, STALE, STRONG, result
from pointsman.domain.money import exact
from pointsman.terminal.text import money, printable

MARK_WIDTH = 13
"""Characters beside a curve, for what its ends are worth."""

NARROW_BAR = 6
"""Characters of a bar of the histogram."""


class EquityPane(Lines):
    """Equity of all accounts since the first that is known of it."""

    def __init__(self) -> None:
        super().__init__("equity")

    def show_equity(self, curve: Curve, picture: Picture) -> None:
        """Show this curve, and what all is worth now."""
        accounts = picture["accounts"]
        equity = total_of(row["equity"] for row in accounts)
        with exact():
            earned = total_of(row["realized"] for row in accounts) + total_of(
                row["unrealized"] for row in accounts
            )
        title = Text("Equity  ").append(money(equity), style=STRONG).append("  ")
        self.entitle(title.append_text(result(earned)))
        self.show(self._plotted(curve), is_grown=False)

    def _plotted(self, curve: Curve) -> Iterable[Text]:
        if len(curve) < 2:
            yield Text("its curve appears as time passes", style=FAINT)
            return
        width = max(1, self.scrollable_content_region.width - MARK_WIDTH)
        values = sampled(curve, width)
        low, high = min(values), max(values)
        tone = tone_of_curve(values)
        marks = [money(high), *[""] * (EQUITY_LINES - 2), money(low)]
        for line, mark in zip(plot(values, EQUITY_LINES), marks, strict=True):
            yield Text().append(line, tone).append(f"  {mark}", FAINT)
        since, until = clock(curve[0].at_ns), clock(curve[-1].at_ns)
        is_wide = len(values) > len(since) + len(until)
        between = until.rjust(len(values) - len(since)) if is_wide else ""
        yield Text(since + between, style=FAINT)


class RefusalsPane(Lines):
    """How often each reason has refused today."""

    def __init__(self) -> None:
        super().__init__("refusals")

    def show_refusals(self, known: Known) -> None:
        """Show what is known now."""
        when, counts = refusals(known)
        self.entitle(Text(f"Refused {when}  {sum(counts.values()):,}"))
        if counts:
            self.show(histogram(counts, EQUITY_LINES + 1, NARROW_BAR), is_grown=False)
        else:
            self.show([Text("nothing", style=FAINT)], is_grown=False)


class DetailPane(Lines):
    """What there is to know of the selected row, then its story."""

    def __init__(self) -> None:
        super().__init__("detail")
        self._story: tuple[str, Any] | None = None
        self._story_lines: tuple[int, list[Line]] | None = None
        self._of: tuple[str, Any] | None = None

    def take_story(self, signal_id: str, story: Any) -> None:
        """Show this story where its signal is the one of the selected row."""
        self._story, self._story_lines = (signal_id, story), None

    def draw_anew(self) -> None:
        """Draw the story again too."""
        super().draw_anew()
        self._story_lines = None

    def describe(self, kind: PanelKind, row: Row | None, known: Known, *, is_stale: bool) -> None:
        """Tell of this row."""
        if row is None:
            self.entitle(Text(f"{kind.name.capitalize()}: nothing is selected"))
            self.show([Text(each, style=FAINT) for each in kind.empty], is_grown=False)
            return
        told = kind.describe(row, known)
        self.entitle(Text(printable(told.title)))
        if self._of != (kind.name, row[kind.key]):
            self._of = kind.name, row[kind.key]
            self.scroll_to(y=0, animate=False, force=True)
        has_story = self._story is not None and self._story[0] == row.get("signal_id")
        lines: list[Line] = []
        if not (has_story and told.is_in_story):
            lines += [line for text in told.lines for line in self._wrapped(text)]
        if has_story:
            lines += [*([()] if lines else []), *self._told()]
        lines += [line for text in told.after for line in self._wrapped(text)]
        if is_stale:
            faded = Style.parse(STALE)
            lines = [tuple(Segment(each.text, faded) for each in line) for line in lines]
        self.show_lines(lines)

    def _wrapped(self, text: Text) -> Iterable[Line]:
        console, width = self.app.console, self.scrollable_content_region.width
        if "\n" in text.plain or text.cell_len > width:
            return drawn_lines(text, width, console)
        return [drawn(text, console)]

    def _told(self) -> list[Line]:
        assert self._story is not None, "only told where there is a story"
        width = self.scrollable_content_region.width
        if self._story_lines is None or self._story_lines[0] != width:
            self._story_lines = width, drawn_lines(self._story[1], width, self.app.console)
        return self._story_lines[1]
