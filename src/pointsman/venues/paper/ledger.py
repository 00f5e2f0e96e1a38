"""The paper venue's books: cash, holdings, orders, fills and transfers, in a file of their own.

The engine keeps its own accounts; these must be able to prove it wrong, so nothing of its
accounting is used here. In memory are the totals and the orders that can still trade; everything
else is looked up in the file. Invariants:

* `commit` stores all that happened since the last one in a single durable transaction; when it
  fails the changes stay pending and the next commit tries them all again;
* a look-up sees pending changes as well as stored ones;
* cash = transfers - sum of signed quantity x price - fees, and each holding = sum of its signed
  fills, exactly;
* one process at a time holds a ledger, by a lock that dies with the process;
* the ledger names the newest row of its client's journal that it was given, so that a database
  which has lost that row, or never had it, is recognised.

Arithmetic is exact: the caller has entered `domain.money.exact()`.
"""

import sqlite3
from collections.abc import Callable
from contextlib import ExitStack, closing, suppress
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

import msgspec

from pointsman.domain.client_order_ids import parse_client_order_id
from pointsman.domain.events import VenueFill
from pointsman.domain.life_cycle import FINAL, OrderStatus
from pointsman.domain.money import ZERO, plain
from pointsman.domain.orders import Fill
from pointsman.domain.policy import PositionMode
from pointsman.domain.sides import PositionSide, Side
from pointsman.domain.venue_reports import (
    JournalHead,
    KnownOfVenue,
    VenueExecution,
    VenueHolding,
    VenueOrder,
)
from pointsman.venues.paper import lock, tables
from pointsman.venues.paper.errors import (
    LedgerBusy,
    LedgerModeDiffers,
    LedgerUnreadable,
    LedgerUnwritable,
)

_Read = TypeVar("_Read")

_BAD_CONTENT = (ArithmeticError, LookupError, TypeError, ValueError)
"""What reading a row raises whose content was never written by a ledger."""

_BUSY_TIMEOUT_SECONDS = 0.1  # not money: seconds
"""How long a commit waits for a foreign program that has locked the file, before it counts as
failed."""


class LedgerTotals(msgspec.Struct, frozen=True, gc=False):
    """What a ledger file holds: money in the account's currency, holdings other than zero, numbers
    of rows."""

    cash: Decimal
    fees: Decimal
    holdings: tuple[VenueHolding, ...]
    orders: int
    fills: int


