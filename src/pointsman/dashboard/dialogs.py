"""What opens over the panels: kill, pause, flatten, the story of a signal, help.

A dialog that changes something says first what it will do and has it confirmed: the kill by its
word, with or without a reason, flattening by its word and a reason, the pause by its reason.
Escape leaves every one of them without any effect.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import ClassVar

from rich.console import RenderableType
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from pointsman.dashboard.cells import Picture, Row, quantity_text
from pointsman.dashboard.places import COLUMNS_MIN, LINES_MIN
from pointsman.dashboard.theme import ALARM, FAINT, STRONG, WAIT, result
from pointsman.engine.kill_request import asker
from pointsman.engine.requests import NO_REASON, Flatten, Kill, Pause, Request, Resume
from pointsman.terminal.text import printable

REASON_LENGTH_MAX = 200

POSITIONS_SHOWN = 6
"""How many positions the dialog that closes them names."""

WIDTHS = [(0, "-narrow"), (COLUMNS_MIN, "-wide-enough")]
HEIGHTS = [(0, "-low"), (LINES_MIN, "-high-enough")]
"""From which size on the dialog of the kill is of which class."""


class Dialog(ModalScreen[Request | None]):
    """A dialog: its answer is a request for the engine, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", show=False),
        # First, so that what is typed right behind it goes into the next line already.
        Binding("tab", "app.focus_next", show=False, priority=True),
    ]

    def action_leave(self) -> None:
        """Close without effect."""
        self.dismiss(None)

    def _ask_for(self, line: Input, words: str) -> None:
        hint = Text().append(words, style=WAIT).append("escape: leave", style=FAINT)
        self.query_one("#hint", Static).update(hint)
        line.focus()


class KillDialog(Dialog):
    """Presses the kill switch. Only the word does, in any case; the reason may be left out. It fits
    into a terminal that is too small for anything else."""

    HORIZONTAL_BREAKPOINTS = WIDTHS
    VERTICAL_BREAKPOINTS = HEIGHTS
    WORDS: ClassVar[dict[str, bool]] = {"KILL": False, "FLATTEN": True}
    """The words that press it, and whether each also closes everything."""

    def compose(self) -> ComposeResult:
        """The two words, what each does, and two lines to type in."""
        what = Text().append("Kill switch\n", style=ALARM)
        what.append("\nKILL     ", style=STRONG)
        what.append("no new risk: entries are cancelled, stops stay")
        what.append("\nFLATTEN  ", style=STRONG)
        what.append("the same, and every position is closed at market")
        what.append("\n\nIt holds across restarts, until `pointsman rearm`.", style=FAINT)
        brief = Text("Kill switch: ", style=ALARM).append("FLATTEN closes all too", style="")
        with Vertical(classes="dialog alarm"):
            yield Static(what, id="long")
            yield Static(brief, id="brief")
            yield Input(placeholder="type KILL or FLATTEN", id="word", max_length=10)
            yield Input(placeholder="reason (optional)", id="reason", max_length=REASON_LENGTH_MAX)
            yield _hint("enter: press it   escape: leave")

    def on_input_submitted(self) -> None:
        """Press it, once the word is there."""
        line = self.query_one("#word", Input)
        word = line.value.strip().upper()
        if word in self.WORDS:
            reason = self.query_one("#reason", Input).value.strip() or NO_REASON
            self.dismiss(Kill(flatten=self.WORDS[word], reason=reason, by=_asker()))
            return
        self._ask_for(line, "Type KILL (or FLATTEN) to confirm. ")


