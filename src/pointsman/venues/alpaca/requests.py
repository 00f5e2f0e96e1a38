"""What is asked of Alpaca: one function for each request, as it leaves.

Invariants: numbers leave as text, so that nothing rounds them; an entry never rests, a stop rests
until it is cancelled, an exit is for the session, or for the next one where none is open (RULES
52). Alpaca has no reduce-only: nothing in a request keeps an order from opening the other side.
"""

from pointsman.domain.money import plain
from pointsman.domain.orders import Order, OrderType
from pointsman.venues.adapter import Call

ORDERS_MAX = 500
"""Orders in one answer; more make another page."""

ACTIVITIES_MAX = 100
"""Rows of the account's history in one answer."""


def submit(order: Order) -> Call:
    """The request for an order."""
    params = {
        "symbol": order.symbol,
        "side": order.side.value,
        "qty": plain(order.quantity),
        "client_order_id": order.client_order_id,
    }
    if order.order_type is OrderType.LIMIT_IOC:
        assert order.limit_price is not None, "an entry has a limit"
        params |= {"type": "limit", "time_in_force": "ioc"}
        params["limit_price"] = plain(order.limit_price)
    elif order.order_type is OrderType.STOP:
        assert order.trigger_price is not None, "a stop has a trigger"
        params |= {"type": "stop", "time_in_force": "gtc"}
        params["stop_price"] = plain(order.trigger_price)
    else:
        params |= {"type": "market", "time_in_force": "day"}
    return Call(route="POST /v2/orders", params=params)


def cancel(venue_order_id: str) -> Call:
    """The request to cancel an order; Alpaca takes only its own id."""
    return Call(route=f"DELETE /v2/orders/{venue_order_id}")


def order_by_client_id(client_order_id: str) -> Call:
    params = {"client_order_id": client_order_id}
    return Call(route="GET /v2/orders:by_client_order_id", params=params)


def order_by_id(venue_order_id: str) -> Call:
    return Call(route=f"GET /v2/orders/{venue_order_id}")


def open_orders(after: str) -> Call:
    """A page of the orders that work or rest, the oldest first, of those submitted after a moment;
    empty for the first page."""
    params = {"status": "open", "limit": str(ORDERS_MAX), "direction": "asc", "nested": "false"}
    return Call(route="GET /v2/orders", params={**params, **({"after": after} if after else {})})


def activities(
    kind: str,
    *,
    is_newest_first: bool = False,
    page_token: str = "",
    after: str = "",
    until: str = "",
    page_size: int = ACTIVITIES_MAX,
) -> Call:
    """A page of the account's history of one kind, from the row after `page_token` on."""
    params = {
        "direction": "desc" if is_newest_first else "asc",
        "page_size": str(page_size),
        "page_token": page_token,
        "after": after,
        "until": until,
    }
    given = {name: value for name, value in params.items() if value}
    return Call(route=f"GET /v2/account/activities/{kind}", params=given)


def asset(symbol: str) -> Call:
    return Call(route=f"GET /v2/assets/{symbol}")


ACCOUNT = Call(route="GET /v2/account")
CLOCK = Call(route="GET /v2/clock")
POSITIONS = Call(route="GET /v2/positions")
