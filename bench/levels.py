"""What a level costs when a quote reaches it, and how long the loop stands still with much alive.

A quote reaches a take-profit: the CPU from there until the exit is handed over, its turn journaled
before. And the longest pause of the loop with 100,000 orders alive, each with its position: a quote
during which all garbage is collected, since nothing else looks at all that lives.
"""

import gc
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from decimal import Decimal
from pathlib import Path

from bench.scratch import scratch_folder
from bench.shell import ASK, BID, CODE, NotingVenue
from bench.table import Row, at_most, percentile, us
from pointsman.config.settings import resolve_settings
from pointsman.domain.accounts import Account, DeskRecord
from pointsman.domain.client_order_ids import client_order_id
from pointsman.domain.commands import Submit
from pointsman.domain.life_cycle import OrderStatus
from pointsman.domain.market import Quote
from pointsman.domain.orders import Order, OrderType, Role
from pointsman.domain.positions import Lot, Position
from pointsman.domain.sides import PositionSide, Side
from pointsman.engine import gc_tuning
from pointsman.engine.recorder import InlineRecorder
from pointsman.execution.archive import FinishedRecords
from pointsman.execution.desk import Desk
from pointsman.execution.execution_loop import ExecutionLoop
from pointsman.execution.loading import DeskRecords
from pointsman.execution.ports import VenueRequest
from pointsman.storage.errors import StorageFailed
from pointsman.storage.sqlite_manager import SqliteManager

NOW_NS = 1_800_000_000 * 10**9
LEVELS, FEW, MANY, ACCOUNTS = 500, 10, 100_000, 10
ROUNDS = 5
HELD, STOP, TARGET = Decimal(10), Decimal(98), Decimal(105)
SIZE, BALANCE = Decimal(1000), Decimal(10**9)
GOAL_NS, GOAL_PAUSE = 40_000, 2


def measure() -> list[Row]:
    """The rows of the table."""
    with scratch_folder() as folder:
        spent = _exits(folder)
        pauses = {held: _longest_pause(folder, held) for held in (FEW, MANY)}
    here = percentile(spent, 0.5)
    return [
        Row(
            "CPU from a quote that reaches a level to its exit, journaled, handed over, p50",
            "",
            us(GOAL_NS),
            us(here),
            f"p99: {us(percentile(spent, 0.99))}",
            here <= GOAL_NS,
        ),
        at_most(
            f"longest pause of the loop, {MANY:,} orders alive that came since it started",
            pauses[MANY] / pauses[FEW],
            GOAL_PAUSE,
            us(pauses[MANY]),
            f"{FEW} orders: {us(pauses[FEW])}",
        ),
    ]


class Taking(NotingVenue):
    """A venue that notes what is handed to it, and never answers."""

    def __init__(self) -> None:
        super().__init__()
        self.handed = 0

    def send(self, request: VenueRequest, now_ns: int) -> None:  # noqa: ARG002 - the seam's
        self.handed += isinstance(request, Submit)


def _exits(folder: Path) -> list[float]:
    """CPU nanoseconds from each quote that reaches the target of one position to its exit."""
    spent: list[float] = []
    with _loop_with(folder / "exits.db", LEVELS, LEVELS) as (loop, venue):
        for number in range(LEVELS):
            at_ns = loop.now_ns + 10**6
            quote = Quote(f"S{number}", at_ns, TARGET, SIZE, TARGET, SIZE)
            began_ns = time.thread_time_ns()
            loop.on_quote(quote, at_ns)
            loop.instant(at_ns)
            loop.release()
            spent.append(time.thread_time_ns() - began_ns)
            assert venue.handed == number + 1, "each quote reaches one level"
    return spent


def _longest_pause(folder: Path, held: int) -> float:
    """CPU nanoseconds of a quote during which all garbage is collected; the best of all rounds."""
    gc_tuning.keep_short()
    with _loop_with(folder / f"{held}.db", held, ACCOUNTS) as (loop, _):
        longest = float("inf")
        for number in range(ROUNDS):
            at_ns = loop.now_ns + 10**6
            quote = Quote(f"S{number}", at_ns, BID, SIZE, ASK, SIZE)
            began_ns = time.thread_time_ns()
            loop.on_quote(quote, at_ns)
            gc.collect()
            loop.instant(at_ns)
            longest = min(longest, time.thread_time_ns() - began_ns)
    gc.unfreeze()
    return longest


@contextmanager
def _loop_with(database: Path, held: int, accounts: int) -> Iterator[tuple[ExecutionLoop, Taking]]:
    """A loop that holds so many positions, each with a stop that rests at the venue."""
    settings = resolve_settings({}, None, {}).settings
    policy, hours = settings.policy({}), settings.trading_hours()
    manager, venue = SqliteManager(database, is_synced=False), Taking()
    manager.open()
    with closing(manager):
        desk = Desk.load(policy, _records(held, accounts), NOW_NS)
        recorder = InlineRecorder(manager, _give_up)
        recall = FinishedRecords(manager)
        loop = ExecutionLoop(desk, venue, recorder, recall, lambda _va_id: hours)
        for position in desk.books.positions.values():
            loop.view.watch(position)
        yield loop, venue


def _give_up(failure: StorageFailed) -> None:
    raise failure


def _records(held: int, accounts: int) -> DeskRecords:
    """Positions that are covered, dealt out to accounts with a symbol each."""
    positions = tuple(_position(number + 1, number % accounts) for number in range(held))
    cost = HELD * ASK * (held // accounts)
    return DeskRecords(
        desk=DeskRecord(CODE, next_number=held + 1, compared_at_ns=NOW_NS),
        accounts=tuple(
            Account(
                f"VA{number}",
                BALANCE,
                NOW_NS,
                cash=BALANCE - cost,
                exposure=cost,
                leased_symbol=f"S{number}",
            )
            for number in range(accounts)
        ),
        orders=tuple(map(_stop, positions)),
        positions=positions,
    )


def _position(number: int, account: int) -> Position:
    return Position(
        position_id=number,
        part=0,
        va_id=f"VA{account}",
        symbol=f"S{account}",
        side=PositionSide.LONG,
        entry_order_id=client_order_id(CODE, number, Role.ENTRY, 1),
        opened_at_ns=NOW_NS,
        limit_price=ASK,
        stop_price=STOP,
        take_profit=TARGET,
        quantity=HELD,
        lots=(Lot(HELD, ASK),),
        entry_quantity=HELD,
        entry_value=HELD * ASK,
        stops_made=1,
    )


def _stop(position: Position) -> Order:
    return Order(
        client_order_id=client_order_id(CODE, position.position_id, Role.STOP, 1),
        va_id=position.va_id,
        symbol=position.symbol,
        position_id=position.position_id,
        role=Role.STOP,
        order_type=OrderType.STOP,
        side=Side.SELL,
        position_side=PositionSide.LONG,
        quantity=HELD,
        created_at_ns=NOW_NS,
        trigger_price=STOP,
        status=OrderStatus.ACCEPTED,
        venue_order_id=str(position.position_id),
    )
