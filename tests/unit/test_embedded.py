"""The engine from Python: opened, fed, asked, closed, and opened again; on a real database and the
real paper venue, in real time."""

import asyncio
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing, suppress
from decimal import Decimal
from pathlib import Path

import pytest

import pointsman
from pointsman.config.settings import Settings, resolve_settings
from pointsman.domain.life_cycle import OrderStatus
from pointsman.domain.market import Quote
from pointsman.domain.orders import Order, Role
from pointsman.domain.reasons import Reason
from pointsman.domain.signal_text import SignalProblem
from pointsman.domain.signals import Outcome
from pointsman.engine.embedded import Engine, EngineStopped, open_engine
from pointsman.execution.execution_loop import ExecutionLoop
from pointsman.execution.outbox import StorageHeld
from pointsman.storage import reader
from pointsman.storage.journal import fold, verify_chain
from pointsman.venues.paper.ledger import read_ledger

SETTINGS = {
    "VIRTUAL_ACCOUNTS": "VA001:100000",
    "TRADING_WINDOW_START": "00:00",
    "TRADING_WINDOW_END": "24:00",
    "PAPER_LATENCY_MS": "1",
    "MAX_LATENCY_MS": "60000",
}
BUY = {"signal_id": "in", "va_id": "VA001", "symbol": "XXX", "side": "buy", "quantity": 10}
CLOSE = {"signal_id": "out", "va_id": "VA001", "symbol": "XXX", "side": "close"}


@pytest.fixture
def settings() -> Settings:
    return resolve_settings(SETTINGS, None, {}).settings


def quote(bid: str = "99.99", ask: str = "100.01") -> Quote:
    size = Decimal(1000)
    return Quote("XXX", time.time_ns(), Decimal(bid), size, Decimal(ask), size)


async def closed(engine: Engine, signal_id: str) -> None:
    """Ask to close until there is something to close: the entry is under way for a millisecond."""
    for number in range(500):
        decision = await engine.submit({**CLOSE, "signal_id": f"{signal_id}-{number}"})
        if decision.reason is not Reason.NOTHING_TO_CLOSE:
            assert decision.outcome is Outcome.ACCEPTED
            return
    raise AssertionError("the entry has never filled")


async def test_a_session_from_python(settings: Settings, tmp_path: Path) -> None:
    database = tmp_path / "trading.db"
    async with open_engine(settings, database) as engine:
        refused = await engine.submit({**BUY, "signal_id": "early"})
        assert refused.reason is Reason.NO_QUOTE
        engine.feed(quote())
        decision = await engine.submit(BUY)
        assert (decision.outcome, decision.quantity) == (Outcome.ACCEPTED, Decimal(10))
        with closing(reader.open_reader(database)) as db:
            assert "in" in [one.signal_id for one in reader.decisions(db)]
        assert await engine.submit(BUY) == decision
        await closed(engine, "out")
        with pytest.raises(SignalProblem, match="side"):
            await engine.submit({**BUY, "side": "up"})
    with closing(reader.open_reader(database)) as db:
        assert verify_chain(db) is None
        assert fold(db) is None
        assert sum(one.repeats for one in reader.signals(db)) == 1


async def test_an_entry_accepted_just_before_the_end_is_filled_and_covered(
    settings: Settings, tmp_path: Path
) -> None:
    """What is under way at the end of the block arrives, so the next start finds no doubt."""
    database = tmp_path / "trading.db"
    async with open_engine(settings, database) as engine:
        engine.feed(quote())
        assert (await engine.submit(BUY)).outcome is Outcome.ACCEPTED
    with closing(reader.open_reader(database)) as db:
        (position,), orders = reader.positions(db), reader.orders(db)
        assert position.quantity == 10
        assert [one.status for one in orders if is_stop(one)] == [OrderStatus.ACCEPTED]


async def test_opened_again_it_goes_on_where_it_stood(settings: Settings, tmp_path: Path) -> None:
    """The position is held over the pause, and is behind its stop afterwards."""
    database = tmp_path / "trading.db"
    async with open_engine(settings, database) as engine:
        engine.feed(quote())
        await engine.submit(BUY)
        await until(database, lambda orders: any(map(is_stop, orders)))
    async with open_engine(settings, database) as engine:
        repeated = await engine.submit(BUY)
        assert repeated.outcome is Outcome.ACCEPTED
        engine.feed(quote())
        await closed(engine, "out")
        await until(database, lambda orders: not orders)
    with closing(reader.open_reader(database)) as db:
        assert verify_chain(db) is None
        assert fold(db) is None
        (account,) = reader.accounts(db)
    assert account.cash == read_ledger(tmp_path / "trading.paper.db").cash


def is_stop(order: Order) -> bool:
    return order.role is Role.STOP and order.is_working


async def until(database: Path, holds: Callable[[list[Order]], bool]) -> None:
    """Look at the orders that work until they are as they should be."""
    for _ in range(2000):
        with closing(reader.open_reader(database)) as db:
            if holds(reader.orders(db, open_only=True)):
                return
        await asyncio.sleep(0.002)
    raise AssertionError("it has never come true")


async def test_rule_29_while_storage_fails_the_sender_is_told_so(
    settings: Settings, tmp_path: Path
) -> None:
    database = tmp_path / "trading.db"
    async with open_engine(settings, database) as engine:
        engine.feed(quote())
        await engine.submit({**BUY, "signal_id": "no", "quantity": "0.5"})
        with closing(sqlite3.connect(database, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StorageHeld):
                await engine.submit(BUY)
            with pytest.raises(StorageHeld):
                await engine.submit({**BUY, "signal_id": "second"})
            other.execute("ROLLBACK")
        engine.feed(quote())
        await until(database, lambda orders: not orders)
        for _ in range(2000):
            with suppress(StorageHeld):
                decision = await engine.submit({**BUY, "signal_id": "second"})
                break
        assert decision.outcome is Outcome.ACCEPTED
    with closing(reader.open_reader(database)) as db:
        first = reader.story(db, "in")
    assert first is not None
    assert [order.end_reason for order in first.orders] == [Reason.STORAGE_FAILED]


async def test_an_engine_that_died_says_so_and_why(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_loop: ExecutionLoop, _now_ns: int, _most: int = 0) -> None:
        raise AssertionError("a rule of ours is broken")

    async def session() -> None:
        async with open_engine(settings, tmp_path / "trading.db") as engine:
            monkeypatch.setattr(ExecutionLoop, "instant", broken)
            with pytest.raises(EngineStopped) as stopped:
                await engine.submit(BUY)
            assert isinstance(stopped.value.__cause__, AssertionError)
            with pytest.raises(EngineStopped):
                await engine.submit(BUY)
            with pytest.raises(EngineStopped):
                engine.feed(quote())

    with pytest.raises(EngineStopped) as ended:
        await session()
    assert isinstance(ended.value.__cause__, AssertionError)
    monkeypatch.undo()
    async with open_engine(settings, tmp_path / "trading.db") as engine:
        engine.feed(quote())
        assert (await engine.submit(BUY)).outcome is Outcome.ACCEPTED


async def test_what_the_user_of_the_block_raises_goes_through(
    settings: Settings, tmp_path: Path
) -> None:
    with pytest.raises(ZeroDivisionError):
        async with open_engine(settings, tmp_path / "trading.db"):
            raise ZeroDivisionError
    async with open_engine(settings, tmp_path / "trading.db"):
        pass


def test_it_is_what_the_package_shows() -> None:
    assert pointsman.open_engine is open_engine
    assert pointsman.Engine is Engine
