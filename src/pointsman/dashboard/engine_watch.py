"""What is known of the engine that is watched: its newest picture, and whether that is of now.

Invariant: nothing is claimed of an engine that is not known to run; of one elsewhere that is lost,
what it sent last stays, not what another one has left here.
"""

from pathlib import Path

from rich.text import Text

from pointsman.dashboard.cells import Picture
from pointsman.dashboard.links import PictureUpdate
from pointsman.dashboard.theme import ALARM
from pointsman.terminal.condition import Condition, EngineState, of_loop
from pointsman.terminal.text import printable

SILENT_SECONDS = 3.0  # not money: seconds
"""An engine that has sent nothing for this long hangs: a thread of its own sends a picture a
second, also with its loop stuck."""

PATH_LENGTH_MAX = 24
"""Characters of a path that stand in a notice, in the smallest terminal too."""


class EngineWatch:
    """The news of one engine. `is_remote` says that it is known by its address alone."""

    def __init__(self, is_remote: bool, at_seconds: float) -> None:
        self._is_remote = is_remote
        self._news: PictureUpdate | None = None
        self._heard_at = at_seconds
        self._incidents: set[str] | None = None
        self.newest: Picture | None = None
        """The newest picture that the engine itself has sent."""

    def take(self, news: PictureUpdate, at_seconds: float) -> bool:
        """Take in what has come. Whether the engine itself has sent it."""
        self._news, self._heard_at = news, at_seconds
        if not news.lost:
            self.newest = news.picture
        return not news.lost and news.picture is not None

    def is_back(self, news: PictureUpdate) -> bool:
        """Whether with this news an engine that was lost has been found again."""
        return self._news is not None and bool(self._news.lost) and not news.lost

    def has_new_incident(self) -> bool:
        """Whether there is an incident that was not there before; those of a start are none."""
        shown = [] if self.newest is None else self.newest["incidents"]
        before, self._incidents = self._incidents, {each["incident_id"] for each in shown}
        return before is not None and not self._incidents <= before

    @property
    def picture(self) -> Picture | None:
        """What to show: of a remote engine that is lost rather what it sent last than what is in a
        database here."""
        if self._news is None:
            return None
        stored, newest = self._news.picture, self.newest
        is_stored_shown = stored is not None and (newest is None or not self._is_remote)
        return stored if not self._news.lost or is_stored_shown else newest

    def condition(self, at_seconds: float) -> Condition | None:
        """What is known of an engine that is not simply running; None where it is."""
        if self._news is None:
            return None
        picture, state = self.picture, self._news.state
        as_of_ns = None if picture is None else int(picture["now_ns"])
        if self._news.lost:
            return Condition(state, self._news.lost, as_of_ns)
        silent = at_seconds - self._heard_at
        if silent >= SILENT_SECONDS:
            state = EngineState.UNREACHABLE if self._is_remote else EngineState.HUNG
            return Condition(state, f"it has sent nothing for {silent:.0f} s", as_of_ns)
        return None if picture is None else of_loop(picture)

    def trouble(self) -> list[Text]:
        """What has to be known of the picture beside the condition of its engine."""
        if self._news is None or not self._news.lost:
            return []
        picture = self.picture
        if picture is None:
            why = f"{_sentence(self._news.lost)}, and {printable(self._news.unread)}"
            return [Text(why, style=ALARM)]
        if not self._is_remote or picture is self.newest:
            return []
        where = f"of this machine: {_place(picture)}"
        return [
            Text("Retrying. Below may be ANOTHER engine's database,", style=ALARM),
            Text(where, style=ALARM),
        ]


def _sentence(words: str) -> str:
    return printable(words[:1].upper() + words[1:])


def _place(picture: Picture) -> str:
    """Where a database lies: all of its path, or the end that tells it from others."""
    path = printable(str(Path(picture["database"]).absolute()))
    return path if len(path) <= PATH_LENGTH_MAX else f"…{path[1 - PATH_LENGTH_MAX :]}"
