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
    Mark,
    VenueAccount,
)
from pointsman.domain.commands import Record
from pointsman.domain.market import Quote
from pointsman.domain.money import exact, plain
from pointsman.domain.orders import Order
from pointsman.domain.positions import Position, PositionState
from pointsman.domain.sides import PositionSide
from pointsman.domain.signals import Decision, Signal, SignalRecord
from pointsman.domain.timestamps import MS_NS
from pointsman.engine.kill_latch import LatchState
from pointsman.engine.publisher import DECISIONS_KEPT, INCIDENTS_KEPT, ChangeBatch, Counts, count
from pointsman.execution.figures import (
    AccountFigures,
    Cover,
    PositionFigures,
    account_figures,
    cover_of,
    daily_loss,
    naked_ns,
    position_figures,
)

Document = dict[str, Any]
"""What JSON calls an object."""

Marks = Callable[[str], Quote | Mark | None]
"""The last valid quote of a symbol."""


class ShownPosition(msgspec.Struct, frozen=True):
    """A position as it is shown: with its cover, for how long it has been without, and how many
    decimals its prices have."""

    figures: PositionFigures
    cover: Cover
    naked_ms: int
    price_decimals: int


class LiveSnapshot(msgspec.Struct, frozen=True):
    """All that is shown of one moment, the newest decisions and incidents first. A decision comes
    with its signal, where that is known. The latch counts already in `kill_switch`."""

    now_ns: int
    is_ready: bool
    traded_on: VenueAccount
    kill_switch: KillSwitch
    accounts: list[AccountFigures]
    positions: list[ShownPosition]
    decisions: list[tuple[Decision, Signal | None]]
    incidents: list[Incident]
    working_orders: int
    unknown_orders: int
    counts: Counts


class EngineSnapshot:
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

    def merge(self, batches: Iterable[ChangeBatch]) -> None:
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

    def snapshot(self, now_ns: int, latched: LatchState) -> LiveSnapshot:
        """What there is at `now_ns`. A latch that the loop has not come to yet counts already."""
        switch = with_latch(self._kill_switch, latched)
        positions = position_figures(self._positions.values(), self._closing_price)
        return LiveSnapshot(
            now_ns=now_ns,
            is_ready=self._desk is not None and self._desk.compared_at_ns is not None,
            traded_on=VenueAccount() if self._desk is None else self._desk.traded_on,
            kill_switch=switch,
            accounts=account_figures(self._accounts.values(), positions, switch, now_ns),
            positions=[self._shown(figures, now_ns) for figures in positions],
            decisions=[
                (decision, self._signals.get(decision.signal_id))
                for decision in reversed(self._decisions)
            ],
            incidents=list(reversed(self._incidents)),
            working_orders=sum(order.is_working for order in self._orders.values()),
            unknown_orders=sum(order.is_unknown for order in self._orders.values()),
            counts=self._counts,
        )

    def document(self, now_ns: int, latched: LatchState) -> Document:
        """The same, for programs."""
        return _document(self.snapshot(now_ns, latched))

    def _closing_price(self, symbol: str, side: PositionSide) -> Decimal | None:
        mark = self._marks(symbol)
        return None if mark is None else mark.closing_touch(side)

    def _shown(self, figures: PositionFigures, now_ns: int) -> ShownPosition:
        position = figures.position
        return ShownPosition(
            figures=figures,
            cover=cover_of(position, now_ns, self._protection_ns),
            naked_ms=naked_ns(position, now_ns) // MS_NS,
            price_decimals=self._price_decimals(position.symbol),
        )


def _keep(kept: dict[Any, Any], key: object, record: Record, is_live: bool) -> None:
    if is_live:
        kept[key] = record
    else:
        kept.pop(key, None)


def _is_shown(position: Position) -> bool:
    return position.state in (PositionState.OPEN, PositionState.OVERFILLED)


def with_latch(switch: KillSwitch, latched: LatchState) -> KillSwitch:
    """The kill switch as it holds: the latch in memory may be ahead of the loop. A latch that was
    rearmed, and pressed again, without an engine counts in place of the stored switch."""
    is_ahead = latched.rearms or switch.state is KillState.OFF or latched.state is KillState.FLATTEN
    is_known = switch.state is latched.state and not latched.rearms
    if not latched.is_set or not is_ahead or is_known:
        return switch
    return KillSwitch(
        state=latched.state,
        is_paused=switch.is_paused,
        changed_at_ns=latched.at_ns,
        changed_by=latched.by,
        note=latched.note,
    )


# -- for programs ----------------------------------------------------------------------------------


def _document(snapshot: LiveSnapshot) -> Document:
    switch = snapshot.kill_switch
    return {
        "now_ns": snapshot.now_ns,
        "is_ready": snapshot.is_ready,
        "venue": venue_document(snapshot.traded_on),
        "trading_state": switch.trading_state.value,
        "kill": {
            "state": switch.state.value,
            "by": switch.changed_by,
            "note": switch.note,
            "at_ns": switch.changed_at_ns,
            "flat_at_ns": switch.flat_at_ns,
        },
        "accounts": [_account(each) for each in snapshot.accounts],
        "positions": [_position(each) for each in snapshot.positions],
        "decisions": [_decision(*each) for each in snapshot.decisions],
        "incidents": [_incident(each) for each in snapshot.incidents],
        "orders": {"working": snapshot.working_orders, "unknown": snapshot.unknown_orders},
        "counts": msgspec.to_builtins(snapshot.counts),
    }


def venue_document(account: VenueAccount) -> Document:
    """Which account at which venue, and whether that is real money."""
    return {
        "name": account.venue,
        "account": account.name,
        "is_real_money": account.is_real_money,
        "label": account.label,
    }


def _account(figures: AccountFigures) -> Document:
    account = figures.account
    with exact():
        lost = daily_loss(account, figures.equity) if account.day_start_ns else None
    return {
        "va_id": account.va_id,
        "status": figures.status.value,
        "status_text": figures.status_text,
        "symbol": account.leased_symbol,
        "balance": plain(figures.balance),
        "equity": plain(figures.equity),
        "realized": plain(account.realized),
        "unrealized": plain(figures.unrealized),
        "drawdown": plain(figures.drawdown),
        "max_drawdown": plain(account.max_drawdown),
        "wins": account.wins,
        "losses": account.losses,
        "loss_streak": figures.loss_streak,
        "is_cooling": figures.is_cooling,
        "cooldown_until_ns": account.cooldown_until_ns if figures.is_cooling else None,
        "exposure": plain(account.exposure),
        "daily_loss": None if lost is None else plain(lost),
        "entries_today": account.day_entries,
        "open_positions": figures.open_positions,
    }


def _position(shown: ShownPosition) -> Document:
    figures, position = shown.figures, shown.figures.position
    return {
        "position_id": position.position_id,
        "va_id": position.va_id,
        "symbol": position.symbol,
        "side": position.side.value,
        "quantity": plain(position.quantity),
        "entry_price": plain(figures.entry_price),
        "mark": None if figures.mark is None else plain(figures.mark),
        "unrealized": plain(figures.unrealized),
        "stop_price": plain(position.stop_price),
        "take_profit": None if position.take_profit is None else plain(position.take_profit),
        "price_decimals": shown.price_decimals,
        "cover": shown.cover.value,
        "naked_ms": shown.naked_ms,
        "opened_at_ns": position.opened_at_ns,
        "signal_id": position.signal_id,
    }


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
