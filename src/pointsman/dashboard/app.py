"""The dashboard itself: panels over one snapshot, keys that send requests, and their answers.

Pictures come in from one thread, the newest replacing one that was not drawn yet; questions to the
engine and to the database run in threads of their own, so that no key ever waits.
"""

import asyncio
import shlex
import signal
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread
from typing import Any, ClassVar

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.events import Resize
from textual.message import Message

from pointsman.dashboard.cells import Picture
from pointsman.dashboard.dialogs import Dialog, KillDialog, PauseDialog, Reading, help_text
from pointsman.dashboard.links import Link, PictureUpdate, Unreachable, follow
from pointsman.dashboard.panel import Panel
from pointsman.dashboard.theme import ALARM, STRONG, THEME
from pointsman.dashboard.view import DashboardView
from pointsman.engine.requests import AccountRequest, Answer, Kill, Reconcile, Request
from pointsman.storage.errors import StorageError
from pointsman.terminal.condition import Condition, EngineState, of_loop
from pointsman.terminal.text import counted, printable

SILENT_SECONDS = 3.0
"""An engine that has sent nothing for so long hangs: a thread of its own sends a picture a second,
also with its loop stuck."""

STORY_SECONDS = 1.0
"""So often the story of the selected row is read again."""

NOTICE_SECONDS = 12.0
"""How long an answer stays to be read."""


PATH_LENGTH_MAX = 24
"""Characters of a path that stand in a notice, in the smallest terminal too."""


