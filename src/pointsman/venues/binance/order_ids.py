"""Under which client order id an order of the venue's is reported.

A stop has an id of its own until it triggers, and then becomes an ordinary order with another one:
its child. Executions name only the venue's id. So it is kept here which client order id belongs to
an order of the venue's, and a child is always reported under the id of its stop.
"""

from collections.abc import Iterable
from typing import Any

from pointsman.venues.binance.shapes import StopRow

IDS_MAX = 20_000
"""How many orders are remembered; what is forgotten is asked about again."""


class OrderIds:
    """Belongs to one account. An id that is not ours is remembered too, so that it is asked about
    once."""

    def __init__(self) -> None:
        self._name_of: dict[int, str] = {}
        self._child_of: dict[str, int] = {}
        self._resting: dict[str, str] = {}
        self._unlisted: set[str] = set()
        """The stops of these that the last list of all did not show."""

    def name_of(self, order_id: int) -> str | None:
        """The client order id of an order, where it is known; empty for one that has none."""
        return self._name_of.get(order_id)

    def child_of(self, stop_id: str) -> int | None:
        """The order that a stop became, where that is known."""
        return self._child_of.get(stop_id)

    def note(self, order_id: int, client_order_id: str) -> str:
        """An order says its client order id; gives the one that it is reported under."""
        if order_id not in self._name_of:
            self._name_of[order_id] = client_order_id
            _shorten(self._name_of)
        return self._name_of[order_id]

    def link(self, child_id: int, stop_id: str) -> None:
        """A stop has become this order."""
        self._name_of[child_id] = stop_id
        self._child_of[stop_id] = child_id
        _shorten(self._name_of)
        _shorten(self._child_of)

    def link_all(self, stops: Iterable[StopRow]) -> None:
        """Take in what a list of stops says of their children."""
        for stop in stops:
            if (child_id := actual_id(stop.actual_order_id)) is not None:
                self.link(child_id, stop.client_algo_id)

    def stop_rests(self, stop_id: str, symbol: str) -> None:
        """A stop of ours may trigger in this symbol from now on."""
        self._resting[stop_id] = symbol
        _shorten(self._resting)

    def resting(self) -> frozenset[str]:
        """The stops that may trigger."""
        return frozenset(self._resting)

    def saw_all(self, rested: Iterable[str], listed: Iterable[str]) -> None:
        """The list of all stops, asked for when these `rested`, has shown those. A stop that two
        lists have not shown is over; after one, what it became may still be on its way to us."""
        unlisted = set(rested) - set(listed)
        for stop_id in unlisted & self._unlisted:
            self.has_ended(stop_id)
        self._unlisted = unlisted & self._resting.keys()

    def has_ended(self, client_order_id: str) -> None:
        """An order of ours has ended."""
        self._resting.pop(client_order_id, None)

    def may_have_child(self, symbol: str) -> bool:
        """Whether an unknown order of this symbol may be what a stop of ours became."""
        return symbol in self._resting.values()


def actual_id(said: str | int | None) -> int | None:
    """The id of a child, which is text or a number, and empty or 0 where there is none."""
    return int(said) or None if said is not None and str(said).isdecimal() else None


def _shorten(ids: dict[Any, Any]) -> None:
    """Forget the oldest."""
    while len(ids) > IDS_MAX:
        del ids[next(iter(ids))]
