"""Loading: books from stored records.

Everything in the books follows from the records, so those that are loaded equal those that were
saved (I18). The rest, timers and the times of queries, is set again at start.
"""

from collections.abc import Iterable

import msgspec

from pointsman.domain.accounts import (
    Account,
    CashMove,
    Cursor,
    DeskRecord,
    ExternalHolding,
    KillSwitch,
)
from pointsman.domain.market import InstrumentSteps
from pointsman.domain.money import ZERO
from pointsman.domain.orders import Order
from pointsman.domain.policy import Policy
from pointsman.domain.positions import Position
from pointsman.execution.books import Books


class DeskRecords(msgspec.Struct):
    """The records to start from, as storage holds them: nothing that is final but for the standing
    ones."""

    desk: DeskRecord | None = None
    kill_switch: KillSwitch | None = None
    accounts: tuple[Account, ...] = ()
    orders: tuple[Order, ...] = ()
    positions: tuple[Position, ...] = ()
    fill_keys: dict[str, tuple[str, ...]] = {}
    cash_moves: tuple[CashMove, ...] = ()
    cursors: tuple[Cursor, ...] = ()
    externals: tuple[ExternalHolding, ...] = ()
    steps: tuple[InstrumentSteps, ...] = ()
    entry_times: tuple[tuple[str, int], ...] = ()


def load_books(books: Books, loaded: DeskRecords) -> None:
    """Fill empty books from stored records."""
    books.put_steps(*loaded.steps)
    if loaded.desk is not None:
        books.desk = loaded.desk
    if loaded.kill_switch is not None:
        books.kill_switch = loaded.kill_switch
    for account in loaded.accounts:
        # Exposure is a running total of what follows: counted again, and compared below.
        books.put_account(msgspec.structs.replace(account, exposure=ZERO))
    for order in loaded.orders:
        books.put_order(order)
        keys = loaded.fill_keys.get(order.client_order_id, ())
        books.fill_keys[order.client_order_id] = dict.fromkeys(keys)
    for position in sorted(loaded.positions, key=lambda p: (p.opened_at_ns, p.position_id)):
        books.put_position(position)
    _keep_exposure(books, loaded.accounts)
    books.cash_moves = {move.ref: move for move in loaded.cash_moves}
    books.cursors = {cursor.source: cursor for cursor in loaded.cursors}
    books.externals = {(held.symbol, held.side): held for held in loaded.externals}
    for va_id, at_ns in sorted(loaded.entry_times, key=lambda entry: entry[1]):
        books.index[va_id].entry_times.append(at_ns)
        books.entry_times.append(at_ns)
    books.changes.clear()
    books.forget_touched()


def _keep_exposure(books: Books, stored: Iterable[Account]) -> None:
    for account in stored:
        counted = books.accounts[account.va_id].exposure
        assert counted == account.exposure, (account.va_id, counted, account.exposure)
        # Equal, but not in digits (0 and 0.00): what is stored is kept, so that deciding again,
        # without this start, gives the same records.
        books.put_account(account)


def number_next(books: Books, number: int) -> None:
    """Have the next entry get this number: where a journal is decided again, each keeps its own."""
    books.put_desk(msgspec.structs.replace(books.desk, next_number=number))


def govern_by(books: Books, policy: Policy) -> None:
    """Have a policy hold from now on, without a start."""
    books.put_policy(policy)
