"""Entries that are not wanted any more: of a VA that may not enter, or beyond a limit."""

from pointsman.domain.commands import Command
from pointsman.domain.events import EntryBreach
from pointsman.domain.orders import Order
from pointsman.execution.books import Books
from pointsman.execution.cancelling import cancel_all
from pointsman.execution.filters import breaches


def withdraw_entries(books: Books, va_id: str, now_ns: int) -> list[Command]:
    """Cancel whatever entries of a VA still work."""
    found = [books.orders[order_id] for order_id in books.index[va_id].entries]
    return cancel_all(books, found, now_ns)


def on_entry_breach(books: Books, event: EntryBreach, now_ns: int) -> list[Command]:
    """Spread or latency beyond a VA's limit while its entry works: what is left of it is
    cancelled."""
    entries = [books.orders[key] for key in books.entries_by_symbol.get(event.symbol, ())]
    given_up = [order for order in entries if _breaches(books, order, event, now_ns)]
    return cancel_all(books, given_up, now_ns)


def _breaches(books: Books, order: Order, event: EntryBreach, now_ns: int) -> bool:
    limits = books.policy.limits_of(order.va_id)
    return bool(breaches(event.quote, limits, now_ns, event.clock_offset_ns))
