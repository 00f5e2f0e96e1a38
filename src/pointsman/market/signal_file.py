"""Signals from a file: JSON Lines, one object a line, plain or gzip.

A line is a signal or a problem with its place, and one bad line does not stop the rest. Invariants:

* a signal is decided at its own stamp, also where the file is not in the order of time: up to
  SORTED_LINES_MAX lines it is sorted in memory, beyond that a line that is out of order is bad
  (RULES 65). A line without a stamp, or that cannot be read, stays behind the line before it;
* the same file gives the same lines in the same order, so that the last line that was decided says
  which are left.
"""

from collections.abc import Iterable, Iterator
from operator import itemgetter
from pathlib import Path

import msgspec

from pointsman.domain.disclosure import disclosed
from pointsman.domain.signal_text import SignalProblem, parse_signal, shown
from pointsman.domain.signals import Signal
from pointsman.market.lines import Line, UnreadableFile, digest_files, read_lines

SORTED_LINES_MAX = 1_000_000
"""A file of more lines is not sorted."""

KEPT_LINES_MAX = 10_000
"""The lines of a file that has no more are kept, so that it is read once."""


class SignalLine(msgspec.Struct, frozen=True):
    """A good line. `ts_ns` is when it arrives in a recorded run: its own stamp, if it has one."""

    line: int
    ts_ns: int | None
    signal: Signal


class BadSignal(msgspec.Struct, frozen=True):
    """A line that is not a signal: which field, what it held, and how to fix it."""

    line: int
    field: str
    value: str
    remedy: str


class SignalFile:
    """The signals of one file: `good_lines` is how many there are, `lines_early` how many of them
    are earlier than one before them, `first_early` the number of the first of these, and `undated`
    how many have no ts and stand before any that has one. The constructor reads the file; it
    raises UnreadableFile where it cannot be opened, or is JSON over several lines."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.good_lines = 0
        self.lines_early = 0
        self.first_early: int | None = None
        self.undated = 0
        self._read: list[SignalLine | BadSignal] = []
        count = newest_ns = 0
        for line in signals_in(_one_object_a_line(path)):
            count += 1
            if count <= KEPT_LINES_MAX:
                self._read.append(line)
            if isinstance(line, BadSignal):
                continue
            self.good_lines += 1
            if line.ts_ns is None and not newest_ns:
                self.undated += 1
            if line.ts_ns is not None and line.ts_ns < newest_ns:
                self.lines_early += 1
                self.first_early = self.first_early or line.line
            newest_ns = max(newest_ns, line.ts_ns or 0)
        if count > KEPT_LINES_MAX:
            self._read.clear()
        self.is_sorted_here = self.lines_early > 0 and count <= SORTED_LINES_MAX

    def lines(self, after: int = 0) -> Iterator[SignalLine | BadSignal]:
        """The lines in the order in which they are decided, without the blank ones; those that come
        after the line of number `after`."""
        lines = iter(self._read) if self._read else signals_in(read_lines(self.path))
        if self.is_sorted_here:
            return iter(_left(_sorted(lines), after))
        if self.lines_early:
            lines = _in_order_only(lines)
        return lines_after(lines, after)

    def told(self) -> tuple[str, ...]:
        """What a person should know of the file before it is used."""
        if not self.lines_early:
            return ()
        then = "each is decided at its own ts"
        if not self.is_sorted_here:
            then = f"they are refused, since the file has more than {SORTED_LINES_MAX:,} lines"
        return (
            f"{self.path}: {self.lines_early} signals are earlier than one before them, the first"
            f" on line {self.first_early}; {then}",
        )

    def told_of_recorded(self) -> tuple[str, ...]:
        """The same where the quotes are recorded: a signal arrives at its ts, and one without any
        before the first quote."""
        if not self.undated:
            return self.told()
        which = f"{self.undated} {'signal has' if self.undated == 1 else 'signals have'} no ts"
        then = "decided before the first quote (NO_QUOTE for an entry); give each a ts"
        are = "is" if self.undated == 1 else "are"
        return (*self.told(), f"{self.path}: {which} and {are} {then}")

    def digest(self) -> str:
        """SHA-256 over the file's bytes."""
        return digest_files([self.path])


def _one_object_a_line(path: Path) -> Iterator[Line]:
    """The lines of a file. Raises UnreadableFile where the first says that it is one JSON document
    over several."""
    is_first = True
    for line in read_lines(path):
        text = line[1].strip()
        if is_first and text and (text == "{" or text.startswith("[")):
            is_array = text.startswith("[")
            what = "a JSON array" if is_array else "a JSON object over several lines"
            wanted = f"write one object a line, as `jq -c {'.[]' if is_array else '.'}` does"
            raise UnreadableFile(path, f"it is {what}", wanted)
        is_first = is_first and not text
        yield line


def _sorted(lines: Iterable[SignalLine | BadSignal]) -> list[SignalLine | BadSignal]:
    """Lines in the order of their stamps, those of one stamp in the order of the file."""
    placed, at_ns = [], 0
    for line in lines:
        if isinstance(line, SignalLine) and line.ts_ns is not None:
            at_ns = line.ts_ns
        placed.append((at_ns, line))
    placed.sort(key=itemgetter(0))
    return [line for _, line in placed]


def _left(lines: list[SignalLine | BadSignal], after: int) -> list[SignalLine | BadSignal]:
    """What follows the line of number `after` in a list that is not in the order of the numbers."""
    taken = next((place for place, line in enumerate(lines, 1) if line.line == after), 0)
    return lines[taken:]


def _in_order_only(lines: Iterable[SignalLine | BadSignal]) -> Iterator[SignalLine | BadSignal]:
    """Lines as they come; a signal that is earlier than one before it is a bad line."""
    newest_ns = 0
    for line in lines:
        ts_ns = line.ts_ns if isinstance(line, SignalLine) else None
        if ts_ns is not None and ts_ns < newest_ns:
            remedy = "sort the file by ts: it is earlier than a line before it"
            yield BadSignal(line.line, "ts", shown(ts_ns), remedy)
            continue
        newest_ns = max(newest_ns, ts_ns or 0)
        yield line


def lines_after(
    lines: Iterable[SignalLine | BadSignal], after: int
) -> Iterator[SignalLine | BadSignal]:
    """The lines with higher numbers than `after`."""
    return (line for line in lines if line.line > after)


def signals_in(lines: Iterable[Line]) -> Iterator[SignalLine | BadSignal]:
    """The signals of lines, from a file or as they come, without the blank ones."""
    for number, text, problem in lines:
        if problem:
            yield BadSignal(number, "line", disclosed(text), problem)
        elif text and not text.isspace():
            yield _read(number, text)


def _read(number: int, text: str) -> SignalLine | BadSignal:
    try:
        signal = parse_signal(text)
    except SignalProblem as problem:
        return BadSignal(number, problem.field, problem.value, problem.remedy)
    return SignalLine(number, signal.ts_ns, signal)
