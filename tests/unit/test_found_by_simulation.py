"""What the simulator found, as the shortest story that shows it."""

from decimal import Decimal

import msgspec

from pointsman.domain.accounts import Account, DeskRecord
from pointsman.domain.client_order_ids import client_order_id
from pointsman.domain.events import OrderAbsent, ReportWord
from pointsman.domain.orders import Role
from pointsman.domain.policy import ReduceOnlyMode
from pointsman.domain.positions import Lot, Position, PositionState
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import PositionSide
from pointsman.execution import last_check, surplus
from pointsman.execution.books import Books
from tests import desk_stories as stories
from tests.desk_stories import (
    SECOND_NS,
    account,
    enter,
    order_sent,
    report,
    send,
    signal,
    submits,
    tell,
    trade,
)
from tests.order_stories import fill_of, kept_desk
from tests.simulations import order, policy

TICK = Decimal("0.01")


def held(quantity: str) -> Position:
    amount = Decimal(quantity)
    return Position(
        1, 0, "VA001", "AAA", PositionSide.LONG, "ABCDEF1E1", 0, Decimal(100), Decimal(99),
        quantity=amount, lots=(Lot(amount, Decimal(100)),),
        entry_quantity=amount, entry_value=amount * 100,
    )  # fmt: skip


def test_i21_a_stop_that_makes_up_for_one_given_up_is_kept_and_not_sent_again() -> None:
    """20 are held under stops of 12, 6 and 7; a stop of 8 was just sent to stand beside the 12."""
    stops = [
        msgspec.structs.replace(
            order(1, Role.STOP, quantity, trigger="99"),
            client_order_id=client_order_id("ABCDEF", 1, Role.STOP, attempt),
        )
        for attempt, quantity in enumerate(("12", "6", "7", "8"), 1)
    ]
    keep, given_up = surplus.stops_to_keep(held("20"), stops, Decimal(20), TICK)
    assert sorted(stop.quantity for stop in keep) == [8, 12]
    assert [stop.quantity for stop in given_up] == [6, 7]


def test_i9_an_exit_for_more_than_is_held_by_now_is_held_back() -> None:
    books = Books(policy(), DeskRecord("ABCDEF"))
    books.put_account(Account("VA001", Decimal(100), 0))
    leaving = order(1, Role.EXIT, "5")
    assert last_check.is_overtaken(books, leaving)
    books.put_position(held("4"))
    assert last_check.is_overtaken(books, leaving)
    books.put_position(held("5"))
    assert not last_check.is_overtaken(books, leaving)


def test_i10_an_exit_that_arrives_after_all_leaves_its_symbol_with_the_account() -> None:
    """It was given up, another one closed the position, and the account was free again; then it
    takes what belongs to another account (RULES 21)."""
    desk = kept_desk(stories.policy(reduce_only_mode=ReduceOnlyMode.REFUSE))
    enter(desk, signal("a"))
    send(desk, signal("b", "close", None))
    [first] = submits(report(desk, "ABCDEF1S1", ReportWord.CANCELED))
    order_sent(desk, first.client_order_id)
    given_up = OrderAbsent(first.client_order_id, desk.now_ns + 10 * SECOND_NS)
    [second] = submits(tell(desk, given_up, 10 * SECOND_NS))
    order_sent(desk, second.client_order_id)
    trade(desk, second.client_order_id, "10")
    assert account(desk).leased_symbol is None
    tell(desk, fill_of(desk, first.client_order_id, "late", "4"))
    assert account(desk).leased_symbol == "XXX"
    assert account(desk).frozen_for is Reason.OVERFILL
    states = [position.state for position in desk.books.positions.values()]
    assert states == [PositionState.OVERFILLED]
