"""What the paper venue demands of an order before it takes it, and when it trades at once.

As strict as a real one: prices on the tick, quantities in whole lots and not below the minima, no
stop that the market has passed. Pure functions of an order and the book that it is for.
"""

from decimal import Decimal

from pointsman.domain.life_cycle import OrderStatus
from pointsman.domain.market import Quote
from pointsman.domain.money import ZERO, is_multiple
from pointsman.domain.orders import AT_MARKET, Order, OrderType
from pointsman.domain.sides import Side
from pointsman.domain.venue_reports import VenueOrder
from pointsman.venues.paper.book import Book


def own_price(order: VenueOrder) -> Decimal | None:
    """The price that the order itself names; a market order names none."""
    if order.order_type is OrderType.MARKET:
        return None
    return order.trigger_price if order.order_type is OrderType.STOP else order.limit_price


def is_step(amount: Decimal, step: Decimal) -> bool:
    """Whether an amount is above zero and a whole number of steps."""
    return amount.is_finite() and amount > ZERO and is_multiple(amount, step)


def is_tradeable(order: VenueOrder, book: Book) -> bool:
    """Whether the quantity is in whole lots, not below the minimum, by the order's own price or the
    touch, and not more than may trade at market."""
    if not is_step(order.quantity, book.instrument.lot):
        return False
    largest = book.instrument.max_market_quantity
    if largest is not None and order.quantity > largest and order.order_type in AT_MARKET:
        return False
    price = own_price(order)
    if price is None and book.quote is not None:
        price = book.quote.touch(order.side)
    if price is None:
        return order.quantity >= book.instrument.min_qty
    return book.instrument.is_tradeable(order.quantity, price)


def would_trigger(order: VenueOrder, quote: Quote | None) -> bool:
    """Whether the touch is already at or through the trigger of a stop that arrives."""
    if quote is None or order.trigger_price is None:
        return False
    touch = quote.touch(order.side)
    return touch <= order.trigger_price if order.side is Side.SELL else touch >= order.trigger_price


def limit_allows(order: VenueOrder, book: Book) -> bool:
    """Whether the touch is within the limit of an order, if it has one."""
    limit = own_price(order)
    if limit is None or book.quote is None:
        return True
    touch = book.quote.touch(order.side)
    return touch <= limit if order.side is Side.BUY else touch >= limit


def as_taken(wanted: Order, venue_order_id: str, now_ns: int, *, is_hedged: bool) -> VenueOrder:
    """The order as the venue takes it: a stop always only reduces, and on an account that keeps
    long and short apart so does whatever goes against its position side."""
    is_closing = is_hedged and wanted.side is wanted.position_side.closes_with
    return VenueOrder(
        client_order_id=wanted.client_order_id,
        venue_order_id=venue_order_id,
        symbol=wanted.symbol,
        side=wanted.side,
        position_side=wanted.position_side if is_hedged else None,
        order_type=wanted.order_type,
        quantity=wanted.quantity,
        filled=ZERO,
        status=OrderStatus.ACCEPTED,
        reduce_only=wanted.reduce_only or wanted.order_type is OrderType.STOP or is_closing,
        ts_ns=now_ns,
        limit_price=wanted.limit_price,
        trigger_price=wanted.trigger_price,
    )
