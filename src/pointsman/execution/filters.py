"""The filters: trading window, quote, latency, spread, slippage and price of an entry.

All on one quote, which is journaled with the decision. Unknown, NaN, zero, negative, crossed or
one-sided counts as a breach (RULES 4). Comparisons are exact; the values stored in basis points are
rounded half-even to 4 places, so a value may be shown equal to its limit and still have failed
(RULES 11).
"""

from collections.abc import Iterator
from decimal import Decimal

import msgspec

from pointsman.domain.events import SignalReceived
from pointsman.domain.market import Instrument, Quote
from pointsman.domain.money import BPS, ONE, ZERO, plain, stored_bps
from pointsman.domain.policy import Limits
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import PositionSide, Side
from pointsman.domain.signals import Check, Window
from pointsman.domain.timestamps import MS_NS
from pointsman.execution.learning import lot_note
from pointsman.execution.pricing import HUNDRED, entry_bound, reaches
from pointsman.execution.sizing import Candidate
from pointsman.execution.unknown_names import symbol_note

MILLISECOND = Decimal(MS_NS)
NOTIONAL = "notional"
"""The unit of a check that compares quantity times price."""

replace = msgspec.structs.replace


def filter_entry(event: SignalReceived, entry: Candidate) -> Iterator[Check]:
    """All filters of an entry, in the order of RULES 11."""
    yield _window(event.window, entry.now_ns)
    newest = event.quote
    yield _seen(event)
    if newest is None:
        return
    yield _validity(newest)
    yield _latency(
        newest, entry.limits, entry.now_ns, event.clock_offset_ns, event.is_clock_doubtful
    )
    if entry.quote is not None:
        yield _spread(entry.quote, entry.limits)
        yield from _price(entry, entry.quote)
        yield from _tick(entry, entry.quote)
        yield from _protection(entry)
        yield _minimum(entry)


def breaches(quote: Quote | None, limits: Limits, now_ns: int, clock_offset_ns: int) -> bool:
    """Whether a working entry must be withdrawn: spread or latency beyond its limit, or no valid
    quote."""
    if quote is None or not quote.is_valid:
        return True
    return not (
        _spread(quote, limits).passed and _latency(quote, limits, now_ns, clock_offset_ns).passed
    )


def _seen(event: SignalReceived) -> Check:
    """A quote of another exchange than the signal's is none of its symbol: NSE:INFY and NYSE:INFY
    are two shares."""
    newest, exchange = event.quote, event.signal.exchange
    if newest is None:
        note = symbol_note(event.signal, newest, event.quoted_as)
        return Check(Reason.NO_QUOTE, False, "none", "seen", note=note)
    if exchange is not None and newest.exchange not in (None, exchange):
        note = f"the quotes of {newest.symbol} are those of {newest.exchange}"
        return Check(Reason.NO_QUOTE, False, newest.exchange, exchange, note=note)
    return Check(Reason.NO_QUOTE, True, "seen", "seen")


def _window(window: Window | None, now_ns: int) -> Check:
    is_open = window is not None and window.opens_ns <= now_ns < window.closes_ns
    limit = "never open" if window is None else f"{window.opens_ns}..{window.closes_ns}"
    return Check(Reason.OUTSIDE_WINDOW, is_open, str(now_ns), limit, unit="ns UTC")


def _validity(quote: Quote) -> Check:
    prices = f"{quote.bid} x {quote.bid_size} / {quote.ask} x {quote.ask_size}"
    return Check(Reason.INVALID_QUOTE, quote.is_valid, prices, "0 < bid <= ask, sizes >= 0")


def _latency(
    quote: Quote, limits: Limits, now_ns: int, clock_offset_ns: int, is_doubtful: bool = False
) -> Check:
    raw_ns = now_ns - quote.fresh_ns
    age_ns = raw_ns - clock_offset_ns
    return Check(
        Reason.LATENCY,
        age_ns <= limits.max_latency_ns and not is_doubtful,
        plain(age_ns / MILLISECOND),
        plain(limits.max_latency_ns / MILLISECOND),
        unit="ms",
        note=_latency_note(raw_ns, clock_offset_ns, is_doubtful),
    )


def _latency_note(raw_ns: int, clock_offset_ns: int, is_doubtful: bool) -> str:
    raw = "" if clock_offset_ns == 0 else f"raw {plain(raw_ns / MILLISECOND)} ms"
    return f"{raw}; the clock offset is in doubt" if is_doubtful else raw


def _bps(rule: Reason, value: Decimal, limit: Decimal, note: str = "") -> Check:
    return Check(
        rule, value <= limit, plain(stored_bps(value)), plain(limit), unit="bps", note=note
    )


def _spread(quote: Quote, limits: Limits) -> Check:
    passed = (quote.ask - quote.bid) * 2 * BPS <= limits.max_spread_bps * (quote.bid + quote.ask)
    shown, limit = plain(stored_bps(quote.spread_bps)), plain(limits.max_spread_bps)
    return Check(Reason.SPREAD, passed, shown, limit, unit="bps")


