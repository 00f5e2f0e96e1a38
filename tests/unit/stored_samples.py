"""A short history that touches every stored type, and strategies for any record or event."""

from decimal import Decimal
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

import msgspec
from hypothesis import strategies as st

from pointsman.domain.accounts import (
    Account,
    AccountReading,
    CashMove,
    Cursor,
    DeskRecord,
    EquityPoint,
    ExternalHolding,
    Incident,
    KillState,
    KillSwitch,
    Mark,
)
from pointsman.domain.client_order_ids import client_order_id
from pointsman.domain.commands import Record
from pointsman.domain.events import Killed, OrderReport, OrderSent, ReportWord, SignalReceived
from pointsman.domain.life_cycle import OrderStatus
from pointsman.domain.market import InstrumentSteps, Quote
from pointsman.domain.orders import Fill, Order, OrderType, Role
from pointsman.domain.positions import Funding, Lot, Position, PositionState, Trade
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import PositionSide, Side, SignalSide
from pointsman.domain.signals import Action, Check, Decision, Outcome, Signal, SignalRecord
from pointsman.execution.ports import JournalEntry

SECOND_NS = 1_000_000_000
START_NS = 1_700_000_000 * SECOND_NS
TEN = Decimal(10)
BAD_QUOTE = Quote("XXX", START_NS, Decimal("NaN"), TEN, Decimal("158.40"), Decimal(0))


def order(number: int, role: Role = Role.ENTRY, attempt: int = 1, **fields: Any) -> Order:
    """An order for entry `number`, accepted by the venue unless said otherwise."""
    values: dict[str, Any] = {
        "client_order_id": client_order_id("ABCDEF", number, role, attempt),
        "va_id": "VA001",
        "symbol": "XXX",
        "position_id": number,
        "role": role,
        "order_type": OrderType.LIMIT_IOC if role is Role.ENTRY else OrderType.STOP,
        "side": Side.BUY if role is Role.ENTRY else Side.SELL,
        "position_side": PositionSide.LONG,
        "quantity": TEN,
        "created_at_ns": START_NS,
        "status": OrderStatus.ACCEPTED,
    }
    return Order(**(values | fields))


def fill(of: Order, trade_id: str, quantity: Decimal = TEN) -> Fill:
    """An execution of an order at 158.39."""
    return Fill(
        key=f"{of.client_order_id}:{trade_id}",
        client_order_id=of.client_order_id,
        va_id=of.va_id,
        symbol=of.symbol,
        position_id=of.position_id,
        side=of.side,
        quantity=quantity,
        price=Decimal("158.39"),
        fee=Decimal("0.15839"),
        trade_id=trade_id,
        venue_ts_ns=START_NS,
        booked_at_ns=START_NS + 1,
    )


def position(number: int, state: PositionState = PositionState.OPEN) -> Position:
    """The position that entry `number` opened."""
    return Position(
        position_id=number,
        part=0,
        va_id="VA001",
        symbol="XXX",
        side=PositionSide.LONG,
        entry_order_id=client_order_id("ABCDEF", number, Role.ENTRY, 1),
        opened_at_ns=START_NS,
        limit_price=Decimal("158.47"),
        stop_price=Decimal("155.22"),
        state=state,
        quantity=TEN,
        lots=(Lot(TEN, Decimal("158.39")),),
    )


def trade(number: int, part: int = 0) -> Trade:
    """What a position became when it closed."""
    return Trade(
        trade_id=f"{number}.{part}",
        position_id=number,
        va_id="VA001",
        symbol="XXX",
        side=PositionSide.LONG,
        quantity=TEN,
        entry_price=Decimal("158.39"),
        exit_price=Decimal("158.00"),
        pnl=Decimal("-4.21639"),
        fees=Decimal("0.31639"),
        opened_at_ns=START_NS,
        closed_at_ns=START_NS + SECOND_NS,
        exit_reason=Reason.STOP_LOSS,
    )


def signal(signal_id: str) -> SignalRecord:
    """A signal to buy, as received."""
    content = Signal(signal_id, "VA001", "XXX", SignalSide.BUY, quantity=TEN)
    return SignalRecord(content, START_NS, "signals.jsonl", 1)


def decision(signal_id: str, order_id: str | None) -> Decision:
    """An acceptance, with one measured rule."""
    return Decision(
        signal_id=signal_id,
        va_id="VA001",
        symbol="XXX",
        outcome=Outcome.ACCEPTED,
        decided_at_ns=START_NS,
        action=Action.ENTRY,
        quantity=TEN,
        client_order_id=order_id,
        quote=BAD_QUOTE,
        checks=(Check(Reason.SPREAD, True, "1.2627", "10.0", "bps"),),
    )


