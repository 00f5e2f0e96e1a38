"""Orders of the loopback Bybit: `/v5/order/*`.

A conditional order counts as one until it triggers, and keeps its id. A request is answered when it
is taken; a cancel may be told to take its time.
"""

from typing import TYPE_CHECKING

import msgspec

from tests.venue_servers.bybit_messages import Row
from tests.venue_servers.bybit_requests import (
    PARAMETER,
    BadRequest,
    Fields,
    check_linear,
    choice,
    decimal,
    named_order,
    page,
    read_order,
    window,
)
from tests.venue_servers.records import ENDED, ZERO, Order, Reason, Refused

if TYPE_CHECKING:
    from tests.venue_servers.bybit import BybitServer

ORDERS_MAX = {False: (500, 110020), True: (10, 110009)}
"""Open orders of a symbol, plain and conditional, and the code beyond."""


class BybitOrders:
    def __init__(self, server: "BybitServer") -> None:
        self._server = server

    def create(self, fields: Fields) -> Row:
        order = read_order(fields)
        if order.symbol in self._server.account.halted:
            raise BadRequest(110066, "No trading is allowed at the current time")
        is_stop = order.trigger_price is not None
        kinds = [
            o.trigger_price is not None for o in self._server.account.open_orders(order.symbol)
        ]
        most, code = ORDERS_MAX[is_stop]
        if kinds.count(is_stop) >= most:
            raise BadRequest(code, f"the number of orders exceeds {most}")
        try:
            order = self._server.account.place(self._cut(order))
        except Refused as refused:
            if refused.reason is not Reason.WOULD_TRIGGER:
                raise
            raise self._would_trigger(order) from None
        return {"orderId": order.id, "orderLinkId": order.client_id}

    def _cut(self, order: Order) -> Order:
        """What only closes is cut to what is held and not yet claimed by such orders that work; a
        conditional order is not, and is taken even where nothing is held."""
        if not order.only_closes or order.trigger_price is not None:
            return order
        account = self._server.account
        held = account.position(order.symbol, order.holding).quantity
        closable = -order.side.sign * held
        claimed = (
            other.leaves
            for other in account.open_orders(order.symbol)
            if other.only_closes
            and not _waits(other)
            and (other.side, other.holding) == (order.side, order.holding)
        )
        free = closable - sum(claimed, ZERO)
        if closable > 0 >= free:
            raise BadRequest(110017, "orderQty will be truncated to zero")
        quantity = min(order.quantity, free) if closable > 0 else order.quantity
        return msgspec.structs.replace(order, quantity=quantity, is_reduce_only=True)

    def _would_trigger(self, order: Order) -> BadRequest:
        """The venue shows both prices as whole numbers of a ten-thousandth."""
        now = int(self._server.account.quotes[order.symbol].last * 10_000)
        price = int((order.trigger_price or ZERO) * 10_000)
        if order.trigger_rises:
            text = f"expect Rising, but trigger_price[{price}] <= current[{now}]??LastPrice"
            return BadRequest(110092, text)
        text = f"expect Falling, but trigger_price[{price}] >= current[{now}]??LastPrice"
        return BadRequest(110093, text)

    def _named(self, fields: Fields) -> Order:
        check_linear(fields)
        order_id, client_id = named_order(fields)
        account = self._server.account
        order = account.orders.get(order_id) if order_id else account.by_client_id(client_id)
        if order is None or order.symbol != fields.get("symbol"):
            raise Refused(Reason.UNKNOWN_ORDER, order_id or client_id)
        return account.open_order(order.id)

    def cancel(self, fields: Fields) -> Row:
        order = self._named(fields)
        if self._server.cancel_takes_seconds:
            self._server.later(self._server.cancel_takes_seconds, self._cancel_now, order.id)
        else:
            self._server.account.cancel(order.id)
        return {"orderId": order.id, "orderLinkId": order.client_id}

    def _cancel_now(self, order_id: str) -> None:
        """Unless it was filled meanwhile."""
        if self._server.account.orders[order_id].status not in ENDED:
            self._server.account.cancel(order_id)
        self._server.tell()

    def cancel_all(self, fields: Fields) -> Row:
        orders = self._filtered(self._server.account.open_orders(self._scope(fields)), fields)
        ended = [self._server.account.cancel(order.id) for order in orders]
        rows = [{"orderId": order.id, "orderLinkId": order.client_id} for order in ended]
        return {"list": rows, "success": "1"}

    def amend(self, fields: Fields) -> Row:
        order = self._named(fields)
        changed = {
            "quantity": decimal(fields, "qty"),
            "price": decimal(fields, "price"),
            "trigger_price": decimal(fields, "triggerPrice"),
        }
        if all(value is None for value in changed.values()):
            raise BadRequest(PARAMETER, "params error: nothing to amend")
        try:
            order = self._server.account.amend(order.id, **changed)
        except Refused as refused:
            if refused.reason is not Reason.WOULD_TRIGGER:
                raise
            price = changed["trigger_price"] or order.trigger_price
            raise BadRequest(PARAMETER, f"trigger price {price} would trigger at once") from None
        return {"orderId": order.id, "orderLinkId": order.client_id}

    def realtime(self, fields: Fields) -> Row:
        check_linear(fields)
        orders = list(self._server.account.orders.values())
        wants_ended = str(fields.get("openOnly", 0)) in ("1", "2")
        if fields.get("orderId") or fields.get("orderLinkId"):
            orders = self._single(orders, fields)
            wants_ended = True
        else:
            scope = self._scope(fields)
            orders = [
                o for o in orders if scope in (None, o.symbol) and self._is_shown(o, "open_orders")
            ]
        ended = (
            [o for o in orders if o.status in ENDED][-500:]
            if self._server.keeps_ended_in_realtime
            else []
        )
        kept = {o.id for o in ended} if wants_ended else set()
        shown = [o for o in orders if o.status not in ENDED or o.id in kept]
        return self._order_list(shown, fields)

    def history(self, fields: Fields) -> Row:
        check_linear(fields)
        orders = [o for o in self._server.account.orders.values() if o.status in ENDED]
        if fields.get("orderId") or fields.get("orderLinkId"):
            orders = self._single(orders, fields)
        else:
            start, end = window(fields, self._server.now_ms())
            orders = [o for o in orders if start <= o.created_ns // 1_000_000 <= end]
            orders = [o for o in orders if fields.get("symbol") in (None, "", o.symbol)]
        return self._order_list(orders, fields)

    def _scope(self, fields: Fields) -> str | None:
        """The symbol of a list; None for all, which must be said."""
        check_linear(fields)
        symbol = fields.get("symbol")
        if symbol:
            return str(symbol)
        if fields.get("settleCoin") != "USDT" and not fields.get("baseCoin"):
            raise BadRequest(
                PARAMETER, "params error: symbol or settleCoin or baseCoin is required"
            )
        return f"{fields['baseCoin']}USDT" if fields.get("baseCoin") else None

    def _single(self, orders: list[Order], fields: Fields) -> list[Order]:
        order_id, client_id = named_order(fields)
        named = [o for o in orders if (o.id == order_id if order_id else o.client_id == client_id)]
        return [o for o in named if self._is_shown(o, "query")]

    def _is_shown(self, order: Order, route: str) -> bool:
        age_seconds = (self._server.account.now_ns() - order.created_ns) / 1e9
        return not self._server.faults.hides(route, age_seconds)

    def _filtered(self, orders: list[Order], fields: Fields) -> list[Order]:
        kinds = {"": None, "Order": False, "StopOrder": True}
        wanted = choice(fields, "orderFilter", kinds, default="")
        return [o for o in orders if wanted in (None, _waits(o))]

    def _order_list(self, orders: list[Order], fields: Fields) -> Row:
        newest_first = self._filtered(orders, fields)[::-1]
        if self._server.cursor_stands_still:
            fields = {name: value for name, value in fields.items() if name != "cursor"}
        shown, cursor = page(newest_first, fields, lambda order: order.id, usual=20, most=50)
        rows = [self._server.order_row(order) for order in shown]
        return {"category": "linear", "list": rows, "nextPageCursor": cursor}


def _waits(order: Order) -> bool:
    """Whether it is, or ended as, a conditional order that has not triggered."""
    return order.trigger_price is not None and not order.is_triggered
