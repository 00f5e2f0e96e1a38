"""The dashboard itself: panels over one snapshot, keys that send requests, and their answers.

Pictures come in from one thread, the newest replacing one that was not drawn yet; questions to the
engine and to the database run in threads of their own, so that no key ever waits.
"""

import asyncio
import os
import signal
import time
from collections.abc import Callable
from threading import Event, Thread
from typing import Any, ClassVar

from rich.console import Group
from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.events import Resize
from textual.message import Message
from textual.widgets import Input

from pointsman.dashboard.answers import answer_in_words, kill_command
from pointsman.dashboard.cells import Picture
from pointsman.dashboard.curves import Curves
from pointsman.dashboard.dialogs import (
    Dialog,
    FlattenDialog,
    KillDialog,
    PauseDialog,
    Reading,
)
from pointsman.dashboard.engine_watch import EngineWatch
from pointsman.dashboard.filter_line import FilterLine
from pointsman.dashboard.keys import ACTIONS, help_text
from pointsman.dashboard.links import Beside, Link, PictureUpdate, Unreachable, follow, read_beside
from pointsman.dashboard.panel import Panel
from pointsman.dashboard.sampling import sample
from pointsman.dashboard.theme import (
    ALARM,
    STRONG,
    STYLES,
    THEMES,
    theme_of_terminal,
)
from pointsman.dashboard.view import DashboardView
from pointsman.engine.requests import Reconcile, Request
from pointsman.storage.errors import StorageError
from pointsman.terminal.text import printable

STORY_SECONDS = 1.0
"""So often the lists, and the story of the selected row, are read again."""

NOTICE_SECONDS = 12.0
"""How long an answer stays to be read."""


