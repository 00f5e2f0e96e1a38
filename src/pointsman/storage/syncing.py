"""What was written lasts once the disk was asked to keep it; the name of a new file, once its
folder was."""

import os
from pathlib import Path


def sync(path: Path) -> None:
    """Have the disk keep a file or folder as it is now. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