def _price(entry: Candidate, quote: Quote) -> Iterator[Check]:
    """RULES 7: the signal's price against the mid, and the touch against the signal's price."""
    price, touch, limits = entry.signal.price, quote.touch(entry.side), entry.limits
    if price is None:
        yield _bps(Reason.PRICE_DEVIATION, ZERO, limits.max_price_deviation_bps, "no price")
        yield _bps(Reason.SLIPPAGE, ZERO, limits.max_slippage_bps, "no price")
        return
    mid = quote.mid
    deviation = abs(price - mid) * BPS / mid
    passed = abs(price - mid) * BPS <= limits.max_price_deviation_bps * mid
    limit = plain(limits.max_price_deviation_bps)
    yield Check(Reason.PRICE_DEVIATION, passed, plain(stored_bps(deviation)), limit, unit="bps")
    worse = (touch - price) if entry.side is Side.BUY else (price - touch)
    worse = max(ZERO, worse)
    passed = worse * BPS <= limits.max_slippage_bps * price
    shown, limit = plain(stored_bps(worse * BPS / price)), plain(limits.max_slippage_bps)
    yield Check(Reason.SLIPPAGE, passed, shown, limit, unit="bps")


def _tick(entry: Candidate, quote: Quote) -> Iterator[Check]:
    """Where the tick is too coarse for the quote, so that rounding moves the limit price short of
    it: such an entry could never fill. Told only where it fails."""
    touch, limit = quote.touch(entry.side), entry.limit_price
    assert entry.reference is not None
    assert limit is not None, "judged on a valid quote only"
    bound = entry_bound(entry.side, entry.reference, touch, entry.limits.max_slippage_bps)
    if reaches(entry.side, bound, touch) and not reaches(entry.side, limit, touch):
        tick, symbol = plain(entry.instrument.tick), entry.instrument.symbol
        note = f"rounded to the tick {tick}; INSTRUMENTS_FILE sets the tick of {symbol}"
        yield Check(
            Reason.TICK_TOO_COARSE, False, plain(limit), plain(touch), unit="price", note=note
        )


def _protection(entry: Candidate) -> Iterator[Check]:
    """RULES 9: stop and target on their side of the touch, the stop not too far from the
    reference. Both are compared as they were given, so that rounding to the tick cannot fail them;
    a percentage is what it is from the reference, and stands off the touch by as much."""
    touch, reference, percentage = entry.touch, entry.reference, entry.stop_percentage
    assert touch is not None, "judged on a valid quote only"
    assert reference is not None
    is_long = entry.position_side is PositionSide.LONG
    allowed = entry.limits.max_stop_loss_percentage
    if percentage is not None:
        stop = touch * (ONE - entry.position_side.sign * percentage / HUNDRED)
        far, is_near = percentage, percentage <= allowed
    else:
        assert entry.signal.stop_loss is not None
        stop = entry.signal.stop_loss
        far = abs(reference - stop) * HUNDRED / reference
        is_near = abs(reference - stop) * HUNDRED <= allowed * reference
    is_on_its_side = ZERO < stop < touch if is_long else stop > touch
    if is_on_its_side and not is_near:
        shown, note = plain(stored_bps(far)), f"from the reference, with a stop at {plain(stop)}"
        yield Check(Reason.STOP_INVALID, False, shown, plain(allowed), unit="%", note=note)
    else:
        note = f"{plain(stored_bps(far))} % from the reference, at most {plain(allowed)} %"
        shown = plain(stop)
        yield Check(
            Reason.STOP_INVALID, is_on_its_side, shown, plain(touch), unit="price", note=note
        )
    target = entry.take_profit
    if target is not None:
        is_beyond = target > touch if is_long else ZERO < target < touch
        yield Check(Reason.STOP_INVALID, is_beyond, plain(target), plain(touch), unit="take-profit")


def _minimum(entry: Candidate) -> Check:
    quantity = entry.quantity
    if quantity is None or entry.limit_price is None or entry.stop_price is None:
        needed = plain(entry.instrument.min_qty)
        return Check(Reason.BELOW_MINIMUM, False, None, needed, note="no size can be computed")
    # What no stop could cover is not bought: a long's stop is worth less than its entry.
    lowest = min(entry.limit_price, entry.stop_price)
    check = minimum(entry.instrument, quantity, lowest)
    if check.passed:
        return check
    notes = [f"at {plain(lowest)}, the lower of limit and stop"]
    if entry.wanted is not None:
        notes.append(lot_note(entry.instrument, entry.wanted, entry.named))
    return replace(check, note="; ".join(filter(None, notes)))


def minimum(instrument: Instrument, quantity: Decimal, price: Decimal) -> Check:
    """Whether the venue would trade a quantity, in whole lots, at a price: held against the least
    quantity, or where only that is broken against the least notional (RULES 64)."""
    least, notional = max(instrument.min_qty, instrument.lot), quantity * price
    if quantity >= least and notional < instrument.min_notional:
        shown, limit = plain(notional), plain(instrument.min_notional)
        return Check(Reason.BELOW_MINIMUM, False, shown, limit, unit=NOTIONAL)
    return Check(Reason.BELOW_MINIMUM, quantity >= least, plain(quantity), plain(least))
