"""What Bybit v5 reads: signatures, the fields of an order, pages and time windows, each checked as
its documentation says. Field by field it is stricter than the venue: what this server does not
build, and what nobody knows, is refused, where Bybit may ignore it.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar
from urllib.parse import quote, unquote

from tests.venue_servers.calls import Call
from tests.venue_servers.records import Holding, Order, Reason, Side, TimeInForce

Fields = Mapping[str, Any]
T = TypeVar("T")

PARAMETER = 10001
WEEK_MS = 7 * 24 * 3600 * 1000

REFUSALS = {
    Reason.DUPLICATE_ID: (110072, "OrderLinkedID is duplicate"),
    Reason.UNKNOWN_SYMBOL: (PARAMETER, "params error: symbol invalid"),
    Reason.UNKNOWN_ORDER: (110001, "order not exists or too late to cancel"),
    Reason.ORDER_ENDED: (110001, "order not exists or too late to cancel"),
    Reason.BAD_TICK: (PARAMETER, "Price invalid"),
    Reason.BAD_LOT: (PARAMETER, "Qty invalid"),
    Reason.BELOW_MINIMUM: (PARAMETER, "The number of contracts exceeds minimum limit allowed"),
    Reason.BELOW_NOTIONAL: (110094, "Order does not meet minimum order value 5USDT"),
    Reason.ABOVE_MAXIMUM: (PARAMETER, "The number of contracts exceeds maximum limit allowed"),
    Reason.WRONG_HOLDING: (PARAMETER, "position idx not match position mode"),
    Reason.NOTHING_TO_REDUCE: (
        110017,
        "current position is zero, cannot fix reduce-only order qty",
    ),
    Reason.INSUFFICIENT: (110007, "ab not enough for new order"),
}

ORDER_FIELDS = {
    "category",
    "symbol",
    "side",
    "orderType",
    "qty",
    "price",
    "timeInForce",
    "orderLinkId",
    "positionIdx",
    "reduceOnly",
    "closeOnTrigger",
    "triggerPrice",
    "triggerDirection",
    "triggerBy",
    "orderFilter",
}
SIDES = {"Buy": Side.BUY, "Sell": Side.SELL}
TIMES_IN_FORCE = {
    "GTC": TimeInForce.GTC,
    "IOC": TimeInForce.IOC,
    "FOK": TimeInForce.FOK,
    "PostOnly": TimeInForce.POST_ONLY,
}
HOLDINGS = {0: Holding.NET, 1: Holding.LONG, 2: Holding.SHORT}


class BadRequest(Exception):
    """Refused with a code of the venue."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(code, text)
        self.code = code
        self.text = text


def sign(secret: str, text: str) -> str:
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def payload(call: Call) -> str:
    """What the signature covers beside timestamp, key and window."""
    return call.query_text if call.method == "GET" else call.body.decode()


def fields_of(call: Call) -> dict[str, Any]:
    """The parameters of a request: the query of a GET, the JSON of a POST."""
    if call.method == "GET":
        return dict(call.query)
    try:
        fields = json.loads(call.body or b"{}")
    except ValueError:
        fields = None
    if not isinstance(fields, dict):
        raise BadRequest(PARAMETER, "Request parameter error: the body is no JSON object")
    return fields


def category_of(fields: Fields) -> str:
    category = fields.get("category")
    if category not in ("linear", "spot", "inverse", "option"):
        raise BadRequest(PARAMETER, "Illegal category")
    return str(category)


def check_linear(fields: Fields) -> None:
    if category_of(fields) != "linear":
        raise BadRequest(PARAMETER, "params error: only category linear is built here")


def choice(fields: Fields, name: str, known: Mapping[Any, T], default: Any = None) -> T:
    value = fields.get(name, default)
    if value not in known:
        raise BadRequest(PARAMETER, f"params error: {name} invalid: {value}")
    return known[value]


