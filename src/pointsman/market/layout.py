"""How a file of quotes is laid out: which column says what, and in which form.

A file of our own needs nothing said: its header names our columns. For any other file a `Layout`
says what the header calls them, or their order where there is no header, and what the file leaves
out. `FORMATS` has the layouts of vendors by name. Nothing is guessed: a file that does not fit is
refused, and the refusal names the flag that would make it fit.
"""

import csv
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import msgspec

from pointsman.domain.money import floor_to, parse_machine_decimal, plain
from pointsman.domain.signal_values import exchange_of, parse_symbol
from pointsman.domain.timestamps import parse_ts
from pointsman.market.file_clock import StampFormat
from pointsman.market.lines import UnreadableFile

COLUMNS = ("ts", "symbol", "bid", "bid_size", "ask", "ask_size")
"""What a row must say, by our names."""

OTHER = "-"
"""Stands in `names` for a column that says nothing to us."""

_OTHER_NAMES = {"ts": ("ts_utc", "timestamp", "time")}
"""What files also call our columns; the first that is there counts."""

_CACHE_LEN_MAX = 65_536
_HEADER_SHOWN_MAX = 100
_ONE = Decimal(1)
_NO_PRICE = Decimal("NaN")
_SPECIAL_NUMBERS = {
    "": _NO_PRICE,
    "nan": _NO_PRICE,
    "inf": Decimal("Infinity"),
    "infinity": Decimal("Infinity"),
    "-inf": Decimal("-Infinity"),
    "-infinity": Decimal("-Infinity"),
}
_DECIMAL_COMMA = re.compile(r"[+-]?[0-9]+,[0-9]+")


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """`columns` says what the header calls our columns: ours to theirs. `names` are the columns in
    order, by our names or OTHER, of a file without a header. `symbol` and `size` stand for columns
    that the file lacks; `size_unit` is how many units one of its sizes counts, and where that is
    not one, sizes are rounded down to whole units."""

    columns: dict[str, str] = {}
    names: tuple[str, ...] = ()
    separator: str = ","
    has_decimal_comma: bool = False
    symbol: str | None = None
    size: Decimal | None = None
    size_unit: Decimal = _ONE
    clock: StampFormat = StampFormat.STANDARD

    def facts(self) -> list[str]:
        """What tells this layout from another, for the identity of a run."""
        said = [f"{ours}={theirs}" for ours, theirs in sorted(self.columns.items())]
        for name in self.__struct_fields__[1:]:
            value = getattr(self, name)
            if value != getattr(_PLAIN, name):
                shown = value.name if isinstance(value, StampFormat) else value
                said.append(f"{name}: {shown}")
        return said


_PLAIN = Layout()
_FX_SIZE = Decimal(1_000_000)
_DUKASCOPY_WEB = {"bid": "Bid", "bid_size": "BidVolume", "ask": "Ask", "ask_size": "AskVolume"}

FORMATS: dict[str, Layout] = {
    "dukascopy": Layout(
        columns={
            "ts": "timestamp",
            "bid": "bidPrice",
            "bid_size": "bidVolume",
            "ask": "askPrice",
            "ask_size": "askVolume",
        },
        size_unit=Decimal(1_000_000),
    ),
    "dukascopy-web": Layout(
        columns={"ts": "Local time", **_DUKASCOPY_WEB},
        size_unit=Decimal(1_000_000),
        clock=StampFormat.DAY_FIRST,
    ),
    "dukascopy-web-gmt": Layout(
        columns={"ts": "Gmt time", **_DUKASCOPY_WEB},
        size_unit=Decimal(1_000_000),
        clock=StampFormat.DAY_FIRST_UTC,
    ),
    "truefx": Layout(
        names=("symbol", "ts", "bid", "ask"), size=_FX_SIZE, clock=StampFormat.COMPACT_UTC
    ),
    "histdata": Layout(
        names=("ts", "bid", "ask", OTHER), size=_FX_SIZE, clock=StampFormat.COMPACT_EST
    ),
    "binance-bookticker": Layout(
        columns={
            "ts": "transaction_time",
            "bid": "best_bid_price",
            "bid_size": "best_bid_qty",
            "ask": "best_ask_price",
            "ask_size": "best_ask_qty",
        },
    ),
    "polygon": Layout(
        columns={
            "ts": "sip_timestamp",
            "symbol": "ticker",
            "bid": "bid_price",
            "ask": "ask_price",
        },
    ),
    "tardis": Layout(
        columns={
            "ts": "timestamp",
            "symbol": "symbol",
            "bid": "bid_price",
            "bid_size": "bid_amount",
            "ask": "ask_price",
            "ask_size": "ask_amount",
        },
    ),
}
"""The layouts of vendors by name."""

