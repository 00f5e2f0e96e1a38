"""Recorded quotes: the real files whole, and damaged ones row by row."""

import csv
import gzip
from collections import Counter
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.domain.market import Quote
from pointsman.market.base import Market
from pointsman.market.layout import Layout
from pointsman.market.lines import UnreadableFile
from pointsman.market.recorded import BAD_ROWS_KEPT_MAX, RecordedMarket

HEADER = "ts,symbol,bid,bid_size,ask,ask_size"
OPEN_NS = 1_514_903_400_000_000_000
"""2018-01-02T14:30:00Z, the open of the recorded session."""
CLOSE_NS = OPEN_NS + 6 * 3_600_000_000_000 + 1_800_000_000_000


def file_of(folder: Path, *rows: str, header: str = HEADER, name: str = "quotes.csv") -> Path:
    path = folder / name
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def read(path: Path, **columns: str) -> tuple[list[Quote], RecordedMarket]:
    market = RecordedMarket([path], Layout(columns=columns))
    return list(market.quotes()), market


# --- real files -----------------------------------------------------------------------------------


def test_the_canonical_day_is_read_whole_and_exactly(shared_data: Path) -> None:
    """49,535 rows of the session and one after its close, as a plain CSV reader has them too."""
    path = shared_data / "canonical" / "xxx_2018-01-02.csv.gz"
    quotes, market = read(path)
    with gzip.open(path, "rt") as file:
        rows = list(csv.DictReader(file))
    assert (market.rows, market.bad_rows, market.first_bad_rows) == (len(rows), 0, [])
    assert len(quotes) == len(rows) == 49_536
    assert sum(OPEN_NS <= quote.ts_ns < CLOSE_NS for quote in quotes) == 49_535
    assert all(quote.is_valid for quote in quotes)
    for quote, row in zip(quotes, rows, strict=True):
        stamp = datetime.fromisoformat(row["ts"])
        assert quote.ts_ns == int(stamp.timestamp()) * 10**9 + stamp.microsecond * 1_000
        amounts = (quote.bid, quote.bid_size, quote.ask, quote.ask_size)
        assert [str(amount) for amount in amounts] == [row[name] for name in HEADER.split(",")[2:]]


def test_all_venues_of_the_day_are_read_and_51_rows_are_one_sided(shared_data: Path) -> None:
    quotes, market = read(
        shared_data / "us-stock" / "xxx_2018-01-02_quotes.csv.gz", ts="ts_utc", symbol="symbol"
    )
    assert (market.rows, market.bad_rows) == (66_695, 0)
    assert Counter(quote.is_valid for quote in quotes) == {True: 66_644, False: 51}
    assert all(0 in (quote.bid, quote.ask) for quote in quotes if not quote.is_valid)


def test_rule_59_numbers_that_passed_through_floats_are_read_without_their_noise(
    shared_data: Path,
) -> None:
    path = shared_data / "binance-spot" / "btcusdt_2021-01-08_quotes.csv.gz"
    quotes, market = read(path)
    assert (len(quotes), market.rows, market.bad_rows) == (451, 451, 0)
    assert all(quote.is_valid for quote in quotes)
    with gzip.open(path, "rt") as file:
        rows = list(csv.DictReader(file))
    noisy = [row["bid_size"] for row in rows if len(row["bid_size"].partition(".")[2]) > 12]
    assert noisy
    for quote, row in zip(quotes, rows, strict=True):
        assert abs(quote.bid_size - Decimal(row["bid_size"])) < Decimal("1e-9")


# --- columns --------------------------------------------------------------------------------------

GOOD = Quote("XXX", OPEN_NS, Decimal("1.5"), Decimal(10), Decimal("1.6"), Decimal(20))


@pytest.mark.parametrize(
    ("header", "row", "columns"),
    [
        (HEADER, "1514903400,XXX,1.5,10,1.6,20", {}),
        ("ask,ask_size,bid,bid_size,symbol,ts", "1.6,20,1.5,10,XXX,1514903400", {}),
        ("ts_utc,x,symbol,bid,bid_size,ask,ask_size", "1514903400,?,XXX,1.5,10,1.6,20", {}),
        ("timestamp,symbol,bid,bid_size,ask,ask_size", "1514903400,XXX,1.5,10,1.6,20", {}),
        ("time,symbol,bid,bid_size,ask,ask_size", "1514903400,XXX,1.5,10,1.6,20", {}),
        ("time,ts,symbol,bid,bid_size,ask,ask_size", "9,1514903400,XXX,1.5,10,1.6,20", {}),
        (
            "a,b,bid,bid_size,ask,ask_size",
            "1514903400,XXX,1.5,10,1.6,20",
            {"ts": "a", "symbol": "b"},
        ),
        ('"ts","symbol",bid,bid_size,ask,ask_size', '"1514903400","xxx",1.5,"10",1.6,20', {}),
        ("ts, symbol, bid, bid_size, ask, ask_size", "1514903400, xxx, 1.5, 10, 1.6, 20", {}),
    ],
)
def test_columns_stand_in_any_order_under_known_or_mapped_names(
    tmp_path: Path, header: str, row: str, columns: dict[str, str]
) -> None:
    quotes, market = read(file_of(tmp_path, row, header=header), **columns)
    assert (quotes, market.bad_rows) == ([GOOD], 0)


