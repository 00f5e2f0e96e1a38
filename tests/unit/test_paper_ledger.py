"""The paper ledger: durable before it is told, one holder, exact, and loud about a file it cannot
use."""

import os
import resource
import signal
import sqlite3
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from pointsman.domain.commands import Cancel, Compare, Query
from pointsman.domain.events import OrderReport, ReportWord
from pointsman.domain.money import exact
from pointsman.domain.orders import OrderType
from pointsman.domain.policy import PositionMode
from pointsman.domain.sides import Side
from pointsman.domain.venue_reports import JournalHead, OrderFound, Snapshot, VenueHolding
from pointsman.execution.ports import VenueReply
from pointsman.venues.paper.errors import (
    LedgerBusy,
    LedgerModeDiffers,
    LedgerUnreadable,
    LedgerUnwritable,
)
from pointsman.venues.paper.ledger import (
    PaperLedger,
    read_ledger,
)
from tests.conformance.bench import (
    LONG,
    SHORT,
    Bench,
    entry,
    market_exit,
    open_paper,
    row,
    stop,
    words,
)

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "paper.db"


def in_another_process(call: str, path: Path) -> subprocess.Popen[str]:
    code = f"from tests.unit.test_paper_ledger import {call}; {call}({str(path)!r})"
    environment = {**os.environ, "PYTHONPATH": f"{CHECKOUT / 'src'}{os.pathsep}{CHECKOUT}"}
    return subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=CHECKOUT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )


def trade_for_ever(path: str) -> None:
    """Enter, protect, exit in parts, over and over; print each report after it was told."""
    bench = Bench(open_paper(Path(path)))
    for n in range(1, 10**9):
        told = bench.quote(row(bench.now_ns + 1000, "100.00", "100.02", bid_size=7, ask_size=9))
        told += bench.submit(entry(f"E{n}", LONG, 10, "100.02"))
        told += bench.submit(stop(f"S{n}", LONG, 9, "99.00"), market_exit(f"X{n}", LONG, 4))
        for reply in told:
            print(msgspec.json.encode(reply).decode(), flush=True)


@pytest.mark.parametrize("lines", [1, 2, 7, 40, 133])
def test_after_kill_9_everything_that_was_told_is_in_the_ledger(path: Path, lines: int) -> None:
    with in_another_process("trade_for_ever", path) as child:
        assert child.stdout is not None
        heard = [child.stdout.readline() for _ in range(lines)]
        child.kill()
    told = [msgspec.json.decode(line, type=OrderReport) for line in heard]
    bench = Bench(open_paper(path))
    (snapshot,) = bench.ask(Compare(""))
    assert isinstance(snapshot, Snapshot)
    known = {trade.fill.trade_id: trade.fill for trade in snapshot.trades}
    for report in told:
        assert report.fill is None or known[report.fill.trade_id] == report.fill
        (found,) = bench.ask(Query(report.client_order_id, "XXX"))
        assert isinstance(found, OrderFound)
        assert found.order.venue_order_id == report.venue_order_id
    assert_books_add_up(path)
    stops = [o.client_order_id for o in snapshot.open_orders if o.order_type is OrderType.STOP]
    reports = bench.quote(row(bench.now_ns + 1, "90.00", "90.02"))
    triggered = [
        r for r in reports if isinstance(r, OrderReport) and r.kind is ReportWord.TRIGGERED
    ]
    assert [report.client_order_id for report in triggered] == stops
    bench.venue.close()


def assert_books_add_up(path: Path) -> None:
    """Recompute cash, fees and holdings from the rows of the file."""
    totals = read_ledger(path)
    db = sqlite3.connect(path)
    fills = db.execute(
        "SELECT symbol, position_side, side, quantity, price, fee FROM fills"
    ).fetchall()
    moved = [Decimal(amount) for (amount,) in db.execute("SELECT amount FROM transfers")]
    db.close()
    cash, fees = sum(moved, Decimal(0)), Decimal(0)
    held: dict[tuple[str, str], Decimal] = {}
    with exact():
        for symbol, position_side, side, quantity, price, fee in fills:
            signed = Decimal(quantity) * Side(side).sign
            cash -= signed * Decimal(price) + Decimal(fee)
            fees += Decimal(fee)
            held[symbol, position_side] = held.get((symbol, position_side), Decimal(0)) + signed
    assert (totals.cash, totals.fees, totals.fills) == (cash, fees, len(fills))
    assert {(h.symbol, str(h.position_side)): h.quantity for h in totals.holdings} == {
        key: quantity for key, quantity in held.items() if quantity
    }


