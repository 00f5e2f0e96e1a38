"""What a source sends that needs no decision: a signal once more, or something that is none.

Neither changes anything that trades. How far a source has been read is kept, so that a restart
reads on where it was.
"""

import msgspec

from pointsman.domain.accounts import Cursor
from pointsman.domain.commands import Command
from pointsman.domain.events import SignalMalformed
from pointsman.domain.reasons import Reason
from pointsman.domain.signals import FirstDecision, Signal
from pointsman.execution.books import Books
from pointsman.execution.incidents import note_incident

replace = msgspec.structs.replace


def advance_cursor(books: Books, source: str, line: int) -> None:
    """Remember that a source has been read up to this line, if it has a name."""
    if source:
        books.put_cursor(Cursor(source, line))


def note_repeat(books: Books, first: FirstDecision, signal: Signal, now_ns: int) -> bool:
    """Take in an id that was decided before. True if it came with the same content: the sender has
    repeated it, and that is counted. Other content under the same id is an incident."""
    record = first.record
    if signal.asks_the_same(record.signal):
        books.note(replace(record, repeats=record.repeats + 1), signal.signal_id)
        return True
    books.note(replace(record, reuses=record.reuses + 1), signal.signal_id)
    note_incident(
        books,
        now_ns,
        Reason.ID_REUSED,
        va_id=signal.va_id if signal.va_id in books.accounts else None,
        symbol=signal.symbol,
        value=signal.signal_id,
        detail="the id was decided before with other content; nothing was done",
    )
    return False


def on_malformed(books: Books, event: SignalMalformed, now_ns: int) -> list[Command]:
    """Something that could not be read as a signal: named, counted, and nothing else changes."""
    advance_cursor(books, event.source, event.line)
    line = f" line {event.line}" if event.line else ""
    note_incident(
        books,
        now_ns,
        Reason.MALFORMED_SIGNAL,
        value=event.value,
        detail=f"{event.source or 'signal'}{line}, {event.field}: {event.remedy}",
    )
    return []
