"""Learning: tick and lot of an instrument without configured ones, from its quotes (RULES 59).

Before the first order of a symbol a tick or lot can only be derived from the decimals of its
quotes. The shell looks at them before each signal; what it finds comes in as an event, is stored,
and holds from the next decision on, here and at the paper venue. A derived step only ever becomes
finer, so that every quantity and price that was right stays right.
"""

from decimal import Decimal

from pointsman.domain.commands import Command
from pointsman.domain.events import InstrumentLearned
from pointsman.domain.market import Instrument, InstrumentSteps
from pointsman.domain.money import floor_to, plain, shown_ratio
from pointsman.execution.books import Books


def lot_note(instrument: Instrument, wanted: Decimal, named: str | None) -> str:
    """What to add to a refusal where rounding to the lot took something away: the lot, where it
    comes from and what sets it. `named` is a spelling of the symbol that the instruments file
    has."""
    used = floor_to(wanted, instrument.lot)
    if used == wanted:
        return ""
    lot, symbol = plain(instrument.lot), instrument.symbol
    derived = ", as the sizes of its quotes show" if instrument.is_lot_derived else ""
    sets = f"INSTRUMENTS_FILE sets the lot of {symbol}"
    if named is not None:
        sets = f"INSTRUMENTS_FILE names {named}: write {symbol} there"
    asked = plain(shown_ratio(wanted).normalize())
    return f"{asked} was rounded down to lots of {lot}{derived}; {sets}"


def on_instrument_learned(books: Books, event: InstrumentLearned, _now_ns: int) -> list[Command]:
    """Take the finer steps of a symbol."""
    steps = InstrumentSteps(event.symbol, event.tick, event.lot)
    books.put_steps(steps)
    books.note(steps, steps.symbol)
    return []