@pytest.mark.parametrize(
    ("header", "columns", "says"),
    [
        ("ts,symbol,bid,bid_size,ask", {}, "no column ask_size in its header 'ts,symbol,bid"),
        ("when,symbol,bid,bid_size,ask,ask_size", {}, "no column ts"),
        (HEADER, {"bid": "best_bid"}, "no column best_bid"),
        (HEADER + ",bid", {}, "more than one column bid"),
        ("", {}, "no column ts in its header ''"),
        ("1514903400,XXX,1.5,10,1.6,20", {}, "no column ts"),
    ],
)
def test_a_header_that_will_not_do_is_named_before_any_row_is_read(
    tmp_path: Path, header: str, columns: dict[str, str], says: str
) -> None:
    path = file_of(tmp_path, "1514903400,XXX,1.5,10,1.6,20", header=header)
    with pytest.raises(UnreadableFile) as caught:
        RecordedMarket([path], Layout(columns=columns))
    assert says in str(caught.value)
    assert str(path) in str(caught.value)
    assert "--" in caught.value.remedy


def test_an_empty_or_missing_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty.csv").touch()
    for name in ("empty.csv", "missing.csv"):
        with pytest.raises(UnreadableFile, match=name):
            RecordedMarket([tmp_path / name])


# --- rows -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "field", "value"),
    [
        ("yesterday,XXX,1.5,10,1.6,20", "ts", "yesterday"),
        (",XXX,1.5,10,1.6,20", "ts", ""),
        ("1514903399,XXX,1.5,10,1.6,20", "ts", "1514903399"),
        ("1514903400,,1.5,10,1.6,20", "symbol", ""),
        ("1514903400,X X,1.5,10,1.6,20", "symbol", "X X"),
        ("1514903400,XXX,abc,10,1.6,20", "bid", "abc"),
        ("1514903400,XXX,1.5,ten,1.6,20", "bid_size", "ten"),
        ("1514903400,XXX,1.5,10,1e3x,20", "ask", "1e3x"),
        ("1514903400,XXX,1.5,10,1e13,20", "ask", "1e13"),
        ('1514903400,XXX,"1,5",10,1.6,20', "bid", "1,5"),
        ("20260105,XXX,1.5,10,1.6,20", "ts", "20260105"),
        ("1514903400,XXX,1.5,10,1.6,0x14", "ask_size", "0x14"),
        (f"1514903400,XXX,{'9' * 40},10,1.6,20", "bid", "9" * 40),
        ("1514903400,XXX,1.5,10,1.6", "row", "1514903400,XXX,1.5,10,1.6"),
        ("1514903400,XXX,1.5,10,1.6,20,30", "row", "1514903400,XXX,1.5,10,1.6,20,30"),
        ('1514903400,"XXX,1.5,10,1.6,20', "row", '1514903400,"XXX,1.5,10,1.6,20'),
        ("garbage", "row", "garbage"),
    ],
)
def test_a_bad_row_is_skipped_and_remembered_with_its_place(
    tmp_path: Path, row: str, field: str, value: str
) -> None:
    good = "1514903400,XXX,1.5,10,1.6,20"
    path = file_of(tmp_path, good, "", row, good)
    quotes, market = read(path)
    assert quotes == [GOOD, GOOD]
    assert (market.rows, market.bad_rows) == (2, 1)
    (bad,) = market.first_bad_rows
    assert (bad.file, bad.line, bad.field, bad.value) == (str(path), 4, field, value)
    assert bad.remedy