class Dashboard(App[None]):
    """Shows the pictures of one link."""

    TITLE = "pointsman"
    CSS_PATH = "dashboard.tcss"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("k", "kill", show=False),
        Binding("p", "pause", show=False),
        Binding("r", "reconcile", show=False),
        Binding("question_mark", "help", show=False),
        Binding("1", "go_to('accounts')", show=False),
        Binding("2", "go_to('positions')", show=False),
        Binding("3", "go_to('decisions')", show=False),
        Binding("6", "go_to('incidents')", show=False),
        Binding("z", "zoom", show=False),
        Binding("f", "refused_only", show=False),
        Binding("q,ctrl+c", "quit", show=False),
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

    class ToldBeside(StoryRead):
        """The story of the selected row is there, or None where it cannot be read."""

    def __init__(self, link: Link, *, is_colourless: bool = False) -> None:
        # Without colour Textual would draw in greys; the terminal's own colours stay instead.
        super().__init__(ansi_color=True if is_colourless else None)
        self._link = link
        self._view = DashboardView(link.zone)
        self._news: PictureUpdate | None = None
        self._is_waiting = False
        self._is_over = Event()
        self._heard_at = time.monotonic()
        self._answer = Text()
        self._answered_at = 0.0
        self._is_answer_kept = False
        self._incidents: set[str] | None = None
        """Those of the newest picture that the engine has sent."""
        self._is_reading = False
        self._read_beside_of: str | None = None
        self._read_beside_at = 0.0
        self._kept: Picture | None = None
        """The newest picture that the engine itself has sent."""

    def compose(self) -> ComposeResult:
        """One view; dialogs open over it."""
        yield self._view

    def on_mount(self) -> None:
        """Start to follow the engine."""
        self.register_theme(THEME)
        if not self.no_color:
            self.theme = THEME.name
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
        """Draw the newest picture."""
        self._is_waiting = False
        self._heard_at = time.monotonic()
        if self._news is not None and not self._news.lost:
            self._kept = self._news.picture
            self._ring()
        self._look()

    def _ring(self) -> None:
        """Ring the bell for an incident that was not there before; not for those of a start."""
        shown = [] if self._kept is None else self._kept["incidents"]
        incidents = {each["incident_id"] for each in shown}
        if self._incidents is not None and not incidents <= self._incidents:
            self.bell()
        self._incidents = incidents

    def _look(self) -> None:
        """Show what is known now. Once a second also without news: what is silent grows old."""
        self._say()
        self._view.show(self._picture, self._condition())
        self._read_beside()

    def _condition(self) -> Condition | None:
        """What is known of an engine that is not simply running; None where it is."""
        if self._news is None:
            return None
        _stored, lost, _unread, state = self._news
        picture = self._picture
        as_of_ns = None if picture is None else int(picture["now_ns"])
        if lost:
            return Condition(state, lost, as_of_ns)
        silent = time.monotonic() - self._heard_at
        if silent >= SILENT_SECONDS:
            state = EngineState.UNREACHABLE if self._link.is_remote else EngineState.HUNG
            return Condition(state, f"it has sent nothing for {silent:.0f} s", as_of_ns)
        return None if picture is None else of_loop(picture)

    @property
    def _picture(self) -> Picture | None:
        """What to show: of a remote engine that is lost rather what it sent last than what is in a
        database here."""
        if self._news is None:
            return None
        stored, kept = self._news.picture, self._kept
        is_stored_shown = stored is not None and (kept is None or not self._link.is_remote)
        return stored if not self._news.lost or is_stored_shown else kept

    def on_resize(self, event: Resize) -> None:
        """Fit into the new size."""
        self._view.lay_out(event.size)

    # -- notices ---------------------------------------------------------------------------------

    def _say(self) -> None:
        """Say why the picture is not the engine's, and the newest answer."""
        self._view.say([text for text in (*self._trouble(), self._newest_answer()) if text])

    def _trouble(self) -> list[Text]:
        """What has to be known of the picture beside the condition of its engine."""
        if self._news is None or not self._news.lost:
            return []
        _stored, lost, unread, _state = self._news
        picture = self._picture
        if picture is None:
            return [Text(f"{_sentence(lost)}, and {printable(unread)}", style=ALARM)]
        if not self._link.is_remote or picture is self._kept:
            return []
        where = f"of this machine: {_place(picture)}"
        return [
            Text("Retrying. Below may be ANOTHER engine's database,", style=ALARM),
            Text(where, style=ALARM),
        ]

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
        if len(self.screen_stack) == 1 and is_room:
            self.push_screen(dialog, self._ask)

    def action_kill(self) -> None:
        """Ask for the word and the reason."""
        self._open(KillDialog())

    def action_pause(self) -> None:
        """Ask for whom and why; the selected account is proposed."""
        picture = self._picture
        if picture is None:
            return
        self._open(PauseDialog(picture, self._view.selected_account()))

    def action_reconcile(self) -> None:
        """Compare with the venue now."""
        if len(self.screen_stack) == 1:
            self._ask(Reconcile())

    def action_go_to(self, name: str) -> None:
        """To a panel by its number."""
        if len(self.screen_stack) == 1:
            self._view.go_to(name)

    def action_zoom(self) -> None:
        """One panel over all of the room, or all of them."""
        if len(self.screen_stack) == 1:
            self._view.zoom()

    def action_refused_only(self) -> None:
        """Refusals alone, or all decisions."""
        if len(self.screen_stack) == 1:
            self._view.refused_only()

    def action_help(self) -> None:
        """Keys and words."""
        self._open(Reading("Help", help_text()))

    def _ask(self, request: Request | None) -> None:
        if request is None:
            return
        self.post_message(self.Answered(f"{request.verb}: asked", is_bad=False))
        self._start(lambda: self._ask_now(request))

    def _ask_now(self, request: Request) -> None:
        database = "" if self._kept is None else str(self._kept["database"])
        by_hand = kill_command(request, database) if self._link.is_remote else ""
        self.post_message(self.Answered(*answer_in_words(request, self._link.ask, by_hand)))

    def on_panel_chosen(self, chosen: Panel.Chosen) -> None:
        """The story of the signal of this row."""
        signal_id = chosen.row.get("signal_id")
        if signal_id:
            self._start(lambda: self._read_story(signal_id))
        else:
            text = "no story here: select a decision or a position first"
            self.post_message(self.Answered(text, is_bad=False))

    def _read_story(self, signal_id: str) -> None:
        try:
            story = self._link.story(signal_id)
        except (StorageError, Unreachable) as error:
            self.post_message(self.Answered(str(error), is_bad=True))
            return
        if story is None:
            text = f"signal {signal_id} is not stored yet; try again"
            self.post_message(self.Answered(text, is_bad=True))
        else:
            self.post_message(self.StoryRead(signal_id, story))

    # -- beside the panels -----------------------------------------------------------------------

    def on_panel_moved(self) -> None:
        """Tell of the row that is selected now."""
        self._read_beside()

    def _read_beside(self) -> None:
        """Read the story of the selected row, again once a second, because it continues. One at a
        time; the next that is wanted follows the one that is read."""
        wanted = self._view.selected_signal
        is_new = wanted != self._read_beside_of
        is_due = time.monotonic() - self._read_beside_at > STORY_SECONDS
        if wanted is None or self._is_reading or not (is_new or is_due):
            return
        self._is_reading = True
        self._read_beside_of, self._read_beside_at = wanted, time.monotonic()
        self._start(lambda: self._read_beside_now(wanted))

    def _read_beside_now(self, signal_id: str) -> None:
        try:
            story = self._link.story(signal_id)
        except (StorageError, Unreachable):
            story = None  # what the picture holds of it is shown all the same
        self.post_message(self.ToldBeside(signal_id, story))

    def on_dashboard_told_beside(self, told: ToldBeside) -> None:
        """Show what was read, and read on."""
        self._is_reading = False
        if told.story is not None:
            self._view.tell(told.signal_id, told.story)
        self._read_beside()

    def on_dashboard_story_read(self, read: StoryRead) -> None:
        """Show it."""
        self._open(Reading(f"Signal {printable(read.signal_id)}", read.story))


