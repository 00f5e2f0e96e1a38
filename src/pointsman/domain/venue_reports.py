"""What a venue says when it is asked: one order, or everything.

These are the venue's words, not our belief; `execution.reconcile` compares them with our record and
returns the reports that we missed.
"""

from decimal import Decimal

import msgspec

from pointsman.domain.events import ChargePaid, Event, FundingPaid, VenueFill
from pointsman.domain.life_cycle import OrderStatus
from pointsman.domain.market import Instrument
from pointsman.domain.orders import Fill, OrderType
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import PositionSide, Side


class VenueOrder(msgspec.Struct, frozen=True, gc=False):
    """One order as the venue has it. `position_side` is None where the account nets."""

    client_order_id: str
    venue_order_id: str
    symbol: str
    side: Side
    position_side: PositionSide | None
    order_type: OrderType
    quantity: Decimal
    filled: Decimal
    status: OrderStatus
    reduce_only: bool
    ts_ns: int
    limit_price: Decimal | None = None
    trigger_price: Decimal | None = None
    is_triggered: bool = False
    end_reason: Reason | None = None
    is_queued: bool = False
    """The venue keeps it until its session (RULES 52)."""


class VenueExecution(msgspec.Struct, frozen=True, gc=False):
    """One execution in the account's history, with the order it belongs to."""

    client_order_id: str
    venue_order_id: str
    symbol: str
    side: Side
    position_side: PositionSide | None
    fill: VenueFill


class VenueHolding(msgspec.Struct, frozen=True, gc=False):
    """What the account holds of one symbol: signed (short < 0). In hedge mode one row a side, in
    net mode one row with `position_side` None."""

    symbol: str
    position_side: PositionSide | None
    quantity: Decimal


class JournalHead(msgspec.Struct, frozen=True, gc=False):
    """The newest durable row of the journal of installation `code`: its sequence and hash."""

    code: str
    sequence: int
    hash: str


class KnownOfVenue(msgspec.Struct, frozen=True, gc=False):
    """The newest that our books have from a venue: the cursor of its history (empty before the
    first comparison), the last fill of an order of ours that was booked, the reference of the last
    transfer of money that it confirmed, and the orders by client id that it accepted and that have
    not ended. A venue account that lacks any of these is not the one that our books are about."""

    fills_cursor: str
    fill: Fill | None
    cash_ref: str | None
    order_ids: tuple[str, ...]


class OrderFound(msgspec.Struct, frozen=True, gc=False):
    """The answer to a query by client id: the order, working or ended, and all of its fills."""

    order: VenueOrder
    fills: tuple[VenueFill, ...]
    asked_at_ns: int


class Snapshot(msgspec.Struct, frozen=True, gc=False):
    """The answer to a comparison: open orders, executions, funding payments and charges since the
    cursor, each in the order they happened, and holdings, all of one moment (`taken_at_ns`). Not
    `is_complete`: something failed or was cut off, as `missing` says in words, and nothing may be
    concluded from it.
    `fills_cursor` is opaque: hand it back to go on from here."""

    asked_at_ns: int
    taken_at_ns: int
    open_orders: tuple[VenueOrder, ...]
    trades: tuple[VenueExecution, ...]
    holdings: tuple[VenueHolding, ...]
    fills_cursor: str
    is_complete: bool = True
    fundings: tuple[FundingPaid, ...] = ()
    charges: tuple[ChargePaid, ...] = ()
    missing: str = ""


class InstrumentsChanged(Event, frozen=True):
    """The venue says something else of these instruments than before, or of them for the first
    time; as it says it, without what an instruments file adds (RULES 48)."""

    instruments: tuple[Instrument, ...]


class AccountRead(Event, frozen=True):
    """In shadow: the account at the venue holds this, and this many orders rest there. It comes at
    the start and where that has changed."""

    holdings: tuple[tuple[str, Decimal], ...]
    open_orders: int
