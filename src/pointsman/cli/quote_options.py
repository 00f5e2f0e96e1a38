"""The flags of `run` that say how files of quotes are laid out: from flags to a `Layout`.

`--format NAME` is the layout of a vendor, and each other flag changes one thing of it. What cannot
be is refused with the flag and what to write.
"""

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import typer

from pointsman.cli.options import flag

if TYPE_CHECKING:
    from pointsman.market.layout import Layout

FormatName = Annotated[
    str | None,
    typer.Option(
        "--format",
        metavar="NAME",
        help="Quotes as a vendor writes them: dukascopy, dukascopy-web,"
        " dukascopy-web-gmt, truefx, histdata, binance-bookticker, polygon, tardis.",
    ),
]
ColumnNames = Annotated[
    list[str] | None,
    typer.Option("--column", metavar="OURS=THEIRS", help="Name of a column; repeatable."),
]
FixedSymbol = Annotated[
    str | None,
    typer.Option("--symbol", metavar="SYMBOL", help="The one symbol of files without a column."),
]
FixedSize = Annotated[
    str | None,
    typer.Option("--size", metavar="N", help="Displayed size of files without sizes, in units."),
]
Separator = Annotated[
    str | None,
    typer.Option("--separator", metavar="C", help="What separates cells, such as ';' or tab."),
]
DecimalComma = Annotated[bool, flag("Numbers are written 193,71.", "--decimal-comma")]
NoHeader = Annotated[
    str | None,
    typer.Option(
        "--no-header",
        metavar="COLUMNS",
        help="No header: the columns in order, by our names, - for others.",
    ),
]


def layout_of(
    name: str | None,
    columns: list[str] | None,
    symbol: str | None,
    size: str | None,
    separator: str | None,
    decimal_comma: bool,
    no_header: str | None,
) -> "Layout":
    """The layout that the flags of a run say. Raises typer.BadParameter."""
    import msgspec

    from pointsman.market.layout import Layout

    base = _format(name) if name is not None else Layout()
    changes: dict[str, object] = {}
    if columns:
        changes["columns"] = base.columns | _columns(columns)
    if symbol is not None:
        changes["symbol"] = _symbol(symbol)
    if size is not None:
        changes["size"] = _size(size)
    if separator is not None:
        changes["separator"] = _separator(separator)
    if decimal_comma:
        changes["has_decimal_comma"] = True
    if no_header is not None:
        changes["names"] = _names(no_header)
    layout = msgspec.structs.replace(base, **changes)
    if layout.names and layout.columns:
        raise typer.BadParameter(
            "columns that are named in order need no --column", param_hint="--no-header"
        )
    return layout


def _format(name: str) -> "Layout":
    from pointsman.config.problems import did_you_mean
    from pointsman.market.layout import FORMATS

    if name not in FORMATS:
        hint = did_you_mean(name, FORMATS)
        known = ", ".join(FORMATS)
        raise typer.BadParameter(f"{name}: use one of {known}{hint}", param_hint="--format")
    return FORMATS[name]


def _columns(pairs: list[str]) -> dict[str, str]:
    from pointsman.market.layout import COLUMNS

    columns = {}
    for pair in pairs:
        ours, found, theirs = pair.partition("=")
        if not found or not ours or not theirs:
            raise typer.BadParameter(
                f"{pair}: write OURS=THEIRS, such as ts=ts_utc", param_hint="--column"
            )
        if ours not in COLUMNS:
            known = ", ".join(COLUMNS)
            raise typer.BadParameter(
                f"{ours}: use one of our columns before the =, which are {known}",
                param_hint="--column",
            )
        columns[ours] = theirs
    return columns


def _symbol(text: str) -> str:
    from pointsman.domain.signal_text import parse_symbol

    try:
        return parse_symbol(text)
    except ValueError as problem:
        raise typer.BadParameter(f"{text}: {problem}", param_hint="--symbol") from None


def _size(text: str) -> Decimal:
    from pointsman.config.values import decimal_reader

    try:
        return decimal_reader(above="0")(text)
    except ValueError as problem:
        raise typer.BadParameter(f"{text}: {problem}", param_hint="--size") from None


def _separator(text: str) -> str:
    separator = {"tab": "\t", "\\t": "\t"}.get(text, text)
    if len(separator) != 1 or separator.isalnum() or separator in "\"-.:+' \r\n":
        raise typer.BadParameter(
            f"{text!r}: write one character such as ; or |, or tab", param_hint="--separator"
        )
    return separator


def _names(text: str) -> tuple[str, ...]:
    from pointsman.market.layout import COLUMNS, OTHER

    names = tuple(name.strip() for name in text.split(","))
    for name in names:
        if name != OTHER and (name not in COLUMNS or names.count(name) > 1):
            known = ", ".join(COLUMNS)
            raise typer.BadParameter(
                f"{name}: name {known} once each, and {OTHER} for any other column",
                param_hint="--no-header",
            )
    return names
