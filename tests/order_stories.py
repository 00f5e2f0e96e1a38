"""What the tests of the order side share: a desk whose records are kept as storage would keep them,
so that it can be crashed and loaded again; and fills and orders in the venue's words.
"""

from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from pointsman.domain.accounts import (
    Account,
    CashMove,
    Cursor,
    DeskRecord,
    EquityPoint,
    ExternalHolding,
    Incident,
    KillSwitch,
    Mark,
)
from pointsman.domain.client_order_ids import parse_client_order_id
from pointsman.domain.commands import Record, Step
from pointsman.domain.events import Compared, Event, OrderReport, ReportWord, Started, VenueFill
from pointsman.domain.market import Quote
from pointsman.domain.orders import Fill, KnownOrder, Order, Role
from pointsman.domain.policy import Policy
from pointsman.domain.positions import Funding, Position, PositionState, Trade
from pointsman.domain.reasons import Reason
from pointsman.domain.signals import Decision, SignalRecord
from pointsman.execution.books import Books
from pointsman.execution.desk import Desk
from pointsman.execution.loading import DeskRecords
from tests.desk_stories import START_NS, VA, acknowledge, enter, policy, send, signal

replace = msgspec.structs.replace
CODE = "ABCDEF"

_KEYS: dict[type[Any], tuple[str, ...]] = {
    Account: ("va_id",),
    Order: ("client_order_id",),
    Fill: ("key",),
    Position: ("position_id",),
    Trade: ("trade_id",),
    Funding: ("funding_id", "position_id"),
    Incident: ("incident_id",),
    KillSwitch: (),
    DeskRecord: (),
    Cursor: ("source",),
    CashMove: ("ref",),
    ExternalHolding: ("symbol", "side"),
    Mark: ("symbol",),
    Decision: ("signal_id",),
    EquityPoint: ("va_id", "at_ns"),
}
_R = TypeVar("_R")


class Records:
    """Every record as it was last changed: what a database would hold."""

    def __init__(self) -> None:
        self._tables: dict[type[Any], dict[object, Any]] = {}

    def fold(self, changes: tuple[Record, ...]) -> None:
        for record in changes:
            if isinstance(record, SignalRecord):
                key: object = record.signal.signal_id
            else:
                key = tuple(getattr(record, name) for name in _KEYS[type(record)])
            table = self._tables.setdefault(type(record), {})
            if isinstance(record, Trade | Fill):
                assert key not in table, ("booked twice", record)
            table[key] = record

    def all(self, kind: type[_R]) -> list[_R]:
        return list(self._tables.get(kind, {}).values())

    def order(self, order_id: str) -> Order:
        found: Order = self._tables[Order][(order_id,)]
        return found

    def incidents(self) -> list[Reason]:
        return [incident.kind for incident in self.all(Incident)]

    def known_order(self, order_id: str) -> KnownOrder | None:
        """What storage would say of an order that is reported once more (RULES 32)."""
        order: Order | None = self._tables.get(Order, {}).get((order_id,))
        if order is None:
            return None
        attempts = dict.fromkeys(Role, 0)
        for sibling in self.all(Order):
            parts = parse_client_order_id(sibling.client_order_id)
            if sibling.position_id == order.position_id and parts is not None:
                attempts[parts.role] = max(attempts[parts.role], parts.attempt)
        keys = tuple(fill.key for fill in self.all(Fill) if fill.client_order_id == order_id)
        trades = sum(1 for trade in self.all(Trade) if trade.position_id == order.position_id)
        return KnownOrder(order, keys, trades, attempts[Role.STOP], attempts[Role.EXIT])

    def loaded(self) -> DeskRecords:
        """What a start would read."""
        orders = tuple(order for order in self.all(Order) if not order.is_final)
        keys: dict[str, tuple[str, ...]] = {}
        for fill in self.all(Fill):
            keys[fill.client_order_id] = (*keys.get(fill.client_order_id, ()), fill.key)
        live = [held for held in self.all(Position) if held.state is not PositionState.CLOSED]
        return DeskRecords(
            desk=next(iter(self.all(DeskRecord)), None),
            kill_switch=next(iter(self.all(KillSwitch)), None),
            accounts=tuple(self.all(Account)),
            orders=orders,
            positions=tuple(live),
            fill_keys={key: keys.get(key, ()) for key in (o.client_order_id for o in orders)},
            cash_moves=tuple(move for move in self.all(CashMove) if not move.is_confirmed),
            cursors=tuple(self.all(Cursor)),
            externals=tuple(self.all(ExternalHolding)),
        )


