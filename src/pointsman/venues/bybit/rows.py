"""What Bybit says, as values: rows of lists and of stream messages (the same fields in both). Pure.

A row that lacks what must be known, or holds what nobody has documented, raises Incomplete: then
nothing is concluded from the answer that it stood in. Numbers come as text and stay exact.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from pointsman.domain.client_order_ids import is_client_order_id
from pointsman.domain.events import FundingPaid, OrderReport, ReportWord, VenueFill
from pointsman.domain.life_cycle import OrderStatus
from pointsman.domain.money import ZERO, parse_machine_decimal
from pointsman.domain.orders import OrderType
from pointsman.domain.policy import PositionMode
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import PositionSide, Side
from pointsman.domain.timestamps import MS_NS
from pointsman.domain.venue_reports import VenueExecution, VenueHolding, VenueOrder
from pointsman.execution.ports import VenueReply
from pointsman.venues.adapter import Incomplete
from pointsman.venues.bybit.requests import COIN, unified_symbol

Row = Mapping[str, Any]


SIDES = {"Buy": Side.BUY, "Sell": Side.SELL}
STATUSES = {
    "New": OrderStatus.ACCEPTED,
    "Untriggered": OrderStatus.ACCEPTED,
    "Triggered": OrderStatus.ACCEPTED,
    "PartiallyFilled": OrderStatus.PARTIALLY_FILLED,
    "Filled": OrderStatus.FILLED,
    "Rejected": OrderStatus.REJECTED,
    "Cancelled": OrderStatus.CANCELED,
    "PartiallyFilledCanceled": OrderStatus.CANCELED,
    "Deactivated": OrderStatus.CANCELED,
}
"""`Deactivated` is a conditional order that was cancelled before its trigger."""

POSITION_SIDES: dict[int, PositionSide | None] = {1: PositionSide.LONG, 2: PositionSide.SHORT}
NOT_TRIGGERED = ("Untriggered", "Deactivated", "Rejected")
WORDS = {OrderStatus.CANCELED: ReportWord.CANCELED, OrderStatus.REJECTED: ReportWord.REJECTED}

NOT_FILLED = (
    "EC_NoImmediateQtyToFill",
    "EC_NoEnoughQtyToFill",
    "EC_CancelForNoFullFill",
    "EC_ReachMarketPriceLimit",
    "EC_ReachRiskPriceLimit",
)
"""Why the rest of an immediate-or-cancel order is cancelled."""

FUNDING = "Funding"
FORCED = ("AdlTrade", "BustTrade", "Settle", "Delivery")
"""Executions by which the venue closes a holding itself."""


# -- answers -------------------------------------------------------------------------------------


def result_of(body: Any) -> Row:
    """The content of a good answer."""
    result = body.get("result") if isinstance(body, dict) else None
    if not isinstance(result, dict):
        raise Incomplete("the answer has no result")
    return result


def list_of(body: Any) -> list[Row]:
    """The rows of a list."""
    rows = result_of(body).get("list")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Incomplete("the answer has no list")
    return rows


def time_ms(body: Any) -> int:
    """When the venue answered, by its clock."""
    at_ms = body.get("time") if isinstance(body, dict) else None
    if not isinstance(at_ms, int):
        raise Incomplete("the answer does not say when it was given")
    return at_ms


def accepted_report(client_order_id: str, body: Any) -> OrderReport | None:
    """The report in the answer to an order; None where it does not name it by both ids."""
    try:
        result, at_ms = result_of(body), time_ms(body)
    except Incomplete:
        return None
    venue_order_id = result.get("orderId")
    if not venue_order_id or result.get("orderLinkId") != client_order_id:
        return None
    return OrderReport(
        client_order_id=client_order_id,
        kind=ReportWord.ACCEPTED,
        ts_ns=at_ms * MS_NS,
        venue_order_id=str(venue_order_id),
    )


# -- fields --------------------------------------------------------------------------------------


def text(row: Row, name: str) -> str:
    value = row.get(name)
    if not isinstance(value, str):
        raise Incomplete(f"{name} is missing, or is no text: {value}")
    return value


def number(row: Row, name: str) -> Decimal:
    try:
        return parse_machine_decimal(text(row, name))
    except ValueError as error:
        raise Incomplete(f"{name} is no number: {error}") from None


def _optional(row: Row, name: str) -> Decimal | None:
    """A number that may be left empty, or be zero, where there is none."""
    return (number(row, name) or None) if row.get(name) else None


def at_ns(row: Row, name: str) -> int:
    value = text(row, name)
    if not value.isascii() or not value.isdigit():
        raise Incomplete(f"{name} is no time: {value}")
    return int(value) * MS_NS


def _side(row: Row) -> Side:
    side = SIDES.get(text(row, "side"))
    if side is None:
        raise Incomplete(f"side is neither Buy nor Sell: {row['side']}")
    return side


def position_index(row: Row) -> int:
    index = row.get("positionIdx")
    if not isinstance(index, int):
        raise Incomplete(f"positionIdx is missing, or is no number: {index}")
    return index


def position_side(row: Row, mode: PositionMode) -> PositionSide | None:
    """Which holding a row is about; None for the one holding of one-way mode."""
    is_hedged = mode is PositionMode.HEDGE
    sides = POSITION_SIDES if is_hedged else {0: None}
    index = position_index(row)
    if index not in sides:
        raise Incomplete(f"positionIdx {index} does not fit position mode {mode.value}")
    return sides[index]


def is_settled_in_coin(row: Row) -> bool:
    """Whether a row is about a contract that is settled in USDT: the others are no part of this
    account. USDC contracts are named BTCPERP or BTC-26DEC26, USDT futures BTCUSDT-26DEC26."""
    return COIN in text(row, "symbol")


# -- orders --------------------------------------------------------------------------------------


def order_of(row: Row, mode: PositionMode) -> VenueOrder:
    """One order as the venue has it. One that is not ours may have no id of its maker; then it is
    named as the venue names it."""
    status, shown = _status(row), row["orderStatus"]
    trigger = _optional(row, "triggerPrice")
    is_market = row.get("orderType") == "Market"
    order_type = OrderType.MARKET if is_market else OrderType.LIMIT_IOC
    return VenueOrder(
        client_order_id=text(row, "orderLinkId") or text(row, "orderId"),
        venue_order_id=text(row, "orderId"),
        symbol=unified_symbol(text(row, "symbol")),
        side=_side(row),
        position_side=position_side(row, mode),
        order_type=order_type if trigger is None else OrderType.STOP,
        quantity=number(row, "qty"),
        filled=_optional(row, "cumExecQty") or ZERO,
        status=status,
        reduce_only=row.get("reduceOnly") is True,
        ts_ns=at_ns(row, "updatedTime"),
        limit_price=None if is_market else _optional(row, "price"),
        trigger_price=trigger,
        is_triggered=trigger is not None and shown not in NOT_TRIGGERED,
        end_reason=_end_reason(row, status),
    )


def order_report(row: Row) -> OrderReport | None:
    """What an order of ours that has changed reports; None where its executions say it all."""
    status, shown = _status(row), row["orderStatus"]
    if status in WORDS:
        kind = WORDS[status]
    elif status is OrderStatus.ACCEPTED:
        is_triggered = shown != "Untriggered" and _optional(row, "triggerPrice") is not None
        kind = ReportWord.TRIGGERED if is_triggered else ReportWord.ACCEPTED
    else:
        return None
    return OrderReport(
        client_order_id=text(row, "orderLinkId"),
        kind=kind,
        ts_ns=at_ns(row, "updatedTime"),
        venue_order_id=text(row, "orderId"),
        reason=_end_reason(row, status),
    )


def _status(row: Row) -> OrderStatus:
    status = STATUSES.get(text(row, "orderStatus"))
    if status is None:
        raise Incomplete(f"orderStatus is none that we know: {row['orderStatus']}")
    return status


def _end_reason(row: Row, status: OrderStatus) -> Reason | None:
    """Why an order ended; None where it was asked for, or where it has not."""
    if status not in WORDS:
        return None
    if row.get("cancelType") == "CancelByReduceOnly":
        return Reason.REDUCE_ONLY
    if row.get("rejectReason") in NOT_FILLED:
        return Reason.NOT_FILLED
    is_asked = row.get("cancelType") == "CancelByUser"
    is_asked = is_asked or row.get("rejectReason") == "EC_PerCancelRequest"
    return None if is_asked else Reason.VENUE_REJECTED


# -- executions ----------------------------------------------------------------------------------


def fill_of(row: Row) -> VenueFill:
    """One execution. The fee is in USDT unless the row names another coin."""
    coin = row.get("feeCurrency") or COIN
    return VenueFill(
        trade_id=text(row, "execId"),
        quantity=number(row, "execQty"),
        price=number(row, "execPrice"),
        fee=_optional(row, "execFee") or ZERO,
        ts_ns=at_ns(row, "execTime"),
        fee_currency=None if coin == COIN else str(coin),
    )


def trade_of(row: Row, mode: PositionMode) -> VenueExecution:
    """One execution of the account's history, with its order."""
    side = _side(row)
    return VenueExecution(
        client_order_id=text(row, "orderLinkId"),
        venue_order_id=text(row, "orderId"),
        symbol=unified_symbol(text(row, "symbol")),
        side=side,
        position_side=_traded_side(row, side) if mode is PositionMode.HEDGE else None,
        fill=fill_of(row),
    )


