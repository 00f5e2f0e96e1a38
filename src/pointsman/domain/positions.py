"""Positions and trades.

Each accepted entry opens one position with its own stop. What a position earns comes from its
fills, lot by lot, first in first out, never from an average (RULES 14); so for every position,
exactly,

    realized_to_date = sum of (exit price - lot price) x quantity, signed by side, - all fees so
    far, + all funding so far.

A position whose quantity is zero or dust becomes one row of `trades`, and one win or loss (RULES
15).
"""

from decimal import Decimal
from enum import StrEnum

import msgspec
from msgspec.structs import replace

from pointsman.domain.money import ZERO
from pointsman.domain.orders import Role
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import PositionSide


class PositionState(StrEnum):
    """OPEN is covered by a stop; DUST is a residue below what the venue will trade, kept for the
    books only; OVERFILLED is a holding beyond what the VA held (RULES 21), which a person must
    settle; CLOSED is gone."""

    OPEN = "open"
    DUST = "dust"
    OVERFILLED = "overfilled"
    CLOSED = "closed"


class Lot(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What is left of one entry fill."""

    quantity: Decimal
    price: Decimal


class Spell(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A time without cover that has ended: when it began and ended, as we learned it; and where
    that is kept, when it began by the venue's stamp and how long it was by these."""

    since_ns: int
    until_ns: int
    venue_since_ns: int = 0
    venue_ns: int = 0


class Position(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, tag=True):
    """One position of one VA.

    `stop_price` is where its stop should rest now. `closing` is how much of it is still to be
    exited, for `closing_reason`; `closing_all` means whatever there is, later fills too.
    `naked_since_ns` is when the confirmed stops ceased to cover it, as we learned it;
    `naked_from_venue_ns` the same by the venue's stamp (RULES 25). `stopless_since_ns` is when
    resting stops alone ceased to; the two spells are the last ones of either that have ended.
    `stops_made` and `exits_made` number its orders.
    """

    position_id: int
    part: int
    va_id: str
    symbol: str
    side: PositionSide
    entry_order_id: str
    opened_at_ns: int
    limit_price: Decimal
    stop_price: Decimal
    stop_level: Decimal | None = None
    stop_percentage: Decimal | None = None
    take_profit: Decimal | None = None
    signal_id: str | None = None
    state: PositionState = PositionState.OPEN
    quantity: Decimal = ZERO
    lots: tuple[Lot, ...] = ()
    entry_quantity: Decimal = ZERO
    entry_value: Decimal = ZERO
    exit_quantity: Decimal = ZERO
    exit_value: Decimal = ZERO
    fees: Decimal = ZERO
    realized_to_date: Decimal = ZERO
    closing: Decimal = ZERO
    closing_all: bool = False
    closing_reason: Reason | None = None
    closing_signal_id: str | None = None
    last_exit_reason: Reason | None = None
    exit_retry_at_ns: int | None = None
    crossed_at_ns: int | None = None
    naked_since_ns: int | None = None
    naked_from_venue_ns: int | None = None
    stops_made: int = 0
    exits_made: int = 0
    naked_spell: Spell | None = None
    stopless_since_ns: int | None = None
    stopless_spell: Spell | None = None

    @property
    def is_live(self) -> bool:
        """Whether it still holds something that is traded and protected."""
        return self.state is PositionState.OPEN

    def holds_as(self, before: "Position") -> bool:
        """Whether it holds what it did before, in the very same objects: most changes are of other
        things."""
        return (
            self.state is before.state
            and self.lots is before.lots
            and self.quantity is before.quantity
            and self.limit_price is before.limit_price
        )

    @property
    def cost(self) -> Decimal:
        """What the open lots cost: sum of quantity x price."""
        cost = ZERO
        for lot in self.lots:
            cost += lot.quantity * lot.price
        return cost

    def attempts(self, role: Role) -> int:
        """How many of its stops, or of its exits, were made."""
        return self.stops_made if role is Role.STOP else self.exits_made

    def with_attempts(self, role: Role, attempts: int) -> "Position":
        """The position once that many were made."""
        if role is Role.STOP:
            return replace(self, stops_made=attempts)
        return replace(self, exits_made=attempts)

    def unrealized(self, touch: Decimal) -> Decimal:
        """What closing all of it at `touch` would add, before fees."""
        return self.side.sign * (self.quantity * touch - self.cost)


class Trade(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, tag=True):
    """One closed position. Averages are shown, rounded to 10 places; `pnl` is exact, after fees and
    funding."""

    trade_id: str
    position_id: int
    va_id: str
    symbol: str
    side: PositionSide
    quantity: Decimal
    entry_price: Decimal
    exit_price: Decimal
    pnl: Decimal
    fees: Decimal
    opened_at_ns: int
    closed_at_ns: int
    exit_reason: Reason
    signal_id: str | None = None


class Funding(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, tag=True):
    """One position's share of a funding payment or, with `is_charge`, of a later charge: received
    where `amount` > 0. `quantity` is what it was shared out by. What no VA bears is a share of the
    reserved account EXTERNAL, with 0 as `position_id`; so the shares of a payment add up to it,
    exactly."""

    funding_id: str
    position_id: int
    va_id: str
    symbol: str
    side: PositionSide
    quantity: Decimal
    amount: Decimal
    venue_ts_ns: int
    booked_at_ns: int
    is_charge: bool = False


def closing_of(position: Position) -> Decimal:
    """How much of a position is already decided to be exited."""
    return position.quantity if position.closing_all else min(position.closing, position.quantity)