class KeptDesk(Desk):
    """A desk whose records are kept, and which is told of final orders what was kept of them, as
    the shell does."""

    def __init__(self, rules: Policy, code: str) -> None:
        super().__init__(rules, code)
        self.kept = Records()

    def handle(self, event: Event, now_ns: int) -> Step:
        if isinstance(event, OrderReport) and event.client_order_id not in self.books.orders:
            event = replace(event, known=self.kept.known_order(event.client_order_id))
        step = super().handle(event, now_ns)
        self.kept.fold(step.changes)
        return step


def kept_desk(
    rules: Policy | None = None, accounts: tuple[str, ...] = (VA,), balance: str = "100000"
) -> KeptDesk:
    """A desk that is started and compared, its records kept from the first."""
    desk = KeptDesk(rules or policy(), CODE)
    start(desk, accounts, balance)
    desk.handle(Compared(True, START_NS, 0, ""), START_NS)
    return desk


def start(
    desk: KeptDesk, accounts: tuple[str, ...] = (VA,), balance: str = "100000", after_ns: int = 0
) -> Step:
    """The program starts; with `accounts` of the settings."""
    balances = tuple((va_id, Decimal(balance)) for va_id in accounts)
    now_ns = max(START_NS, desk.now_ns) + after_ns
    return desk.handle(Started("test", CODE, desk.books.policy, balances), now_ns)


def entered_desk(quantity: str = "10") -> KeptDesk:
    """A desk whose first entry has been sent and accepted."""
    desk = kept_desk()
    acknowledge(desk, send(desk, signal("a", quantity=quantity)))
    return desk


def loaded_again(desk: KeptDesk) -> KeptDesk:
    """The desk after a crash: loaded from its records, not yet started."""
    again = KeptDesk.load(desk.books.policy, desk.kept.loaded(), desk.now_ns)
    assert isinstance(again, KeptDesk)
    again.kept = desk.kept
    return again


def dump(books: Books) -> dict[str, Any]:
    """All that the books hold, but what a start sets anew: for comparing (I18)."""
    fresh = {"policy", "entry_times", "this_run"}
    shown = {name: value for name, value in vars(books).items() if name not in fresh | {"index"}}
    for va_id, index in books.index.items():
        parts = {
            name: value
            for name, value in msgspec.structs.asdict(index).items()
            if name != "entry_times"
        }
        shown[f"index of {va_id}"] = parts
    return shown


def fill_of(
    desk: Desk,
    order_id: str,
    trade_id: str,
    quantity: str,
    price: str = "100",
    *,
    fee: str = "0",
    mark: Quote | None = None,
) -> OrderReport:
    """The report of one execution, by its own trade id: not yet told."""
    fill = VenueFill(trade_id, Decimal(quantity), Decimal(price), Decimal(fee), desk.now_ns)
    return OrderReport(order_id, ReportWord.TRADE, desk.now_ns, f"V{order_id}", fill, mark=mark)


SHARING = ("VA001", "VA002")


def shared_desk() -> tuple[KeptDesk, Position]:
    """Two VAs hold the same symbol and side, so that nothing may overlap; the first one's
    position."""
    desk = kept_desk(accounts=SHARING)
    position = enter(desk, signal("a"))
    enter(desk, signal("b", va_id="VA002"))
    return desk, position


def held(desk: KeptDesk) -> Position:
    """The first position."""
    return desk.books.positions[1]


def quantities(orders: list[Order]) -> list[Decimal]:
    """What each order is for, in their order."""
    return [order.quantity for order in orders]
