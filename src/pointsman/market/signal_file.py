"""Signals from a file: JSON Lines, one object a line, plain or gzip.

A line is a signal or a problem with its place, and one bad line does not stop the rest. Lines come
in the order of the file, whatever their times say: when a signal arrives the engine decides.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from pointsman.domain.signal_text import SignalProblem, parse_signal
from pointsman.domain.signals import Signal
from pointsman.market.lines import Line, digest_files, read_lines


class SignalLine(msgspec.Struct, frozen=True):
    """A good line. `ts_ns` is when it arrives in a recorded run: its own stamp, if it has one."""

    line: int
    ts_ns: int | None
    signal: Signal


class BadSignal(msgspec.Struct, frozen=True):
    """A line that is no signal: which field, what it held, and what would do."""

    line: int
    field: str
    value: str
    remedy: str


class SignalFile:
    """The signals of one file. The constructor raises UnreadableFile where it cannot be opened."""

    def __init__(self, path: Path) -> None:
        self._path = path
        next(read_lines(path), None)

    def lines(self) -> Iterator[SignalLine | BadSignal]:
        """The lines in order, without the blank ones."""
        return signals_in(read_lines(self._path))

    def digest(self) -> str:
        """SHA-256 over the file's bytes."""
        return digest_files([self._path])


def signals_in(lines: Iterable[Line]) -> Iterator[SignalLine | BadSignal]:
    """The signals of lines, from a file or as they come, without the blank ones."""
    for number, text, problem in lines:
        if problem:
            yield BadSignal(number, "line", text, problem)
        elif text and not text.isspace():
            yield _read(number, text)


def _read(number: int, text: str) -> SignalLine | BadSignal:
    try:
        signal = parse_signal(text)
    except SignalProblem as problem:
        return BadSignal(number, problem.field, problem.value, problem.remedy)
    return SignalLine(number, signal.ts_ns, signal)
