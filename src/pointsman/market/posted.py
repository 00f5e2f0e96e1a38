"""Quotes that are posted in batches: JSON, JSON Lines or CSV, stamped by the sender (RULES 35).

A batch is read as a recorded file is, row by row, each as it stands or not at all. Invariants
across batches: no quote is older than one of its symbol that was taken before, so that a
batch sent again moves nothing back; and none is stamped far ahead of this machine's clock, for it
would make every true quote after it look old.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec

from pointsman.domain.market import Quote
from pointsman.domain.signal_text import shown
from pointsman.market.layout import COLUMNS
from pointsman.market.lines import Line, UnreadableFile
from pointsman.market.live_rows import LiveRows
from pointsman.market.recorded import BAD_ROWS_KEPT_MAX, RecordedMarket

ROWS_MAX = 1_000
"""The most rows of a batch."""

_FORM = f"send an object with {', '.join(COLUMNS)}"
_BATCH = f'send {{"quotes": [...]}} with at most {ROWS_MAX} rows'
_SORT = "sort the batch by time: it is earlier than the row of its symbol before it"
_HEADER_LINES = 2
"""The first row stands on this line, counted from 1, in every form."""


class BadQuote(msgspec.Struct, frozen=True):
    """A row that was not taken: its place among the rows, from 0, and how to fix it."""

    index: int
    field: str
    value: str
    remedy: str


class UnreadableBatch(Exception):
    """A batch of which nothing can be read; the text says how to fix it."""


class QuoteBatch(msgspec.Struct, frozen=True):
    """The quotes of a batch in order, the first of its bad rows, and how many there are."""

    quotes: list[Quote]
    bad: list[BadQuote]
    bad_rows: int


class PostedQuotes:
    """Reads batches; `rows` decides which stamps are good."""

    def __init__(self, rows: LiveRows) -> None:
        self._rows = rows
        self._exchanges: dict[str, str] = {}

    def read(self, lines: Sequence[Line], now_ns: int) -> QuoteBatch:
        """The quotes of a batch that comes at `now_ns`. Raises UnreadableBatch."""
        if len(lines) > ROWS_MAX + 1:
            raise UnreadableBatch(f"{len(lines) - 1} rows; send at most {ROWS_MAX} at once")
        market = RecordedMarket(())
        newest: dict[str, int] = {}
        quotes: list[Quote] = []
        bad: list[BadQuote] = []
        try:
            for line, quote, stamp in market.rows_in(Path("the batch"), iter(lines)):
                is_late = quote.ts_ns < newest.get(quote.symbol, 0)
                remedy = _SORT if is_late else self._rows.problem(quote, now_ns)
                other = self._other_exchange(quote)
                if remedy:
                    self._rows.skipped.skip(quote.symbol, now_ns, remedy)
                    bad.append(BadQuote(line - _HEADER_LINES, "ts", shown(stamp), remedy))
                elif other:
                    named = f"{quote.exchange}:{quote.symbol}"
                    bad.append(BadQuote(line - _HEADER_LINES, "symbol", shown(named), other))
                else:
                    newest[quote.symbol] = quote.ts_ns
                    quotes.append(quote)
        except UnreadableFile as problem:
            wanted = f"start it with a header that names {','.join(COLUMNS)}"
            raise UnreadableBatch(f"{problem.why}; {wanted}") from problem
        count = len(bad) + market.bad_rows
        bad += [
            BadQuote(row.line - _HEADER_LINES, row.field, row.value, row.remedy)
            for row in market.first_bad_rows
        ]
        bad.sort(key=lambda row: row.index)
        if market.bad_rows:
            self._rows.skipped.skip("", now_ns, "a posted row cannot be read")
        return QuoteBatch(quotes, bad[:BAD_ROWS_KEPT_MAX], count)

    def note(self, taken: Sequence[Quote], now_ns: int) -> None:
        """Remember what was taken at `now_ns`."""
        for quote in taken:
            self._rows.note(quote, now_ns)
            if quote.exchange is not None:
                self._exchanges[quote.symbol] = quote.exchange

    def _other_exchange(self, quote: Quote) -> str:
        """What is wrong with a quote of another exchange than those before it, else nothing: a
        symbol has one market here."""
        known = self._exchanges.get(quote.symbol)
        if quote.exchange is None or known is None or known == quote.exchange:
            return ""
        return f"the quotes of {quote.symbol} were those of {known} until now; send one exchange"


def csv_lines(text: str) -> list[Line]:
    """The lines of a CSV text with a header."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    lines = text.removesuffix("\n").split("\n")
    return [(number, line, "") for number, line in enumerate(lines, 1)]


def object_lines(text: str) -> list[Line]:
    """The rows of `{"quotes": [...]}` as lines under a header. Raises UnreadableBatch."""
    batch = _json(text)
    rows = batch.get("quotes") if isinstance(batch, dict) else None
    if not isinstance(rows, list):
        raise UnreadableBatch(_BATCH)
    return _under_header(map(_row, rows))


def json_lines(text: str) -> list[Line]:
    """The rows of JSON Lines as lines under a header."""
    return _under_header(map(_line, (line for line in text.split("\n") if line.strip())))


def _under_header(rows: Iterator[tuple[str, str]]) -> list[Line]:
    lines = chain(((",".join(COLUMNS), ""),), rows)
    return [(number, text, problem) for number, (text, problem) in enumerate(lines, 1)]


def _line(text: str) -> tuple[str, str]:
    try:
        return _row(_json(text))
    except UnreadableBatch:
        return shown(text), _FORM


def _row(row: object) -> tuple[str, str]:
    """A row as a line of CSV, and what is wrong with it."""
    if not isinstance(row, Mapping):
        return shown(row), _FORM
    missing = [name for name in COLUMNS if name not in row]
    if missing:
        return shown(row), f"it lacks {', '.join(missing)}; {_FORM}"
    return ",".join(_cell(row[name]) for name in COLUMNS), ""


def _cell(value: object) -> str:
    text = "" if value is None else value if isinstance(value, str) else shown(value)
    return '"' + text.replace('"', '""') + '"' if any(mark in text for mark in '",\n\r') else text


def _json(text: str) -> Any:
    """A JSON text, its numbers as the text that was sent. Raises UnreadableBatch."""
    try:
        return json.loads(
            text, parse_float=str, parse_int=str, parse_constant=str, object_pairs_hook=_object
        )
    except (ValueError, RecursionError) as problem:
        raise UnreadableBatch(f"{_BATCH} ({problem})") from problem


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError("a key appears twice in one object")
    return fields
