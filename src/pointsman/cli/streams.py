"""The three standard streams, whatever state the process got them in.

A shell may close them (`>&-`), a supervisor too. Then the next file that is opened would get the
number of the stream, and what is written to the stream would go into that file, be it the database;
and Python has no object to write to. Invariants after `open_all`: numbers 0 to 2 are taken,
`sys.stdin`, `sys.stdout` and `sys.stderr` can be used, and an error of standard output says that it
is one, where its disk is full or nobody reads it any more.
"""

import io
import os
import sys
from contextlib import suppress
from typing import Any

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
    if sys.stdout is sys.__stdout__ and isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout = _with_name(sys.stdout)
    if sys.stderr is None:
        sys.stderr = os.fdopen(2, "w", closefd=False)


class _Output(io.FileIO):
    """Standard output, which an error of it names."""

    def write(self, data: Any) -> int:
        """Write what fits. Raises OSError."""
        try:
            return super().write(data)
        except OSError as error:
            error.filename = "standard output"
            raise


def _with_name(stream: io.TextIOWrapper) -> io.TextIOWrapper:
    """A stream in the place of `stream`, with the same ways."""
    stream.flush()
    return io.TextIOWrapper(
        io.BufferedWriter(_Output(1, "w", closefd=False)),
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )


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