def turn(time_ns: int, *changes: Record) -> JournalEntry:
    """A turn whose event is of no matter."""
    return JournalEntry(time_ns, OrderSent("ABCDEF1E1"), changes)


def history() -> list[JournalEntry]:
    """Signals s1 (its position closed by its stop) and s2 (still open), and everything else
    once."""
    entry1, stop1, entry2 = order(1, signal_id="s1"), order(1, Role.STOP), order(2, signal_id="s2")
    account = Account("VA001", Decimal(100_000), START_NS)
    received = SignalReceived(signal("s1").signal, BAD_QUOTE, None, None, START_NS)
    filled = OrderReport(entry1.client_order_id, ReportWord.TRADE, START_NS)
    final = {"status": OrderStatus.FILLED, "filled": TEN}
    return [
        turn(START_NS, account, DeskRecord("ABCDEF"), Cursor("signals.jsonl", 7)),
        JournalEntry(
            START_NS, received, (signal("s1"), decision("s1", entry1.client_order_id), entry1)
        ),
        JournalEntry(START_NS + 1, filled, (fill(entry1, "t1"), position(1), stop1)),
        turn(
            START_NS + SECOND_NS,
            msgspec.structs.replace(entry1, **final),
            msgspec.structs.replace(stop1, **final),
            fill(stop1, "t2"),
            msgspec.structs.replace(position(1), state=PositionState.CLOSED),
            trade(1),
            msgspec.structs.replace(account, losses=1),
            Incident("1", START_NS, Reason.STRANGE_REPORT, client_order_id=stop1.client_order_id),
        ),
        turn(
            START_NS + 70 * SECOND_NS,
            signal("s2"),
            decision("s2", entry2.client_order_id),
            msgspec.structs.replace(entry2, created_at_ns=START_NS + 70 * SECOND_NS),
            fill(entry2, "t3", Decimal(4)),
            position(2, PositionState.DUST),
        ),
        turn(
            START_NS + 80 * SECOND_NS,
            CashMove("r1", "VA001", Decimal("12.50"), START_NS, is_confirmed=True),
            CashMove("r2", "VA001", Decimal("-12.50"), START_NS),
            ExternalHolding("XXX", PositionSide.SHORT, Decimal(-3)),
            Funding(
                "f1",
                2,
                "VA001",
                "XXX",
                PositionSide.LONG,
                Decimal(4),
                Decimal("-0.25"),
                START_NS,
                START_NS + 80 * SECOND_NS,
            ),
            Mark("XXX", START_NS, Decimal("158.38"), Decimal("158.40")),
            InstrumentSteps("XXX", Decimal("0.001"), Decimal("0.1")),
            AccountReading(7, (("XXX", Decimal("-0.5")),), 2),
            EquityPoint("VA001", START_NS, Decimal("100000"), Decimal("0.01")),
        ),
        JournalEntry(
            START_NS + 80 * SECOND_NS,
            Killed(False, "anna", "lunch"),
            (KillSwitch(KillState.HALT, changed_by="anna", note="lunch"),),
        ),
    ]


_DECIMALS = st.one_of(
    st.decimals(-(10**12), 10**12, allow_nan=False, places=12),
    st.integers(-(10**12), 10**12).map(Decimal),
    st.sampled_from([Decimal("NaN"), Decimal("Infinity"), Decimal("-0.00")]),
)
_PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    str: st.text(st.characters(codec="utf-8"), max_size=8),
    int: st.integers(-(2**63), 2**63 - 1),
    bool: st.booleans(),
    Decimal: _DECIMALS,
    NoneType: st.none(),
}


def any_of(kind: Any) -> st.SearchStrategy[Any]:
    """Any value of a field's type: what a struct can hold at its worst."""
    if kind in _PLAIN:
        return _PLAIN[kind]
    if get_origin(kind) in (Union, UnionType):
        return st.one_of(*(any_of(each) for each in get_args(kind)))
    if get_origin(kind) is dict:
        return st.dictionaries(*(any_of(each) for each in get_args(kind)), max_size=2)
    if get_origin(kind) is tuple:
        inner = get_args(kind)
        if inner[-1] is Ellipsis:
            return st.lists(any_of(inner[0]), max_size=2).map(tuple)
        return st.tuples(*(any_of(each) for each in inner))
    if issubclass(kind, Enum):
        return st.sampled_from(kind)
    return st.deferred(
        lambda: st.builds(kind, *(any_of(field.type) for field in msgspec.structs.fields(kind)))
    )
