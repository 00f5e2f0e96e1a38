"""Starting: the same engine with nothing behind it, and with a million finished orders in its
database and in the paper venue's ledger."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import msgspec

from bench.scratch import scratch_folder
from bench.table import Row
from pointsman.config.settings import Settings, resolve_settings
from pointsman.domain.accounts import DeskRecord
from pointsman.domain.client_order_ids import client_order_id
from pointsman.domain.events import VenueFill
from pointsman.domain.life_cycle import OrderStatus
from pointsman.domain.orders import Fill, Order, OrderType, Role
from pointsman.domain.sides import PositionSide, Side
from pointsman.domain.venue_reports import VenueExecution, VenueOrder
from pointsman.engine.assembly import assemble
from pointsman.engine.open_venue import ledger_path
from pointsman.storage.codec import CODECS
from pointsman.storage.errors import StorageFailed
from pointsman.venues.paper import tables

FINISHED = 1_000_000
ROUNDS = 3
GOAL_SECONDS = 1
NOW_NS = 1_800_000_000 * 10**9
QUANTITY, PRICE = Decimal(10), Decimal("100.25")


def measure() -> list[Row]:
    """The rows of the table. Starts are interleaved, and the median of each counts."""
    settings = resolve_settings({}, None, {}).settings
    with scratch_folder() as folder:
        small, large = folder / "small.db", folder / "large.db"
        for path in (small, large):
            _start_seconds(settings, path)
        _fill(large)
        taken: dict[Path, list[float]] = {small: [], large: []}
        for _ in range(ROUNDS):
            for path, seconds in taken.items():
                seconds.append(_start_seconds(settings, path))
        here, there = (sorted(taken[path])[ROUNDS // 2] for path in (large, small))
        size = (large.stat().st_size + ledger_path(large).stat().st_size) / 2**30
    return [
        Row(
            f"start until ready, {FINISHED:,} finished orders, {size:.1f} GiB in both files",
            f"{here / there:.2f}",
            f"{GOAL_SECONDS} s",
            f"{here:.3f} s",
            f"nothing behind it: {there:.3f} s",
            here <= GOAL_SECONDS,
        )
    ]


def _start_seconds(settings: Settings, path: Path) -> float:
    """From opening both files to the first comparison with the venue."""

    def give_up(failure: StorageFailed) -> None:
        raise failure

    began = time.perf_counter()
    assembly = assemble(settings, path, None, wait=give_up)
    try:
        loop = assembly.loop
        now_ns = max(NOW_NS, assembly.resume_ns)
        loop.start(assembly.started, now_ns)
        while not loop.is_ready:
            due_ns = loop.next_due_ns()
            assert due_ns is not None, "a start asks the venue"
            loop.instant(max(due_ns, loop.now_ns))
            loop.release()
        return time.perf_counter() - began
    finally:
        assembly.close()


def _fill(path: Path) -> None:
    """Put finished orders, an execution each, into a database and its ledger."""
    orders, fills = CODECS[Order], CODECS[Fill]
    with closing(sqlite3.connect(path)) as database, database:
        (code,) = database.execute("SELECT code FROM desk").fetchone()
        database.executemany(orders.upsert, map(orders.encode, _orders(code)))
        database.executemany(fills.upsert, map(fills.encode, _fills(code)))
        cursor, number = str(FINISHED), FINISHED + 1
        column = DeskRecord.__struct_fields__[3]
        assert column == "fills_cursor"
        database.execute("UPDATE desk SET fills_cursor = ?, next_number = ?", (cursor, number))
    with closing(sqlite3.connect(ledger_path(path))) as ledger, ledger:
        rows = map(tables.order_row, _venue_orders(code))
        ledger.executemany(tables.PUT_ORDER, rows)
        ledger.executemany(tables.ADD_FILL, map(tables.trade_row, _trades(code)))


def _ids(code: str) -> Iterator[tuple[int, str]]:
    for number in range(1, FINISHED + 1):
        yield number, client_order_id(code, number, Role.ENTRY, 1)


def _orders(code: str) -> Iterator[Order]:
    order = Order(
        "",
        "VA001",
        "ABC",
        0,
        Role.ENTRY,
        OrderType.LIMIT_IOC,
        Side.BUY,
        PositionSide.LONG,
        QUANTITY,
        NOW_NS - 10**15,
        limit_price=PRICE,
        status=OrderStatus.FILLED,
        filled=QUANTITY,
        filled_value=QUANTITY * PRICE,
    )
    for number, order_id in _ids(code):
        yield msgspec.structs.replace(
            order, client_order_id=order_id, position_id=number, signal_id=f"signal-{number}"
        )


def _fills(code: str) -> Iterator[Fill]:
    for number, order_id in _ids(code):
        yield Fill(
            f"{number}:{number}:buy",
            order_id,
            "VA001",
            "ABC",
            number,
            Side.BUY,
            QUANTITY,
            PRICE,
            PRICE,
            str(number),
            NOW_NS - 10**15,
            NOW_NS - 10**15,
        )


def _venue_orders(code: str) -> Iterator[VenueOrder]:
    for number, order_id in _ids(code):
        yield VenueOrder(
            order_id,
            str(number),
            "ABC",
            Side.BUY,
            PositionSide.LONG,
            OrderType.LIMIT_IOC,
            QUANTITY,
            QUANTITY,
            OrderStatus.FILLED,
            reduce_only=False,
            ts_ns=NOW_NS - 10**15,
            limit_price=PRICE,
        )


def _trades(code: str) -> Iterator[VenueExecution]:
    for number, order_id in _ids(code):
        fill = VenueFill(str(number), QUANTITY, PRICE, PRICE, NOW_NS - 10**15, QUANTITY)
        yield VenueExecution(order_id, str(number), "ABC", Side.BUY, PositionSide.LONG, fill)
