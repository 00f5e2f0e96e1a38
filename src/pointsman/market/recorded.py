"""Recorded quotes: CSV files, plain or gzip, read as one stream in time order.

A row is taken as it stands or not at all. One that cannot be read, or whose stamp is bad
(`stamps`), is skipped, counted and remembered with its place. One that can be read is a
quote whatever its numbers say: zero, negative, crossed, infinite, not a number, or blank (taken as
NaN) make it an invalid quote, which says that there was no market to trade on (RULES 4).
"""

import heapq
from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter
from pathlib import Path

import msgspec

from pointsman.domain.market import Quote
from pointsman.domain.signal_text import shown
from pointsman.market.layout import COLUMNS, ColumnPlaces, Layout, placed, read_named
from pointsman.market.lines import Line, UnreadableFile, digest_files, read_lines
from pointsman.market.stamps import Row, in_time_order

BAD_ROWS_KEPT_MAX = 20
"""How many bad rows are kept in full; all are counted."""


class BadRow(msgspec.Struct, frozen=True):
    """A row that was skipped: where it stands, which cell is at fault, and how to fix it."""

    file: str
    line: int
    field: str
    value: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.field}={self.value!r}: {self.remedy}"


class RecordedMarket:
    """The quotes of one or more files, merged by time; at equal times in the order of the files.

    `layout` says how the files are laid out. `first_bad_rows` holds the first of the `bad_rows`, in
    the order in which they were read; `unused_files` those files that were read to their end and
    held no quote. The constructor opens every file and reads its header; it raises UnreadableFile
    where one cannot be opened or does not fit the layout.
    """

    def __init__(self, paths: Sequence[Path], layout: Layout | None = None) -> None:
        self._paths = tuple(paths)
        self._layout = Layout() if layout is None else layout
        self.rows = 0
        self.bad_rows = 0
        self.first_bad_rows: list[BadRow] = []
        self.unused_files: list[Path] = []
        for path in self._paths:
            _placed(path, read_lines(path), self._layout)

    def quotes(self) -> Iterator[Quote]:
        """The quotes from the first on; `rows` and the bad rows are counted along, from zero."""
        self.rows = 0
        self.bad_rows = 0
        self.first_bad_rows = []
        self.unused_files = []
        streams = (self._in_order(path) for path in self._paths)
        one_by_one = next(streams) if len(self._paths) == 1 else _merged(streams)
        for quote in one_by_one:
            self.rows += 1
            yield quote

    def digest(self) -> str:
        """SHA-256 over the files' bytes, in order, and their layout."""
        return digest_files(self._paths, *self._layout.facts())

    def _in_order(self, path: Path) -> Iterator[Quote]:
        """The quotes of one file by their stamps."""

        def skip(row: Row, remedy: str) -> None:
            line, _, stamp = row
            self.skip(path, line, "ts", stamp, remedy)

        return in_time_order(self.rows_in(path, read_lines(path)), skip)

    def rows_in(self, path: Path, lines: Iterator[Line]) -> Iterator[Row]:
        """The rows of one file, or of a stream that `path` stands for, whatever their stamps say.
        Raises UnreadableFile for a header that does not fit the layout."""
        header = _placed(path, lines, self._layout)
        width = header.width
        ts_at, symbol_at, bid_at, bid_size_at, ask_at, ask_size_at = header.places
        read_ts, read_price, read_size = header.read_ts, header.read_price, header.read_size
        separator, is_plain = header.separator, not header.constant
        is_used = False
        for number, text, problem in lines:
            if not text and not problem:
                continue
            is_split = is_plain and '"' not in text
            cells = text.split(separator) if is_split else header.cells(text)
            try:
                ts_ns = read_ts(cells[ts_at].strip())
                if problem or len(cells) != width:
                    raise ValueError
                symbol, exchange = read_named(cells[symbol_at])
                quote = Quote(
                    symbol=symbol,
                    ts_ns=ts_ns,
                    bid=read_price(cells[bid_at]),
                    bid_size=read_size(cells[bid_size_at]),
                    ask=read_price(cells[ask_at]),
                    ask_size=read_size(cells[ask_size_at]),
                    exchange=exchange,
                )
            except (ValueError, IndexError):
                fault = ("row", text, problem) if problem else _fault(cells, header)
                self.skip(path, number, *fault)
                continue
            is_used = True
            yield number, quote, cells[ts_at]
        if not is_used:
            self.unused_files.append(path)

    def skip(self, path: Path, line: int, field: str, value: str, remedy: str) -> None:
        """Count a bad row, and remember it if it is one of the first."""
        self.bad_rows += 1
        if len(self.first_bad_rows) < BAD_ROWS_KEPT_MAX:
            self.first_bad_rows.append(BadRow(str(path), line, field, shown(value), remedy))


def _merged(streams: Iterable[Iterator[Quote]]) -> Iterator[Quote]:
    return heapq.merge(*streams, key=attrgetter("ts_ns"))


def _placed(path: Path, lines: Iterator[Line], layout: Layout) -> ColumnPlaces:
    """Take the header, where there is one, and find our columns."""
    if layout.names:
        return placed(path, "", layout)
    _, text, problem = next(lines, (0, "", "it is empty"))
    if problem:
        remedy = f"start it with a header that names {','.join(COLUMNS)}"
        raise UnreadableFile(path, problem, remedy)
    return placed(path, text, layout)


def _fault(cells: list[str], header: ColumnPlaces) -> tuple[str, str, str]:
    """Why a row is bad: the field, its value and what to write."""
    constants = len(header.constant)
    if len(cells) != header.width:
        own = cells[: len(cells) - constants]
        remedy = f"write {header.width - constants} cells, as in the header"
        return "row", header.separator.join(own), remedy
    for name, place, read in zip(COLUMNS, header.places, header.readers, strict=True):
        try:
            read(cells[place].strip())
        except ValueError as problem:
            return name, cells[place], str(problem)
    raise AssertionError("every cell of this row can be read")
