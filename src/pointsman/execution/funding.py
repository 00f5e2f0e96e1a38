"""Funding and charges: what the venue pays, or is paid, for what is held, other than by a trade.

One payment is for the account's whole holding of a symbol and side; a charge may be for both sides,
or for no symbol. It is shared out among the positions that hold it when it is learned, by their
quantity; what no VA holds, EXTERNAL bears. Invariants: the shares add up to the payment exactly, no
quantity changes, and cash and realized result change alike (RULES 14, 16, 51).
"""

import msgspec

from pointsman.domain.accounts import EXTERNAL
from pointsman.domain.commands import Command
from pointsman.domain.events import ChargePaid, FundingPaid
from pointsman.domain.money import ZERO, plain, share_of
from pointsman.domain.positions import Funding, Position
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import PositionSide
from pointsman.execution.books import Books
from pointsman.execution.incidents import note_incident

replace = msgspec.structs.replace


def on_funding(books: Books, event: FundingPaid, now_ns: int) -> list[Command]:
    """Book a funding payment that is reported for the first time."""
    whole = Funding(
        funding_id=event.funding_id,
        position_id=0,
        va_id=EXTERNAL,
        symbol=event.symbol,
        side=event.position_side,
        quantity=ZERO,
        amount=event.amount,
        venue_ts_ns=event.ts_ns,
        booked_at_ns=now_ns,
    )
    _share_out(books, whole, (event.position_side,))
    return []


def on_charge(books: Books, event: ChargePaid, now_ns: int) -> list[Command]:
    """Book a charge that is reported for the first time."""
    side = event.position_side
    whole = Funding(
        funding_id=event.charge_id,
        position_id=0,
        va_id=EXTERNAL,
        symbol=event.symbol,
        side=side or PositionSide.LONG,
        quantity=ZERO,
        amount=event.amount,
        venue_ts_ns=event.ts_ns,
        booked_at_ns=now_ns,
        is_charge=True,
    )
    _share_out(books, whole, tuple(PositionSide) if side is None else (side,))
    return []


def _share_out(books: Books, paid: Funding, sides: tuple[PositionSide, ...]) -> None:
    """Book a payment on those who hold its symbol on these sides. The oldest position comes first;
    the last one takes what rounding leaves."""
    held = [each for side in sides for each in books.positions_on(paid.symbol, side)[::-1]]
    externals = (side.sign * books.external(paid.symbol, side) for side in sides)
    foreign = sum((max(ZERO, quantity) for quantity in externals), ZERO)
    whole = sum((position.quantity for position in held), foreign)
    left = paid.amount
    for position in held:
        is_last = position is held[-1] and foreign == ZERO
        amount = left if is_last else share_of(paid.amount, position.quantity, whole)
        _pay(books, replace(paid, amount=amount), position)
        left -= amount
    if foreign > ZERO or not held:
        _leave_to_external(books, replace(paid, quantity=foreign, amount=left), paid)


def _pay(books: Books, share: Funding, position: Position) -> None:
    account = books.accounts[position.va_id]
    books.put_account(
        replace(account, cash=account.cash + share.amount, realized=account.realized + share.amount)
    )
    realized = position.realized_to_date + share.amount
    books.put_position(replace(position, realized_to_date=realized))
    own = replace(
        share,
        position_id=position.position_id,
        va_id=position.va_id,
        side=position.side,
        quantity=position.quantity,
    )
    books.note(own, (own.funding_id, own.position_id))


def _leave_to_external(books: Books, share: Funding, paid: Funding) -> None:
    books.note(share, (share.funding_id, share.position_id))
    what = "charge" if paid.is_charge else "funding"
    note_incident(
        books,
        paid.booked_at_ns,
        Reason.EXTERNAL_ACTIVITY,
        symbol=paid.symbol or None,
        value=plain(share.amount),
        limit=plain(paid.amount),
        detail=f"of {what} {paid.funding_id} for what no account of ours holds",
    )
