"""Prices and sizes: the entry's limit, the stop's trigger, the quantity of a signal.

Every rounding is towards less risk: a limit to the passive side, a stop nearer to the entry, a size
down.
"""

from decimal import Decimal

from pointsman.domain.money import BPS, ONE, ZERO, ceil_to, floor_to
from pointsman.domain.policy import SizeDecay
from pointsman.domain.sides import PositionSide, Side
from pointsman.domain.signals import Signal

HUNDRED = Decimal(100)


def entry_limit(
    side: Side, reference: Decimal, touch: Decimal, max_slippage_bps: Decimal, tick: Decimal
) -> Decimal:
    """RULES 8: the tighter of reference and touch, each moved by the slippage against us, rounded
    to the tick on the passive side."""
    bound = entry_bound(side, reference, touch, max_slippage_bps)
    return floor_to(bound, tick) if side is Side.BUY else ceil_to(bound, tick)


def entry_bound(
    side: Side, reference: Decimal, touch: Decimal, max_slippage_bps: Decimal
) -> Decimal:
    """The limit of an entry before it is rounded to the tick."""
    allowance = max_slippage_bps / BPS
    if side is Side.BUY:
        return min(reference, touch) * (ONE + allowance)
    return max(reference, touch) * (ONE - allowance)


def reaches(side: Side, limit: Decimal, touch: Decimal) -> bool:
    """Whether an order of `side` with this limit trades against the touch."""
    return limit >= touch if side is Side.BUY else limit <= touch


def stop_at_percentage(
    side: PositionSide, price: Decimal, percentage: Decimal, tick: Decimal
) -> Decimal:
    """A stop `percentage` of 100 away from `price`, rounded to the tick on the side of less
    risk."""
    return round_stop(side, price * (ONE - side.sign * percentage / HUNDRED), tick)


def round_stop(side: PositionSide, level: Decimal, tick: Decimal) -> Decimal:
    """A stop level rounded to the tick, towards the entry: up for a long holding, down for a short
    one."""
    return ceil_to(level, tick) if side is PositionSide.LONG else floor_to(level, tick)


def target_at_percentage(
    side: PositionSide, price: Decimal, percentage: Decimal, tick: Decimal
) -> Decimal:
    """A take-profit level `percentage` of 100 away from `price`, rounded to the tick towards the
    entry."""
    level = price * (ONE + side.sign * percentage / HUNDRED)
    return floor_to(level, tick) if side is PositionSide.LONG else ceil_to(level, tick)


def decay_factor(steps: tuple[SizeDecay, ...], loss_streak: int) -> Decimal:
    """What an entry's size is multiplied by after that many consecutive losses (RULES 18)."""
    factor = ONE
    for step in steps:
        if loss_streak >= step.losses:
            factor = step.factor
    return factor


def wanted_quantity(
    signal: Signal,
    limit_price: Decimal,
    stop_distance: Decimal,
    equity: Decimal | None,
    factor: Decimal,
) -> Decimal | None:
    """The quantity that an entry signal asks for, decayed and not yet rounded to the lot; None
    where it cannot be computed. By `risk_percentage` the loss from limit price to stop is that part
    of equity."""
    if signal.quantity is not None:
        wanted = signal.quantity
    elif signal.notional is not None:
        wanted = signal.notional / limit_price
    elif signal.risk_percentage is not None and equity is not None and stop_distance > ZERO:
        wanted = max(ZERO, equity) * signal.risk_percentage / HUNDRED / stop_distance
    else:
        return None
    return wanted * factor
