"""The three standard streams, whatever state the process got them in.

A shell may close them (`>&-`), a supervisor too. Then the next file that is opened would get the
number of the stream, and what is written to the stream would go into that file, be it the database;
and Python has no object to write to. Invariant after `open_all`: numbers 0 to 2 are taken, and
`sys.stdin`, `sys.stdout` and `sys.stderr` can be used.
"""

import os
import sys
from contextlib import suppress

_STANDARD = (0, 1, 2)


def open_all() -> None:
    """Put the null device in the place of every stream that is closed."""
    for number in _STANDARD:
        try:
            os.fstat(number)
        except OSError:
            _put_null(number)
    if sys.stdin is None:
        sys.stdin = os.fdopen(0, closefd=False)
    if sys.stdout is None:
        sys.stdout = os.fdopen(1, "w", closefd=False)
    if sys.stderr is None:
        sys.stderr = os.fdopen(2, "w", closefd=False)


def discard_output() -> None:
    """Let what standard output still holds go nowhere: it could not be written, and trying again at
    the end of the process would only fail again."""
    with suppress(OSError):
        _put_null(1)


def _put_null(number: int) -> None:
    null = os.open(os.devnull, os.O_RDWR)
    if null != number:
        os.dup2(null, number)
        os.close(null)
