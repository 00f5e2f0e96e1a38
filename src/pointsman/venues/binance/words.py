"""What Binance says, in our words: rows and messages as orders, fills, holdings and reports. Pure.

A status or an execution type that nobody has documented raises Incomplete. Every order is named by
the client order id that `OrderIds` has for it.
"""

from decimal import Decimal

from pointsman.domain.client_order_ids import is_client_order_id
from pointsman.domain.events import OrderReport, ReportWord, VenueFill
from pointsman.domain.life_cycle import OrderStatus
from pointsman.domain.money import ZERO, parse_machine_decimal
from pointsman.domain.orders import OrderType
from pointsman.domain.policy import PositionMode
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import PositionSide, Side
from pointsman.domain.timestamps import MS_NS
from pointsman.domain.venue_reports import VenueExecution, VenueHolding, VenueOrder
from pointsman.venues.adapter import Incomplete
from pointsman.venues.binance.order_ids import OrderIds, actual_id
from pointsman.venues.binance.requests import NET, POSITION_SIDES, SIDES, is_stop
from pointsman.venues.binance.shapes import (
    OrderRow,
    OrderUpdate,
    PositionRow,
    StopRow,
    StopUpdate,
    TradeRow,
)

STATUSES = {
    "NEW": OrderStatus.ACCEPTED,
    "PARTIALLY_FILLED": OrderStatus.PARTIALLY_FILLED,
    "FILLED": OrderStatus.FILLED,
    "CANCELED": OrderStatus.CANCELED,
    "EXPIRED": OrderStatus.EXPIRED,
    "EXPIRED_IN_MATCH": OrderStatus.EXPIRED,
    "REJECTED": OrderStatus.REJECTED,
    "NEW_INSURANCE": OrderStatus.ACCEPTED,
    "NEW_ADL": OrderStatus.ACCEPTED,
}
STOP_STATUSES = {
    "NEW": OrderStatus.ACCEPTED,
    "TRIGGERING": OrderStatus.ACCEPTED,
    "TRIGGERED": OrderStatus.ACCEPTED,
    "CANCELED": OrderStatus.CANCELED,
    "EXPIRED": OrderStatus.EXPIRED,
    "REJECTED": OrderStatus.REJECTED,
}
"""Of a stop that has become no order; `FINISHED` says nothing without that order."""

TRIGGERED = ("TRIGGERING", "TRIGGERED", "FINISHED")
ENDINGS = {
    "CANCELED": ReportWord.CANCELED,
    "EXPIRED": ReportWord.EXPIRED,
    "REJECTED": ReportWord.REJECTED,
}
EXPIRY_REASONS = {"2": Reason.NOT_FILLED, "9": Reason.NOT_FILLED, "4": Reason.REDUCE_ONLY}
"""By `er`: an immediate-or-cancel or a market order that found no more to trade with; nothing left
to reduce."""

_SIDES = {name: side for side, name in SIDES.items()}
_POSITION_SIDES = {name: side for side, name in POSITION_SIDES.items()}


