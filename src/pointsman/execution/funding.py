"""Funding: what the venue pays, or is paid, for what is held.

One payment is for the account's whole holding of a symbol and side. It is shared out among the
positions that hold it when it is learned, by their quantity; what no VA holds, EXTERNAL bears.
Invariants: the shares add up to the payment exactly, no quantity changes, and cash and realized
result change alike (RULES 14, 16).
"""

from decimal import Decimal

import msgspec

from pointsman.domain.accounts import EXTERNAL
from pointsman.domain.commands import Command
from pointsman.domain.events import FundingPaid
from pointsman.domain.money import ZERO, plain, share_of
from pointsman.domain.positions import Funding, Position
from pointsman.domain.reasons import Reason
from pointsman.execution.books import Books
from pointsman.execution.incidents import note_incident

replace = msgspec.structs.replace


def on_funding(books: Books, event: FundingPaid, now_ns: int) -> list[Command]:
    """Book a payment that is reported for the first time. The oldest position comes first; the
    last one takes what rounding leaves."""
    held = books.positions_on(event.symbol, event.position_side)[::-1]
    foreign = event.position_side.sign * books.external(event.symbol, event.position_side)
    foreign = max(ZERO, foreign)
    whole = sum((position.quantity for position in held), foreign)
    left = event.amount
    for position in held:
        is_last = position is held[-1] and foreign == ZERO
        share = left if is_last else share_of(event.amount, position.quantity, whole)
        _pay(books, event, position, share, now_ns)
        left -= share
    if foreign > ZERO or not held:
        _leave_to_external(books, event, foreign, left, now_ns)
    return []


def _pay(books: Books, event: FundingPaid, position: Position, share: Decimal, now_ns: int) -> None:
    account = books.accounts[position.va_id]
    books.put_account(
        replace(account, cash=account.cash + share, realized=account.realized + share)
    )
    books.put_position(replace(position, realized_to_date=position.realized_to_date + share))
    _note(books, event, position, position.quantity, share, now_ns)


def _leave_to_external(
    books: Books, event: FundingPaid, quantity: Decimal, share: Decimal, now_ns: int
) -> None:
    _note(books, event, None, quantity, share, now_ns)
    note_incident(
        books,
        now_ns,
        Reason.EXTERNAL_ACTIVITY,
        symbol=event.symbol,
        value=plain(share),
        limit=plain(event.amount),
        detail=f"of funding {event.funding_id} for what no account of ours holds",
    )


def _note(
    books: Books,
    event: FundingPaid,
    position: Position | None,
    quantity: Decimal,
    share: Decimal,
    now_ns: int,
) -> None:
    """Remember one share: of a position, or of EXTERNAL where there is none."""
    funding = Funding(
        funding_id=event.funding_id,
        position_id=0 if position is None else position.position_id,
        va_id=EXTERNAL if position is None else position.va_id,
        symbol=event.symbol,
        side=event.position_side,
        quantity=quantity,
        amount=share,
        venue_ts_ns=event.ts_ns,
        booked_at_ns=now_ns,
    )
    books.note(funding, (funding.funding_id, funding.position_id))