@pytest.mark.parametrize(
    "cells",
    [
        "0,10,1.6,20",
        "1.5,10,0,20",
        "-1.5,10,1.6,20",
        "1.7,10,1.6,20",
        "NaN,10,1.6,20",
        "1.5,10,inf,20",
        "-Infinity,10,1.6,20",
        ",10,1.6,20",
        "1.5,10,,",
        "1.5,,1.6,20",
        "1.5,-1,1.6,20",
        ",,,",
    ],
)
def test_rule_4_a_row_that_can_be_read_is_a_quote_though_invalid(
    tmp_path: Path, cells: str
) -> None:
    quotes, market = read(file_of(tmp_path, f"1514903400,XXX,{cells}"))
    assert (market.rows, market.bad_rows) == (1, 0)
    assert not quotes[0].is_valid


def test_only_the_first_bad_rows_are_kept_but_all_are_counted(tmp_path: Path) -> None:
    _, market = read(file_of(tmp_path, *["bad"] * 100))
    assert (market.rows, market.bad_rows) == (0, 100)
    assert [row.line for row in market.first_bad_rows] == list(range(2, 2 + BAD_ROWS_KEPT_MAX))


def test_a_gzip_that_breaks_off_gives_its_readable_rows_and_one_bad_row(tmp_path: Path) -> None:
    rows = [f"{1514903400 + n},XXX,{n * 7919 % 9973 + 1},10,20000,20" for n in range(20_000)]
    packed = gzip.compress("\n".join([HEADER, *rows]).encode())
    path = tmp_path / "cut.csv.gz"
    path.write_bytes(packed[: len(packed) // 2])
    quotes, market = read(path)
    assert 1_000 < len(quotes) < 20_000
    assert [quote.bid for quote in quotes] == [n * 7919 % 9973 + 1 for n in range(len(quotes))]
    (bad,) = market.first_bad_rows
    assert (bad.field, bad.line) == ("row", len(quotes) + 2)
    assert "gzip" in bad.remedy


def test_rule_60_a_file_of_which_no_row_was_a_quote_is_known_at_its_end(tmp_path: Path) -> None:
    good = file_of(tmp_path, "1514903400,XXX,1.5,10,1.6,20", "bad", name="good.csv")
    bad, none = file_of(tmp_path, "bad", name="bad.csv"), file_of(tmp_path, name="none.csv")
    market = RecordedMarket([good, bad, none])
    for _ in range(2):
        list(market.quotes())
        assert sorted(market.unused_files) == [bad, none]


def test_reading_again_starts_and_counts_from_the_beginning(tmp_path: Path) -> None:
    market = RecordedMarket([file_of(tmp_path, "1514903400,XXX,1.5,10,1.6,20", "bad")])
    for _ in range(2):
        assert list(market.quotes()) == [GOOD]
        assert (market.rows, market.bad_rows, len(market.first_bad_rows)) == (1, 1, 1)


# --- several files --------------------------------------------------------------------------------


@given(st.lists(st.lists(st.integers(0, 6), max_size=8).map(sorted), min_size=1, max_size=4))
def test_files_are_merged_by_time_and_at_equal_times_in_their_order(
    tmp_path_factory: pytest.TempPathFactory, stamps: list[list[int]]
) -> None:
    """Rules 2 and 3: every row is delivered, rows of one instant in file order."""
    folder = tmp_path_factory.mktemp("merged")
    paths = [
        file_of(
            folder,
            *(f"{1514903400 + ts},S{n},{row + 1},1,99,1" for row, ts in enumerate(times)),
            name=str(n),
        )
        for n, times in enumerate(stamps)
    ]
    market: Market = RecordedMarket(paths)
    quotes = list(market.quotes())
    keys = [(quote.ts_ns, int(quote.symbol[1:]), int(quote.bid)) for quote in quotes]
    assert len(keys) == sum(map(len, stamps)) == market.rows
    assert all(earlier < later for earlier, later in pairwise(keys))


def test_the_digest_changes_with_content_order_and_layout(tmp_path: Path) -> None:
    row = "1514903400,XXX,1.5,10,1.6,20"
    one = file_of(tmp_path, row, name="one")
    two = file_of(tmp_path, row, row, name="two")
    copy = file_of(tmp_path, row, name="copy")
    swapped = {"bid": "ask", "ask": "bid"}
    digests = {
        RecordedMarket([one]).digest(),
        RecordedMarket([two]).digest(),
        RecordedMarket([one, two]).digest(),
        RecordedMarket([two, one]).digest(),
        RecordedMarket([one], Layout(size_unit=Decimal(2))).digest(),
        RecordedMarket([one], Layout(columns=swapped)).digest(),
    }
    assert len(digests) == 6
    assert RecordedMarket([copy]).digest() == RecordedMarket([one]).digest()
