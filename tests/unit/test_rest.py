"""What must be true at rest: each check holds for what is right and breaks for what is not."""

from collections.abc import Callable
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from pointsman.domain.accounts import (
    Account,
    DeskRecord,
    ExternalHolding,
    KillState,
    KillSwitch,
)
from pointsman.domain.orders import OrderType
from pointsman.domain.positions import Funding, Lot
from pointsman.domain.sides import PositionSide, Side
from pointsman.execution.books import Books
from pointsman.simulator import rest
from pointsman.simulator.broken import Broken
from pointsman.simulator.ledger import Ledger, Working
from pointsman.storage.reader import open_reader
from pointsman.storage.sqlite_manager import SqliteManager
from tests.simulations import order, policy
from tests.unit.stored_samples import START_NS, TEN, fill, position, turn
from tests.unit.stored_samples import order as stored_order
from tests.unit.test_found_by_simulation import held

replace = msgspec.structs.replace


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


def test_i6_each_account_is_what_its_own_fills_and_funding_make_of_it(tmp_path: Path) -> None:
    """A fee in the coin that was bought is missing from what is held, not from cash."""
    ours = books()
    bought = fill(stored_order(1, symbol="XXX/USD"), "t1")
    bought = replace(bought, fee=Decimal("0.01"), fee_currency="XXX")
    share = Funding(
        "f1", 1, "VA001", "XXX/USD", PositionSide.LONG, TEN, Decimal("-0.5"), START_NS, START_NS
    )
    cash = 100_000 - TEN * bought.price - Decimal("0.5")
    account = Account("VA001", Decimal(100_000), START_NS, cash=cash)
    ours.put_account(account)
    held = TEN - Decimal("0.01")
    ours.put_position(
        replace(position(1), symbol="XXX/USD", quantity=held, lots=(Lot(held, bought.price),))
    )
    manager = SqliteManager(tmp_path / "rest.db")
    manager.open()
    manager.append([turn(START_NS, bought, share)])
    manager.close()
    with closing(open_reader(tmp_path / "rest.db")) as connection:
        rest.each_adds_up(ours, connection)
        ours.put_account(replace(account, cash=cash + 1))
        breaks(lambda: rest.each_adds_up(ours, connection), "I6")
        ours.put_account(account)
        ours.put_position(replace(ours.positions[1], quantity=TEN))
        breaks(lambda: rest.each_adds_up(ours, connection), "I6")


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
