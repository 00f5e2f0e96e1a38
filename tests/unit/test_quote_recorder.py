"""Quotes on the disk: files that a recorded run reads, whatever happens to the process or the
disk."""

import errno
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import pytest

from pointsman.domain.market import Quote
from pointsman.domain.timestamps import SECOND_NS, parse_ts
from pointsman.market import quote_recorder
from pointsman.market.quote_recorder import WAITING_MAX, QuoteRecorder, member
from pointsman.market.recorded import RecordedMarket

NOON_NS = parse_ts("2026-01-05T12:00:00Z")
BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"


class Clock:
    def __init__(self) -> None:
        self.now_ns = NOON_NS

    def __call__(self) -> int:
        return self.now_ns


def quote(ms: int, symbol: str = BTC, bid: str = "60000.10") -> Quote:
    return Quote(
        symbol=symbol,
        ts_ns=NOON_NS + ms * 10**6,
        bid=Decimal(bid),
        bid_size=Decimal("1.5"),
        ask=Decimal("60000.20"),
        ask_size=Decimal("1E-8"),
    )


@contextmanager
def recorder(folder: Path, clock: Callable[[], int] | None = None) -> Iterator[QuoteRecorder]:
    made = QuoteRecorder(folder, "t", clock or Clock())
    made.start()
    try:
        yield made
    finally:
        made.stop()


def read(folder: Path, day: str = "2026-01-05") -> list[Quote]:
    """As a recorded run reads it: no row is bad."""
    market = RecordedMarket((folder / f"t-{day}.csv.gz",))
    quotes = list(market.quotes())
    assert market.first_bad_rows == []
    return quotes


def until(wanted: Callable[[], bool]) -> None:
    give_up_at = time.monotonic() + 10
    while not wanted():
        assert time.monotonic() < give_up_at
        time.sleep(0.01)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quote_recorder, "WRITE_SECONDS", 0.02)


def test_rule_50_what_was_put_is_read_again_as_it_was(tmp_path: Path) -> None:
    put = [quote(1), quote(2, ETH, "0"), quote(3, bid="59999.9")]
    with recorder(tmp_path / "quotes") as recording:
        for each in put:
            recording.put(each)
    assert read(tmp_path / "quotes") == put


def test_rows_stand_in_the_order_of_their_stamps_and_no_symbol_goes_back(tmp_path: Path) -> None:
    with recorder(tmp_path) as recording:
        recording.put(quote(10))
        recording.put(quote(5, ETH))
        recording.confirm(quote(10), NOON_NS + 30 * 10**6)
        recording.confirm(quote(10), NOON_NS + 9 * 10**6)
        recording.put(quote(20, bid="59999"))
    told = [(row.symbol, (row.ts_ns - NOON_NS) // 10**6, str(row.bid)) for row in read(tmp_path)]
    assert told == [
        (ETH, 5, "60000.10"),
        (BTC, 10, "60000.10"),
        (BTC, 30, "60000.10"),
        (BTC, 30, "59999"),
    ], "the quote that followed the confirmation is not before it"


@pytest.mark.usefixtures("quick")
def test_a_day_has_a_file(tmp_path: Path) -> None:
    clock = Clock()
    with recorder(tmp_path, clock) as recording:
        recording.put(quote(0))
        until((tmp_path / "t-2026-01-05.csv.gz").exists)
        clock.now_ns += 12 * 3600 * SECOND_NS
        recording.put(quote(12 * 3600 * 1000))
        until((tmp_path / "t-2026-01-06.csv.gz").exists)
    assert [len(read(tmp_path, day)) for day in ("2026-01-05", "2026-01-06")] == [1, 1]


@pytest.mark.parametrize("torn", [1, 15, 40, 60])
def test_a_member_that_was_torn_is_cut_off_at_the_next_start(tmp_path: Path, torn: int) -> None:
    path = tmp_path / "t-2026-01-05.csv.gz"
    for ms in (1, 2):
        with recorder(tmp_path) as recording:
            recording.put(quote(ms))
    path.write_bytes(path.read_bytes()[:-torn])
    with recorder(tmp_path) as recording:
        recording.put(quote(3))
    assert [(row.ts_ns - NOON_NS) // 10**6 for row in read(tmp_path)] == [1, 3]


def test_after_a_power_cut_a_member_of_nothing_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "t-2026-01-05.csv.gz"
    with recorder(tmp_path) as recording:
        recording.put(quote(1))
    good = path.read_bytes()
    more = member(b"x" * 999)
    path.write_bytes(good + more[:20] + bytes(len(more) - 20))
    with recorder(tmp_path) as recording:
        recording.put(quote(3))
    assert len(read(tmp_path)) == 2


def test_a_file_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "t-2026-01-05.csv.gz"
    path.write_bytes(b"\x1f\x8b\x08\x00" + bytes(30))
    with recorder(tmp_path) as recording:
        recording.put(quote(1))
        recording.stop()
        (told,) = recording.take_news()
    assert "was not written by this program" in told
    assert path.read_bytes().endswith(bytes(30))


@pytest.mark.usefixtures("quick")
def test_a_full_disk_is_told_and_what_follows_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = os.pwrite

    def half(fd: int, data: bytes, at: int) -> int:
        written(fd, data[: len(data) // 2], at)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    news: list[str] = []

    def told(count: int) -> bool:
        news.extend(recording.take_news())
        return len(news) == count

    with recorder(tmp_path, time.time_ns) as recording:
        monkeypatch.setattr(os, "pwrite", half)
        for _ in range(3):
            recording.put(quote(1))
        until(lambda: told(1))
        monkeypatch.setattr(os, "pwrite", written)
        recording.put(quote(5))
        until(lambda: told(2))
    assert news[0].startswith("quotes are not recorded: No space left on device; make room in")
    assert news[1] == "quotes are recorded again; 3 rows are missing"
    (file,) = tmp_path.iterdir()
    market = RecordedMarket((file,))
    assert [row.ts_ns for row in market.quotes()] == [quote(5).ts_ns]
    assert market.bad_rows == 0


def test_a_disk_that_hangs_fills_a_bounded_space(tmp_path: Path) -> None:
    recording = QuoteRecorder(tmp_path, "t", Clock())
    for _ in range(WAITING_MAX + 7):
        recording.put(quote(1))
    recording.start()
    recording.stop()
    assert list(recording.take_news()) == ["quotes are recorded again; 7 rows are missing"]
    assert len(read(tmp_path)) == WAITING_MAX
