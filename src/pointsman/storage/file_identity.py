"""Which file is at a path: the one that was opened, another, or none.

A file that was removed or replaced still takes writes from the process that holds it open, and all
of them are gone when the process ends (RULES 60). Only its device and inode tell.
"""

from pathlib import Path

Identity = tuple[int, int]
"""Device and inode. A hard link or a bind mount of a file has the same, a copy another."""


def identity_of(path: Path) -> Identity | None:
    """The identity of the file at a path, None where there is none. Raises OSError where that
    is not known."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def fault_of(path: Path, opened: Identity) -> str:
    """Why the file at a path is not the one that was opened; empty where it is."""
    try:
        found = identity_of(path)
    except OSError as error:
        return f"{path} cannot be looked at: {error.strerror}"
    if found is None:
        return f"{path} was removed while the engine ran"
    return "" if found == opened else f"{path} was replaced by another file while the engine ran"


def identities(paths: tuple[Path, ...]) -> dict[Path, Identity]:
    """The identity of each file that exists."""
    found = {path: identity_of(path) for path in paths}
    return {path: identity for path, identity in found.items() if identity is not None}
