"""The lease: the one symbol that a VA trades at a time.

It is taken when an entry is accepted, kept while the VA holds anything or any of its orders is
working or unknown, and given back after that. Dust does not keep it. `soundness.py` checks after
each event that nobody trades without it.
"""

import msgspec

from pointsman.domain.positions import PositionState
from pointsman.domain.reasons import Reason
from pointsman.domain.signals import Check, Signal
from pointsman.execution.books import Books


def check_lease(
    books: Books, signal: Signal, *, note: str = "", may_be_beside: bool = False
) -> Check:
    """The symbol of a signal must be the leased one, but for an exit of what a late fill has opened
    beside it. `note` is said where it is not."""
    leased = books.accounts[signal.va_id].leased_symbol
    is_free = may_be_beside or leased is None or leased == signal.symbol
    told = "" if is_free else note
    return Check(Reason.SYMBOL_LOCKED, is_free, signal.symbol, leased, note=told)


def take_lease(books: Books, va_id: str, symbol: str) -> None:
    """Lease a symbol to a VA, if none is: what a late fill leaves behind holds its symbol only if
    nothing else does by now."""
    account = books.accounts[va_id]
    if account.leased_symbol is None:
        books.put_account(msgspec.structs.replace(account, leased_symbol=symbol))


def release_lease(books: Books, va_id: str) -> None:
    """Give the symbol back once nothing keeps it."""
    account = books.accounts[va_id]
    if account.leased_symbol is None or books.index[va_id].orders:
        return
    held = (books.positions[key] for key in books.index[va_id].positions)
    if all(position.state is PositionState.DUST for position in held):
        books.put_account(msgspec.structs.replace(account, leased_symbol=None))