ONE_SYMBOL = tuple(
    name for name, layout in FORMATS.items() if "symbol" not in (*layout.columns, *layout.names)
)
"""The formats whose files do not say their symbol."""


class ColumnPlaces(NamedTuple):
    """Where in a row our columns stand, in the order of COLUMNS, and who reads them. `width` is how
    many cells a row has; `constant` is put behind them, for what the file leaves out."""

    width: int
    places: tuple[int, ...]
    constant: tuple[str, ...]
    separator: str
    read_ts: Callable[[str], int]
    read_price: Callable[[str], Decimal]
    read_size: Callable[[str], Decimal]

    @property
    def readers(self) -> tuple[Callable[[str], object], ...]:
        """Who reads the cells of COLUMNS."""
        price, size = self.read_price, self.read_size
        return (self.read_ts, read_symbol, price, size, price, size)

    def cells(self, text: str) -> list[str]:
        """The cells of a row. A quotation mark left open gives one single cell."""
        found = text.split(self.separator) if '"' not in text else unquoted(text, self.separator)
        return [*found, *self.constant] if self.constant else found


def placed(path: Path, first_line: str, layout: Layout) -> ColumnPlaces:
    """Find our columns in a file whose first line is given. Raises UnreadableFile, naming the flag
    that would make the file fit."""
    if layout.names:
        names, candidates = list(layout.names), {ours: [ours] for ours in COLUMNS}
    else:
        names = [_squeezed(name) for name in unquoted(first_line, layout.separator)]
        candidates = {ours: _candidates(ours, layout.columns) for ours in COLUMNS}
    given = _given(layout)
    places: list[int] = []
    constant: list[str] = []
    for ours in COLUMNS:
        found = [name for name in candidates[ours] if name in names]
        if ours in given and not found:
            places.append(len(names) + len(constant))
            constant.append(given[ours])
        elif ours not in given and found and names.count(found[0]) == 1:
            places.append(names.index(found[0]))
        else:
            name = found[0] if found else layout.columns.get(ours, ours)
            raise _unfit(path, first_line, layout, ours, name, names.count(name))
    read = read_decimal_comma if layout.has_decimal_comma else read_number
    return ColumnPlaces(
        width=len(names) + len(constant),
        places=tuple(places),
        constant=tuple(constant),
        separator=layout.separator,
        read_ts=_read_ts if layout.clock is StampFormat.STANDARD else layout.clock.read,
        read_price=read,
        read_size=read if layout.size_unit == _ONE else _sizes_in(layout.size_unit, read),
    )


def _given(layout: Layout) -> dict[str, str]:
    """What stands for columns that the file lacks."""
    given = {} if layout.symbol is None else {"symbol": layout.symbol}
    if layout.size is not None:
        given |= dict.fromkeys(("bid_size", "ask_size"), plain(layout.size))
    return given


def _candidates(ours: str, columns: Mapping[str, str]) -> list[str]:
    said = (columns[ours],) if ours in columns else (ours, *_OTHER_NAMES.get(ours, ()))
    return [_squeezed(name) for name in said]


def _squeezed(name: str) -> str:
    """A name as it is compared: `Bid Size` is `bid_size`."""
    return re.sub(r"[\s_]", "", name).lower()


def unquoted(text: str, separator: str) -> list[str]:
    """The cells of a line that may be quoted. A quotation mark left open gives one single cell."""
    try:
        return next(csv.reader([text], strict=True, delimiter=separator), [])
    except csv.Error:
        return [text]


# --- why a file does not fit ----------------------------------------------------------------------


def _unfit(
    path: Path, first_line: str, layout: Layout, ours: str, name: str, times: int
) -> UnreadableFile:
    """The refusal of a file in which our column `ours`, there called `name`, stands `times` times
    where it must stand once, or not at all since it is given."""
    shown = first_line[:_HEADER_SHOWN_MAX]
    where = "the columns that were named" if layout.names else f"its header {shown!a}"
    how_many = "more than one" if times > 1 else "no" if times == 0 else "already a"
    remedy = _remedy(first_line, layout, ours) if times == 0 else _one_of(ours, times)
    return UnreadableFile(path, f"{how_many} column {name} in {where}", remedy)