class PaperLedger:
    """The open books of one paper account."""

    def __init__(
        self,
        path: Path,
        position_mode: PositionMode,
        *,
        is_rewound: bool = False,
        is_synced: bool = True,
    ) -> None:
        """Open the ledger at `path`, or create it. With `is_rewound` it begins empty, and the file
        keeps what it holds until `catch_up`. Without `is_synced` no commit waits for the disk
        (RULES 42). Raises LedgerBusy, LedgerUnreadable,
        LedgerModeDiffers."""
        self.open_orders: dict[str, VenueOrder] = {}
        self.cash = ZERO
        self.fees = ZERO
        self.known_until_ns = 0
        self.client: JournalHead | None = None
        self.seen: dict[str, int] = {}
        self._holdings: dict[tuple[str, PositionSide | None], Decimal] = {}
        self._reducing: dict[tuple[str, PositionSide | None, Side], Decimal] = {}
        self._forget_pending()
        with ExitStack() as opening:
            try:
                opening.enter_context(lock.hold(path))
            except BlockingIOError as error:
                raise LedgerBusy(
                    f"another process holds the paper account {path}, perhaps under another name: "
                    "stop it, or use another file"
                ) from error
            self._db = opening.enter_context(closing(_open(path, is_synced=is_synced)))
            _reading(path, lambda: self._load(path, position_mode))
            self._file = self._db
            if is_rewound:
                self._db = opening.enter_context(closing(_in_memory()))
                self._holdings.clear()
                self._reducing.clear()
                self.open_orders.clear()
                self._load(path, position_mode)
            self._held = opening.pop_all()

    def close(self) -> None:
        """Let go of the file and its lock. What has not been committed is lost."""
        self._held.close()

    def catch_up(self) -> None:
        """Write what was committed since a ledger was opened rewound over what its file holds, and
        go on in the file. Raises LedgerUnwritable; then it may be tried again."""
        if self._db is self._file:
            return
        try:
            tables.replace_all(self._db, self._file)
        except sqlite3.OperationalError as error:
            raise LedgerUnwritable(str(error)) from error
        self._db = self._file

    def holdings(self) -> tuple[VenueHolding, ...]:
        """All holdings other than zero, by symbol and side."""
        keys = sorted(self._holdings, key=lambda key: (key[0], tables.side_text(key[1])))
        return tuple(VenueHolding(*key, self._holdings[key]) for key in keys if self._holdings[key])

    def reducible(self, order: VenueOrder) -> Decimal:
        """How much of the holding that `order` belongs to an order of its side can close."""
        held = self._holdings.get((order.symbol, order.position_side), ZERO) * order.side.sign
        return -held if held < ZERO else ZERO

    def reducing(self, order: VenueOrder) -> Decimal:
        """How much the open reduce-only orders of the same holding and side may still fill, in
        total."""
        return self._reducing.get((order.symbol, order.position_side, order.side), ZERO)

    def next_venue_order_id(self) -> str:
        """A number that no order had before, as text."""
        self._last_order += 1
        return str(self._last_order)

    def put_order(self, order: VenueOrder) -> None:
        """Note an order's new state. A final one leaves memory with the next commit."""
        before = self.open_orders.pop(order.client_order_id, None)
        change = -_leaves(before) if before is not None else ZERO
        if order.status not in FINAL:
            self.open_orders[order.client_order_id] = order
            change += _leaves(order)
        if order.reduce_only and change:
            key = (order.symbol, order.position_side, order.side)
            self._reducing[key] = self._reducing.get(key, ZERO) + change
        self._pending_orders[order.client_order_id] = order
        self._happened(order.ts_ns)

    def fill(
        self, order: VenueOrder, quantity: Decimal, price: Decimal, fee: Decimal, now_ns: int
    ) -> tuple[VenueOrder, VenueFill]:
        """Book one execution of `order`; returns the order after it, and the execution."""
        self._last_fill += 1
        filled = order.filled + quantity
        status = OrderStatus.FILLED if filled == order.quantity else OrderStatus.PARTIALLY_FILLED
        order = msgspec.structs.replace(order, filled=filled, status=status, ts_ns=now_ns)
        self.put_order(order)
        fill = VenueFill(
            trade_id=str(self._last_fill),
            quantity=quantity,
            price=price,
            fee=fee,
            ts_ns=now_ns,
            cumulative=filled,
        )
        signed = quantity * order.side.sign
        key = (order.symbol, order.position_side)
        self._holdings[key] = self._holdings.get(key, ZERO) + signed
        self.cash -= signed * price + fee
        self.fees += fee
        trade = VenueExecution(
            client_order_id=order.client_order_id,
            venue_order_id=order.venue_order_id,
            symbol=order.symbol,
            side=order.side,
            position_side=order.position_side,
            fill=fill,
        )
        self._pending_trades.append(trade)
        return order, fill

    def move_cash(self, ref: str, amount: Decimal, now_ns: int) -> None:
        """Move money in (> 0) or out (< 0), once for each `ref`."""
        if ref in self._pending_transfers:
            return
        if self._has_transfer(ref):
            return
        self._pending_transfers[ref] = (ref, plain(amount), now_ns)
        self.cash += amount
        self._happened(now_ns)

    def find_order(self, client_order_id: str) -> VenueOrder | None:
        """The order of this client id, open or ended."""
        pending = self._pending_orders.get(client_order_id) or self.open_orders.get(client_order_id)
        if pending is not None:
            return pending
        row = self._db.execute(tables.FIND_ORDER, (client_order_id,)).fetchone()
        return None if row is None else tables.order_of(row)

    def fills_of(self, order: VenueOrder) -> tuple[VenueFill, ...]:
        """All executions of an order, in the order in which they happened."""
        rows = self._db.execute(tables.FILLS_OF_ORDER, (int(order.venue_order_id),))
        stored = [tables.trade_of(row) for row in rows]
        pending = [t for t in self._pending_trades if t.venue_order_id == order.venue_order_id]
        return tuple(trade.fill for trade in stored + pending)

    def trades_after(self, cursor: str) -> tuple[VenueExecution, ...]:
        """All executions after the one numbered `cursor` (empty: all), in the order in which they
        happened."""
        after = int(cursor or "0")
        stored = [tables.trade_of(row) for row in self._db.execute(tables.FILLS_AFTER, (after,))]
        return tuple(stored + [t for t in self._pending_trades if int(t.fill.trade_id) > after])

    def lacks(self, known: KnownOfVenue) -> str | None:
        """What the ledger does not hold of what a client has from it, in words; None if nothing."""
        if known.fills_cursor and int(known.fills_cursor) > self._last_fill:
            return f"execution {known.fills_cursor}, the newest that a comparison showed"
        if known.fill is not None and not self._has_fill(known.fill):
            fill = known.fill
            return (
                f"execution {fill.trade_id} of order {fill.client_order_id}: "
                f"{plain(fill.quantity)} {fill.symbol} at {plain(fill.price)}"
            )
        for order_id in known.order_ids:
            if self.find_order(order_id) is None:
                return f"order {order_id}, which it had accepted"
        if known.cash_ref is not None and not self._has_transfer(known.cash_ref):
            return f"the transfer of money {known.cash_ref}"
        return None

    def _has_fill(self, fill: Fill) -> bool:
        number = int(fill.trade_id) if fill.trade_id.isdecimal() else 0
        row = self._db.execute(tables.FIND_FILL, (number,)).fetchone()
        if row is None:
            return False
        trade = tables.trade_of(row)
        theirs = (trade.client_order_id, trade.fill.quantity, trade.fill.price)
        return theirs == (fill.client_order_id, fill.quantity, fill.price)

    def _has_transfer(self, ref: str) -> bool:
        return self._db.execute(tables.FIND_TRANSFER, (ref,)).fetchone() is not None

    def taken_since(self, symbol: str, since_ns: int) -> dict[Side, Decimal]:
        """How much of a symbol was bought and sold at `since_ns` and later. Walks over all fills:
        for a start only."""
        taken = dict.fromkeys(Side, ZERO)
        for side, quantity in self._db.execute(tables.FILLS_SINCE, (symbol, since_ns)):
            taken[Side(side)] += Decimal(quantity)
        return taken

    def cursor(self) -> str:
        """Where `trades_after` continues from here."""
        return str(self._last_fill)

    def note_client(self, head: JournalHead, *, by_itself: bool) -> None:
        """Take in how far the client's journal is durable: stored with the next commit, which
        happens for this alone only where it is to be kept `by_itself`."""
        if head != self.client:
            self.client, self._is_client_new = head, True
            self._is_client_due = by_itself

    def commit(self) -> None:
        """Make everything that happened durable. Raises LedgerUnwritable; what was pending then
        still is."""
        if not (self._pending_orders or self._pending_transfers or self._is_client_due):
            return
        try:
            self._db.execute("BEGIN IMMEDIATE")
            self._write()
            self._db.execute("COMMIT")
        except sqlite3.OperationalError as error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise LedgerUnwritable(str(error)) from error
        self._forget_pending()

    def _write(self) -> None:
        self._db.executemany(tables.PUT_ORDER, map(tables.order_row, self._pending_orders.values()))
        if self._pending_trades:
            self._db.executemany(tables.ADD_FILL, map(tables.trade_row, self._pending_trades))
            moved = {(trade.symbol, trade.position_side): None for trade in self._pending_trades}
            rows = [tables.holding_row(VenueHolding(*key, self._holdings[key])) for key in moved]
            self._db.executemany(tables.PUT_HOLDING, rows)
        if self._pending_transfers:
            self._db.executemany(tables.ADD_TRANSFER, self._pending_transfers.values())
        if self._is_client_new and self.client is not None:
            head = self.client
            self._db.execute(tables.PUT_CLIENT, (head.code, head.sequence, head.hash))
        self._put_seen()
        self._db.execute(
            tables.PUT_TOTALS, (plain(self.cash), plain(self.fees), self.known_until_ns)
        )

    def keep_seen(self) -> None:
        """Store `seen` by itself, if the file can be written."""
        with suppress(sqlite3.OperationalError):
            self._put_seen()

    def _put_seen(self) -> None:
        self._db.executemany(tables.PUT_SEEN, self.seen.items())

    def _forget_pending(self) -> None:
        self._pending_orders: dict[str, VenueOrder] = {}
        self._pending_trades: list[VenueExecution] = []
        self._pending_transfers: dict[str, tuple[str, str, int]] = {}
        self._is_client_new = self._is_client_due = False

    def _happened(self, now_ns: int) -> None:
        if now_ns > self.known_until_ns:
            self.known_until_ns = now_ns

    def _load(self, path: Path, position_mode: PositionMode) -> None:
        tables.create(self._db, position_mode)
        mode, cash, fees, self.known_until_ns = self._db.execute(tables.TOTALS).fetchone()
        if mode != position_mode.value:
            raise LedgerModeDiffers(
                f"{path} keeps its holdings in position mode {mode}, not {position_mode.value}: "
                f"set PAPER_POSITION_MODE={mode}, or use another ledger file"
            )
        self.cash, self.fees = Decimal(cash), Decimal(fees)
        for holding in map(tables.holding_of, self._db.execute(tables.HOLDINGS)):
            self._holdings[holding.symbol, holding.position_side] = holding.quantity
        (self._last_order,) = self._db.execute(tables.LAST_ORDER).fetchone()
        (self._last_fill,) = self._db.execute(tables.LAST_FILL).fetchone()
        for order in map(tables.order_of, self._db.execute(tables.OPEN_ORDERS)):
            self.put_order(order)
        self._forget_pending()
        self.client = self._stored_client()
        self.seen = dict(self._db.execute(tables.SEEN).fetchall())

    def _stored_client(self) -> JournalHead | None:
        """Whose account it is. A ledger from before that was stored tells by its newest order."""
        row = self._db.execute(tables.CLIENT).fetchone()
        if row is not None:
            return JournalHead(*row)
        newest = self._db.execute(tables.LAST_CLIENT_ID).fetchone()
        parts = None if newest is None else parse_client_order_id(newest[0])
        return None if parts is None else JournalHead(parts.code, 0, "")


