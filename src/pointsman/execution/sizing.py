"""A candidate entry: the signal together with every number that the rules compare.

Built once for each signal, on one quote, so that the governor and the filters agree on every
number. What cannot be computed is None, and no rule may read None as harmless.
"""

from decimal import Decimal

import msgspec

from pointsman.domain.accounts import Account
from pointsman.domain.events import SignalReceived
from pointsman.domain.market import Instrument, Quote
from pointsman.domain.money import ZERO, floor_to
from pointsman.domain.policy import Limits
from pointsman.domain.sides import PositionSide, Side, opened_by
from pointsman.domain.signals import Signal
from pointsman.execution.books import Books
from pointsman.execution.pricing import (
    decay_factor,
    entry_limit,
    round_stop,
    stop_at_percentage,
    target_at_percentage,
    wanted_quantity,
)


class Candidate(msgspec.Struct, frozen=True, gc=False):
    """One entry as it would be made. `quote` is valid or None; `stop_price` is where the stop would
    stand if the entry filled at its limit; `wanted` is the quantity before it is rounded down to
    the lot; `named` is how the instruments file spells the symbol, where that differs."""

    signal: Signal
    account: Account
    limits: Limits
    instrument: Instrument
    side: Side
    now_ns: int
    quote: Quote | None
    equity: Decimal | None
    touch: Decimal | None
    reference: Decimal | None
    limit_price: Decimal | None
    stop_price: Decimal | None
    take_profit: Decimal | None
    wanted: Decimal | None
    quantity: Decimal | None
    named: str | None

    @property
    def position_side(self) -> PositionSide:
        return opened_by(self.side)

    @property
    def stop_percentage(self) -> Decimal | None:
        """How far away the stop is asked for, of 100; None where the signal names its price."""
        return _stop_percentage(self.signal, self.limits)

    @property
    def notional(self) -> Decimal | None:
        """Quantity times limit price (RULES 18)."""
        if self.quantity is None or self.limit_price is None:
            return None
        return self.quantity * self.limit_price


def build_candidate(books: Books, event: SignalReceived, side: Side, now_ns: int) -> Candidate:
    """Work out the prices, the size and the stop of an entry."""
    signal, policy = event.signal, books.policy
    account = books.accounts[signal.va_id]
    limits = policy.limits_of(signal.va_id)
    instrument = books.instrument(signal.symbol)
    equity = books.equity(signal.va_id, event.mark)
    quote = event.quote if event.quote is not None and event.quote.is_valid else None
    touch = reference = limit_price = stop_price = take_profit = wanted = quantity = None
    if quote is not None:
        touch = quote.touch(side)
        reference = signal.price if signal.price is not None else touch
        limit_price = entry_limit(side, reference, touch, limits.max_slippage_bps, instrument.tick)
        stop_price = _stop(signal, side, limit_price, limits, instrument)
        take_profit = _target(signal, side, limit_price, instrument)
        factor = decay_factor(limits.loss_size_decay, account.streak_at(now_ns))
        if limit_price > ZERO:
            distance = abs(limit_price - stop_price)
            wanted = wanted_quantity(signal, limit_price, distance, equity, factor)
            quantity = None if wanted is None else floor_to(wanted, instrument.lot)
    is_too_small = quantity is not None and quantity < instrument.min_qty
    named = policy.other_spelling(signal.symbol) if is_too_small else None
    return Candidate(
        signal, account, limits, instrument, side, now_ns, quote, equity, touch, reference,
        limit_price, stop_price, take_profit, wanted, quantity,
        named,
    )  # fmt: skip


def _stop(
    signal: Signal, side: Side, price: Decimal, limits: Limits, instrument: Instrument
) -> Decimal:
    position_side, percentage = opened_by(side), _stop_percentage(signal, limits)
    if percentage is not None:
        return stop_at_percentage(position_side, price, percentage, instrument.tick)
    assert signal.stop_loss is not None
    return round_stop(position_side, signal.stop_loss, instrument.tick)


def _stop_percentage(signal: Signal, limits: Limits) -> Decimal | None:
    if signal.stop_loss is not None:
        return None
    return signal.stop_loss_percentage or limits.stop_loss_percentage


def _target(signal: Signal, side: Side, price: Decimal, instrument: Instrument) -> Decimal | None:
    if signal.take_profit is not None:
        return signal.take_profit
    if signal.take_profit_percentage is None:
        return None
    return target_at_percentage(
        opened_by(side), price, signal.take_profit_percentage, instrument.tick
    )
