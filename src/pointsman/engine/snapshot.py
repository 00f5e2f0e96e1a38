"""The picture: what the engine does and holds at one moment, for its readers.

It belongs to the reader's thread and is made of changed records alone, so that looking costs the
loop nothing (RULES 34). The same records read from the database give the same picture without an
engine. Decimals are texts, times integer nanoseconds.
"""

from collections import deque
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

import msgspec

from pointsman.domain.accounts import (
    Account,
    DeskRecord,
    Incident,
    KillState,
    KillSwitch,
    TradingState,
)
from pointsman.domain.commands import Record
from pointsman.domain.market import Quote
from pointsman.domain.money import ONE, ZERO, exact, plain, shown_average, shown_ratio
from pointsman.domain.orders import Order
from pointsman.domain.positions import Position, PositionState
from pointsman.domain.signals import Decision, Signal, SignalRecord
from pointsman.domain.timestamps import SECOND_NS
from pointsman.engine.kill_latch import Latched
from pointsman.engine.publisher import DECISIONS_KEPT, INCIDENTS_KEPT, Batch, Counts, count

Document = dict[str, Any]
"""What JSON calls an object."""

Marks = Callable[[str], Quote | None]
"""The last valid quote of a symbol."""

_MS = 10**6


class Picture:
    """The newest state of all that is shown. `protection_ns` is the time within which a stop must
    be confirmed: a position without one for longer is shown as naked. `price_decimals` tells how
    many decimals the prices of a symbol have, by its tick."""

    def __init__(
        self, marks: Marks, protection_ns: int, price_decimals: Callable[[str], int]
    ) -> None:
        self._marks = marks
        self._price_decimals = price_decimals
        self._protection_ns = protection_ns
        self._accounts: dict[str, Account] = {}
        self._positions: dict[int, Position] = {}
        self._orders: dict[str, Order] = {}
        self._decisions: deque[Decision] = deque(maxlen=DECISIONS_KEPT)
        self._signals: dict[str, Signal] = {}
        self._incidents: deque[Incident] = deque(maxlen=INCIDENTS_KEPT)
        self._kill_switch = KillSwitch()
        self._desk: DeskRecord | None = None
        self._counts = Counts()

    def load(self, records: Iterable[Record], counts: Counts) -> None:
        """Begin with stored records, and what they are counted as."""
        for record in records:
            self._take(record)
        self._counts = counts

    def merge(self, batches: Iterable[Batch]) -> None:
        """Take in what has changed since."""
        for batch in batches:
            self._counts += batch.gone + count(batch.records)
            for record in batch.records:
                self._take(record)
        shown = [each.signal_id for each in self._decisions]
        self._signals = {key: self._signals[key] for key in shown if key in self._signals}

    def _take(self, record: Record) -> None:
        match record:
            case Account():
                self._accounts[record.va_id] = record
            case Position():
                _keep(self._positions, record.position_id, record, _is_shown(record))
            case Order():
                _keep(self._orders, record.client_order_id, record, not record.is_final)
            case SignalRecord():
                self._signals[record.signal.signal_id] = record.signal
            case Decision():
                self._decisions.append(record)
            case Incident():
                self._incidents.append(record)
            case KillSwitch():
                self._kill_switch = record
            case DeskRecord():
                self._desk = record
            case _:
                pass

    def document(self, now_ns: int, latched: Latched) -> Document:
        """What there is at `now_ns`. A latch that the loop has not come to yet counts already."""
        switch = with_latch(self._kill_switch, latched)
        held: dict[str, list[Position]] = {}
        for position in self._positions.values():
            held.setdefault(position.va_id, []).append(position)
        with exact():
            accounts = [
                self._account(account, held.get(account.va_id, []), switch, now_ns)
                for account in self._accounts.values()
            ]
            positions = [self._position(each, now_ns) for each in self._positions.values()]
        return {
            "now_ns": now_ns,
            "is_ready": self._desk is not None and self._desk.compared_at_ns is not None,
            "trading_state": switch.trading_state.value,
            "kill": {
                "state": switch.state.value,
                "by": switch.changed_by,
                "note": switch.note,
                "at_ns": switch.changed_at_ns,
                "flat_at_ns": switch.flat_at_ns,
            },
            "accounts": accounts,
            "positions": positions,
            "decisions": [
                _decision(each, self._signals.get(each.signal_id))
                for each in reversed(self._decisions)
            ],
            "incidents": [_incident(each) for each in reversed(self._incidents)],
            "orders": {
                "working": sum(order.is_working for order in self._orders.values()),
                "unknown": sum(order.is_unknown for order in self._orders.values()),
            },
            "counts": msgspec.to_builtins(self._counts),
        }

    def _account(
        self, account: Account, held: list[Position], switch: KillSwitch, now_ns: int
    ) -> Document:
        unrealized = sum((self._unrealized(position) for position in held), ZERO)
        value = sum((each.side.sign * each.cost for each in held), account.cash) + unrealized
        status, text = _status(account, switch, now_ns)
        peak = max(account.peak_equity, value)
        return {
            "va_id": account.va_id,
            "status": status,
            "status_text": text,
            "symbol": account.leased_symbol,
            "balance": plain(account.balance),
            "equity": plain(value),
            "realized": plain(account.realized),
            "unrealized": plain(unrealized),
            "drawdown": plain(shown_ratio(ONE - value / peak) if peak > ZERO else ZERO),
            "max_drawdown": plain(account.max_drawdown),
            "wins": account.wins,
            "losses": account.losses,
            "loss_streak": account.streak_at(now_ns),
            "is_cooling": account.is_cooling(now_ns),
            "open_positions": sum(position.is_live for position in held),
        }

    def _touch(self, position: Position) -> Decimal | None:
        mark = self._marks(position.symbol)
        return None if mark is None else mark.closing_touch(position.side)

    def _unrealized(self, position: Position) -> Decimal:
        """At the touch that it would close against; at cost where there is no quote."""
        touch = self._touch(position)
        return ZERO if touch is None else position.unrealized(touch) + ZERO

    def _position(self, position: Position, now_ns: int) -> Document:
        touch, since_ns = self._touch(position), position.naked_since_ns
        naked_ns = 0 if since_ns is None else max(0, now_ns - since_ns)
        return {
            "position_id": position.position_id,
            "va_id": position.va_id,
            "symbol": position.symbol,
            "side": position.side.value,
            "quantity": plain(position.quantity),
            "entry_price": plain(shown_average(position.cost, position.quantity)),
            "mark": None if touch is None else plain(touch),
            "unrealized": plain(self._unrealized(position)),
            "stop_price": plain(position.stop_price),
            "take_profit": None if position.take_profit is None else plain(position.take_profit),
            "price_decimals": self._price_decimals(position.symbol),
            "cover": self._cover(position, naked_ns),
            "naked_ms": naked_ns // _MS,
            "opened_at_ns": position.opened_at_ns,
            "signal_id": position.signal_id,
        }

    def _cover(self, position: Position, naked_ns: int) -> str:
        if position.closing_all or position.closing > ZERO:
            return "exiting" if naked_ns <= self._protection_ns else "naked"
        if position.naked_since_ns is None:
            return "covered"
        return "unconfirmed" if naked_ns <= self._protection_ns else "naked"