class PauseDialog(Dialog):
    """Pauses entries of one account or of all, or resumes them; the target's status says which."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "choose(-1)", show=False),
        Binding("down", "choose(1)", show=False),
    ]

    def __init__(self, picture: Picture, selected: str | None) -> None:
        super().__init__()
        self._is_all_paused: bool = picture["trading_state"] == "REDUCING"
        self._targets: list[Row | None] = [None, *picture["accounts"]]
        ids = [None, *(row["va_id"] for row in picture["accounts"])]
        self._at = 0 if self._is_all_paused or selected not in ids else ids.index(selected)

    def compose(self) -> ComposeResult:
        """What will be done to whom, and a line for the reason."""
        with Vertical(classes="dialog"):
            yield Static(id="what")
            yield Input(placeholder="reason", id="reason", max_length=REASON_LENGTH_MAX)
            yield _hint("enter: do it   up, down: another account   escape: leave")

    def on_mount(self) -> None:
        """Say what the answer would do."""
        self.action_choose(0)

    @property
    def _is_resume(self) -> bool:
        target = self._targets[self._at]
        if target is None:
            return self._is_all_paused
        return target["status"] in ("paused", "frozen", "stopped")

    def action_choose(self, step: int) -> None:
        """The next account, or all of them."""
        self._at = (self._at + step) % len(self._targets)
        target = self._targets[self._at]
        who = "all accounts" if target is None else printable(target["va_id"])
        what = Text().append(f"{'Resume' if self._is_resume else 'Pause'} {who}\n", style=STRONG)
        if target is not None:
            # Without the seconds that are left, which would stand still here.
            is_cooling = target["status"] == "cooldown"
            status = "in cooldown" if is_cooling else printable(target["status_text"])
            what.append(f"\nIt is: {status}")
        effect = (
            "Entries are allowed again. A freeze is lifted after a comparison."
            if self._is_resume
            else "No new entries. Exits and stops continue."
        )
        what.append(f"\n{effect}")
        self.query_one("#what", Static).update(what)

    def on_input_submitted(self) -> None:
        """Do it, once there is a reason."""
        line = self.query_one("#reason", Input)
        reason = line.value.strip()
        if not reason:
            self._ask_for(line, "Give a reason: it is stored. ")
            return
        target = self._targets[self._at]
        va_id = None if target is None else target["va_id"]
        kind = Resume if self._is_resume else Pause
        self.dismiss(kind(va=va_id, reason=reason, by=_asker()))


class FlattenDialog(Dialog):
    """Closes at market all that one account holds. Only the word does, with a reason."""

    WORD = "FLATTEN"

    def __init__(self, va_id: str, held: Sequence[Row]) -> None:
        super().__init__()
        self._va_id = va_id
        self._held = held

    def compose(self) -> ComposeResult:
        """What will be closed, and two lines to type in."""
        what = Text().append(f"Flatten {printable(self._va_id)}\n", style=ALARM)
        for row in self._held[:POSITIONS_SHOWN]:
            what.append(f"\n{row['side']} {quantity_text(row)} {printable(row['symbol'])}  ")
            what.append_text(result(Decimal(row["unrealized"])))
        if len(self._held) > POSITIONS_SHOWN:
            what.append(f"\nand {len(self._held) - POSITIONS_SHOWN} more")
        what.append("\n\nAll of it is closed at market. It may enter again afterwards.", FAINT)
        with Vertical(classes="dialog alarm"):
            yield Static(what, id="what")
            yield Input(placeholder=f"type {self.WORD}", id="word", max_length=10)
            yield Input(placeholder="reason", id="reason", max_length=REASON_LENGTH_MAX)
            yield _hint("enter: do it   escape: leave")

    def on_input_submitted(self) -> None:
        """Do it, once word and reason are there."""
        word, reason = self.query_one("#word", Input), self.query_one("#reason", Input)
        if word.value.strip().upper() != self.WORD:
            self._ask_for(word, f"Type {self.WORD} to confirm. ")
        elif not reason.value.strip():
            self._ask_for(reason, "Give a reason: it is stored. ")
        else:
            why = reason.value.strip()
            self.dismiss(Flatten(va=self._va_id, reason=why, by=_asker()))


class Reading(Dialog):
    """Something to read, as large as the terminal: any of the usual keys closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "leave", show=False),
        Binding("question_mark", "leave", show=False),
        Binding("enter", "leave", show=False),
    ]

    def __init__(self, title: str, body: RenderableType) -> None:
        super().__init__()
        self._title = title
        self._body = body

    def compose(self) -> ComposeResult:
        """The text, which scrolls, and how to leave."""
        with Vertical(classes="reading"):
            with VerticalScroll():
                yield Static(self._body)
            yield _hint(f"{self._title}   arrows: scroll   escape: back")

    def on_mount(self) -> None:
        """Let the arrows scroll at once."""
        self.query_one(VerticalScroll).focus()


def _hint(words: str) -> Static:
    return Static(Text().append(words, style=FAINT), id="hint")


def _asker() -> str:
    return f"{asker()}, dashboard"