class Dashboard(App[None]):
    """Shows the pictures of one link."""

    TITLE = "pointsman"
    CSS_PATH = "dashboard.tcss"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(key, action, show=False) for key, action in ACTIONS
    ]

    class Arrived(Message):
        """There is a newer picture."""

    class Answered(Message):
        """Something that was asked has been answered, in words for a person."""

        def __init__(self, text: str, is_bad: bool) -> None:
            super().__init__()
            self.text = text
            self.is_bad = is_bad

    class StoryRead(Message):
        """The story of a signal is there to be shown."""

        def __init__(self, signal_id: str, story: Any) -> None:
            super().__init__()
            self.signal_id = signal_id
            self.story = story

    class ReadBeside(Message):
        """The lists are read, and the story of the selected row; None of what cannot be read."""

        def __init__(self, read: Beside) -> None:
            super().__init__()
            self.read = read

    def __init__(
        self, link: Link, *, is_colourless: bool = False, theme: str | None = None
    ) -> None:
        # Without colour Textual would draw in greys; the terminal's own colours stay instead.
        super().__init__(ansi_color=True if is_colourless else None)
        self._link = link
        self._curves = Curves()
        self._view = DashboardView(link.zone, self._curves)
        self.chosen_theme = theme or theme_of_terminal(os.environ)
        self.console.push_theme(STYLES[self.chosen_theme])
        self._news: PictureUpdate | None = None
        self._is_waiting = False
        self._is_over = Event()
        self._watch = EngineWatch(link.is_remote, time.monotonic())
        self._answer = Text()
        self._answered_at = 0.0
        self._is_answer_kept = False
        self._is_equity_read = False
        self._listed: Any = None
        """What the lists were read at; None where they are to be read again."""
        self._is_reading = False
        self._read_beside_of: str | None = None
        self._read_beside_at = 0.0

    def compose(self) -> ComposeResult:
        """One view; dialogs open over it."""
        yield self._view

    def on_mount(self) -> None:
        """Start to follow the engine."""
        for theme in THEMES.values():
            self.register_theme(theme)
        if not self.no_color:
            self.theme = self.chosen_theme
        # Ended from outside, it must leave the terminal as it found it.
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self.exit)
        self._start(lambda: follow(self._link, self._tell, self._is_over))
        self.set_interval(1, self._look)

    def on_unmount(self) -> None:
        """Let the thread end."""
        self._is_over.set()
        asyncio.get_running_loop().remove_signal_handler(signal.SIGTERM)

    # -- pictures --------------------------------------------------------------------------------

    def _start(self, work: Callable[[], None]) -> None:
        """Do it in a thread. A daemon: an engine that hangs must not keep a terminal."""
        Thread(target=work, daemon=True).start()

    def _tell(self, news: PictureUpdate) -> None:
        self._news = news
        if not self._is_waiting:
            self._is_waiting = True
            self.post_message(self.Arrived())

    def on_dashboard_arrived(self) -> None:
        """Draw the newest picture, and ring for a new incident in it."""
        self._is_waiting = False
        news, now = self._news, time.monotonic()
        if self._is_answer_kept and news is not None and self._watch.is_back(news):
            self._answered_at, self._is_answer_kept = now, False  # its state is seen again
        if news is not None and self._watch.take(news, now) and news.picture is not None:
            sample(self._curves, news.picture, now)
            if self._watch.has_new_incident():
                self.bell()
        self._look()

    def _look(self) -> None:
        """Show what is known now. Once a second also without news: what is silent grows old."""
        self._say()
        self._view.show(self._watch.picture, self._watch.condition(time.monotonic()))
        self._read_beside()

    def on_resize(self, event: Resize) -> None:
        """Fit into the new size."""
        self._view.lay_out(event.size)

    # -- notices ---------------------------------------------------------------------------------

    def _say(self) -> None:
        """Say why the picture is not the engine's, and the newest answer."""
        self._view.say([text for text in (*self._watch.trouble(), self._newest_answer()) if text])

    def _newest_answer(self) -> Text:
        is_old = time.monotonic() - self._answered_at > NOTICE_SECONDS
        if is_old and not self._is_answer_kept:
            self._answer = Text()
        return self._answer.copy()

    def on_dashboard_answered(self, answer: Answered) -> None:
        """Show what was answered, for a while."""
        self._answer = Text(printable(answer.text), style=ALARM if answer.is_bad else STRONG)
        self._answered_at = time.monotonic()
        # A kill that was not done, and what to do, is read until something else is asked.
        self._is_answer_kept = answer.is_bad and answer.text.startswith("kill")
        self._say()

    # -- keys ------------------------------------------------------------------------------------

    def _open(self, dialog: Dialog) -> None:
        is_room = isinstance(dialog, KillDialog) or not self._view.is_too_small
        if self._is_plain and is_room:
            self.push_screen(dialog, self._ask)

    def action_kill(self) -> None:
        """Ask for the word and the reason."""
        self._open(KillDialog())

    def action_pause(self) -> None:
        """Ask for whom and why; the selected account is proposed."""
        picture = self._watch.picture
        if picture is None:
            return
        self._open(PauseDialog(picture, self._view.selected_account()))

    def action_reconcile(self) -> None:
        """Compare with the venue now."""
        if self._is_plain:
            self._ask(Reconcile())

    def action_go_to(self, name: str) -> None:
        """To a panel by its number."""
        if self._is_plain:
            self._view.go_to(name)

    def action_zoom(self) -> None:
        """One panel over all of the room, or all of them."""
        if self._is_plain:
            self._view.zoom()

    def action_refused_only(self) -> None:
        """Refusals alone, or all decisions."""
        if self._is_plain:
            self._view.refused_only()

    @property
    def _is_plain(self) -> bool:
        """Whether no dialog is open."""
        return len(self.screen_stack) == 1

    def action_only_account(self) -> None:
        """What belongs to the selected account, or all."""
        if self._is_plain:
            self._view.only_account()

    def action_flatten(self) -> None:
        """Ask whether to close what the selected account holds."""
        picture, (kind, row) = self._watch.picture, self._view.selected
        if picture is None or row is None or kind not in ("accounts", "positions"):
            self._tell_shortly("flatten: select an account or a position first")
            return
        held = [each for each in picture["positions"] if each["va_id"] == row["va_id"]]
        if held:
            self._open(FlattenDialog(row["va_id"], held))
        else:
            self._tell_shortly(f"flatten: {row['va_id']} holds nothing")

    def action_copy_id(self) -> None:
        """Copy what the selected row is called."""
        kind, row = self._view.selected
        if row is None or not self._is_plain:
            return
        panel = self._view.panels[kind].kind
        copied = str(row.get("signal_id") or row[panel.key])
        self.copy_to_clipboard(copied)
        self._tell_shortly(f"copied {copied}")

    def action_next_theme(self) -> None:
        """The next theme."""
        if self.no_color:
            return
        names = list(THEMES)
        self.chosen_theme = names[(names.index(self.chosen_theme) + 1) % len(names)]
        self.console.pop_theme()
        self.console.push_theme(STYLES[self.chosen_theme])
        self.theme = self.chosen_theme
        self._view.draw_anew()
        self._tell_shortly(f"theme: {self.chosen_theme}")

    def action_filter(self) -> None:
        """Ask for a text to look for."""
        if self._is_plain and not self._view.is_too_small:
            self._view.filter_line.open()

    def on_input_changed(self, changed: Input.Changed) -> None:
        """Look for what is typed so far."""
        if changed.input is self._view.filter_line:
            self._view.look_for(changed.value)

    def on_filter_line_closed(self, closed: FilterLine.Closed) -> None:
        """Back to the panel."""
        if closed.is_kept:
            self._view.focus_selected()
        else:
            self._view.show_all()

    def action_show_all(self) -> None:
        """End every filter."""
        if self._is_plain:
            self._view.show_all()

    def action_scroll_story(self, lines: int) -> None:
        """Up or down in the story beside the panels."""
        self._view.scroll_detail(lines)

    def _tell_shortly(self, text: str) -> None:
        self.post_message(self.Answered(text, is_bad=False))

    def action_help(self) -> None:
        """Keys and words."""
        self._open(Reading("Help", help_text()))

    def _ask(self, request: Request | None) -> None:
        if request is None:
            return
        self.post_message(self.Answered(f"{request.verb}: asked", is_bad=False))
        self._start(lambda: self._ask_now(request))

    def _ask_now(self, request: Request) -> None:
        newest = self._watch.newest
        database = "" if newest is None else str(newest["database"])
        by_hand = kill_command(request, database) if self._link.is_remote else ""
        self.post_message(self.Answered(*answer_in_words(request, self._link.ask, by_hand)))

    def on_panel_chosen(self, chosen: Panel.Chosen) -> None:
        """The story of the signal of this row, or what there is to say of it."""
        signal_id, kind = chosen.row.get("signal_id"), chosen.panel.kind.name
        told = self._view.told_of(kind, chosen.row)
        if told is None:
            return
        if signal_id and kind != "incidents":
            after = list(told.after)
            self._start(lambda: self._read_story(signal_id, after))
        else:
            self._open(Reading(printable(told.title), Group(*told.lines)))

    def _read_story(self, signal_id: str, after: list[Text]) -> None:
        try:
            story = self._link.story(signal_id)
        except (StorageError, Unreachable) as error:
            self.post_message(self.Answered(str(error), is_bad=True))
            return
        if story is None:
            text = f"signal {signal_id} is not stored yet; try again"
            self.post_message(self.Answered(text, is_bad=True))
        else:
            self.post_message(self.StoryRead(signal_id, Group(story, *after)))

    # -- beside the panels -----------------------------------------------------------------------

    def on_panel_moved(self) -> None:
        """Tell of the row that is selected now."""
        self._read_beside()

    def _read_beside(self) -> None:
        """Read the lists, and the story of the selected row; again once a second, because they
        continue. One at a time; the next that is wanted follows the one that is read."""
        wanted, picture = self._view.selected_signal, self._watch.picture
        is_new = wanted != self._read_beside_of and wanted is not None
        is_due = time.monotonic() - self._read_beside_at > STORY_SECONDS
        if picture is None or self._is_reading or not (is_new or is_due):
            return
        self._is_reading = True
        self._read_beside_of, self._read_beside_at = wanted, time.monotonic()
        self._start(lambda: self._read_beside_now(picture, wanted))

    def _read_beside_now(self, picture: Picture, signal_id: str | None) -> None:
        news = picture["counts"], picture["orders"]
        read = read_beside(
            self._link,
            picture,
            signal_id,
            is_first=not self._is_equity_read,
            has_news=news != self._listed,
        )
        if read.lists is not None:
            self._listed = news if read.lists.is_settled else None
        self.post_message(self.ReadBeside(read))

    def on_dashboard_read_beside(self, message: ReadBeside) -> None:
        """Show what was read, and read on."""
        read, self._is_reading = message.read, False
        for name, points in (read.equity or {}).items():
            self._curves.begin(name, points)
        self._is_equity_read = self._is_equity_read or read.equity is not None
        if read.lists is not None:
            self._view.take_lists(read.lists)
        if read.story is not None and read.signal_id is not None:
            self._view.tell(read.signal_id, read.story)
        self._read_beside()

    def on_dashboard_story_read(self, read: StoryRead) -> None:
        """Show it."""
        self._open(Reading(f"Signal {printable(read.signal_id)}", read.story))
