"""The flags that say how files of quotes are laid out."""

from decimal import Decimal

import pytest
import typer

from pointsman.cli.quote_options import layout_of
from pointsman.market.layout import FORMATS, Layout


def layout(
    name: str | None = None,
    columns: list[str] | None = None,
    symbol: str | None = None,
    size: str | None = None,
    separator: str | None = None,
    decimal_comma: bool = False,
    no_header: str | None = None,
) -> Layout:
    return layout_of(name, columns, symbol, size, separator, decimal_comma, no_header)


def test_without_flags_a_file_is_one_of_ours() -> None:
    assert layout() == Layout()
    assert layout().facts() == []


def test_each_flag_changes_one_thing() -> None:
    assert layout("truefx") == FORMATS["truefx"]
    assert layout("truefx", size="500").size == 500
    assert layout(columns=["ts=when", "bid=b"]).columns == {"ts": "when", "bid": "b"}
    assert layout("tardis", columns=["ts=local_timestamp"]).columns["ts"] == "local_timestamp"
    assert layout("tardis", columns=["ts=local_timestamp"]).columns["bid"] == "bid_price"
    assert layout(symbol="binance:eth/usdt").symbol == "ETH/USDT"
    assert layout(size="0.5").size == Decimal("0.5")
    assert layout(separator="tab").separator == "\t"
    assert layout(separator=";", decimal_comma=True).has_decimal_comma
    assert layout(no_header="ts, bid,-,ask,-").names == ("ts", "bid", "-", "ask", "-")


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        ({"name": "dukascopi"}, "did you mean dukascopy"),
        ({"columns": ["ts"]}, "write OURS=THEIRS, such as ts=ts_utc"),
        ({"columns": ["price=bid"]}, "before the =, which are ts, symbol"),
        ({"symbol": "EUR USD"}, "write a symbol"),
        ({"size": "0"}, "above 0"),
        ({"size": "1e6"}, "plain decimal"),
        ({"separator": "::"}, "one character"),
        ({"separator": "a"}, "one character"),
        ({"no_header": "ts,price"}, "price: name ts, symbol"),
        ({"no_header": "ts,ts"}, "once each"),
        ({"no_header": "ts,bid", "columns": ["ts=a"]}, "need no --column"),
    ],
)
def test_what_cannot_be_is_refused_with_what_to_write(flags: dict[str, object], named: str) -> None:
    with pytest.raises(typer.BadParameter, match=named):
        layout(**flags)  # type: ignore[arg-type]
