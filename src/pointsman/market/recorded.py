"""Recorded quotes: CSV files, plain or gzip, read as one stream in time order.

A row is taken as it stands or not at all. One that cannot be read, or that is earlier than the row
before it in its file, is skipped, counted and remembered with its place. One that can be read is a
quote whatever its numbers say: zero, negative, crossed, infinite, not a number, or blank (taken as
NaN) make it an invalid quote, which says that there was no market to trade on (RULES 4).
"""

import csv
import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

import msgspec

from pointsman.domain.market import Quote
from pointsman.domain.money import parse_decimal
from pointsman.domain.signal_text import parse_symbol, shown
from pointsman.domain.timestamps import parse_ts
from pointsman.market.lines import Line, UnreadableFile, digest_files, read_lines

COLUMNS = ("ts", "symbol", "bid", "bid_size", "ask", "ask_size")
"""What a row must say, by our names."""

BAD_ROWS_KEPT_MAX = 20
"""So many bad rows are remembered in full; all are counted."""

_OTHER_NAMES = {"ts": ("ts_utc", "timestamp", "time")}
"""What files also call our columns; the first that is there counts."""

_CACHE_LEN_MAX = 65_536
_HEADER_SHOWN_MAX = 200
_NO_PRICE = Decimal("NaN")
_SPECIAL_NUMBERS = {
    "": _NO_PRICE,
    "nan": _NO_PRICE,
    "inf": Decimal("Infinity"),
    "infinity": Decimal("Infinity"),
    "-inf": Decimal("-Infinity"),
    "-infinity": Decimal("-Infinity"),
}


class BadRow(msgspec.Struct, frozen=True):
    """A row that was skipped: where it stands, which cell is at fault, and what would do."""

    file: str
    line: int
    field: str
    value: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.field}={self.value!r}: {self.remedy}"


class _Header(NamedTuple):
    """How many cells a row has, and where in it ours stand, in the order of COLUMNS."""

    width: int
    places: tuple[int, ...]


class RecordedMarket:
    """The quotes of one or more files, merged by time; at equal times in the order of the files.

    `columns` says what the files call our columns where that is something else: ours to theirs.
    `first_bad_rows` holds the first of the `bad_rows`, in the order in which they were read. The
    constructor opens every file and reads its header; it raises UnreadableFile where one cannot be
    opened or lacks a column, and ValueError where `columns` names a column that is not ours.
    """

    def __init__(self, paths: Sequence[Path], columns: Mapping[str, str] | None = None) -> None:
        self._paths = tuple(paths)
        self._columns = dict(columns or {})
        if unknown := sorted(self._columns.keys() - set(COLUMNS)):
            raise ValueError(
                f"columns {', '.join(unknown)}: only {', '.join(COLUMNS)} can be mapped"
            )
        self.rows = 0
        self.bad_rows = 0
        self.first_bad_rows: list[BadRow] = []
        for path in self._paths:
            _read_header(path, read_lines(path), self._columns)

    def quotes(self) -> Iterator[Quote]:
        """The quotes from the first on; `rows` and the bad rows are counted along, from zero."""
        self.rows = 0
        self.bad_rows = 0
        self.first_bad_rows = []
        streams = (self.quotes_in(path, read_lines(path)) for path in self._paths)
        for quote in heapq.merge(*streams, key=attrgetter("ts_ns")):
            self.rows += 1
            yield quote

    def digest(self) -> str:
        """SHA-256 over the files' bytes, in order, and the mapping of columns."""
        facts = [f"{ours}={theirs}" for ours, theirs in sorted(self._columns.items())]
        return digest_files(self._paths, *facts)

    def quotes_in(self, path: Path, lines: Iterator[Line]) -> Iterator[Quote]:
        """The quotes of one file, or of a stream that `path` stands for. Raises UnreadableFile for
        a header that lacks a column."""
        header = _read_header(path, lines, self._columns)
        width, (ts_at, symbol_at, bid_at, bid_size_at, ask_at, ask_size_at) = header
        previous_ns = 0
        for number, text, problem in lines:
            if not text and not problem:
                continue
            cells = text.split(",") if '"' not in text else _unquoted(text)
            try:
                ts_ns = parse_ts(cells[ts_at].strip())
                if problem or len(cells) != width or ts_ns < previous_ns:
                    raise ValueError
                quote = Quote(
                    _symbol(cells[symbol_at]),
                    ts_ns,
                    _number(cells[bid_at]),
                    _number(cells[bid_size_at]),
                    _number(cells[ask_at]),
                    _number(cells[ask_size_at]),
                )
            except (ValueError, IndexError):
                fault = ("row", text, problem) if problem else _fault(cells, header)
                self._skip(path, number, *fault)
                continue
            previous_ns = ts_ns
            yield quote

    def _skip(self, path: Path, line: int, field: str, value: str, remedy: str) -> None:
        self.bad_rows += 1
        if len(self.first_bad_rows) < BAD_ROWS_KEPT_MAX:
            self.first_bad_rows.append(BadRow(str(path), line, field, shown(value), remedy))


def _read_header(path: Path, lines: Iterator[Line], columns: Mapping[str, str]) -> _Header:
    """Take the first line and find our columns in it."""
    _, text, problem = next(lines, (0, "", "it is empty"))
    remedy = f"start it with a header that names {','.join(COLUMNS)}, or map its names to these"
    if problem:
        raise UnreadableFile(path, problem, remedy)
    names = [name.strip() for name in _unquoted(text)]
    places = []
    for ours in COLUMNS:
        candidates = (columns[ours],) if ours in columns else (ours, *_OTHER_NAMES.get(ours, ()))
        found = [name for name in candidates if name in names]
        if not found or names.count(found[0]) > 1:
            how_many = "more than one" if found else "no"
            why = f"{how_many} column {candidates[0]} in its header {text[:_HEADER_SHOWN_MAX]!a}"
            raise UnreadableFile(path, why, remedy)
        places.append(names.index(found[0]))
    return _Header(len(names), tuple(places))


def _fault(cells: list[str], header: _Header) -> tuple[str, str, str]:
    """Why a row is bad: the field, its value and what would do."""
    if len(cells) != header.width:
        return "row", ",".join(cells), f"write {header.width} cells, as in the header"
    for name, place, read in zip(COLUMNS, header.places, _READERS, strict=True):
        try:
            read(cells[place].strip())
        except ValueError as problem:
            return name, cells[place], str(problem)
    return "ts", cells[header.places[0]], "sort the file by time: it is earlier than the row before"


def _unquoted(text: str) -> list[str]:
    """The cells of a line that may be quoted. A quotation mark left open gives one single cell."""
    try:
        return next(csv.reader([text], strict=True), [])
    except csv.Error:
        return [text]


_symbol = lru_cache(maxsize=_CACHE_LEN_MAX)(parse_symbol)


@lru_cache(maxsize=_CACHE_LEN_MAX)
def _number(text: str) -> Decimal:
    """A price or a size; cached, since a file says few different ones many times."""
    text = text.strip()
    special = _SPECIAL_NUMBERS.get(text.lower())
    return parse_decimal(text) if special is None else special


_READERS: tuple[Callable[[str], object], ...] = (parse_ts, _symbol, *[_number] * 4)
"""Who reads the cells of COLUMNS."""
