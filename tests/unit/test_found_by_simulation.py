"""What the simulator found, as the shortest story that shows it."""

from decimal import Decimal

import msgspec

from pointsman.domain.accounts import Account, DeskRecord
from pointsman.domain.orders import Role, client_order_id
from pointsman.domain.positions import Lot, Position
from pointsman.domain.sides import PositionSide
from pointsman.engine import gate
from pointsman.execution import cover
from pointsman.execution.books import Books
from tests.simulations import order, policy

TICK = Decimal("0.01")


def held(quantity: str) -> Position:
    amount = Decimal(quantity)
    return Position(
        1, 0, "VA001", "AAA", PositionSide.LONG, "ABCDEF1E1", 0, Decimal(100), Decimal(99),
        quantity=amount, lots=(Lot(amount, Decimal(100)),),
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
    keep, surplus = cover._choose(held("20"), stops, Decimal(20), TICK)
    assert sorted(stop.quantity for stop in keep) == [8, 12]
    assert [stop.quantity for stop in surplus] == [6, 7]


def test_i9_an_exit_for_more_than_is_held_by_now_is_held_back() -> None:
    books = Books(policy(), DeskRecord("ABCDEF"))
    books.put_account(Account("VA001", Decimal(100), 0))
    leaving = order(1, Role.EXIT, "5")
    assert gate.is_overtaken(books, leaving)
    books.put_position(held("4"))
    assert gate.is_overtaken(books, leaving)
    books.put_position(held("5"))
    assert not gate.is_overtaken(books, leaving)