class Translator:
    """The words of one account: `names` are our symbols by the venue's, learned when it opens."""

    def __init__(self, mode: PositionMode, ids: OrderIds) -> None:
        self.mode = mode
        self.names: dict[str, str] = {}
        self.ids = ids

    def symbol(self, name: str) -> str:
        """A symbol in the unified form; as the venue names it where it is no perpetual contract."""
        return self.names.get(name, name)

    def order_of(self, row: OrderRow) -> VenueOrder:
        """An ordinary order, also one that a stop of ours became. What an id that is not ours
        belongs to is not concluded here."""
        name = self.ids.name_of(row.order_id) or row.client_order_id
        if is_client_order_id(name):
            self.ids.note(row.order_id, name)
        status = _status(row.status)
        is_child = is_stop(name)
        types = {"LIMIT": OrderType.LIMIT_IOC, "MARKET": OrderType.MARKET}
        is_cut_short = status is OrderStatus.EXPIRED and row.time_in_force == "IOC"
        return VenueOrder(
            client_order_id=name,
            venue_order_id=str(row.order_id),
            symbol=self.symbol(row.symbol),
            side=_side(row.side),
            position_side=self._position_side(row.position_side),
            order_type=OrderType.STOP if is_child else types.get(row.type, OrderType.STOP),
            quantity=row.orig_qty,
            filled=row.executed_qty,
            status=status,
            reduce_only=self._is_closing(row),
            ts_ns=row.update_time * MS_NS,
            limit_price=row.price or None,
            is_triggered=is_child,
            end_reason=Reason.NOT_FILLED if is_cut_short else None,
        )

    def stop_of(self, row: StopRow, child: OrderRow | None = None) -> VenueOrder:
        """A stop, with the order that it became where it has triggered. Raises Incomplete where
        that order would have to be known."""
        if child is not None:
            status = _status(child.status)
        elif row.algo_status in STOP_STATUSES:
            status = STOP_STATUSES[row.algo_status]
        else:
            raise Incomplete(f"stop {row.client_algo_id} is {row.algo_status}, with no order known")
        return VenueOrder(
            client_order_id=row.client_algo_id,
            venue_order_id=str(row.algo_id),
            symbol=self.symbol(row.symbol),
            side=_side(row.side),
            position_side=self._position_side(row.position_side),
            order_type=OrderType.STOP,
            quantity=_number(row.quantity) or ZERO,
            filled=ZERO if child is None else child.executed_qty,
            status=status,
            reduce_only=self._is_closing(row),
            ts_ns=row.update_time * MS_NS,
            trigger_price=_number(row.trigger_price),
            is_triggered=child is not None or row.algo_status in TRIGGERED,
        )

    def trade_of(self, row: TradeRow, client_order_id: str) -> VenueExecution:
        """An execution of the account's history."""
        return VenueExecution(
            client_order_id=client_order_id,
            venue_order_id=str(row.order_id),
            symbol=self.symbol(row.symbol),
            side=_side(row.side),
            position_side=self._position_side(row.position_side),
            fill=fill_of(row),
        )

    def holding_of(self, row: PositionRow) -> VenueHolding | None:
        """What is held of one symbol and side; None where that is nothing."""
        if row.position_amt == ZERO:
            return None
        return VenueHolding(
            symbol=self.symbol(row.symbol),
            position_side=self._position_side(row.position_side),
            quantity=row.position_amt,
        )

    def _position_side(self, said: str) -> PositionSide | None:
        """None for the one holding of one-way mode. Raises Incomplete where the mode is another
        than at the start."""
        if (said == NET) is (self.mode is PositionMode.NET):
            return _POSITION_SIDES.get(said)
        raise Incomplete(
            f"Binance names a position side {said}, and the account was opened in position mode "
            f"{self.mode.value}: it was switched there, switch it back"
        )

    def _is_closing(self, row: OrderRow | StopRow) -> bool:
        side = _POSITION_SIDES.get(row.position_side)
        return row.reduce_only if side is None else side.closes_with is _side(row.side)


def fill_of(row: TradeRow) -> VenueFill:
    """One execution of the account's history."""
    return VenueFill(
        trade_id=str(row.id),
        quantity=row.qty,
        price=row.price,
        fee=row.commission,
        ts_ns=row.time * MS_NS,
        fee_currency=row.commission_asset or None,
    )


def order_report(name: str, told: OrderUpdate) -> OrderReport | None:
    """What a message about an order of ours reports; None where it is no news. `name` is the id
    that it is reported under."""
    kind, fill, reason = None, None, None
    if told.execution == "NEW":
        kind = ReportWord.TRIGGERED if is_stop(name) else ReportWord.ACCEPTED
    elif told.execution in ("TRADE", "CALCULATED"):
        fill = _last_fill(told)
        kind = None if fill is None else ReportWord.TRADE
    elif told.execution in ENDINGS:
        kind, reason = ENDINGS[told.execution], _end_reason(told)
    elif told.execution != "AMENDMENT":
        raise Incomplete(f"Binance says {told.execution} of an order, which it does not document")
    if kind is None:
        return None
    return OrderReport(
        client_order_id=name,
        kind=kind,
        ts_ns=told.time * MS_NS,
        venue_order_id=str(told.order_id),
        fill=fill,
        reason=reason,
    )