def test_the_order_of_sending_outlives_the_process(path: Path) -> None:
    before = Bench(open_paper(path))
    before.hold(LONG, 100, ts_ns=1000)
    before.submit(stop("S1", LONG, 30, "98.00"), stop("S2", LONG, 30, "99.00"))
    before.quote(row(2000, "99.50", "99.60", bid_size=0))
    before.submit(market_exit("X3", LONG, 30))
    before.venue.close()
    bench = Bench(open_paper(path))
    told = bench.quote(row(3000, "97.00", "97.10", bid_size=70))
    assert words(told, "S1") == ["TRIGGERED", "TRADE 30"]
    assert words(told, "S2") == ["TRIGGERED", "TRADE 30"]
    assert words(told, "X3") == ["TRADE 10"]
    bench.venue.close()
    again = Bench(open_paper(path))
    assert words(again.quote(row(4000, "97.00", "97.10"))) == ["TRADE 20"]
    again.venue.close()


def test_numbers_are_never_used_twice_across_starts(path: Path) -> None:
    trade_ids, order_ids = [], []
    for start in range(3):
        bench = Bench(open_paper(path))
        bench.quote(row(bench.now_ns + 1000, "100.00", "100.02"))
        for reply in bench.submit(entry(f"E{start}", LONG, 1, "101.00")):
            assert isinstance(reply, OrderReport)
            order_ids.append(reply.venue_order_id)
            trade_ids += [reply.fill.trade_id] if reply.fill else []
        bench.venue.close()
    assert len(set(trade_ids)) == 3
    assert len(set(order_ids)) == 3


def test_a_transfer_is_known_after_a_restart(path: Path) -> None:
    for _ in range(2):
        ledger = PaperLedger(path, PositionMode.HEDGE)
        ledger.move_cash("deposit", Decimal("12.5"), 7)
        ledger.commit()
        ledger.close()
    assert read_ledger(path).cash == Decimal("12.5")


def test_ended_orders_are_not_kept_in_memory(path: Path) -> None:
    venue = open_paper(path)
    bench = Bench(venue)
    bench.hold(LONG, 10, ts_ns=1000)
    for n in range(50):
        bench.submit(stop(f"S{n}", LONG, 10, "99.00"))
        bench.ask(Cancel(f"S{n}", "XXX"))
    assert len(venue._ledger.open_orders) == 0
    assert len(venue._ledger._pending_orders) == 0
    assert venue._book("XXX").stops(Side.SELL).nearest is None
    venue.close()


def hold_ledger(path: str) -> None:
    """Hold the ledger until killed."""
    venue = open_paper(Path(path))
    print("held", flush=True)
    signal.pause()
    venue.close()


def test_two_processes_cannot_hold_one_paper_account(path: Path) -> None:
    with in_another_process("hold_ledger", path) as child:
        assert child.stdout is not None
        try:
            assert child.stdout.readline() == "held\n"
            with pytest.raises(LedgerBusy, match=r"another process holds the paper account .*\.db"):
                open_paper(path)
            assert read_ledger(path).orders == 0
            os.link(path, path.with_name("linked.db"))
            with pytest.raises(LedgerBusy, match="perhaps under another name"):
                open_paper(path.with_name("linked.db"))
        finally:
            child.kill()
    open_paper(path).close()


def test_a_ledger_of_the_other_position_mode_is_refused_by_name(path: Path) -> None:
    open_paper(path, position_mode=PositionMode.NET).close()
    with pytest.raises(LedgerModeDiffers, match="set PAPER_POSITION_MODE=net"):
        open_paper(path)
    open_paper(path, position_mode=PositionMode.NET).close()


def make_text(path: Path) -> None:
    path.write_text("this is no database, " * 100)


def make_foreign(path: Path) -> None:
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE signals (signal_id TEXT)")
    db.close()


def make_newer(path: Path) -> None:
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 99")
    db.close()


@pytest.mark.parametrize("make", [make_text, make_foreign, make_newer])
def test_a_file_that_is_no_ledger_is_refused_and_left_untouched(path: Path, make: object) -> None:
    assert callable(make)
    make(path)
    content = path.read_bytes()
    with pytest.raises(LedgerUnreadable, match=r"paper\.db cannot be read as a paper ledger"):
        open_paper(path)
    assert path.read_bytes() == content


