"""Surplus: which orders of a position are too many, and which of its stops stay.

Stops that rest are kept as far as they fit into what is to stay covered. No order is amended: a
stop that is too large, or too far from where it belongs by now, goes, and another takes its place.
One that has triggered is trading. It gives way to no other stop, but goes where the orders that
trade are more than what is left to exit.
"""

from decimal import Decimal

from pointsman.domain.money import ZERO
from pointsman.domain.orders import Order, total_leaves
from pointsman.domain.positions import Position


def stops_to_keep(
    position: Position, stops: list[Order], target: Decimal, tick: Decimal
) -> tuple[list[Order], list[Order]]:
    """The stops to keep, as far as they fit into `target`, and the rest: oldest first, unless
    beginning with the newest covers more. One that has triggered is always kept: it is trading."""

    def fitting(candidates: list[Order]) -> list[Order]:
        kept = total_leaves([stop for stop in candidates if stop.is_triggered])
        chosen = []
        for stop in candidates:
            off = abs((stop.trigger_price or position.stop_price) - position.stop_price) > tick
            if stop.is_triggered:
                chosen.append(stop)
            elif kept + stop.leaves <= target and not off:
                chosen.append(stop)
                kept += stop.leaves
        return chosen

    if len(stops) <= 1:
        keep = fitting(stops)
        return keep, [] if keep else stops
    # The newest first, then the oldest: so that a stop that was just sent to stand beside some of
    # the others is kept with them, and is not sent again.
    newest_first = stops[-1:] + stops[:-1]
    keep = max(fitting(stops), fitting(stops[::-1]), fitting(newest_first), key=total_leaves)
    return keep, [stop for stop in stops if stop not in keep]


def drop_one_idle_stop(keep: list[Order]) -> tuple[list[Order], list[Order]]:
    """Give up one stop that has not triggered, if there is one: (what stays, what is given up)."""
    waiting = [stop for stop in keep if not stop.is_triggered][-1:]
    return [stop for stop in keep if stop not in waiting], waiting


def beyond_holding(trading: list[Order], held: Decimal) -> list[Order]:
    """Of the orders that trade, triggered stops and exits, those that are more than there is to
    exit, the last first: what they overlapped with has traded too, and the holding is not this VA's
    alone any more."""
    given_up = []
    excess = total_leaves(trading) - held
    for order in reversed(trading):
        if excess > ZERO:
            given_up.append(order)
            excess -= order.leaves
    return given_up
