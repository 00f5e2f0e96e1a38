"""Layouts: files of vendors by name, files that are said by flags, and what a refusal says."""

from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from pointsman.domain.market import Quote
from pointsman.market.file_clock import StampFormat
from pointsman.market.layout import (
    FORMATS,
    ONE_SYMBOL,
    Layout,
    read_decimal_comma,
    read_number,
)
from pointsman.market.lines import UnreadableFile
from pointsman.market.recorded import RecordedMarket

NOON_NS = 1_767_614_400_000_000_000
"""2026-01-05T12:00:00Z."""
OWN = "ts,symbol,bid,bid_size,ask,ask_size"

FILES = {
    "dukascopy": (
        "timestamp,askPrice,bidPrice,askVolume,bidVolume\n"
        "1767614400000,1.10002,1.10001,0.900000035762787,1.5\n",
        Quote("EURUSD", NOON_NS, Decimal("1.10001"), Decimal(1_500_000), Decimal("1.10002"),
              Decimal(900_000)),
    ),
    "dukascopy-web": (
        "Local time,Ask,Bid,AskVolume,BidVolume\n"
        "05.01.2026 13:00:00.000 GMT+0100,1.1000199999999998,1.10001,0.9,1.5\n",
        Quote("EURUSD", NOON_NS, Decimal("1.10001"), Decimal(1_500_000), Decimal("1.10002"),
              Decimal(900_000)),
    ),
    "dukascopy-web-gmt": (
        "Gmt time,Ask,Bid,AskVolume,BidVolume\n"
        "05.01.2026 12:00:00.000,1.10002,1.10001,0.9,1.5\n",
        Quote("EURUSD", NOON_NS, Decimal("1.10001"), Decimal(1_500_000), Decimal("1.10002"),
              Decimal(900_000)),
    ),
    "truefx": (
        "EUR/USD,20260105 12:00:00.000,1.10001,1.10002\n",
        Quote("EUR/USD", NOON_NS, Decimal("1.10001"), Decimal(1_000_000), Decimal("1.10002"),
              Decimal(1_000_000)),
    ),
    "histdata": (
        "20260105 070000000,1.100010,1.100020,0\n",
        Quote("EURUSD", NOON_NS, Decimal("1.100010"), Decimal(1_000_000), Decimal("1.100020"),
              Decimal(1_000_000)),
    ),
    "binance-bookticker": (
        "update_id,best_bid_price,best_bid_qty,best_ask_price,best_ask_qty,transaction_time,"
        "event_time\n7,93000.10,6.009,93000.20,44.757,1767614400000,1767614400003\n",
        Quote("EURUSD", NOON_NS, Decimal("93000.10"), Decimal("6.009"), Decimal("93000.20"),
              Decimal("44.757")),
    ),
    "polygon": (
        "ticker,ask_exchange,ask_price,ask_size,bid_exchange,bid_price,bid_size,conditions,"
        "indicators,participant_timestamp,sequence_number,sip_timestamp,tape,trf_timestamp\n"
        "AAPL,11,193.72,2,12,193.71,3,1,,1767614399999000000,5,1767614400000000000,3,0\n",
        Quote("AAPL", NOON_NS, Decimal("193.71"), Decimal(3), Decimal("193.72"), Decimal(2)),
    ),
    "tardis": (
        "exchange,symbol,timestamp,local_timestamp,ask_amount,ask_price,bid_price,bid_amount\n"
        "binance,BTCUSDT,1767614400000000,1767614400000100,44.757,93000.20,93000.10,6.009\n",
        Quote("BTCUSDT", NOON_NS, Decimal("93000.10"), Decimal("6.009"), Decimal("93000.20"),
              Decimal("44.757")),
    ),
}  # fmt: skip
"""A file of each vendor, and the quote in it."""


def layout(name: str) -> Layout:
    symbol = "EURUSD" if name in ONE_SYMBOL else None
    return msgspec.structs.replace(FORMATS[name], symbol=symbol)


def written(folder: Path, text: str) -> Path:
    path = folder / "quotes.csv"
    path.write_text(text)
    return path


def refusal(path: Path, said: Layout | None = None) -> str:
    with pytest.raises(UnreadableFile) as caught:
        RecordedMarket([path], said)
    return str(caught.value)


def test_each_format_has_a_file_here() -> None:
    assert FILES.keys() == FORMATS.keys()


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_of_a_vendor_is_read_under_its_name(tmp_path: Path, name: str) -> None:
    text, quote = FILES[name]
    market = RecordedMarket([written(tmp_path, text)], layout(name))
    assert list(market.quotes()) == [quote]
    assert market.bad_rows == 0


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "dukascopy-web"])
def test_a_file_of_a_vendor_without_its_name_is_refused_with_the_flags_to_use(
    tmp_path: Path, name: str
) -> None:
    said = refusal(written(tmp_path, FILES[name][0]))
    assert f"--format {name}" in said
    assert ("--symbol SYMBOL" in said) is (name in ONE_SYMBOL)


