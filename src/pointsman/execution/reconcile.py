"""Reconciliation: our record against the venue's, and the reports that we missed.

Pure comparison. It changes nothing itself: what it returns goes through `Desk.handle` like any
other report.

* An answer that is incomplete concludes nothing.
* A report is made only from what the venue said: an order that is absent from the open orders is
  queried, not declared dead.
* A quiet venue gives nothing to report: a second comparison is empty.
"""

from collections.abc import Iterable
from decimal import Decimal

import msgspec

from pointsman.domain.client_order_ids import parse_client_order_id
from pointsman.domain.events import (
    ForeignFill,
    HoldingDiffers,
    OrderReport,
    ReportWord,
    VenueFill,
)
from pointsman.domain.life_cycle import FINAL, OrderStatus
from pointsman.domain.market import Quote
from pointsman.domain.money import ZERO
from pointsman.domain.orders import Order, Role
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import PositionSide
from pointsman.domain.venue_reports import OrderFound, Snapshot, VenueExecution, VenueOrder
from pointsman.execution.books import Books
from pointsman.execution.closing_order import closing_order
from pointsman.execution.external_holdings import our_holdings
from pointsman.execution.fills import fill_key

_ENDINGS = {
    OrderStatus.CANCELED: ReportWord.CANCELED,
    OrderStatus.EXPIRED: ReportWord.EXPIRED,
    OrderStatus.REJECTED: ReportWord.REJECTED,
}


class Comparison(msgspec.Struct, frozen=True, gc=False):
    """What a snapshot tells that we did not know. `reports` are about orders that are not final by
    our record, in the order in which things happened; `unseen` are such orders that the venue did
    not show; `others` are executions and open orders of ids that are not working by our record:
    final ones, strange ones, foreign ones."""

    reports: tuple[OrderReport, ...]
    unseen: tuple[str, ...]
    other_trades: tuple[VenueExecution, ...]
    other_orders: tuple[VenueOrder, ...]


def compare(books: Books, snapshot: Snapshot) -> Comparison:
    """Hold a complete snapshot against the orders that are not final by our record."""
    shown = {order.client_order_id: order for order in snapshot.open_orders}
    reports: list[OrderReport] = []
    others: list[VenueExecution] = []
    for trade in snapshot.trades:
        order = books.orders.get(trade.client_order_id)
        if order is None:
            others.append(trade)
        elif trade_key(trade) not in books.fill_keys[order.client_order_id]:
            reports.append(_trade_report(order.client_order_id, trade.venue_order_id, trade.fill))
    unseen: list[str] = []
    for order_id, order in books.orders.items():
        venue_order = shown.get(order_id)
        if venue_order is not None:
            reports += _standing_reports(order, venue_order)
        elif _should_be_shown(order, snapshot):
            unseen.append(order_id)
    other_orders = tuple(order for key, order in shown.items() if key not in books.orders)
    return Comparison(tuple(reports), tuple(unseen), tuple(others), other_orders)


def trade_key(trade: VenueExecution) -> str:
    """The key under which an execution is booked."""
    return fill_key(trade.client_order_id, trade.side, trade.fill)


def _should_be_shown(order: Order, snapshot: Snapshot) -> bool:
    """Whether an order left early enough for the venue to know it; doubt alone is enough to ask. A
    crash may have lost when it was sent of one that the venue has confirmed since."""
    if order.is_unknown:
        return True
    has_left = order.status is not OrderStatus.INITIALIZED
    return has_left and order.left_at_ns <= snapshot.asked_at_ns


def _trade_report(order_id: str, venue_order_id: str, fill: VenueFill) -> OrderReport:
    return OrderReport(
        client_order_id=order_id,
        kind=ReportWord.TRADE,
        ts_ns=fill.ts_ns,
        venue_order_id=venue_order_id,
        fill=fill,
    )


def _standing_reports(order: Order, venue_order: VenueOrder) -> list[OrderReport]:
    """What an order that works at the venue tells us, if it is news."""
    reports: list[OrderReport] = []
    is_news = order.is_unknown or order.status in (OrderStatus.INITIALIZED, OrderStatus.SUBMITTED)
    if is_news or venue_order.is_queued is not order.is_queued:
        reports.append(_status_report(venue_order, ReportWord.ACCEPTED))
    if venue_order.is_triggered and not order.is_triggered:
        reports.append(_status_report(venue_order, ReportWord.TRIGGERED))
    return reports


def _status_report(venue_order: VenueOrder, word: ReportWord) -> OrderReport:
    return OrderReport(
        venue_order.client_order_id,
        word,
        venue_order.ts_ns,
        venue_order.venue_order_id,
        reason=venue_order.end_reason,
        is_queued=venue_order.is_queued,
    )


