"""Commands: what the desk asks the shell to do after the step is durable.

`Submit`, `Cancel`, `Query`, `Compare` and `MoveCash` go to the venue; what comes back is an event.
What does not come back in time is noticed by a timer of the desk.
"""

from decimal import Decimal

import msgspec

from pointsman.domain.accounts import (
    Account,
    AccountReading,
    CashMove,
    Cursor,
    DeskRecord,
    EquityPoint,
    ExternalHolding,
    Incident,
    KillSwitch,
    Mark,
)
from pointsman.domain.market import InstrumentSteps
from pointsman.domain.orders import Fill, Order, Role
from pointsman.domain.positions import Funding, Position, Trade
from pointsman.domain.signals import Decision, SignalRecord


class Command(msgspec.Struct, frozen=True, gc=False, tag=True):
    """The base of all commands."""


class Submit(Command, frozen=True):
    """Send this order."""

    order: Order

    @property
    def may_raise_exposure(self) -> bool:
        return self.order.role is Role.ENTRY


class Cancel(Command, frozen=True):
    client_order_id: str
    symbol: str


class Query(Command, frozen=True):
    """Ask by client id: open orders, history and fills."""

    client_order_id: str
    symbol: str


class Compare(Command, frozen=True):
    """Ask for open orders, fills and funding payments since the cursor (empty: all), and positions,
    as soon as may be."""

    fills_cursor: str


class MoveCash(Command, frozen=True):
    """Move the paper ledger's cash alike (RULES 14)."""

    ref: str
    amount: Decimal


Record = (
    Account
    | SignalRecord
    | Decision
    | Order
    | Fill
    | Position
    | Trade
    | Funding
    | Incident
    | KillSwitch
    | DeskRecord
    | Cursor
    | CashMove
    | ExternalHolding
    | Mark
    | InstrumentSteps
    | AccountReading
    | EquityPoint
)
"""Everything that is stored."""


class Step(msgspec.Struct, frozen=True, gc=False):
    """What one event led to: the records that changed, the commands to carry out once they are
    durable, and the decision to tell the signal's sender. A step that changed nothing need not be
    remembered."""

    changes: tuple[Record, ...] = ()
    commands: tuple[Command, ...] = ()
    decision: Decision | None = None
    is_repeat: bool = False
    is_reused_id: bool = False