def read_ledger(path: Path) -> LedgerTotals:
    """The totals of the ledger at `path`, of one moment, read-only; also while a venue holds it.
    Raises LedgerUnreadable where there is none."""

    def read() -> LedgerTotals:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db:
            db.execute("BEGIN")
            _, cash, fees, _ = db.execute(tables.TOTALS).fetchone()
            rows = map(tables.holding_of, db.execute(tables.HOLDINGS))
            holdings = tuple(holding for holding in rows if holding.quantity)
            (orders,) = db.execute("SELECT count(*) FROM orders").fetchone()
            (fills,) = db.execute("SELECT count(*) FROM fills").fetchone()
            return LedgerTotals(Decimal(cash), Decimal(fees), holdings, orders, fills)

    return _reading(path, read)


def _leaves(order: VenueOrder) -> Decimal:
    return order.quantity - order.filled


def _open(path: Path, *, is_synced: bool) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=_BUSY_TIMEOUT_SECONDS, isolation_level=None)
    try:
        _reading(path, lambda: tables.check(db))
        db.execute("PRAGMA journal_mode = WAL")
        db.execute(f"PRAGMA synchronous = {'FULL' if is_synced else 'OFF'}")
    except BaseException:
        db.close()
        raise
    return db


def _in_memory() -> sqlite3.Connection:
    return sqlite3.connect(":memory:", isolation_level=None)


def _reading(path: Path, read: Callable[[], _Read]) -> _Read:
    """Run `read`; whatever is wrong with the file becomes LedgerUnreadable, which names it."""
    try:
        return read()
    except (sqlite3.DatabaseError, tables.ForeignFile, *_BAD_CONTENT) as error:
        message = f"{path} cannot be read as a paper ledger: {error}; use another file"
        raise LedgerUnreadable(message) from error