@pytest.mark.parametrize("name", ["dukascopy-web", "dukascopy-web-gmt"])
def test_a_day_that_may_be_a_month_is_not_guessed(tmp_path: Path, name: str) -> None:
    path = written(tmp_path, FILES[name][0])
    said = {"ts": FORMATS[name].columns["ts"], "bid_size": "BidVolume", "ask_size": "AskVolume"}
    market = RecordedMarket([path], Layout(columns=said, symbol="EURUSD"))
    assert list(market.quotes()) == []
    (bad,) = market.first_bad_rows
    assert bad.field == "ts"
    assert f"use --format {name}, else" in bad.remedy


def test_a_local_time_without_a_zone_is_not_guessed(tmp_path: Path) -> None:
    text = FILES["dukascopy-web-gmt"][0]
    said = msgspec.structs.replace(
        layout("dukascopy-web"), columns=FORMATS["dukascopy-web"].columns | {"ts": "Gmt time"}
    )
    market = RecordedMarket([written(tmp_path, text)], said)
    assert list(market.quotes()) == []
    (bad,) = market.first_bad_rows
    assert "use --format dukascopy-web-gmt" in bad.remedy


@pytest.mark.parametrize(
    ("text", "said", "remedy"),
    [
        ("ts,bid,bid_size,ask,ask_size\n", Layout(), "--symbol EURUSD"),
        ("ts,symbol,bid,ask\n", Layout(), "--size 1000000"),
        ("ts;symbol;bid;bid_size;ask;ask_size\n", Layout(), "--separator ';'"),
        ("ts\tsymbol\tbid\tbid_size\task\task_size\n", Layout(), "--separator '\\t'"),
        ("2026-01-05T12:00:00Z,AAPL,1.5,10,1.6,20\n", Layout(), "it has no header"),
        ("when,symbol,bid,bid_size,ask,ask_size\n", Layout(), "--column ts=NAME"),
        (f"{OWN}\n", Layout(symbol="X"), "leave --symbol out"),
        (f"{OWN}\n", Layout(size=Decimal(1)), "leave --size out"),
        (f"{OWN},Bid\n", Layout(), "say which one it is with --column bid=NAME"),
        ("x\n", Layout(names=("ts", "bid", "ask")), "--symbol EURUSD"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_with_the_flag_to_use(
    tmp_path: Path, text: str, said: Layout, remedy: str
) -> None:
    assert remedy in refusal(written(tmp_path, text), said)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "TS;Symbol;Bid;Bid Size;Ask;AskSize\n2026-01-05T12:00:00Z;x;1,5;10;1,6;20\n",
            Layout(separator=";", has_decimal_comma=True),
        ),
        (
            '"Timestamp",SYMBOL,Bid,BidSize,Ask,Ask_Size\n1767614400,x,"1,5",10,"1,6",20\n',
            Layout(has_decimal_comma=True),
        ),
        (
            "1767614400,q,1.6,20,1.5,10\n",
            Layout(names=("ts", "-", "ask", "ask_size", "bid", "bid_size"), symbol="X"),
        ),
        (f"{OWN}\r1767614400,x,1.5e0,1e+01,1.6,20\r", Layout()),
        (f"{OWN}\r\n1767614400,x,1.4999999999999998,10,1.6,20\r\n", Layout()),
    ],
)
def test_one_quote_in_many_layouts(tmp_path: Path, text: str, said: Layout) -> None:
    path = tmp_path / "quotes.csv"
    path.write_bytes(text.encode())
    market = RecordedMarket([path], said)
    wanted = Quote("X", NOON_NS, Decimal("1.5"), Decimal(10), Decimal("1.6"), Decimal(20))
    assert (list(market.quotes()), market.bad_rows) == ([wanted], 0)


def test_a_decimal_comma_is_never_taken_for_another_number() -> None:
    for text in ("193,71", "1,000"):
        with pytest.raises(ValueError, match="--decimal-comma"):
            read_number(text)
    assert read_decimal_comma("193,71") == Decimal("193.71")
    for text in ("1.000,5", "1,000,5", "193.71"):
        with pytest.raises(ValueError, match=r"comma|plain decimal"):
            read_decimal_comma(text)


def test_a_time_of_another_clock_says_how_one_of_this_looks() -> None:
    for clock in StampFormat:
        assert clock is StampFormat.STANDARD or clock.read(clock.example) > 0
    with pytest.raises(ValueError, match=r"20260105 14:30:01\.123"):
        StampFormat.COMPACT_UTC.read("2026-01-05 14:30:01.123")
