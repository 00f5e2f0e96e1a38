"""What Alpaca answers, in our words: orders, executions, fees, positions, assets.

Pure. Invariants:

* what cannot be read raises `Incomplete` and names the field (`venues.shapes`);
* an execution has the same key wherever it is reported: Alpaca's stream and its history may give it
  different ids, so its key is the order's id and the quantity filled with it;
* a status that is not listed here concludes nothing.
"""

from datetime import date, timedelta
from decimal import Decimal, InvalidOperation

import msgspec

from pointsman.domain.client_order_ids import is_client_order_id
from pointsman.domain.events import ChargePaid, OrderReport, ReportWord, VenueFill
from pointsman.domain.life_cycle import OrderStatus
from pointsman.domain.market import Instrument
from pointsman.domain.money import ZERO, plain
from pointsman.domain.orders import OrderType
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import Side
from pointsman.domain.timestamps import SECOND_NS, iso, iso_seconds, parse_ts
from pointsman.domain.venue_reports import VenueExecution, VenueHolding, VenueOrder
from pointsman.venues.adapter import Incomplete


class OrderRow(msgspec.Struct, frozen=True, kw_only=True):
    """An order as Alpaca writes it. `qty` is null where an amount of money was ordered; an order of
    several legs, which only somebody else enters, has no symbol, side or type of its own."""

    id: str
    client_order_id: str
    status: str
    created_at: str
    symbol: str | None = None
    side: str | None = None
    type: str | None = None
    time_in_force: str = ""
    qty: Decimal | None = None
    filled_qty: Decimal = ZERO
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    updated_at: str | None = None
    replaced_by: str | None = None


class FillRow(msgspec.Struct, frozen=True, kw_only=True):
    """An execution in the account's history; it does not say the client order id."""

    id: str
    order_id: str
    symbol: str
    side: str
    price: Decimal
    qty: Decimal
    cum_qty: Decimal
    transaction_time: str


class FeeRow(msgspec.Struct, frozen=True, kw_only=True):
    """A fee in the account's history. Paid is below zero."""

    id: str
    date: str
    net_amount: Decimal
    symbol: str | None = None
    status: str | None = None


class PositionRow(msgspec.Struct, frozen=True, kw_only=True):
    symbol: str
    qty: Decimal
    side: str = ""


class AccountRow(msgspec.Struct, frozen=True, kw_only=True):
    """The account. A field that Alpaca leaves out blocks nothing: one has vanished before. Values
    stay as they are written, with however many digits: they only say whether there are any."""

    account_number: str
    status: str
    account_blocked: bool = False
    trading_blocked: bool = False
    trade_suspended_by_user: bool = False
    shorting_enabled: bool = True
    long_market_value: str = "0"
    short_market_value: str = "0"

    @property
    def is_empty(self) -> bool:
        """Whether it holds nothing."""
        return _is_zero(self.long_market_value) and _is_zero(self.short_market_value)


def _is_zero(written: str) -> bool:
    try:
        return Decimal(written) == ZERO
    except InvalidOperation:
        return False


class AssetRow(msgspec.Struct, frozen=True, kw_only=True):
    """What can be traded; `asset_class` is a share, an option or a coin. One that is not easy to
    borrow is not lent for an order."""

    symbol: str
    tradable: bool
    shortable: bool = True
    easy_to_borrow: bool = True
    asset_class: str = msgspec.field(name="class")
    status: str = "active"


class ClockRow(msgspec.Struct, frozen=True, kw_only=True):
    timestamp: str


# -- orders ----------------------------------------------------------------------------------------

_TYPES = {
    "market": OrderType.MARKET,
    "limit": OrderType.LIMIT_IOC,
    "stop": OrderType.STOP,
    "stop_limit": OrderType.STOP,
    "trailing_stop": OrderType.STOP,
}
"""What is not among our types is the nearest: it is somebody else's order."""

ENDED = {
    "filled": OrderStatus.FILLED,
    "canceled": OrderStatus.CANCELED,
    "expired": OrderStatus.EXPIRED,
    "rejected": OrderStatus.REJECTED,
}

_OPEN = {
    "accepted",
    "pending_new",
    "accepted_for_bidding",
    "new",
    "partially_filled",
    "held",
    "stopped",
    "done_for_day",
    "calculated",
    "pending_cancel",
    "pending_replace",
}
"""Orders that work, wait for the session (RULES 52), or wait for what was asked of them."""


_QUEUED = ("accepted", "held")
"""Of an order that is asked about: those that go to an exchange at once have got there by then."""


def venue_order(row: OrderRow) -> VenueOrder | None:
    """An order as the venue has it; None where its status says nothing that counts, such as
    `suspended`: it neither works nor has it ended; and for an order of another that has no side."""
    status = _status(row)
    if status is None:
        return None
    if not row.side and not is_client_order_id(row.client_order_id):
        return None
    return VenueOrder(
        client_order_id=row.client_order_id,
        venue_order_id=row.id,
        symbol=row.symbol or "",
        side=side_of(row.side or ""),
        position_side=None,
        order_type=_TYPES.get(row.type or "", OrderType.MARKET),
        quantity=row.filled_qty if row.qty is None else row.qty,
        filled=row.filled_qty,
        status=status,
        reduce_only=False,
        ts_ns=moment(row.updated_at or row.created_at),
        limit_price=row.limit_price,
        trigger_price=row.stop_price,
        end_reason=end_reason(row, status),
        is_queued=row.status in _QUEUED,
    )


