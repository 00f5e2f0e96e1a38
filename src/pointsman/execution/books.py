"""The desk's books: every record that is not final, and the indexes that keep each question O(1).

Invariants:

* records are frozen; the books replace them through `put_*`, which keep every index and running
  total in step and note the change for the current event;
* nobody else changes them: other modules read the attributes and call the methods below
  (`loading.py` fills empty ones);
* no question that is asked on a hot path walks over all accounts, orders or positions;
* everything but `this_run` follows from the records, so that loading them gives the same books
  (RULES 33).
"""

from collections import deque
from decimal import Decimal

import msgspec

from pointsman.domain.accounts import (
    Account,
    CashMove,
    Cursor,
    DeskRecord,
    ExternalHolding,
    KillSwitch,
)
from pointsman.domain.commands import Record
from pointsman.domain.market import Instrument, InstrumentSteps, Quote
from pointsman.domain.money import ZERO
from pointsman.domain.orders import KnownOrder, Order, Role
from pointsman.domain.policy import Policy
from pointsman.domain.positions import Position, PositionState
from pointsman.domain.sides import PositionSide
from pointsman.domain.timestamps import SECOND_NS
from pointsman.execution import pacing
from pointsman.execution.account_index import ENTRIES_PER_MINUTE_MAX, AccountIndex, Holding
from pointsman.execution.ordered_set import discard, keep
from pointsman.execution.this_run import ThisRun

MINUTE_NS = 60 * SECOND_NS


