"""The watch on cover, from the venue's side: since when is what we hold there not covered?

Naked time as RULES 25 has it first: from the venue's fill. What our orders have bought and sold is
held against the reduce-only orders of ours that are open there; the engine's own opinion plays no
part in it.
"""

from decimal import Decimal

from pointsman.domain.market import Instrument
from pointsman.domain.money import floor_to
from pointsman.domain.sides import PositionSide, Side
from pointsman.simulator.ledger import NOTHING, HoldingKey, Ledger

Place = tuple[str, PositionSide]


class CoverWatch:
    """Watches one ledger. `naked` says since when, by symbol and side; `intervals` how long each
    spell was that has ended. `residues` is how many accounts may each hold something that is too
    small to trade: what these add up to needs no cover."""

    def __init__(
        self, ledger: Ledger, instruments: dict[str, Instrument], residues: int = 0
    ) -> None:
        self.naked: dict[Place, int] = {}
        self.intervals: list[int] = []
        self._ledger = ledger
        self._instruments = instruments
        self._residues = residues
        self._seen: dict[str, int] = {}
        self._charged: dict[HoldingKey, Decimal] = {}
        self._taken: dict[str, Decimal] = {}

    def recharge(self) -> None:
        """Forget all charges: they are about to be reported again."""
        self._charged.clear()
        self._seen.clear()

    def charge(self, fill_key: str, symbol: str, side: Side, quantity: Decimal) -> None:
        """A foreign execution was charged to a VA (RULES 28): what it closed is not ours any
        more. What it sold or bought beyond that is not ours either: where one VA's exit has taken
        from another's holding, both may be charged with more than our orders hold together."""
        closed = next(each for each in PositionSide if each.closes_with is side)
        key = self._ledger.key(symbol, closed)
        charged = self._charged.get(key, NOTHING)
        left = -side.sign * (self._ledger.ours.get(key, NOTHING) + charged)
        # Told again after a crash it is what it was at first, though ours may be more by then.
        taken = self._taken.setdefault(fill_key, min(quantity, max(NOTHING, left)))
        self._charged[key] = charged + side.sign * taken
        self._seen.pop(symbol, None)

    def look(self, now_ns: int, prices: dict[str, Decimal]) -> None:
        """Take in what has changed; called after each instant."""
        for symbol, version in self._ledger.version.items():
            if self._seen.get(symbol) != version:
                self._seen[symbol] = version
                for side in PositionSide:
                    self._look_at(symbol, side, now_ns, prices[symbol])

    def _look_at(self, symbol: str, side: PositionSide, now_ns: int, price: Decimal) -> None:
        place = (symbol, side)
        is_naked = self.uncovered(symbol, side, price) > NOTHING
        if is_naked:
            self.naked.setdefault(place, now_ns)
        elif place in self.naked:
            self.intervals.append(now_ns - self.naked.pop(place))

    def uncovered(self, symbol: str, side: PositionSide, price: Decimal) -> Decimal:
        """How much of what we hold there could be traded and is not covered."""
        instrument = self._instruments[symbol]
        held = floor_to(self._held(symbol, side), instrument.lot)
        closing = [
            order
            for order in self._ledger.open_orders(symbol)
            if order.reduce_only and not order.is_foreign and order.side is side.closes_with
            and order.position_side in (side, None)
        ]  # fmt: skip
        missing = held - sum((order.leaves for order in closing), NOTHING)
        spare = self._residues * max(instrument.lot, instrument.min_notional / price)
        return missing if instrument.is_tradeable(missing - spare, price) else NOTHING

    def _held(self, symbol: str, side: PositionSide) -> Decimal:
        """What our orders hold: never more than the account does."""
        key = self._ledger.key(symbol, side)
        held = self._ledger.holdings.get(key, NOTHING) * side.sign
        ours = self._ledger.ours.get(key, NOTHING) + self._charged.get(key, NOTHING)
        return max(NOTHING, min(held, ours * side.sign))
