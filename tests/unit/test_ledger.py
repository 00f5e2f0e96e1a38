"""The hostile venue's own books."""

from decimal import Decimal

import pytest

from pointsman.domain.life_cycle import OrderStatus
from pointsman.domain.orders import OrderType
from pointsman.domain.sides import PositionSide, Side
from pointsman.simulator.ledger import Ledger, Working

LONG = ("AAA", PositionSide.LONG)


def order(name: str, side: Side, quantity: int, *, reduce_only: bool = False) -> Working:
    return Working(
        name, f"V{name}", "AAA", side, PositionSide.LONG, OrderType.MARKET, Decimal(quantity),
        reduce_only, 0,
    )  # fmt: skip


def traded(ledger: Ledger, wanted: Working, quantity: int, price: str = "100") -> Decimal:
    if wanted.client_order_id not in ledger.orders:
        ledger.add(wanted)
    fill = ledger.execute(wanted, Decimal(quantity), Decimal(price), 1)
    return Decimal(0) if fill is None else fill.quantity


def test_i9_a_reduce_only_order_never_makes_a_holding_grow_or_change_its_sign() -> None:
    ledger = Ledger(is_hedged=True, has_trade_ids=True)
    assert traded(ledger, order("stop", Side.SELL, 5, reduce_only=True), 5) == 0
    assert traded(ledger, order("entry", Side.BUY, 3), 3) == 3
    assert traded(ledger, ledger.orders["stop"], 5) == 3
    assert ledger.holdings[LONG] == 0


def test_an_order_fills_no_more_than_its_quantity_and_is_then_not_open() -> None:
    ledger = Ledger(is_hedged=True, has_trade_ids=True)
    entry = order("entry", Side.BUY, 3)
    assert [traded(ledger, entry, 2), traded(ledger, entry, 2), traded(ledger, entry, 2)] == [
        2,
        1,
        0,
    ]
    assert entry.status is OrderStatus.FILLED
    assert ledger.open_orders("AAA") == []
    assert [fill.cumulative for fill in entry.fills] == [2, 3]


def test_money_of_ours_and_of_others_is_kept_apart() -> None:
    ledger = Ledger(is_hedged=True, has_trade_ids=False)
    traded(ledger, order("entry", Side.BUY, 2), 2, "10")
    foreign = order("web", Side.SELL, 1, reduce_only=True)
    foreign.is_foreign = True
    traded(ledger, foreign, 1, "11")
    assert ledger.paid_by_ours == Decimal("20.0020")
    assert (ledger.ours[LONG], ledger.holdings[LONG]) == (2, 1)
    assert {trade.fill.trade_id for trade in ledger.trades} == {""}


def test_i2_an_id_is_created_once() -> None:
    ledger = Ledger(is_hedged=True, has_trade_ids=True)
    ledger.add(order("entry", Side.BUY, 2))
    with pytest.raises(AssertionError, match="created twice"):
        ledger.add(order("entry", Side.BUY, 2))