def decimal(fields: Fields, name: str) -> Decimal | None:
    """A number written as text, as the venue's documentation has them; None where it is absent."""
    value = fields.get(name)
    if value in (None, ""):
        return None
    try:
        if not isinstance(value, str):
            raise InvalidOperation
        number = Decimal(value)
    except InvalidOperation:
        raise BadRequest(PARAMETER, f"params error: {name} is no decimal text: {value}") from None
    if not number.is_finite() or number < 0:
        raise BadRequest(PARAMETER, f"params error: {name} invalid: {value}")
    return number


def read_order(fields: Fields) -> Order:
    check_linear(fields)
    if unknown := set(fields) - ORDER_FIELDS:
        raise BadRequest(PARAMETER, f"params error: not built here: {', '.join(sorted(unknown))}")
    quantity, price = decimal(fields, "qty"), decimal(fields, "price")
    trigger_price = decimal(fields, "triggerPrice")
    is_market = choice(fields, "orderType", {"Market": True, "Limit": False})
    if quantity is None or (price is None and not is_market):
        raise BadRequest(PARAMETER, "params error: Qty or Price invalid")
    for name in ("reduceOnly", "closeOnTrigger"):
        choice(fields, name, {False: False, True: True}, default=False)
    rises = False
    if trigger_price is not None:
        rises = choice(fields, "triggerDirection", {1: True, 2: False})
        choice(
            fields,
            "triggerBy",
            dict.fromkeys(("LastPrice", "MarkPrice", "IndexPrice")),
            "LastPrice",
        )
    time_in_force = choice(fields, "timeInForce", TIMES_IN_FORCE, "IOC" if is_market else "GTC")
    return Order(
        client_id=link_id(fields),
        symbol=str(fields.get("symbol")),
        side=choice(fields, "side", SIDES),
        quantity=quantity,
        price=None if is_market else price,
        time_in_force=TimeInForce.IOC if is_market else time_in_force,
        holding=choice(fields, "positionIdx", HOLDINGS, default=0),
        is_reduce_only=bool(fields.get("reduceOnly")),
        trigger_price=trigger_price,
        trigger_rises=rises,
    )


def link_id(fields: Fields) -> str:
    value = fields.get("orderLinkId") or ""
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9_-]{0,36}", value):
        raise BadRequest(PARAMETER, f"params error: OrderLinkId invalid: {value}")
    return value


def named_order(fields: Fields) -> tuple[str, str]:
    """The order's id and client id that a request names; the first has priority."""
    order_id, client_id = fields.get("orderId") or "", fields.get("orderLinkId") or ""
    if not order_id and not client_id:
        raise BadRequest(PARAMETER, "params error: orderId or orderLinkId is required")
    return str(order_id), str(client_id)


def page(
    rows: list[T], fields: Fields, key: Callable[[T], str], *, usual: int, most: int
) -> tuple[list[T], str]:
    """The rows after those that the cursor has seen, and the next cursor: every page that is not
    empty has one, whether or not anything follows."""
    try:
        limit = int(fields.get("limit", usual))
    except ValueError:
        limit = 0
    if not 1 <= limit <= most:
        raise BadRequest(PARAMETER, f"params error: limit is from 1 to {most}")
    if cursor := unquote(str(fields.get("cursor") or "")):
        _, _, last = cursor.partition(",")
        seen = [key(row) for row in rows]
        if last not in seen:
            raise BadRequest(PARAMETER, "params error: cursor invalid")
        rows = rows[seen.index(last) + 1 :]
    rows = rows[:limit]
    return rows, quote(f"{key(rows[0])},{key(rows[-1])}") if rows else ""


def window(fields: Fields, now_ms: int) -> tuple[int, int]:
    """From when to when a list goes: at most seven days."""
    try:
        start = int(fields["startTime"]) if fields.get("startTime") else None
        end = int(fields["endTime"]) if fields.get("endTime") else None
    except ValueError:
        raise BadRequest(PARAMETER, "params error: startTime or endTime invalid") from None
    if start is None:
        end = now_ms if end is None else end
        return end - WEEK_MS, end
    end = start + WEEK_MS if end is None else end
    if not 0 <= end - start <= WEEK_MS:
        raise BadRequest(
            PARAMETER, "The time range between startTime and endTime cannot exceed 7 days"
        )
    return start, end
