"""Which orders Alpaca takes: the form of a request, and what the account allows beside it.

Written from Alpaca's documentation ("Placing Orders", "User Protection") and answers that users
have published. A `Refusal` leaves everything as it was. Not served, and refused: notional, trailing
and complex orders, extended hours, opening and closing auctions.
"""

import json
from decimal import Decimal, InvalidOperation
from typing import Any

from tests.venue_servers.alpaca_messages import Listing, Terms, refusal, text
from tests.venue_servers.calls import Refusal
from tests.venue_servers.matching import Account
from tests.venue_servers.records import Order, Quote, Side, TimeInForce

KINDS = {"market": (), "limit": ("limit_price",), "stop": ("stop_price",)}
KINDS |= {"stop_limit": ("limit_price", "stop_price")}
"""Types of orders and the prices that each must have, and no other."""

LASTING = {"day": TimeInForce.GTC, "gtc": TimeInForce.GTC}
AT_ONCE = {"ioc": TimeInForce.IOC, "fok": TimeInForce.FOK}
FIELDS = {
    "symbol",
    "qty",
    "side",
    "type",
    "time_in_force",
    "limit_price",
    "stop_price",
    "client_order_id",
    "extended_hours",
    "order_class",
    "position_intent",
}
REPLACED_FIELDS = {"qty", "time_in_force", "limit_price", "stop_price", "client_order_id"}
CLIENT_ID_LENGTH = 128
CENT = Decimal("0.01")


def invalid(message: str, code: int = 40010001, **more: Any) -> Refusal:
    return Refusal(422, refusal(code, message, **more))


def unprocessable(message: str, **more: Any) -> Refusal:
    return invalid(message, 42210000, **more)


def forbidden(message: str, **more: Any) -> Refusal:
    return Refusal(403, refusal(40310000, message, **more))


# --- the form of a request ------------------------------------------------------------------------


def read_body(data: bytes, known: set[str]) -> dict[str, Any]:
    try:
        body = json.loads(data, parse_float=Decimal)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Refusal(400, refusal(40010000, "request body format is invalid"))
    if unknown := sorted(set(body) - known):
        raise invalid(f'unknown field "{unknown[0]}"')
    return {name: value for name, value in body.items() if value is not None}


def read_number(body: dict[str, Any], name: str) -> Decimal | None:
    """Alpaca takes strings, and the numbers that its own client sends."""
    value = body.get(name)
    if value is None:
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise invalid(f"{name} is not a number: {value}") from None
    if not number.is_finite() or number <= 0:
        raise invalid(f"{name} must be > 0")
    return number


def read_choice(body: dict[str, Any], name: str, choices: Any) -> str:
    value = body.get(name)
    if value is None:
        raise invalid(f"{name} is required")
    if value not in choices:
        raise invalid(f"invalid {name}: {value}")
    return str(value)


def read_client_id(body: dict[str, Any]) -> str:
    """Empty if Alpaca is to make one up."""
    client_id = body.get("client_order_id", "")
    if not isinstance(client_id, str) or len(client_id) > CLIENT_ID_LENGTH:
        raise invalid(f"client_order_id must be no more than {CLIENT_ID_LENGTH} characters")
    if not client_id.isprintable():
        raise invalid("client_order_id has characters that cannot be printed")
    return client_id


def read_order(data: bytes, listings: dict[str, Listing]) -> tuple[Order, Terms]:
    """What a request says, as far as that can be judged without looking at the account."""
    body = read_body(data, FIELDS)
    symbol = body.get("symbol", "")
    side = Side(read_choice(body, "side", list(Side)))
    kind = read_choice(body, "type", KINDS)
    lasts = read_choice(body, "time_in_force", {**LASTING, **AT_ONCE})
    if symbol not in listings:
        raise unprocessable(f'asset "{symbol}" not found')
    if not listings[symbol].is_tradable:
        raise unprocessable(f"asset {symbol} is not tradable")
    if body.get("order_class", "") not in ("", "simple"):
        raise unprocessable("complex orders are not supported")
    if body.get("extended_hours"):
        raise unprocessable("extended hours order must be DAY limit orders")
    quantity = read_number(body, "qty")
    if quantity is None:
        raise invalid("qty or notional is required")
    order = Order(
        client_id=read_client_id(body),
        symbol=symbol,
        side=side,
        quantity=quantity,
        price=read_number(body, "limit_price"),
        trigger_price=read_number(body, "stop_price"),
        trigger_rises=side is Side.BUY,
        time_in_force=(LASTING | AT_ONCE)[lasts],
    )
    check_form(order, kind, lasts, listings[symbol])
    return order, Terms(kind=kind, time_in_force=lasts)


def check_form(order: Order, kind: str, lasts: str, listing: Listing) -> None:
    prices = {"limit_price": order.price, "stop_price": order.trigger_price}
    for name, price in prices.items():
        if (name in KINDS[kind]) != (price is not None):
            needs = "require" if name in KINDS[kind] else "must not have"
            raise invalid(f"{kind} orders {needs} {name}")
        tick = CENT if price is not None and price >= 1 else Decimal("0.0001")
        if price is not None and price % tick:
            said = f"invalid {name} {text(price)}"
            raise unprocessable(
                f"{said}. sub-penny increment does not fulfill minimum pricing criteria"
            )
    if order.trigger_price is not None and lasts not in LASTING:
        raise unprocessable(f"{kind} orders must be day or gtc orders")
    if order.quantity % 1 and not listing.is_fractionable:
        raise unprocessable(f"asset {order.symbol} is not fractionable")
    if order.quantity % 1 and lasts != "day":
        raise unprocessable("fractional orders must be DAY orders")


