"""Crashes: the process dies at a boundary.

A crash is an exception that nothing in the engine catches. What was not committed is gone with the
queue that held it; what was sent is at the venue; nothing else survives.
"""

from enum import StrEnum


class Crash(BaseException):
    """The process died here."""


class Boundary(StrEnum):
    """Where it may die."""

    BEFORE_COMMIT = "before_commit"
    AFTER_COMMIT = "after_commit"
    BEFORE_PROJECTION = "before_projection"
    AFTER_PROJECTION = "after_projection"
    AFTER_SEND = "after_send"


class CrashTrap:
    """Dies at the chosen boundary, the `skipped`-th time that it is passed after `arm`."""

    def __init__(self) -> None:
        self._boundary: Boundary | None = None
        self._skipped = 0

    def arm(self, boundary: Boundary, skipped: int) -> None:
        """Die at this boundary, after it has been passed so often."""
        self._boundary, self._skipped = boundary, skipped

    def disarm(self) -> None:
        self._boundary = None

    def passes(self, boundary: Boundary) -> None:
        """Say that a boundary is being passed. Raises Crash."""
        if boundary is not self._boundary:
            return
        if self._skipped == 0:
            self._boundary = None
            raise Crash(boundary.value)
        self._skipped -= 1
