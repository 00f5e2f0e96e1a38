"""The last comparisons with the venue: when, how they ended, and how many reports they supplied.

The loop's thread notes them; any other may ask.
"""

from pointsman.domain.events import Compared, Event
from pointsman.domain.timestamps import iso
from pointsman.reading.documents import Document

KEPT = 100
"""How many of the newest are kept."""


class Comparisons:
    """The comparisons of one run."""

    def __init__(self) -> None:
        self._documents: tuple[Document, ...] = ()

    def note(self, event: Event) -> None:
        """Told of each turn."""
        if isinstance(event, Compared):
            self._documents = (*self._documents[1 - KEPT :], _document(event))

    def documents(self) -> tuple[Document, ...]:
        """Those that are kept, oldest first."""
        return self._documents


def _document(compared: Compared) -> Document:
    result = "incomplete"
    if compared.is_complete:
        result = "mismatch" if compared.differences else "ok"
    return {
        "at": iso(compared.taken_at_ns),
        "result": result,
        "differences": compared.differences,
    }
