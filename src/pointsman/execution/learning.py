"""Learning: tick and lot of an instrument without configured ones, from its quotes (RULES 59), and
what a venue says of its instruments while an engine runs (RULES 48).

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
from pointsman.domain.reasons import Reason
from pointsman.domain.venue_reports import InstrumentsChanged
from pointsman.execution.books import Books
from pointsman.execution.incidents import note_incident

IS_NEW = "is new"

LISTED_MAX = 5
"""How many instruments an incident names of those of which nothing is held."""


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


def on_instruments_changed(books: Books, event: InstrumentsChanged, now_ns: int) -> list[Command]:
    """Take what the venue says now: every order that is made from here on is rounded by it, also
    for what is held already; what rests at the venue stays as it is (RULES 48)."""
    before = books.policy
    books.put_policy(before.with_instruments(*event.instruments))
    told = {
        each.symbol: _difference(before.instruments.get(each.symbol), each)
        for each in (books.policy.instruments[said.symbol] for said in event.instruments)
    }
    news = {symbol: words for symbol, words in told.items() if words}
    in_use = {position.symbol for position in books.positions.values()} & news.keys()
    for symbol in sorted(in_use):
        detail = news.pop(symbol)
        note_incident(books, now_ns, Reason.INSTRUMENT_CHANGED, symbol=symbol, detail=detail)
    if news:
        note_incident(books, now_ns, Reason.INSTRUMENT_CHANGED, detail=_listed(news))
    return []


def _difference(before: Instrument | None, now: Instrument) -> str:
    """What of an instrument is another than before, in words; empty where nothing is."""
    if before is None:
        return IS_NEW
    changes = []
    for field in Instrument.__struct_fields__:
        old, new = getattr(before, field), getattr(now, field)
        if old != new:
            changes.append(f"{field} {_shown(old)} -> {_shown(new)}")
    return ", ".join(changes)


def _shown(value: object) -> str:
    return plain(value) if isinstance(value, Decimal) else str(value).lower()


def _listed(news: dict[str, str]) -> str:
    """The first of what has changed, what is new last, and how many more there are."""
    names = sorted(news, key=lambda symbol: (news[symbol] == IS_NEW, symbol))
    first = "; ".join(f"{symbol} {news[symbol]}" for symbol in names[:LISTED_MAX])
    more = len(news) - LISTED_MAX
    return f"{first}; and {more} more" if more > 0 else first