class Books:
    """All state of the desk. Only `execution` changes it, and only through the methods below."""

    def __init__(self, policy: Policy, desk: DeskRecord) -> None:
        self.policy = policy
        self.desk = desk
        self.kill_switch = KillSwitch()
        self.accounts: dict[str, Account] = {}
        self.index: dict[str, AccountIndex] = {}
        self.orders: dict[str, Order] = {}
        self.positions: dict[int, Position] = {}
        self.orders_of_position: dict[int, dict[str, None]] = {}
        self.orders_by_symbol: dict[str, dict[str, None]] = {}
        self.entries_by_symbol: dict[str, dict[str, None]] = {}
        self.holders: dict[tuple[str, PositionSide], dict[str, int]] = {}
        self.fill_keys: dict[str, dict[str, None]] = {}
        self.reopened: dict[int, KnownOrder] = {}
        self.cash_moves: dict[str, CashMove] = {}
        self.cursors: dict[str, Cursor] = {}
        self.externals: dict[tuple[str, PositionSide], ExternalHolding] = {}
        self.entry_times: deque[int] = deque(maxlen=ENTRIES_PER_MINUTE_MAX)
        self.holding_accounts: dict[str, None] = {}
        self.frozen: dict[str, None] = {}
        self.openings: dict[str, None] = {}
        self.naked: dict[int, None] = {}
        self.overfilled: dict[int, None] = {}
        self.dust: dict[tuple[str, PositionSide], Decimal] = {}
        self.total_cash = ZERO
        self.this_run = ThisRun()
        self.changes: dict[tuple[type, object], Record] = {}
        self.touched_positions: dict[int, None] = {}
        self.touched_accounts: dict[str, None] = {}

    # -- records -----------------------------------------------------------------------------------

    def put_account(self, account: Account) -> None:
        before = self.accounts.get(account.va_id)
        if before is None:
            self.index[account.va_id] = AccountIndex()
            self.total_cash += account.cash
        elif account.cash is not before.cash:
            self.total_cash += account.cash - before.cash
        self.accounts[account.va_id] = account
        keep(self.frozen, account.va_id, account.frozen_for is not None)
        keep(self.openings, account.va_id, account.opening is not None)
        self.touched_accounts[account.va_id] = None
        self.changes[Account, account.va_id] = account

    def put_order(self, order: Order) -> None:
        """Store an order; a final one leaves the indexes, and is forgotten when the step ends."""
        order_id, index = order.client_order_id, self.index[order.va_id]
        before = self.orders.get(order_id)
        if order.role is Role.ENTRY:
            freed = (before.leaves if before else ZERO) - order.leaves
            self._add_exposure(order.va_id, -freed * (order.limit_price or ZERO))
            if not self.policy.abilities.stop_beside_entry:
                self._touch_holders(order.symbol, order.position_side)
        if order.is_final:
            if before is not None:
                self._forget_order(before, index)
        else:
            self.orders[order_id] = order
            if before is None:
                self._remember_order(order, index)
            keep(index.unknown, order_id, order.is_unknown)
        self.touched_positions[order.position_id] = None
        self.touched_accounts[order.va_id] = None
        self.changes[Order, order_id] = order

    def put_sent(self, order: Order) -> None:
        """Store that an order has left: nothing that must be true depends on it."""
        self.orders[order.client_order_id] = order
        self.changes[Order, order.client_order_id] = order

    def _remember_order(self, order: Order, index: AccountIndex) -> None:
        order_id = order.client_order_id
        index.orders[order_id] = None
        self.orders_by_symbol.setdefault(order.symbol, {})[order_id] = None
        self.orders_of_position.setdefault(order.position_id, {})[order_id] = None
        self.fill_keys.setdefault(order_id, {})
        if order.role is Role.ENTRY:
            index.entries[order_id] = None
            self.entries_by_symbol.setdefault(order.symbol, {})[order_id] = None
            self._count_holder(order.symbol, order.position_side, order.va_id, +1)

    def _forget_order(self, order: Order, index: AccountIndex) -> None:
        order_id = order.client_order_id
        del self.orders[order_id], index.orders[order_id]
        index.unknown.pop(order_id, None)
        self.fill_keys.pop(order_id, None)
        self.this_run.forget_asked(order_id)
        self.this_run.pacing.forget(pacing.cancelling(order))
        discard(self.orders_of_position, order.position_id, order_id)
        discard(self.orders_by_symbol, order.symbol, order_id)
        if order.role is Role.ENTRY:
            del index.entries[order_id]
            discard(self.entries_by_symbol, order.symbol, order_id)
            self._count_holder(order.symbol, order.position_side, order.va_id, -1)

    def put_position(self, position: Position) -> None:
        """Store a position; a closed one is forgotten."""
        before = self.positions.get(position.position_id)
        was_live = before is not None and before.is_live
        if before is None or not position.holds_as(before):
            self._move_holding(before, -1)
            self._move_holding(position, +1)
            if position.is_live != was_live:
                step = 1 if position.is_live else -1
                self._count_holder(position.symbol, position.side, position.va_id, step)
            held = (before.quantity * before.limit_price) if before and before.is_live else ZERO
            holds = position.quantity * position.limit_price if position.is_live else ZERO
            self._add_exposure(position.va_id, holds - held)
        is_naked = position.is_live and position.naked_since_ns is not None
        keep(self.naked, position.position_id, is_naked)
        self._index_position(position, was_live=was_live)
        self.touched_positions[position.position_id] = None
        self.touched_accounts[position.va_id] = None
        self.changes[Position, position.position_id] = position

    def _index_position(self, position: Position, *, was_live: bool) -> None:
        position_id, index = position.position_id, self.index[position.va_id]
        if position.state is PositionState.CLOSED or (position.is_live and not was_live):
            # One that comes alive stands behind those whose first fill was earlier.
            self.positions.pop(position_id, None)
            index.positions.pop(position_id, None)
        if position.state is not PositionState.CLOSED:
            self.positions[position_id] = position
            index.positions[position_id] = None
        if not position.is_live:
            self.this_run.pacing.forget(*pacing.of_position(position_id))
        keep(self.overfilled, position_id, position.state is PositionState.OVERFILLED)
        symbol, side = position.symbol, position.side
        if self.overfilled or self.external(symbol, side) or self.external(symbol, side.opposite):
            # What the venue lacks is shared out among all positions there.
            self._touch_holders(symbol, side)
            self._touch_holders(symbol, side.opposite)
        elif not self.policy.is_hedged:
            self._touch_holders(symbol, side.opposite)
            if (symbol, side.opposite) in self.dust:
                # It is lacking in the newest position of this side, which may be another one now.
                self._touch_holders(symbol, side)

    def _move_holding(self, position: Position | None, step: int) -> None:
        if position is None or position.state is PositionState.CLOSED:
            return
        holdings = self.index[position.va_id].holdings
        holding = holdings.setdefault(position.symbol, Holding())
        sign = step * position.side.sign
        holding.quantity += sign * position.quantity
        holding.cost += sign * position.cost
        if position.state is PositionState.DUST:
            key = (position.symbol, position.side)
            residue = self.dust.pop(key, ZERO) + step * position.quantity
            if residue:
                self.dust[key] = residue
        if holding.quantity == ZERO and holding.cost == ZERO:
            del holdings[position.symbol]
        if holdings:
            self.holding_accounts[position.va_id] = None
        else:
            self.holding_accounts.pop(position.va_id, None)

    def _count_holder(self, symbol: str, side: PositionSide, va_id: str, step: int) -> None:
        """Keep who holds, or works an entry in, a symbol and side. Whatever comes to a VA that was
        alone there makes its positions think again: what leaves may no longer exceed them (RULES
        21)."""
        counts = self.holders.setdefault((symbol, side), {})
        if step > 0 and len(counts) == 1:
            self._touch_holders(symbol, side)
        counts[va_id] = counts.get(va_id, 0) + step
        if counts[va_id] == 0:
            del counts[va_id]
        if not counts:
            del self.holders[symbol, side]

    def _touch_holders(self, symbol: str, side: PositionSide) -> None:
        for va_id in self.holders.get((symbol, side), ()):
            self.touched_positions.update(self.index[va_id].positions)

    def _add_exposure(self, va_id: str, change: Decimal) -> None:
        if change:
            account = self.accounts[va_id]
            self.put_account(msgspec.structs.replace(account, exposure=account.exposure + change))

    def put_desk(self, desk: DeskRecord) -> None:
        self.desk = desk
        self.changes[DeskRecord, 1] = desk

    def put_kill_switch(self, kill_switch: KillSwitch) -> None:
        self.kill_switch = kill_switch
        self.changes[KillSwitch, 1] = kill_switch

    def put_cash_move(self, move: CashMove) -> None:
        if move.is_confirmed:
            self.cash_moves.pop(move.ref, None)
        else:
            self.cash_moves[move.ref] = move
        self.changes[CashMove, move.ref] = move

    def put_cursor(self, cursor: Cursor) -> None:
        self.cursors[cursor.source] = cursor
        self.changes[Cursor, cursor.source] = cursor

    def put_external(self, holding: ExternalHolding) -> None:
        self.externals[holding.symbol, holding.side] = holding
        self.changes[ExternalHolding, (holding.symbol, holding.side)] = holding
        for side in PositionSide:
            self._touch_holders(holding.symbol, side)

    def put_policy(self, policy: Policy) -> None:
        """Take the policy of a start; what was learned of instruments stays."""
        self.policy = policy.with_steps(*self.policy.steps.values())
        self.this_run.instruments.clear()

    def put_steps(self, *steps: InstrumentSteps) -> None:
        """Take tick and lot of symbols of which no instrument is given."""
        self.policy = self.policy.with_steps(*steps)
        self.this_run.instruments.clear()

    def note_fill_key(self, order_id: str, key: str) -> None:
        """Remember that an execution of an order is booked, until the order is forgotten."""
        if order_id in self.fill_keys:
            self.fill_keys[order_id][key] = None

    def note_entry_time(self, va_id: str, now_ns: int) -> None:
        """Count an accepted entry for the throttles."""
        for times in (self.index[va_id].entry_times, self.entry_times):
            self.entries_within_minute(times, now_ns)  # Forgets older ones, limit or no limit.
            times.append(now_ns)

    def note(self, record: Record, key: object) -> None:
        """Remember a record that is never read again here."""
        self.changes[type(record), key] = record

    @property
    def is_ready(self) -> bool:
        """Whether a comparison with the venue has succeeded since the start: before that nothing is
        sent and no signal is decided."""
        return self.desk.compared_at_ns is not None

    # -- questions ---------------------------------------------------------------------------------

    def instrument(self, symbol: str) -> Instrument:
        """The instrument of a symbol, as the policy has it."""
        known = self.this_run.instruments
        if symbol not in known:
            known[symbol] = self.policy.instrument(symbol)
        return known[symbol]

    def open_positions(self, va_id: str) -> list[Position]:
        """The live positions of a VA in the order of their first fills."""
        held = map(self.positions.__getitem__, self.index[va_id].positions)
        return [position for position in held if position.is_live]

    def orders_of(self, position_id: int, role: Role) -> list[Order]:
        """The orders of a position that are not final, oldest first."""
        found = map(self.orders.__getitem__, self.orders_of_position.get(position_id, ()))
        return [order for order in found if order.role is role]

    def closing_orders(self, position_id: int) -> tuple[list[Order], list[Order]]:
        """The stops and the exits of a position that are not final, each oldest first."""
        stops, exits = list[Order](), list[Order]()
        for order in map(self.orders.__getitem__, self.orders_of_position.get(position_id, ())):
            if order.role is not Role.ENTRY:
                (stops if order.role is Role.STOP else exits).append(order)
        return stops, exits

    def slots_used(self, va_id: str) -> int:
        """Open positions and entries in flight that may still become one (RULES 11, I11)."""
        entries = (self.orders[key] for key in self.index[va_id].entries)
        opening = [order for order in entries if order.position_id not in self.positions]
        return len(self.open_positions(va_id)) + len(opening)

    def external(self, symbol: str, side: PositionSide) -> Decimal:
        """What EXTERNAL holds, signed, of what the venue counts together with a position of that
        symbol and side: one side in hedge mode, both in net mode."""
        if not self.externals:
            return ZERO
        held = self.externals.get(self.policy.venue_key(symbol, side))
        return ZERO if held is None else held.quantity

    def positions_on(self, symbol: str, side: PositionSide) -> list[Position]:
        """The live positions of all VAs on a symbol and side, newest first."""
        found = [
            position
            for va_id in self.holders.get((symbol, side), ())
            for position in self.open_positions(va_id)
            if position.symbol == symbol and position.side is side
        ]
        return sorted(found, key=lambda p: (p.opened_at_ns, p.position_id), reverse=True)

    def equity(self, va_id: str, mark: Quote | None) -> Decimal | None:
        """Cash plus holdings at the touch they would close against (RULES 17). A residue in another
        symbol than the mark's counts at cost; None where the leased symbol is held and there is no
        mark of it."""
        account = self.accounts[va_id]
        value = account.cash
        for symbol, holding in self.index[va_id].holdings.items():
            if mark is not None and mark.symbol == symbol:
                value += holding.quantity * (mark.bid if holding.quantity > ZERO else mark.ask)
            elif symbol == account.leased_symbol:
                return None
            else:
                value += holding.cost
        return value

    def entries_within_minute(self, times: deque[int], now_ns: int) -> int:
        """How many entries were accepted in the last 60 seconds; forgets older ones."""
        while times and times[0] <= now_ns - MINUTE_NS:
            times.popleft()
        return len(times)

    # -- steps -------------------------------------------------------------------------------------

    def look_again_at_position(self, position_id: int) -> None:
        """Have the desk make true, in this step, what must be true of a position."""
        self.touched_positions[position_id] = None

    def look_again_at_account(self, va_id: str) -> None:
        """Have the desk ask, in this step, whether a VA may still enter and holds its lease."""
        self.touched_accounts[va_id] = None

    def look_again_at_entries(self) -> None:
        """The same for every VA that works an entry."""
        for orders in self.entries_by_symbol.values():
            for order_id in orders:
                self.look_again_at_account(self.orders[order_id].va_id)

    def take_touched_positions(self) -> list[int]:
        """The positions to look at, once."""
        touched = list(self.touched_positions)
        self.touched_positions.clear()
        return touched

    def forget_touched(self) -> None:
        """All that was touched has been looked at."""
        self.touched_positions.clear()
        self.touched_accounts.clear()

    def note_reopened(self, known: KnownOrder) -> None:
        """Remember, for this step, what storage knows of a final order that is reported again."""
        self.reopened[known.order.position_id] = known

    def take_reopened(self, position_id: int) -> KnownOrder | None:
        """What storage knows of the order that opened a position, if it is reported again."""
        return self.reopened.pop(position_id, None)

    def take_changes(self) -> tuple[Record, ...]:
        """The records that the event changed, each once, as it is now."""
        changes = tuple(self.changes.values())
        self.changes.clear()
        self.reopened.clear()
        return changes