def _keep(kept: dict[Any, Any], key: object, record: Record, is_live: bool) -> None:
    if is_live:
        kept[key] = record
    else:
        kept.pop(key, None)


def _is_shown(position: Position) -> bool:
    return position.state in (PositionState.OPEN, PositionState.OVERFILLED)


def with_latch(switch: KillSwitch, latched: Latched) -> KillSwitch:
    """The kill switch as it holds: the latch in memory may be ahead of the loop. A latch that was
    rearmed, and pressed again, without an engine counts in place of the stored switch."""
    is_ahead = latched.rearms or switch.state is KillState.OFF or latched.state is KillState.FLATTEN
    is_known = switch.state is latched.state and not latched.rearms
    if not latched.is_set or not is_ahead or is_known:
        return switch
    return KillSwitch(latched.state, switch.is_paused, latched.at_ns, latched.by, latched.note)


def _status(account: Account, switch: KillSwitch, now_ns: int) -> tuple[str, str]:
    """Whether an account may enter, or the first reason why not, in the order of RULES 11; and the
    same in words."""
    state = switch.trading_state
    if state is TradingState.HALTED:
        return "killed", f"killed ({switch.state.value}), by {switch.changed_by}: {switch.note}"
    if state is TradingState.REDUCING:
        return "paused", f"all paused by {switch.changed_by}: {switch.note}"
    if account.is_paused:
        return "paused", "paused by a person"
    if account.frozen_for is not None:
        return "frozen", f"frozen: {account.frozen_for.value}"
    if account.is_cooling(now_ns):
        left_ns = (account.cooldown_until_ns or 0) - now_ns
        return "cooldown", f"cooldown, {-(-left_ns // SECOND_NS)} s left"
    if account.stopped_by is not None:
        return "stopped", f"stopped: {account.stopped_by.value}"
    return "active", "active"


def _decision(decision: Decision, signal: Signal | None) -> Document:
    units = [check.unit for check in decision.checks if check.rule is decision.reason]
    quantity = decision.quantity
    if quantity is None and signal is not None:
        quantity = signal.quantity
    return {
        "signal_id": decision.signal_id,
        "va_id": decision.va_id,
        "symbol": decision.symbol,
        "side": "" if signal is None else signal.side.value,
        "outcome": decision.outcome.value,
        "reason": None if decision.reason is None else decision.reason.value,
        "value": decision.value,
        "limit": decision.limit,
        "unit": units[0] if units else "",
        "quantity": None if quantity is None else plain(quantity),
        "at_ns": decision.decided_at_ns,
    }


def _incident(incident: Incident) -> Document:
    return {
        "incident_id": incident.incident_id,
        "at_ns": incident.at_ns,
        "kind": incident.kind.value,
        "va_id": incident.va_id,
        "symbol": incident.symbol,
        "detail": incident.detail,
    }
