"""Client order ids: what an order is called at the venue.

An id is a pure function of durable facts (installation code, number of the entry, role, attempt),
so that an order can be found again at the venue after any crash, and be given back to its position
(RULES 26, 30).
"""

import re

import msgspec

from pointsman.domain.orders import Role

_CLIENT_ORDER_ID = re.compile(
    r"(?P<code>[A-Z]{6})(?P<number>[0-9]{1,12})(?P<role>[ESX])(?P<attempt>[0-9]{1,6})"
    r"(T(?P<epoch>[1-9][0-9]{0,5}))?"
)

CODE_LENGTH = 6
"""Letters in an installation code."""


class OrderIdParts(msgspec.Struct, frozen=True, gc=False):
    """What a client order id says: whose it is, the entry it belongs to, what it is for, which
    attempt, and of which owner's time it is (0 for a desk that is bound to one machine)."""

    code: str
    number: int
    role: Role
    attempt: int
    epoch: int = 0


def client_order_id(code: str, number: int, role: Role, attempt: int, epoch: int = 0) -> str:
    """The id under which the venue knows an order: at most 32 letters and digits, injective in its
    arguments. Two owners of a desk never make the same, whatever the later one knows of what the
    earlier one did."""
    own = f"{code}{number}{role.letter}{attempt}"
    return f"{own}T{epoch}" if epoch else own


def is_client_order_id(text: str) -> bool:
    """Whether a text has the form of our ids, of whatever installation."""
    return _CLIENT_ORDER_ID.fullmatch(text) is not None


def parse_client_order_id(text: str) -> OrderIdParts | None:
    """The parts of an id made by `client_order_id`, or None for any other text."""
    match = _CLIENT_ORDER_ID.fullmatch(text)
    if match is None:
        return None
    role = next(role for role in Role if role.letter == match["role"])
    return OrderIdParts(
        code=match["code"],
        number=int(match["number"]),
        role=role,
        attempt=int(match["attempt"]),
        epoch=int(match["epoch"] or 0),
    )
