"""Where measurements keep their files: on the disk of the checkout, since a temporary folder of the
system may be in memory, where nothing costs what it costs a user."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

RUNS = Path(__file__).resolve().parents[1] / "runs"


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A new folder, removed at the end."""
    RUNS.mkdir(exist_ok=True)
    with TemporaryDirectory(dir=RUNS, prefix="bench-") as name:
        yield Path(name)
