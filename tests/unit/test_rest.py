"""What must be true at rest: each check holds for what is right and breaks for what is not."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from pointsman.domain.accounts import (
    Account,
    DeskRecord,
    ExternalHolding,
    KillState,
    KillSwitch,
)
from pointsman.domain.orders import OrderType
from pointsman.domain.sides import PositionSide, Side
from pointsman.execution.books import Books
from pointsman.simulator import rest
from pointsman.simulator.broken import Broken
from pointsman.simulator.ledger import Ledger, Working
from tests.simulations import order, policy
from tests.unit.test_found_by_simulation import held


def ledger_holding(quantity: int) -> Ledger:
    ledger = Ledger(is_hedged=True, has_trade_ids=True)
    order = Working(
        "web", "V1", "AAA", Side.BUY, PositionSide.LONG, OrderType.MARKET, Decimal(quantity),
        False, 0, is_foreign=True,
    )  # fmt: skip
    ledger.add(order)
    ledger.execute(order, order.quantity, Decimal(100), 1)
    return ledger


def books() -> Books:
    return Books(policy(), DeskRecord("ABCDEF"))


def breaks(check: Callable[[], None], invariant: str) -> None:
    with pytest.raises(Broken) as broken:
        check()
    assert broken.value.invariant == invariant


def test_i6_vas_and_external_together_hold_what_the_venue_does() -> None:
    ours, ledger = books(), ledger_holding(3)
    breaks(lambda: rest.holdings_agree(ours, ledger), "I6")
    ours.put_external(ExternalHolding("AAA", PositionSide.LONG, Decimal(3)))
    rest.holdings_agree(ours, ledger)


def test_i20_both_sides_know_the_same_open_orders() -> None:
    ours, ledger = books(), ledger_holding(3)
    rest.orders_agree(ours, ledger)
    stop = Working(
        "ABCDEF1S1", "V2", "AAA", Side.SELL, PositionSide.LONG, OrderType.STOP, Decimal(3), True, 0
    )
    ledger.add(stop)
    breaks(lambda: rest.orders_agree(ours, ledger), "I20")


def test_i7_nothing_is_without_cover() -> None:
    rest.covered(books(), {})
    breaks(lambda: rest.covered(books(), {("AAA", PositionSide.LONG): 5}), "I7")


def test_i16_a_flatten_that_nobody_released_is_done_and_says_so() -> None:
    ours = books()
    ours.put_account(Account("VA001", Decimal(100), 0))
    ours.put_kill_switch(KillSwitch(KillState.FLATTEN))
    breaks(lambda: rest.killed_for_good(ours), "I16")
    ours.put_kill_switch(KillSwitch(KillState.FLATTEN, flat_at_ns=1))
    rest.killed_for_good(ours)
    ours.put_position(held("5"))
    breaks(lambda: rest.killed_for_good(ours), "I21")
    ours.put_external(ExternalHolding("AAA", PositionSide.LONG, Decimal(-5)))
    breaks(lambda: rest.killed_for_good(ours), "I16")
    ours.put_kill_switch(KillSwitch(KillState.FLATTEN))
    rest.killed_for_good(ours)


def test_i15_no_entry_works_while_killed() -> None:
    ours = books()
    ours.put_account(Account("VA001", Decimal(100), 0))
    ours.put_order(order(1, price="101"))
    rest.killed_for_good(ours)
    ours.put_kill_switch(KillSwitch(KillState.HALT))
    breaks(lambda: rest.killed_for_good(ours), "I15")


def test_i18_what_is_loaded_is_what_lives() -> None:
    rest.loads_alike(books(), books())
    other = books()
    other.put_desk(DeskRecord("ABCDEF", next_number=2))
    breaks(lambda: rest.loads_alike(books(), other), "I18")


def test_what_a_start_changed_is_named() -> None:
    before, after = rest.standing(books()), {**rest.standing(books()), "position 3": "new"}
    assert rest.changed(before, before) == []
    assert rest.changed(before, after) == [(None, "new")]