def _sentence(words: str) -> str:
    return printable(words[:1].upper() + words[1:])


def _place(picture: Picture) -> str:
    """Where a database lies: all of its path, or the end that tells it from others."""
    path = printable(str(Path(picture["database"]).absolute()))
    return path if len(path) <= PATH_LENGTH_MAX else f"…{path[1 - PATH_LENGTH_MAX :]}"


def kill_command(request: Request, database: str) -> str:
    """What a person types on the machine of an engine to kill it without an answer of it. Empty
    for another request."""
    if not isinstance(request, Kill):
        return ""
    flatten = " --flatten" if request.flatten else ""
    where = shlex.quote(database) if database else "PATH"
    folder = "" if Path(database).is_absolute() else " in its folder"
    command = f"pointsman kill{flatten} --reason {shlex.quote(request.reason)} --db {where}"
    return f"Type on its machine{folder}: {command}"


def answer_in_words(
    request: Request, ask: Callable[[Request], Answer], by_hand: str = ""
) -> tuple[str, bool]:
    """Ask, and the answer in words; True where it was not done. `by_hand` is what else a person
    can do then."""
    verb = request.verb
    ending = f". {by_hand}" if by_hand else ""
    try:
        answer = ask(request)
    except (Unreachable, OSError, ValueError) as error:
        what = "NO ANSWER, may not be done" if isinstance(request, Kill) else "NOT DONE"
        return f"{verb}: {what}: {error}{ending}", True
    if not answer.get("ok"):
        why = answer.get("error", "the engine did not say why")
        return f"{verb}: NOT DONE: {why}{ending}", True
    if "told" in answer:
        return f"{verb}: {answer['told']}", False
    if not answer.get("durable", True):
        return f"{verb}: in force, but NOT STORED: it would not survive a restart", True
    if "differences" in answer:
        return _compared(verb, answer)
    if isinstance(request, AccountRequest):
        return f"{verb}: done for {request.va or 'all accounts'}", False
    return f"{verb}: done", False


def _compared(verb: str, answer: Answer) -> tuple[str, bool]:
    text = f"{verb}: done, {counted(answer['differences'], 'difference')}"
    frozen = ", ".join(f"{va} ({why})" for va, why in answer.get("frozen", {}).items())
    return (f"{text}; frozen: {frozen}", True) if frozen else (text, False)
