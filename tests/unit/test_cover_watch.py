"""Since when what we hold at the venue is not covered, by the venue's books alone."""

from decimal import Decimal

import pytest

from pointsman.domain.orders import OrderType
from pointsman.domain.sides import PositionSide, Side
from pointsman.simulator.cover_watch import CoverWatch
from pointsman.simulator.ledger import Ledger, Working
from tests.simulations import INSTRUMENTS

PRICES = {"AAA": Decimal(100)}
PLACE = ("AAA", PositionSide.LONG)


class Watched:
    def __init__(self, *, is_hedged: bool = True) -> None:
        self.ledger = Ledger(is_hedged=is_hedged, has_trade_ids=True)
        self.position_side = PositionSide.LONG if is_hedged else None
        self.watch = CoverWatch(self.ledger, INSTRUMENTS)

    def order(self, name: str, side: Side, quantity: int, *, reduce_only: bool) -> Working:
        order = Working(
            name, name, "AAA", side, self.position_side, OrderType.STOP, Decimal(quantity),
            reduce_only, 0,
        )  # fmt: skip
        self.ledger.add(order)
        return order

    def buy(self, quantity: int) -> None:
        order = self.order(f"E{quantity}", Side.BUY, quantity, reduce_only=False)
        self.ledger.execute(order, order.quantity, Decimal(100), 1)

    def sell_by_hand(self, quantity: int) -> None:
        order = self.order("web", Side.SELL, quantity, reduce_only=False)
        order.is_foreign = True
        self.ledger.execute(order, order.quantity, Decimal(100), 1)


@pytest.fixture
def watched() -> Watched:
    return Watched()


def test_a_holding_is_naked_until_stops_cover_all_of_it(watched: Watched) -> None:
    watched.buy(5)
    watched.watch.look(10, PRICES)
    assert watched.watch.naked == {PLACE: 10}
    watched.order("S1", Side.SELL, 3, reduce_only=True)
    watched.watch.look(20, PRICES)
    assert watched.watch.naked == {PLACE: 10}
    watched.order("S2", Side.SELL, 2, reduce_only=True)
    watched.watch.look(30, PRICES)
    assert (watched.watch.naked, watched.watch.intervals) == ({}, [20])


def test_what_is_not_reduce_only_or_not_ours_is_no_cover(watched: Watched) -> None:
    watched.buy(5)
    watched.order("L1", Side.SELL, 5, reduce_only=False)
    watched.order("web", Side.SELL, 5, reduce_only=True).is_foreign = True
    watched.watch.look(10, PRICES)
    assert PLACE in watched.watch.naked


def test_rule_28_what_was_charged_to_a_va_is_not_ours_any_more(watched: Watched) -> None:
    watched.buy(5)
    watched.watch.charge("T1", "AAA", Side.SELL, Decimal(5))
    watched.watch.look(10, PRICES)
    assert watched.watch.naked == {}
    watched.watch.recharge()
    watched.watch.look(11, PRICES)
    assert PLACE in watched.watch.naked


def test_a_charge_of_more_than_is_ours_leaves_nothing_of_ours_on_the_other_side() -> None:
    watched = Watched(is_hedged=False)
    watched.buy(5)
    charged = ("T1", "AAA", Side.SELL, Decimal(9))
    watched.sell_by_hand(9)
    watched.watch.charge(*charged)
    watched.watch.look(10, PRICES)
    assert watched.watch.naked == {}

    watched.buy(6)
    watched.watch.recharge()
    watched.watch.charge(*charged)
    watched.watch.look(11, PRICES)
    assert watched.watch.uncovered("AAA", PositionSide.LONG, PRICES["AAA"]) == 2
