"""What rounding changed of the numbers that a signal names, as its decision says it (RULES 59).

A number that a signal does not name, such as a quantity that follows from an amount of money, is
not rounded in this sense.
"""

from collections.abc import Iterator
from decimal import Decimal

from pointsman.domain.signals import Rounding, Signal
from pointsman.execution.books import Books
from pointsman.execution.exit_sizing import ExitSize
from pointsman.execution.sizing import Candidate


def rounded_entry(entry: Candidate) -> tuple[Rounding, ...]:
    """The quantity, to the lot, and the price of the stop, to the tick."""
    signal, instrument = entry.signal, entry.instrument
    stop = signal.stop_loss
    return (
        *_rounding("quantity", signal.quantity, entry.wanted, entry.quantity, instrument.lot),
        *_rounding("stop_loss", stop, stop, entry.stop_price, instrument.tick),
    )


def rounded_exit(books: Books, signal: Signal, size: ExitSize) -> tuple[Rounding, ...]:
    """The quantity, to the lot."""
    lot = books.instrument(signal.symbol).lot
    return tuple(_rounding("quantity", signal.quantity, size.asked, size.wanted, lot))


def _rounding(
    field: str, said: Decimal | None, asked: Decimal | None, used: Decimal | None, step: Decimal
) -> Iterator[Rounding]:
    """A rounding, where a field was said and is not used as it was asked for."""
    if said is not None and asked is not None and used is not None and asked != used:
        yield Rounding(field, asked, used, step)
