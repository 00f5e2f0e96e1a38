"""The local watch on stop and take-profit levels: the second layer behind the stops at the venue.

Almost every quote crosses nothing, so that case must cost the same however many positions are held:
per symbol the nearest level of each kind is at hand, and a quote is compared with these four only.
Behind each stands a heap of all levels of its kind. Invariants:

* a level that was dropped or replaced is never reported; its heap entry is thrown away when it
  comes to the top, and a heap holds at most twice its live levels and a few more;
* only a valid quote reaches a level (RULES 4), and a quote that reaches both levels of a position
  reaches its stop alone (RULES 24).
"""

from decimal import Decimal, InvalidOperation
from heapq import heapify, heappop, heappush

from pointsman.domain.events import Level
from pointsman.domain.market import Quote
from pointsman.domain.sides import PositionSide

_INFINITY = Decimal("Infinity")
_MINUS_INFINITY = Decimal("-Infinity")
_STALE_MAX = 16
"""A heap may hold this many stale entries beyond the number of its live ones."""


class _Ladder:
    """The levels of one kind on one symbol, by position. `nearest` is the one that the price will
    reach first, infinitely far away where there is none."""

    __slots__ = ("_heap", "_is_below", "_prices", "nearest")

    def __init__(self, is_below: bool) -> None:
        """`is_below`: the levels lie below the market and are reached by a falling price."""
        self._is_below = is_below
        self._prices: dict[int, Decimal] = {}
        self._heap: list[tuple[Decimal, int]] = []
        self.nearest = _MINUS_INFINITY if is_below else _INFINITY

    def put(self, position_id: int, price: Decimal) -> None:
        self._prices[position_id] = price
        heappush(self._heap, (self._key(price), position_id))
        self._settle()

    def has(self, position_id: int, price: Decimal | None) -> bool:
        """Whether this is the level of a position that is still to be reached, if any."""
        return self._prices.get(position_id) == price

    def remove(self, position_id: int) -> None:
        if self._prices.pop(position_id, None) is not None:
            self._settle()

    def take_reached(self, price: Decimal) -> list[int]:
        """Remove every level that `price` is at or through, and return their positions."""
        reached = []
        while self._heap and self._heap[0][0] <= self._key(price):
            position_id = self._heap[0][1]
            reached.append(position_id)
            del self._prices[position_id]
            self._settle()
        return reached

    def _settle(self) -> None:
        """Throw stale entries away until the top of the heap is live; `nearest` is read off it."""
        heap, prices = self._heap, self._prices
        if len(heap) > 2 * len(prices) + _STALE_MAX:
            heap[:] = [(self._key(price), position_id) for position_id, price in prices.items()]
            heapify(heap)
        while heap and self._is_stale(*heap[0]):
            heappop(heap)
        key = heap[0][0] if heap else _INFINITY
        self.nearest = self._key(key)

    def _is_stale(self, key: Decimal, position_id: int) -> bool:
        price = self._prices.get(position_id)
        return price is None or self._key(price) != key

    def _key(self, price: Decimal) -> Decimal:
        """What a heap sorts by: the level reached first comes first. Its own inverse."""
        return price.copy_negate() if self._is_below else price


class _Levels:
    """The four ladders of one symbol. A long is judged on the bid, a short on the ask: a quote
    reaches nothing while its bid and its ask stay between the levels nearest to them."""

    __slots__ = (
        "_long",
        "_short",
        "ask_above",
        "ask_below",
        "bid_above",
        "bid_below",
        "long_stops",
        "long_targets",
        "short_stops",
        "short_targets",
    )

    def __init__(self) -> None:
        self.long_stops = _Ladder(is_below=True)
        self.long_targets = _Ladder(is_below=False)
        self.short_stops = _Ladder(is_below=False)
        self.short_targets = _Ladder(is_below=True)
        self._long = (self, self.long_stops, self.long_targets)
        self._short = (self, self.short_stops, self.short_targets)
        self.note_nearest()

    def note_nearest(self) -> None:
        """Have the nearest levels at hand; after each change of a ladder."""
        self.bid_below, self.bid_above = self.long_stops.nearest, self.long_targets.nearest
        self.ask_below, self.ask_above = self.short_targets.nearest, self.short_stops.nearest

    def of(self, side: PositionSide) -> "_Watched":
        """These levels, and the stops and the targets of a side: one object for all positions."""
        return self._long if side is PositionSide.LONG else self._short


_Watched = tuple[_Levels, _Ladder, _Ladder]


class LevelWatch:
    """Says which stop and take-profit levels a quote reaches. Positions are known by their ids."""

    def __init__(self) -> None:
        self._levels: dict[str, _Levels] = {}
        self._watched: dict[int, _Watched] = {}

    def set(
        self,
        position_id: int,
        symbol: str,
        side: PositionSide,
        stop: Decimal | None,
        take_profit: Decimal | None,
    ) -> None:
        """Watch these levels of a position, in place of those it had. None is no level. Each is
        reported once; setting it again, even at the same price, arms it again."""
        levels = self._levels.get(symbol)
        if levels is None:
            levels = self._levels[symbol] = _Levels()
        watched = _, stops, targets = levels.of(side)
        is_there = self._watched.get(position_id) is watched
        if is_there and stops.has(position_id, stop) and targets.has(position_id, take_profit):
            return
        self.drop(position_id)
        self._watched[position_id] = watched
        if stop is not None:
            stops.put(position_id, stop)
        if take_profit is not None:
            targets.put(position_id, take_profit)
        levels.note_nearest()

    def drop(self, position_id: int) -> None:
        """Watch a position no longer; nothing happens if it was not watched."""
        watched = self._watched.pop(position_id, None)
        if watched is not None:
            levels, stops, targets = watched
            stops.remove(position_id)
            targets.remove(position_id)
            levels.note_nearest()

    def is_watched(self, symbol: str) -> bool:
        """Whether a position in this symbol is or was watched; from any thread."""
        return symbol in self._levels

    def on_quote(self, quote: Quote) -> list[tuple[int, Level]]:
        """The levels that a quote is at or through, by position id; an invalid quote reaches none.

        A reached level is spent, also the target that goes unsaid because the stop was reached too.
        """
        levels = self._levels.get(quote.symbol)
        if levels is None:
            return []
        try:
            if (
                levels.bid_below < quote.bid < levels.bid_above
                and levels.ask_below < quote.ask < levels.ask_above
            ):
                return []
        except InvalidOperation:  # not a number: it cannot be compared
            return []
        return _reached(levels, quote) if quote.is_valid else []


def _reached(levels: _Levels, quote: Quote) -> list[tuple[int, Level]]:
    stopped = levels.long_stops.take_reached(quote.bid)
    stopped += levels.short_stops.take_reached(quote.ask)
    at_target = levels.long_targets.take_reached(quote.bid)
    at_target += levels.short_targets.take_reached(quote.ask)
    levels.note_nearest()
    reached = dict.fromkeys(at_target, Level.TAKE_PROFIT) | dict.fromkeys(stopped, Level.STOP)
    return sorted(reached.items())
