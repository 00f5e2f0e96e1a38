"""The rules by which the exchange behind the loopback venue servers checks, triggers and matches an
order, each a function of records.
"""

from decimal import Decimal

import msgspec

from tests.venue_servers.records import (
    ZERO,
    Instrument,
    Order,
    Position,
    Quote,
    Reason,
    Refused,
    Side,
    TimeInForce,
    TriggerBy,
)

AT_ONCE = {TimeInForce.IOC, TimeInForce.FOK}


def check_sizes(order: Order, rules: Instrument, price_about: Decimal) -> None:
    """Raises Refused where a price or the quantity is none that the instrument allows."""
    for price in (order.price, order.trigger_price):
        if price is not None and (price <= 0 or price % rules.tick):
            raise Refused(Reason.BAD_TICK, f"{price} is no multiple of {rules.tick}")
    if order.quantity % rules.lot:
        raise Refused(Reason.BAD_LOT, f"{order.quantity} is no multiple of {rules.lot}")
    if order.quantity < rules.min_quantity:
        raise Refused(Reason.BELOW_MINIMUM, f"{order.quantity} < {rules.min_quantity}")
    largest = rules.max_market_quantity if order.price is None else rules.max_quantity
    if order.quantity > largest:
        raise Refused(Reason.ABOVE_MAXIMUM, f"{order.quantity} > {largest}")
    notional = order.quantity * price_about
    if notional < rules.min_notional and not order.only_closes:
        raise Refused(Reason.BELOW_NOTIONAL, f"{notional} < {rules.min_notional}")


def sets_off(order: Order, quote: Quote | None) -> bool:
    """Whether the market has reached the order's trigger price."""
    if quote is None or order.trigger_price is None:
        return False
    price = quote.last
    if order.trigger_by is TriggerBy.TOUCH:
        price = quote.ask if order.side is Side.BUY else quote.bid
    if not price:
        return False
    return price >= order.trigger_price if order.trigger_rises else price <= order.trigger_price


def offered(order: Order, quote: Quote | None, closable: Decimal) -> tuple[Decimal, Decimal]:
    """The price on the other side, and how much of the order can trade there now."""
    if quote is None:
        return ZERO, ZERO
    is_buy = order.side is Side.BUY
    price, size = (quote.ask, quote.ask_size) if is_buy else (quote.bid, quote.bid_size)
    is_beyond = order.price is not None and order.side.sign * (price - order.price) > 0
    if not price or is_beyond:
        return ZERO, ZERO
    limits = [order.leaves]
    limits += [] if size is None else [size]
    limits += [closable] if order.only_closes else []
    return price, min(limits)


COST_STEP = Decimal("1e-20")


def moved(
    before: Position, signed: Decimal, price: Decimal, now_ns: int
) -> tuple[Position, Decimal]:
    """The position after a trade of this signed quantity, and the result of what it closed."""
    held = abs(before.quantity)
    closes = before.quantity * signed < 0
    closed = min(abs(signed), held) if closes else ZERO
    direction = 1 if signed > 0 else -1
    released = before.cost
    if closed != held:
        # Rounded, so that the parts of a cost add up to it to the last digit.
        released = (before.cost * closed / held).quantize(COST_STEP)
    realized = -direction * closed * price - released
    opened = direction * (abs(signed) - closed)
    after = msgspec.structs.replace(
        before,
        quantity=before.quantity + signed,
        cost=before.cost - released + opened * price,
        realized=before.realized + realized,
        created_ns=before.created_ns if before.quantity else now_ns,
        updated_ns=now_ns,
    )
    return after, realized
