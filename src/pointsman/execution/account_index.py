"""What belongs to one VA, by id, so that no question about it walks over the other accounts.

Kept by `Books`, which follow the records; nothing here is stored.
"""

from collections import deque
from decimal import Decimal

import msgspec

from pointsman.domain.money import ZERO

ENTRIES_PER_MINUTE_MAX = 100_000
"""Bound of the entry times that are kept for the throttle, per VA and over all."""


class Holding(msgspec.Struct, gc=False):
    """What one VA holds of one symbol: signed quantity, and its signed cost (sum of quantity x
    price)."""

    quantity: Decimal = ZERO
    cost: Decimal = ZERO


class AccountIndex(msgspec.Struct):
    """The ids of a VA's positions and orders that are not final, what it holds, and when its last
    entries were accepted. Dicts serve as ordered sets."""

    positions: dict[int, None] = {}
    entries: dict[str, None] = {}
    orders: dict[str, None] = {}
    unknown: dict[str, None] = {}
    holdings: dict[str, Holding] = {}
    entry_times: deque[int] = msgspec.field(
        default_factory=lambda: deque(maxlen=ENTRIES_PER_MINUTE_MAX)
    )
