"""Recorders: turns become durable in order, and storage that fails and heals, for real, loses
nothing and lets nothing out that it should not."""

import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from decimal import Decimal
from pathlib import Path

import pytest

from pointsman.domain.events import OrderSent
from pointsman.domain.life_cycle import OrderStatus
from pointsman.domain.orders import Role
from pointsman.domain.policy import PositionMode, ReduceOnlyMode
from pointsman.domain.reasons import Reason
from pointsman.domain.signals import Outcome
from pointsman.engine import recorder as module
from pointsman.engine.recorder import InlineRecorder, ThreadedRecorder
from pointsman.engine.stored_start import loaded_from
from pointsman.execution.archive import FinishedRecords
from pointsman.execution.desk import Desk
from pointsman.execution.execution_loop import ExecutionLoop
from pointsman.execution.outbox import StorageHeld
from pointsman.execution.ports import JournalEntry, StorageStatus
from pointsman.storage import queries, reader, schema, sqlite_manager
from pointsman.storage.errors import StorageFailed
from pointsman.storage.journal import fold, turns, verify_chain
from pointsman.storage.sqlite_manager import SqliteManager
from pointsman.venues.paper.ledger import read_ledger
from pointsman.venues.paper.venue import PaperVenue
from tests import desk_stories as told
from tests.desk_stories import MILLISECOND_NS
from tests.engine_stories import CODE, OpenHours, start

PATIENCE_SECONDS = 20.0


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SqliteManager]:
    # So small that no turn fits into what is left of one: see `full`.
    monkeypatch.setattr(schema, "PAGE_BYTES", 512)
    manager = SqliteManager(tmp_path / "trading.db")
    manager.open()
    yield manager
    manager.close()


