"""The watch on the files that an engine holds open: removed or replaced ones hold new risk.

It looks once a second, on the thread that looks at the kill latch. Invariants (RULES 60): while a
file is not at its path, or another one is, no entry leaves and readiness names the file; each loss
is reported once; a file that is put back lifts the hold. The kill latch watches its own file, since
it can make that again.
"""

from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path

from pointsman.storage.file_identity import Identity, fault_of

_NEWS_LEN_MAX = 100


class FilesLost(Exception):
    """The run is over, and a file that it wrote to is not at its path: what it decided last is not
    kept there."""


class FileWatch:
    """Looks at files. `hold` is called at each look with why entries are held back, with an empty
    text where they are not. `lost` and `take_news` may be used from other threads than `look`."""

    def __init__(self, files: Mapping[Path, Identity], hold: Callable[[str], None]) -> None:
        self._files = dict(files)
        self._hold = hold
        self._lost: dict[Path, str] = {}
        self._news: deque[tuple[Path, str]] = deque(maxlen=_NEWS_LEN_MAX)

    def look(self) -> None:
        """Look at every file once."""
        faults = {path: fault_of(path, opened) for path, opened in self._files.items()}
        before, self._lost = self._lost, {path: told for path, told in faults.items() if told}
        self._hold("; ".join(_short(path, told) for path, told in self._lost.items()))
        self._news.extend((path, told) for path, told in self._lost.items() if path not in before)

    def lost(self) -> dict[str, str]:
        """What is wrong, by the name of the file."""
        return {path.name: told for path, told in self._lost.items()}

    def take_news(self) -> list[tuple[Path, str]]:
        """The files that were lost since this was last asked, and how."""
        return [self._news.popleft() for _ in range(len(self._news))] if self._news else []

    def require_all(self) -> None:
        """At the end of a run. Raises FilesLost where a file is not there or not its own."""
        self.look()
        if self._lost:
            raise FilesLost(
                f"{'; '.join(self._lost.values())}. What was decided since then is not in it; "
                "put the file back before the next start, which checks what is there"
            )


def _short(path: Path, told: str) -> str:
    """What is wrong with a file, with its name in the place of its path."""
    return told.replace(str(path), path.name)
