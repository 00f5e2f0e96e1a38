"""What the account at the venue holds while an engine runs in shadow: noted, and nothing else.

No decision, no position and no EXTERNAL holding comes of it (RULES 49).
"""

from pointsman.domain.accounts import AccountReading
from pointsman.domain.commands import Command
from pointsman.domain.venue_reports import AccountRead
from pointsman.execution.books import Books


def on_account_read(books: Books, event: AccountRead, now_ns: int) -> list[Command]:
    """Keep what the account was found to hold."""
    reading = AccountReading(
        read_at_ns=now_ns, holdings=event.holdings, open_orders=event.open_orders
    )
    books.note(reading, now_ns)
    return []