@contextmanager
def locked(manager: SqliteManager) -> Iterator[None]:
    """Another program is in the middle of a transaction of its own."""
    with closing(sqlite3.connect(manager.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@contextmanager
def full(manager: SqliteManager) -> Iterator[None]:
    """The database may not grow by a page: what SQLite says of a full disk."""
    writer = manager._writer
    (pages,) = writer.execute("PRAGMA page_count").fetchone()
    writer.execute(f"PRAGMA max_page_count = {pages}")
    yield
    writer.execute("PRAGMA max_page_count = 1073741823")


def nothing(_failure: StorageFailed) -> None:
    raise AssertionError("storage works")


def sent(number: int) -> JournalEntry:
    return JournalEntry(number, OrderSent(str(number)), ())


def journaled(path: Path) -> list[int]:
    """The times of all turns on disk, whose chain and tables are whole."""
    with closing(reader.open_reader(path)) as db:
        assert verify_chain(db) is None
        assert fold(db) is None
        return [turn.time_ns for turn in turns(db)]


class Signal:
    """Counts how often something changed, and lets another thread wait for it."""

    def __init__(self) -> None:
        self._changed = threading.Condition()

    def notify(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def wait_for(self, true: Callable[[], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(true, PATIENCE_SECONDS)


# -- inline ----------------------------------------------------------------------------------------


def test_inline_commits_when_something_waits_for_it(manager: SqliteManager) -> None:
    recorder = InlineRecorder(manager, nothing)
    recorder.put(1, sent(1))
    recorder.put(2, sent(2))
    assert recorder.standing == StorageStatus(0)
    assert journaled(manager.path) == []
    recorder.press()
    assert recorder.standing == StorageStatus(2)
    assert journaled(manager.path) == [1, 2]
    assert recorder.settle()


def test_inline_lets_only_so_many_turns_wait(
    manager: SqliteManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_INLINE_LEN_MAX", 3)
    recorder = InlineRecorder(manager, nothing)
    for number in (1, 2, 3, 4):
        recorder.put(number, sent(number))
    assert recorder.standing == StorageStatus(3)


def test_inline_tries_again_as_long_as_it_is_let(manager: SqliteManager) -> None:
    tries = []

    def wait(failure: StorageFailed) -> None:
        tries.append(failure)
        if len(tries) == 2:
            opening.close()

    recorder = InlineRecorder(manager, wait)
    with ExitStack() as opening:
        opening.enter_context(locked(manager))
        recorder.put(1, sent(1))
        assert recorder.settle()
    assert len(tries) == 2
    assert journaled(manager.path) == [1]


def test_inline_gives_up_when_told_to_and_keeps_what_waits(manager: SqliteManager) -> None:
    def give_up(failure: StorageFailed) -> None:
        raise failure

    recorder = InlineRecorder(manager, give_up)
    with locked(manager):
        recorder.put(1, sent(1))
        with pytest.raises(StorageFailed):
            recorder.press()
        assert recorder.standing == StorageStatus(0)
    recorder.press()
    assert journaled(manager.path) == [1]


def test_rule_41_inline_has_the_tables_follow_in_time_and_at_its_end(
    manager: SqliteManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    def behind() -> int:
        reached = queries.projected(manager._reader)
        return manager.head.sequence - (0 if reached is None else reached.sequence)

    recorder = InlineRecorder(manager, nothing)
    recorder.put(1, sent(1))
    recorder.press()
    assert behind() == 1
    monkeypatch.setattr(sqlite_manager, "PROJECT_SECONDS_MAX", 0)
    recorder.press()
    assert behind() == 0
    monkeypatch.undo()
    recorder.put(2, sent(2))
    recorder.close()
    assert (manager.head.sequence, behind()) == (2, 0)


# -- threaded --------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [locked, full])
def test_rule_29_threaded_says_that_it_fails_and_that_it_has_healed(
    fault: Callable[[SqliteManager], AbstractContextManager[None]],
    manager: SqliteManager,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """While it fails, `settle` says so at once: the loop does not stand still for it."""
    monkeypatch.setattr(module, "_SETTLE_SECONDS", 10.0**6)
    changed = Signal()
    recorder = ThreadedRecorder(manager, changed.notify)
    with fault(manager):
        for number in range(1, 400):
            recorder.put(number, sent(number))
        changed.wait_for(lambda: recorder.standing.failure is not None)
        assert recorder.standing.failures == 1
        assert not recorder.settle()
    changed.wait_for(lambda: recorder.standing == StorageStatus(399, None, 1))
    assert recorder.settle()
    assert recorder.stop()
    assert journaled(manager.path) == list(range(1, 400))


def test_threaded_gives_up_at_a_stop_while_storage_fails(
    manager: SqliteManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_STOP_SECONDS", 0.1)
    recorder = ThreadedRecorder(manager, lambda: None)
    with locked(manager):
        recorder.put(1, sent(1))
        assert not recorder.stop()
    assert journaled(manager.path) == []


# -- a whole loop on storage that fails ------------------------------------------------------------


class Real:
    """A loop on real storage and the real paper venue, on time that the test moves."""

    def __init__(self, manager: SqliteManager, ledger: Path) -> None:
        """Start, or start again, on what the files hold."""
        rules = told.policy(told.limits(max_latency_ns=10**18))
        self.changed = Signal()
        self.recorder = ThreadedRecorder(manager, self.changed.notify)
        self.venue = PaperVenue(
            ledger,
            latency_ns=20 * MILLISECOND_NS,
            fee_bps=Decimal(1),
            position_mode=PositionMode.HEDGE,
            reduce_only_mode=ReduceOnlyMode.CLIP,
            instrument_of=lambda _symbol: told.XXX,
        )
        stored, desk = manager.load(), Desk(rules, CODE)
        if stored.last_time_ns is not None:
            desk = Desk.load(rules, loaded_from(stored), stored.last_time_ns)
        self.loop = ExecutionLoop(
            desk,
            self.venue,
            self.recorder,
            FinishedRecords(manager),
            lambda _va_id: OpenHours(),
            self.venue,
        )
        self.answers: list[object] = []
        start(self.loop, rules, ("VA001", "VA002"))
        self.go_on(100)
        self.loop.on_quote(told.quote(self.loop.now_ns), self.loop.now_ns)

    def leave(self) -> None:
        """Let what waits become durable, as far as storage works, and leave."""
        self.recorder.settle()
        self.loop.release()

    def go_on(self, milliseconds: int) -> None:
        """Every instant that falls due within so many milliseconds."""
        until_ns = self.loop.now_ns + milliseconds * MILLISECOND_NS
        self.leave()
        while (due_ns := self.loop.next_due_ns()) is not None and due_ns <= until_ns:
            self.loop.instant(due_ns)
            self.leave()
        self.loop.instant(until_ns)
        self.leave()

    def ask(self, signal_id: str, va_id: str, side: str = "buy") -> None:
        quantity = None if side == "close" else "10"
        asked = told.signal(signal_id, side, quantity, va_id=va_id)
        self.loop.signal(asked, self.answers.append)


@pytest.mark.parametrize("fault", [locked, full])
def test_rules_29_and_30_on_storage_that_really_fails(
    fault: Callable[[SqliteManager], AbstractContextManager[None]],
    manager: SqliteManager,
    tmp_path: Path,
) -> None:
    """An entry is under way when storage fails. Its fill is taken in, its stop is sent and rests; a
    second entry that waited is never sent; a person's exit goes out. Then storage heals."""
    ledger = tmp_path / "paper.db"
    real = Real(manager, ledger)
    with closing(real.venue):
        real.ask("first", "VA001")
        real.leave()
        with fault(manager):
            real.ask("second", "VA002")
            real.changed.wait_for(lambda: real.recorder.standing.failure is not None)
            durable = real.recorder.standing.durable
            real.go_on(60)
            (position,) = real.loop.desk.books.positions.values()
            (stop,) = real.loop.desk.books.orders_of(position.position_id, Role.STOP)
            assert stop.is_working
            assert [type(answer).__name__ for answer in real.answers] == ["Step", "StorageHeld"]
            with pytest.raises(StorageHeld):
                real.ask("third", "VA002")
            assert real.recorder.standing.durable == durable
            assert read_ledger(ledger).orders == 2
        real.changed.wait_for(lambda: real.recorder.standing.failure is None)
        real.loop.release()
        real.ask("out", "VA001", "close")
        real.go_on(100)
        assert real.recorder.stop()
        assert real.loop.desk.books.positions == {}
        ledger_says = read_ledger(ledger)
        assert (ledger_says.orders, ledger_says.holdings) == (3, ())

    journaled(manager.path)
    with closing(reader.open_reader(manager.path)) as db:
        orders = {order.client_order_id: order for order in reader.orders(db)}
        assert sum(account.cash for account in reader.accounts(db)) == ledger_says.cash
        first = {one.signal_id: one for one in reader.decisions(db)}
    denied = orders[f"{CODE}2E1"]
    assert (denied.status, denied.end_reason) == (OrderStatus.DENIED, Reason.STORAGE_FAILED)
    assert first["second"].outcome is Outcome.ACCEPTED
    assert "third" not in first


def test_rule_30_a_restart_while_storage_fails_learns_from_the_venue_what_left(
    manager: SqliteManager, tmp_path: Path
) -> None:
    """The files as a kill -9 leaves them: a fill and its stop are known to the venue alone."""
    left = tmp_path / "left"
    left.mkdir()
    real = Real(manager, tmp_path / "paper.db")
    with closing(real.venue):
        real.ask("first", "VA001")
        real.go_on(1)
        with locked(manager):
            real.go_on(60)
            for file in tmp_path.glob("*.db*"):
                if not file.name.endswith(("-shm", ".lock")):
                    shutil.copy(file, left)
        assert real.recorder.stop()
    again = SqliteManager(left / "trading.db")
    again.open()
    assert again.load().positions == ()
    other = Real(again, left / "paper.db")
    with closing(other.venue):
        other.go_on(1000)
        assert other.recorder.stop()
        books = other.loop.desk.books
        (position,) = books.positions.values()
        assert [order.client_order_id for order in books.orders.values()] == [f"{CODE}1S1"]
        assert books.orders[f"{CODE}1S1"].is_working
        assert position.quantity == books.orders[f"{CODE}1S1"].leaves == Decimal(10)
        assert read_ledger(left / "paper.db").orders == 2
    again.close()
    journaled(left / "trading.db")