def _status(row: OrderRow) -> OrderStatus | None:
    if row.status == "replaced":
        # By another order of another id; without one it was only changed and lives.
        return OrderStatus.CANCELED if row.replaced_by else None
    if row.status in _OPEN:
        return OrderStatus.PARTIALLY_FILLED if row.filled_qty else OrderStatus.ACCEPTED
    return ENDED.get(row.status)


def end_reason(row: OrderRow, status: OrderStatus, told: str = "") -> Reason | None:
    if status is OrderStatus.CANCELED and row.time_in_force == "ioc":
        return Reason.NOT_FILLED
    if status is OrderStatus.REJECTED:
        is_passed = "already triggered" in told.lower()
        return Reason.WOULD_TRIGGER if is_passed else Reason.VENUE_REJECTED
    return None


def accepted(row: OrderRow) -> OrderReport:
    """The report in the answer to a new order. How it ended otherwise, and what it filled, is left
    to the stream and the history."""
    is_rejected = row.status == "rejected"
    return OrderReport(
        client_order_id=row.client_order_id,
        kind=ReportWord.REJECTED if is_rejected else ReportWord.ACCEPTED,
        ts_ns=moment(row.updated_at or row.created_at),
        venue_order_id=row.id,
        reason=Reason.VENUE_REJECTED if is_rejected else None,
    )


def side_of(name: str) -> Side:
    """`sell_short` and the like are sells, too."""
    try:
        return Side(name.partition("_")[0])
    except ValueError:
        raise Incomplete(f"Alpaca sent side={name!r}, which is neither buy nor sell") from None


def moment(text: str) -> int:
    try:
        return parse_ts(text)
    except ValueError as error:
        raise Incomplete(f"Alpaca sent the time {text!r}: {error}") from None


# -- the account -----------------------------------------------------------------------------------


def fill_of(row: FillRow) -> VenueFill:
    return fill_told(row.order_id, row.qty, row.price, row.cum_qty, row.transaction_time)


def trade_of(row: FillRow, client_order_id: str) -> VenueExecution:
    return VenueExecution(
        client_order_id=client_order_id,
        venue_order_id=row.order_id,
        symbol=row.symbol,
        side=side_of(row.side),
        position_side=None,
        fill=fill_of(row),
    )


LATE_FILLS_NS = 60 * SECOND_NS
"""For how long after its time an execution may still appear in the history."""


def late_fills_from(text: str) -> str:
    """From when on executions are asked for again once those up to a time were told; in whole
    seconds, which is as fine as Alpaca documents."""
    return iso_seconds(moment(text) - LATE_FILLS_NS)


def fill_told(
    order_id: str, qty: Decimal, price: Decimal, cumulative: Decimal, at: str
) -> VenueFill:
    if qty <= ZERO or cumulative < qty:
        raise Incomplete(f"Alpaca sent a fill of {qty} at {price}, {cumulative} in all")
    return VenueFill(
        trade_id=f"{order_id}/{plain(cumulative.normalize())}",
        quantity=qty,
        price=price,
        fee=ZERO,
        ts_ns=moment(at),
        cumulative=cumulative,
    )


def holding(row: PositionRow) -> VenueHolding:
    quantity = -abs(row.qty) if row.side == "short" else row.qty
    return VenueHolding(symbol=row.symbol, position_side=None, quantity=quantity)


LATE_FEES_DAYS = 7
"""For how long after its date a fee may still appear in the history."""


def charges_since(day: str, rows: list[FeeRow]) -> tuple[ChargePaid, ...]:
    """The fees of that day and later; Alpaca books them after the trades that caused them."""
    return tuple(
        ChargePaid(
            charge_id=row.id,
            amount=row.net_amount,
            ts_ns=moment(f"{row.date[:10]}T00:00Z"),
            symbol=row.symbol or "",
        )
        for row in rows
        if row.date[:10] >= day and row.status in (None, "executed")
    )


def day_before(day: str, days: int) -> str:
    return str(_day(day) - timedelta(days=days))


def next_fees_day(day: str, rows: list[FeeRow]) -> str:
    """From which day on fees are asked for next."""
    newest = max((row.date[:10] for row in rows), default=day)
    return max(day, day_before(newest, LATE_FEES_DAYS))


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Incomplete(f"Alpaca sent the date {text!r}") from None


def share(asset: AssetRow, *, may_short: bool) -> Instrument:
    """What Alpaca trades of a share, without commission. Fractions of one are left alone: they may
    not rest overnight, so that no stop could cover them."""
    return Instrument(
        symbol=asset.symbol,
        tick=Decimal("0.01"),
        lot=Decimal(1),
        min_qty=Decimal(1),
        min_notional=ZERO,
        currency="USD",
        fee_bps=ZERO,
        may_short=may_short and asset.shortable and asset.easy_to_borrow,
    )


def just_before(row: OrderRow) -> str:
    """The last moment before an order was made."""
    return iso(moment(row.created_at) - 1)


def just_after(row: OrderRow) -> str:
    """A moment by which everything that came of an order that has ended has happened."""
    return iso(moment(row.updated_at or row.created_at) + 60 * SECOND_NS)
