"""What is said beside the refusal of a signal whose symbol or account is not known here.

Mostly it is misspelled, and the reason of the refusal is another one, such as that nothing is held.
"""

from collections.abc import Collection

from pointsman.domain.market import Quote, letters_of
from pointsman.domain.signals import Signal
from pointsman.domain.spelling import is_misspelled

_ACCOUNTS_MOST = 1_000
"""Of more than these nobody is looked for: the loop would stand still for it."""


def symbol_note(signal: Signal, newest: Quote | None, quoted_as: str) -> str:
    """That no quote of the symbol has come, and which was probably meant: `quoted_as` is another
    spelling that has quotes, or one that is nearly the same. Empty where there are quotes."""
    if newest is not None:
        return ""
    if quoted_as and letters_of(quoted_as) == letters_of(signal.symbol):
        return f"{quoted_as} has quotes: send that symbol"
    told = f"no quote of {signal.symbol} has come"
    return f"{told}; did you mean {quoted_as}?" if quoted_as else told


def account_note(va_id: str, accounts: Collection[str]) -> str:
    """Which account was probably meant; empty where none is like it."""
    if len(accounts) > _ACCOUNTS_MOST:
        return ""
    meant = next((known for known in accounts if is_misspelled(va_id, known)), "")
    return f"did you mean {meant}?" if meant else ""