def replacement(old: Order, terms: Terms, data: bytes, listing: Listing) -> tuple[Order, Terms]:
    """The new order that a PATCH makes of an open one: for what the old one has not filled."""
    body = read_body(data, REPLACED_FIELDS)
    lasts = body.get("time_in_force", terms.time_in_force)
    if lasts not in {**LASTING, **AT_ONCE}:
        raise invalid(f"invalid time_in_force: {lasts}")
    quantity = read_number(body, "qty") or old.quantity
    if quantity <= old.filled:
        raise unprocessable("qty must be > filled_qty")
    order = Order(
        client_id=read_client_id(body),
        symbol=old.symbol,
        side=old.side,
        quantity=quantity - old.filled,
        price=read_number(body, "limit_price") or old.price,
        trigger_price=read_number(body, "stop_price") or old.trigger_price,
        trigger_rises=old.trigger_rises,
        time_in_force=(LASTING | AT_ONCE)[lasts],
    )
    check_form(order, terms.kind, lasts, listing)
    before = (old.quantity, old.price, old.trigger_price, terms.time_in_force)
    if before == (quantity, order.price, order.trigger_price, lasts):
        raise unprocessable("order parameters are not changed")
    return order, Terms(kind=terms.kind, time_in_force=lasts, replaces=old.id)


# --- what the account allows ----------------------------------------------------------------------


def check_account(
    account: Account, order: Order, listing: Listing, *, shorts: bool, replaces: str | None = None
) -> str:
    """The intent of an order that the account allows; `replaces` is an order that ends with it."""
    if order.client_id and account.by_client_id(order.client_id):
        raise invalid("client_order_id must be unique")
    beside = [o for o in account.open_orders(order.symbol) if o.id != replaces]
    check_wash_trade(order, beside)
    held = account.position(order.symbol).quantity
    closes = held * order.side.sign < 0
    if closes:
        check_available(order, held, beside)
    elif order.side is Side.SELL:
        if not shorts:
            raise forbidden("account is not allowed to short")
        if not listing.is_shortable:
            raise unprocessable(f'asset "{order.symbol}" cannot be sold short')
        if order.quantity % 1:
            raise unprocessable("fractional orders cannot be sold short")
    if not closes:
        check_buying_power(account, order, replaces)
    return f"{order.side}_to_{'close' if closes else 'open'}"


def check_stop_side(order: Order, quote: Quote | None) -> None:
    """A stop that the market has passed already is refused, not set off."""
    if order.trigger_price is None or quote is None or not quote.last:
        return
    if order.side is Side.SELL and order.trigger_price > quote.last - CENT:
        said = "stop price must be less than base_price - 0.01"
        raise unprocessable(said, base_price=text(quote.last))
    if order.side is Side.BUY and order.trigger_price < quote.last + CENT:
        said = "stop price must be greater than base_price + 0.01"
        raise unprocessable(said, base_price=text(quote.last))


def check_wash_trade(order: Order, beside: list[Order]) -> None:
    """An order of the opposite side that still counts, also one whose cancel was only asked for."""
    for other in beside:
        if other.side is order.side:
            continue
        buy, sell = (order, other) if order.side is Side.BUY else (other, order)
        if buy.price is None or sell.price is None or buy.price >= sell.price:
            what = "limit" if other.price is not None else "market/stop"
            raise forbidden(
                "potential wash trade detected. use complex orders",
                existing_order_id=other.id,
                reject_reason=f"opposite side {what} order exists",
            )


def check_available(order: Order, held: Decimal, beside: list[Order]) -> None:
    """Each open order that closes holds its shares back: nothing can be sold twice."""
    closing = [other for other in beside if other.side is order.side]
    bound = sum((other.leaves for other in closing), Decimal(0))
    available = max(abs(held) - bound, Decimal(0))
    if order.quantity > available:
        asked = f"requested: {text(order.quantity)}, available: {text(available)}"
        raise forbidden(
            f"insufficient qty available for order ({asked})",
            symbol=order.symbol,
            available=text(available),
            existing_qty=text(abs(held)),
            held_for_orders=text(abs(held) - available),
            related_orders=[other.id for other in closing],
        )


def check_buying_power(account: Account, order: Order, replaces: str | None) -> None:
    """A short counts with 3% above the ask, or with its own limit if that is more."""
    quote = account.quotes.get(order.symbol)
    market = (quote.ask or quote.last) if quote else Decimal(0)
    price = order.price or order.trigger_price or market
    if order.side is Side.SELL:
        price = max(price, market * Decimal("1.03"))
    cost, power = order.quantity * price, buying_power(account, replaces)
    if cost > power:
        raise forbidden(
            "insufficient buying power", buying_power=text(power), cost_basis=text(cost)
        )


def buying_power(account: Account, without: str | None = None) -> Decimal:
    """What positions and orders that open leave of equity times leverage."""
    values = [abs(p.quantity) * account.quotes[p.symbol].last for p in account.held()]
    opening = [
        order
        for order in account.open_orders()
        if order.id != without and account.position(order.symbol).quantity * order.side.sign >= 0
    ]
    for order in opening:
        quote = account.quotes.get(order.symbol)
        market = quote.ask if quote else Decimal(0)
        values.append(order.leaves * (order.price or order.trigger_price or market))
    return max(account.equity() * account.leverage - sum(values, Decimal(0)), Decimal(0))
