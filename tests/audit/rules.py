"""RULES 7-11 and 18 as formulas: one entry measured against every limit, in the order of RULES 11.

Readings taken where the text leaves two (each is counted by the replay where it could have
mattered):

* a rule that needs a touch is not measured while the newest quote is missing or invalid, so that
  such an entry is refused NO_QUOTE or INVALID_QUOTE (or OUTSIDE_WINDOW) and never for a size that
  nobody could price;
* deviation is relative to the mid, slippage to the signal's price, both in bps;
* a stop exactly at the touch stands on the wrong side.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from tests.audit.inputs import TICK, Quote, Settings, Signal

BPS = 10_000
MILLISECOND_NS = 1_000_000


@dataclass(frozen=True)
class Standing:
    """What the governor needs to know of a VA when an entry is judged. `exposure` is the notional
    held and working at entry limit prices, `slots` the positions open plus the entries working."""

    exposure: Decimal
    slots: int
    equity: Decimal
    is_cooling: bool


@dataclass(frozen=True)
class Check:
    """One rule as measured; `value` and `limit` are None where the rule has no number."""

    reason: str
    is_breached: bool
    value: Decimal | None = None
    limit: Decimal | None = None


@dataclass(frozen=True)
class Decision:
    """The answer to one signal; `outcome` is accepted or refused, `action` entry or exit."""

    signal: Signal
    outcome: str
    reason: str | None = None
    value: Decimal | None = None
    limit: Decimal | None = None
    action: str | None = None
    quantity: Decimal | None = None
    limit_price: Decimal | None = None


def to_tick(price: Decimal, rounding: str) -> Decimal:
    """The multiple of the tick next to `price`, in the direction of `rounding`."""
    return (price / TICK).to_integral_value(rounding=rounding) * TICK


def entry_limit(signal: Signal, quote: Quote, settings: Settings) -> Decimal:
    """RULES 8: the tighter of reference and touch, each moved against us, rounded to the passive
    side."""
    reference = quote.touch(signal.side) if signal.price is None else signal.price
    share = settings.number("MAX_SLIPPAGE_BPS", signal.va_id) / BPS
    if signal.side == "buy":
        return to_tick(min(reference, quote.ask) * (1 + share), ROUND_FLOOR)
    return to_tick(max(reference, quote.bid) * (1 - share), ROUND_CEILING)


def stop_trigger(
    position_side: str, price: Decimal, is_level: bool, percentage: Decimal
) -> Decimal:
    """Where a stop rests: `price` itself if it is an explicit level, else `percentage` away from
    the entry price; rounded to the tick on the side of less risk (RULES 22): nearer to the
    entry."""
    if position_side == "long":
        level = price if is_level else price * (1 - percentage / 100)
        return to_tick(level, ROUND_CEILING)
    level = price if is_level else price * (1 + percentage / 100)
    return to_tick(level, ROUND_FLOOR)


def is_through(position_side: str, quote: Quote, trigger: Decimal) -> bool:
    """Whether a stop at `trigger` triggers on this quote: by the touch it would trade against
    (docs/contract.md)."""
    return quote.bid <= trigger if position_side == "long" else quote.ask >= trigger


def judge_entry(
    signal: Signal, now_ns: int, standing: Standing, quote: Quote | None, settings: Settings
) -> tuple[Decision, tuple[Check, ...]]:
    """The decision on an entry that the router lets through, and every check behind it."""
    checks = (
        *_governor(signal, standing, quote, settings),
        *_filters(signal, now_ns, quote, settings),
    )
    for check in checks:
        if check.is_breached:
            return Decision(signal, "refused", check.reason, check.value, check.limit), checks
    if quote is None or signal.quantity is None:
        raise AssertionError("an entry passed without a quote or a quantity")
    limit_price = entry_limit(signal, quote, settings)
    accepted = Decision(
        signal, "accepted", action="entry", quantity=signal.quantity, limit_price=limit_price
    )
    return accepted, checks


def _above(reason: str, value: Decimal, limit: Decimal) -> Check:
    """A value equal to its limit passes (RULES 11)."""
    return Check(reason, value > limit, value, limit)


def _governor(
    signal: Signal, standing: Standing, quote: Quote | None, settings: Settings
) -> Iterator[Check]:
    va_id = signal.va_id
    yield Check("COOLDOWN", standing.is_cooling)
    slots = settings.number("MAX_OPEN_POSITIONS_PER_VA", va_id)
    yield _above("MAX_OPEN_POSITIONS", Decimal(standing.slots + 1), slots)
    if quote is None or not quote.is_valid or signal.quantity is None:
        return
    notional = standing.exposure + signal.quantity * entry_limit(signal, quote, settings)
    yield _above("MAX_POSITION_SIZE", notional, settings.number("MAX_POSITION_SIZE", va_id))
    leverage = settings.number("MAX_LEVERAGE", va_id)
    yield _above("INSUFFICIENT_EQUITY", notional, standing.equity * leverage)


def _filters(
    signal: Signal, now_ns: int, quote: Quote | None, settings: Settings
) -> Iterator[Check]:
    va_id = signal.va_id
    yield Check("OUTSIDE_WINDOW", not settings.window_is_open(now_ns))
    yield Check("NO_QUOTE", quote is None)
    if quote is None:
        return
    yield Check("INVALID_QUOTE", not quote.is_valid)
    age_ms = Decimal(now_ns - quote.ts_ns) / MILLISECOND_NS
    yield _above("LATENCY", age_ms, settings.number("MAX_LATENCY_MS", va_id))
    if not quote.is_valid:
        return
    mid = (quote.bid + quote.ask) / 2
    spread = (quote.ask - quote.bid) / mid * BPS
    yield _above("SPREAD", spread, settings.number("MAX_SPREAD_BPS", va_id))
    touch = quote.touch(signal.side)
    reference = touch if signal.price is None else signal.price
    if signal.price is not None:
        deviation = abs(signal.price - mid) / mid * BPS
        limit = settings.number("MAX_PRICE_DEVIATION_BPS", va_id)
        yield _above("PRICE_DEVIATION", deviation, limit)
    worse = touch - reference if signal.side == "buy" else reference - touch
    slippage = max(Decimal(0), worse / reference * BPS)
    yield _above("SLIPPAGE", slippage, settings.number("MAX_SLIPPAGE_BPS", va_id))
    if signal.stop_loss is not None:
        yield _stop_check(signal, signal.stop_loss, touch, reference, settings)
    quantity = signal.quantity or Decimal(0)
    lot = settings.lot
    yield Check("BELOW_MINIMUM", quantity < lot or quantity % lot != 0, quantity, lot)


def _stop_check(
    signal: Signal, stop: Decimal, touch: Decimal, reference: Decimal, settings: Settings
) -> Check:
    """RULES 9. On the wrong side there is no number to compare, only the two prices."""
    if stop >= touch if signal.side == "buy" else stop <= touch:
        return Check("STOP_INVALID", True)
    distance = abs(reference - stop) / reference * 100
    limit = settings.max_stop_percentage(signal.va_id)
    return Check("STOP_INVALID", distance > limit)
