"""What stands over each panel: its digit and name, how many rows there are, how they are arranged,
and what else can be shown in its place."""

from collections.abc import Sequence
from typing import NamedTuple

from rich.text import Text

from pointsman.dashboard.cells import Picture, Row
from pointsman.dashboard.panels.kind import PanelKind
from pointsman.dashboard.theme import ALARM, FAINT


class Tab(NamedTuple):
    """Something else that can be shown in the place of a panel."""

    kind: PanelKind
    rows: int
    is_alarming: bool = False


def counted_rows(name: str, picture: Picture, rows: Sequence[Row], *, is_brief: bool) -> str:
    """How many rows a panel has, and what matters of them at a glance."""
    if name == "decisions":
        return decisions_counted(picture, is_brief=is_brief)
    if name == "orders":
        working = sum(bool(row["is_open"]) for row in rows)
        return f"{working} working, {len(rows) - working} ended"
    if name == "trades" and picture["counts"]["trades"] > len(rows):
        return f"newest {len(rows)} of {picture['counts']['trades']:,}"
    return f"{len(rows):,}"


def total_rows(name: str, picture: Picture, rows: Sequence[Row]) -> int:
    """How many rows of a panel there are, shown or not."""
    counted = {"decisions": "signals", "trades": "trades"}.get(name)
    return len(rows) if counted is None else max(len(rows), picture["counts"][counted])


def decisions_counted(picture: Picture, *, is_brief: bool = False) -> str:
    """How many decisions there are, how many of them are shown, and how many are refusals."""
    counts, shown = picture["counts"], len(picture["decisions"])
    newest = f"newest {shown} of " if counts["signals"] > shown and not is_brief else ""
    return f"{newest}{max(shown, counts['signals']):,}, {counts['refused']:,} refused"


def panel_title(kind: PanelKind) -> str:
    """Its digit and name."""
    return f"{kind.digit} {kind.name.capitalize()}"


def title(kind: PanelKind, told: str, arranged: str, width: int, tabs: Sequence[Tab] = ()) -> Text:
    """The title, among the tabs where they have room, in the order of their digits: with how many
    rows each has, else without."""
    words = f"{panel_title(kind)}  {told}{f', {arranged}' if arranged else ''}"
    before = [tab for tab in tabs if tab.kind.digit < kind.digit]
    after = [tab for tab in tabs if tab.kind.digit > kind.digit]
    for with_rows in (True, False):
        text = Text()
        for tab in before:
            text.append_text(_tab(tab, with_rows=with_rows)).append("  ")
        text.append(words)
        for tab in after:
            text.append("  ").append_text(_tab(tab, with_rows=with_rows))
        if text.cell_len <= width:
            return text
    return Text(words)


def _tab(tab: Tab, *, with_rows: bool) -> Text:
    rows = f" {tab.rows:,}" if with_rows or tab.is_alarming else ""
    return Text(f"{panel_title(tab.kind)}{rows}", style=ALARM if tab.is_alarming else FAINT)


def spaced(words: Text) -> Text:
    """With a space at both ends."""
    return Text(" ").append_text(words).append(" ")
