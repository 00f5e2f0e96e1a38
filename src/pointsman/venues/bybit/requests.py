"""What leaves for Bybit: an order or a question as a request. Pure; each kind is pinned by a test.

Every order carries our client order id as `orderLinkId`, and is cancelled and asked about by it; a
stop keeps it when it triggers. What protects or closes is always `reduceOnly`, also in hedge mode;
the trigger's price and direction are always said, because the venue's defaults are not ours.
"""

from typing import Any

from pointsman.domain.money import plain
from pointsman.domain.orders import Order, OrderType
from pointsman.domain.policy import PositionMode
from pointsman.domain.sides import PositionSide, Side
from pointsman.venues.adapter import Call
from pointsman.venues.contract_names import venue_symbol

COIN = "USDT"
"""All that is traded here is settled in it."""

LINEAR = {"category": "linear"}
SIDES = {Side.BUY: "Buy", Side.SELL: "Sell"}
POSITION_INDEXES = {None: 0, PositionSide.LONG: 1, PositionSide.SHORT: 2}
"""None is the one holding of one-way mode."""

TIME = Call(route="GET /v5/market/time", is_signed=False)
INSTRUMENTS = Call(
    route="GET /v5/market/instruments-info", params={**LINEAR, "limit": 1000}, is_signed=False
)
KEY = Call(route="GET /v5/user/query-api")
ACCOUNT = Call(route="GET /v5/account/info")
OPEN_ORDERS = Call(
    route="GET /v5/order/realtime",
    params={**LINEAR, "settleCoin": COIN, "openOnly": 0, "limit": 50},
)
HOLDINGS = Call(route="GET /v5/position/list", params={**LINEAR, "settleCoin": COIN, "limit": 200})


def unified_symbol(name: str) -> str:
    """BTC/USDT:USDT for BTCUSDT; what is no USDT perpetual keeps the venue's name."""
    base = name.removesuffix(COIN)
    return f"{base}/{COIN}:{COIN}" if base and base != name else name


def position_index(side: PositionSide | None) -> int:
    return POSITION_INDEXES[side]


def order_call(order: Order, mode: PositionMode) -> Call:
    """The request for an order."""
    is_hedged = mode is PositionMode.HEDGE
    params: dict[str, Any] = {
        **LINEAR,
        "symbol": venue_symbol(order.symbol),
        "side": SIDES[order.side],
        "orderType": "Market",
        "qty": plain(order.quantity),
        "timeInForce": "IOC",
        "orderLinkId": order.client_order_id,
        "positionIdx": position_index(order.position_side if is_hedged else None),
        "reduceOnly": order.reduce_only,
    }
    if order.order_type is OrderType.LIMIT_IOC:
        assert order.limit_price is not None, "a limit order has a limit"
        params |= {"orderType": "Limit", "price": plain(order.limit_price)}
    elif order.order_type is OrderType.STOP:
        assert order.trigger_price is not None, "a stop has a trigger"
        params |= {
            "triggerPrice": plain(order.trigger_price),
            "triggerDirection": 1 if order.side is Side.BUY else 2,
            "triggerBy": "LastPrice",
        }
    return Call(route="POST /v5/order/create", params=params)


def cancel_call(client_order_id: str, symbol: str) -> Call:
    """The request to cancel an order, of either kind."""
    return Call(route="POST /v5/order/cancel", params=_named(client_order_id, symbol))


def working_order_call(client_order_id: str, symbol: str) -> Call:
    """The question for one order among those that work, and the 500 that ended last."""
    return Call(route="GET /v5/order/realtime", params=_named(client_order_id, symbol))


def ended_order_call(client_order_id: str, symbol: str) -> Call:
    """The question for one order among those that have ended."""
    return Call(route="GET /v5/order/history", params=_named(client_order_id, symbol))


def open_orders_call(symbol: str) -> Call:
    """The question for all orders of a symbol that work or rest."""
    params = {**LINEAR, "symbol": venue_symbol(symbol), "openOnly": 0, "limit": 50}
    return Call(route="GET /v5/order/realtime", params=params)


def executions_call(since_ms: int | None, client_order_id: str = "") -> Call:
    """The question for what was executed, of one order or of all, in the seven days after a time;
    in the last seven where it is None."""
    params: dict[str, Any] = {**LINEAR, "limit": 100}
    if client_order_id:
        params["orderLinkId"] = client_order_id
    if since_ms is not None:
        params["startTime"] = since_ms
    return Call(route="GET /v5/execution/list", params=params)


def mode_call(symbol: str) -> Call:
    """The question for the holding of one symbol, also where it is zero: its rows show the position
    mode."""
    return Call(route="GET /v5/position/list", params={**LINEAR, "symbol": venue_symbol(symbol)})


def _named(client_order_id: str, symbol: str) -> dict[str, Any]:
    return {**LINEAR, "symbol": venue_symbol(symbol), "orderLinkId": client_order_id}
