"""Entries that are not wanted any more: of a VA that may not enter, or beyond a limit."""

from pointsman.domain.commands import Cancel, Command
from pointsman.domain.events import EntryBreach
from pointsman.execution.books import Books
from pointsman.execution.cancelling import can_cancel, cancel
from pointsman.execution.filters import breaches


def withdraw_entries(books: Books, va_id: str, now_ns: int) -> list[Command]:
    """Cancel whatever entries of a VA still work."""
    found = [books.orders[order_id] for order_id in books.index[va_id].entries]
    return [cancel(books, order, now_ns) for order in found if can_cancel(books, order, now_ns)]


def on_entry_breach(books: Books, event: EntryBreach, now_ns: int) -> list[Command]:
    """Spread or latency beyond a VA's limit while its entry works: what is left of it is
    cancelled."""
    commands: list[Cancel] = []
    for order_id in list(books.entries_by_symbol.get(event.symbol, ())):
        order = books.orders[order_id]
        limits = books.policy.limits_of(order.va_id)
        if can_cancel(books, order, now_ns) and breaches(
            event.quote, limits, now_ns, event.clock_offset_ns
        ):
            commands.append(cancel(books, order, now_ns))
    return list(commands)
