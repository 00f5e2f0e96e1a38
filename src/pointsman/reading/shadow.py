"""What an engine in shadow would have done, and how the account itself changed meanwhile.

Of all that is stored it is computed here; of one day an engine counts it itself
(`service/shadow_days.py`).
"""

import sqlite3
from decimal import Decimal

import msgspec

from pointsman.domain.accounts import AccountReading
from pointsman.domain.money import ZERO, exact, plain
from pointsman.domain.signals import Action, Decision, Outcome
from pointsman.domain.timestamps import iso
from pointsman.reading.documents import Document, seconds_text
from pointsman.storage import reader


class Shadowed(msgspec.Struct, frozen=True, kw_only=True):
    """What would have been done since a moment: signals accepted as `entries`, positions closed,
    signals refused, and what the closed positions earned after fees. `naked_max_ns` is the longest
    time without cover. `before` is what the account held when it was first read, `now` at last."""

    since_ns: int
    entries: int = 0
    closed: int = 0
    refused: int = 0
    earned: Decimal = ZERO
    naked_max_ns: int = 0
    before: AccountReading | None = None
    now: AccountReading | None = None

    def with_decision(self, decision: Decision) -> "Shadowed":
        """With one more decision."""
        is_entry = decision.outcome is Outcome.ACCEPTED and decision.action is Action.ENTRY
        return msgspec.structs.replace(
            self,
            entries=self.entries + is_entry,
            refused=self.refused + (decision.outcome is Outcome.REFUSED),
        )


def read_shadowed(connection: sqlite3.Connection) -> Shadowed | None:
    """All that a database holds of it; None where it is not of an engine in shadow."""
    desk = reader.desk(connection)
    if desk is None or not desk.traded_on.is_shadow:
        return None
    readings, trades = reader.account_readings(connection), reader.trades(connection)
    opened_ns = [account.opened_at_ns for account in reader.accounts(connection)]
    naked_ns = [account.naked_max_ns for account in reader.accounts(connection)]
    with exact():
        earned = sum((trade.pnl for trade in trades), ZERO)
    found = Shadowed(
        since_ns=min(opened_ns, default=0),
        closed=len(trades),
        earned=earned,
        naked_max_ns=max(naked_ns, default=0),
        before=readings[0] if readings else None,
        now=readings[-1] if readings else None,
    )
    for decision in reader.decisions(connection):
        found = found.with_decision(decision)
    return found


def shadowed_document(shadowed: Shadowed) -> Document:
    """The same for programs."""
    return {
        "since": iso(shadowed.since_ns) if shadowed.since_ns else None,
        "entries": shadowed.entries,
        "closed": shadowed.closed,
        "refused": shadowed.refused,
        "earned_after_fees": plain(shadowed.earned),
        "naked_seconds_max": seconds_text(shadowed.naked_max_ns),
        "account_before": reading_document(shadowed.before),
        "account_now": reading_document(shadowed.now),
    }


def reading_document(reading: AccountReading | None) -> Document | None:
    """What the account was found to hold, for programs."""
    if reading is None:
        return None
    return {
        "read_at": iso(reading.read_at_ns),
        "holdings": [
            {"symbol": symbol, "quantity": plain(quantity)} for symbol, quantity in reading.holdings
        ],
        "open_orders": reading.open_orders,
    }
