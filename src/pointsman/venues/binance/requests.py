"""What leaves for Binance: an order or a question as a request. Pure; a test pins each kind.

An order carries our client order id: a stop, which goes to the algo service, as `clientAlgoId`,
any other as `newClientOrderId`. What protects or closes is `reduceOnly` in one-way mode; in hedge
mode `positionSide` says it, and the venue refuses both together. The price that triggers a stop is
always named, because the default is the venue's.
"""

from decimal import Decimal
from typing import Any

from pointsman.domain.client_order_ids import parse_client_order_id
from pointsman.domain.money import plain
from pointsman.domain.orders import Order, OrderType, Role
from pointsman.domain.policy import PositionMode
from pointsman.domain.sides import PositionSide, Side
from pointsman.venues.adapter import Call
from pointsman.venues.contract_names import venue_symbol

SIDES = {Side.BUY: "BUY", Side.SELL: "SELL"}
POSITION_SIDES = {PositionSide.LONG: "LONG", PositionSide.SHORT: "SHORT"}
NET = "BOTH"

ALL_SYMBOLS_WEIGHT = 40
"""What a list of open orders costs without a symbol; with one it costs 1."""

PAGE = 1000

SETTLED_MS = 600_000
"""How long after its settlement funding is paid at most; it is settled once an hour at most."""

TIME = Call(route="GET /fapi/v1/time", is_signed=False)
EXCHANGE_INFO = Call(route="GET /fapi/v1/exchangeInfo", is_signed=False)
POSITION_MODE = Call(route="GET /fapi/v1/positionSide/dual", weight=30)
MARGIN_MODE = Call(route="GET /fapi/v1/multiAssetsMargin", weight=30)
ACCOUNT = Call(route="GET /fapi/v2/account", weight=5)
BALANCE = Call(route="GET /fapi/v3/balance", weight=5)
KEY = Call(route="GET /sapi/v1/account/apiRestrictions")
POSITIONS = Call(route="GET /fapi/v3/positionRisk", weight=5)
TAKE_LISTEN_KEY = Call(route="POST /fapi/v1/listenKey")
KEEP_LISTEN_KEY = Call(route="PUT /fapi/v1/listenKey")


SECTIONS = {
    "/fapi/v1/": ("fapiPrivate", "fapiPublic"),
    "/fapi/v2/": ("fapiPrivateV2", "fapiPublicV2"),
    "/fapi/v3/": ("fapiPrivateV3", "fapiPublicV3"),
    "/sapi/v1/": ("sapi", "sapi"),
}
"""How ccxt names the groups of addresses, signed and not."""


def section_and_path(call: Call) -> tuple[str, str]:
    """Where ccxt keeps the address of a request, and what follows it."""
    path = call.route.partition(" ")[2]
    start = next(start for start in SECTIONS if path.startswith(start))
    return SECTIONS[start][0 if call.is_signed else 1], path.removeprefix(start)


def is_stop(client_order_id: str) -> bool:
    """Whether an id is that of a stop, which the algo service keeps until it triggers."""
    parts = parse_client_order_id(client_order_id)
    return parts is not None and parts.role is Role.STOP


def order_call(order: Order, mode: PositionMode) -> Call:
    """The request for an order."""
    params: dict[str, Any] = {
        "symbol": venue_symbol(order.symbol),
        "side": SIDES[order.side],
        "positionSide": NET,
        "quantity": _shown(order.quantity),
    }
    if mode is PositionMode.HEDGE:
        params["positionSide"] = POSITION_SIDES[order.position_side]
    elif order.reduce_only:
        params["reduceOnly"] = "true"
    if order.order_type is OrderType.STOP:
        assert order.trigger_price is not None, "a stop has a trigger"
        params |= {
            "algoType": "CONDITIONAL",
            "type": "STOP_MARKET",
            "triggerPrice": _shown(order.trigger_price),
            "workingType": "CONTRACT_PRICE",
            "clientAlgoId": order.client_order_id,
        }
        return Call(route="POST /fapi/v1/algoOrder", params=params)
    params |= {"newClientOrderId": order.client_order_id, "newOrderRespType": "ACK"}
    if order.order_type is OrderType.LIMIT_IOC:
        assert order.limit_price is not None, "a limit order has a limit"
        params |= {"type": "LIMIT", "timeInForce": "IOC", "price": _shown(order.limit_price)}
    else:
        params["type"] = "MARKET"
    return Call(route="POST /fapi/v1/order", params=params)


def cancel_call(client_order_id: str, symbol: str, child_id: int | None) -> Call:
    """The request to cancel an order. `child_id` is the order that a stop became when it
    triggered."""
    if child_id is not None:
        params = {"symbol": venue_symbol(symbol), "orderId": child_id}
        return Call(route="DELETE /fapi/v1/order", params=params)
    if is_stop(client_order_id):
        return Call(route="DELETE /fapi/v1/algoOrder", params={"clientAlgoId": client_order_id})
    params = {"symbol": venue_symbol(symbol), "origClientOrderId": client_order_id}
    return Call(route="DELETE /fapi/v1/order", params=params)


def order_by_client_id(client_order_id: str, symbol: str) -> Call:
    params = {"symbol": symbol, "origClientOrderId": client_order_id}
    return Call(route="GET /fapi/v1/order", params=params)


def order_by_id(order_id: int, symbol: str) -> Call:
    return Call(route="GET /fapi/v1/order", params={"symbol": symbol, "orderId": order_id})


def stop_by_client_id(client_order_id: str) -> Call:
    return Call(route="GET /fapi/v1/algoOrder", params={"clientAlgoId": client_order_id})


def all_stops(symbol: str) -> Call:
    """The newest conditional orders of a symbol, also those that have ended."""
    params = {"symbol": symbol, "limit": PAGE}
    return Call(route="GET /fapi/v1/allAlgoOrders", params=params, weight=5)


def open_orders(symbol: str | None) -> Call:
    return _list_call("GET /fapi/v1/openOrders", symbol)


def open_stops(symbol: str | None) -> Call:
    return _list_call("GET /fapi/v1/openAlgoOrders", symbol)


def trades(symbol: str, **where: int) -> Call:
    """A page of executions of one symbol."""
    params = {"symbol": symbol, **where, "limit": PAGE}
    return Call(route="GET /fapi/v1/userTrades", params=params, weight=5)


def income(since_ms: int) -> Call:
    """A page of what the account was paid and charged."""
    params = {"startTime": since_ms, "limit": PAGE}
    return Call(route="GET /fapi/v1/income", params=params, weight=30)


def funding_rates(symbol: str, paid_ms: int) -> Call:
    """The rate by which funding was settled that was paid at this time, which may be a moment
    later; the last of the answer."""
    params = {"symbol": symbol, "startTime": paid_ms - SETTLED_MS, "endTime": paid_ms}
    return Call(route="GET /fapi/v1/fundingRate", params=params, is_signed=False)


def _list_call(route: str, symbol: str | None) -> Call:
    if symbol is None:
        return Call(route=route, weight=ALL_SYMBOLS_WEIGHT)
    return Call(route=route, params={"symbol": symbol})


def _shown(number: Decimal) -> str:
    """Without zeros at the end, which count as decimals that a symbol may not have."""
    return plain(number.normalize())
