"""How much an exit closes, and of which positions.

An exit may name a quantity, or a value in money, or nothing, which is everything. It is never more
than what its VA holds and is not closing already. Positions are closed in the order of their first
fills, each by an exit order of its own (RULES 15).
"""

from decimal import Decimal

import msgspec

from pointsman.domain.events import SignalReceived
from pointsman.domain.market import Instrument
from pointsman.domain.money import ZERO, floor_to, plain
from pointsman.domain.policy import Policy
from pointsman.domain.positions import Position, closing_of
from pointsman.domain.reasons import Reason
from pointsman.domain.signals import Check, Signal
from pointsman.execution.books import Books
from pointsman.execution.filters import minimum
from pointsman.execution.learning import lot_note
from pointsman.execution.signal_router import Route

replace = msgspec.structs.replace


class ExitSize(msgspec.Struct, frozen=True, gc=False):
    """How much an exit `asked` for, and what is `wanted` of it in whole lots; it may be more than
    there is to close. `minimum` says whether the venue would trade that."""

    asked: Decimal
    wanted: Decimal
    minimum: Check


def size_exit(books: Books, event: SignalReceived, way: Route) -> ExitSize:
    """Work out the size of an exit of something that can be closed."""
    price = _exit_price(books, event, way)
    instrument = books.instrument(event.signal.symbol)
    asked = _asked(event.signal, way, price)
    # The whole may be closed though it is in broken lots.
    wanted = asked if asked == way.closable else floor_to(asked, instrument.lot)
    least = _minimum(books.policy, instrument, way, asked, wanted, price)
    return ExitSize(asked=asked, wanted=wanted, minimum=least)


def _asked(signal: Signal, way: Route, price: Decimal) -> Decimal:
    """How much an exit asks for: its quantity, or its notional at `price`, or everything. A risk
    percentage has no meaning for an exit and closes everything. So does a reversal, for its
    strategy holds the other side afterwards."""
    if way.is_reversal:
        return way.closable
    if signal.quantity is not None:
        return signal.quantity
    return way.closable if signal.notional is None else signal.notional / price


def _exit_price(books: Books, event: SignalReceived, way: Route) -> Decimal:
    """What an exit is valued at: the touch that it would trade against, or the price that its
    position was entered at while no quote has been seen."""
    held = _positions(books, event.signal, way)[0]
    return held.limit_price if event.mark is None else event.mark.closing_touch(held.side)


def _minimum(
    policy: Policy,
    instrument: Instrument,
    way: Route,
    asked: Decimal,
    wanted: Decimal,
    price: Decimal,
) -> Check:
    """A part must be something that the venue will trade; the whole may always be closed. `asked`
    is what `wanted` was rounded from."""
    check = minimum(instrument, wanted, price)
    if check.passed:
        return check
    if wanted >= way.closable:
        return Check(Reason.BELOW_MINIMUM, True, plain(wanted), "0", note="all that is held")
    note = lot_note(instrument, asked, policy.other_spelling(instrument.symbol))
    return replace(check, note=note)


def _positions(books: Books, signal: Signal, way: Route) -> list[Position]:
    """The positions that an exit may close, in the order of their first fills (RULES 15)."""
    return [
        position
        for position in books.open_positions(signal.va_id)
        if position.symbol == signal.symbol
        and (way.side is None or position.side.closes_with is way.side)
        and closing_of(position) < position.quantity
    ]


def allocate(books: Books, signal: Signal, way: Route, quantity: Decimal) -> tuple[int, ...]:
    """Share an exit out over positions, first in first out: each gets an exit order of its own, for
    whole lots. An exit of everything takes what an entry still fills later along."""
    is_all = way.is_reversal or (signal.quantity is None and signal.notional is None)
    lot = books.instrument(signal.symbol).lot
    left, chosen = quantity, []
    for position in _positions(books, signal, way):
        free = position.quantity - closing_of(position)
        part = min(left, free if is_all else floor_to(free, lot))
        if part <= ZERO:
            continue
        books.put_position(
            replace(
                position,
                closing=position.closing + part,
                closing_all=is_all,
                closing_reason=Reason.SIGNAL_EXIT,
                closing_signal_id=signal.signal_id,
            )
        )
        chosen.append(position.position_id)
        left -= part
    return tuple(chosen)
