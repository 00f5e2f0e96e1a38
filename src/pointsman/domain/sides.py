"""Directions: of an order, of a position, of a signal, and how they relate.

One place answers "which side closes this?" and "which touch does that trade against?", so that no
other module re-derives a sign.
"""

from decimal import Decimal
from enum import StrEnum


class Side(StrEnum):
    """What an order does at the venue."""

    BUY = "buy"
    SELL = "sell"

    @property
    def sign(self) -> int:
        """+1 for a buy, -1 for a sell: the sign of its quantity in a holding."""
        return 1 if self is Side.BUY else -1

    @property
    def opposite(self) -> "Side":
        return Side.SELL if self is Side.BUY else Side.BUY


class PositionSide(StrEnum):
    """The direction of a holding."""

    LONG = "long"
    SHORT = "short"

    @property
    def sign(self) -> int:
        """+1 for long, -1 for short."""
        return 1 if self is PositionSide.LONG else -1

    @property
    def opens_with(self) -> Side:
        return Side.BUY if self is PositionSide.LONG else Side.SELL

    @property
    def closes_with(self) -> Side:
        return Side.SELL if self is PositionSide.LONG else Side.BUY

    @property
    def opposite(self) -> "PositionSide":
        return PositionSide.SHORT if self is PositionSide.LONG else PositionSide.LONG

    def less_favourable(self, price: Decimal, level: Decimal) -> bool:
        """Whether `price` is at or through a stop at `level` for a holding of this side."""
        return price <= level if self is PositionSide.LONG else price >= level


class SignalSide(StrEnum):
    """What a signal asks for."""

    BUY = "buy"
    SELL = "sell"
    CLOSE = "close"


class MarketPosition(StrEnum):
    """What a strategy holds after its order, by its own word (RULES 55)."""

    LONG = "long"
    SHORT = "short"
    FLAT = "flat"

    @property
    def sign(self) -> int:
        """+1 for long, -1 for short, 0 for flat."""
        return {"long": 1, "short": -1}.get(self.value, 0)


class EntrySides(StrEnum):
    """Which entries a VA accepts (RULES 10)."""

    BOTH = "both"
    LONG = "long"
    SHORT = "short"

    def allows(self, side: PositionSide) -> bool:
        return self is EntrySides.BOTH or self.value == side.value


def opened_by(side: Side) -> PositionSide:
    """The position side that an entry order of `side` opens."""
    return PositionSide.LONG if side is Side.BUY else PositionSide.SHORT
