"""What one execution is: its key, what it does to a holding, and what its fee costs.

A venue takes its fee in the currency of the price, in the coin that is traded, or in a third one.
Only here are these distinguished; everywhere else an execution counts as `as_held` says.
Invariant, exactly: cash changes by what was paid, less fees in the currency of the price,
and the holding by what was traded, less fees in its own coin (I6).
"""

import msgspec

from pointsman.domain.events import VenueFill
from pointsman.domain.market import Instrument, base_coin
from pointsman.domain.money import ZERO, plain
from pointsman.domain.orders import Order
from pointsman.domain.sides import Side

replace = msgspec.structs.replace


def fill_key(order_id: str, side: Side, fill: VenueFill) -> str:
    """What makes an execution one: order, trade id, side. Venues that leave the trade id empty get
    a key made of the facts, so that a replay of the same execution still meets its first booking
    (I5)."""
    if fill.trade_id:
        return f"{order_id}:{fill.trade_id}:{side.value}"
    numbers = (fill.quantity, fill.price, fill.cumulative or ZERO)
    facts = ":".join([str(fill.ts_ns), *(plain(number.normalize()) for number in numbers)])
    return f"{order_id}:~{facts}:{side.value}"


def as_held(fill: VenueFill, side: Side, instrument: Instrument) -> VenueFill:
    """The execution as it changes a holding, its fee in the currency of the price.

    A fee in the coin that is traded is the same as having traded so much of it back at the fill's
    price to pay it: less is bought, or more is sold. A fee in a third coin has no price here and is
    paid from what is no VA's: it costs nothing in these books, and stays on the stored fill.
    """
    if fill.fee_currency in (None, instrument.currency):
        return fill
    if fill.fee_currency != base_coin(instrument.symbol):
        return replace(fill, fee=ZERO, fee_currency=None)
    return replace(
        fill,
        quantity=fill.quantity - side.sign * fill.fee,
        fee=fill.fee * fill.price,
        fee_currency=None,
    )


def with_fill(order: Order, fill: VenueFill, instrument: Instrument) -> Order:
    """An order with the totals of one execution more: what was traded, and what its fee costs."""
    return replace(
        order,
        filled=order.filled + fill.quantity,
        filled_value=order.filled_value + fill.quantity * fill.price,
        fees=order.fees + as_held(fill, order.side, instrument).fee,
    )