def stop_report(told: StopUpdate, at_ms: int) -> OrderReport | None:
    """What a message about a stop of ours reports; None where its order says it."""
    has_child = actual_id(told.actual_order_id) is not None
    kind, reason = None, None
    if told.status == "NEW":
        kind = ReportWord.ACCEPTED
    elif told.status in ("TRIGGERING", "TRIGGERED"):
        kind = ReportWord.TRIGGERED
    elif told.status in ENDINGS:
        kind = None if has_child else ENDINGS[told.status]
        if kind is ReportWord.REJECTED:
            is_nothing_left = "reduce only" in (told.refusal or "").lower()
            reason = Reason.REDUCE_ONLY if is_nothing_left else Reason.VENUE_REJECTED
    elif told.status != "FINISHED":
        raise Incomplete(f"Binance says {told.status} of a stop, which it does not document")
    if kind is None:
        return None
    return OrderReport(
        client_order_id=told.client_algo_id,
        kind=kind,
        ts_ns=at_ms * MS_NS,
        venue_order_id=str(told.algo_id),
        reason=reason,
    )


def accepted_report(name: str, body: object, now_ms: int) -> OrderReport | None:
    """The report in the answer to an order; None where it does not name it by both ids."""
    fields = ("algoId", "clientAlgoId") if is_stop(name) else ("orderId", "clientOrderId")
    if not isinstance(body, dict):
        return None
    venue_order_id, client_order_id = (body.get(field) for field in fields)
    if not isinstance(venue_order_id, int) or client_order_id != name:
        return None
    return _answer_report(name, ReportWord.ACCEPTED, venue_order_id, body, now_ms)


def canceled_report(
    name: str, child_id: int | None, body: object, now_ms: int
) -> OrderReport | None:
    """The report in the answer to a cancel; None where it does not say that this order has ended.
    `child_id` is what a stop became, where that was cancelled."""
    if not isinstance(body, dict):
        return None
    is_stop_canceled = body.get("clientAlgoId") == name and str(body.get("code")) == "200"
    is_child = child_id is not None and body.get("orderId") == child_id
    is_canceled = body.get("status") == "CANCELED" and (
        is_child or body.get("clientOrderId") == name
    )
    if not is_stop_canceled and not is_canceled:
        return None
    venue_order_id = body.get("algoId") if is_stop_canceled else body.get("orderId")
    return _answer_report(name, ReportWord.CANCELED, venue_order_id, body, now_ms)


def _answer_report(
    name: str, kind: ReportWord, venue_order_id: object, body: dict[str, object], now_ms: int
) -> OrderReport:
    """`now_ms` is for answers that name no time."""
    at_ms = body.get("updateTime")
    return OrderReport(
        client_order_id=name,
        kind=kind,
        ts_ns=(at_ms if isinstance(at_ms, int) else now_ms) * MS_NS,
        venue_order_id=None if venue_order_id is None else str(venue_order_id),
    )


def _last_fill(told: OrderUpdate) -> VenueFill | None:
    """None where a liquidation has only been announced."""
    if told.last_qty == ZERO:
        return None
    return VenueFill(
        trade_id=str(told.trade_id),
        quantity=told.last_qty,
        price=told.last_price,
        fee=told.fee,
        ts_ns=told.time * MS_NS,
        cumulative=told.filled,
        fee_currency=told.fee_asset or None,
    )


def _end_reason(told: OrderUpdate) -> Reason | None:
    if told.execution != "EXPIRED":
        return None
    by_default = Reason.NOT_FILLED if told.time_in_force == "IOC" else None
    return EXPIRY_REASONS.get(str(told.expiry_reason), by_default)


def _number(said: str | None) -> Decimal | None:
    """A number that may be left empty, or be zero, where there is none."""
    if not said:
        return None
    try:
        return parse_machine_decimal(said) or None
    except ValueError as error:
        raise Incomplete(f"Binance sent {said}, which is no number: {error}") from None


def _side(said: str) -> Side:
    if said not in _SIDES:
        raise Incomplete(f"Binance names a side {said}, which it does not document")
    return _SIDES[said]


def _status(said: str) -> OrderStatus:
    if said not in STATUSES:
        raise Incomplete(f"Binance says that an order is {said}, which it does not document")
    return STATUSES[said]