def funding_of(row: Row) -> FundingPaid:
    """A funding payment. `side` is that of the holding, `execFee` what was paid for it."""
    side = PositionSide.LONG if _side(row) is Side.BUY else PositionSide.SHORT
    return FundingPaid(
        funding_id=text(row, "execId"),
        symbol=unified_symbol(text(row, "symbol")),
        position_side=side,
        amount=-number(row, "execFee"),
        ts_ns=at_ns(row, "execTime"),
    )


def in_order(row: Row) -> tuple[int, int, Decimal]:
    """Where an execution stands in the order in which they happened."""
    sequence = row.get("seq")
    left = _optional(row, "leavesQty") or ZERO
    return at_ns(row, "execTime"), sequence if isinstance(sequence, int) else 0, -left


def is_funding(row: Row) -> bool:
    return row.get("execType") == FUNDING


def _traded_side(row: Row, side: Side) -> PositionSide:
    """Which holding an execution has changed, in hedge mode: the row does not name it, but says
    how much of a holding it closed."""
    is_closing = row.get("execType") in FORCED or _optional(row, "closedSize") is not None
    return next(each for each in PositionSide if (each.closes_with is side) is is_closing)


# -- holdings ------------------------------------------------------------------------------------


def holding_of(row: Row, mode: PositionMode) -> VenueHolding | None:
    """What is held of one symbol and side; None where that is nothing."""
    size = number(row, "size")
    if size == ZERO:
        return None
    return VenueHolding(
        symbol=unified_symbol(text(row, "symbol")),
        position_side=position_side(row, mode),
        quantity=_side(row).sign * size,
    )


# -- the account's stream ------------------------------------------------------------------------


def is_ours(row: Row) -> bool:
    """Whether an order or an execution is of an order with an id of our form."""
    return is_client_order_id(text(row, "orderLinkId"))


def reply_of(topic: str, row: Row) -> VenueReply | None:
    """What one row of a stream message tells; None for what is not ours, which the comparison
    tells, and for what other rows tell."""
    if row.get("category") != "linear":
        return None
    if topic.startswith("order"):
        return order_report(row) if is_ours(row) else None
    if is_funding(row):
        return funding_of(row) if is_settled_in_coin(row) else None
    if not is_ours(row):
        return None
    fill = fill_of(row)
    return OrderReport(
        client_order_id=text(row, "orderLinkId"),
        kind=ReportWord.TRADE,
        ts_ns=fill.ts_ns,
        venue_order_id=text(row, "orderId"),
        fill=fill,
    )