def _one_of(ours: str, times: int) -> str:
    if times > 1:
        return f"say which one it is with --column {ours}=NAME"
    return "leave --symbol out" if ours == "symbol" else "leave --size out"


def _remedy(first_line: str, layout: Layout, ours: str) -> str:
    """What to write where a column is missing."""
    known = _recognised(first_line)
    if known and FORMATS[known] != msgspec.structs.replace(layout, symbol=None):
        has_none = "has no header and " if FORMATS[known].names else ""
        return f"it {has_none}looks like a file of {known}: use --format {known}{_also(known)}"
    if separator := _other_separator(first_line, layout.separator):
        comma = ", and --decimal-comma where numbers are written 193,71"
        return f"its cells are separated by {separator!r}: use --separator {separator!a}{comma}"
    if not layout.names and _is_data(first_line):
        return f"it has no header: name its columns in order, --no-header {','.join(COLUMNS)}"
    if ours == "symbol":
        return "name its one symbol with --symbol EURUSD, or its column with --column symbol=NAME"
    if ours in ("bid_size", "ask_size"):
        return f"name it with --column {ours}=NAME, or say --size 1000000 where there are no sizes"
    return (
        f"name it with --column {ours}=NAME, or start the file with a header that names"
        f" {','.join(COLUMNS)}"
    )


def _also(name: str) -> str:
    return " --symbol SYMBOL" if name in ONE_SYMBOL else ""


def _recognised(first_line: str) -> str | None:
    """The format that a first line belongs to."""
    cells = unquoted(first_line, ",")
    names = {_squeezed(cell) for cell in cells}
    for name, layout in FORMATS.items():
        if layout.names:
            stamp = layout.names.index("ts")
            if len(cells) == len(layout.names) and layout.clock.match(cells[stamp]):
                return name
        elif names >= {_squeezed(theirs) for theirs in layout.columns.values()}:
            return name
    return None


def _other_separator(first_line: str, separator: str) -> str | None:
    """What separates the cells, where it is not what was said."""
    for other in (";", "\t", "|", ","):
        if other != separator and len(first_line.split(other)) > max(
            3, len(first_line.split(separator))
        ):
            return other
    return None


def _is_data(first_line: str) -> bool:
    """Whether a first line holds numbers, as no header does."""
    cells = (cell.strip() for cell in unquoted(first_line, ","))
    return any(cell and cell[0].isdigit() for cell in cells)


# --- reading cells --------------------------------------------------------------------------------


def _read_ts(text: str) -> int:
    try:
        return parse_ts(text)
    except ValueError:
        for name in ("dukascopy-web", "dukascopy-web-gmt"):
            if FORMATS[name].clock.match(text):
                raise ValueError(
                    "whether day or month comes first is not guessed; if the file is from"
                    f" Dukascopy's web site use --format {name}, else write ISO-8601 such as"
                    " 2018-01-02T14:30:00.115Z"
                ) from None
        raise


read_symbol = lru_cache(maxsize=_CACHE_LEN_MAX)(parse_symbol)


@lru_cache(maxsize=_CACHE_LEN_MAX)
def read_named(text: str) -> tuple[str, str | None]:
    """The symbol in a cell, and the exchange that it is named with."""
    return parse_symbol(text), exchange_of(text)


@lru_cache(maxsize=_CACHE_LEN_MAX)
def read_number(text: str) -> Decimal:
    """A price or a size; cached, since a file says few different ones many times. NaN, infinity
    and an empty cell are numbers here: they make an invalid quote (RULES 4, 64)."""
    text = text.strip()
    special = _SPECIAL_NUMBERS.get(text.lower())
    if special is not None:
        return special
    if _DECIMAL_COMMA.fullmatch(text):
        raise ValueError("it has a decimal comma: use --decimal-comma, or write a decimal point")
    return parse_machine_decimal(text)


@lru_cache(maxsize=_CACHE_LEN_MAX)
def read_decimal_comma(text: str) -> Decimal:
    """As `read_number`, of a file whose numbers have decimal commas."""
    if "." in text:
        raise ValueError("with --decimal-comma write a decimal comma and no points")
    return read_number(text.replace(",", ".", 1))


def _sizes_in(unit: Decimal, read: Callable[[str], Decimal]) -> Callable[[str], Decimal]:
    """A reader of sizes that count `unit` units each, rounded down to whole units."""

    def read_size(text: str) -> Decimal:
        size = read(text)
        return floor_to(size * unit, _ONE) if size.is_finite() else size

    return read_size
