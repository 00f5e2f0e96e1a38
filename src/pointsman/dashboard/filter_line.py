"""The line in which a filter is typed, in place of the keys while it is open."""

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Input

LENGTH_MAX = 60


class FilterLine(Input):
    """Takes a text to look for; each character counts at once. Enter keeps it, escape drops it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "drop", show=False)]

    class Closed(Message):
        """Typing is over; `is_kept` says whether the filter stays."""

        def __init__(self, *, is_kept: bool) -> None:
            super().__init__()
            self.is_kept = is_kept

    def __init__(self) -> None:
        placeholder = "filter: account, symbol, reason, id …   enter: keep   escape: show all"
        super().__init__(id="filter", placeholder=placeholder, max_length=LENGTH_MAX, compact=True)
        self.display = False

    def open(self) -> None:
        """Begin to type."""
        self.value = ""
        self.display = True
        self.focus()

    def action_drop(self) -> None:
        """Look for nothing."""
        self._close(is_kept=False)

    async def action_submit(self) -> None:
        """Keep what is typed."""
        self._close(is_kept=True)

    def _close(self, *, is_kept: bool) -> None:
        self.display = False
        self.post_message(self.Closed(is_kept=is_kept))