def test_a_ledger_with_a_spoiled_row_is_refused(path: Path) -> None:
    bench = Bench(open_paper(path))
    bench.hold(LONG, 10, ts_ns=1000)
    bench.submit(stop("S1", LONG, 10, "99.00"))
    bench.venue.close()
    db = sqlite3.connect(path)
    db.execute("UPDATE orders SET side = 'sideways' WHERE client_order_id = 'S1'")
    db.commit()
    db.close()
    with pytest.raises(LedgerUnreadable, match="sideways"):
        open_paper(path)


def test_reading_a_ledger_that_does_not_exist_makes_none(path: Path) -> None:
    with pytest.raises(LedgerUnreadable, match=r"paper\.db"):
        read_ledger(path)
    assert not path.exists()


def test_rule_30_while_it_cannot_commit_the_venue_is_silent_and_later_tells_all(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bench = Bench(open_paper(path))
    bench.hold(LONG, 10, ts_ns=1000)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert bench.submit(stop("S1", LONG, 10, "99.00")) == []
    assert bench.quote(row(2000, "98.00", "98.10", bid_size=4)) == []
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert read_ledger(path).holdings == (VenueHolding("XXX", LONG, Decimal(10)),)
    other.execute("ROLLBACK")
    other.close()
    told = words(bench.quote(row(3000, "97.00", "97.10")))
    assert told == ["ACCEPTED", "TRIGGERED", "TRADE 4", "TRADE 6"]
    assert read_ledger(path).holdings == ()
    assert_books_add_up(path)
    bench.venue.close()


def test_a_commit_that_fails_half_way_is_made_whole_by_the_next(path: Path) -> None:
    ledger = PaperLedger(path, PositionMode.HEDGE)
    ledger.move_cash("deposit", Decimal("12.5"), 7)
    other = sqlite3.connect(path)
    other.execute("ALTER TABLE totals RENAME TO hidden")
    with pytest.raises(LedgerUnwritable, match="no such table"):
        ledger.commit()
    other.execute("ALTER TABLE hidden RENAME TO totals")
    other.close()
    assert read_ledger(path).cash == 0
    ledger.commit()
    assert read_ledger(path).cash == Decimal("12.5")
    ledger.close()


def test_a_commit_is_on_the_disk_when_it_returns(path: Path) -> None:
    ledger = PaperLedger(path, PositionMode.HEDGE)
    full = 2
    assert ledger._db.execute("PRAGMA synchronous").fetchone() == (full,)
    assert ledger._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    ledger.close()


def fill_up(path: str) -> None:
    """Trade while the process may write no file larger than 256 KiB: SQLite meets a full disk."""
    bench = Bench(open_paper(Path(path)))
    bench.hold(SHORT, 10**6, ts_ns=1000)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (256 * 1024, resource.RLIM_INFINITY))
    told: list[VenueReply] = []
    sent = 0
    while len(told) == 2 * sent:
        sent += 1
        told += bench.submit(market_exit(f"X{sent}", SHORT, 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    told += bench.submit(market_exit("LAST", SHORT, 1))
    print(len(told) == 2 * (sent + 1), flush=True)


def test_rule_30_a_full_disk_loses_nothing(path: Path) -> None:
    with in_another_process("fill_up", path) as child:
        assert child.stdout is not None
        assert child.stdout.read() == "True\n"
    assert_books_add_up(path)


def test_whose_account_it_is_is_kept_with_what_happens_or_by_itself(path: Path) -> None:
    """A head that is not to be kept by itself waits for the next thing that happens."""
    heads = [JournalHead("ABCDEF", number, f"hash {number}") for number in (1, 2, 3)]
    ledger = PaperLedger(path, PositionMode.HEDGE)
    assert ledger.client is None
    ledger.note_client(heads[0], by_itself=True)
    ledger.commit()
    ledger.note_client(heads[1], by_itself=False)
    ledger.commit()
    ledger.close()
    ledger = PaperLedger(path, PositionMode.HEDGE)
    assert ledger.client == heads[0]
    ledger.note_client(heads[2], by_itself=False)
    with exact():
        ledger.move_cash("in", Decimal(5), 1)
    ledger.commit()
    ledger.close()
    ledger = PaperLedger(path, PositionMode.HEDGE)
    assert ledger.client == heads[2]
    ledger.close()
