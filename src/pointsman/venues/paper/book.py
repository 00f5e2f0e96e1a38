"""One symbol's book at the paper venue: the newest quote, what is left of it, and what waits for
the next one.

A row of quotes must not cost more because many stops rest (a scan of them all does), so stops are
kept per symbol and side in a heap with the nearest trigger at hand: a row that triggers nothing is
a comparison or two. Invariants:

* each valid row renews the displayed size of both sides; what fills takes from it (RULES 3);
* only whole lots of the displayed size can be taken (RULES 61);
* while the newest row is invalid nothing trades and nothing triggers (RULES 4); the last valid one
  is kept, for it is still the best answer to "would this stop trigger at once?";
* no stop acts on a row that is stamped before one that the stops of its symbol have seen, also in
  an earlier session;
* orders that wait for size stand in the order of sending, whatever made them wait.
"""

from collections.abc import Sequence
from decimal import Decimal
from heapq import heapify, heappop, heappush

import msgspec

from pointsman.domain.market import Instrument, Quote
from pointsman.domain.money import ZERO, floor_to
from pointsman.domain.sides import Side

_STALE_ENTRIES_SPARE = 64
"""A stop heap may hold this many removed entries beyond one for each live entry before it is
rebuilt."""


class QueuePlace(msgspec.Struct, frozen=True, gc=False, order=True, array_like=True):
    """An order's place in a queue: what was sent earlier comes first."""

    sequence: int
    client_order_id: str


class StopQueue:
    """The untriggered stops of one symbol and side. `nearest` is the trigger that the market
    reaches first."""

    __slots__ = ("_heap", "_is_sell", "_resting", "nearest")

    def __init__(self, side: Side) -> None:
        self._is_sell = side is Side.SELL
        self._heap: list[tuple[Decimal, QueuePlace]] = []
        self._resting: set[str] = set()
        self.nearest: Decimal | None = None

    def add(self, trigger: Decimal, place: QueuePlace) -> None:
        """Let a stop rest at `trigger`."""
        self._resting.add(place.client_order_id)
        heappush(self._heap, (self._rank(trigger), place))
        self._settle()

    def discard(self, client_order_id: str) -> None:
        """Remove a stop, if it rests here."""
        self._resting.discard(client_order_id)
        if len(self._heap) > 2 * len(self._resting) + _STALE_ENTRIES_SPARE:
            self._heap = [
                entry for entry in self._heap if entry[1].client_order_id in self._resting
            ]
            heapify(self._heap)
        self._settle()

    def is_reached(self, touch: Decimal) -> bool:
        """Whether any stop is at or through its trigger, the bid being the touch of a sell, the ask
        of a buy."""
        if self.nearest is None:
            return False
        return touch <= self.nearest if self._is_sell else touch >= self.nearest

    def pop_reached(self, touch: Decimal) -> list[QueuePlace]:
        """Take out all stops that `touch` has reached."""
        reached = []
        while self.is_reached(touch):
            _, place = heappop(self._heap)
            self._resting.discard(place.client_order_id)
            reached.append(place)
            self._settle()
        return reached

    def _rank(self, trigger: Decimal) -> Decimal:
        return trigger.copy_negate() if self._is_sell else trigger

    def _settle(self) -> None:
        """Drop removed entries that have come to the top, and note the nearest trigger."""
        heap = self._heap
        while heap and heap[0][1].client_order_id not in self._resting:
            heappop(heap)
        self.nearest = self._rank(heap[0][0]) if heap else None


class Book:
    """The book of one symbol. `quote` is the last valid row; `is_trading` says whether it is the
    newest one too, `seen_ns` is the newest stamp that its stops have seen. `fee_rate` is the fee
    per unit of notional."""

    __slots__ = (
        "_ask_left",
        "_bid_left",
        "_buy_stops",
        "_buys_waiting",
        "_sell_stops",
        "_sells_waiting",
        "fee_rate",
        "instrument",
        "is_trading",
        "quote",
        "seen_ns",
    )

    def __init__(self, instrument: Instrument, fee_rate: Decimal) -> None:
        self.instrument = instrument
        self.fee_rate = fee_rate
        self.quote: Quote | None = None
        self.is_trading = False
        self.seen_ns = 0
        self._bid_left = ZERO
        self._ask_left = ZERO
        self._buy_stops = StopQueue(Side.BUY)
        self._sell_stops = StopQueue(Side.SELL)
        self._buys_waiting: list[QueuePlace] = []
        self._sells_waiting: list[QueuePlace] = []

    def renew(self, quote: Quote) -> bool:
        """Take in the newest row. Returns whether an order that rests here may act on it."""
        self.is_trading = quote.is_valid
        if not self.is_trading:
            return False
        self.quote = quote
        self._bid_left = quote.bid_size
        self._ask_left = quote.ask_size
        if quote.ts_ns < self.seen_ns:
            return bool(self._sells_waiting or self._buys_waiting)
        self.seen_ns = quote.ts_ns
        return (
            bool(self._sells_waiting or self._buys_waiting)
            or self._sell_stops.is_reached(quote.bid)
            or self._buy_stops.is_reached(quote.ask)
        )

    def available(self, side: Side) -> Decimal:
        """What an order of `side` may take now: the displayed size that earlier fills have left, in
        whole lots."""
        if not self.is_trading:
            return ZERO
        left = self._ask_left if side is Side.BUY else self._bid_left
        return floor_to(left, self.instrument.lot)

    def take(self, side: Side, quantity: Decimal) -> None:
        """An order of `side` filled `quantity` of what is displayed."""
        if side is Side.BUY:
            self._ask_left -= quantity
        else:
            self._bid_left -= quantity

    def stops(self, side: Side) -> StopQueue:
        return self._buy_stops if side is Side.BUY else self._sell_stops

    def wait(self, side: Side, place: QueuePlace) -> None:
        """Let a market order, or a stop that has triggered, wait for size."""
        heappush(self._waiting(side), place)

    def trigger(self) -> list[QueuePlace]:
        """Move the stops that the last valid row has reached to those that wait; in the order of
        sending."""
        if self.quote is None or self.quote.ts_ns < self.seen_ns:
            return []
        reached = []
        for side in (Side.BUY, Side.SELL):
            for place in self.stops(side).pop_reached(self.quote.touch(side)):
                self.wait(side, place)
                reached.append(place)
        return sorted(reached)

    def first_waiting(self, sides: Sequence[Side]) -> tuple[Side, QueuePlace] | None:
        """Of the orders of `sides` that wait, the one sent first."""
        fronts = [(self._waiting(side)[0], side) for side in sides if self._waiting(side)]
        if not fronts:
            return None
        place, side = min(fronts)
        return side, place

    def drop_first(self, side: Side) -> None:
        """The first order of `side` that waits is done."""
        heappop(self._waiting(side))

    def _waiting(self, side: Side) -> list[QueuePlace]:
        return self._buys_waiting if side is Side.BUY else self._sells_waiting