def reports_from(found: OrderFound) -> list[OrderReport]:
    """All that the answer to a query tells, as reports: fills in order, then how the order stands
    or ended. The desk recognises what it knew. An order whose fills do not add up to what the venue
    says was filled is not ended by this: part of its history is missing."""
    venue_order = found.order
    order_id, venue_id = venue_order.client_order_id, venue_order.venue_order_id
    reports = [_trade_report(order_id, venue_id, fill) for fill in found.fills]
    filled = sum((fill.quantity for fill in found.fills), ZERO)
    if filled != venue_order.filled:
        return reports
    if venue_order.status in _ENDINGS:
        reports.append(_status_report(venue_order, _ENDINGS[venue_order.status]))
    elif venue_order.status not in FINAL:
        if venue_order.is_triggered:
            reports.append(_status_report(venue_order, ReportWord.TRIGGERED))
        reports.append(_status_report(venue_order, ReportWord.ACCEPTED))
    return reports


def adopted(
    books: Books, told: VenueOrder | VenueExecution, trades: Iterable[VenueExecution]
) -> Order | None:
    """An order of ours that only the venue remembers, rebuilt from its id and its position; None
    where these do not fit, which start-up refuses to trade on (RULES 26, 30). One that does not
    rest any more was for as much as it traded: `trades` are all that are shown."""
    parts = parse_client_order_id(told.client_order_id)
    if parts is None or parts.code != books.desk.code or parts.role is Role.ENTRY:
        return None
    position = books.positions.get(parts.number)
    if position is None or position.symbol != told.symbol:
        return None
    is_stop = parts.role is Role.STOP
    trigger = position.stop_price
    if isinstance(told, VenueOrder):
        quantity, trigger = told.quantity, told.trigger_price or trigger
    else:
        its = {trade_key(t): t.fill for t in trades if t.client_order_id == told.client_order_id}
        quantity = sum((fill.quantity for fill in its.values()), ZERO)
    order = closing_order(
        position,
        parts.role,
        quantity,
        order_id=told.client_order_id,
        signal_id=position.signal_id,
        reason=Reason.STOP_LOSS if is_stop else Reason.UNPROTECTED,
        now_ns=books.desk.compared_at_ns or 0,
    )
    return msgspec.structs.replace(
        order,
        trigger_price=trigger if is_stop else None,
        is_unknown=True,
        venue_order_id=told.venue_order_id,
        updated_at_ns=0,
    )


def differing_holdings(books: Books, snapshot: Snapshot) -> list[HoldingDiffers]:
    """The holdings that neither our VAs nor EXTERNAL explain. A symbol with an order that is
    unknown, or that changed since the question was asked, is left for the next comparison; so is
    one that traded, as we know by now, after the moment that the answer tells of."""
    busy = {
        order.symbol
        for order in books.orders.values()
        if order.is_unknown or order.updated_at_ns > snapshot.asked_at_ns
    }
    traded = books.this_run.traded_at_ns
    busy.update(symbol for symbol, at_ns in traded.items() if at_ns > snapshot.taken_at_ns)
    theirs: dict[tuple[str, PositionSide], Decimal] = {}
    for holding in snapshot.holdings:
        key = books.policy.venue_key(holding.symbol, holding.position_side or PositionSide.LONG)
        theirs[key] = theirs.get(key, ZERO) + holding.quantity
    ours = our_holdings(books)
    for key, external in books.externals.items():
        ours[key] = ours.get(key, ZERO) + external.quantity
    return [
        HoldingDiffers(symbol, side, theirs.get((symbol, side), ZERO))
        for symbol, side in _keys(ours, theirs)
        if symbol not in busy and ours.get((symbol, side), ZERO) != theirs.get((symbol, side), ZERO)
    ]


def _keys(
    *maps: dict[tuple[str, PositionSide], Decimal],
) -> Iterable[tuple[str, PositionSide]]:
    return dict.fromkeys(key for one in maps for key in one)


def trade_report(trade: VenueExecution) -> OrderReport:
    """A report of one execution in the account's history."""
    return _trade_report(trade.client_order_id, trade.venue_order_id, trade.fill)


def foreign_fill(trade: VenueExecution, mark: Quote | None) -> ForeignFill:
    """An execution that is not ours, as an event."""
    return ForeignFill(
        symbol=trade.symbol,
        position_side=trade.position_side or PositionSide.LONG,
        side=trade.side,
        fill=trade.fill,
        order_id=trade.client_order_id or trade.venue_order_id,
        mark=mark,
    )
